"""Token hashes to small per-article vocabularies, and the comparison of two of them."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.text import PLANES, code_point, kind_of


@kernel
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


@kernel
def same_word(data, i, chars_i, j, chars_j, kind, fold):
    """Whether two tokens are equal on the text (bytes ``i`` and ``j``), after folding."""
    if chars_i == chars_j:
        # Mostly the same bytes, and ASCII: one byte a character.
        n = 0
        while n < chars_i and data[i + n] == data[j + n] and data[i + n] < 0x80:
            n += 1
        i += n
        j += n
        chars_i -= n
        chars_j -= n
        if chars_i == 0:
            return True
    while True:
        c, i, chars_i = next_folded(data, i, chars_i, kind, fold)
        d, j, chars_j = next_folded(data, j, chars_j, kind, fold)
        if c != d:
            return False
        if c == 0:
            return True


@kernel
def vocabularies(data, d_byte, d_passage, p_token, t_hash, t_chars, t_byte, bits, kind, fold):
    """Number the distinct tokens of every article.

    ``data``, ``d_byte``: the texts; ``d_passage`` (int64, articles + 1) first passage of each
    article; ``bits`` uint8 per token.

    Returns ``(t_word, d_word, w_hash, w_passages, w_byte, w_chars, w_bits)``: the word of each
    token (int32, local to its article); first word of each article (int64, articles + 1); and
    per word its hash, the number of passages that hold it, where it stands first (byte and
    length in characters) and its information.
    """
    articles = len(d_passage) - 1
    tokens = len(t_hash)
    t_word = np.empty(tokens, np.int32)
    d_word = np.empty(articles + 1, np.int64)
    w_hash = np.empty(tokens, np.uint64)
    w_passages = np.empty(tokens, np.int32)
    w_byte = np.empty(tokens, np.int32)
    w_chars = np.empty(tokens, np.int32)
    w_bits = np.empty(tokens, np.uint8)
    last = np.empty(tokens, np.int64)
    size = 2048
    slot = np.zeros(size, np.int64)
    words = 0
    for d in range(articles):
        first = words
        d_word[d] = first
        lo = p_token[d_passage[d]]
        hi = p_token[d_passage[d + 1]]
        if 2 * (hi - lo) > size:
            while size < 2 * (hi - lo):
                size *= 2
            slot = np.zeros(size, np.int64)
        mask = np.uint64(size - 1)
        for p in range(d_passage[d], d_passage[d + 1]):
            for t in range(p_token[p], p_token[p + 1]):
                h = t_hash[t]
                j = (h ^ (h >> np.uint64(29))) & mask
                word = np.int64(-1)
                while slot[j] > first:
                    w = slot[j] - 1
                    # Equal hashes are not believed: texts can be built to collide.
                    if w_hash[w] == h and same_word(
                        data,
                        d_byte[d] + w_byte[w],
                        w_chars[w],
                        d_byte[d] + t_byte[t],
                        t_chars[t],
                        kind,
                        fold,
                    ):
                        word = w
                        break
                    j = (j + np.uint64(1)) & mask
                if word < 0:
                    word = words
                    slot[j] = words + 1
                    w_hash[word] = h
                    w_passages[word] = 0
                    w_byte[word] = t_byte[t]
                    w_chars[word] = t_chars[t]
                    w_bits[word] = bits[t]
                    last[word] = -1
                    words += 1
                t_word[t] = word - first
                if last[word] != p:
                    last[word] = p
                    w_passages[word] += 1
    d_word[articles] = words
    return (
        t_word,
        d_word,
        w_hash[:words].copy(),
        w_passages[:words].copy(),
        w_byte[:words].copy(),
        w_chars[:words].copy(),
        w_bits[:words].copy(),
    )


@kernel
def letters(d_passage, p_token, t_start, t_end):
    """Letters and digits of every article (int32); overlapping tokens count once."""
    out = np.zeros(len(d_passage) - 1, np.int32)
    for d in range(len(out)):
        out[d] = span_letters(p_token[d_passage[d]], p_token[d_passage[d + 1]], t_start, t_end)
    return out


@kernel
def span_letters(lo, hi, t_start, t_end):
    """Letters and digits of the tokens ``lo`` to ``hi`` of one article."""
    total = 0
    reached = 0
    for t in range(lo, hi):
        begin = max(t_start[t], reached)
        if t_end[t] > begin:
            total += t_end[t] - begin
            reached = t_end[t]
    return total
