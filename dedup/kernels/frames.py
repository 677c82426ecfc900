"""Texts as an index keeps them: what segmenting found, in one frame of 32-bit words for each.

A frame begins with characters, letters, passages and tokens of the text. Then come, a word for
each passage, its tokens, how far its start lies behind that of the passage before, and its
characters; a word for each token: its number, and how far it starts behind the one before; its
length, two tokens to a word; marks of quotation and of speech, four passages to a word.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.minhash import CONTENT, QUARTERS
from dedup.kernels.vocabulary import MOST_PASSAGES

HEADER = 4


@leaf
def frame_size(passages, tokens):
    """Words (int64) that the frame of a text with so many passages and tokens takes."""
    return HEADER + 3 * passages + 2 * tokens + (tokens + 1) // 2 + (2 * passages + 3) // 4


@kernel
def frame_sizes(passages, tokens):
    """Words (int64) that the frame of each text takes: ``passages`` and ``tokens`` (int64, texts)
    say how many it has, each from 0 to 2^31 - 1."""
    out = np.empty(len(passages), np.int64)
    for d in range(len(out)):
        out[d] = frame_size(passages[d], tokens[d])
    return out


@kernel
def pack(
    place,
    d_length,
    d_letters,
    d_passage,
    p_token,
    p_start,
    p_end,
    p_quoted,
    p_speech,
    t_word,
    t_start,
    t_length,
    words,
    halves,
    marks,
):
    """Write frames: ``words`` int32, ``halves`` uint16 and ``marks`` uint8 are the same memory, all
    zeros; ``place`` (int64, texts) says at which word each begins. The others are arrays of a
    ``Collection``."""
    for d in range(len(place)):
        first = d_passage[d]
        last = d_passage[d + 1]
        begin = p_token[first]
        end = p_token[last]
        k = place[d]
        words[k] = d_length[d]
        words[k + 1] = d_letters[d]
        words[k + 2] = last - first
        words[k + 3] = end - begin
        k += HEADER
        n = last - first
        before = 0
        for i in range(n):
            p = first + i
            words[k + i] = p_token[p + 1] - p_token[p]
            words[k + n + i] = p_start[p] - before
            words[k + 2 * n + i] = p_end[p] - p_start[p]
            before = p_start[p]
        k += 3 * n
        m = end - begin
        before = 0
        for i in range(m):
            words[k + i] = t_word[begin + i]
            words[k + m + i] = t_start[begin + i] - before
            before = t_start[begin + i]
        k += 2 * m
        for i in range(m):
            halves[2 * k + i] = t_length[begin + i]
        k += (m + 1) // 2
        for i in range(n):
            marks[4 * k + i] = p_quoted[first + i]
            marks[4 * k + n + i] = p_speech[first + i]


@leaf
def word_at(octets, begin, size, k):
    """Word ``k`` (int64) of a frame of ``size`` words whose bytes stand apart: the first ones of
    all words from ``begin`` on, then the second ones, and so on."""
    at = begin + k
    low = np.int64(octets[at]) | np.int64(octets[at + size]) << 8
    high = np.int64(octets[at + 2 * size]) | np.int64(octets[at + 3 * size]) << 8
    return np.int64(np.int32(np.uint32(low | high << 16)))


@leaf
def byte_at(octets, begin, size, k, i):
    """Byte ``i`` of what begins with word ``k`` of such a frame."""
    return octets[begin + (i & 3) * size + k + (i >> 2)]


@leaf
def bytes_apart(octets, at, size, count):
    """The first, second, third and fourth bytes (uint8, views) of ``count`` words of such a frame,
    whose first bytes begin at ``at``."""
    return (
        octets[at : at + count],
        octets[at + size : at + size + count],
        octets[at + 2 * size : at + 2 * size + count],
        octets[at + 3 * size : at + 3 * size + count],
    )


@leaf
def copy_words(octets, at, size, out):
    """Words (``out`` int32) of such a frame, whose first bytes begin at ``at``. A loop without a
    branch: many are made at once."""
    one, two, three, four = bytes_apart(octets, at, size, len(out))
    for i in range(len(out)):
        low = np.uint32(one[i]) | np.uint32(two[i]) << np.uint32(8)
        high = np.uint32(three[i]) | np.uint32(four[i]) << np.uint32(8)
        out[i] = np.int32(low | high << np.uint32(16))


@leaf
def copy_halves(octets, at, size, out):
    """The same of half words (``out`` uint16), two to a word."""
    one, two, three, four = bytes_apart(octets, at, size, (len(out) + 1) // 2)
    for i in range(len(out) // 2):
        out[2 * i] = np.uint16(one[i]) | np.uint16(two[i]) << np.uint16(8)
        out[2 * i + 1] = np.uint16(three[i]) | np.uint16(four[i]) << np.uint16(8)
    if len(out) & 1:
        i = len(out) // 2
        out[2 * i] = np.uint16(one[i]) | np.uint16(two[i]) << np.uint16(8)


@leaf
def add_up(gaps):
    """Turn distances (int32) to what comes before into places; returns the least and the greatest
    (int64)."""
    place = np.int64(0)
    least = np.int64(0)
    most = np.int64(0)
    for i in range(len(gaps)):
        place += gaps[i]
        least = min(least, place)
        most = max(most, place)
        gaps[i] = np.int32(place)
    return least, most


@leaf
def greatest(words, start, length):
    """The greatest of ``words`` (int32), negative ones after all others, and of the sums of
    ``start`` (int32) and ``length`` (uint16)."""
    word = np.uint32(0)
    end = np.int64(0)
    for i in range(len(words)):
        word = max(word, np.uint32(words[i]))
    for i in range(len(start)):
        end = max(end, np.int64(start[i]) + np.int64(length[i]))
    return np.int64(word), end


@kernel
def unpack(
    first,
    octets,
    place,
    words,
    d_token,
    d_length,
    d_letters,
    d_passage,
    p_token,
    p_start,
    p_end,
    p_quoted,
    p_speech,
    p_article,
    t_word,
    t_start,
    t_length,
):
    """The reverse of ``pack``, for some texts among all: the nodes from ``first`` on.

    ``octets`` uint8 holds their frames, the bytes of whose words stand apart (``word_at``), from
    ``place`` (int64, texts + 1) on. ``d_passage`` and ``d_token`` (int64, all texts + 1) say where
    the passages and tokens of each text come to stand; the other arrays are those of a
    ``Collection``, and filled there. Returns the first node (int64) whose frame has other sizes,
    words beyond ``words``, the size of the vocabulary, or passages or tokens that lie outside the
    text; -1 if there is none.
    """
    for i in range(len(place) - 1):
        d = first + i
        begin = place[i]
        size = (place[i + 1] - begin) >> 2
        n = d_passage[d + 1] - d_passage[d]
        m = d_token[d + 1] - d_token[d]
        if size != frame_size(n, m) or place[i + 1] - begin != 4 * size:
            return d
        if word_at(octets, begin, size, 2) != n or word_at(octets, begin, size, 3) != m:
            return d
        length = word_at(octets, begin, size, 0)
        d_length[d] = length
        d_letters[d] = word_at(octets, begin, size, 1)
        k = HEADER
        t = d_token[d]
        start = 0
        for j in range(n):
            p = d_passage[d] + j
            p_token[p] = t
            t += word_at(octets, begin, size, k + j)
            start += word_at(octets, begin, size, k + n + j)
            end = start + word_at(octets, begin, size, k + 2 * n + j)
            p_start[p] = start
            p_end[p] = end
            p_article[p] = d
            if t < p_token[p] or t > d_token[d + 1] or start < 0 or end < start or end > length:
                return d
        if t != d_token[d + 1]:
            return d
        p_token[d_passage[d + 1]] = t  # of the next text, which another thread may fill later
        k += 3 * n
        t = d_token[d]
        own_word = t_word[t : t + m]
        own_start = t_start[t : t + m]
        own_length = t_length[t : t + m]
        at = begin + k
        copy_words(octets, at, size, own_word)
        at += m
        copy_words(octets, at, size, own_start)
        at += m
        copy_halves(octets, at, size, own_length)
        least, most = add_up(own_start)
        word, last = greatest(own_word, own_start, own_length)
        if least < 0 or most > length or last > length or (m > 0 and word >= words):
            return d
        k += 2 * m + (m + 1) // 2
        p = d_passage[d]
        for j in range(n):
            p_quoted[p + j] = byte_at(octets, begin, size, k, j)
            p_speech[p + j] = byte_at(octets, begin, size, k, n + j)
    return -1


PLACE = 8  # bits below the place of a word in ``words_of``: its information


@kernel
def word_table(v_hash, v_bits):
    """What ``words_of`` looks at of every word, side by side in memory: int64 (words, 2), its hash,
    and its information below where it stood last, which is nowhere."""
    out = np.empty((len(v_hash), 2), np.int64)
    for w in range(len(v_hash)):
        out[w, 0] = np.int64(v_hash[w])
        out[w, 1] = np.int64(v_bits[w]) - (1 << PLACE)
    return out


@kernel
def words_of(
    first,
    last,
    table,
    d_passage,
    p_token,
    t_word,
    d_word,
    d_content,
    w_word,
    w_passages,
    p_content,
    c_word,
    p_key,
    p_information,
):
    """What ``vocabulary.number_words`` says of nodes ``first`` to ``last``, whose words have
    their numbers already: ``w_word``, ``w_passages``, ``p_content``, ``c_word``, ``p_key`` and
    ``p_information`` are filled as there; the content words of each passage are in order.

    ``d_word`` and ``d_content`` (int64, all texts + 1) say where the distinct words of each text,
    and the content words of its passages, come to stand. ``table`` (see ``word_table``) may have
    been used for other texts. Returns the first node (int64) that has other numbers of
    these, -1 if there is none.
    """
    most = np.int64(0)
    for d in range(first, last):
        most = max(most, d_word[d + 1] - d_word[d])
    seen = np.empty(most, np.int64)  # passage that a word of the text was seen in last
    for d in range(first, last):
        begin = d_word[d]
        n = begin
        m = d_content[d]
        for p in range(d_passage[d], d_passage[d + 1]):
            p_content[p] = m
            key = np.uint64(0x9E3779B97F4A7C15)
            quarters = 0
            for t in range(p_token[p], p_token[p + 1]):
                word = t_word[t]
                key = (key ^ np.uint64(table[word, 0])) * np.uint64(0xFF51AFD7ED558CCD)
                key ^= key >> np.uint64(32)
                at = table[word, 1] >> PLACE
                if at < begin or at >= n:
                    at = n
                    if n >= d_word[d + 1]:
                        return d
                    table[word, 1] = n << PLACE | (table[word, 1] & 0xFF)
                    w_word[n] = word
                    w_passages[n] = 0
                    n += 1
                elif seen[at - begin] == p:
                    continue
                seen[at - begin] = p
                if w_passages[at] < MOST_PASSAGES:
                    w_passages[at] += 1
                bits = np.uint8(table[word, 1] & 0xFF)
                if bits & CONTENT:
                    if m >= d_content[d + 1]:
                        return d
                    k = m
                    while k > p_content[p] and c_word[k - 1] > word:
                        c_word[k] = c_word[k - 1]
                        k -= 1
                    c_word[k] = word
                    m += 1
                    quarters += bits & QUARTERS
            p_key[p] = key
            p_information[p] = np.float32(quarters / 4.0)
        if n != d_word[d + 1] or m != d_content[d + 1]:
            return d
    return -1
