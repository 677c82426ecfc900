"""Shared passages: one passage with all its occurrences.

Exact repeats are found for all articles alike, also where no pair of them is aligned (a quote
in 20,000 articles costs 20,000 steps). Reworded occurrences join through verified links of
the alignment, by star clustering: each is directly linked to the centre of its cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.align import LINKS_AT_ONCE
from dedup.kernels import pairs as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.align import Alignment
    from dedup.candidates import Candidates
    from dedup.collection import Collection

LINK_SIMILARITY = 0.6
"""Cosine from which two linked passages are one shared passage."""


@dataclass(frozen=True, slots=True)
class SharedPassages:
    """Clusters of passages that occur in two articles or more.

    ``start`` int64 (clusters + 1), ``passage`` int64: occurrences, by (node, place).
    ``centre`` int64 (clusters,) the passage that stands for all. ``of_passage`` int32 (all
    passages): the cluster, or -1.
    """

    start: NDArray[np.int64]
    passage: NDArray[np.int64]
    centre: NDArray[np.int64]
    of_passage: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.centre)

    def take(self, clusters: NDArray[np.int64]) -> SharedPassages:
        """Some clusters (int64), in this order, as if there were no others."""
        sizes = np.diff(self.start)[clusters]
        start = np.append(0, np.cumsum(sizes)).astype(np.int64)
        rows = np.arange(start[-1]) + np.repeat(self.start[clusters] - start[:-1], sizes)
        passage = self.passage[rows]
        of_passage = np.full(len(self.of_passage), -1, np.int32)
        of_passage[passage] = np.repeat(np.arange(len(clusters), dtype=np.int32), sizes)
        return SharedPassages(start, passage, self.centre[clusters], of_passage)


def star_centres(
    one: NDArray[Any], two: NDArray[Any], holders: NDArray[np.int64], key: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """The centre (int64) of each of some distinct passages, or -1 where only one article has it.

    ``one``, ``two``: linked ones, both ways, sorted; ``holders`` int64 occurrences and ``key``
    uint64 of each. The outcome for a passage hangs on those alone to which links lead from it.
    """
    groups = len(holders)
    start = np.searchsorted(one, np.arange(groups + 1)).astype(np.int64)
    involved = np.flatnonzero((holders >= 2) | (np.diff(start) > 0))
    # Most holders first; ties by the key of the token sequence, so that order plays no part.
    order = involved[np.lexsort((key[involved], -holders[involved]))]
    centre_of = np.full(groups, -1, np.int64)
    kernels.star_clusters(order, start, two.astype(np.int64), centre_of)
    return centre_of


def _linked(of_group: NDArray[np.int32], alignment: Alignment) -> NDArray[np.int64]:
    """Groups of passages that links join, both ways, sorted: int64, one number high, one low."""
    parts = [np.empty(0, np.int64)]
    for begin in range(0, len(alignment.match), LINKS_AT_ONCE):
        rows = slice(begin, begin + LINKS_AT_ONCE)
        u, v = of_group[alignment.link_a[rows]], of_group[alignment.link_b[rows]]
        good = (alignment.cosine[rows] >= LINK_SIMILARITY) & (u >= 0) & (v >= 0) & (u != v)
        one, two = u[good].astype(np.int64), v[good].astype(np.int64)
        parts.append(distinct(np.concatenate([(one << 32) | two, (two << 32) | one])))
    return distinct(np.concatenate(parts))


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct values, ascending; by sorting, which beats numpy's hash table on millions."""
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def share_passages(
    c: Collection, k: Candidates, alignment: Alignment, copies: NDArray[np.int64]
) -> SharedPassages:
    """Cluster passages into shared ones.

    ``copies`` (int64, nodes): how many articles have exactly this text.
    """
    groups = len(k.u_start) - 1
    of_group = np.full(len(c.p_start), -1, np.int32)
    of_group[k.u_passage] = np.repeat(np.arange(groups, dtype=np.int32), np.diff(k.u_start))
    edges = _linked(of_group, alignment)
    del of_group
    holders = (
        np.add.reduceat(copies[c.p_article[k.u_passage]], k.u_start[:-1])
        if groups
        else (np.empty(0, np.int64))
    )
    first = k.u_passage[k.u_start[:-1]] if groups else np.empty(0, np.int64)
    one, two = (edges >> 32).astype(np.int32), (edges & 0xFFFFFFFF).astype(np.int32)
    centre_of = star_centres(one, two, holders, c.p_key[first])
    del edges, one, two

    cluster_of_group = np.where(centre_of >= 0, centre_of, -1)
    member_group = np.repeat(np.arange(groups), np.diff(k.u_start))
    cluster = cluster_of_group[member_group]
    keep = cluster >= 0
    member, cluster = k.u_passage[keep], cluster[keep]
    order = np.lexsort((member, cluster))
    member, cluster = member[order], cluster[order]
    names, begin = np.unique(cluster, return_index=True)
    if len(names):
        # Distinct articles of each cluster, counting identical texts as often as they stand.
        article = c.p_article[member]
        fresh = np.ones(len(member), bool)
        fresh[1:] = (cluster[1:] != cluster[:-1]) | (article[1:] != article[:-1])
        articles = np.add.reduceat(np.where(fresh, copies[article], 0), begin)
        wanted = articles >= 2
        sizes = np.diff(np.append(begin, len(member)))
        keep = np.repeat(wanted, sizes)
        member = member[keep]
        sizes, names = sizes[wanted], names[wanted]
    else:
        sizes = np.empty(0, np.int64)
    out_start = np.zeros(len(names) + 1, np.int64)
    np.cumsum(sizes, out=out_start[1:])
    of_passage = np.full(len(c.p_start), -1, np.int32)
    of_passage[member] = np.repeat(np.arange(len(names), dtype=np.int32), sizes)
    return SharedPassages(out_start, member, first[names] if len(names) else first[:0], of_passage)
