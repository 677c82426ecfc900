"""Which texts meet over what passages, found by one task: the local engine's kernels on all of it.

Up to :data:`ONE_TASK` links between passages this takes a tenth of what joins of their holders take
(:mod:`~dedup.engines.spark.bounded`, for more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import article_pairs, numbers_of, worth_eighths
from dedup.engines.spark.batches import column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.config import Settings

ONE_TASK = 5_000_000
"""Links, and as many passages and holders, that one task holds: some 500 MB with their pairs."""
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
    ends = np.searchsorted(passage, x[link]), np.searchsorted(passage, y[link])
    pairs = (np.minimum(*ends) << 32 | np.maximum(*ends)).view(np.uint64)
    common = value[link].astype(np.int32)
    del table, kind, x, y, information
    found, _, capped = article_pairs(start, article, eighths, (pairs, common), says, settings)
    a, b = numbers_of(found[0])
    weight = found[1].astype(np.int64)
    missing = np.append(np.zeros(len(weight), bool), True)
    return pa.table(
        {
            "a": pa.array(np.append(node[a], 0), mask=missing),
            "b": pa.array(np.append(node[b], 0), mask=missing),
            "weight": pa.array(np.append(weight, 0), mask=missing),
            "capped": pa.array(np.append(np.zeros(len(weight), np.int64), capped), mask=~missing),
        }
    )
