"""What the alignment kernels share: the texts as arrays, and scratch that is allocated once.

It is allocated outside of the kernels, which then compile in half the time: numba writes the
counting of references around every use of an array that a kernel may have made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.kernels.comparison import logarithms, table_size
from dedup.kernels.edges import LONG, WINDOW
from dedup.kernels.seeds import SEEDS_PER_PASSAGE


class Texts(NamedTuple):
    """The arrays of a collection that alignment reads (see ``dedup.collection.Collection``)."""

    d_passage: np.ndarray
    d_word: np.ndarray
    p_token: np.ndarray
    p_content: np.ndarray
    p_key: np.ndarray
    p_information: np.ndarray
    t_word: np.ndarray
    w_word: np.ndarray
    w_passages: np.ndarray
    c_word: np.ndarray
    v_bits: np.ndarray


def no_texts() -> Texts:
    """Texts without a word: their types are all that compiling needs."""
    return Texts(
        d_passage=np.zeros(1, np.int64),
        d_word=np.zeros(1, np.int64),
        p_token=np.zeros(1, np.int64),
        p_content=np.zeros(1, np.int64),
        p_key=np.empty(0, np.uint64),
        p_information=np.empty(0, np.float32),
        t_word=np.empty(0, np.uint32),
        w_word=np.empty(0, np.uint32),
        w_passages=np.empty(0, np.uint16),
        c_word=np.empty(0, np.uint32),
        v_bits=np.empty(0, np.uint8),
    )


class Words(NamedTuple):
    """Scratch over the whole vocabulary, zeroed between uses.

    ``held`` (int32, (words, 2)): passages of either text of a pair that hold a word; ``place``
    (int32): number of a content word of ``a``, from 1 on; ``count_a``, ``count_b``
    (int32): counters; ``left`` (int32): what the other side has left of a word, from
    ``edges.PRESENT`` on where it has it at all.
    """

    held: np.ndarray
    place: np.ndarray
    count_a: np.ndarray
    count_b: np.ndarray
    left: np.ndarray


class Bags(NamedTuple):
    """What is kept of text ``a`` from pair to pair.

    ``size`` (int64, -1 while unknown), ``word`` and ``times`` (int32): distinct words of its
    passages, each from the place of the passage's first token on. ``own`` (int32): its content
    words by their numbers; ``start`` (int64) and ``passage`` (int32): the passages that hold
    each. ``key_slot``: table of its passages' keys. ``b_word``, ``b_times``: one passage of ``b``.
    """

    size: np.ndarray
    word: np.ndarray
    times: np.ndarray
    own: np.ndarray
    start: np.ndarray
    passage: np.ndarray
    key_slot: np.ndarray
    b_word: np.ndarray
    b_times: np.ndarray


class Passages(NamedTuple):
    """Per passage: what the search for seeds keeps, and foreign matter (see ``seeds.foreign``).

    ``acc`` is zeroed, ``place`` set to -1 between uses. ``shared`` (int32): content words of one
    passage of ``b`` that ``a`` has. ``places``, ``sizes``, ``order``, ``spare``: of one summary.
    """

    foreign_a: np.ndarray
    foreign_b: np.ndarray
    norm_a: np.ndarray
    sum_a: np.ndarray
    best_of_a: np.ndarray
    acc: np.ndarray
    touched: np.ndarray
    shared: np.ndarray
    place: np.ndarray
    likeness: np.ndarray
    places: np.ndarray
    sizes: np.ndarray
    order: np.ndarray
    spare: np.ndarray


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
    GONE) and ``number`` (its place in the output, or -1); ``strength`` (float64), ``order`` and
    ``spare`` (int64) to rank them."""

    at: np.ndarray
    similarity: np.ndarray
    bits: np.ndarray
    ratio: np.ndarray
    form: np.ndarray
    number: np.ndarray
    strength: np.ndarray
    order: np.ndarray
    spare: np.ndarray


class Runs(NamedTuple):
    """Long runs of one text that stand in another, too: ``begin`` (int64 token), ``shortness``
    (int64, its length less one, negative), ``order`` and ``spare`` (int64) to rank them."""

    begin: np.ndarray
    shortness: np.ndarray
    order: np.ndarray
    spare: np.ndarray


class Tokens(NamedTuple):
    """Per token: ``flags``, ``used`` (uint8), ``cover_a``, ``cover_b`` (int32, zeroed between
    uses), and ``table`` (int64, zeroed between uses), a hash set of word pairs; ``runs`` of them;
    ``rates`` (float64, (4, 8)): see ``edges.refine``."""

    flags: np.ndarray
    used: np.ndarray
    cover_a: np.ndarray
    cover_b: np.ndarray
    table: np.ndarray
    runs: Runs
    rates: np.ndarray


