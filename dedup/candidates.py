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

from dedup.kernels import bands
from dedup.kernels import pairs as kernels
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

    ``similar``, ``crowd``: what they rest on, as it can be handed to a later run.
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


@dataclass(frozen=True, slots=True)
class Similar:
    """Pairs of distinct passages that a bucket compared and that proved alike.

    ``u``, ``v`` int64 passages (any of those with the same words), ``shared`` int32 quarters of a
    bit, ``fresh`` bool: found in this run, since one of the two is new.
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    shared: NDArray[np.int32]
    fresh: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is in the buckets that are too full to compare all: ``passage`` int64, ``band`` int32,
    and whether it is one of the bucket's representatives, with which all are compared (bool)."""

    passage: NDArray[np.int64]
    band: NDArray[np.int32]
    represents: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class KnownPassages:
    """What earlier runs found among the passages of ``known`` nodes (bool, nodes)."""

    known: NDArray[np.bool_]
    similar: Similar
    crowd: Crowd


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
    """Pairs that several bands found, once each, in order, with what they share."""
    pairs, shared = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    found: _Pairs = kernels.distinct_pairs(pairs, shared, passages)
    return found


@dataclass(frozen=True, slots=True)
class _Joined:
    """All similar pairs of distinct passages (``u < v``, sorted; int64 numbers) with what they
    share (int32), the members of full buckets, and how many of these were looked at."""

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    shared: NDArray[np.int32]
    crowd: Crowd
    full: int


