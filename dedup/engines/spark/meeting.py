"""Which texts meet over what passages, found by one task: the local engine's kernels on all of it.

Up to :data:`ONE_TASK` links between passages this takes a tenth of what joins of their holders take
(:mod:`~dedup.engines.spark.bounded`, for more).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import least_information, worth_eighths
from dedup.engines.spark.batches import column
from dedup.kernels import pairs as kernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.config import Settings

    _Sums = tuple[NDArray[np.uint64], NDArray[np.int64]]

ONE_TASK = 5_000_000
"""Links, and as many passages and holders, that one task holds: some 500 MB with their pairs."""
PAIRS_AT_ONCE = 8_000_000
"""Pairs of texts that are made before they are summed, some 200 MB."""
MET = "a long, b long, weight long, capped long"
"""A pair of texts that share enough; with ``a`` null, how many passages, and pairs of similar ones,
more texts hold than are compared all (``capped``)."""
_PASSAGE, _HOLDER, _LINK, _TEXT = range(4)


def met(
    passages: DataFrame,
    holders: DataFrame,
    links: DataFrame,
    sketches: DataFrame,
    settings: Settings,
) -> DataFrame:
    """Pairs of texts that share enough to be aligned (:data:`MET`), ``weight`` in eighths of a bit.

    ``passages``: ``passage``, ``information``, ``quoted``; ``holders``: ``passage``, ``node``;
    ``links``: ``u``, ``v``, ``common``; ``sketches``: ``node``, ``information``.
    """

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = list(batches)
        if parts:
            yield from _met(pa.Table.from_batches(parts), settings).to_batches()

    rows = (
        passages.selectExpr(
            *(f"{_PASSAGE} AS kind", "passage AS x", "0L AS y"),
            *("double(information) AS information", "int(quoted) AS value"),
        )
        .unionAll(holders.selectExpr(f"{_HOLDER}", "passage", "node", "0D", "0"))
        .unionAll(links.selectExpr(f"{_LINK}", "u", "v", "0D", "int(common)"))
        .unionAll(sketches.selectExpr(f"{_TEXT}", "node", "0L", "information", "0"))
    )
    return rows.coalesce(1).mapInArrow(work, MET)


def _met(table: pa.Table, settings: Settings) -> pa.Table:
    kind, x, y, information, value = (column(table, name) for name in table.schema.names)
    own = np.flatnonzero(kind == _PASSAGE)
    own = own[np.argsort(x[own])]
    passage = x[own]
    eighths = worth_eighths(information[own].astype(np.float32), value[own] > 0)
    text = np.flatnonzero(kind == _TEXT)
    text = text[np.argsort(x[text])]
    node, says = x[text], information[text]
    held = np.flatnonzero(kind == _HOLDER)
    of = np.searchsorted(passage, x[held])
    article = np.searchsorted(node, y[held]).astype(np.int32)
    order = np.lexsort((article, of))
    start = np.searchsorted(of[order], np.arange(len(passage) + 1)).astype(np.int64)
    article = article[order]
    link = np.flatnonzero(kind == _LINK)
    u, v = np.searchsorted(passage, x[link]), np.searchsorted(passage, y[link])
    common = value[link].astype(np.int32)
    del table, kind, x, y, information
    keys, total, capped = _summed(start, article, eighths, u, v, common, len(node), settings)
    a = (keys >> np.uint64(32)).astype(np.int64)
    b = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    enough = total >= least_information(np.minimum(says[a], says[b]), settings) * 8
    weight = np.minimum(total[enough], 2**31 - 1)
    missing = np.append(np.zeros(len(weight), bool), True)
    return pa.table(
        {
            "a": pa.array(np.append(node[a[enough]], 0), mask=missing),
            "b": pa.array(np.append(node[b[enough]], 0), mask=missing),
            "weight": pa.array(np.append(weight, 0), mask=missing),
            "capped": pa.array(np.append(np.zeros(len(weight), np.int64), capped), mask=~missing),
        }
    )


def _summed(
    start: NDArray[np.int64],
    article: NDArray[np.int32],
    eighths: NDArray[np.int32],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    common: NDArray[np.int32],
    nodes: int,
    settings: Settings,
) -> tuple[NDArray[np.uint64], NDArray[np.int64], int]:
    """What pairs of texts share (see ``kernels.pairs.article_pairs``, which makes them), some
    passages and links at a time: their keys in order, their sums, and what the cap cut."""
    cap, few = settings.max_partners, settings.representatives
    sizes = np.diff(start)
    one, two = sizes[u], sizes[v]
    many = one + two > cap
    of_link = np.where(
        many, np.minimum(one, two) * np.minimum(np.maximum(one, two), few), one * two
    )
    of_passage = np.where(sizes > cap, sizes * few, sizes * (sizes - 1) // 2)
    parts: list[_Sums] = [(np.empty(0, np.uint64), np.empty(0, np.int64))]
    for lo, hi in _cuts(of_passage):
        room = max(1, int(of_passage[lo:hi].sum()))
        keys, weights = np.empty(room, np.uint64), np.empty(room, np.int32)
        n = kernels.article_pairs(
            start[lo : hi + 1],
            article,
            eighths[lo:hi],
            np.empty(0, np.uint64),
            np.empty(0, np.int32),
            cap,
            few,
            0,
            nodes,
            keys,
            weights,
        )
        parts.append(_sums(keys[:n], weights[:n], nodes))
    for lo, hi in _cuts(of_link):
        swap = many[lo:hi] & (one[lo:hi] > two[lo:hi])
        rare, other = np.where(swap, v[lo:hi], u[lo:hi]), np.where(swap, u[lo:hi], v[lo:hi])
        width = np.where(many[lo:hi], np.minimum(sizes[other], few), sizes[other])
        counts = of_link[lo:hi]
        link = np.repeat(np.arange(hi - lo), counts)
        nth = np.arange(len(link)) - np.repeat(np.cumsum(counts) - counts, counts)
        x = article[start[rare][link] + nth // width[link]].astype(np.uint64)
        y = article[start[other][link] + nth % width[link]].astype(np.uint64)
        keys = (np.minimum(x, y) << np.uint64(32)) | np.maximum(x, y)
        differ = x != y
        parts.append(_sums(keys[differ], common[lo:hi][link][differ], nodes))
    keys, total = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    keys, total = keys[order], total[order]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = keys[1:] != keys[:-1]
    begin = np.flatnonzero(fresh)
    sums = np.add.reduceat(total, begin) if len(begin) else total
    return keys[begin], sums, int((sizes > cap).sum() + many.sum())


def _cuts(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of rows that make some :data:`PAIRS_AT_ONCE` pairs each."""
    part = np.cumsum(counts) // PAIRS_AT_ONCE
    ends = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(counts)]
    return [(lo, hi) for lo, hi in pairwise(ends) if hi > lo]


def _sums(keys: NDArray[np.uint64], weights: NDArray[np.int32], nodes: int) -> _Sums:
    """Each pair once, in order, with the sum of its weights."""
    count = len(keys)
    place, total = np.empty(nodes + 1, np.int64), np.empty(count, np.int64)
    moved, carried = np.empty(count, np.uint64), np.empty(count, np.int32)
    n = kernels.summed_pairs(keys, weights, place, moved, carried, total)
    return keys[:n].copy(), total[:n].copy()
