"""Which distinct passages are alike: those that share a key of a band are compared at once.

All threads share the keys of some bands. They take parts of them: each brings the passages whose
keys lie in its part into order and compares those with equal keys.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING

import numpy as np

from dedup.formerpairs import Crowd, Former, crowd_of, holding, no_crowd, places
from dedup.kernels import bands
from dedup.kernels import crowd as crowd_kernels
from dedup.kernels import pairs as kernels
from dedup.memory import release_memory
from dedup.sketch import scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.collection import Collection
    from dedup.config import Settings

    Pairs = tuple[NDArray[np.uint64], NDArray[np.int32]]
    _Entries = Callable[[int, NDArray[np.uint64]], NDArray[np.uint64]]

BUCKET_CAP = 64
BUCKET_REPRESENTATIVES = 8
BANDS_AT_ONCE = 7
"""Bands whose keys are held together: as many as there is room for beside a passage's card."""
LINE = 64
"""Bytes that a processor takes from memory at once."""
PART = 2**17
"""Passages whose keys one thread brings into order at once, if there are few."""
PARTS = 8
"""If there are many, a thread takes one in so many of them; each part looks through all keys."""
LEAST_AGREEMENT = 0.85
"""Share of the sensitivity that the Jaccard index of two passages' content words must reach."""
LEAST_SHARED = 0.5
"""Share of ``min_information`` that two passages must have in common to count as alike."""
ALIKE = 1.0
"""Share of ``min_similarity`` that their Dice coefficient by information must reach."""
INSIDE = 0.8
"""Share of the lesser passage's information that may stand for it (one holds the other)."""


def distinct_pairs(parts: list[Pairs], passages: int) -> Pairs:
    """Pairs that several bands found, once each, in order, with what they share; ``parts`` is
    emptied."""
    if len(parts) == 1:
        pairs, shared = parts[0]
    else:
        pairs, shared = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    parts.clear()
    n = kernels.distinct_pairs(pairs, shared, *room_for(pairs, passages))
    return pairs[:n].copy(), shared[:n].copy()


def merged_pairs(one: Pairs, two: Pairs) -> Pairs:
    """Two lists of pairs, each in order and without repeats, as one such list."""
    if not len(one[0]):
        return two
    size = len(one[0]) + len(two[0])
    pairs, shared = np.empty(size, np.uint64), np.empty(size, np.int32)
    n = kernels.merged_pairs(*one, *two, pairs, shared)
    return pairs[:n].copy(), shared[:n].copy()


