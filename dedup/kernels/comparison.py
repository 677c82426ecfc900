"""Two texts side by side: which words each has, their weights, and the similarity of spans."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import leaf
from dedup.kernels.minhash import CONTENT, QUARTERS

# numba compiles a function anew for each constant that it is called with, unless it has a type.
SIDE_A = np.int64(0)
SIDE_B = np.int64(1)


@leaf
def table_size(count):
    """Slots of a hash table for ``count`` items: a power of two, at most half full."""
    size = 64
    while size < 2 * count:
        size *= 2
    return size


@leaf
def logarithms(out):
    """Fill ``out`` (float64) with ``ln(1 + n)`` for n from 0 on."""
    for n in range(len(out)):
        out[n] = np.log(1.0 + n)


@leaf
def load(text, side, d_word, w_word, w_passages, held):
    """Note in ``held[:, side]`` how many passages of a text hold each of its words."""
    for i in range(d_word[text], d_word[text + 1]):
        held[w_word[i], side] = w_passages[i]


@leaf
def unload(text, side, d_word, w_word, held):
    """Take back what ``load`` noted."""
    for i in range(d_word[text], d_word[text + 1]):
        held[w_word[i], side] = 0


@leaf
def weight_of(word, held, logs, passages):
    """ISF weight of a word; its passages in both texts (``passages`` in all) count.

    Smoothed as in scikit-learn: ``ln((1 + N) / (1 + n)) + 1``.
    """
    return logs[passages] + 1.0 - logs[held[word, 0] + held[word, 1]]


@leaf
def bag(lo, hi, t_word, count, words, times, at):
    """Distinct words of tokens ``lo`` to ``hi`` and how often each occurs, in the order of their
    first occurrence, written from place ``at`` on; returns how many.

    ``count`` (int32, vocabulary) is zeroed scratch and is left zeroed.
    """
    n = at
    for t in range(lo, hi):
        w = t_word[t]
        if count[w] == 0:
            words[n] = w
            n += 1
        count[w] += 1
    for i in range(at, n):
        times[i] = count[words[i]]
        count[words[i]] = 0
    return n - at


@leaf
def span_cosine(a_lo, a_hi, b_lo, b_hi, t_word, held, logs, passages, count_a, count_b, v_bits):
    """Cosine of two token spans' TF-ISF vectors and the bits of the content words they share.

    ``count_a`` and ``count_b`` are zeroed scratch (int32, vocabulary) and are left zeroed.
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
            weight = weight_of(w, held, logs, passages)
            x = n * weight
            norm_b += x * x
            if count_a[w] > 0:
                dot += x * count_a[w] * weight
                if v_bits[w] & CONTENT:
                    shared += v_bits[w] & QUARTERS
            count_b[w] = 0
    for t in range(a_lo, a_hi):
        w = t_word[t]
        n = count_a[w]
        if n > 0:
            x = n * weight_of(w, held, logs, passages)
            norm_a += x * x
            count_a[w] = 0
    if norm_a == 0.0 or norm_b == 0.0:
        return 0.0, 0.0
    return min(1.0, dot / np.sqrt(norm_a * norm_b)), shared / 4.0
