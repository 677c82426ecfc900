"""Counting words over the whole corpus: integer counters behind the TF-IDF weights."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel


@kernel
def _home(h, mask):
    """Slot of an open-addressing table of ``mask + 1`` slots where the search for ``h`` begins."""
    return (h ^ (h >> np.uint64(29))) & mask


@kernel
def distinct_words(lo, hi, node, t_word, d_word, w_hash):
    """The distinct words (uint64 hashes, in no order) of the token spans of articles ``node``."""
    size = np.int64(1024)
    mask = np.uint64(size - 1)
    slot = np.zeros(size, np.int64)
    found = np.empty(size, np.uint64)
    count = 0
    for i in range(len(lo)):
        first = d_word[node[i]]
        for t in range(lo[i], hi[i]):
            h = w_hash[first + t_word[t]]
            j = _home(h, mask)
            while slot[j] != 0 and found[slot[j] - 1] != h:
                j = (j + np.uint64(1)) & mask
            if slot[j] != 0:
                continue
            found[count] = h
            count += 1
            slot[j] = count
            if 2 * count > size:
                size *= 2
                mask = np.uint64(size - 1)
                slot = np.zeros(size, np.int64)
                grown = np.empty(size, np.uint64)
                grown[:count] = found[:count]
                found = grown
                for k in range(count):
                    j = _home(found[k], mask)
                    while slot[j] != 0:
                        j = (j + np.uint64(1)) & mask
                    slot[j] = k + 1
    return found[:count].copy()


@kernel
def number_words(vocabulary, lo, hi, node, t_word, d_word, w_hash, out):
    """Write to ``out`` int64 the place in ``vocabulary`` of every token of the spans, in order.

    Every one of these words must be in ``vocabulary`` (distinct uint64 hashes).
    """
    size = 64
    while size < 2 * len(vocabulary):
        size *= 2
    mask = np.uint64(size - 1)
    slot = np.zeros(size, np.int64)
    for i in range(len(vocabulary)):
        j = _home(vocabulary[i], mask)
        while slot[j] != 0:
            j = (j + np.uint64(1)) & mask
        slot[j] = i + 1
    place = 0
    for i in range(len(lo)):
        first = d_word[node[i]]
        for t in range(lo[i], hi[i]):
            h = w_hash[first + t_word[t]]
            j = _home(h, mask)
            while vocabulary[slot[j] - 1] != h:
                j = (j + np.uint64(1)) & mask
            out[place] = slot[j] - 1
            place += 1


@kernel
def document_frequencies(vocabulary, d_word, w_hash, copies):
    """Articles (int64) that hold each word of ``vocabulary`` (distinct uint64 hashes).

    ``copies`` (int64, nodes) weighs each distinct text by the articles that have it.
    """
    size = 64
    while size < 2 * len(vocabulary):
        size *= 2
    mask = np.uint64(size - 1)
    slot = np.zeros(size, np.int64)
    for i in range(len(vocabulary)):
        j = _home(vocabulary[i], mask)
        while slot[j] != 0:
            j = (j + np.uint64(1)) & mask
        slot[j] = i + 1
    out = np.zeros(len(vocabulary), np.int64)
    for d in range(len(d_word) - 1):
        for w in range(d_word[d], d_word[d + 1]):
            h = w_hash[w]
            j = _home(h, mask)
            while slot[j] != 0:
                if vocabulary[slot[j] - 1] == h:
                    out[slot[j] - 1] += copies[d]
                    break
                j = (j + np.uint64(1)) & mask
    return out
