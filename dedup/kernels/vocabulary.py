"""Tokens to words: one vocabulary for all texts, and the words of each passage and article.

A word's number stands for its folded text: two tokens have the same number if and only if they
are equal on the text. Equal hashes are not believed: texts can be built to collide.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.comparison import table_size
from dedup.kernels.jit import kernel, leaf
from dedup.kernels.machine import eight_bytes
from dedup.kernels.minhash import CONTENT, QUARTERS, word_bits
from dedup.kernels.text import HAN, PLANES, SEA, code_point, kind_of

MOST_PASSAGES = 0xFFFF


@leaf
def next_folded(data, i, left, kind, fold):
    """Next folded token character at byte ``i`` among ``left`` characters.

    Returns ``(code, byte after, characters left)``; the code is 0 when none is left.
    """
    while left > 0:
        c, i = code_point(data, i)
        left -= 1
        k = kind_of(c, kind)
        if k == 1 or k == 2 or k == 3:
            return (fold[c] if c < PLANES else c), i, left
    return np.uint32(0), i, left


@leaf
def folded_chars(data, i, left, kind, fold):
    """How many characters of a token, ``left`` from byte ``i`` on, are not ignored."""
    n = 0
    while True:
        c, i, left = next_folded(data, i, left, kind, fold)
        if c == 0:
            return n
        n += 1


@leaf
def same_word(one, i, chars_i, two, j, chars_j, kind, fold):
    """Whether two tokens are equal on their texts (``one`` from byte ``i``, ``two`` from ``j``),
    after folding."""
    if chars_i == chars_j <= 8 and i + 8 <= len(one) and j + 8 <= len(two):
        x = eight_bytes(one, i)
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * chars_i)
        if ((x ^ eight_bytes(two, j)) | (x & np.uint64(0x8080808080808080))) & mask == 0:
            return True
    if chars_i == chars_j:
        # Mostly the same bytes, and ASCII: one byte a character.
        n = 0
        while n < chars_i and one[i + n] == two[j + n] and one[i + n] < 0x80:
            n += 1
        i += n
        j += n
        chars_i -= n
        chars_j -= n
        if chars_i == 0:
            return True
    while True:
        c, i, chars_i = next_folded(one, i, chars_i, kind, fold)
        d, j, chars_j = next_folded(two, j, chars_j, kind, fold)
        if c != d:
            return False
        if c == 0:
            return True


@leaf
def slot_of(h, size):
    """Where the search for a hash begins in a table of ``size`` slots (a power of two)."""
    return np.int64((h ^ (h >> np.uint64(29))) & np.uint64(size - 1))


@leaf
def find_word(h, text, begin, chars, slot, v_hash, spelled, v_byte, v_chars, kind, fold):
    """The slot of a token (hash ``h``, ``chars`` characters from byte ``begin`` of ``text`` on) in
    a vocabulary spelled in ``spelled``: that of its word, or an empty one."""
    j = slot_of(h, len(slot))
    while slot[j] != 0:
        w = slot[j] - 1
        if v_hash[w] == h and same_word(
            spelled, v_byte[w], v_chars[w], text, begin, chars, kind, fold
        ):
            break
        j = (j + 1) & (len(slot) - 1)
    return j


@leaf
def spell(data, begin, chars, text, used):
    """Write ``chars`` characters of ``data`` to ``text``; returns how many bytes are used then."""
    end = begin
    for _ in range(chars):
        end = code_point(data, end)[1]
    for i in range(begin, end):
        text[used] = data[i]
        used += 1
    return used


@kernel
def rehashed(v_hash, count, size):
    """Open-addressing table (int32: word + 1, 0 is empty) of ``count`` words in ``size`` slots."""
    slot = np.zeros(size, np.int32)
    for w in range(count):
        j = slot_of(v_hash[w], size)
        while slot[j] != 0:
            j = (j + 1) & (size - 1)
        slot[j] = w + 1
    return slot


@leaf
def number_article(
    d,
    data,
    d_byte,
    d_passage,
    p_token,
    t_hash,
    t_chars,
    t_byte,
    kind,
    fold,
    slots,
    values,
    default,
    least,
    t_word,
    w_word,
    w_passages,
    p_content,
    c_word,
    p_key,
    p_information,
    v_hash,
    v_bits,
    v_byte,
    v_chars,
    slot,
    text,
    near,
    own_hash,
    own_byte,
    own_chars,
    last,
    n,
    m,
    words,
    used,
):
    """Number the words of article ``d``, see ``number_words``; there is room for all of them.

    ``n`` words of articles, ``m`` content words of passages and ``words`` of the batch, spelled in
    ``used`` bytes, are there already; returns how many of each there are then.
    """
    size = table_size(p_token[d_passage[d + 1]] - p_token[d_passage[d]])
    near[:size] = 0
    own = 0
    first = n
    for p in range(d_passage[d], d_passage[d + 1]):
        p_content[p] = m
        key = np.uint64(0x9E3779B97F4A7C15)
        quarters = 0
        for t in range(p_token[p], p_token[p + 1]):
            h = t_hash[t]
            key = (key ^ h) * np.uint64(0xFF51AFD7ED558CCD)
            key ^= key >> np.uint64(32)
            begin = d_byte[d] + t_byte[t]
            chars = t_chars[t]
            j = slot_of(h, size)
            while near[j] != 0:
                k = near[j] - 1
                if own_hash[k] == h and same_word(
                    data, own_byte[k], own_chars[k], data, begin, chars, kind, fold
                ):
                    break
                j = (j + 1) & (size - 1)
            if near[j] == 0:
                i = find_word(
                    h, data, begin, chars, slot, v_hash, text, v_byte, v_chars, kind, fold
                )
                if slot[i] == 0:
                    v_hash[words] = h
                    v_byte[words] = used
                    v_chars[words] = chars
                    used = spell(data, begin, chars, text, used)
                    bits = word_bits(h, slots, values, default, least)
                    c = kind_of(code_point(data, begin)[0], kind)
                    if c == HAN or c == SEA:  # noqa: SIM109 -- numba
                        # Such tokens overlap: each counts for the character that it adds.
                        # Not for those that are ignored: every spelling is worth the same.
                        folded = folded_chars(data, begin, chars, kind, fold)
                        bits = (bits & CONTENT) | np.uint8((bits & QUARTERS) // folded)
                    v_bits[words] = bits
                    words += 1
                    slot[i] = words
                w_word[n] = slot[i] - 1
                w_passages[n] = 0
                own_hash[own] = h
                own_byte[own] = begin
                own_chars[own] = chars
                last[own] = -1
                own += 1
                near[j] = own
                n += 1
            k = near[j] - 1
            word = w_word[first + k]
            t_word[t] = word
            if last[k] == p:
                continue
            last[k] = p
            if w_passages[first + k] < MOST_PASSAGES:
                w_passages[first + k] += 1
            if v_bits[word] & CONTENT:
                c_word[m] = word
                m += 1
                quarters += v_bits[word] & QUARTERS
        p_key[p] = key
        p_information[p] = np.float32(quarters / 4.0)
    return n, m, words, used


@kernel
def number_words(
    data,
    d_byte,
    d_passage,
    p_token,
    t_hash,
    t_chars,
    t_byte,
    kind,
    fold,
    slots,
    values,
    default,
    least,
    t_word,
    d_word,
    w_word,
    w_passages,
    p_content,
    c_word,
    p_key,
    p_information,
):
    """Number the distinct words of a batch of articles.

    ``data``, ``d_byte``: the texts; ``d_passage`` (int64, articles + 1) first passage of each
    article; ``slots``, ``values``, ``default``, ``least``: see ``minhash.word_bits``.

    Writes per token its word (``t_word`` int32). The distinct words of each article (``d_word``
    int64, articles + 1; ``w_word`` int32) with the number of its passages that hold each
    (``w_passages`` uint16, MOST_PASSAGES if there are more). The distinct content words of each
    passage (``p_content`` int64, passages + 1; ``c_word`` int32), a key of its token sequence
    (``p_key`` uint64) and the information of its content words (``p_information`` float32, bits).
    There is room for as many words as tokens.

    Returns ``(v_hash, v_bits, v_byte, v_chars, v_text)``: per word of the batch its hash, its
    information, and its spelling (``v_chars`` characters from byte ``v_byte`` of ``v_text`` on).
    How many words there are of articles and of passages is the last of ``d_word`` and
    ``p_content``.
    """
    articles = len(d_passage) - 1
    passages = len(p_token) - 1
    room = 4096
    v_hash = np.empty(room, np.uint64)
    v_bits = np.empty(room, np.uint8)
    v_byte = np.empty(room, np.int64)
    v_chars = np.empty(room, np.int32)
    slot = np.zeros(table_size(2 * room), np.int32)
    text = np.empty(16 * room, np.uint8)
    used = np.int64(0)
    # The words of one article by themselves, in a table that stays near: most tokens repeat one.
    most = np.int64(0)
    for d in range(articles):
        most = max(most, p_token[d_passage[d + 1]] - p_token[d_passage[d]])
    near = np.zeros(table_size(most), np.int32)
    own_hash = np.empty(most, np.uint64)
    own_byte = np.empty(most, np.int64)
    own_chars = np.empty(most, np.int32)
    last = np.empty(most, np.int64)  # passage that a word was seen in last
    words = np.int64(0)
    n = np.int64(0)
    m = np.int64(0)
    for d in range(articles):
        size = p_token[d_passage[d + 1]] - p_token[d_passage[d]]
        if words + size > room:
            room = max(2 * room, words + size)
            v_hash = widened(v_hash, room)
            v_bits = widened(v_bits, room)
            v_byte = widened(v_byte, room)
            v_chars = widened(v_chars, room)
            slot = rehashed(v_hash, words, table_size(2 * room))
        # Of scripts without spaces, up to three tokens overlap.
        spelled = used + 3 * (d_byte[d + 1] - d_byte[d])
        if spelled > len(text):
            text = widened(text, max(2 * len(text), spelled))
        d_word[d] = n
        n, m, words, used = number_article(
            d,
            data,
            d_byte,
            d_passage,
            p_token,
            t_hash,
            t_chars,
            t_byte,
            kind,
            fold,
            slots,
            values,
            default,
            least,
            t_word,
            w_word,
            w_passages,
            p_content,
            c_word,
            p_key,
            p_information,
            v_hash,
            v_bits,
            v_byte,
            v_chars,
            slot,
            text,
            near,
            own_hash,
            own_byte,
            own_chars,
            last,
            n,
            m,
            words,
            used,
        )
    d_word[articles] = n
    p_content[passages] = m
    return (
        v_hash[:words].copy(),
        v_bits[:words].copy(),
        v_byte[:words].copy(),
        v_chars[:words].copy(),
        text[:used].copy(),
    )


@kernel
def widened(array, size):
    """A copy of a one-dimensional array's data with room for ``size`` items."""
    out = np.empty(size, array.dtype)
    # Assigning a slice would have numba compile how shapes are spelled in its error message.
    for i in range(len(array)):
        out[i] = array[i]
    return out


