"""Which texts meet over what passages, found by one task: the local engine's kernels on all of it.

Up to :data:`ONE_TASK` holders this takes a tenth of what joins of their holders take
(:mod:`~dedup.engines.spark.bounded`, for more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import PARTNERS, article_pairs, numbers_of, worth_eighths
from dedup.engines.spark.batches import column, records_of
from dedup.engines.spark.blocks import ORDERED_PAIRS_A_BLOCK, ordered_blocks
from dedup.engines.spark.bounded import ROWS_AT_ONCE
from dedup.engines.spark.dealing import names_for
from dedup.engines.spark.packed import ALIKE, HELD, HOLDER, TEXT
from dedup.kernels import pairs as kernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.config import Settings

ONE_TASK = 5_000_000
"""Passages, and as many holders of them, that one task holds: some 2.5 GB with their links (up to
``bounded.MOST_FOUND``) and the pairs that they make."""
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
        parts: tuple[list[NDArray[np.void]], ...] = ([], [], [], [])
        for batch in batches:
            values = {name: column(batch, name) for name in batch.schema.names}
            for number, (kind, names) in enumerate(_KINDS):
                rows = np.flatnonzero(values["kind"] == number)
                some = np.empty(len(rows), kind)
                for field, name in zip(kind.names or (), names, strict=True):
                    some[field] = values[name][rows]
                parts[number].append(some)
        if parts[_TEXT]:
            records = [np.concatenate(some) for some in parts]
            del parts
            yield from _met(records, settings)

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


_WEIGHED = np.dtype([("passage", "<i8"), ("information", "<f4"), ("quoted", "u1")])
_LINKED = np.dtype([("u", "<i8"), ("v", "<i8"), ("common", "<i4")])
_KINDS = (
    (_WEIGHED, ("x", "information", "value")),
    (HOLDER, ("x", "y")),
    (_LINKED, ("x", "y", "value")),
    (TEXT, ("x", "information")),
)
"""What one task is given row by row, and the columns of its fields."""


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Who holds what, in numbers: of passages by key, of texts by name.

    ``known`` int64 names of passages and ``node`` of texts, ascending, each once; ``start`` int64
    (passages + 1) and ``article`` int32: who holds each passage; ``eighths`` int32 of each passage,
    and ``says`` float64 bits of each text.
    """

    known: NDArray[np.int64]
    node: NDArray[np.int64]
    start: NDArray[np.int64]
    article: NDArray[np.int32]
    eighths: NDArray[np.int32]
    says: NDArray[np.float64]

    @classmethod
    def of(
        cls, passages: NDArray[np.void], holders: NDArray[np.void], texts: NDArray[np.void]
    ) -> _Meeting:
        """Of records that name passages (``passage``, ``information``, ``quoted``), who holds them
        (``packed.HOLDER``) and texts (``packed.TEXT``)."""
        passages = passages[np.argsort(passages["passage"])]
        known = np.ascontiguousarray(passages["passage"])
        information = np.ascontiguousarray(passages["information"])
        texts = texts[np.argsort(texts["node"])]
        node = np.ascontiguousarray(texts["node"])
        of = np.searchsorted(known, holders["passage"])
        article = np.searchsorted(node, holders["node"]).astype(np.int32)
        order = np.lexsort((article, of))
        return cls(
            known,
            node,
            np.searchsorted(of[order], np.arange(len(known) + 1)).astype(np.int64),
            article[order],
            worth_eighths(information, passages["quoted"] > 0),
            np.ascontiguousarray(texts["information"]),
        )

    def links(self, alike: NDArray[np.void]) -> NDArray[np.uint64]:
        """Pairs of passages (``u``, ``v``) as one number each (lesser one high)."""
        u, v = (np.searchsorted(self.known, alike[end]) for end in ("u", "v"))
        return np.asarray((np.minimum(u, v) << 32 | np.maximum(u, v)).view(np.uint64))

    def pairs(
        self, links: NDArray[np.uint64], common: NDArray[np.int32], settings: Settings
    ) -> tuple[tuple[NDArray[np.uint64], NDArray[np.int32]], int]:
        """Pairs of texts that share enough with what they share, and how many passages and links
        the cap cut: see :func:`dedup.candidates.article_pairs`."""
        held = (self.start, self.article, self.eighths)
        found, _, capped = article_pairs(*held, (links, common), self.says, settings)
        return found, capped


def _met(records: list[NDArray[np.void]], settings: Settings) -> Iterator[pa.RecordBatch]:
    """Batches of :data:`MET`. ``records``: of :data:`_KINDS`; it is emptied, so that they are free
    when they have had their use."""
    passages, holders, alike, texts = records
    records.clear()
    meeting = _Meeting.of(passages, holders, texts)
    links, common = meeting.links(alike), np.ascontiguousarray(alike["common"])
    del passages, holders, alike, texts
    (pairs, weight), capped = meeting.pairs(links, common, settings)
    names = [field.split()[0] for field in MET.split(", ")]
    for begin in range(0, len(pairs), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        a, b = (pa.array(meeting.node[of]) for of in numbers_of(pairs[rows]))
        weights = pa.array(weight[rows].astype(np.int64))
        yield pa.record_batch([a, b, weights, pa.nulls(len(a), pa.int64())], names)
    none = pa.nulls(1, pa.int64())
    yield pa.record_batch([none, none, none, pa.array([capped], pa.int64())], names)


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
        kinds = (HELD, HOLDER, ALIKE, TEXT)
        records = [records_of(some, kind) for some, kind in zip(blobs, kinds, strict=True)]
        del blobs
        found = _blocked(records, settings, least, partitions)
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
    records: list[NDArray[np.void]], settings: Settings, least: int, partitions: int
) -> pa.Table:
    """``records``: passages, holders, alike passages and texts; emptied as by :func:`_met`."""
    passages, holders, alike, texts = records
    records.clear()
    meeting = _Meeting.of(passages, holders, texts)
    del passages, holders, texts
    cap, few = settings.max_partners, settings.representatives

    # Pairs that were found twice are the same in all columns.
    links, first = np.unique(meeting.links(alike), return_index=True)
    strength = alike["shared"][first].astype(np.int64)
    keep = kernels.bounded_edges(links, strength, len(meeting.known), cap, few, few)
    cut_links = len(links) - int(keep.sum())
    links, common = links[keep], alike["common"][first][keep]
    del first, strength, alike
    found, capped = meeting.pairs(links, common, settings)
    node = meeting.node
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
    limits = {"links": cut_links, "capped": capped, "pairs": cut_pairs}
    return pa.table(
        {
            **{n: pa.array(np.append(v, v.dtype.type(0)), mask=last) for n, v in columns.items()},
            **{n: pa.array([None] * len(a) + [v], pa.int64()) for n, v in limits.items()},
        }
    )
