"""Which passages of two texts are most alike, and which filter of the candidates stops each pair.

The measures are those of :mod:`dedup.candidates`: the Jaccard index of content words, and by
information the Dice coefficient and the share of the lesser passage. There they are taken of
passages that collide in LSH only; here of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from dedup.candidates import indexed_passages
from dedup.joining import ALIKE, INSIDE, LEAST_AGREEMENT, LEAST_SHARED
from dedup.kernels import bands
from dedup.kernels.minhash import QUARTERS
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings

MOST = 8
"""Pairs that are told."""
AT_ONCE = 128
"""Passages of the first text that are compared with all of the second at once."""
MOST_PASSAGES = 1024
"""Passages of each text that are compared with those of the other."""


@dataclass(frozen=True, slots=True)
class PassagePair:
    """Two passages and how alike they are.

    Offsets are characters. ``jaccard`` of content words, ``dice`` and ``inside`` (share of the
    lesser passage) by information are 0-1, ``shared_bits`` bits, ``bands`` the number of MinHash
    bands in which they meet, out of ``of_bands``. ``stopped_by``: the filter that they fail, or
    ``None``.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    jaccard: float
    shared_bits: float
    dice: float
    inside: float
    bands: int
    of_bands: int
    stopped_by: str | None


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near two texts are by their passages.

    ``pairs``: those most alike by Dice's coefficient, up to :data:`MOST`; ``alike``: how many pairs
    pass every filter; ``bands``: MinHash bands in which any two passages that are looked for meet;
    ``left_out``: passages beyond :data:`MOST_PASSAGES` of a text, which were not looked at.
    """

    pairs: list[PassagePair]
    alike: int
    bands: int
    left_out: int


def nearest_pairs(c: Collection, settings: Settings, *, turned: bool = False) -> Nearness:
    """Compare all passages of the first text of ``c`` with all of the second.

    ``turned``: the first text is to stand on the right.
    """
    first, second = (
        np.arange(c.d_passage[node], min(c.d_passage[node + 1], c.d_passage[node] + MOST_PASSAGES))
        for node in (0, 1)
    )
    left_out = int(c.d_passage[2] - c.d_passage[0]) - len(first) - len(second)
    if not len(first) or not len(second):
        return Nearness([], 0, 0, left_out)
    indexed = np.zeros(len(c.p_start), bool)
    indexed[indexed_passages(c, settings)] = True
    keys = np.zeros((len(c.p_start), scheme(settings).bands), np.uint32)
    for passages in (first, second):
        keys[passages] = _keys(c, settings, passages)
    bands_met = _bands_met(keys[first[indexed[first]]], keys[second[indexed[second]]])
    best: list[_Compared] = []
    alike = 0
    other = _words(c, second)
    for begin in range(0, len(first), AT_ONCE):
        some = _compared(c, settings, first[begin : begin + AT_ONCE], second, other, indexed)
        passed = np.flatnonzero(some.alike)
        alike += int((keys[some.p[passed]] == keys[some.q[passed]]).any(axis=1).sum())
        best.append(some.best())
    x = _joined(best).best()
    met = (keys[x.p] == keys[x.q]).sum(axis=1)
    found = []
    for k in range(len(x.p)):
        a, b = (x.q[k], x.p[k]) if turned else (x.p[k], x.q[k])
        found.append(
            PassagePair(
                int(c.p_start[a]),
                int(c.p_end[a]),
                int(c.p_start[b]),
                int(c.p_end[b]),
                round(float(x.jaccard[k]), 3),
                float(x.common[k]) / 4,
                round(float(x.dice[k]), 3),
                round(float(x.inside[k]), 3),
                int(met[k]),
                keys.shape[1],
                _stopped_by(
                    settings,
                    bool(indexed[x.p[k]] and indexed[x.q[k]]),
                    int(met[k]),
                    float(x.jaccard[k]),
                    float(x.common[k]) / 4,
                    float(x.dice[k]),
                    float(x.inside[k]),
                ),
            )
        )
    return Nearness(found, alike, bands_met, left_out)


class _Compared(NamedTuple):
    """Pairs of passages ``p``, ``q`` (int64) that share words: ``common`` int64 quarters of a bit,
    ``jaccard``, ``dice`` and ``inside`` float64, and whether they prove ``alike`` (bool)."""

    p: NDArray[np.int64]
    q: NDArray[np.int64]
    common: NDArray[np.int64]
    jaccard: NDArray[np.float64]
    dice: NDArray[np.float64]
    inside: NDArray[np.float64]
    alike: NDArray[np.bool_]

    def best(self) -> _Compared:
        """The :data:`MOST` most alike."""
        order = np.lexsort((self.q, self.p, -self.common, -self.dice))[:MOST]
        return _Compared(
            self.p[order],
            self.q[order],
            self.common[order],
            self.jaccard[order],
            self.dice[order],
            self.inside[order],
            self.alike[order],
        )


def _joined(parts: list[_Compared]) -> _Compared:
    return _Compared(
        np.concatenate([x.p for x in parts]),
        np.concatenate([x.q for x in parts]),
        np.concatenate([x.common for x in parts]),
        np.concatenate([x.jaccard for x in parts]),
        np.concatenate([x.dice for x in parts]),
        np.concatenate([x.inside for x in parts]),
        np.concatenate([x.alike for x in parts]),
    )


def _compared(
    c: Collection,
    settings: Settings,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    other: csr_matrix,
    indexed: NDArray[np.bool_],
) -> _Compared:
    """All pairs of ``first`` and ``second`` (int64) with a common word; ``other`` are the words of
    ``second``."""
    bits = (c.v_bits & QUARTERS).astype(np.int64)
    one = _words(c, first)
    count = (one @ other.T).tocoo()
    # The same cells in the same order: both are products of the same patterns.
    shared = (one.multiply(bits[np.newaxis, :]).tocsr() @ other.T).tocsr()
    p, q = first[count.row], second[count.col]
    common = np.asarray(shared[count.row, count.col]).ravel() if count.nnz else p
    size = np.diff(c.p_content)
    quarters = (4.0 * c.p_information).astype(np.int64)
    jaccard = count.data / (size[p] + size[q] - count.data)
    dice = 2 * common / np.maximum(1, quarters[p] + quarters[q])
    inside = common / np.maximum(1, np.minimum(quarters[p], quarters[q]))
    alike = (
        indexed[p]
        & indexed[q]
        & (jaccard >= LEAST_AGREEMENT * settings.sensitivity)
        & (common >= 4 * LEAST_SHARED * settings.min_information)
        & ((dice >= ALIKE * settings.min_similarity) | (inside >= INSIDE))
    )
    return _Compared(p, q, common, jaccard, dice, inside, alike)


def _words(c: Collection, passages: NDArray[np.int64]) -> csr_matrix:
    """Passages x words, 1 where a passage holds a content word (int64)."""
    begin, end = c.p_content[passages[0]], c.p_content[passages[-1] + 1]
    start = c.p_content[passages[0] : passages[-1] + 2] - begin
    word = c.c_word[begin:end]
    return csr_matrix(
        (np.ones(len(word), np.int64), word, start), shape=(len(passages), len(c.v_bits))
    )


def _bands_met(one: NDArray[np.uint32], two: NDArray[np.uint32]) -> int:
    """In how many bands (columns) any passage of ``one`` meets any of ``two``."""
    return sum(bool(np.isin(one[:, band], two[:, band]).any()) for band in range(one.shape[1]))


def _keys(c: Collection, settings: Settings, passages: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The band keys of passages (passages x bands)."""
    plan = scheme(settings)
    keys = np.empty((len(passages), plan.bands), np.uint32)
    perms = plan.bands * plan.rows
    mixed = bands.mixed_hashes(c.v_hash)
    a, b = plan.a[:perms], plan.b[:perms]
    bands.band_keys(passages, c.p_content, c.c_word, mixed, a, b, plan.rows, keys)
    return keys


def _stopped_by(
    settings: Settings,
    indexed: bool,
    met: int,
    jaccard: float,
    shared: float,
    dice: float,
    inside: float,
) -> str | None:
    """The first filter of the candidates that two passages fail."""
    least_jaccard = LEAST_AGREEMENT * settings.sensitivity
    least_shared = LEAST_SHARED * settings.min_information
    if not indexed:
        return f"one says too little to be looked for (under {settings.min_information:g} bits)"
    if not met:
        return "they meet in no band of MinHash"
    if jaccard < least_jaccard:
        return f"word overlap below {least_jaccard:.3g}"
    if shared < least_shared:
        return f"shared information below {least_shared:g} bits"
    if dice < ALIKE * settings.min_similarity and inside < INSIDE:
        return (
            f"Dice coefficient below {ALIKE * settings.min_similarity:g}, and neither holds "
            f"{INSIDE:.0%} of the other"
        )
    return None
