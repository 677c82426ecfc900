"""Banded LSH of an update: only the buckets that a new passage comes into are looked at.

The index keeps a row for each passage and band (table ``keys``) and, of each pair of passages that
proved alike, the bands whose buckets compare it (``similar``). A bucket that nothing new comes
into compares what it compared. One that is not full compares each new passage with all others. A
full one compares all with its representatives, the smallest: it is looked at whole, since a new
passage may fill it or displace a representative; pairs that no bucket compares any longer then
have no bands left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.candidates import common_eighths
from dedup.engines.spark import similar
from dedup.engines.spark.batches import column, tidied, unsorted
from dedup.engines.spark.growing import latest
from dedup.joining import BUCKET_CAP, BUCKET_REPRESENTATIVES, LEAST_AGREEMENT
from dedup.kernels import buckets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from dedup.config import Settings
    from dedup.engines.spark.growing import Growing
    from dedup.engines.spark.stages import Stages

KEY = "passage long, key int, band int, low long, middle long, high long"
MET = "u long, v long, band int"
"""A pair ``u`` < ``v`` that a bucket of ``band`` compares; with ``v`` null, ``u`` is in a full
bucket of it."""


def alike_passages(g: Growing, found: DataFrame, passages: DataFrame) -> DataFrame:
    """All pairs of passages that prove alike (``similar.SIMILAR``).

    ``found``: occurrences in new texts, with words; ``passages``: all distinct ones of the index.
    """
    settings, table = g.plan.settings, g.stages.table
    own = found.groupBy("passage").agg(
        F.first("information").alias("information"), F.first("words").alias("words")
    )
    known = g.stored("passages")
    fresh = g.add("passages", lambda: own.join(known, "passage", "left_anti"))
    keys = g.add("keys", lambda: band_keys(fresh, settings).repartition("band").sort("band", "key"))
    members = table("touched", lambda: touched(g.stored("keys"), keys))
    blocks = max(g.plan.tasks, -(-members.count() // similar.ENTRIES_A_BLOCK))
    met = table("met-passages", lambda: meetings(members, settings, blocks))
    now = met.where("v IS NOT NULL").groupBy("u", "v").agg(F.collect_set("band").alias("compared"))
    full = met.where("v IS NULL").groupBy("u").agg(F.collect_set("band").alias("full"))
    before = latest(g.stored("similar"), "u", "v")
    words = g.every("passages", fresh)

    def changed() -> DataFrame:
        new = now.join(before, ["u", "v"], "left_anti")
        pairs = similar.similar_passages(new.select("u", "v"), words, settings)
        proved = pairs.join(new, ["u", "v"])
        proved = proved.select("u", "v", "shared", _sorted("compared"))
        rows = before.join(full, "u", "left").join(now, ["u", "v"], "left")
        kept = F.array_except("bands", _or_none("full"))
        bands = F.array_union(kept, _or_none("compared"))
        other = rows.where(F.sort_array("bands") != F.sort_array(bands))
        other = other.select("u", "v", "shared", F.sort_array(bands).alias("bands"))
        return proved.unionByName(other).withColumn("number", F.lit(g.number))

    added = g.add("similar", changed)
    rows = latest(g.every("similar", added), "u", "v").where(F.size("bands") > 0)
    return table("similar", lambda: _with_common(rows, passages))


def _sorted(name: str) -> Column:
    return F.sort_array(name).alias("bands")


def _or_none(name: str) -> Column:
    return F.coalesce(F.col(name), F.array().cast("array<int>"))


def band_keys(passages: DataFrame, settings: Settings) -> DataFrame:
    """The keys of passages in all bands, with the bitmaps of their words (:data:`KEY`)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            words = similar.PassageWords(batch["words"].to_pylist(), column(batch, "information"))
            keys = words.band_keys(settings)
            count, width = keys.shape
            card = np.repeat(words.card, width, axis=0).view(np.int64)
            bands = np.tile(np.arange(width, dtype=np.int32), count)
            yield pa.RecordBatch.from_pydict(
                {
                    "passage": pa.array(np.repeat(column(batch, "passage"), width)),
                    "key": pa.array(keys.ravel().view(np.int32)),
                    "band": pa.array(bands),
                    "low": pa.array(card[:, 0]),
                    "middle": pa.array(card[:, 1]),
                    "high": pa.array(card[:, 2]),
                }
            )

    return passages.select("passage", "information", "words").mapInArrow(work, KEY)


