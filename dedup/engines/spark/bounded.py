"""Bounded numbers of edges, and pairs of articles from passages: k members cost k."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import PARTNERS, worth_eighths
from dedup.engines.spark.batches import column, ragged
from dedup.kernels import pairs as kernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.config import Settings

ONE_TASK = 20_000_000
"""Edges that one task bounds, some 1.5 GB: so many take less time there than in shuffles."""
ROWS_AT_ONCE = 1_000_000
"""Rows that such a task hands on at once."""
SALTS = 64
"""Parts into which the holders of a passage are dealt that very many hold."""


MOST_FOUND = 10_000_000
"""Pairs of passages, some twice, from which one task picks the distinct ones: some 800 MB."""
LINKS = "u long, v long, shared int, common int, cut long"
"""Alike passages that are kept; with ``u`` null, how many were not (``cut``)."""


def distinct_links(alike: DataFrame, settings: Settings) -> DataFrame:
    """The distinct ones of ``alike`` (``u``, ``v``, ``shared``, ``common``), of which every passage
    keeps a bounded number (:data:`LINKS`): by one task, see :data:`MOST_FOUND`."""
    cap, few = settings.max_partners, settings.representatives

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = list(batches)
        if not parts:
            return
        table = pa.Table.from_batches(parts)
        u, v = column(table, "u"), column(table, "v")
        passages, place = np.unique(np.concatenate([u, v]), return_inverse=True)
        key = place[: len(u)] << 32 | place[len(u) :]
        # Pairs that were found twice are the same in all columns.
        key, first = np.unique(key, return_index=True)
        weights = column(table, "shared")[first].astype(np.int64)
        keep = kernels.bounded_edges(key.view(np.uint64), weights, len(passages), cap, few, few)
        kept = table.take(pa.array(first[keep]))
        cut = pa.array([len(key) - len(kept)], pa.int64())
        none = {name: pa.nulls(1, kept.schema.field(name).type) for name in kept.schema.names}
        kept = kept.append_column("cut", pa.nulls(len(kept), pa.int64()))
        yield from kept.to_batches()
        yield pa.RecordBatch.from_pydict({**none, "cut": cut}, schema=kept.schema)

    rows = alike.select("u", "v", "shared", "common")
    return rows.coalesce(1).mapInArrow(work, LINKS)


def bounded_edges(
    edges: DataFrame,
    ends: tuple[str, str],
    weight: str,
    *,
    cap: int,
    few: int,
    strongest: int,
    one_task: int = ONE_TASK,
) -> DataFrame:
    """The edges that stay when every node keeps a bounded number: ``kernels.pairs.bounded_edges``.

    Up to ``one_task`` edges go to that kernel. Of more, only an edge both of whose ends are crowded
    (more than ``cap``) can go; ranks are limited before the shuffle (Spark's
    ``WindowGroupLimit``), so that no task sees all edges of a hub.
    """
    if edges.count() <= one_task:
        return _bounded_by_one(edges, ends, weight, cap, few, strongest)
    return _bounded_by_many(edges, ends, weight, cap, few, strongest)


def _bounded_by_one(
    edges: DataFrame, ends: tuple[str, str], weight: str, cap: int, few: int, strongest: int
) -> DataFrame:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = list(batches)
        if not parts:
            return
        table = pa.Table.from_batches(parts)
        one, two = (column(table, end) for end in ends)
        nodes = np.unique(np.append(one, two))
        pairs = np.searchsorted(nodes, one) << 32
        pairs |= np.searchsorted(nodes, two)
        order = np.argsort(pairs)
        pairs, weights = pairs[order].view(np.uint64), column(table, weight)[order].astype(np.int64)
        keep = kernels.bounded_edges(pairs, weights, len(nodes), cap, few, strongest)
        del pairs, weights
        kept = order[keep]
        for begin in range(0, len(kept), ROWS_AT_ONCE):
            rows = pa.array(kept[begin : begin + ROWS_AT_ONCE])
            yield from table.take(rows).combine_chunks().to_batches()

    kinds = ", ".join(f"{name} {kind}" for name, kind in edges.dtypes)
    return edges.coalesce(1).mapInArrow(work, kinds)


def _bounded_by_many(
    edges: DataFrame, ends: tuple[str, str], weight: str, cap: int, few: int, strongest: int
) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    a, b = ends
    halves = edges.select(F.col(a).alias("node"), F.col(b).alias("other"), weight).unionByName(
        edges.select(F.col(b).alias("node"), F.col(a).alias("other"), weight)
    )
    crowded = halves.groupBy("node").count().where(F.col("count") > cap).select("node")
    mine = halves.join(crowded, "node", "left_semi")
    nearest = F.row_number().over(Window.partitionBy("node").orderBy("other"))
    heaviest = F.row_number().over(
        Window.partitionBy("node").orderBy(F.col(weight).desc(), F.col("other"))
    )
    kept = mine.withColumn("nth", nearest).where(F.col("nth") <= few)
    if strongest > 0:
        kept = kept.unionByName(mine.withColumn("nth", heaviest).where(F.col("nth") <= strongest))
    chosen = kept.select(
        F.least("node", "other").alias(a), F.greatest("node", "other").alias(b)
    ).distinct()
    marked = edges
    for end in ends:
        crowd = crowded.select(F.col("node").alias(end), F.lit(True).alias(f"crowded_{end}"))
        marked = marked.join(crowd, end, "left")
    contested = F.col(f"crowded_{a}").isNotNull() & F.col(f"crowded_{b}").isNotNull()
    columns = edges.columns
    free = marked.where(~contested).select(*columns)
    return free.unionByName(
        marked.where(contested).select(*columns).join(chosen, list(ends), "left_semi")
    )


def holders_of(occurrences: DataFrame) -> DataFrame:
    """``passage``, ``node``: who holds what, once each."""
    return occurrences.where("NOT repeat").select("passage", "node")


def crowds(
    passages: DataFrame, holders: DataFrame, similar: DataFrame, settings: Settings
) -> DataFrame:
    """Who holds the passages that several nodes hold or that have a similar one.

    ``passage``, ``holders`` (count), ``nodes`` (the ``representatives`` of the smallest numbers, or
    all where there are ``max_partners`` at most), ``eighths``.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    linked = similar.select(F.col("u").alias("passage")).union(similar.select("v")).distinct()
    wanted = passages.select("passage", "holders", "information", "quoted").join(
        linked.withColumn("linked", F.lit(True)), "passage", "left"
    )
    wanted = wanted.where("holders > 1 OR linked").drop("linked")
    rows = holders.join(wanted.select("passage", "holders"), "passage")
    rank = F.row_number().over(Window.partitionBy("passage").orderBy("node"))
    few = (
        rows.where(F.col("holders") > settings.max_partners)
        .withColumn("nth", rank)
        .where(F.col("nth") <= settings.representatives)
        .select("passage", "node")
    )
    all_of = rows.where(F.col("holders") <= settings.max_partners).select("passage", "node")
    nodes = (
        few.unionByName(all_of)
        .groupBy("passage")
        .agg(F.sort_array(F.collect_list("node")).alias("nodes"))
    )
    rows = wanted.join(nodes, "passage")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            eighths = worth_eighths(column(batch, "information"), column(batch, "quoted") > 0)
            yield pa.RecordBatch.from_pydict(
                {
                    "passage": batch["passage"],
                    "holders": batch["holders"],
                    "nodes": batch["nodes"],
                    "eighths": pa.array(eighths),
                }
            )

    return rows.mapInArrow(work, "passage long, holders long, nodes array<long>, eighths int")


