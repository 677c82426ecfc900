"""Which articles are worth aligning: banded LSH over passages, checked passage by passage.

A collision is only a hint. It counts when the two passages share enough of their content words,
and an article pair goes on only if what such passages share carries enough information by the
frozen background table, which does not depend on the dump.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dedup.arena import Arena
from dedup.collection import all_there
from dedup.formerpairs import (
    Crowd,
    Former,
    KnownPassages,
    Similar,
    former_pairs,
)
from dedup.joining import room_for, similar_passages, spans
from dedup.kernels import pairs as kernels
from dedup.memory import release_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedup.collection import Collection, LayOut
    from dedup.config import Settings
    from dedup.joining import Joined, Pairs


PARTNERS = 2
"""An article is aligned with so many times ``max_partners`` others at most: its strongest."""
PAIR_FACTOR = 1.25
"""An article pair goes on whose alike passages share this many times ``min_prose_information``."""
QUOTED = 2.1
"""A passage that stands in quotation marks anywhere counts this many times for such a pair."""
SHORT = 0.1
"""Less will do for short articles: this share of the shorter one's information, and at least
``min_information``."""
LEAST_CONTENT = 3
"""Content words below which a passage is never looked for elsewhere."""
PAIRS_AT_ONCE = 2**20
"""Pairs that one thread looks at together, if there are few."""
PORTIONS = 16
"""If there are many, a thread takes one in so many of them; each portion looks through all."""
ARTICLES_AT_ONCE = 2**15
"""Articles whose passages are counted together; bounds memory."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """``a``, ``b`` int64 nodes (a < b, sorted) and ``weight`` int32 eighths of a bit.

    ``similar``, ``crowd``: what they rest on, as it can be handed to a later run; the latter is
    what this run adds to what it was handed. Both are empty where no run follows.
    ``u_start`` int64 (unique passages + 1) and ``u_passage`` int64: the occurrences of every
    distinct indexed passage, ordered by node. ``capped`` counts what caps cut (``buckets``,
    ``links``, ``passages``, ``pairs``), and under ``collisions`` the article pairs looked at.
    ``apart``: passages with the same key have the same words.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.int32]
    u_start: NDArray[np.int64]
    u_passage: NDArray[np.int64]
    similar: Similar
    crowd: Crowd
    capped: dict[str, int]
    apart: bool


def without_passages(candidates: Candidates) -> Candidates:
    """The candidates without their passages, which have their use in sharing these."""
    return replace(candidates, u_start=np.zeros(1, np.int64), u_passage=np.empty(0, np.int64))


def indexed_passages(c: Collection, settings: Settings) -> NDArray[np.int64]:
    """Passages (int64) that say enough to be looked for elsewhere."""
    content = np.diff(c.p_content)
    enough = (c.p_information >= settings.min_information) & (content >= LEAST_CONTENT)
    return np.flatnonzero(enough)


