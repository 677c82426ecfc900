"""Which articles are worth aligning: banded LSH over passages, checked passage by passage.

A collision is only a hint. It counts when the two passages share enough of their content words,
and an article pair goes on only if what such passages share carries enough information by the
frozen background table, which does not depend on the dump.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.formerpairs import (
    Crowd,
    Former,
    KnownPassages,
    Similar,
    crowd_of,
    former_pairs,
    holding,
    no_crowd,
    places,
)
from dedup.kernels import bands
from dedup.kernels import crowd as crowd_kernels
from dedup.kernels import pairs as kernels
from dedup.memory import release_memory
from dedup.sketch import scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings

    _Pairs = tuple[NDArray[np.uint64], NDArray[np.int32]]

BUCKET_CAP = 64
BUCKET_REPRESENTATIVES = 8
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
BANDS_AT_ONCE = 7
"""Bands that one thread joins one after another, not more than are hashed at once; bounds
memory."""
LEAST_AGREEMENT = 0.85
"""Share of the sensitivity that the Jaccard index of two passages' content words must reach."""
MERGE_AT = 3_000_000
"""Pairs of passages found before repeats among them are merged; bounds memory."""
LEAST_SHARED = 0.5
"""Share of ``min_information`` that two passages must have in common to count as alike."""
ALIKE = 1.0
"""Share of ``min_similarity`` that their Dice coefficient by information must reach."""
INSIDE = 0.8
"""Share of the lesser passage's information that may stand for it (one holds the other)."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """``a``, ``b`` int64 nodes (a < b, sorted) and ``weight`` int32 eighths of a bit.

    ``similar``, ``crowd``: what they rest on, as it can be handed to a later run; the latter is
    what this run adds to what it was handed. Both are empty where no run follows.
    ``u_start`` int64 (unique passages + 1) and ``u_passage`` int64: the occurrences of every
    distinct indexed passage, ordered by node. ``capped`` counts what caps cut (``buckets``,
    ``links``, ``passages``, ``pairs``), and under ``collisions`` the article pairs looked at.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.int32]
    u_start: NDArray[np.int64]
    u_passage: NDArray[np.int64]
    similar: Similar
    crowd: Crowd
    capped: dict[str, int]


def indexed_passages(c: Collection, settings: Settings) -> NDArray[np.int64]:
    """Passages (int64) that say enough to be looked for elsewhere."""
    content = np.diff(c.p_content)
    enough = (c.p_information >= settings.min_information) & (content >= LEAST_CONTENT)
    return np.flatnonzero(enough)


