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
from dedup.kernels.template import edge_key
from dedup.kernels.vocabulary import MOST_PASSAGES, span_letters

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


@leaf
def tokens_of(octets, begin, size, passages, length, words, t_word, t_start, t_length):
    """The tokens of a text of ``passages`` passages and ``length`` characters, from such a frame
    that begins at ``begin``; the arrays are as long as it has tokens. Whether they are words of a
    vocabulary of ``words``, and lie inside the text."""
    m = len(t_word)
    at = begin + HEADER + 3 * passages
    copy_words(octets, at, size, t_word)
    copy_words(octets, at + m, size, t_start)
    copy_halves(octets, at + 2 * m, size, t_length)
    least, most = add_up(t_start)
    word, last = greatest(t_word, t_start, t_length)
    return least >= 0 and most <= length and last <= length and (m == 0 or word < words)


@leaf
def put_in_order(words, room):
    """Sort a few distinct ``words`` (int32) by how many are less than each, which needs no branch:
    many are compared at once. ``room`` (int32, as many at least) is scratch."""
    n = len(words)
    for i in range(n):
        room[i] = words[i]
    for i in range(n):
        word = room[i]
        less = np.int32(0)
        for j in range(n):
            less += np.int32(room[j] < word)
        words[less] = word


@kernel
def survey(
    node,
    octets,
    place,
    v_hash,
    v_bits,
    copies,
    seen,
    articles,
    edges,
    d_token,
    d_word,
    d_content,
    d_length,
    d_letters,
    d_passage,
    p_token,
    p_start,
    p_end,
    p_quoted,
    p_speech,
    p_article,
    p_content,
    c_word,
    p_key,
    p_information,
    p_letters,
):
    """What is known of the passages of some texts among all, those of number ``node`` (int64).

    ``octets`` uint8 holds their frames, the bytes of whose words stand apart (``word_at``), from
    ``place`` (int64, texts + 1) on. ``d_passage``, ``d_token``, ``d_word`` and ``d_content``
    (int64, all texts + 1) say where the passages, tokens, distinct words, and content words of the
    passages of each text come to stand. The arrays from ``d_length`` on are those of a
    ``Collection``, and filled there.

    ``articles`` (int64, words) grows by the articles that hold each word, ``copies`` (int64, all
    texts) of each text; ``seen`` (int32, words) is scratch that begins with -1 and may have been
    used for other texts: the passage that each word stood in last. ``edges`` (uint64, (2,
    passages), or of no passages where nobody asks): hashes of the first and of the last two words
    of each passage, 0 where it has only one.

    Returns the first node (int64) whose frame has other sizes, words that there are not, or
    passages or tokens that lie outside the text; -1 if there is none.
    """
    words = len(v_hash)
    wanted = edges.shape[1] > 0
    longest = np.int64(0)
    for i in range(len(place) - 1):
        longest = max(longest, d_token[node[i] + 1] - d_token[node[i]])
    t_word = np.empty(longest, np.int32)
    t_start = np.empty(longest, np.int32)
    t_length = np.empty(longest, np.uint16)
    room = np.empty(longest, np.int32)
    for i in range(len(place) - 1):
        d = node[i]
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
        if not tokens_of(
            octets, begin, size, n, length, words, t_word[:m], t_start[:m], t_length[:m]
        ):
            return d
        t = 0
        start = 0
        held = 0
        end_content = d_content[d]
        marks = HEADER + 3 * n + 2 * m + (m + 1) // 2
        for j in range(n):
            p = d_passage[d] + j
            count = word_at(octets, begin, size, HEADER + j)
            start += word_at(octets, begin, size, HEADER + n + j)
            end = start + word_at(octets, begin, size, HEADER + 2 * n + j)
            if count < 0 or t + count > m or start < 0 or end < start or end > length:
                return d
            p_token[p] = d_token[d] + t
            p_start[p] = start
            p_end[p] = end
            p_article[p] = d
            p_quoted[p] = byte_at(octets, begin, size, marks, j)
            p_speech[p] = byte_at(octets, begin, size, marks, n + j)
            p_letters[p] = span_letters(t, t + count, t_start, t_length)
            if wanted:
                edges[0, p] = 0
                edges[1, p] = 0
                if count >= 2:
                    last = t + count - 2
                    edges[0, p] = edge_key(v_hash[t_word[t]], v_hash[t_word[t + 1]])
                    edges[1, p] = edge_key(v_hash[t_word[last]], v_hash[t_word[last + 1]])
            p_content[p] = end_content
            key = np.uint64(0x9E3779B97F4A7C15)
            quarters = 0
            for _ in range(count):
                word = t_word[t]
                t += 1
                key = (key ^ v_hash[word]) * np.uint64(0xFF51AFD7ED558CCD)
                key ^= key >> np.uint64(32)
                before = seen[word]
                if before == p:
                    continue
                seen[word] = p
                if before < d_passage[d] or before > p:
                    held += 1
                    articles[word] += copies[d]
                bits = v_bits[word]
                if bits & CONTENT:
                    if end_content >= d_content[d + 1]:
                        return d
                    c_word[end_content] = word
                    end_content += 1
                    quarters += bits & QUARTERS
            put_in_order(c_word[p_content[p] : end_content], room)
            p_key[p] = key
            p_information[p] = np.float32(quarters / 4.0)
        if t != m or end_content != d_content[d + 1] or held != d_word[d + 1] - d_word[d]:
            return d
        # Of the next text, which another thread may fill later.
        p_token[d_passage[d + 1]] = d_token[d + 1]
    return -1


