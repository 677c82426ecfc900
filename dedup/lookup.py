"""Which articles of an index are worth comparing with a text that is not in it.

The bands of all distinct passages, sorted by key: a text's passages are looked up one by one, as
in any LSH index (Indyk and Motwani 1998). What is found is compared for real afterwards, so this
only has to bring the best ones up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.candidates import BANDS_AT_ONCE, unique_passages
from dedup.kernels import bands
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings

MOST_OF_BUCKET = 256
"""Passages of a bucket that are looked at: more of them are variants of one."""
HOLDERS = 64
"""Texts that hold one passage and are looked at."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Distinct passages of many texts, by band.

    ``entries``: for each band a sorted uint64 array, key high, number of the passage low.
    ``start`` int64 (passages + 1) and ``holder`` int32: the texts that hold each passage.
    """

    settings: Settings
    entries: list[NDArray[np.uint64]]
    start: NDArray[np.int64]
    holder: NDArray[np.int32]

    @classmethod
    def of(cls, c: Collection, settings: Settings, text: NDArray[np.int32]) -> Lookup:
        """The look-up over a collection, whose nodes are the texts ``text`` (int32)."""
        start, member = unique_passages(c, settings)
        plan = scheme(settings)
        mixed = bands.mixed_hashes(c.v_hash)
        passage = member[start[:-1]]
        entries = []
        for band in range(0, plan.bands, BANDS_AT_ONCE):
            count = min(BANDS_AT_ONCE, plan.bands - band)
            rows = slice(band * plan.rows, (band + count) * plan.rows)
            keys = np.empty((len(passage), count), np.uint32)
            bands.band_keys(
                passage,
                c.p_content,
                c.c_word,
                mixed,
                plan.a[rows],
                plan.b[rows],
                plan.rows,
                keys,
            )
            entries += [bands.sorted_entries(keys[:, k].copy()) for k in range(count)]
        return cls(settings, entries, start, text[c.p_article[member]])

    def nearest(self, c: Collection, most: int) -> NDArray[np.int32]:
        """The ``most`` texts that seem to share most with the texts of ``c``, best first.

        A passage counts with its information, times the word overlap that the number of equal
        bands suggests; of each text the best passage counts.
        """
        start, member = unique_passages(c, self.settings)
        passage = member[start[:-1]]
        plan = scheme(self.settings)
        keys = np.empty((len(passage), plan.bands), np.uint32)
        perms = plan.bands * plan.rows
        mixed = bands.mixed_hashes(c.v_hash)
        a, b = plan.a[:perms], plan.b[:perms]
        bands.band_keys(passage, c.p_content, c.c_word, mixed, a, b, plan.rows, keys)
        rows, near, met = self._met(keys)
        overlap = (met / plan.bands) ** (1.0 / plan.rows)
        # All texts that hold each passage found, up to a limit.
        begin = self.start[near]
        held = np.minimum(self.start[near + 1] - begin, HOLDERS)
        text = self.holder[_ranges(begin, held)]
        row, share = np.repeat(rows, held), np.repeat(overlap, held)
        # Of each text the best passage counts for each of ours.
        order = np.lexsort((-share, text, row))
        row, text, share = row[order], text[order], share[order]
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (text[1:] != text[:-1])
        worth = share[first] * c.p_information[passage][row[first]]
        texts, of = np.unique(text[first], return_inverse=True)
        score = np.bincount(of, worth, len(texts))
        best = np.lexsort((texts, -score))[:most]
        return np.asarray(texts[best], np.int32)

    def _met(
        self, keys: NDArray[np.uint32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Passages in the buckets of ``keys`` (uint32, ours x bands): ``(ours, passage, bands)``,
        in how many bands each of ours meets which passage (all int64)."""
        found = [np.empty(0, np.int64)]
        width = np.int64(len(self.start))
        for band, entries in enumerate(self.entries):
            low = keys[:, band].astype(np.uint64) << np.uint64(32)
            begin = np.searchsorted(entries, low)
            end = np.searchsorted(entries, low | np.uint64(0xFFFFFFFF), side="right")
            sizes = np.minimum(end - begin, MOST_OF_BUCKET)
            number = (entries[_ranges(begin, sizes)] & np.uint64(0xFFFFFFFF)).astype(np.int64)
            found.append(np.repeat(np.arange(len(keys)), sizes) * width + number)
        pairs, met = np.unique(np.concatenate(found), return_counts=True)
        return pairs // width, pairs % width, met


def _ranges(begin: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """All numbers of the ranges that begin there and have these sizes, one after another."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(begin - (ends - sizes), sizes), np.int64)
