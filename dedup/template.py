"""Which passages an outlet's page template makes: captions, teasers, player and share lines.

Such a passage need not be repeated itself ("Hide Caption 2 of 55 …" differs each time); its
opening or closing words are, in one outlet and nowhere else. That is a statistic of the
corpus: no word list is involved, and a corpus of one outlet yields nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.kernels import template as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection

LEAST_ARTICLES = 8
OWN_SHARE = 0.9
"""Share of the articles with an opening that must come from one outlet."""
LARGEST_OUTLET = 0.5
"""An outlet with a greater share of the corpus is no evidence: whatever it writes is its own."""
LEAST_REPEATED_BITS = 40.0
REACH = 2
"""Passages between two of the template that count as part of it (a caption's later sentences)."""


def edge_keys(c: Collection, last: bool) -> NDArray[np.uint64]:
    """Hash of the first (or last) two words of every passage; 0 where it has only one."""
    key = np.empty(len(c.p_start), np.uint64)
    kernels.edge_keys(c.p_token, c.t_word, c.v_hash, last, key)
    return key


def template_passages(
    c: Collection,
    outlet: NDArray[np.int64],
    said: NDArray[np.bool_],
    edges: NDArray[np.uint64] | None = None,
) -> NDArray[np.bool_]:
    """Passages (bool) of the template, with those enclosed by it.

    ``outlet`` (int64, nodes): number of each node's outlet, -1 unknown. ``said`` (bool,
    passages): somebody's words, which an article may well repeat. ``edges`` (uint64, (2,
    passages)): the keys of all openings and closings, where they are known.
    """
    known = outlet[outlet >= 0]
    if not len(known) or not len(c.p_start):
        return np.zeros(len(c.p_start), bool)
    counts = np.bincount(known)
    eligible = np.where(counts <= LARGEST_OUTLET * len(known), np.arange(len(counts)), -1)
    of_node = np.where(outlet >= 0, eligible[outlet], -1)
    made = np.zeros(len(c.p_start), bool)
    for last in (False, True):
        key = edge_keys(c, last) if edges is None else edges[int(last)]
        made |= kernels.outlet_specific(key, c.p_article, of_node, LEAST_ARTICLES, OWN_SHARE)
    # Captions of galleries stand twice in their article, as thumbnail and as picture.
    twice = kernels.repeated_inside(c.d_passage, c.p_key)
    twice &= ~said & (c.p_information >= LEAST_REPEATED_BITS)
    made |= twice & (of_node >= 0)[c.p_article]
    return enclosed(made, c.p_article, c.d_passage)


def enclosed(
    made: NDArray[np.bool_], article: NDArray[Any], d_passage: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Passages (bool) of ``made`` and those that stand between two of them.

    ``article`` (passages) and ``d_passage`` (articles + 1): which passages an article has.
    """
    # Distance to the next template passage on both sides, inside one article.
    index = np.arange(len(made))
    before = np.maximum.accumulate(np.where(made, index, -1))
    after = np.minimum.accumulate(np.where(made, index, len(made))[::-1])[::-1]
    inside = (before >= d_passage[article]) & (after < d_passage[article + 1])
    return np.asarray(made | (inside & (after - before - 1 <= REACH)))
