"""Records to distinct texts ("nodes"), in the order of their digests.

A node is known by a number that orders nodes as their digests do: so "the smaller node" means the
same as on one machine, where nodes are numbered by digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from dedup.outlets import outlet_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.families import Families

MICROSECONDS_A_DAY = 86_400_000_000
MOST_COPIES = 17
"""Records of a node that pairs of articles are made of (see ``tables.records.FEW``), and one more,
which shows that there are others."""


def with_outlets(records: DataFrame, families: Families) -> DataFrame:
    """Records with ``outlet_id``, ``owner_id`` (whom it counts as), ``outlet_name`` and ``day``."""
    from pyspark.sql import functions as F  # noqa: N812

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            pairs = zip(batch["outlet"].to_pylist(), batch["url"].to_pylist(), strict=True)
            found = [outlet_identity(outlet, url) for outlet, url in pairs]
            ids = [identity[0] if identity else None for identity in found]
            columns = {name: batch[name] for name in batch.schema.names}
            columns["outlet_id"] = pa.array(ids, pa.string())
            columns["own_name"] = pa.array([i[1] if i else None for i in found], pa.string())
            columns["owner_id"] = pa.array([families.owner(i) for i in ids], pa.string())
            yield pa.RecordBatch.from_pydict(columns)

    kinds = ", ".join(f"{name} {kind}" for name, kind in records.dtypes)
    named = records.mapInArrow(work, f"{kinds}, outlet_id string, own_name string, owner_id string")
    day = F.when(
        F.col("published").isNotNull(), F.floor(F.col("published") / MICROSECONDS_A_DAY)
    ).otherwise(F.lit(-1))
    return named.withColumn("day", day.cast("long"))


def display_names(records: DataFrame) -> DataFrame:
    """``outlet_id``, ``outlet_name``: a name for people for each outlet, see ``corpus``."""
    from pyspark.sql import functions as F  # noqa: N812

    known = records.where("outlet_id IS NOT NULL")
    last = known.groupBy("outlet_id").agg(
        F.max_by("own_name", F.struct("id", "digest")).alias("own_name")
    )
    said = (
        known.where("outlet IS NOT NULL")
        .groupBy("outlet_id", "outlet")
        .agg(F.count("*").alias("times"))
        .groupBy("outlet_id")
        .agg(F.min_by("outlet", F.struct(-F.col("times"), "outlet")).alias("said"))
    )
    name = F.when(
        (F.col("own_name") == F.col("outlet_id")) & F.col("said").isNotNull(), F.col("said")
    ).otherwise(F.col("own_name"))
    return last.join(said, "outlet_id", "left").select("outlet_id", name.alias("outlet_name"))


def number_nodes(records: DataFrame) -> DataFrame:
    """``node``, ``row`` (of the record whose text is taken), ``digest``, ``copies``, and
    ``owner_id`` and ``day`` of its first record, in the order of the digests."""
    from pyspark.sql import functions as F  # noqa: N812

    first = F.min(F.struct("id", "owner_id", "day", "row")).alias("first")
    nodes = records.groupBy("digest").agg(F.count("*").alias("copies"), first)
    return (
        nodes.repartitionByRange("digest")
        .sortWithinPartitions("digest")
        .select(
            F.monotonically_increasing_id().alias("node"),
            F.col("first.row").alias("row"),
            "digest",
            "copies",
            F.col("first.owner_id").alias("owner_id"),
            F.col("first.day").alias("day"),
        )
    )


def with_texts(nodes: DataFrame, read: DataFrame) -> DataFrame:
    """``node``, ``digest``, ``text``, ``copies``, ``owner_id``, ``day``: each text is moved once,
    and stays where it was read while the nodes are few enough to be sent to all tasks."""
    texts = read.where("told IS NULL").select("row", "text")
    columns = ("node", "digest", "text", "copies", "owner_id", "day")
    return nodes.join(texts, "row").select(*columns)


def too_large_outlet(nodes: DataFrame, share: float) -> str | None:
    """The one outlet that has a greater ``share`` of the nodes with an outlet, if any."""
    from pyspark.sql import functions as F  # noqa: N812

    counts = nodes.where("owner_id IS NOT NULL").groupBy("owner_id").count()
    row = counts.agg(
        F.sum("count").alias("known"), F.max(F.struct("count", "owner_id")).alias("top")
    ).first()
    if row is None or row["known"] is None or row["top"]["count"] <= share * row["known"]:
        return None
    return str(row["top"]["owner_id"])
