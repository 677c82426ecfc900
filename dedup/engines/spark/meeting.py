"""Which texts meet over what passages, found by one task: the local engine's kernels on all of it.

Up to :data:`ONE_TASK` links between passages this takes a tenth of what joins of their holders take
(:mod:`~dedup.engines.spark.bounded`, for more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import PARTNERS, article_pairs, numbers_of, worth_eighths
from dedup.engines.spark.batches import column, records_of
from dedup.engines.spark.blocks import ORDERED_PAIRS_A_BLOCK, ordered_blocks
from dedup.engines.spark.dealing import names_for
from dedup.engines.spark.packed import ALIKE, HELD, HOLDER, TEXT
from dedup.kernels import pairs as kernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
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


BLOCKED = "a long, b long, weight long, block int, links long, capped long, pairs long"
"""A pair of texts to be aligned, and its block; with ``a`` null, what limits left out: alike
passages (``links``), passages and pairs of alike ones that more texts hold than are compared all
(``capped``), and ``pairs`` of texts."""


def blocked_pairs(
    passages: DataFrame, sketches: DataFrame, alike: DataFrame, settings: Settings, least: int
) -> DataFrame:
    """Pairs of texts worth aligning in ``least`` blocks or more (:data:`BLOCKED`), found by one
    task as the local engine does: it holds all that comes packed.

    ``passages``: ``packed.PASSAGES``, ``sketches``: ``packed.PACKS``, ``alike``: ``similar.MET``.
    """
    from pyspark.sql import functions as F  # noqa: N812

    partitions = int(passages.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        blobs: tuple[list[bytes], ...] = ([], [], [], [])
        for batch in batches:
            for kind, data in zip(*(batch[n].to_pylist() for n in ("kind", "data")), strict=True):
                blobs[kind].append(data)
        held, holders, pairs, texts = (
            records_of(some, kind)
            for some, kind in zip(blobs, (HELD, HOLDER, ALIKE, TEXT), strict=True)
        )
        del blobs
        found = _blocked(held, holders, pairs, texts, settings, least, partitions)
        yield from found.to_batches()

    packed = sketches.where("says IS NOT NULL")
    rows = (
        passages.select(F.lit(_PASSAGE).alias("kind"), F.col("held").alias("data"))
        .unionAll(packed.select(F.lit(_HOLDER), "holding"))
        .unionAll(alike.select(F.lit(_LINK), "pairs"))
        .unionAll(packed.select(F.lit(_TEXT), "says"))
    )
    return rows.coalesce(1).mapInArrow(work, BLOCKED)


def _blocked(
    passages: NDArray[np.void],
    holders: NDArray[np.void],
    alike: NDArray[np.void],
    texts: NDArray[np.void],
    settings: Settings,
    least: int,
    partitions: int,
) -> pa.Table:
    passages = passages[np.argsort(passages["passage"])]
    known = np.ascontiguousarray(passages["passage"])
    eighths = worth_eighths(np.ascontiguousarray(passages["information"]), passages["quoted"] > 0)
    texts = texts[np.argsort(texts["node"])]
    node = np.ascontiguousarray(texts["node"])
    cap, few = settings.max_partners, settings.representatives

    # Pairs that were found twice are the same in all columns.
    ends = [np.searchsorted(known, alike[end]) for end in ("u", "v")]
    links, first = np.unique((ends[0] << 32 | ends[1]).view(np.uint64), return_index=True)
    strength = alike["shared"][first].astype(np.int64)
    keep = kernels.bounded_edges(links, strength, len(known), cap, few, few)
    cut_links = len(links) - int(keep.sum())
    links, common = links[keep], alike["common"][first][keep]
    del ends, first, strength, alike

    of = np.searchsorted(known, holders["passage"])
    article = np.searchsorted(node, holders["node"]).astype(np.int32)
    order = np.lexsort((article, of))
    start = np.searchsorted(of[order], np.arange(len(known) + 1)).astype(np.int64)
    says = np.ascontiguousarray(texts["information"])
    found, _, capped = article_pairs(
        start, article[order], eighths, (links, common), says, settings
    )
    pairs, weight = found[0], found[1].astype(np.int64)
    most = PARTNERS * cap
    keep = kernels.bounded_edges(pairs, weight, len(node), most, few, most)
    cut_pairs = len(pairs) - int(keep.sum())
    a, b = numbers_of(pairs[keep])
    blocks = max(least, -(-len(a) // ORDERED_PAIRS_A_BLOCK))
    number = ordered_blocks(node[a], node[b], blocks) if len(a) else np.empty(0, np.int64)
    last = np.append(np.zeros(len(a), bool), True)
    columns = {
        "a": node[a],
        "b": node[b],
        "weight": weight[keep],
        "block": names_for(blocks, partitions)[number],
    }
    limits = {"links": cut_links, "capped": int(capped), "pairs": cut_pairs}
    return pa.table(
        {
            **{n: pa.array(np.append(v, v.dtype.type(0)), mask=last) for n, v in columns.items()},
            **{n: pa.array([None] * len(a) + [v], pa.int64()) for n, v in limits.items()},
        }
    )
