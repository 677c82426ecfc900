"""What earlier runs found among passages, and what of it holds still.

Alike passages stay alike. Which of them are compared can change: a bucket of the LSH that becomes
full compares its members with its representatives only, and a representative can be displaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import bands
from dedup.kernels import crowd as kernels
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings


@dataclass(frozen=True, slots=True)
class Similar:
    """Pairs of distinct passages that a bucket compared and that proved alike.

    ``u``, ``v`` int64 passages (any of those with the same words), ``shared`` int32 quarters of a
    bit: 0 for a pair that earlier runs compared and no bucket compares any longer, which stands
    against what is said of it elsewhere. ``fresh`` bool: first said by this run.
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    shared: NDArray[np.int32]
    fresh: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is in the buckets that are too full to compare all: one row a passage (int64).

    ``member`` and ``represents`` uint8 (rows, bands / 8): the bands, a bit each from the lowest
    on, whose bucket is full, and where the passage is one of those with which all are compared.
    Of several rows of one passage the last one holds.
    """

    passage: NDArray[np.int64]
    member: NDArray[np.uint8]
    represents: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class KnownPassages:
    """What earlier runs found among the passages of ``known`` nodes (bool, nodes); ``apart``: that
    those with the same key have the same words."""

    known: NDArray[np.bool_]
    similar: Similar
    crowd: Crowd
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Former:
    """The same in the numbers of this run's distinct passages.

    ``known`` bool (passages); ``u``, ``v`` int64 and ``shared`` int32: pairs of them; ``role``
    uint8 (passages, bands), see :func:`dedup.kernels.crowd.take_roles`, in the order in which the
    passages stand in the texts, not in that of their numbers.
    """

    known: NDArray[np.bool_]
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    shared: NDArray[np.int32]
    role: NDArray[np.uint8]


def places(passage: NDArray[np.int64], passages: int) -> NDArray[np.int64]:
    """The numbers (int64) of distinct passages in the order in which they stand in the texts;
    ``passage`` int64: which one of all ``passages`` each is."""
    number = np.full(passages, -1, np.int64)
    number[passage] = np.arange(len(passage))
    return number[number >= 0]


def no_crowd() -> Crowd:
    """Nobody."""
    bits = np.empty((0, 0), np.uint8)
    return Crowd(np.empty(0, np.int64), bits, bits)


def crowd_of(passage: NDArray[np.int64], role: NDArray[np.uint8]) -> Crowd:
    """Passages (int64) with their roles (uint8, passages x bands), as they are kept."""
    return Crowd(
        passage,
        np.packbits(role != 0, axis=1, bitorder="little"),
        np.packbits(role == kernels.REPRESENTS, axis=1, bitorder="little"),
    )


def former_pairs(
    c: Collection,
    start: NDArray[np.int64],
    member: NDArray[np.int64],
    earlier: KnownPassages,
    settings: Settings,
) -> Former:
    """What earlier runs found, in the numbers of the distinct passages (``start`` and ``member``
    as :func:`dedup.candidates.unique_passages` gives them)."""
    passages = len(start) - 1
    group = np.repeat(np.arange(passages, dtype=np.int32), np.diff(start))
    known = np.zeros(passages, bool)
    known[group[earlier.known[c.p_article[member]]]] = True
    number = np.full(len(c.p_start), -1, np.int32)
    number[member] = group
    similar, crowd = earlier.similar, earlier.crowd
    u, v = number[similar.u].astype(np.int64), number[similar.v].astype(np.int64)
    shared = similar.shared
    cut = shared == 0
    if cut.any():
        keep = ~cut
        touched = np.zeros(passages, bool)
        touched[u[cut]] = touched[v[cut]] = True
        doubtful = np.flatnonzero(touched[u] & touched[v])
        keep[doubtful] &= ~np.isin(
            _named(u[doubtful], v[doubtful]), np.unique(_named(u[cut], v[cut]))
        )
        u, v, shared = u[keep], v[keep], shared[keep]
    role = np.zeros((passages, scheme(settings).bands), np.uint8)
    if len(crowd.passage):
        place = np.empty(passages, np.int32)
        place[places(member[start[:-1]], len(c.p_start))] = np.arange(passages, dtype=np.int32)
        rows = place[number[crowd.passage]]
        kernels.unpack_roles(rows, crowd.member, crowd.represents, role)
    return Former(known, u, v, shared, role)


def _named(u: NDArray[np.int64], v: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each pair, whichever of the two comes first."""
    return np.asarray((np.minimum(u, v) << 32) | np.maximum(u, v))


def holding(
    c: Collection,
    passage: NDArray[np.int64],
    place: NDArray[np.int64],
    settings: Settings,
    former: Former,
    loose: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Which of the former pairs (bool) are compared by a bucket as it is now, to which the roles of
    ``former`` were brought up.

    ``passage`` int64: the distinct passages, and ``place`` int64: their numbers in the order in
    which they stand in the texts. ``loose`` (uint8) marks those whose pairs may be compared no
    longer, see :func:`dedup.kernels.bands.loosen`; the others are.
    """
    at_u, at_v = loose[former.u], loose[former.v]
    keep = ((at_u & bands.LOOSE == 0) | (at_v & bands.BESIDE == 0)) & (
        (at_v & bands.LOOSE == 0) | (at_u & bands.BESIDE == 0)
    )
    suspect = np.flatnonzero(~keep)
    if not len(suspect):
        return np.asarray(keep)
    u, v = former.u[suspect], former.v[suspect]
    concerned = np.zeros(len(passage), bool)
    concerned[u] = concerned[v] = True
    concerned = concerned[place]
    row = np.empty(len(passage), np.int64)
    row[place] = np.cumsum(concerned) - 1
    plan = scheme(settings)
    perms = plan.bands * plan.rows
    keys = np.empty((int(concerned.sum()), plan.bands), np.uint32)
    bands.band_keys(
        passage[place[concerned]],
        c.p_content,
        c.c_word,
        bands.mixed_hashes(c.v_hash),
        plan.a[:perms],
        plan.b[:perms],
        plan.rows,
        keys,
    )
    keep[suspect] = kernels.still_compared(row[u], row[v], keys, former.role[concerned])
    return np.asarray(keep)