def room_for(
    pairs: NDArray[np.uint64], numbers: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int32]]:
    """Scratch to bring ``pairs`` of so many numbers into order (``kernels.put_in_order``)."""
    return (
        np.empty(numbers + 1, np.int64),
        np.empty(len(pairs), np.uint64),
        np.empty(len(pairs), np.int32),
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """All similar pairs of distinct passages (``pairs`` uint64, ascending: lesser number high,
    greater low) with what they share (int32), those that earlier runs compared and no bucket
    compares any longer (``cut_u``, ``cut_v`` int64), passages in full buckets whose role
    (``crowd.take_roles``) is new, and how many of these buckets were looked at."""

    pairs: NDArray[np.uint64]
    shared: NDArray[np.int32]
    cut_u: NDArray[np.int64]
    cut_v: NDArray[np.int64]
    crowd: Crowd
    full: int


def spans(count: int, at_once: int) -> list[slice]:
    """Rows in spans of ``at_once`` at most."""
    return [slice(lo, min(lo + at_once, count)) for lo in range(0, count, at_once)]


def lines(count: int, width: int = 8) -> NDArray[np.uint64]:
    """Zeros (``count``, ``width``) of which each row is one line of the processor's memory, or an
    even part of one.

    Arrays of numpy are in large pages of memory; those of kernels are not.
    """
    numbers = np.zeros(width * count + 8, np.uint64)
    begin = -numbers.ctypes.data % LINE // numbers.itemsize
    return numbers[begin : begin + width * count].reshape(count, width)


@dataclass(frozen=True, slots=True)
class Words:
    """Passages and their content words, as a join asks for them.

    ``p_content`` int64 (passages + 1): where the words of each begin in ``c_word`` (int32 numbers,
    ascending in each passage); ``p_information`` float32 bits, ``p_key`` uint64; ``v_hash`` uint64
    and ``v_bits`` uint8 of each numbered word.
    """

    p_content: NDArray[np.int64]
    p_information: NDArray[np.float32]
    p_key: NDArray[np.uint64]
    c_word: NDArray[np.int32]
    v_hash: NDArray[np.uint64]
    v_bits: NDArray[np.uint8]

    @classmethod
    def of(cls, c: Collection) -> Words:
        """Those of a collection."""
        return cls(c.p_content, c.p_information, c.p_key, c.c_word, c.v_hash, c.v_bits)


class Join:
    """Joins bands: passages whose keys are equal are compared (``bands.join_band``).

    ``standing`` int64: the distinct passages in the order in which they stand in memory, by which
    the pairs found are numbered; ``fresh`` bool: those to compare with all. ``full`` counts full
    buckets, ``loose`` is as the kernel leaves it.
    """

    def __init__(
        self,
        c: Words,
        standing: NDArray[np.int64],
        fresh: NDArray[np.bool_],
        settings: Settings,
        threads: int,
    ) -> None:
        self._c, self._settings, self._standing = c, settings, standing
        self._mixed = bands.mixed_hashes(c.v_hash)
        self._card = lines(len(standing))
        self._pool = ThreadPoolExecutor(max(1, threads))
        self._each(
            lambda rows: bands.cards(
                standing[rows],
                c.p_content,
                c.c_word,
                c.p_information,
                self._mixed,
                self._card[rows],
            )
        )
        self._parts = max(1, min(max(PARTS, 2 * threads), -(-len(standing) // PART)))
        self._fresh = fresh.view(np.uint8)
        self._all_fresh = bool(fresh.all())
        self._own = local()
        self.loose = np.zeros(len(standing), np.uint8)
        self.full = 0

    def __enter__(self) -> Join:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def _each(self, work: Callable[[slice], object]) -> None:
        """Do some work for all passages, so many at once on each thread."""
        for _ in self._pool.map(work, spans(len(self._standing), PART)):
            pass

    def bands(self, first: int, count: int) -> tuple[Pairs, NDArray[np.uint8], NDArray[np.uint8]]:
        """The pairs that ``count`` bands (up to :data:`BANDS_AT_ONCE`) from ``first`` on find, and
        who is in their full buckets, and who represents these (both uint8, passages; see
        ``bands.join_band``)."""
        ahead = np.zeros(len(self._standing), np.uint8)
        parts = self._found(first, count, ahead)
        release_memory()
        pairs = distinct_pairs(parts, len(self._standing))
        return pairs, self._card.view(np.uint32)[:, bands.FULL].astype(np.uint8), ahead

    def _found(self, first: int, count: int, ahead: NDArray[np.uint8]) -> list[Pairs]:
        """The pairs as they come, see :meth:`bands`."""
        line = self._card.view(np.uint32)
        line[:, bands.FULL] = 0
        entries_of = self._all_entries if self._all_fresh else self._touched_entries
        parts: list[Pairs] = [(np.empty(0, np.uint64), np.empty(0, np.int32))]
        for band, (sizes, entries) in enumerate(entries_of(first, count)):

            def join(
                part: int,
                band: int = band,
                sizes: list[int] = sizes,
                entries: _Entries = entries,
            ) -> tuple[NDArray[np.uint64], NDArray[np.int32], int]:
                settings = self._settings
                found: tuple[NDArray[np.uint64], NDArray[np.int32], int] = bands.join_band(
                    band,
                    entries(part, self._room(sizes[part] + 1)),
                    self._standing,
                    self._c.p_key,
                    self._c.c_word,
                    self._c.v_bits,
                    self._card,
                    LEAST_AGREEMENT * settings.sensitivity,
                    LEAST_SHARED * settings.min_information * 4,
                    ALIKE * settings.min_similarity,
                    INSIDE,
                    BUCKET_CAP,
                    BUCKET_REPRESENTATIVES,
                    self._fresh,
                    self._all_fresh,
                    self.loose,
                    line,
                    ahead,
                )
                return found

            for pairs, shared, capped in self._pool.map(join, range(self._parts)):
                parts.append((pairs, shared))
                self.full += capped
        return parts

    def _hashed(self, passage: NDArray[np.int64], first: int, count: int) -> NDArray[np.uint32]:
        """Keys of ``count`` bands of some passages (uint32, passages x bands)."""
        plan, c = scheme(self._settings), self._c
        permutations = slice(first * plan.rows, (first + count) * plan.rows)
        keys = np.empty((len(passage), count), np.uint32)
        a, b = plan.a[permutations], plan.b[permutations]
        bands.band_keys(passage, c.p_content, c.c_word, self._mixed, a, b, plan.rows, keys)
        return keys

    def _all_entries(self, first: int, count: int) -> Iterator[tuple[list[int], _Entries]]:
        """Of each band how many entries its parts have, and what gives those of one, in order."""
        line = self._card.view(np.uint32)

        def hash_some(rows: slice) -> None:
            keys = self._hashed(self._standing[rows], first, count)
            line[rows, bands.KEYS : bands.KEYS + count] = keys

        self._each(hash_some)
        column = np.empty(len(self._standing), np.uint32)

        def entries(part: int, room: NDArray[np.uint64]) -> NDArray[np.uint64]:
            return np.asarray(bands.part_entries(column, part, self._parts, room))

        for band in range(count):

            def draw(rows: slice, band: int = band) -> None:
                column[rows] = line[rows, bands.KEYS + band]

            self._each(draw)
            yield bands.part_sizes(column, self._parts).tolist(), entries

    def _touched_entries(self, first: int, count: int) -> Iterator[tuple[list[int], _Entries]]:
        """As :meth:`_all_entries`, of the passages that share a key with a fresh one."""
        line = self._card.view(np.uint32)
        marks = bands.marks_of(self._hashed(self._standing[self._fresh > 0], first, count))

        def hash_some(rows: slice) -> list[NDArray[np.uint64]]:
            keys = self._hashed(self._standing[rows], first, count)
            line[rows, bands.KEYS : bands.KEYS + count] = keys
            room = np.empty((count, len(keys) + 1), np.uint64)
            ends = bands.marked_entries(keys, rows.start, marks, room)
            return [room[band, : ends[band]].copy() for band in range(count)]

        found = list(self._pool.map(hash_some, spans(len(self._standing), PART)))
        for band in range(count):
            some = np.concatenate([np.empty(0, np.uint64), *(part[band] for part in found)])
            sizes = bands.part_sizes((some >> np.uint64(32)).astype(np.uint32), self._parts)

            def entries(
                part: int, room: NDArray[np.uint64], some: NDArray[np.uint64] = some
            ) -> NDArray[np.uint64]:
                return np.asarray(bands.entries_of_part(some, part, self._parts, room))

            yield sizes.tolist(), entries

    def _room(self, entries: int) -> NDArray[np.uint64]:
        """Scratch of a thread: taken once and again only where more is needed."""
        held: NDArray[np.uint64] | None = getattr(self._own, "room", None)
        if held is None or held.shape[1] < entries:
            held = self._own.room = np.empty((2, entries), np.uint64)
        return held


def similar_passages(
    c: Collection,
    passage: NDArray[np.int64],
    settings: Settings,
    threads: int,
    arena: Arena,
    progress: Callable[[int, int], None] | None,
    former: Former | None = None,
) -> Joined:
    """Pairs of distinct passages that collide in a band and prove alike.

    ``former``: which of them were joined before, and with what outcome; its roles are brought up to
    date.
    """
    plan = scheme(settings)
    # They are joined in the order in which they stand in memory.
    place = arena.keep(places(passage, len(c.p_start)))
    standing = passage[place]
    fresh = np.ones(len(passage), bool) if former is None else ~former.known[place]
    pairs, shared = np.empty(0, np.uint64), np.empty(0, np.int32)
    changed = np.zeros(0 if former is None else len(passage), bool)
    with Join(Words.of(c), standing, fresh, settings, threads) as join:
        for first in range(0, plan.bands, BANDS_AT_ONCE):
            count = min(BANDS_AT_ONCE, plan.bands - first)
            some, full, ahead = join.bands(first, count)
            if former is not None:
                crowd_kernels.take_roles(full, ahead, first, count, former.role, changed)
            pairs, shared = (arena.keep(x) for x in merged_pairs((pairs, shared), some))
            del some
            release_memory()
            if progress:
                progress(first + count, plan.bands)
        loose, buckets = join.loose, join.full
    del join, fresh
    kernels.renamed_pairs(pairs, place)
    cut_u = cut_v = np.empty(0, np.int64)
    crowd = no_crowd()
    if former is not None:
        crowd = crowd_of(standing[changed], former.role[changed])
        marks = np.zeros(len(passage), np.uint8)
        marks[place] = loose
        keep = holding(c, passage, place, settings, former, marks)
        cut_u, cut_v = former.u[~keep], former.v[~keep]
        one, two = former.u[keep], former.v[keep]
        known = ((np.minimum(one, two) << 32) | np.maximum(one, two)).view(np.uint64)
        pairs, shared = np.append(pairs, known), np.append(shared, former.shared[keep])
    del standing, place
    pairs, shared = distinct_pairs([(pairs, shared)], len(passage))
    return Joined(pairs, shared, cut_u, cut_v, crowd, buckets)