def make_words(words: int) -> Words:
    """Room for a vocabulary of ``words``."""
    return Words(
        np.zeros((words, 2), np.int32),
        np.zeros(words, np.int32),
        np.zeros(words, np.int32),
        np.zeros(words, np.int32),
        np.zeros(words, np.int32),
    )


def make_bags(most_tokens: int, most_passages: int) -> Bags:
    """Room for texts of so many tokens and passages."""
    return Bags(
        np.empty(most_passages, np.int64),
        np.empty(most_tokens, np.int32),
        np.empty(most_tokens, np.int32),
        np.empty(most_tokens + 1, np.int32),
        np.empty(most_tokens + 2, np.int64),
        np.empty(most_tokens, np.int32),
        np.zeros(table_size(most_passages), np.int64),
        np.empty(most_tokens, np.int32),
        np.empty(most_tokens, np.int32),
    )


def make_passages(most_passages: int, most_tokens: int) -> Passages:
    """Room for texts of so many passages and tokens."""
    return Passages(
        np.empty(most_passages + 1, np.int64),
        np.empty(most_passages + 1, np.int64),
        np.empty(most_passages, np.float64),
        np.empty(most_passages, np.float64),
        np.empty(most_passages, np.float64),
        np.zeros(most_passages, np.int64),
        np.empty(most_passages + 1, np.int64),  # one is written before it is known to count
        np.empty(most_tokens, np.int32),
        np.full(most_passages, -1, np.int64),
        np.empty(most_passages, np.float64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.int64),
        np.empty(most_passages, np.int64),
    )


def make_seeds(most_seeds: int) -> Seeds:
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


def make_spans(most: int) -> Spans:
    """Room for so many matches of one pair."""
    return Spans(
        np.empty((most, 4), np.int64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.uint8),
        np.empty(most, np.int64),
        np.empty(most, np.float64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
    )


def make_tokens(most_tokens: int, window: int) -> Tokens:
    """Room for texts of so many tokens, ``window`` looked at beyond a core."""
    most_runs = most_tokens // (LONG + 1) + 1
    return Tokens(
        np.empty(most_tokens + 2 * window, np.uint8),
        np.empty(window, np.uint8),
        np.zeros(most_tokens, np.int32),
        np.zeros(most_tokens, np.int32),
        np.zeros(table_size(most_tokens), np.int64),
        Runs(
            np.empty(most_runs, np.int64),
            np.empty(most_runs, np.int64),
            np.empty(most_runs, np.int64),
            np.empty(most_runs, np.int64),
        ),
        np.empty((4, 8), np.float64),
    )


class Room(NamedTuple):
    """All scratch of a pair; ``logs``: see ``comparison.logarithms``."""

    bags: Bags
    passages: Passages
    seeds: Seeds
    spans: Spans
    tokens: Tokens
    logs: np.ndarray


def make_room(most_tokens: int, most_passages: int) -> Room:
    """Room for pairs of texts of so many tokens and passages each."""
    logs = np.empty(2 * most_passages + 1, np.float64)
    logarithms(logs)
    return Room(
        make_bags(most_tokens, most_passages),
        make_passages(most_passages, most_tokens),
        make_seeds(most_passages * SEEDS_PER_PASSAGE),
        make_spans(most_passages * (SEEDS_PER_PASSAGE + 2)),
        make_tokens(most_tokens, WINDOW),
        logs,
    )


class Found(NamedTuple):
    """What an alignment finds. ``match`` (int64, (n, 5)): pair and token spans a0, a1, b0, b1;
    ``value`` (float64, (n, 2)): similarity and shared bits. ``link`` (int64, (n, 3)), the passages
    that carry a match: its number and both passages; ``cosine`` (float32) of these.

    ``cut`` (int64, 3) counts what limits left out: words looked up near the last seed only, seeds
    beyond SEEDS_PER_PASSAGE, seeds joined to the LOOK_BACK before them only.
    """

    match: np.ndarray
    value: np.ndarray
    link: np.ndarray
    cosine: np.ndarray
    cut: np.ndarray


def make_found(room: Room) -> Found:
    """Room for what some thousand pairs have in common, and for all that any one pair can."""
    matches = len(room.spans.form) + 4096
    links = len(room.seeds.a) + 16384
    return Found(
        np.empty((matches, 5), np.int64),
        np.empty((matches, 2), np.float64),
        np.empty((links, 3), np.int64),
        np.empty(links, np.float32),
        np.zeros(3, np.int64),
    )