def _similar_passages(
    c: Collection,
    passage: NDArray[np.int64],
    settings: Settings,
    threads: int,
    progress: Callable[[int, int], None] | None,
    former: tuple[NDArray[np.bool_], _Joined] | None = None,
) -> _Joined:
    """Pairs of distinct passages that collide in a band and prove alike.

    ``former``: which passages (bool) were joined before, and with what outcome.
    """
    plan = scheme(settings)
    # The kernel numbers them as they stand in memory.
    place = np.argsort(passage)
    standing = passage[place]
    mixed = bands.mixed_hashes(c.v_hash)
    card = bands.cards(standing, c.p_content, c.c_word, c.p_information, mixed)
    known = np.zeros(len(passage), bool) if former is None else former[0][place]
    fresh = (~known).view(np.uint8)

    def join(first: int) -> tuple[_Pairs, int, NDArray[np.uint8], NDArray[np.uint64]]:
        rows = slice(first * plan.rows, min(first + BANDS_AT_ONCE, plan.bands) * plan.rows)
        loose = np.zeros(len(passage), np.uint8)
        pairs, shared, capped, crowd = bands.join_bands(
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
        )
        return (pairs, shared), int(capped), loose, crowd + np.uint64(first << 16)

    parts: list[_Pairs] = [(np.empty(0, np.uint64), np.empty(0, np.int32))]
    crowds: list[NDArray[np.uint64]] = []
    capped = 0
    loose = np.zeros(len(passage), np.uint8)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        firsts = range(0, plan.bands, BANDS_AT_ONCE)
        for first, (pairs, full, some, crowd) in zip(firsts, pool.map(join, firsts), strict=True):
            parts.append(pairs)
            crowds.append(crowd)
            capped += full
            loose |= some
            if sum(len(p) for p, _ in parts) > MERGE_AT:
                parts = [_distinct(parts, len(passage))]
            if progress:
                progress(min(first + BANDS_AT_ONCE, plan.bands), plan.bands)
    found, common = _distinct(parts, len(passage))
    one = place[(found >> np.uint64(32)).astype(np.int64)]
    two = place[(found & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    members = np.concatenate(crowds)
    full_now = Crowd(
        place[(members >> np.uint64(32)).astype(np.int64)],
        ((members >> np.uint64(16)) & np.uint64(0xFFFF)).astype(np.int32),
        (members & np.uint64(1)).astype(bool),
    )
    if former is not None:
        old = former[1]
        full_now = _merged(old.crowd, full_now, plan.bands)
        marks = np.zeros(len(passage), np.uint8)
        marks[place] = loose
        at_u, at_v = marks[old.u], marks[old.v]
        keep = ((at_u & bands.LOOSE == 0) | (at_v & bands.BESIDE == 0)) & (
            (at_v & bands.LOOSE == 0) | (at_u & bands.BESIDE == 0)
        )
        suspect = np.flatnonzero(~keep)
        keep[suspect] = _carried(
            c, passage, settings, mixed, old.u[suspect], old.v[suspect], full_now
        )
        one, two = np.append(one, old.u[keep]), np.append(two, old.v[keep])
        common = np.append(common, old.shared[keep])
    renamed = (np.minimum(one, two) << 32) | np.maximum(one, two)
    del one, two
    found, common = _distinct([(renamed.astype(np.uint64), common)], len(passage))
    return _Joined(
        (found >> np.uint64(32)).astype(np.int64),
        (found & np.uint64(0xFFFFFFFF)).astype(np.int64),
        common,
        full_now,
        capped,
    )


def _merged(before: Crowd, now: Crowd, count: int) -> Crowd:
    """Members of full buckets: what was found ``now`` stands in place of what was ``before``."""
    told = np.sort(now.passage * count + now.band)
    keys = before.passage * count + before.band
    at = np.minimum(np.searchsorted(told, keys), max(0, len(told) - 1))
    replaced = told[at] == keys if len(told) else np.zeros(len(keys), bool)
    return Crowd(
        np.append(before.passage[~replaced], now.passage),
        np.append(before.band[~replaced], now.band),
        np.append(before.represents[~replaced], now.represents),
    )


def _carried(
    c: Collection,
    passage: NDArray[np.int64],
    settings: Settings,
    mixed: NDArray[np.uint32],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    crowd: Crowd,
) -> NDArray[np.bool_]:
    """Which pairs (bool) of distinct passages ``u``, ``v`` are compared by a bucket as it is now.

    A bucket that has become full compares its members with its representatives only, and a
    representative can be displaced.
    """
    plan = scheme(settings)
    concerned = np.unique(np.append(u, v))
    keys = np.empty((len(concerned), plan.bands), np.uint32)
    perms = plan.bands * plan.rows
    bands.band_keys(
        passage[concerned],
        c.p_content,
        c.c_word,
        mixed,
        plan.a[:perms],
        plan.b[:perms],
        plan.rows,
        keys,
    )
    row = np.full(len(passage), -1, np.int64)
    row[concerned] = np.arange(len(concerned))
    ordinary = np.zeros((len(concerned), plan.bands), bool)  # a member of a full bucket, no more
    at = row[crowd.passage]
    chosen = (at >= 0) & ~crowd.represents
    ordinary[at[chosen], crowd.band[chosen]] = True
    carried = np.zeros(len(u), bool)
    one, two = row[u], row[v]
    for band in range(plan.bands):
        met = keys[one, band] == keys[two, band]
        carried |= met & ~(ordinary[one, band] & ordinary[two, band])
    return carried


def _former(
    c: Collection,
    start: NDArray[np.int64],
    member: NDArray[np.int64],
    earlier: KnownPassages,
) -> tuple[NDArray[np.bool_], _Joined]:
    """What earlier runs found, in the numbers of the distinct passages."""
    group = np.repeat(np.arange(len(start) - 1), np.diff(start))
    known = np.zeros(len(start) - 1, bool)
    known[group[earlier.known[c.p_article[member]]]] = True
    number = np.full(len(c.p_start), -1, np.int64)
    number[member] = group
    similar, crowd = earlier.similar, earlier.crowd
    standing = Crowd(number[crowd.passage], crowd.band, crowd.represents)
    u, v = number[similar.u], number[similar.v]
    return known, _Joined(u, v, similar.shared, standing, 0)


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


def find_candidates(
    c: Collection,
    settings: Settings,
    *,
    earlier: KnownPassages | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Candidate pairs of nodes; a pure function of the texts and the settings.

    ``earlier`` saves comparing what earlier runs compared; the outcome is the same.
    """
    start, member = unique_passages(c, settings)
    first = member[start[:-1]]
    former = None if earlier is None else _former(c, start, member, earlier)
    known = np.zeros(len(first), bool) if former is None else former[0]
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
    says = c.p_information[first]
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
    out_keys, out_weights = kernels.summed_pairs(keys, weights, c.nodes)
    m = len(out_keys)
    information = np.bincount(c.p_article, c.p_information, c.nodes)
    one, two = (
        (out_keys >> np.uint64(32)).astype(np.int64),
        (out_keys & np.uint64(0xFFFFFFFF)).astype(np.int64),
    )
    least = least_information(np.minimum(information[one], information[two]), settings)
    enough = out_weights >= least * 8
    a, b = one[enough], two[enough]
    weight = np.minimum(out_weights[enough], 2**31 - 1)
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
        Similar(
            first[joined.u], first[joined.v], joined.shared, ~(known[joined.u] & known[joined.v])
        ),
        Crowd(first[joined.crowd.passage], joined.crowd.band, joined.crowd.represents),
        {
            "buckets": joined.full,
            "links": len(joined.u) - len(u),
            "passages": int(capped),
            "pairs": int(len(a) - keep.sum()),
            "collisions": int(m),
        },
    )
