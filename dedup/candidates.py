"""Which articles are worth aligning: banded LSH over passages, checked passage by passage.

A collision is only a hint. It counts when the two passages agree in enough signature slots and
then share enough of their content words, and an article pair goes on only if what such passages
share carries enough information by the frozen background table, which does not depend on the
dump.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.kernels import minhash, overlap
from dedup.kernels import pairs as kernels
from dedup.segment import character_tables
from dedup.sketch import scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedup.collection import Collection, SketchIndex
    from dedup.config import Settings

BUCKET_CAP = 64
BUCKET_REPRESENTATIVES = 8
PARTNERS = 2
"""An article is aligned with so many times ``max_partners`` others at most: its strongest."""
PAIR_FACTOR = 0.9
"""An article pair goes on whose alike passages share this many times ``min_prose_information``."""
QUOTED = 2
"""A passage that stands in quotation marks anywhere counts this many times for such a pair."""
SHORT = 0.1
"""Less will do for short articles: this share of the shorter one's information, and at least
``min_information``."""
MERGE_AT = 8_000_000
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

    ``u_start`` int64 (unique passages + 1) and ``u_passage`` int64: the occurrences of every
    distinct indexed passage, ordered by node. ``capped`` counts what caps cut (``buckets``,
    ``links``, ``passages``, ``pairs``), and under ``collisions`` the article pairs looked at.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.int32]
    u_start: NDArray[np.int64]
    u_passage: NDArray[np.int64]
    capped: dict[str, int]


def _unique_passages(
    c: Collection, index: SketchIndex
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Group indexed passages by their token sequence, verified on the text.

    Returns ``(start, member, first)``: members of each group as rows of ``index``.
    """
    key = c.p_key[index.passage]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    new = np.empty(len(order), bool)
    if len(order):
        new[0] = True
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    begin = np.flatnonzero(new)
    leader = order[begin][np.cumsum(new) - 1] if len(order) else order
    repeats = np.flatnonzero(~new)
    if len(repeats):
        same = np.empty(len(repeats), np.uint8)
        kind, _, _, fold = character_tables()
        kernels.equal_passages(
            index.passage[leader[repeats]],
            index.passage[order[repeats]],
            c.p_article,
            c.p_token,
            c.t_word,
            c.data,
            c.d_byte,
            c.d_word,
            c.w_byte,
            c.w_chars,
            kind,
            fold,
            same,
        )
        wrong = repeats[same == 0]
        if len(wrong):
            # Texts built to collide: each stands alone.
            keep = np.ones(len(order), bool)
            keep[wrong] = False
            order = np.concatenate([order[keep], order[wrong]])
            new = np.concatenate([new[keep], np.ones(len(wrong), bool)])
            begin = np.flatnonzero(new)
    start = np.append(begin, len(order)).astype(np.int64)
    return start, order, order[begin]


@dataclass(frozen=True, slots=True)
class _ContentWords:
    """Sets of content words, see ``kernels.overlap.content_sets``."""

    start: NDArray[np.int64]
    words: NDArray[np.uint32]
    bits: NDArray[np.uint8]
    total: NDArray[np.int32]


