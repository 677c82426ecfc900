"""Counting words over the whole corpus: integer counters behind the TF-IDF weights."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel


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
        h = vocabulary[i]
        j = (h ^ (h >> np.uint64(29))) & mask
        while slot[j] != 0:
            j = (j + np.uint64(1)) & mask
        slot[j] = i + 1
    out = np.zeros(len(vocabulary), np.int64)
    for d in range(len(d_word) - 1):
        for w in range(d_word[d], d_word[d + 1]):
            h = w_hash[w]
            j = (h ^ (h >> np.uint64(29))) & mask
            while slot[j] != 0:
                if vocabulary[slot[j] - 1] == h:
                    out[slot[j] - 1] += copies[d]
                    break
                j = (j + np.uint64(1)) & mask
    return out
