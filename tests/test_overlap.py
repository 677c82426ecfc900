"""Shared content words of passages against Python's sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.kernels import overlap
from dedup.kernels.minhash import CONTENT, QUARTERS

WORDS = 40


def hash_of(word: int) -> int:
    return (word + 1) * 0x9E3779B97F4A7C15 % 2**64


BITS = [(word * 7 % 60 + 8) | (int(CONTENT) if word % 4 else 0) for word in range(WORDS)]

PASSAGES = st.lists(st.lists(st.integers(0, WORDS - 1), max_size=14), min_size=1, max_size=12)


def packed(texts: list[list[list[int]]]):
    """Arrays of a collection: each text has words of its own, in order of first occurrence."""
    article, token, t_word, d_word, vocabulary = [], [0], [], [0], []
    for d, passages in enumerate(texts):
        own = list(dict.fromkeys(w for passage in passages for w in passage))
        for passage in passages:
            article.append(d)
            t_word += [own.index(w) for w in passage]
            token.append(len(t_word))
        vocabulary += own
        d_word.append(len(vocabulary))
    return (
        np.array(article, np.int32),
        np.array(token, np.int64),
        np.array(t_word, np.int32),
        np.array(d_word, np.int64),
        np.array([hash_of(w) for w in vocabulary], np.uint64),
        np.array([BITS[w] for w in vocabulary], np.uint8),
    )


def content_sets(texts: list[list[list[int]]], chosen: np.ndarray):
    arrays = packed(texts)
    room = len(arrays[2]) * (len(chosen) + 1)
    start = np.empty(len(chosen) + 1, np.int64)
    words, bits = np.empty(room, np.uint32), np.empty(room, np.uint8)
    n = overlap.content_sets(chosen, *arrays, start, words, bits)
    total = np.empty(len(chosen), np.int32)
    overlap.totals(start, bits, total)
    return start, words[:n], bits[:n], total


def expected_set(passage: list[int]) -> dict[int, int]:
    """Content words by their folded hashes, with quarters of a bit."""
    return {
        (hash_of(w) ^ (hash_of(w) >> 32)) % 2**32: BITS[w] & int(QUARTERS)
        for w in passage
        if BITS[w] & int(CONTENT)
    }


@given(st.lists(PASSAGES, min_size=1, max_size=4), st.data())
@hypothesis_settings(max_examples=150)
def test_sets_and_totals(texts, data):
    passages = [p for text in texts for p in text]
    chosen = np.array(data.draw(st.lists(st.integers(0, len(passages) - 1), max_size=8)), np.int64)
    start, words, bits, total = content_sets(texts, chosen)
    assert start[0] == 0
    assert start[-1] == len(words)
    for i, p in enumerate(chosen):
        part = slice(start[i], start[i + 1])
        expected = expected_set(passages[p])
        assert words[part].tolist() == sorted(expected)
        assert dict(zip(words[part].tolist(), bits[part].tolist(), strict=True)) == expected
        assert total[i] == sum(expected.values())


@given(
    st.lists(PASSAGES, min_size=1, max_size=4),
    st.floats(0, 200),
    st.floats(0, 1),
    st.floats(0, 1),
)
@hypothesis_settings(max_examples=150)
def test_what_two_passages_share(texts, least, dice, inside):
    passages = [p for text in texts for p in text]
    start, words, bits, total = content_sets(texts, np.arange(len(passages)))
    u, v = (x.ravel().astype(np.int64) for x in np.indices((len(passages), len(passages))))
    out = np.full(len(u), -1, np.int32)
    overlap.overlaps(u, v, start, words, bits, total, least, dice, inside, out)
    for i, j, found in zip(u, v, out, strict=True):
        one, two = expected_set(passages[i]), expected_set(passages[j])
        shared = sum(one[w] for w in one.keys() & two.keys())
        a, b = sum(one.values()), sum(two.values())
        alike = 2 * shared >= dice * (a + b) or shared >= inside * min(a, b)
        assert found == (shared if shared >= least and alike else 0)


@pytest.mark.parametrize(
    ("dice", "inside", "found"), [(0.5, 2.0, True), (0.51, 2.0, False), (0.51, 1.0, True)]
)
def test_containment_is_a_second_way(dice, inside, found):
    """A passage that is a third of another: Dice .5, and all of the lesser one."""
    start = np.array([0, 1, 4], np.int64)
    words = np.array([7, 3, 7, 9], np.uint32)
    bits = np.full(4, 20, np.uint8)
    total = np.array([20, 60], np.int32)
    out = np.empty(1, np.int32)
    u, v = np.array([0]), np.array([1])
    overlap.overlaps(u, v, start, words, bits, total, 0.0, dice, inside, out)
    assert bool(out[0]) is found
