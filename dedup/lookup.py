"""Which articles of an index are worth comparing with a text that is not in it.

The bands of all distinct passages, sorted by key: a text's passages are looked up one by one, as
in any LSH index (Indyk and Motwani 1998). What is found is compared for real afterwards, so this
only has to bring the best ones up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.candidates import unique_passages
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
        for band in range(plan.bands):
            rows = slice(band * plan.rows, (band + 1) * plan.rows)
            keys = np.empty((len(passage), 1), np.uint32)
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
            entries.append(bands.sorted_entries(keys[:, 0].copy()))
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
        score: dict[int, float] = {}
        for row, information in enumerate(c.p_information[passage].tolist()):
            found: list[NDArray[np.uint64]] = []
            for band, entries in enumerate(self.entries):
                low = np.uint64(int(keys[row, band]) << 32)
                begin = int(np.searchsorted(entries, low))
                bucket = entries[begin : begin + MOST_OF_BUCKET]
                found.append(bucket[bucket >> np.uint64(32) == keys[row, band]])
            numbers = (np.concatenate(found) & np.uint64(0xFFFFFFFF)).astype(np.int64)
            near, met = np.unique(numbers, return_counts=True)
            overlap = (met / plan.bands) ** (1.0 / plan.rows)
            best: dict[int, float] = {}
            for i in np.argsort(-overlap, kind="stable").tolist():
                begin = int(self.start[near[i]])
                end = min(int(self.start[near[i] + 1]), begin + HOLDERS)
                for text in self.holder[begin:end].tolist():
                    best.setdefault(text, float(overlap[i]))
            for text, share in best.items():
                score[text] = score.get(text, 0.0) + information * share
        ranked = sorted(score, key=lambda text: (-score[text], text))
        return np.array(ranked[:most], np.int32)
