"""Similarity of given spans: of a match as it is found, and again where one was cut."""

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
from dedup.kernels.workspace import make_words


@kernel
def span_likeness(a0, a1, b0, b1, a, texts, words):
    """Similarity and shared bits of two token spans, words and weights of the pair being set."""
    return span_cosine(
        a0,
        a1,
        b0,
        b1,
        texts.t_word,
        words.to_a,
        words.weight_a,
        words.weight_b,
        words.count_a,
        words.count_b,
        texts.w_bits,
        texts.d_word[a],
    )


@kernel
def span_similarities(pair_a, pair_b, m_pair, m_a0, m_a1, m_b0, m_b1, texts):
    """Similarity (float64) and shared bits of given token spans; ``m_pair`` ascending."""
    d_passage = texts.d_passage
    d_word = texts.d_word
    most = 1
    passages = 0
    for x in range(len(pair_a)):
        for d in (pair_a[x], pair_b[x]):
            most = max(most, d_word[d + 1] - d_word[d])
            passages = max(passages, d_passage[d + 1] - d_passage[d])
    words = make_words(most)
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
            index_words(d_word[a], words_a, texts.w_hash, size, words.slot)
            map_words(
                a,
                b,
                size,
                words.slot,
                words.to_a,
                texts.data,
                texts.d_byte,
                d_word,
                texts.w_hash,
                texts.w_byte,
                texts.w_chars,
                texts.kind,
                texts.fold,
            )
            weigh(
                a,
                b,
                words.to_a,
                d_passage[a + 1] - d_passage[a] + d_passage[b + 1] - d_passage[b],
                d_word,
                texts.w_passages,
                logs,
                words.stamp,
                words.weight_a,
                words.weight_b,
            )
        similarity[i], bits[i] = span_likeness(m_a0[i], m_a1[i], m_b0[i], m_b1[i], a, texts, words)
    return similarity, bits