PAIR = "a long, b long, weight long"


def pairs_of_holders(crowded: DataFrame, holders: DataFrame, settings: Settings) -> DataFrame:
    """Pairs of nodes (:data:`PAIR`) that hold the same passage, once for each."""
    from pyspark.sql import functions as F  # noqa: N812

    cap = settings.max_partners

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _all_pairs(batch, cap)

    small = crowded.where((F.col("holders") > 1) & (F.col("holders") <= cap))
    pairs = small.select("nodes", "eighths").mapInArrow(work, PAIR)
    large = crowded.where(F.col("holders") > cap).select(
        "passage", F.explode("nodes").alias("a"), F.col("eighths").cast("long").alias("weight")
    )
    met = _meet(large, holders).where("a < b").select("a", "b", "weight")
    return pairs.unionByName(met)


def _meet(some: DataFrame, holders: DataFrame) -> DataFrame:
    """Join the holders of a passage, as ``b``, to a few rows that name it.

    A passage may have holders without number: they are dealt to :data:`SALTS` parts, and what they
    meet stands in each.
    """
    from pyspark.sql import functions as F  # noqa: N812

    dealt = holders.select(
        "passage", F.col("node").alias("b"), F.pmod(F.hash("node"), F.lit(SALTS)).alias("salt")
    )
    salts = F.explode(F.sequence(F.lit(0), F.lit(SALTS - 1))).alias("salt")
    return some.select("*", salts).join(dealt, ["passage", "salt"])


