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
from dedup.joining import lines
from dedup.kernels import bands, machine
from dedup.kernels.buckets import places_among, words_by_hash
from dedup.kernels.jit import kernel
from dedup.kernels.minhash import QUARTERS
from dedup.kernels.pairs import (
    article_pairs,
    count_article_pairs,
    distinct_pairs,
    merged_pairs,
    renamed_pairs,
    summed_pairs,
)
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


def joined(sets, rows, a, b, jaccard, least, dice, inside, cap=64, representatives=8, parts=1):
    passage, start, words, information = packed(sets)
    mixed = bands.mixed_hashes(HASHES)
    key = np.array([hash((7, i)) % 2**64 for i in range(len(sets))], np.uint64)
    keys = keys_of(sets, rows, a, b)
    ahead = np.zeros(len(sets), np.uint8)
    card = lines(len(sets))
    bands.cards(passage, start, words, information, mixed, card)
    line = card.view(np.uint32)
    line[:, bands.KEYS : bands.KEYS + keys.shape[1]] = keys
    found, full = {}, 0
    for band in range(keys.shape[1]):
        column = keys[:, band].copy()
        sizes = bands.part_sizes(column, parts)
        assert sizes.sum() == len(sets)
        for part in range(parts):
            room = np.empty((2, sizes[part] + 1), np.uint64)
            pairs, shared, capped = bands.join_band(
                band,
                bands.part_entries(column, part, parts, room),
                passage,
                key,
                words,
                BITS,
                card,
                jaccard,
                least,
                dice,
                inside,
                cap,
                representatives,
                np.ones(len(sets), np.uint8),
                True,
                np.zeros(len(sets), np.uint8),
                line,
                ahead,
            )
            full += capped
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


@given(
    *[st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, max_size=30)] * 2,
    st.permutations(range(10)),
)
def test_pairs_are_merged_and_renamed(one, two, names):
    lists = []
    for pairs in (sorted(one), sorted(two)):
        lists += [
            np.array([(u << 32) | v for u, v in pairs], np.uint64),
            np.array([10 * u + v for u, v in pairs], np.int32),
        ]
    size = len(one) + len(two)
    out, of_out = np.empty(size, np.uint64), np.empty(size, np.int32)
    n = merged_pairs(*lists, out, of_out)
    wanted = sorted({*one, *two})
    assert out[:n].tolist() == [(u << 32) | v for u, v in wanted]
    assert of_out[:n].tolist() == [10 * u + v for u, v in wanted]
    renamed_pairs(out[:n], np.array(names, np.int64))
    named = [sorted((names[u], names[v])) for u, v in wanted]
    assert out[:n].tolist() == [(u << 32) | v for u, v in named]


@given(
    st.lists(st.sets(st.integers(0, 11), max_size=6), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12),
    st.integers(1, 8),
    st.integers(1, 3),
    st.integers(0, 12),
)
@hypothesis_settings(deadline=None)
def test_portions_of_article_pairs_are_counted_before(holders, edges, cap, reps, cut):
    start = np.append(0, np.cumsum([len(h) for h in holders])).astype(np.int64)
    article = np.array([x for h in holders for x in sorted(h)], np.int32)
    edges = [(u, v) for u, v in edges if max(u, v) < len(holders)]
    pairs = np.array([(u << 32) | v for u, v in edges], np.uint64)
    eighths = np.arange(1, len(holders) + 1, dtype=np.int32)
    common = np.arange(100, 100 + len(edges), dtype=np.int32)
    counts = np.zeros(12, np.int64)
    count_article_pairs(start, article, pairs, cap, reps, counts)
    found = []
    for first, end in ((0, 12), (0, cut), (cut, 12)):
        keys = np.empty(counts[first:end].sum() + 1, np.uint64)
        weights = np.empty(len(keys), np.int32)
        n = article_pairs(
            start, article, eighths, pairs, common, cap, reps, first, end, keys, weights
        )
        assert n == counts[first:end].sum()
        found.append(sorted(zip(keys[:n].tolist(), weights[:n].tolist(), strict=True)))
    whole, before, behind = found
    assert whole == before + behind
    assert all(key >> 32 < cut for key, _ in before)
    assert all(key >> 32 < key & 0xFFFFFFFF for key, _ in whole)


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


@given(
    SETS, st.floats(0, 0.6), st.floats(0, 200), st.floats(0, 1), st.floats(0, 1), st.integers(1, 9)
)
@hypothesis_settings(max_examples=80)
def test_pairs_against_python(sets, jaccard, least, dice, inside, parts):
    rows, count = 2, 6
    a, b = PLAN.a[: rows * count], PLAN.b[: rows * count]
    keys = keys_of(sets, rows, a, b)
    found, full, _ = joined(sets, rows, a, b, jaccard, least, dice, inside, parts=parts)
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


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=60))
def test_words_that_are_known_by_hashes_get_numbers_in_their_order(hashes):
    given_ = np.array(hashes, np.uint64)
    known = np.unique(given_)
    assert places_among(given_, known).tolist() == np.searchsorted(known, given_).tolist()


@given(SETS)
def test_words_of_each_passage_in_the_order_of_their_hashes(sets):
    words = [word for some in sets for word in sorted(some)]
    start = np.cumsum([0, *map(len, sets)])
    hashes, bits = np.empty(len(words), np.uint64), np.empty(len(words), np.uint8)
    words_by_hash(start, np.array(words, np.int32), HASHES, BITS, hashes, bits)
    wanted = [pair for some in sets for pair in sorted((HASHES[w], BITS[w]) for w in some)]
    assert list(zip(hashes, bits, strict=True)) == wanted


@given(
    st.lists(st.lists(st.integers(0, 20) | st.integers(0, 2**32 - 1), min_size=3, max_size=3)),
    st.sets(st.integers(0, 40)),
    st.integers(1, 5),
)
def test_of_marked_keys_all_entries_are_found_and_each_part_has_its_own(rows, fresh, parts):
    keys = np.array(rows, np.uint32).reshape(-1, 3)
    own = keys[[i for i in range(len(keys)) if i in fresh]]
    room = np.empty((3, len(keys) + 1), np.uint64)
    sizes = bands.marked_entries(keys, 100, bands.marks_of(own), room)
    for band in range(3):
        found = room[band, : sizes[band]].copy()
        wanted = {(int(key) << 32) | i + 100 for i, key in enumerate(keys[:, band])}
        assert set(found.tolist()) <= wanted
        assert {e for e in wanted if e >> 32 in own[:, band]} <= set(found.tolist())
        held = bands.part_sizes((found >> np.uint64(32)).astype(np.uint32), parts)
        split = [
            bands.entries_of_part(found, part, parts, np.empty((2, n + 1), np.uint64)).tolist()
            for part, n in enumerate(held.tolist())
        ]
        assert [len(some) for some in split] == held.tolist()
        assert [e for some in split for e in some] == sorted(found.tolist())
