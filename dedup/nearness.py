"""Which passages of two texts are most alike, and which filter of the candidates stops each pair.

The measures are those of :mod:`dedup.candidates`: the Jaccard index of content words, and by
information the Dice coefficient and the share of the lesser passage. There they are taken of
passages that collide in LSH only; here of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from dedup.candidates import (
    ALIKE,
    INSIDE,
    LEAST_AGREEMENT,
    LEAST_SHARED,
    indexed_passages,
)
from dedup.kernels import bands
from dedup.kernels.minhash import QUARTERS
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings

MOST = 8
"""Pairs that are told."""
MOST_PASSAGES = 4096
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
    bits = (c.v_bits & QUARTERS).astype(np.int64)
    one, other = _words(c, first), _words(c, second)
    count = (one @ other.T).tocoo()
    # The same cells in the same order: both are products of the same patterns.
    shared = (one.multiply(bits[np.newaxis, :]).tocsr() @ other.T).tocsr()
    p, q = first[count.row], second[count.col]
    indexed = np.zeros(len(c.p_start), bool)
    indexed[indexed_passages(c, settings)] = True
    bands_met = _bands_met(c, settings, first[indexed[first]], second[indexed[second]])
    if not len(p):
        return Nearness([], 0, bands_met, left_out)
    common = np.asarray(shared[count.row, count.col]).ravel()
    size = np.diff(c.p_content)
    quarters = (4.0 * c.p_information).astype(np.int64)
    jaccard = count.data / (size[p] + size[q] - count.data)
    dice = 2 * common / np.maximum(1, quarters[p] + quarters[q])
    inside = common / np.maximum(1, np.minimum(quarters[p], quarters[q]))
    alike = np.flatnonzero(
        indexed[p]
        & indexed[q]
        & (jaccard >= LEAST_AGREEMENT * settings.sensitivity)
        & (common >= 4 * LEAST_SHARED * settings.min_information)
        & ((dice >= ALIKE * settings.min_similarity) | (inside >= INSIDE))
    )
    alike_and_met = int((_met(c, settings, p[alike], q[alike])[0] > 0).sum())
    order = np.lexsort((q, p, -common, -dice))[:MOST]
    p, q, common, jaccard, dice = p[order], q[order], common[order], jaccard[order], dice[order]
    inside = inside[order]
    met, of_bands = _met(c, settings, p, q)
    found = []
    for k in range(len(p)):
        a, b = (q[k], p[k]) if turned else (p[k], q[k])
        found.append(
            PassagePair(
                int(c.p_start[a]),
                int(c.p_end[a]),
                int(c.p_start[b]),
                int(c.p_end[b]),
                round(float(jaccard[k]), 3),
                float(common[k]) / 4,
                round(float(dice[k]), 3),
                round(float(inside[k]), 3),
                int(met[k]),
                of_bands,
                _stopped_by(
                    settings,
                    bool(indexed[p[k]] and indexed[q[k]]),
                    int(met[k]),
                    float(jaccard[k]),
                    float(common[k]) / 4,
                    float(dice[k]),
                    float(inside[k]),
                ),
            )
        )
    return Nearness(found, alike_and_met, bands_met, left_out)


def _words(c: Collection, passages: NDArray[np.int64]) -> csr_matrix:
    """Passages x words, 1 where a passage holds a content word (int64)."""
    begin, end = c.p_content[passages[0]], c.p_content[passages[-1] + 1]
    start = c.p_content[passages[0] : passages[-1] + 2] - begin
    word = c.c_word[begin:end]
    return csr_matrix(
        (np.ones(len(word), np.int64), word, start), shape=(len(passages), len(c.v_bits))
    )


def _met(
    c: Collection, settings: Settings, p: NDArray[np.int64], q: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    """In how many bands passages ``p`` and ``q`` meet, and how many bands there are."""
    keys = _keys(c, settings, np.concatenate([p, q]))
    return (keys[: len(p)] == keys[len(p) :]).sum(axis=1), keys.shape[1]


def _bands_met(
    c: Collection, settings: Settings, first: NDArray[np.int64], second: NDArray[np.int64]
) -> int:
    """In how many bands any of the passages ``first`` meets any of ``second``."""
    one, two = _keys(c, settings, first), _keys(c, settings, second)
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