def touched(stored: DataFrame, keys: DataFrame) -> DataFrame:
    """The members (:data:`KEY`, ``fresh``: new) of all buckets that new passages are in."""
    wanted = keys.select("band", "key").distinct()
    old = stored.join(wanted, ["band", "key"], "left_semi")
    new = keys.withColumn("fresh", F.lit(True))
    return new.unionByName(old.withColumn("fresh", F.lit(False)))


def meetings(members: DataFrame, settings: Settings, blocks: int) -> DataFrame:
    """What the buckets of ``members`` compare that they did not compare before, or perhaps not:
    pairs with a new passage, and all pairs of full buckets (:data:`MET`)."""

    def work(table: pa.Table) -> pa.Table:
        return met_in(table, settings)

    block = F.pmod(F.xxhash64("band", "key"), F.lit(blocks))
    return members.withColumn("block", block).groupBy("block").applyInArrow(work, MET)


def met_in(members: pa.Table, settings: Settings) -> pa.Table:
    """:func:`meetings` of whole buckets."""
    names = ("band", "passage", "key", "low", "middle", "high", "fresh")
    band, passage, key, low, middle, high, fresh = (column(members, name) for name in names)
    order = np.lexsort((passage, band))
    starts = np.searchsorted(band[order], np.arange(int(band.max(initial=-1)) + 2))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], int]] = []
    crowds: list[tuple[NDArray[np.int64], int]] = []
    for number in range(len(starts) - 1):
        at = order[starts[number] : starts[number + 1]]
        if len(at) < 2:
            continue
        card = np.stack([low[at], middle[at], high[at]], axis=1).view(np.uint64)
        one, two, _ = buckets.bucket_pairs(
            key[at].view(np.uint32),
            np.arange(len(at)),
            unsorted(passage[at]),
            card,
            LEAST_AGREEMENT * settings.sensitivity,
            BUCKET_CAP,
            BUCKET_REPRESENTATIVES,
        )
        _, bucket, size = np.unique(key[at], return_inverse=True, return_counts=True)
        full = size[bucket] > BUCKET_CAP
        keep = fresh[at][one] | fresh[at][two] | full[one]
        one, two = passage[at][one[keep]], passage[at][two[keep]]
        found.append((np.minimum(one, two), np.maximum(one, two), number))
        crowds.append((passage[at][full], number))
    none = np.empty(0, np.int64)
    u = np.concatenate([none, *(one for one, _, _ in found), *(some for some, _ in crowds)])
    v = np.concatenate([none, *(two for _, two, _ in found)])
    bands = [np.full(len(one), number, np.int32) for one, _, number in found]
    bands += [np.full(len(some), number, np.int32) for some, number in crowds]
    alone = np.arange(len(u)) >= len(v)
    v = np.append(v, np.zeros(len(u) - len(v), np.int64))
    return pa.table(
        {
            "u": pa.array(u),
            "v": pa.array(v, mask=alone),
            "band": pa.array(np.concatenate([np.empty(0, np.int32), *bands])),
        }
    )


def _with_common(alike: DataFrame, passages: DataFrame) -> DataFrame:
    """Pairs (``u``, ``v``, ``shared``) with what they have in common (``similar.SIMILAR``), which
    also hangs on whether anyone quotes the passages."""

    def side(name: str) -> DataFrame:
        return passages.select(
            F.col("passage").alias(name),
            F.col("information").alias(f"information_{name}"),
            F.col("quoted").alias(f"quoted_{name}"),
        )

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            n = len(batch)
            says = np.concatenate([column(batch, f"information_{end}") for end in "uv"])
            quoted = np.concatenate([column(batch, f"quoted_{end}") for end in "uv"]) > 0
            shared = column(batch, "shared")
            common = common_eighths(says, quoted, np.arange(n), np.arange(n, 2 * n), shared)
            columns = {name: batch[name] for name in ("u", "v", "shared")}
            yield pa.RecordBatch.from_pydict({**columns, "common": pa.array(common)})

    rows = alike.select("u", "v", "shared").join(side("u"), "u").join(side("v"), "v")
    return rows.mapInArrow(work, similar.SIMILAR)


def full_buckets(stages: Stages) -> int:
    """How many of the buckets that this run looked at are too full to compare all."""
    sizes = stages.finished("touched").groupBy("band", "key").count()
    return int(sizes.where(F.col("count") > BUCKET_CAP).count())
