"""The scores of matches, identical texts and shared passages: what ranks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.kinds import BOILERPLATE
from dedup.rank import Spans, tfidf_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.kinds import PassageStatistics
    from dedup.pipeline import Analysis
    from dedup.tables.selection import Selection

FURNITURE_WEIGHT = 0.01
"""Factor on the score of furniture: it stays listed, behind what was written."""
INSIDE_WEIGHT = 0.1
"""Factor on the spread of a passage that one outlet alone repeats."""
SENTENCE = 60
"""Words of a long sentence."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All float64. ``match``: TF-IDF weight times similarity of every match of a listed pair, else
    0. ``identical`` (nodes): weight of each text that several articles have, else 0. ``passage``:
    score of every shared passage. Of a selection, 0 for what has no part in it."""

    match: NDArray[np.float64]
    identical: NDArray[np.float64]
    passage: NDArray[np.float64]


def build_scores(x: Analysis, least: int, only: Selection | None = None) -> Scores:
    """The scores of a run; pairs are listed from relation ``least`` on."""
    m, c = x.matches, x.collection
    listed = np.flatnonzero(x.relations.relation[m.pair] >= least)
    repeated = identical_nodes(x)
    ranked = np.arange(len(x.shared))
    if only is not None:
        listed = listed[only.pairs[m.pair[listed]]]
        repeated = repeated[only.identical[repeated]]
        ranked = ranked_passages(x, only)
    centre = x.shared.centre[ranked]
    x.lay_out(c.p_article[centre].astype(np.int64))
    weights = tfidf_weights(
        c,
        x.corpus.copies,
        Spans(m.a0[listed], m.a1[listed]),
        Spans(c.p_token[c.d_passage[repeated]], c.p_token[c.d_passage[repeated + 1]]),
        Spans(c.p_token[centre], c.p_token[centre + 1]),
        articles=x.articles,
    )
    match, identical = np.zeros(len(m.pair)), np.zeros(c.nodes)
    match[listed] = m.similarity[listed] * weights[0]
    identical[repeated] = weights[1]
    passage = np.zeros(len(x.shared))
    passage[ranked] = weights[2]
    return Scores(match, identical, _passage_scores(x, passage))


def identical_nodes(x: Analysis) -> NDArray[np.int64]:
    """Texts (int64) that several articles have and that say enough to group them."""
    return np.flatnonzero((x.corpus.copies >= 2) & x.groupable)


def ranked_passages(x: Analysis, only: Selection) -> NDArray[np.int64]:
    """Shared passages (int64) that are made, or that a text of a group holds that is made."""
    s = x.shared
    of_group = np.zeros(x.collection.nodes, bool)
    for g in np.flatnonzero(only.groups).tolist():
        of_group[[*x.groups[g].core, *x.groups[g].attached]] = True
    chosen = only.clusters.copy()
    cluster = np.repeat(np.arange(len(s)), np.diff(s.start))
    chosen[cluster[of_group[x.collection.p_article[s.passage]]]] = True
    return np.flatnonzero(chosen)


def _passage_scores(x: Analysis, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of every shared passage (float64).

    TF-IDF weight of its text (of a longer one than :data:`SENTENCE` words that many words'
    worth: lists and tables are no better for their length), times the mean similarity of its
    occurrences, times the binary logarithm of the outlets that hold it (articles without an
    outlet count one each). What one outlet alone repeats is damped, and furniture more so.
    """
    s, st, c, link = x.shared, x.statistics, x.collection, x.alignment
    cluster = s.of_passage[link.link_a]
    inside = (cluster >= 0) & (cluster == s.of_passage[link.link_b])
    seen = np.bincount(cluster[inside], minlength=len(s))
    total = np.bincount(cluster[inside], link.cosine[inside], len(s))
    similarity = mean_similarity(seen, total)
    return passage_scores(
        weights,
        c.p_token[s.centre + 1] - c.p_token[s.centre],
        similarity,
        st,
    )


def mean_similarity(links: NDArray[np.int64], total: NDArray[Any]) -> NDArray[np.float64]:
    """Mean cosine (0-1) of ``links`` that sum up to ``total``; 1 where there are none."""
    return np.where(links > 0, np.minimum(1.0, total / np.maximum(1, links)), 1.0)


def passage_scores(
    weights: NDArray[np.float64],
    length: NDArray[np.int64],
    similarity: NDArray[np.float64],
    st: PassageStatistics,
) -> NDArray[np.float64]:
    """The formula of :func:`_passage_scores`: ``weights`` of passages of ``length`` words, and the
    mean ``similarity`` of their occurrences."""
    apart = st.outlets + st.outletless
    spread = np.where(
        apart >= 2,
        np.log2(np.maximum(2, apart)),
        INSIDE_WEIGHT * np.log2(np.maximum(2, st.articles)),
    )
    weights = weights * np.minimum(1.0, SENTENCE / np.maximum(1, length))
    damping = np.where(st.kind == BOILERPLATE, FURNITURE_WEIGHT, 1.0)
    return np.asarray(np.round(weights * similarity * spread * damping, 6))