@kernel
def lay_out(
    node,
    octets,
    place,
    words,
    known,
    d_length,
    d_passage,
    p_token,
    d_word,
    t_word,
    t_start,
    t_length,
    w_word,
    w_passages,
):
    """The tokens and distinct words of the texts ``node`` (int64), which ``survey`` looked at.

    ``octets`` and ``place`` hold their frames, as there. ``known`` (int64, ``words`` of the
    vocabulary) is scratch that begins with -1 and may have been used for other texts: where each
    word stood last. The others are arrays of a ``Collection``, of which ``t_word``, ``t_start``,
    ``t_length``, ``w_word`` and ``w_passages`` are filled. Returns the first number in ``node``
    (int64) whose frame is another one than it was, -1 if there is none.
    """
    most = np.int64(0)
    for d in node:
        most = max(most, d_word[d + 1] - d_word[d])
    seen = np.empty(most, np.int64)  # passage that a word of the text was seen in last
    for i in range(len(node)):
        d = node[i]
        at = place[i]
        size = (place[i + 1] - at) >> 2
        passages = d_passage[d + 1] - d_passage[d]
        t = p_token[d_passage[d]]
        u = p_token[d_passage[d + 1]]
        if size != frame_size(passages, u - t) or place[i + 1] - at != 4 * size:
            return i
        if not tokens_of(
            octets,
            at,
            size,
            passages,
            np.int64(d_length[d]),
            words,
            t_word[t:u],
            t_start[t:u],
            t_length[t:u],
        ):
            return i
        begin = d_word[d]
        n = begin
        for p in range(d_passage[d], d_passage[d + 1]):
            for t in range(p_token[p], p_token[p + 1]):
                word = t_word[t]
                k = known[word]
                if k < begin or k >= n:
                    k = n
                    if n >= d_word[d + 1]:
                        return i
                    known[word] = k
                    w_word[n] = word
                    w_passages[n] = 0
                    n += 1
                elif seen[k - begin] == p:
                    continue
                seen[k - begin] = p
                if w_passages[k] < MOST_PASSAGES:
                    w_passages[k] += 1
        if n != d_word[d + 1]:
            return i
    return -1
