"""Similarity of given spans, taken again where a match was cut."""

from __future__ import annotations

import numpy as np

from dedup.kernels.comparison import (
    index_words,
    logarithms,
    map_words,
    span_cosine,
    table_size,
    weigh,
)
from dedup.kernels.jit import kernel


@kernel
def span_similarities(
    pair_a,
    pair_b,
    m_pair,
    m_a0,
    m_a1,
    m_b0,
    m_b1,
    data,
    d_byte,
    d_passage,
    t_word,
    d_word,
    w_hash,
    w_passages,
    w_byte,
    w_chars,
    w_bits,
    kind,
    fold,
):
    """Similarity (float64) and shared bits of given token spans; ``m_pair`` ascending."""
    most = 1
    for x in range(len(pair_a)):
        for d in (pair_a[x], pair_b[x]):
            most = max(most, d_word[d + 1] - d_word[d])
    slot = np.zeros(table_size(most), np.int32)
    to_a = np.empty(most, np.int64)
    weight_a = np.empty(most, np.float64)
    weight_b = np.empty(most, np.float64)
    count_a = np.zeros(most, np.int32)
    count_b = np.zeros(most, np.int32)
    held = np.empty(most, np.int64)
    passages = 0
    for x in range(len(pair_a)):
        for d in (pair_a[x], pair_b[x]):
            passages = max(passages, d_passage[d + 1] - d_passage[d])
    logs = logarithms(2 * passages)
    similarity = np.empty(len(m_pair), np.float64)
    bits = np.empty(len(m_pair), np.float64)
    previous = -1
    for i in range(len(m_pair)):
        x = m_pair[i]
        a = pair_a[x]
        b = pair_b[x]
        if x != previous:
            previous = x
            words_a = d_word[a + 1] - d_word[a]
            size = table_size(words_a)
            index_words(d_word[a], words_a, w_hash, size, slot)
            map_words(
                a, b, size, slot, to_a, data, d_byte, d_word, w_hash, w_byte, w_chars, kind, fold
            )
            passages = d_passage[a + 1] - d_passage[a] + d_passage[b + 1] - d_passage[b]
            weigh(a, b, to_a, passages, d_word, w_passages, logs, held, weight_a, weight_b)
        similarity[i], bits[i] = span_cosine(
            m_a0[i],
            m_a1[i],
            m_b0[i],
            m_b1[i],
            t_word,
            to_a,
            weight_a,
            weight_b,
            count_a,
            count_b,
            w_bits,
            d_word[a],
        )
    return similarity, bits