def _content_words(c: Collection, passages: NDArray[np.int64], threads: int) -> _ContentWords:
    def work(part: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        room = int((c.p_token[part + 1] - c.p_token[part]).sum())
        start = np.empty(len(part) + 1, np.int64)
        words, bits = np.empty(room, np.uint32), np.empty(room, np.uint8)
        n = overlap.content_sets(
            part,
            c.p_article,
            c.p_token,
            c.t_word,
            c.d_word,
            c.w_hash,
            c.w_bits,
            start,
            words,
            bits,
        )
        total = np.empty(len(part), np.int32)
        overlap.totals(start, bits, total)
        return np.diff(start), words[:n].copy(), bits[:n].copy(), total

    with ThreadPoolExecutor(max(1, threads)) as pool:
        parts = list(pool.map(work, np.array_split(passages, max(1, threads))))
    sizes, words, bits, total = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    start = np.zeros(len(passages) + 1, np.int64)
    np.cumsum(sizes, out=start[1:])
    return _ContentWords(start, words, bits, total)


def _distinct(
    parts: list[tuple[NDArray[np.uint64], NDArray[np.int32]]],
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Pairs that several bands found, once each, in order."""
    pairs = np.concatenate([p for p, _ in parts])
    found, where = np.unique(pairs, return_index=True)
    return found, np.concatenate([s for _, s in parts])[where]


def _similar_passages(
    c: Collection,
    index: SketchIndex,
    first: NDArray[np.int64],
    settings: Settings,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], int, int]:
    """Pairs of distinct passages that collide in a band and prove alike, with the information
    they share (quarters of a bit), the buckets that were too full to compare all, and the pairs
    left to stronger ones."""
    plan = scheme(settings)
    words = _content_words(c, index.passage[first], threads)
    key = c.p_key[index.passage]
    rows = first.astype(np.uint64)
    number = np.full(len(index.passage), -1, np.int64)
    number[first] = np.arange(len(first))

    def join(band: int) -> tuple[NDArray[np.uint64], NDArray[np.int32], int]:
        entries = (index.bands[band][first].astype(np.uint64) << np.uint64(32)) | rows
        entries.sort()
        room = max(1024, len(first) // 2)
        while True:
            u, v = np.empty(room, np.int64), np.empty(room, np.int64)
            count, capped = minhash.join_band(
                entries,
                key,
                index.check,
                plan.least_agreement,
                BUCKET_CAP,
                BUCKET_REPRESENTATIVES,
                u,
                v,
            )
            if count <= room:
                break
            room = count
        one, two = number[u[:count]], number[v[:count]]
        low, high = np.minimum(one, two), np.maximum(one, two)
        shared = np.empty(count, np.int32)
        overlap.overlaps(
            low,
            high,
            words.start,
            words.words,
            words.bits,
            words.total,
            LEAST_SHARED * settings.min_information * 4,
            ALIKE * settings.min_similarity,
            INSIDE,
            shared,
        )
        alike = shared > 0
        packed = (low[alike].astype(np.uint64) << np.uint64(32)) | high[alike].astype(np.uint64)
        return packed, shared[alike], capped

    parts: list[tuple[NDArray[np.uint64], NDArray[np.int32]]] = []
    waiting = capped = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for band, (packed, shared, caps) in enumerate(pool.map(join, range(plan.bands))):
            parts.append((packed, shared))
            waiting += len(packed)
            if waiting > MERGE_AT:
                parts = [_distinct(parts)]
                waiting = 0
            capped += caps
            if progress:
                progress(band + 1, plan.bands)
    found, common = _distinct(parts)
    u = (found >> np.uint64(32)).astype(np.int64)
    v = (found & np.uint64(0xFFFFFFFF)).astype(np.int64)
    keep = kernels.bounded_edges(
        u,
        v,
        common.astype(np.int64),
        len(first),
        settings.max_partners,
        settings.representatives,
        settings.representatives,
    )
    return u[keep], v[keep], common[keep], capped, len(u) - int(keep.sum())


def find_candidates(
    c: Collection,
    index: SketchIndex,
    settings: Settings,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Candidate pairs of nodes; a pure function of the texts and the settings."""
    start, member, first = _unique_passages(c, index)
    u, v, shared, full, left = _similar_passages(c, index, first, settings, threads, progress)
    quoted = np.zeros(len(first), np.uint8)
    if len(first):
        quoted = np.maximum.reduceat(c.p_quoted[index.passage[member]], start[:-1])
    worth = np.where(quoted, QUOTED, 1)
    eighths = (c.p_information[index.passage[first]] * 8).astype(np.int32)
    article = c.p_article[index.passage[member]]
    # Two of a kind in one article are one holder: keep the first.
    group = np.repeat(np.arange(len(first)), np.diff(start))
    fresh = np.ones(len(member), bool)
    if len(member):
        fresh[1:] = (group[1:] != group[:-1]) | (article[1:] != article[:-1])
    holders = np.concatenate([[0], np.cumsum(fresh)])[start].astype(np.int64)
    article = article[fresh]
    # Which share of the lesser passage's information is common.
    lesser = np.minimum(eighths[u], eighths[v])
    common = np.minimum(1.0, 2 * shared / np.maximum(1, lesser))
    common = (common * np.maximum(worth[u], worth[v]) * lesser).astype(np.int32)
    eighths = (eighths * worth).astype(np.int32)
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
    order = np.argsort(keys, kind="stable")
    out_keys, out_weights = np.empty(n, np.uint64), np.empty(n, np.int64)
    m = kernels.sum_runs(keys, order, weights, out_keys, out_weights)
    out_keys, out_weights = out_keys[:m], out_weights[:m]
    information = np.bincount(c.p_article, c.p_information, c.nodes)
    one, two = (
        (out_keys >> np.uint64(32)).astype(np.int64),
        (out_keys & np.uint64(0xFFFFFFFF)).astype(np.int64),
    )
    shorter = np.minimum(information[one], information[two])
    least = np.minimum(
        PAIR_FACTOR * settings.min_prose_information,
        np.maximum(SHORT * shorter, settings.min_information),
    )
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
        index.passage[member],
        {
            "buckets": int(full),
            "links": left,
            "passages": int(capped),
            "pairs": int(len(a) - keep.sum()),
            "collisions": int(m),
        },
    )