def unique_passages(
    c: Collection, settings: Settings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group indexed passages by their words: ``(start, member)`` (int64), the passages of each
    group in order.

    Groups are in the order of their keys, whatever texts they stand in.
    """
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
        same = np.empty(len(repeats), np.uint8)
        kernels.equal_passages(leader[repeats], member[repeats], c.p_token, c.t_word, same)
        wrong = repeats[same == 0]
        if len(wrong):
            # Texts built to collide: each stands alone.
            keep = np.ones(len(order), bool)
            keep[wrong] = False
            member = np.concatenate([member[keep], member[wrong]])
            new = np.concatenate([new[keep], np.ones(len(wrong), bool)])
            begin = np.flatnonzero(new)
    return np.append(begin, len(member)).astype(np.int64), member


def _distinct(parts: list[_Pairs], passages: int) -> _Pairs:
    """Pairs that several bands found, once each, in order, with what they share; ``parts`` is
    emptied."""
    pairs, shared = _one_after_another(parts)
    n = kernels.distinct_pairs(pairs, shared, *_room(pairs, passages))
    return pairs[:n].copy(), shared[:n].copy()


def _one_after_another(parts: list[_Pairs]) -> _Pairs:
    """All parts as one, as they are; ``parts`` is emptied."""
    if len(parts) == 1:
        return parts.pop()
    pairs, shared = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    parts.clear()
    return pairs, shared


def _room(
    pairs: NDArray[np.uint64], numbers: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int32]]:
    """Scratch to bring ``pairs`` of so many numbers into order (``kernels.put_in_order``)."""
    return (
        np.empty(numbers + 1, np.int64),
        np.empty(len(pairs), np.uint64),
        np.empty(len(pairs), np.int32),
    )


@dataclass(frozen=True, slots=True)
class _Joined:
    """All similar pairs of distinct passages (``u < v``, sorted; int64 numbers) with what they
    share (int32), those that earlier runs compared and no bucket compares any longer (``cut_u``,
    ``cut_v`` int64), passages in full buckets whose role (``crowd.take_roles``) is new, and how
    many of these buckets were looked at."""

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    shared: NDArray[np.int32]
    cut_u: NDArray[np.int64]
    cut_v: NDArray[np.int64]
    crowd: Crowd
    full: int


def _similar_passages(
    c: Collection,
    passage: NDArray[np.int64],
    settings: Settings,
    threads: int,
    progress: Callable[[int, int], None] | None,
    former: Former | None = None,
) -> _Joined:
    """Pairs of distinct passages that collide in a band and prove alike.

    ``former``: which of them were joined before, and with what outcome; its roles are brought up to
    date.
    """
    plan = scheme(settings)
    # The kernel numbers them as they stand in memory.
    place = places(passage, len(c.p_start))
    standing = passage[place]
    mixed = bands.mixed_hashes(c.v_hash)
    # Arrays of numpy are in large pages of memory; those of kernels are not.
    card = np.zeros((len(passage), 4), np.uint64)
    bands.cards(standing, c.p_content, c.c_word, c.p_information, mixed, card)
    known = np.zeros(len(passage), bool) if former is None else former.known[place]
    fresh = (~known).view(np.uint8)

    def join(first: int) -> tuple[_Pairs, int, NDArray[np.uint8], NDArray[np.uint8] | None]:
        rows = slice(first * plan.rows, min(first + BANDS_AT_ONCE, plan.bands) * plan.rows)
        loose = np.zeros(len(passage), np.uint8)
        shape = len(passage), min(first + BANDS_AT_ONCE, plan.bands) - first
        keys, roles = np.empty(shape, np.uint32), np.zeros(shape, np.uint8)
        pairs, shared, capped = bands.join_bands(
            standing,
            c.p_content,
            c.p_key,
            c.c_word,
            c.v_bits,
            mixed,
            card,
            plan.a[rows],
            plan.b[rows],
            plan.rows,
            LEAST_AGREEMENT * settings.sensitivity,
            LEAST_SHARED * settings.min_information * 4,
            ALIKE * settings.min_similarity,
            INSIDE,
            BUCKET_CAP,
            BUCKET_REPRESENTATIVES,
            fresh,
            loose,
            keys,
            roles,
            np.empty((2, len(passage)), np.uint64),
        )
        return (pairs, shared), int(capped), loose, None if former is None else roles

    parts: list[_Pairs] = [(np.empty(0, np.uint64), np.empty(0, np.int32))]
    changed = np.zeros(len(passage), bool)
    capped = 0
    loose = np.zeros(len(passage), np.uint8)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        firsts = range(0, plan.bands, BANDS_AT_ONCE)
        for first, (pairs, full, some, roles) in zip(firsts, pool.map(join, firsts), strict=True):
            parts.append(pairs)
            if full and former is not None and roles is not None:
                crowd_kernels.take_roles(roles, first, former.role, changed)
            capped += full
            loose |= some
            if sum(len(p) for p, _ in parts) > MERGE_AT:
                parts = [_distinct(parts, len(passage))]
                release_memory()
            if progress:
                progress(min(first + BANDS_AT_ONCE, plan.bands), plan.bands)
    found, common = _one_after_another(parts)
    one = place[(found >> np.uint64(32)).astype(np.int64)]
    two = place[(found & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    cut_u = cut_v = np.empty(0, np.int64)
    crowd = no_crowd()
    if former is not None:
        crowd = crowd_of(standing[changed], former.role[changed])
        marks = np.zeros(len(passage), np.uint8)
        marks[place] = loose
        keep = holding(c, passage, place, settings, former, marks)
        cut_u, cut_v = former.u[~keep], former.v[~keep]
        one, two = np.append(one, former.u[keep]), np.append(two, former.v[keep])
        common = np.append(common, former.shared[keep])
    renamed = [(((np.minimum(one, two) << 32) | np.maximum(one, two)).view(np.uint64), common)]
    del one, two, found, common
    found, common = _distinct(renamed, len(passage))
    return _Joined(
        (found >> np.uint64(32)).astype(np.int64),
        (found & np.uint64(0xFFFFFFFF)).astype(np.int64),
        common,
        cut_u,
        cut_v,
        crowd,
        capped,
    )


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


def _handed_on(first: NDArray[np.int64], joined: _Joined, former: Former | None) -> Similar:
    """What a later run can do without finding anew; nothing where no run follows."""
    if former is None:
        nothing = np.empty(0, np.int64)
        return Similar(nothing, nothing, np.empty(0, np.int32), np.empty(0, bool))
    known = former.known
    return Similar(
        first[np.append(joined.u, joined.cut_u)],
        first[np.append(joined.v, joined.cut_v)],
        np.append(joined.shared, np.zeros(len(joined.cut_u), np.int32)),
        np.append(~(known[joined.u] & known[joined.v]), np.ones(len(joined.cut_u), bool)),
    )


def _article_pairs(
    c: Collection,
    start: NDArray[np.int64],
    member: NDArray[np.int64],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    shared: NDArray[np.int32],
    settings: Settings,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Pairs of articles (int64 ``one`` < ``two``, in order) that hold the same passage (``start``,
    ``member``: see :func:`unique_passages`) or similar ones (``u``, ``v``, ``shared``), with what
    these count together (int64 eighths of a bit), and how many passages the cap cut."""
    first = member[start[:-1]]
    says = c.p_information[first]
    quoted = np.zeros(len(first), np.uint8)
    if len(first):
        quoted = np.maximum.reduceat(c.p_quoted[member], start[:-1])
    article = c.p_article[member]
    # Two of a kind in one article are one holder: keep the first.
    group = np.repeat(np.arange(len(first)), np.diff(start))
    fresh = np.ones(len(member), bool)
    if len(member):
        fresh[1:] = (group[1:] != group[:-1]) | (article[1:] != article[:-1])
    holders = np.concatenate([[0], np.cumsum(fresh)])[start].astype(np.int64)
    article = article[fresh]
    common = common_eighths(says, quoted > 0, u, v, shared)
    eighths = worth_eighths(says, quoted > 0)
    room = max(1024, 4 * (len(article) + len(u)))
    while True:
        keys, weights = np.empty(room, np.uint64), np.empty(room, np.int32)
        n, capped = kernels.article_pairs(
            holders,
            article,
            eighths,
            u,
            v,
            common,
            settings.max_partners,
            settings.representatives,
            keys,
            weights,
        )
        if n <= room:
            break
        room = n
    keys, weights = keys[:n], weights[:n]
    total = np.empty(n, np.int64)
    m = kernels.summed_pairs(keys, weights, *_room(keys, c.nodes), total)
    return (
        (keys[:m] >> np.uint64(32)).astype(np.int64),
        (keys[:m] & np.uint64(0xFFFFFFFF)).astype(np.int64),
        total[:m].copy(),
        int(capped),
    )


def find_candidates(
    c: Collection,
    settings: Settings,
    *,
    earlier: KnownPassages | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Candidate pairs of nodes; a pure function of the texts and the settings.

    ``earlier`` saves comparing what earlier runs compared; the candidates are the same. Without it
    (a scan) nothing is handed on.
    """
    start, member = unique_passages(c, settings)
    first = member[start[:-1]]
    release_memory()
    former = None
    if earlier is not None:
        former = former_pairs(c, start, member, earlier, settings)
    joined = _similar_passages(c, first, settings, threads, progress, former)
    keep = kernels.bounded_edges(
        joined.u,
        joined.v,
        joined.shared.astype(np.int64),
        len(first),
        settings.max_partners,
        settings.representatives,
        settings.representatives,
    )
    u, v, shared = joined.u[keep], joined.v[keep], joined.shared[keep]
    links = len(keep) - len(u)
    similar = _handed_on(first, joined, former)
    crowd, buckets = joined.crowd, joined.full
    del joined, keep
    one, two, weights, capped = _article_pairs(c, start, member, u, v, shared, settings)
    del u, v, shared
    information = np.bincount(c.p_article, c.p_information, c.nodes)
    least = least_information(np.minimum(information[one], information[two]), settings)
    enough = weights >= least * 8
    a, b = one[enough], two[enough]
    weight = np.minimum(weights[enough], 2**31 - 1)
    keep = kernels.bounded_edges(
        a,
        b,
        weight,
        c.nodes,
        PARTNERS * settings.max_partners,
        settings.representatives,
        PARTNERS * settings.max_partners,
    )
    return Candidates(
        a[keep],
        b[keep],
        weight[keep].astype(np.int32),
        start,
        member,
        similar,
        crowd,
        {
            "buckets": buckets,
            "links": links,
            "passages": int(capped),
            "pairs": int(len(a) - keep.sum()),
            "collisions": len(one),
        },
    )
