"""The words of two articles side by side: equal words, weights, and the similarity of spans.

Equality of words is decided on the text, never by a hash.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS
from dedup.kernels.vocabulary import same_word


@kernel
def grown(array, size):
    """A copy of a one- or two-dimensional array's data with room for ``size`` items."""
    out = np.empty(size, array.dtype)
    out[: len(array)] = array
    return out


@kernel
def index_words(first, count, w_hash, size, slot):
    """Hash table from word hash to local word + 1 of one article, in ``slot[:size]``."""
    mask = np.uint64(size - 1)
    slot[:size] = 0
    for w in range(count):
        h = w_hash[first + w]
        j = (h ^ (h >> np.uint64(29))) & mask
        while slot[j] != 0:
            j = (j + np.uint64(1)) & mask
        slot[j] = w + 1


@kernel
def table_size(count):
    """Slots of a hash table for ``count`` words: a power of two, at most half full."""
    size = 64
    while size < 2 * count:
        size *= 2
    return size


@kernel
def map_words(a, b, size, slot, to_a, data, d_byte, d_word, w_hash, w_byte, w_chars, kind, fold):
    """For each word of ``b`` the same word of ``a``, or -1; equality is checked on the text."""
    mask = np.uint64(size - 1)
    first_a = d_word[a]
    first_b = d_word[b]
    for w in range(d_word[b + 1] - first_b):
        h = w_hash[first_b + w]
        j = (h ^ (h >> np.uint64(29))) & mask
        to_a[w] = -1
        while slot[j] != 0:
            v = slot[j] - 1
            if w_hash[first_a + v] == h and same_word(
                data,
                d_byte[a] + w_byte[first_a + v],
                w_chars[first_a + v],
                d_byte[b] + w_byte[first_b + w],
                w_chars[first_b + w],
                kind,
                fold,
            ):
                to_a[w] = v
                break
            j = (j + np.uint64(1)) & mask


@kernel
def bag_passages(lo, hi, p_token, t_word, count, stamp, bag_start, bag_word, bag_tf):
    """Distinct words and their counts of passages ``lo`` to ``hi``; returns how many in all."""
    n = 0
    stamp[:count] = -1
    for p in range(lo, hi):
        bag_start[p - lo] = n
        first = n
        for t in range(p_token[p], p_token[p + 1]):
            w = t_word[t]
            if stamp[w] >= first:
                bag_tf[stamp[w]] += 1
            else:
                stamp[w] = n
                bag_word[n] = w
                bag_tf[n] = 1
                n += 1
    bag_start[hi - lo] = n
    return n


@kernel
def logarithms(passages):
    """``ln(1 + n)`` for n up to ``passages`` (float64)."""
    out = np.empty(passages + 1, np.float64)
    for n in range(passages + 1):
        out[n] = np.log(1.0 + n)
    return out


@kernel
def weigh(a, b, to_a, passages, d_word, w_passages, logs, held, weight_a, weight_b):
    """ISF weights of both articles' words; a shared word counts the passages of both.

    Smoothed as in scikit-learn: ``ln((1 + N) / (1 + n)) + 1``. ``held`` is scratch (int64).
    """
    first_a = d_word[a]
    first_b = d_word[b]
    top = logs[passages] + 1.0
    for v in range(d_word[a + 1] - first_a):
        held[v] = w_passages[first_a + v]
    for w in range(d_word[b + 1] - first_b):
        if to_a[w] >= 0:
            held[to_a[w]] += w_passages[first_b + w]
        else:
            weight_b[w] = top - logs[w_passages[first_b + w]]
    for v in range(d_word[a + 1] - first_a):
        weight_a[v] = top - logs[held[v]]
    for w in range(d_word[b + 1] - first_b):
        if to_a[w] >= 0:
            weight_b[w] = weight_a[to_a[w]]


@kernel
def span_cosine(
    a_lo, a_hi, b_lo, b_hi, t_word, to_a, weight_a, weight_b, count_a, count_b, w_bits, first_a
):
    """Cosine of two token spans' TF-ISF vectors and the bits of the content words they share.

    ``count_a`` and ``count_b`` are zeroed scratch (int32, words) and are left zeroed.
    """
    for t in range(a_lo, a_hi):
        count_a[t_word[t]] += 1
    for t in range(b_lo, b_hi):
        count_b[t_word[t]] += 1
    norm_a = 0.0
    norm_b = 0.0
    dot = 0.0
    shared = 0
    for t in range(b_lo, b_hi):
        w = t_word[t]
        n = count_b[w]
        if n > 0:
            x = n * weight_b[w]
            norm_b += x * x
            v = to_a[w]
            if v >= 0 and count_a[v] > 0:
                dot += x * count_a[v] * weight_a[v]
                if w_bits[first_a + v] & CONTENT:
                    shared += w_bits[first_a + v] & QUARTERS
            count_b[w] = 0
    for t in range(a_lo, a_hi):
        v = t_word[t]
        n = count_a[v]
        if n > 0:
            x = n * weight_a[v]
            norm_a += x * x
            count_a[v] = 0
    if norm_a == 0.0 or norm_b == 0.0:
        return 0.0, 0.0
    return min(1.0, dot / np.sqrt(norm_a * norm_b)), shared / 4.0
