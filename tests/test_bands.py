"""Banded LSH against plain Python: keys, sorting, bitmaps, and the pairs of every bucket."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.config import Settings
from dedup.kernels import bands, machine
from dedup.kernels.jit import kernel
from dedup.kernels.minhash import QUARTERS
from dedup.kernels.pairs import distinct_pairs, summed_pairs
from dedup.sketch import PERMUTATIONS, scheme

WORDS = 60
HASHES = np.array([(w + 1) * 0x9E3779B97F4A7C15 % 2**64 for w in range(WORDS)], np.uint64)
BITS = np.array([(w * 7 % 60 + 8) | 0x80 for w in range(WORDS)], np.uint8)

SETS = st.lists(st.sets(st.integers(0, WORDS - 1), max_size=14), min_size=1, max_size=14)


def quarters(words: set[int]) -> int:
    return sum(int(BITS[w] & QUARTERS) for w in words)


def packed(sets: list[set[int]]):
    """``(passage, p_content, c_word, p_information)`` of a collection of such passages."""
    start = np.append(0, np.cumsum([len(s) for s in sets])).astype(np.int64)
    words = np.array([w for s in sets for w in sorted(s)], np.int32)
    information = np.array([quarters(s) / 4 for s in sets], np.float32)
    return np.arange(len(sets)), start, words, information


def cards(passage, *arrays):
    out = np.zeros((len(passage), 4), np.uint64)
    bands.cards(passage, *arrays, out)
    return out


def joined(sets, rows, a, b, jaccard, least, dice, inside, cap=64, representatives=8):
    passage, start, words, information = packed(sets)
    mixed = bands.mixed_hashes(HASHES)
    key = np.array([hash((7, i)) % 2**64 for i in range(len(sets))], np.uint64)
    pairs, shared, full = bands.join_bands(
        passage,
        start,
        key,
        words,
        BITS,
        mixed,
        cards(passage, start, words, information, mixed),
        a,
        b,
        rows,
        jaccard,
        least,
        dice,
        inside,
        cap,
        representatives,
        np.ones(len(sets), np.uint8),
        np.zeros(len(sets), np.uint8),
        np.empty((len(sets), len(a) // rows), np.uint32),
        np.zeros((len(sets), len(a) // rows), np.uint8),
        np.empty((2, len(sets)), np.uint64),
    )
    found = {}
    for pair, bits in zip(pairs.tolist(), shared.tolist(), strict=True):
        found.setdefault((pair >> 32, pair & 0xFFFFFFFF), []).append(bits)
    return found, full, key


def alike(one: set[int], two: set[int], jaccard, least, dice, inside) -> int:
    shared, a, b = quarters(one & two), quarters(one), quarters(two)
    if shared < least or len(one & two) < jaccard * len(one | two):
        return 0
    return shared if 2 * shared >= dice * (a + b) or shared >= inside * min(a, b) else 0


def keys_of(sets, rows, a, b):
    passage, start, words, _ = packed(sets)
    out = np.empty((len(sets), len(a) // rows), np.uint32)
    bands.band_keys(passage, start, words, bands.mixed_hashes(HASHES), a, b, rows, out)
    return out


PLAN = scheme(Settings())


@given(SETS, st.integers(1, 5), st.integers(1, 12))
@hypothesis_settings(max_examples=60)
def test_keys_are_equal_where_the_minima_of_datasketch_are(sets, rows, count):
    a, b = PLAN.a[: rows * count], PLAN.b[: rows * count]
    keys = keys_of(sets, rows, a, b)
    minima = []
    for words in sets:
        m = MinHash(PERMUTATIONS, scheme="affine32", hashfunc=lambda h: h)
        for w in words:
            h = int(HASHES[w])
            m.update((h ^ (h >> 32)) & 0xFFFFFFFF)
        minima.append(m.hashvalues)
    for (i, one), (j, two) in combinations(enumerate(minima), 2):
        for band in range(count):
            part = slice(band * rows, band * rows + rows)
            assert (keys[i, band] == keys[j, band]) == bool((one[part] == two[part]).all())


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 3), max_size=200))
def test_entries_are_sorted_and_stable(keys):
    found = bands.sorted_entries(
        np.array(keys, np.uint32), np.empty((2, len(keys)), np.uint64)
    ).tolist()
    assert found == [(k << 32) | i for k, i in sorted((k, i) for i, k in enumerate(keys))]


def room(pairs, numbers):
    size = len(pairs)
    return np.empty(numbers + 1, np.int64), np.empty(size, np.uint64), np.empty(size, np.int32)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=80))
def test_pairs_are_brought_into_order_once_each(pairs):
    packed_pairs = np.array([(u << 32) | v for u, v in pairs], np.uint64)
    shared = np.array([100 * u + v for u, v in pairs], np.int32)
    n = distinct_pairs(packed_pairs, shared, *room(packed_pairs, 21))
    found, carried = packed_pairs[:n], shared[:n]
    wanted = sorted(set(pairs))
    assert found.tolist() == [(u << 32) | v for u, v in wanted]
    assert carried.tolist() == [100 * u + v for u, v in wanted]


@kernel
def ones_of(x):
    return machine.ones(x)


@given(st.integers(0, 2**64 - 1))
def test_ones_are_counted(x):
    assert ones_of(np.uint64(x)) == x.bit_count()


@given(SETS, st.floats(0, 1))
def test_a_bitmap_never_rules_out_what_is_alike(sets, jaccard):
    passage, start, words, information = packed(sets)
    card = cards(passage, start, words, information, bands.mixed_hashes(HASHES))
    for i, j in combinations(range(len(sets)), 2):
        if len(sets[i] & sets[j]) >= jaccard * len(sets[i] | sets[j]):
            assert bands.may_be_alike(i, j, card, jaccard)


@given(SETS, st.floats(0, 0.6), st.floats(0, 200), st.floats(0, 1), st.floats(0, 1))
@hypothesis_settings(max_examples=80)
def test_pairs_against_python(sets, jaccard, least, dice, inside):
    rows, count = 2, 6
    a, b = PLAN.a[: rows * count], PLAN.b[: rows * count]
    keys = keys_of(sets, rows, a, b)
    found, full, _ = joined(sets, rows, a, b, jaccard, least, dice, inside)
    wanted = {}
    for i, j in combinations(range(len(sets)), 2):
        bits = alike(sets[i], sets[j], jaccard, least, dice, inside)
        if bits and (keys[i] == keys[j]).any():
            wanted[i, j] = [bits]  # once, however many bands it shares
    assert found == wanted
    assert full == 0


@pytest.mark.parametrize("seed", range(10))
def test_a_full_bucket_is_compared_with_the_smallest_keys(seed):
    """Equal sets share every band; one apart shares none."""
    r = random.Random(seed)
    size, few = r.randint(9, 40), r.randint(1, 5)
    sets = [{1, 2, 3}] * size + [{40, 41}]
    found, full, key = joined(
        sets, 2, PLAN.a[:6], PLAN.b[:6], 0.5, 0.0, 0.5, 0.5, cap=8, representatives=few
    )
    first = sorted(range(size), key=lambda i: int(key[i]))[:few]
    assert set(found) == {(min(i, j), max(i, j)) for i in range(size) for j in first if i != j}
    assert full == 3


@pytest.mark.parametrize(
    ("dice", "inside", "found"), [(0.5, 2.0, True), (0.51, 2.0, False), (0.51, 1.0, True)]
)
def test_containment_is_a_second_way(dice, inside, found):
    """A passage that is a third of another: Dice .5, and all of the lesser one."""
    words = np.array([7, 3, 7, 9], np.int32)
    bits = np.full(WORDS, 20 | 0x80, np.uint8)
    start = np.array([0, 1, 4])
    information = np.array([5, 15], np.float32)
    card = cards(np.arange(2), start, words, information, bands.mixed_hashes(HASHES))
    shared = bands.shared_information(0, 1, card, words, bits, 0.0, 0.0, dice, inside)
    assert shared == (20 if found else 0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-5, 2**31 - 1))))
@hypothesis_settings(deadline=None)
def test_weights_of_pairs_are_summed_in_order(rows):
    pairs = np.array([(u << 32) | v for u, v, _ in rows], np.uint64)
    weights = np.array([weight for _, _, weight in rows], np.int32)
    expected: Counter[int] = Counter()
    for pair, weight in zip(pairs.tolist(), weights.tolist(), strict=True):
        expected[pair] += weight
    total = np.empty(len(pairs), np.int64)
    n = summed_pairs(pairs, weights, *room(pairs, 5), total)
    found, total = pairs[:n], total[:n]
    assert dict(zip(found.tolist(), total.tolist(), strict=True)) == expected
    assert found.tolist() == sorted(expected)