def _all_pairs(batch: pa.RecordBatch, cap: int) -> pa.RecordBatch:
    start, nodes = ragged(batch, "nodes")
    names, article = np.unique(nodes, return_inverse=True)
    sizes = np.diff(start)
    room = int((sizes * (sizes - 1) // 2).sum())
    keys, weights = np.empty(max(1, room), np.uint64), np.empty(max(1, room), np.int32)
    n = kernels.article_pairs(
        start,
        article.astype(np.int32),
        column(batch, "eighths"),
        np.empty(0, np.uint64),
        np.empty(0, np.int32),
        cap,
        1,
        0,
        len(names),
        keys,
        weights,
    )
    one = (keys[:n] >> np.uint64(32)).astype(np.int64)
    two = (keys[:n] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return pa.RecordBatch.from_pydict(
        {
            "a": pa.array(names[one]),
            "b": pa.array(names[two]),
            "weight": pa.array(weights[:n].astype(np.int64)),
        }
    )


def pairs_of_similar(
    similar: DataFrame, crowded: DataFrame, holders: DataFrame, settings: Settings
) -> DataFrame:
    """Pairs of nodes (:data:`PAIR`) that hold two similar passages, once for each pair of these."""
    from pyspark.sql import functions as F  # noqa: N812

    def side(name: str) -> DataFrame:
        return crowded.select(
            F.col("passage").alias(name),
            F.col("holders").alias(f"n_{name}"),
            F.col("nodes").alias(f"nodes_{name}"),
        )

    rows = similar.select("u", "v", F.col("common").cast("long").alias("weight"))
    rows = rows.join(side("u"), "u").join(side("v"), "v")
    cap, few = settings.max_partners, settings.representatives
    together = F.col("n_u") + F.col("n_v") <= cap
    swap = F.col("n_u") > F.col("n_v")
    rare = F.when(swap, F.col("nodes_v")).otherwise(F.col("nodes_u"))
    other = F.when(swap, F.col("nodes_u")).otherwise(F.col("nodes_v"))
    other = F.when(together, other).otherwise(F.slice(other, 1, few))
    rare_count = F.least("n_u", "n_v")
    listed = rows.where(rare_count <= cap).select(
        "weight", other.alias("others"), F.explode(rare).alias("one")
    )
    listed = listed.select("weight", "one", F.explode("others").alias("two"))
    # Both are held by many: the holders of the rarer one are joined.
    many = rows.where(rare_count > cap).select(
        F.when(swap, F.col("v")).otherwise(F.col("u")).alias("passage"),
        "weight",
        F.explode(other).alias("a"),
    )
    met = _meet(many, holders).select("weight", F.col("a").alias("one"), F.col("b").alias("two"))
    return (
        listed.unionByName(met)
        .where("one <> two")
        .select(F.least("one", "two").alias("a"), F.greatest("one", "two").alias("b"), "weight")
    )


def article_pairs(pairs: DataFrame, sketches: DataFrame, settings: Settings) -> DataFrame:
    """The pairs of nodes that share enough to be aligned, with ``weight`` in eighths of a bit;
    ``capped`` is false for all (what caps cut is what the caller had before)."""
    from pyspark.sql import functions as F  # noqa: N812

    from dedup.candidates import least_information

    summed = pairs.groupBy("a", "b").agg(F.sum("weight").alias("weight"))
    for end in ("a", "b"):
        own = sketches.select(F.col("node").alias(end), F.col("information").alias(f"of_{end}"))
        summed = summed.join(own, end)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            shorter = np.minimum(column(batch, "of_a"), column(batch, "of_b"))
            weight = column(batch, "weight")
            enough = pa.array(weight >= least_information(shorter, settings) * 8)
            chosen = batch.filter(enough)
            yield pa.RecordBatch.from_pydict(
                {
                    "a": chosen["a"],
                    "b": chosen["b"],
                    "weight": pa.array(np.minimum(column(chosen, "weight"), 2**31 - 1)),
                }
            )

    return summed.select("a", "b", "weight", "of_a", "of_b").mapInArrow(work, PAIR)


def partners(settings: Settings) -> int:
    """With how many others a text is aligned at most."""
    return PARTNERS * settings.max_partners


def capped_passages(similar: DataFrame, crowded: DataFrame, settings: Settings) -> int:
    """How many passages, and pairs of similar ones, more nodes hold than are compared all."""
    from pyspark.sql import functions as F  # noqa: N812

    cap = settings.max_partners
    held = crowded.select("passage", "holders")
    pairs = similar.select("u", "v")
    for end in ("u", "v"):
        pairs = pairs.join(
            held.select(F.col("passage").alias(end), F.col("holders").alias(f"n_{end}")), end
        )
    crowded_pairs = pairs.where(F.col("n_u") + F.col("n_v") > cap)
    return int(held.where(F.col("holders") > cap).count() + crowded_pairs.count())