class SameWords:
    """Which passages with the same key have the same words: but for texts built to collide, all.

    Where ``apart`` says that the passages of ``known`` nodes (bool) with the same key had the same
    words when they were looked at, only others are compared, after ``lay_out`` was asked for their
    tokens. ``apart`` says afterwards whether it holds of all.
    """

    def __init__(
        self,
        c: Collection,
        known: NDArray[np.bool_] | None = None,
        apart: bool = False,
        lay_out: LayOut = all_there,
    ) -> None:
        self._c, self._lay_out = c, lay_out
        self._known = known if apart and known is not None else np.zeros(c.nodes, bool)
        self.apart = True

    def of(self, leader: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether passages ``other`` have the words of ``leader`` (int64, both of one key; leaders
        in groups). Bool."""
        node = self._c.p_article
        known, led = self._known[node[other]], self._known[node[leader]]
        # Of the known ones behind a leader that is not, one stands for all.
        follows = np.flatnonzero(known & ~led)
        behind = leader[follows]
        stands = follows[np.append(True, behind[1:] != behind[:-1])] if len(follows) else follows
        doubtful = np.sort(np.append(np.flatnonzero(~known), stands))
        found = np.ones(len(leader), bool)
        found[doubtful] = self._compared(leader[doubtful], other[doubtful])
        if not found.all():
            self.apart = False
            found = self._compared(leader, other)
        return found

    def _compared(self, leader: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        c = self._c
        self._lay_out(c.p_article[np.append(leader, other)].astype(np.int64))
        same = np.empty(len(leader), np.uint8)
        kernels.equal_passages(leader, other, c.p_token, c.t_word, same)
        return same > 0


def unique_passages(
    c: Collection, settings: Settings, same_words: SameWords | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group indexed passages by their words: ``(start, member)`` (int64), the passages of each
    group in order.

    Groups are in the order of their keys, whatever texts they stand in. ``same_words`` says which
    passages with the same key have the same words; without it they are looked at.
    """
    same_words = same_words or SameWords(c)
    indexed = indexed_passages(c, settings)
    key = c.p_key[indexed]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    new = np.ones(len(order), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    begin = np.flatnonzero(new)
    member = indexed[order]
    repeats = np.flatnonzero(~new)
    if len(repeats):
        leader = member[begin][np.cumsum(new) - 1]
        wrong = repeats[~same_words.of(leader[repeats], member[repeats])]
        if len(wrong):
            # Texts built to collide: each stands alone.
            keep = np.ones(len(order), bool)
            keep[wrong] = False
            member = np.concatenate([member[keep], member[wrong]])
            new = np.concatenate([new[keep], np.ones(len(wrong), bool)])
            begin = np.flatnonzero(new)
    return np.append(begin, len(member)).astype(np.int64), member


def worth_eighths(information: NDArray[np.float32], quoted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """What passages count for a pair of articles that hold them (int32 eighths of a bit)."""
    eighths = (information * 8).astype(np.int32)
    return np.asarray((eighths * np.where(quoted, QUOTED, 1)).astype(np.int32))


def common_eighths(
    information: NDArray[np.float32],
    quoted: NDArray[np.bool_],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    shared: NDArray[np.int32],
) -> NDArray[np.int32]:
    """What similar passages ``u`` and ``v`` count for two articles that hold one each (int32
    eighths of a bit): the part of the lesser one's information that is common.

    ``shared`` in quarters of a bit; ``information`` and ``quoted`` by passage.
    """
    worth = np.where(quoted, QUOTED, 1)
    eighths = (information * 8).astype(np.int32)
    lesser = np.minimum(eighths[u], eighths[v])
    common = np.minimum(1.0, 2 * shared / np.maximum(1, lesser))
    return np.asarray((common * np.maximum(worth[u], worth[v]) * lesser).astype(np.int32))


def least_information(shorter: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    """Bits from which a pair of articles is aligned, by the information of the shorter one."""
    return np.minimum(
        PAIR_FACTOR * settings.min_prose_information,
        np.maximum(SHORT * shorter, settings.min_information),
    )


def _handed_on(first: NDArray[np.int64], joined: Joined, former: Former | None) -> Similar:
    """What a later run can do without finding anew; nothing where no run follows."""
    if former is None:
        nothing = np.empty(0, np.int64)
        return Similar(nothing, nothing, np.empty(0, np.int32), np.empty(0, bool))
    known = former.known
    u, v = numbers_of(joined.pairs)
    return Similar(
        first[np.append(u, joined.cut_u)],
        first[np.append(v, joined.cut_v)],
        np.append(joined.shared, np.zeros(len(joined.cut_u), np.int32)),
        np.append(~(known[u] & known[v]), np.ones(len(joined.cut_u), bool)),
    )


def numbers_of(pairs: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both numbers (int64) of pairs, the lesser one first."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & kernels.LOW).astype(np.int64)


def _kept(pairs: Pairs, keep: NDArray[np.bool_]) -> Pairs:
    return pairs[0][keep], pairs[1][keep]


@dataclass(frozen=True, slots=True)
class _Holders:
    """Distinct passages with their holders: ``start`` int64 (passages + 1), ``article`` int32
    ascending; ``information`` float32, ``quoted`` bool (passages,)."""

    start: NDArray[np.int64]
    article: NDArray[np.int32]
    information: NDArray[np.float32]
    quoted: NDArray[np.bool_]

    @classmethod
    def of(cls, c: Collection, start: NDArray[np.int64], member: NDArray[np.int64]) -> _Holders:
        """From the passages of each group, see :func:`unique_passages`."""
        first = member[start[:-1]]
        quoted = np.zeros(len(first), np.uint8)
        if len(first):
            quoted = np.maximum.reduceat(c.p_quoted[member], start[:-1])
        article = c.p_article[member]
        # Two of a kind in one article are one holder: keep the first.
        fresh = np.ones(len(member), bool)
        fresh[1:] = article[1:] != article[:-1]
        fresh[start[:-1]] = True
        holders = np.concatenate([[0], np.cumsum(fresh)])[start].astype(np.int64)
        return cls(holders, article[fresh], c.p_information[first], quoted > 0)

    def common(self, similar: Pairs) -> NDArray[np.int32]:
        """What similar passages count for two articles that hold one each, see
        :func:`common_eighths`."""
        pairs, shared = similar
        common = np.empty(len(pairs), np.int32)
        for rows in spans(len(pairs), PAIRS_AT_ONCE):
            u, v = numbers_of(pairs[rows])
            common[rows] = common_eighths(self.information, self.quoted, u, v, shared[rows])
        return common


def article_pairs(
    start: NDArray[np.int64],
    article: NDArray[np.int32],
    eighths: NDArray[np.int32],
    links: Pairs,
    information: NDArray[np.float64],
    settings: Settings,
    threads: int = 1,
) -> tuple[Pairs, int, int]:
    """Pairs of articles (uint64, ascending: lesser one high, greater low) that hold the same
    passage or two that are linked, and share enough to be aligned, with what they share (int32
    eighths of a bit); how many pairs were looked at, and how many passages and links the cap cut.

    ``start`` (passages + 1) and ``article`` (ascending inside a passage): who holds what;
    ``eighths`` what each passage counts (:func:`worth_eighths`); ``links`` pairs of passages
    (lesser number high) with what each counts. ``information`` of each article in bits.
    """
    pairs, common = links
    counts = np.zeros(len(information), np.int64)
    caps = settings.max_partners, settings.representatives
    capped = kernels.count_article_pairs(start, article, pairs, *caps, counts)

    def work(span: tuple[int, int]) -> tuple[Pairs, int]:
        room = max(1, int(counts[slice(*span)].sum()))
        keys, weights = np.empty(room, np.uint64), np.empty(room, np.int32)
        n = kernels.article_pairs(
            start, article, eighths, pairs, common, *caps, *span, keys, weights
        )
        keys, weights = keys[:n], weights[:n]
        total = np.empty(n, np.int64)
        n = kernels.summed_pairs(keys, weights, *room_for(keys, len(information)), total)
        one, two = numbers_of(keys[:n])
        least = least_information(np.minimum(information[one], information[two]), settings)
        enough = total[:n] >= least * 8
        weight = np.minimum(total[:n][enough], 2**31 - 1).astype(np.int32)
        return (keys[:n][enough], weight), n

    found: list[Pairs] = [(np.empty(0, np.uint64), np.empty(0, np.int32))]
    collisions = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for some, n in pool.map(work, _portions(counts)):
            found.append(some)
            collisions += n
    keys, weights = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return (keys, weights), collisions, int(capped)


def _portions(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of articles that have so many pairs each as are looked at together, or are one article
    that has more; ``counts`` int64 pairs of each article."""
    ends = np.cumsum(counts)
    at_once = max(PAIRS_AT_ONCE, int(counts.sum()) // PORTIONS)
    out: list[tuple[int, int]] = []
    begin = 0
    while begin < len(counts):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + at_once, side="right")))
        out.append((begin, end))
        begin = end
    return out


def _information(c: Collection) -> NDArray[np.float64]:
    """Bits of all passages of each article (float64, nodes)."""
    out = np.zeros(c.nodes)
    for nodes in spans(c.nodes, ARTICLES_AT_ONCE):
        rows = slice(c.d_passage[nodes.start], c.d_passage[nodes.stop])
        own = c.p_article[rows] - np.int32(nodes.start)
        out[nodes] = np.bincount(own, c.p_information[rows], nodes.stop - nodes.start)
    return out


def find_candidates(
    c: Collection,
    settings: Settings,
    *,
    earlier: KnownPassages | None = None,
    lay_out: LayOut = all_there,
    threads: int = 1,
    arena: Arena | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Candidate pairs of nodes; a pure function of the texts and the settings.

    ``earlier`` saves comparing what earlier runs compared; the candidates are the same. Without it
    (a scan) nothing is handed on. ``lay_out`` is asked for the tokens that are looked at. Where
    ``arena`` spills, arrays that wait are in its files.
    """
    arena = arena or Arena()
    same_words = SameWords(c)
    if earlier is not None:
        same_words = SameWords(c, earlier.known, earlier.apart, lay_out)
    start, member = (arena.keep(array) for array in unique_passages(c, settings, same_words))
    first = arena.keep(member[start[:-1]])
    release_memory()
    former = None
    if earlier is not None:
        former = former_pairs(c, start, member, earlier, settings)
    joined = similar_passages(c, first, settings, threads, arena, progress, former)
    release_memory()
    keep = kernels.bounded_edges(
        joined.pairs,
        joined.shared,
        len(first),
        settings.max_partners,
        settings.representatives,
        settings.representatives,
    )
    similar = _handed_on(first, joined, former)
    crowd, buckets = joined.crowd, joined.full
    links = len(keep) - int(keep.sum())
    alike = _kept((joined.pairs, joined.shared), keep)
    del joined, keep, first
    held = _Holders.of(c, start, member)
    found, collisions, capped = article_pairs(
        held.start,
        held.article,
        worth_eighths(held.information, held.quoted),
        (alike[0], held.common(alike)),
        _information(c),
        settings,
        threads,
    )
    del alike, held
    keep = kernels.bounded_edges(
        *found,
        c.nodes,
        PARTNERS * settings.max_partners,
        settings.representatives,
        PARTNERS * settings.max_partners,
    )
    pairs, weight = _kept(found, keep)
    return Candidates(
        *numbers_of(pairs),
        weight,
        start,
        member,
        similar,
        crowd,
        {
            "buckets": buckets,
            "links": links,
            "passages": capped,
            "pairs": len(keep) - len(pairs),
            "collisions": collisions,
        },
        same_words.apart,
    )
