"""What the alignment kernels share: the texts as arrays, and scratch that is allocated once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.kernels.comparison import table_size
from dedup.kernels.jit import kernel


class Texts(NamedTuple):
    """The arrays of a collection that alignment reads (see ``dedup.collection.Collection``),
    with the character tables ``kind`` and ``fold``."""

    data: np.ndarray
    d_byte: np.ndarray
    d_passage: np.ndarray
    p_token: np.ndarray
    p_key: np.ndarray
    t_word: np.ndarray
    d_word: np.ndarray
    w_hash: np.ndarray
    w_passages: np.ndarray
    w_byte: np.ndarray
    w_chars: np.ndarray
    w_bits: np.ndarray
    kind: np.ndarray
    fold: np.ndarray


class Words(NamedTuple):
    """The words of a pair of texts, by word of ``a`` unless said otherwise.

    ``slot`` hash table of ``a``; ``to_a`` the word of ``a`` for each of ``b`` or -1, ``from_a``
    the reverse; ``weight_a``, ``weight_b`` TF-ISF weights; ``count_a``, ``count_b`` (int32) and
    ``left`` (int32) are zeroed between uses; ``stamp`` scratch.
    """

    slot: np.ndarray
    to_a: np.ndarray
    from_a: np.ndarray
    weight_a: np.ndarray
    weight_b: np.ndarray
    count_a: np.ndarray
    count_b: np.ndarray
    left: np.ndarray
    stamp: np.ndarray


class Bags(NamedTuple):
    """Distinct words and counts of both texts' passages, and the postings of ``a``'s words."""

    a_start: np.ndarray
    a_word: np.ndarray
    a_tf: np.ndarray
    b_start: np.ndarray
    b_word: np.ndarray
    b_tf: np.ndarray
    post_start: np.ndarray
    post_passage: np.ndarray
    key_slot: np.ndarray


class Passages(NamedTuple):
    """Per passage: sums over foreign matter (see ``seeds.foreign``), information held, and what
    the search for seeds keeps. ``acc`` is zeroed between uses."""

    foreign_a: np.ndarray
    foreign_b: np.ndarray
    total_a: np.ndarray
    total_b: np.ndarray
    held: np.ndarray
    norm_a: np.ndarray
    sum_a: np.ndarray
    best_of_a: np.ndarray
    acc: np.ndarray
    touched: np.ndarray
    place: np.ndarray
    likeness: np.ndarray


class Seeds(NamedTuple):
    """Pairs of like passages: ``a``, ``b`` (places in their texts), ``value`` (what ranks them),
    ``cosine``, ``strong`` (uint8: may begin a match); ``parent``, ``label`` and ``box`` (int64, 4)
    of clusters, ``match`` the number of the match a seed belongs to, or -1."""

    a: np.ndarray
    b: np.ndarray
    value: np.ndarray
    cosine: np.ndarray
    strong: np.ndarray
    parent: np.ndarray
    label: np.ndarray
    match: np.ndarray
    box: np.ndarray


class Spans(NamedTuple):
    """The matches of one pair: token spans (int64, (n, 4): a0, a1, b0, b1), ``similarity``,
    ``bits``, ``ratio`` (log-likelihood, nats), ``form`` (uint8: PLAIN, SUMMARY_A, SUMMARY_B,
    GONE) and ``number`` (its place in the output, or -1)."""

    at: np.ndarray
    similarity: np.ndarray
    bits: np.ndarray
    ratio: np.ndarray
    form: np.ndarray
    number: np.ndarray


class Tokens(NamedTuple):
    """Per token: ``flags``, ``used`` (uint8), ``cover_a``, ``cover_b`` (int32, zeroed between
    uses), and ``table`` (int64, zeroed between uses), a hash set of word pairs."""

    flags: np.ndarray
    used: np.ndarray
    cover_a: np.ndarray
    cover_b: np.ndarray
    table: np.ndarray


@kernel
def make_words(most_words):
    """Room for texts of ``most_words`` distinct words."""
    return Words(
        np.zeros(table_size(most_words), np.int32),
        np.empty(most_words, np.int64),
        np.empty(most_words, np.int64),
        np.empty(most_words, np.float64),
        np.empty(most_words, np.float64),
        np.zeros(most_words, np.int32),
        np.zeros(most_words, np.int32),
        np.zeros(most_words, np.int32),
        np.empty(most_words, np.int64),
    )


@kernel
def make_bags(most_words, most_tokens, most_passages):
    """Room for texts of so many distinct words, tokens and passages."""
    return Bags(
        np.empty(most_passages + 1, np.int64),
        np.empty(most_tokens, np.int32),
        np.empty(most_tokens, np.int32),
        np.empty(most_passages + 1, np.int64),
        np.empty(most_tokens, np.int32),
        np.empty(most_tokens, np.int32),
        np.empty(most_words + 2, np.int64),
        np.empty(most_tokens, np.int32),
        np.zeros(table_size(most_passages), np.int64),
    )


@kernel
def make_passages(most_passages):
    """Room for texts of so many passages."""
    return Passages(
        np.empty(most_passages + 1, np.int64),
        np.empty(most_passages + 1, np.int64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.float64),
        np.empty(most_passages, np.float64),
        np.empty(most_passages, np.float64),
        np.zeros(most_passages, np.int64),
        np.empty(most_passages, np.int64),
        np.full(most_passages, -1, np.int64),
        np.empty(most_passages, np.float64),
    )


@kernel
def make_seeds(most_seeds):
    """Room for so many seeds."""
    return Seeds(
        np.empty(most_seeds, np.int64),
        np.empty(most_seeds, np.int64),
        np.empty(most_seeds, np.float64),
        np.empty(most_seeds, np.float64),
        np.empty(most_seeds, np.uint8),
        np.empty(most_seeds, np.int64),
        np.empty(most_seeds, np.int64),
        np.empty(most_seeds, np.int64),
        np.empty((most_seeds, 4), np.int64),
    )


@kernel
def make_spans(most):
    """Room for so many matches of one pair."""
    return Spans(
        np.empty((most, 4), np.int64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.uint8),
        np.empty(most, np.int64),
    )


@kernel
def make_tokens(most_tokens, window):
    """Room for texts of so many tokens, ``window`` looked at beyond a core."""
    return Tokens(
        np.empty(most_tokens + 2 * window, np.uint8),
        np.empty(window, np.uint8),
        np.zeros(most_tokens, np.int32),
        np.zeros(most_tokens, np.int32),
        np.zeros(table_size(most_tokens), np.int64),
    )
