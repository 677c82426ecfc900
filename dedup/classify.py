"""Shared quotes, furniture and copied narrative told apart; relations of article pairs.

Furniture is a statistic first: a passage that *otherwise unrelated* articles of one outlet
repeat (passim's share of links within one outlet, Smith et al. 2014, is the ancestor), at the
edge of the text, over time. Quotes are quoted text, and statements that many independent
outlets share and nothing else. What is left is narrative; how much of it the shorter article
holds decides between ``partial`` and ``copy``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.align import Alignment, similarities
from dedup.kernels import spans as kernels
from dedup.passages import SharedPassages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection, RecordArrays
    from dedup.config import Settings

PROSE, QUOTE, BOILERPLATE = 0, 1, 2
MOST_PLAIN = 0.4
"""Share of a quote's letters that may stand outside quotation marks (a lead-in, a tag)."""
MOST_LETTERS = 250
"""Letters outside quotation marks, of each side, from which a match is narrative anyhow."""
SHARE_OF_TEXT = 0.1
"""Share of the shorter text's information from which prose of any length counts as shared."""
LEAST_LINKS = 0.1
"""Share of function words in a text below which nothing can be said from their absence."""
UNRELATED = 0.3
"""Share of the shorter article below which a pair counts as otherwise unrelated."""


