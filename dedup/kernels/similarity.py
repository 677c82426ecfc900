"""Similarity of given spans: of a match as it is found, and again where one was cut."""

from __future__ import annotations

from dedup.kernels.comparison import SIDE_A, SIDE_B, load, span_cosine, unload
from dedup.kernels.jit import leaf


@leaf
def span_likeness(a0, a1, b0, b1, passages, texts, words, logs):
    """Similarity and shared bits of two token spans; both texts are loaded into ``words`` and
    have ``passages`` in all."""
    return span_cosine(
        a0,
        a1,
        b0,
        b1,
        texts.t_word,
        words.held,
        logs,
        passages,
        words.count_a,
        words.count_b,
        texts.v_bits,
    )


@leaf
def span_similarities(
    pair_a, pair_b, m_pair, m_a0, m_a1, m_b0, m_b1, texts, words, logs, similarity, bits
):
    """``similarity`` and shared ``bits`` (both float64) of given token spans; ``m_pair`` ascending.

    ``logs``: see ``comparison.logarithms``, up to all passages of a pair.
    """
    d_passage = texts.d_passage
    i = 0
    while i < len(m_pair):
        a = pair_a[m_pair[i]]
        b = pair_b[m_pair[i]]
        load(a, SIDE_A, texts.d_word, texts.w_word, texts.w_passages, words.held)
        load(b, SIDE_B, texts.d_word, texts.w_word, texts.w_passages, words.held)
        passages = d_passage[a + 1] - d_passage[a] + d_passage[b + 1] - d_passage[b]
        pair = m_pair[i]
        while i < len(m_pair) and m_pair[i] == pair:
            similarity[i], bits[i] = span_likeness(
                m_a0[i], m_a1[i], m_b0[i], m_b1[i], passages, texts, words, logs
            )
            i += 1
        unload(a, SIDE_A, texts.d_word, texts.w_word, words.held)
        unload(b, SIDE_B, texts.d_word, texts.w_word, words.held)
