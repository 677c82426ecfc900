"""Shared passages and what the whole corpus says of them: clusters, counters, kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import column, unsorted
from dedup.engines.spark.components import components
from dedup.kinds import PassageCounters, name_kinds, suspected
from dedup.passages import LINK_SIMILARITY, star_centres

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.config import Settings
    from dedup.engines.spark.stages import Stages

CLUSTERS_A_GROUP = 256
"""Parts into which components of linked passages are dealt, of a thousand edges each or more."""


def links_of(aligned: DataFrame) -> DataFrame:
    """``a``, ``b``, ``u``, ``v``, ``cosine``: links between indexed passages, a row each."""
    from pyspark.sql import functions as F  # noqa: N812

    zipped = F.explode(F.arrays_zip("key_a", "key_b", "cosine")).alias("link")
    return aligned.select("a", "b", zipped).select(
        "a",
        "b",
        F.col("link.key_a").alias("u"),
        F.col("link.key_b").alias("v"),
        F.col("link.cosine").alias("cosine"),
    )


def cluster_passages(stages: Stages, links: DataFrame, passages: DataFrame) -> DataFrame:
    """``passage``, ``cluster``: passages that belong to a shared one, named after its centre.

    ``passages.star_centres`` on whole components of linked passages, which hang on no others.
    """
    from pyspark.sql import functions as F  # noqa: N812

    good = links.where(F.col("cosine") >= F.lit(LINK_SIMILARITY).cast("float")).where("u <> v")
    edges = good.select(F.least("u", "v").alias("u"), F.greatest("u", "v").alias("v")).distinct()
    parts = components(stages, "passage-components", edges)
    known = stages.table("passage-components-edges", lambda: edges)
    grouped = parts.select(
        F.col("node").alias("u"), F.pmod(F.hash("component"), F.lit(CLUSTERS_A_GROUP)).alias("part")
    )
    edge_rows = known.join(grouped, "u")
    node_rows = grouped.withColumnRenamed("part", "own_part").join(
        passages.select(F.col("passage").alias("u"), "held"), "u"
    )

    def work(of_edges: pa.Table, of_nodes: pa.Table) -> pa.Table:
        nodes = of_nodes.sort_by("u")
        passage = column(nodes, "u")
        u, v = (np.searchsorted(passage, column(of_edges, end)) for end in ("u", "v"))
        both = np.concatenate([np.stack([u, v], 1), np.stack([v, u], 1)])
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        centre = star_centres(both[:, 0], both[:, 1], column(nodes, "held"), unsorted(passage))
        return pa.table({"passage": pa.array(passage), "cluster": pa.array(passage[centre])})

    linked = (
        edge_rows.groupBy("part")
        .cogroup(node_rows.groupBy("own_part"))
        .applyInArrow(work, "passage long, cluster long")
    )
    alone = passages.where("held > 1").join(
        parts.select(F.col("node").alias("passage")), "passage", "left_anti"
    )
    return linked.unionByName(alone.select("passage", F.col("passage").alias("cluster")))


def shared_occurrences(
    occurrences: DataFrame, members: DataFrame, template: DataFrame, texts: DataFrame
) -> DataFrame:
    """Occurrences of passages that two articles or more share, with ``cluster``, ``made`` (1: by
    its outlet's template) and ``snippet``, the words as they stand in the text."""
    from pyspark.sql import functions as F  # noqa: N812

    rows = occurrences.drop("words", "repeat").join(members, "passage")
    held = rows.select("cluster", "node", "copies").distinct()
    several = held.groupBy("cluster").agg(F.sum("copies").alias("articles")).where("articles > 1")
    rows = rows.join(several.select("cluster"), "cluster", "left_semi")
    made = template.select("node", F.explode("template").alias("place")).withColumn(
        "made", F.lit(1)
    )
    rows = rows.join(made, ["node", "place"], "left").withColumn(
        "made", F.coalesce("made", F.lit(0))
    )
    cut = F.substring(F.col("text"), F.col("begin") + 1, F.col("end") - F.col("begin"))
    return rows.join(texts.select("node", "text"), "node").withColumn("snippet", cut).drop("text")


def count_holders(shared: DataFrame, records: DataFrame) -> DataFrame:
    """The counters of ``kinds.PassageCounters`` that need no alignment, a row a ``cluster``.

    ``records``: ``node``, ``owner_id``, ``day``.
    """
    from pyspark.sql import functions as F  # noqa: N812

    places = shared.groupBy("cluster").agg(
        F.count("*").alias("occurrences"),
        F.sum(F.col("said").cast("long")).alias("said"),
        F.sum(F.col("edge").cast("long")).alias("edge"),
        F.sum(F.col("made").cast("long")).alias("template"),
    )
    texts = shared.select("cluster", "node", "copies").distinct()
    pairs = F.col("copies") * (F.col("copies") - 1) / 2
    sums = texts.groupBy("cluster").agg(
        F.sum("copies").alias("articles"), F.sum(pairs.cast("long")).alias("identical")
    )
    by_node = records.where("owner_id IS NOT NULL").groupBy("node", "owner_id").count()
    owners = (
        texts.join(by_node, "node")
        .groupBy("cluster", "owner_id")
        .agg(F.sum("count").alias("own"))
        .groupBy("cluster")
        .agg(
            F.count("*").alias("outlets"),
            F.max("own").alias("top"),
            F.sum("own").alias("with_outlet"),
        )
    )
    dated = records.where("day >= 0").groupBy("node")
    days = dated.agg(F.min("day").alias("first_day"), F.max("day").alias("last_day"))
    span = (
        texts.join(days, "node")
        .groupBy("cluster")
        .agg((F.max("last_day") - F.min("first_day")).alias("days"))
    )
    out = places.join(sums, "cluster").join(owners, "cluster", "left").join(span, "cluster", "left")
    out = out.fillna(0, ["outlets", "top", "with_outlet", "days"])
    return out.withColumn("outletless", F.col("articles") - F.col("with_outlet")).drop(
        "with_outlet"
    )


def suspects(counted: DataFrame, settings: Settings) -> DataFrame:
    """``cluster``: passages that one outlet repeats (``kinds.suspected``)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = suspected(column(batch, "articles"), column(batch, "top"), settings)
            yield batch.select(["cluster"]).filter(pa.array(found))

    return counted.select("cluster", "articles", "top").mapInArrow(work, "cluster long")


def count_links(links: DataFrame, members: DataFrame, unrelated: DataFrame) -> DataFrame:
    """``cluster``, ``links`` and how many are of pairs that are otherwise ``unrelated``;
    ``similarity`` the sum of their cosines."""
    from pyspark.sql import functions as F  # noqa: N812

    def side(name: str) -> DataFrame:
        return members.select(F.col("passage").alias(name), F.col("cluster").alias(f"of_{name}"))

    inside = links.join(side("u"), "u").join(side("v"), "v").where("of_u = of_v")
    marked = unrelated.withColumn("unrelated", F.lit(1))
    return (
        inside.join(marked, ["a", "b"], "left")
        .groupBy(F.col("of_u").alias("cluster"))
        .agg(
            F.count("*").alias("links"),
            F.count("unrelated").alias("unrelated"),
            F.sum(F.col("cosine").cast("double")).alias("similarity"),
        )
    )


KINDS = (
    "cluster long, kind byte, quoted double, articles long, outlets long, outletless long, "
    "links long, similarity double"
)


def kinds_of(counted: DataFrame, links: DataFrame, settings: Settings) -> DataFrame:
    """The kind of every shared passage, and what its rank needs (:data:`KINDS`)."""
    rows = counted.join(links, "cluster", "left").fillna(0, ["links", "unrelated", "similarity"])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            counters = PassageCounters(
                **{name: column(batch, name) for name in PassageCounters.__slots__}
            )
            found = name_kinds(counters, settings, np.zeros(len(batch), bool))
            yield pa.RecordBatch.from_pydict(
                {
                    "cluster": batch["cluster"],
                    "kind": pa.array(found.kind),
                    "quoted": pa.array(found.quoted),
                    **{
                        name: batch[name]
                        for name in ("articles", "outlets", "outletless", "links", "similarity")
                    },
                }
            )

    return rows.mapInArrow(work, KINDS)
