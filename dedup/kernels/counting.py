"""Counting words over the whole corpus: integer counters behind the TF-IDF weights."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel


@kernel
def document_frequencies(d_word, w_word, copies, words):
    """Articles (int64, words) that hold each word of the vocabulary.

    ``d_word`` (int64, nodes + 1), ``w_word``: the distinct words of each text; ``copies`` (int64,
    nodes) weighs it by the articles that have it.
    """
    out = np.zeros(words, np.int64)
    for d in range(len(d_word) - 1):
        for i in range(d_word[d], d_word[d + 1]):
            out[w_word[i]] += copies[d]
    return out