@kernel
def merge_words(
    slot,
    v_hash,
    v_byte,
    v_chars,
    text,
    count,
    used,
    b_text,
    b_hash,
    b_byte,
    b_chars,
    kind,
    fold,
    out,
):
    """Number the words of a batch in the vocabulary of all texts, into ``out`` (int32).

    The vocabulary (``slot``, ``v_hash``, ``v_byte``, ``v_chars``, ``text``) has ``count`` words,
    spelled in ``used`` bytes of ``text``, and room for all of the batch; it grows by those that
    are new. Returns how many words and bytes it has then.
    """
    for w in range(len(b_hash)):
        j = find_word(
            b_hash[w],
            b_text,
            b_byte[w],
            b_chars[w],
            slot,
            v_hash,
            text,
            v_byte,
            v_chars,
            kind,
            fold,
        )
        out[w] = slot[j] - 1
        if slot[j] == 0:
            out[w] = count
            v_hash[count] = b_hash[w]
            v_byte[count] = used
            v_chars[count] = b_chars[w]
            count += 1
            slot[j] = count
            used = spell(b_text, b_byte[w], b_chars[w], text, used)
    return count, used


@kernel
def renumber(number, words):
    """Put new numbers on words, in place."""
    for i in range(len(words)):
        words[i] = number[words[i]]


@kernel
def renumber_sets(number, start, words):
    """Put new numbers on the words of sets (``start`` int64, sets + 1), and each set in order."""
    for s in range(len(start) - 1):
        for i in range(start[s], start[s + 1]):
            w = number[words[i]]
            k = i
            while k > start[s] and words[k - 1] > w:
                words[k] = words[k - 1]
                k -= 1
            words[k] = w


@kernel
def letters(token, t_start, t_length):
    """Letters and digits of every article or passage (int32), which begin at tokens ``token``
    (int64, one more than there are); tokens that overlap count each character once."""
    out = np.zeros(len(token) - 1, np.int32)
    for i in range(len(out)):
        out[i] = span_letters(token[i], token[i + 1], t_start, t_length)
    return out


@kernel
def span_letters(lo, hi, t_start, t_length):
    """Letters and digits of the tokens ``lo`` to ``hi`` of one article."""
    total = 0
    reached = 0
    for t in range(lo, hi):
        end = t_start[t] + t_length[t]
        begin = max(t_start[t], reached)
        if end > begin:
            total += end - begin
            reached = end
    return total
