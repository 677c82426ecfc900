"""What kind of text each shared passage is, by corpus statistics: who repeats it, where and when.

Furniture is a statistic first: a passage that *otherwise unrelated* articles of one outlet
repeat (passim's share of links within one outlet, Smith et al. 2014, is the ancestor), at the
edge of the text, over time. Quotes are somebody's words, and statements that many independent
outlets share and nothing else. What is left is narrative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.align import portions
from dedup.kernels import spans as kernels
from dedup.passages import SharedPassages, distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from dedup.align import Alignment
    from dedup.collection import Collection, RecordArrays
    from dedup.config import Settings

PROSE, QUOTE, BOILERPLATE = 0, 1, 2
UNRELATED = 0.3
"""Share of the shorter article below which a pair counts as otherwise unrelated."""


@dataclass(frozen=True, slots=True)
class PassageStatistics:
    """Corpus statistics of every shared passage; integer counters and their ratios.

    ``articles``, ``outlets``, ``days`` int64; ``outletless`` int64 articles that name no outlet
    (each may be one of its own); ``top_outlet`` share of the articles in the
    commonest outlet; ``quoted`` and ``edge`` share of occurrences that are somebody's words and at
    the head or tail of their article; ``unrelated`` share of the aligned pairs of holders
    that are otherwise unrelated (1 where none was aligned). ``kind`` int8.
    """

    articles: NDArray[np.int64]
    outlets: NDArray[np.int64]
    outletless: NDArray[np.int64]
    days: NDArray[np.int64]
    top_outlet: NDArray[np.float64]
    quoted: NDArray[np.float64]
    edge: NDArray[np.float64]
    unrelated: NDArray[np.float64]
    kind: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PassageCounters:
    """What is counted of every shared passage; all are sums, so that parts of a corpus add up.

    ``articles``, ``outlets``, ``outletless`` and ``days`` as in :class:`PassageStatistics`;
    ``top`` articles of the commonest outlet. ``occurrences`` in distinct texts, and how many of
    these are ``said`` by somebody, at the ``edge`` of the article, of its outlet's ``template``.
    ``links`` of aligned pairs, how many of these pairs are otherwise ``unrelated``, and pairs of
    articles with ``identical`` texts, which were not aligned and are anything but unrelated.
    """

    articles: NDArray[np.int64]
    outlets: NDArray[np.int64]
    outletless: NDArray[np.int64]
    top: NDArray[np.int64]
    days: NDArray[np.int64]
    occurrences: NDArray[np.int64]
    said: NDArray[Any]
    edge: NDArray[Any]
    template: NDArray[Any]
    links: NDArray[np.int64]
    unrelated: NDArray[Any]
    identical: NDArray[Any]


@dataclass(frozen=True, slots=True)
class KnownKinds:
    """Kinds of shared passages that a larger corpus has shown: ``key`` uint64, sorted, of their
    words, and ``kind`` int8."""

    key: NDArray[np.uint64]
    kind: NDArray[np.int8]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> KnownKinds:
        """From keys and kinds in any order."""
        rows = sorted(pairs)
        return cls(
            np.array([key for key, _ in rows], np.uint64),
            np.array([kind for _, kind in rows], np.int8),
        )

    def applied(
        self, c: Collection, shared: SharedPassages, statistics: PassageStatistics
    ) -> PassageStatistics:
        """The statistics, with known kinds in place of what few articles show."""
        key = c.p_key[shared.passage]
        at = np.minimum(np.searchsorted(self.key, key), max(0, len(self.key) - 1))
        known = np.flatnonzero(self.key[at] == key) if len(self.key) else np.empty(0, np.int64)
        kind = statistics.kind.copy()
        owner = np.repeat(np.arange(len(shared)), np.diff(shared.start))
        kind[owner[known]] = self.kind[at[known]]
        return replace(statistics, kind=kind)


def unrelated_pairs(
    c: Collection,
    shared: SharedPassages,
    alignment: Alignment,
    suspect: NDArray[np.bool_],
    days_apart: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which aligned pairs have little in common outside the suspected passages (pairs).

    ``suspect`` (clusters) marks passages that one outlet repeats. What two articles share
    outside them, relative to what they hold outside them, tells revisions from articles that
    only wear the same furniture, however large it is. Where nearly everything is suspected,
    versions of one text lie days apart, furniture lies further.
    """
    suspected = np.append(suspect, False)
    outside = kernels.letters_outside(c.d_passage, c.p_letters, shared.of_passage, suspected)

    def letters(passage: NDArray[np.int64]) -> NDArray[np.int64]:
        found = c.p_letters[passage].astype(np.int64)
        return np.asarray(found * ~suspected[shared.of_passage[passage]])

    return unrelated_outside(outside, c.d_letters, letters, len(c.p_start), alignment, days_apart)