@dataclass(frozen=True, slots=True)
class PassageStatistics:
    """Corpus statistics of every shared passage; integer counters and their ratios.

    ``articles``, ``outlets``, ``days`` int64; ``outletless`` int64 articles that name no outlet
    (each may be one of its own); ``top_outlet`` share of the articles in the
    commonest outlet; ``quoted`` and ``edge`` share of occurrences in quotation marks and at
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
class Matches:
    """Matches with their kinds, as token spans; sorted by (pair, a0).

    ``pair`` int64 index into the alignment's pairs, ``a0, a1, b0, b1`` int64 tokens,
    ``similarity``, ``bits`` float64, ``kind`` int8, ``passage`` int32 shared passage or -1.
    """

    pair: NDArray[np.int64]
    a0: NDArray[np.int64]
    a1: NDArray[np.int64]
    b0: NDArray[np.int64]
    b1: NDArray[np.int64]
    similarity: NDArray[np.float64]
    bits: NDArray[np.float64]
    kind: NDArray[np.int8]
    passage: NDArray[np.int32]


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct values, ascending; by sorting, which beats numpy's hash table on millions."""
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


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
    pairs = len(alignment.pair_a)
    letters = kernels.letters_of_spans(c.p_token[:-1], c.p_token[1:], c.t_start, c.t_end)
    in_suspect = np.append(suspect, False)[shared.of_passage]
    outside = np.bincount(c.p_article, letters * ~in_suspect, c.nodes)
    share = np.zeros(pairs)
    least = np.full(pairs, np.inf)
    for nodes, link in (
        (alignment.pair_a, alignment.link_a),
        (alignment.pair_b, alignment.link_b),
    ):
        pair = alignment.pair[alignment.match]
        # A passage linked twice counts once.
        packed = distinct(pair * np.int64(len(letters) + 1) + link)
        pair, passage = packed // (len(letters) + 1), packed % (len(letters) + 1)
        common = np.bincount(pair, letters[passage] * ~in_suspect[passage], pairs)
        share = np.maximum(share, common / np.maximum(1.0, outside[nodes]))
        least = np.minimum(least, outside[nodes] / np.maximum(1, c.d_letters[nodes]))
    return (share < UNRELATED) & ((least >= 0.2) | (days_apart > 14))


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
    settings: Settings,
) -> PassageStatistics:
    """Count who repeats each shared passage, where and when, and name its kind."""
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

    sizes = np.maximum(1, np.diff(shared.start))
    owner = np.repeat(np.arange(n), np.diff(shared.start))
    quoted = np.bincount(owner, c.p_quoted[shared.passage], n) / sizes
    node = c.p_article[shared.passage]
    place = shared.passage - c.d_passage[node]
    count = c.d_passage[node + 1] - c.d_passage[node]
    at_edge = (place < 2) | (place >= 0.8 * count)
    edge = np.bincount(owner, at_edge, n) / sizes

    top_outlet = top / np.maximum(1, articles)
    # A majority: houses that publish under several domains lend each other their furniture.
    one_outlet = (articles >= settings.furniture_articles) & (top_outlet > 0.5)
    first_day = np.full(c.nodes, -1, np.int64)
    first_day[records.node[::-1]] = records.day[::-1]
    day_a, day_b = first_day[alignment.pair_a], first_day[alignment.pair_b]
    apart = np.where((day_a >= 0) & (day_b >= 0), np.abs(day_a - day_b), 0)
    is_unrelated = unrelated_pairs(c, shared, alignment, one_outlet, apart)
    of_link = shared.of_passage[alignment.link_a]
    other = shared.of_passage[alignment.link_b]
    linked = (of_link >= 0) & (of_link == other)
    pair = alignment.pair[alignment.match[linked]]
    seen = np.bincount(of_link[linked], minlength=n)
    low = np.bincount(of_link[linked], is_unrelated[pair], n)
    # Articles with one and the same text were not aligned, and are anything but unrelated.
    copies = np.diff(records.start)
    distinct_holders = distinct(owner * np.int64(c.nodes + 1) + node)
    k = copies[distinct_holders % (c.nodes + 1)]
    inside = np.bincount(distinct_holders // (c.nodes + 1), k * (k - 1) // 2, n)
    unrelated = np.where(seen + inside > 0, low / np.maximum(1, seen + inside), 1.0)

    spread = days > 30
    made = np.bincount(owner, template[shared.passage], n) / sizes
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
    statement = (outlets >= 4) & (unrelated >= 0.8) & ~spread
    kind = np.where(
        repeated | everywhere | ((made >= 0.6) & (top_outlet >= 0.6)),
        BOILERPLATE,
        np.where((quoted >= 0.5) | statement, QUOTE, PROSE),
    ).astype(np.int8)
    outletless = np.bincount(cluster[~known], minlength=n)
    return PassageStatistics(
        articles, outlets, outletless, days, top_outlet, quoted, edge, unrelated, kind
    )


def node_outlets(nodes: int, records: RecordArrays) -> NDArray[np.int64]:
    """Outlet of the first record of each node (int64, -1 unknown)."""
    outlet = np.full(nodes, -1, np.int64)
    outlet[records.node[::-1]] = records.outlet[::-1]
    return outlet


def classify_matches(
    c: Collection,
    alignment: Alignment,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    outlet: NDArray[np.int64],
    settings: Settings,
) -> Matches:
    """Cut furniture out of matches and name each match's kind.

    ``template`` (bool, passages) marks what an outlet's page template makes; it counts as
    furniture between two articles of that outlet (``outlet``, int64, nodes).

    A match with furniture inside is split along the passages that carry it; similarity is
    taken again for every part, so that each holds on the text.
    """
    of_a, of_b = shared.of_passage[alignment.link_a], shared.of_passage[alignment.link_b]
    kind_of = np.append(statistics.kind, PROSE)
    furniture = (kind_of[of_a] == BOILERPLATE) | (kind_of[of_b] == BOILERPLATE)
    node_a = outlet[c.p_article[alignment.link_a]]
    same_outlet = (node_a >= 0) & (node_a == outlet[c.p_article[alignment.link_b]])
    furniture |= same_outlet & (template[alignment.link_a] | template[alignment.link_b])
    order = np.lexsort((alignment.link_b, alignment.link_a, alignment.match))
    match, flag = alignment.match[order], furniture[order]
    link_a, link_b = alignment.link_a[order], alignment.link_b[order]
    cosine = alignment.cosine[order]
    new = np.ones(len(order), bool)
    new[1:] = (match[1:] != match[:-1]) | (flag[1:] != flag[:-1])
    begin = np.flatnonzero(new)
    if not len(begin):
        empty = np.empty(0, np.int64)
        real = np.empty(0, np.float64)
        return Matches(
            empty,
            empty,
            empty,
            empty,
            empty,
            real,
            real,
            empty.astype(np.int8),
            empty.astype(np.int32),
        )
    end = np.append(begin[1:], len(order))
    owner = match[begin]
    whole = (np.append(owner[1:], -1) != owner) & (np.append(-1, owner[:-1]) != owner)
    first_a, last_a = np.minimum.reduceat(link_a, begin), np.maximum.reduceat(link_a, begin)
    first_b, last_b = np.minimum.reduceat(link_b, begin), np.maximum.reduceat(link_b, begin)
    is_first = np.append(-1, owner[:-1]) != owner
    is_last = np.append(owner[1:], -1) != owner
    a0 = np.where(is_first, alignment.a0[owner], c.p_token[first_a])
    a1 = np.where(is_last, alignment.a1[owner], c.p_token[last_a + 1])
    b0 = np.maximum(c.p_token[first_b], alignment.b0[owner])
    b1 = np.minimum(c.p_token[last_b + 1], alignment.b1[owner])
    b0 = np.where(whole, alignment.b0[owner], b0)
    b1 = np.where(whole, alignment.b1[owner], b1)
    a0 = np.maximum(a0, alignment.a0[owner])
    a1 = np.minimum(a1, alignment.a1[owner])

    similarity = alignment.similarity[owner].copy()
    bits = alignment.bits[owner].copy()
    split = np.flatnonzero(~whole)
    if len(split):
        split = split[np.argsort(alignment.pair[owner[split]], kind="stable")]
        similarity[split], bits[split] = similarities(
            c, alignment, alignment.pair[owner[split]], a0[split], a1[split], b0[split], b1[split]
        )

    is_furniture = flag[begin]
    # Letters of the linked passages that stand outside quotation marks, on either side.
    letters_a = kernels.letters_of_spans(
        c.p_token[link_a], c.p_token[link_a + 1], c.t_start, c.t_end
    )
    letters_b = kernels.letters_of_spans(
        c.p_token[link_b], c.p_token[link_b + 1], c.t_start, c.t_end
    )
    kinds = kind_of[np.where(of_a >= 0, of_a, -1)][order]
    quoted_a = (c.p_quoted[link_a] > 0) | (kinds == QUOTE)
    quoted_b = (c.p_quoted[link_b] > 0) | (kinds == QUOTE)
    both = np.add.reduceat(letters_a + letters_b, begin)
    plain = np.add.reduceat(letters_a * ~quoted_a + letters_b * ~quoted_b, begin)
    quote = (plain < MOST_PLAIN * both) & (plain < 2 * MOST_LETTERS)
    kind = np.where(is_furniture, BOILERPLATE, np.where(quote, QUOTE, PROSE)).astype(np.int8)

    # The passage that stands for a match: its best-linked shared one.
    rank = np.where(of_a[order] >= 0, cosine * (letters_a + letters_b), -1.0)
    best = np.lexsort((link_a, -rank, np.repeat(np.arange(len(begin)), end - begin)))[begin]
    passage = of_a[order][best].astype(np.int32)

    keep = (similarity >= settings.min_similarity) & (bits > 0) & (a1 > a0) & (b1 > b0)
    keep &= (bits >= settings.min_information) | is_furniture
    prose = np.flatnonzero(keep & (kind == PROSE))
    prose = prose[
        weak_prose(
            c,
            alignment.pair_a[alignment.pair[owner[prose]]],
            alignment.pair_b[alignment.pair[owner[prose]]],
            (a0[prose], a1[prose], b0[prose], b1[prose]),
            bits[prose],
            settings.min_prose_information,
        )
    ]
    keep[prose] = False
    keep_index = np.flatnonzero(keep)
    pair = alignment.pair[owner]
    keep_index = keep_index[np.lexsort((b0[keep_index], a0[keep_index], pair[keep_index]))]
    i = keep_index
    return Matches(
        pair[i],
        a0[i],
        a1[i],
        b0[i],
        b1[i],
        similarity[i],
        bits[i],
        kind[i],
        passage[i],
    )


def weak_prose(
    c: Collection,
    node_a: NDArray[np.int64],
    node_b: NDArray[np.int64],
    spans: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    bits: NDArray[np.float64],
    least: float,
) -> NDArray[np.bool_]:
    """Prose matches (bool) that say too little to be more than a coincidence.

    ``spans``: tokens ``a0, a1, b0, b1`` in nodes ``node_a`` and ``node_b``; ``bits`` float64 what
    they share. Names of people, institutions and places are rare words that everybody strings
    together alike; copied prose is running text, with the function words of its language. So the
    bits count in proportion to the function words among the span's words, measured by the share
    of them in the two articles. ``least`` bits are enough, or :data:`SHARE_OF_TEXT` of the shorter
    text's information, so that short texts can be compared, too.
    """
    words = np.diff(c.p_token[c.d_passage])
    content, information = kernels.content_of_articles(
        c.d_passage, c.p_token, c.t_word, c.d_word, c.w_bits
    )
    links = 1.0 - content / np.maximum(1, words)
    a0, a1, b0, b1 = spans
    inside = kernels.content_of_spans(a0, a1, node_a, c.t_word, c.d_word, c.w_bits)
    inside += kernels.content_of_spans(b0, b1, node_b, c.t_word, c.d_word, c.w_bits)
    found = 1.0 - inside / np.maximum(1, a1 - a0 + b1 - b0)
    usual = (links[node_a] + links[node_b]) / 2
    running = np.where(
        usual >= LEAST_LINKS, np.minimum(1.0, found / np.maximum(usual, LEAST_LINKS)), 1.0
    )
    shorter = np.minimum(information[node_a], information[node_b])
    return np.asarray((bits * running < least) & (bits < SHARE_OF_TEXT * shorter))


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
