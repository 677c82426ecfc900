"""Alignments of an update: pairs of texts that an earlier run aligned are not aligned again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.engines.spark import compare
from dedup.engines.spark.blocks import in_blocks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dedup.engines.spark.growing import Growing


def align_further(g: Growing, pairs: DataFrame, texts: DataFrame) -> DataFrame:
    """The alignment of all ``pairs`` (``compare.ALIGNED``); new ones are added to the index."""
    table, plan = g.stages.table, g.plan
    known = g.stored("aligned").select("a", "b")
    fresh = table("unaligned", lambda: pairs.join(known, ["a", "b"], "left_anti"))
    parts = table("parts", lambda: in_blocks(fresh, fresh.count(), plan.tasks))
    added = g.add("aligned", lambda: compare.align_pairs(parts, texts, plan.settings))
    blocks = table("blocks", lambda: in_blocks(pairs, pairs.count(), plan.tasks))
    every = g.every("aligned", added)
    return table("aligned", lambda: every.join(blocks.select("a", "b", "block"), ["a", "b"]))