def unrelated_outside(
    outside: NDArray[np.int64],
    d_letters: NDArray[Any],
    letters: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    passages: int,
    alignment: Alignment,
    days_apart: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """:func:`unrelated_pairs` without texts: by the letters and digits of each text
    (``d_letters``), those of them ``outside`` of suspected passages, and the links. ``letters``
    gives those of passages, 0 for suspected ones; there are ``passages`` of them."""
    found = np.zeros(len(alignment.pair_a), bool)
    wide = np.int64(passages + 1)
    for pairs, part in portions(alignment):
        share = np.zeros(len(part.pair_a))
        least = np.full(len(part.pair_a), np.inf)
        for nodes, link in ((part.pair_a, part.link_a), (part.pair_b, part.link_b)):
            # A passage linked twice counts once.
            packed = distinct(part.pair[part.match] * wide + link)
            common = np.bincount(packed // wide, letters(packed % wide), len(share))
            share = np.maximum(share, common / np.maximum(1.0, outside[nodes]))
            least = np.minimum(least, outside[nodes] / np.maximum(1, d_letters[nodes]))
        found[pairs] = (share < UNRELATED) & ((least >= 0.2) | (days_apart[pairs] > 14))
    return found


def _holders(
    c: Collection, shared: SharedPassages, records: RecordArrays
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct (cluster, record) pairs, sorted."""
    cluster = np.repeat(np.arange(len(shared)), np.diff(shared.start))
    node = c.p_article[shared.passage].astype(np.int64)
    packed = distinct(cluster * np.int64(c.nodes + 1) + node)
    cluster, node = packed // (c.nodes + 1), packed % (c.nodes + 1)
    counts = records.start[node + 1] - records.start[node]
    offset = np.repeat(records.start[node] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return np.repeat(cluster, counts), records.order[np.arange(len(offset)) + offset]


def _count_distinct(
    group: NDArray[np.int64], value: NDArray[np.int64], groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values and the count of the commonest, per group."""
    if not len(group):
        return np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    order = np.lexsort((value, group))
    g, v = group[order], value[order]
    new = np.ones(len(g), bool)
    new[1:] = (g[1:] != g[:-1]) | (v[1:] != v[:-1])
    begin = np.flatnonzero(new)
    size = np.diff(np.append(begin, len(g)))
    top = np.zeros(groups, np.int64)
    np.maximum.at(top, g[begin], size)
    return np.bincount(g[begin], minlength=groups), top


def passage_statistics(
    c: Collection,
    shared: SharedPassages,
    alignment: Alignment,
    records: RecordArrays,
    template: NDArray[np.bool_],
    said: NDArray[np.bool_],
    settings: Settings,
    spared: NDArray[np.bool_] | None = None,
) -> PassageStatistics:
    """Count who repeats each shared passage, where and when, and name its kind.

    ``spared`` (bool, passages) are no furniture, whatever the counts say.
    """
    n = len(shared)
    cluster, record = _holders(c, shared, records)
    articles = np.bincount(cluster, minlength=n)
    known = records.outlet[record] >= 0
    outlets, top = _count_distinct(cluster[known], records.outlet[record][known], n)
    dated = records.day[record] >= 0
    first = np.full(n, 2**40, np.int64)
    last = np.full(n, -1, np.int64)
    np.minimum.at(first, cluster[dated], records.day[record][dated])
    np.maximum.at(last, cluster[dated], records.day[record][dated])
    days = np.where(last >= 0, last - first, 0)

    owner = np.repeat(np.arange(n), np.diff(shared.start))
    node = c.p_article[shared.passage]
    place = shared.passage - c.d_passage[node]
    count = c.d_passage[node + 1] - c.d_passage[node]
    at_edge = (place < 2) | (place >= 0.8 * count)

    first_day = np.full(c.nodes, -1, np.int64)
    first_day[records.node[::-1]] = records.day[::-1]
    day_a, day_b = first_day[alignment.pair_a], first_day[alignment.pair_b]
    apart = np.where((day_a >= 0) & (day_b >= 0), np.abs(day_a - day_b), 0)
    suspect = suspected(articles, top, settings)
    is_unrelated = unrelated_pairs(c, shared, alignment, suspect, apart)
    of_link = shared.of_passage[alignment.link_a]
    other = shared.of_passage[alignment.link_b]
    linked = (of_link >= 0) & (of_link == other)
    pair = alignment.pair[alignment.match[linked]]
    copies = np.diff(records.start)
    distinct_holders = distinct(owner * np.int64(c.nodes + 1) + node)
    k = copies[distinct_holders % (c.nodes + 1)]
    exempt = np.zeros(n, bool)
    if spared is not None:
        exempt[owner[spared[shared.passage]]] = True
    counters = PassageCounters(
        articles,
        outlets,
        np.bincount(cluster[~known], minlength=n),
        top,
        days,
        np.diff(shared.start),
        np.bincount(owner, said[shared.passage], n),
        np.bincount(owner, at_edge, n),
        np.bincount(owner, template[shared.passage], n),
        np.bincount(of_link[linked], minlength=n),
        np.bincount(of_link[linked], is_unrelated[pair], n),
        np.bincount(distinct_holders // (c.nodes + 1), k * (k - 1) // 2, n),
    )
    return name_kinds(counters, settings, exempt)


def suspected(
    articles: NDArray[np.int64], top: NDArray[np.int64], settings: Settings
) -> NDArray[np.bool_]:
    """Passages (bool) that one outlet repeats, ``top`` times in ``articles``.

    A majority: houses that publish under several domains lend each other their furniture.
    """
    share = top / np.maximum(1, articles)
    return np.asarray((articles >= settings.furniture_articles) & (share > 0.5))


def name_kinds(
    n: PassageCounters, settings: Settings, exempt: NDArray[np.bool_]
) -> PassageStatistics:
    """The kind of every shared passage by its counters; ``exempt`` ones (bool) are no furniture."""
    articles, outlets, days, top = n.articles, n.outlets, n.days, n.top
    sizes = np.maximum(1, n.occurrences)
    quoted, edge, made = n.said / sizes, n.edge / sizes, n.template / sizes
    top_outlet = top / np.maximum(1, articles)
    one_outlet = suspected(articles, top, settings)
    compared = n.links + n.identical
    unrelated = np.where(compared > 0, n.unrelated / np.maximum(1, compared), 1.0)
    spread = days > 30
    repeated = (
        one_outlet
        & (unrelated >= 0.5)
        & ((quoted < 0.5) | (articles >= 8))
        & ((edge >= 0.5) | (articles >= 6) | spread)
    )
    everywhere = (
        (articles >= 2 * settings.furniture_articles)
        & (unrelated >= 0.8)
        & (quoted < 0.3)
        & spread
        & (edge >= 0.6)
    ) | (
        # Within days, too, where nearly all have it at the head or tail and none in quotes.
        (articles >= 4 * settings.furniture_articles)
        & (unrelated >= 0.9)
        & (quoted < 0.1)
        & (edge >= 0.85)
    )
    # Author's notes and captions that only two articles of an outlet at hand have.
    rare = (
        (articles >= 2)
        & (articles < settings.furniture_articles)
        & (top == articles)
        & (unrelated == 1.0)
        & (edge == 1.0)
        & (quoted < 0.5)
        & (days > 7)
    )
    statement = (outlets >= 4) & (unrelated >= 0.8) & ~spread
    kind = np.where(
        ~exempt & (repeated | everywhere | rare | ((made >= 0.6) & (top_outlet >= 0.6))),
        BOILERPLATE,
        np.where((quoted >= 0.5) | statement, QUOTE, PROSE),
    ).astype(np.int8)
    return PassageStatistics(
        articles, outlets, n.outletless, days, top_outlet, quoted, edge, unrelated, kind
    )


def no_statistics(c: Collection) -> tuple[SharedPassages, PassageStatistics]:
    """Empty corpus statistics, to classify the matches of two texts on their own."""
    none = np.empty(0, np.int64)
    real = np.empty(0, np.float64)
    shared = SharedPassages(
        np.zeros(1, np.int64), none, none, np.full(len(c.p_start), -1, np.int32)
    )
    statistics = PassageStatistics(
        none, none, none, none, real, real, real, real, np.empty(0, np.int8)
    )
    return shared, statistics
