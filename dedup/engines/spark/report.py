"""The page of a run whose tables no one machine need hold: its largest groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.model import table_schemas
from dedup.report.encode import normalised
from dedup.report.html import render_html
from dedup.texts import Tables, TextTable

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

GROUPS = 200
"""Groups that are shown at most, the largest first."""
LARGEST = 100
"""Articles of a group that is shown; what larger ones are stands in the tables."""
PASSAGES = 1_000


def top_groups(tables: dict[str, DataFrame], run: dict[str, Any]) -> str:
    """``report.html``: the :data:`GROUPS` largest groups of :data:`LARGEST` articles or fewer."""
    size = F.size("articles")
    chosen = tables["groups"].where(size <= LARGEST).orderBy(size.desc(), "id").limit(GROUPS)
    refs = chosen.select(F.explode("articles").alias("ref")).distinct()
    ends = [refs.withColumnRenamed("ref", end) for end in ("a", "b")]

    def inside(name: str) -> DataFrame:
        return tables[name].join(ends[0], "a", "left_semi").join(ends[1], "b", "left_semi")

    articles = tables["articles"].join(refs, "ref", "left_semi")
    held = chosen.select(F.explode(F.slice("passages", 1, 5)).alias("id")).distinct()
    passages = tables["passages"].join(held, "id", "left_semi").orderBy(F.col("score").desc(), "id")
    shown = {
        "articles": articles.orderBy("ref"),
        "groups": chosen.orderBy("id"),
        "relations": inside("relations").orderBy("a", "b"),
        "matches": inside("matches").orderBy("a", "b", "a_start", "b_start", "a_end"),
        "passages": passages.limit(PASSAGES),
        "sources": tables["sources"].limit(0),
        "near_misses": tables["near_misses"].limit(0),
        "rejected": tables["rejected"].limit(PASSAGES),
    }
    found = {name: _table(name, rows) for name, rows in shown.items()}
    texts = None
    if "texts" in tables:
        own = tables["texts"].join(refs, "ref", "left_semi").orderBy("ref")
        texts = TextTable.of(_table("texts", own))
    return render_html(Tables(found, texts), run)


def _arrow(rows: DataFrame) -> pa.Table:
    return rows.toArrow()


def _table(name: str, rows: DataFrame) -> pa.Table:
    schema = table_schemas()[name]
    return normalised(name, _arrow(rows).select(schema.names).cast(schema))
