"""Pairs of articles that hold the same furniture, for those who ask for all relations.

Most such pairs are never aligned: the footer of an outlet says nothing about two of its articles.
They follow from the shared passages.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.align import similarities
from dedup.classify import node_outlets
from dedup.kinds import BOILERPLATE
from dedup.relate import R_BOILERPLATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.config import Settings
    from dedup.pipeline import Analysis

MOST_HOLDERS = 256
"""Texts of one outlet with one passage that are paired all with all. A footer of thousands would
give millions of lines; its holders stand in ``passages``."""


@dataclass(frozen=True, slots=True)
class FurniturePairs:
    """Nodes ``a`` < ``b`` int64 of one outlet, their passages ``passage_a``, ``passage_b`` int64 of
    shared passage ``cluster`` int64, the one that says most, and its ``similarity`` float64."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    passage_a: NDArray[np.int64]
    passage_b: NDArray[np.int64]
    cluster: NDArray[np.int64]
    similarity: NDArray[np.float64]


def _holdings(x: Analysis) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Furniture as ``(start, cluster, passage)``: the first passage of each of its holders, in
    groups of one shared passage and one outlet."""
    shared, c = x.shared, x.collection
    cluster = np.repeat(np.arange(len(shared)), np.diff(shared.start))
    outlet = node_outlets(c.nodes, x.corpus.records)[c.p_article[shared.passage]]
    chosen = (x.statistics.kind[cluster] == BOILERPLATE) & (outlet >= 0)
    cluster, passage, outlet = cluster[chosen], shared.passage[chosen], outlet[chosen]
    order = np.lexsort((passage, outlet, cluster))
    cluster, passage, outlet = cluster[order], passage[order], outlet[order]
    node = c.p_article[passage]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (cluster[1:] != cluster[:-1]) | (node[1:] != node[:-1])
    cluster, passage, outlet = cluster[fresh], passage[fresh], outlet[fresh]
    new = np.ones(len(cluster), bool)
    new[1:] = (cluster[1:] != cluster[:-1]) | (outlet[1:] != outlet[:-1])
    return np.append(np.flatnonzero(new), len(cluster)), cluster, passage


def crowded_furniture(x: Analysis) -> int:
    """Shared passages with too many holders in one outlet to list all pairs of them."""
    return int((np.diff(_holdings(x)[0]) > MOST_HOLDERS).sum())


def furniture_pairs(x: Analysis, settings: Settings) -> FurniturePairs:
    """Pairs of texts of one outlet that hold the same furniture and have no relation yet."""
    c = x.collection
    start, cluster, passage = _holdings(x)
    ones, twos, whose = [], [], []
    for lo, hi in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        if 2 <= hi - lo <= MOST_HOLDERS:
            i, j = np.triu_indices(hi - lo, 1)
            ones.append(passage[lo + i])
            twos.append(passage[lo + j])
            whose.append(np.full(len(i), cluster[lo]))
    none = np.empty(0, np.int64)
    p, q, of = (np.concatenate([none, *parts]).astype(np.int64) for parts in (ones, twos, whose))
    # Passages are numbered article by article: p stands in the lower node.
    a, b = c.p_article[p].astype(np.int64), c.p_article[q].astype(np.int64)
    related = x.relations.relation >= R_BOILERPLATE
    wide = np.int64(c.nodes + 1)
    known = np.unique(x.relations.a[related] * wide + x.relations.b[related])
    key = a * wide + b
    order = np.lexsort((of, -np.minimum(c.p_information[p], c.p_information[q]), key))
    order = order[~np.isin(key[order], known)]
    first = np.ones(len(order), bool)
    first[1:] = key[order][1:] != key[order][:-1]
    order = order[first]
    a, b, p, q, of = a[order], b[order], p[order], q[order], of[order]
    similarity, _ = similarities(
        c,
        dataclasses.replace(x.alignment, pair_a=a, pair_b=b),
        np.arange(len(a)),
        c.p_token[p],
        c.p_token[p + 1],
        c.p_token[q],
        c.p_token[q + 1],
    )
    good = similarity >= settings.min_similarity
    return FurniturePairs(a[good], b[good], p[good], q[good], of[good], similarity[good])
