"""Letters, words and information in token spans."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS
from dedup.kernels.vocabulary import span_letters


@kernel
def letters_of_spans(lo, hi, t_start, t_length):
    """Letters and digits in each token span (int64)."""
    out = np.empty(len(lo), np.int64)
    for i in range(len(lo)):
        out[i] = span_letters(lo[i], hi[i], t_start, t_length)
    return out


@kernel
def letters_outside(d_passage, p_letters, of_passage, suspect):
    """Letters and digits of each article (int64) in passages that are not suspected.

    ``p_letters`` (int32, passages): those of each; ``of_passage`` (int32, passages): the shared
    passage that each is, or -1; ``suspect`` (bool): by shared passage, the last one for those that
    are none.
    """
    out = np.zeros(len(d_passage) - 1, np.int64)
    for d in range(len(out)):
        for p in range(d_passage[d], d_passage[d + 1]):
            if not suspect[of_passage[p]]:
                out[d] += p_letters[p]
    return out


@kernel
def union_letters(owner, lo, hi, order, owners, t_start, t_length):
    """Letters in the union of the token spans of each owner (int64, owners).

    ``order`` sorts the spans by (owner, lo). Tokens that overlap count each character once.
    """
    out = np.zeros(owners, np.int64)
    current = np.int64(-1)
    token = np.int64(0)
    reached = 0
    for k in range(len(order)):
        i = order[k]
        if owner[i] != current:
            current = owner[i]
            token = lo[i]
            reached = 0
        for t in range(max(lo[i], token), hi[i]):
            end = t_start[t] + t_length[t]
            begin = max(t_start[t], reached)
            if end > begin:
                out[current] += end - begin
                reached = end
        token = max(token, hi[i])
    return out


@kernel
def content_of_articles(chosen, d_passage, p_token, t_word, v_bits):
    """Content words (int64) and information (float64, bits) of the ``chosen`` articles (bool),
    repeats counted; 0 for the others."""
    articles = len(d_passage) - 1
    content = np.zeros(articles, np.int64)
    information = np.zeros(articles, np.float64)
    for d in range(articles):
        if not chosen[d]:
            continue
        quarters = 0
        for t in range(p_token[d_passage[d]], p_token[d_passage[d + 1]]):
            bits = v_bits[t_word[t]]
            if bits & CONTENT:
                content[d] += 1
                quarters += bits & QUARTERS
        information[d] = quarters / 4.0
    return content, information


@kernel
def content_of_spans(lo, hi, t_word, v_bits):
    """Content words (int64) in each token span, and the information (float64, bits) of all its
    words, common ones included; repeats counted."""
    content = np.zeros(len(lo), np.int64)
    information = np.zeros(len(lo), np.float64)
    for i in range(len(lo)):
        quarters = 0
        for t in range(lo[i], hi[i]):
            bits = v_bits[t_word[t]]
            quarters += bits & QUARTERS
            if bits & CONTENT:
                content[i] += 1
        information[i] = quarters / 4.0
    return content, information
