"""Which articles are worth aligning: banded LSH over passages, checked passage by passage.

A collision is only a hint. It counts when the two passages agree in enough signature slots,
and an article pair goes on only if the passages that count carry enough information by the
frozen background table, which does not depend on the dump.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import minhash
from dedup.kernels import pairs as kernels
from dedup.segment import character_tables
from dedup.sketch import PERMUTATIONS, scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedup.collection import Collection, SketchIndex
    from dedup.config import Settings

BUCKET_CAP = 64
BUCKET_REPRESENTATIVES = 8
PARTNERS = 2
"""An article is aligned with so many times ``max_partners`` others at most: its strongest."""
PAIR_FACTOR = 1.4
"""An article pair needs this many times ``min_information`` in passages that collide."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """``a``, ``b`` int64 nodes (a < b, sorted) and ``weight`` int32 eighths of a bit.

    ``u_start`` int64 (unique passages + 1) and ``u_passage`` int64: the occurrences of every
    distinct indexed passage, ordered by node. ``capped`` counts what a cap cut.
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


def _similar_passages(
    c: Collection,
    index: SketchIndex,
    first: NDArray[np.int64],
    settings: Settings,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], int, int]:
    """Pairs of distinct passages that collide in a band and agree in enough slots, the buckets
    that were too full to compare all, and the pairs left to stronger ones."""
    plan = scheme(settings)
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
            same = np.empty(room, np.int32)
            count, capped = minhash.join_band(
                entries,
                key,
                index.check,
                plan.least_agreement,
                BUCKET_CAP,
                BUCKET_REPRESENTATIVES,
                u,
                v,
                same,
            )
            if count <= room:
                break
            room = count
        one, two = number[u[:count]], number[v[:count]]
        low, high = np.minimum(one, two), np.maximum(one, two)
        packed = (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
        return packed, same[:count].copy(), capped

    found = np.empty(0, np.uint64)
    agree = np.empty(0, np.int32)
    capped = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for band, (packed, same, caps) in enumerate(pool.map(join, range(plan.bands))):
            found, where = np.unique(np.concatenate([found, packed]), return_index=True)
            agree = np.concatenate([agree, same])[where]
            capped += caps
            if progress:
                progress(band + 1, plan.bands)
    u = (found >> np.uint64(32)).astype(np.int64)
    v = (found & np.uint64(0xFFFFFFFF)).astype(np.int64)
    keep = kernels.bounded_edges(
        u,
        v,
        agree.astype(np.int64),
        len(first),
        settings.max_partners,
        settings.representatives,
        settings.representatives,
    )
    share = (agree[keep] / PERMUTATIONS).astype(np.float32)
    return u[keep], v[keep], share, capped, len(u) - int(keep.sum())


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
    u, v, share, full, left = _similar_passages(c, index, first, settings, threads, progress)
    eighths = (c.p_information[index.passage[first]] * 8).astype(np.int32)
    article = c.p_article[index.passage[member]]
    # Two of a kind in one article are one holder: keep the first.
    group = np.repeat(np.arange(len(first)), np.diff(start))
    fresh = np.ones(len(member), bool)
    if len(member):
        fresh[1:] = (group[1:] != group[:-1]) | (article[1:] != article[:-1])
    holders = np.concatenate([[0], np.cumsum(fresh)])[start].astype(np.int64)
    article = article[fresh]
    # How much of the lesser passage's information is common, from the Jaccard estimate.
    common = (2 * share / (1 + share)).astype(np.float32)
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
    enough = out_weights >= PAIR_FACTOR * settings.min_information * 8
    a = (out_keys[enough] >> np.uint64(32)).astype(np.int64)
    b = (out_keys[enough] & np.uint64(0xFFFFFFFF)).astype(np.int64)
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
