"""The page of a run whose tables no one machine need hold: its largest groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.engines.spark.results import SORTED_BY
from dedup.engines.spark.session import few_rows
from dedup.model import table_schemas
from dedup.report.encode import normalised
from dedup.report.html import render_html
from dedup.texts import Tables, TextTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

GROUPS = 200
"""Groups that are shown at most, the largest first."""
LARGEST = 100
"""Articles of a group that is shown; what larger ones are stands in the tables."""
PASSAGES = 1_000
FIRST_PASSAGES = 5
"""Passages of a group that are shown, by rank."""


def top_groups(tables: dict[str, DataFrame], run: dict[str, Any]) -> str:
    """``report.html``: the :data:`GROUPS` largest groups of :data:`LARGEST` articles or fewer."""
    size = F.size("articles")
    chosen = tables["groups"].where(size <= LARGEST).orderBy(size.desc(), "id").limit(GROUPS)
    groups = _table("groups", chosen)
    members = groups["articles"].to_pylist()
    firsts = (passages[:FIRST_PASSAGES] for passages in groups["passages"].to_pylist())
    refs, held = (
        _names(tables["groups"].sparkSession, name, lists)
        for name, lists in (("ref", members), ("id", firsts))
    )
    ends = [refs.withColumnRenamed("ref", end) for end in ("a", "b")]

    def inside(name: str) -> DataFrame:
        return tables[name].join(ends[0], "a", "left_semi").join(ends[1], "b", "left_semi")

    passages = tables["passages"].join(held, "id", "left_semi").orderBy(F.col("score").desc(), "id")
    shown = {
        "articles": tables["articles"].join(refs, "ref", "left_semi"),
        "relations": inside("relations"),
        "matches": inside("matches"),
        "rejected": tables["rejected"].limit(PASSAGES),
    }
    found = {name: _table(name, rows) for name, rows in shown.items()}
    found["groups"] = groups
    found["passages"] = _table("passages", passages.limit(PASSAGES), in_order=True)
    for name in ("sources", "near_misses"):
        found[name] = table_schemas()[name].empty_table()
    texts = None
    if "texts" in tables:
        texts = TextTable.of(_table("texts", tables["texts"].join(refs, "ref", "left_semi")))
    return render_html(Tables(found, texts), run)


def _names(spark: SparkSession, name: str, lists: Iterable[list[str]]) -> DataFrame:
    """All names of some lists, as a table small enough to be sent to all tasks."""
    every = sorted({one for some in lists for one in some})
    # Spark knows no size of such a table: it would sort and send the other one.
    return F.broadcast(few_rows(spark, {name: every}))


def _table(name: str, rows: DataFrame, *, in_order: bool = False) -> pa.Table:
    """A few rows of a table, sorted here unless they are: Spark would need a job more for it."""
    schema = table_schemas()[name]
    found = rows.toArrow().select(schema.names).cast(schema)
    if not in_order:
        found = found.sort_by([(key, "ascending") for key in SORTED_BY[name]])
    return normalised(name, found)
