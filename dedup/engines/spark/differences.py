"""What a run changed in the tables of an index, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.indextables import KEYS, UNRANKED, result_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column, DataFrame

CHANGE = (
    "table string, change string, key string, fields array<string>, before map<string,string>, "
    "after map<string,string>"
)
"""A row that was ``added``, ``changed`` or ``removed``: its ``key`` as a JSON array; of a changed
one the ``fields`` that differ, as they were and as they are (JSON)."""


def differences(former: Mapping[str, DataFrame], now: Mapping[str, DataFrame]) -> DataFrame:
    """All rows of the tables of results that differ (:data:`CHANGE`), by table and key.

    Scores and other columns that hang on the whole corpus are left out, as in
    :mod:`dedup.changes`.
    """
    parts = [_of_table(name, former[name], now[name]) for name in KEYS]
    out = parts[0]
    for part in parts[1:]:
        out = out.unionByName(part)
    return out.orderBy("table", "key")


def _of_table(name: str, former: DataFrame, now: DataFrame) -> DataFrame:
    keys = KEYS[name]
    columns = [column for column in result_columns(name) if column not in keys]
    order = {column for table, column in UNRANKED if table == name}

    def packed(rows: DataFrame, side: str) -> DataFrame:
        values = (
            _json(F.sort_array(column) if column in order else F.col(column)) for column in columns
        )
        pairs = [part for c, v in zip(columns, values, strict=True) for part in (F.lit(c), v)]
        return rows.select(_key(keys), F.create_map(*pairs).alias(side))

    rows = packed(former, "was").join(packed(now, "is"), "key", "full")
    was, is_ = F.col("was").isNotNull(), F.col("is").isNotNull()
    change = F.when(~was, F.lit("added")).when(~is_, F.lit("removed")).otherwise(F.lit("changed"))
    fields = F.when(
        was & is_,
        F.filter(
            F.array(*(F.lit(column) for column in columns)),
            lambda column: ~F.element_at("was", column).eqNullSafe(F.element_at("is", column)),
        ),
    )
    rows = rows.withColumn("fields", fields).where(~was | ~is_ | (F.size("fields") > 0))

    def chosen(side: str) -> Column:
        kept = F.map_filter(side, lambda column, _: F.array_contains("fields", column))
        return F.when(F.col("fields").isNotNull(), kept)

    return rows.select(
        F.lit(name).alias("table"),
        change.alias("change"),
        "key",
        "fields",
        chosen("was").alias("before"),
        chosen("is").alias("after"),
    )


def _key(names: Sequence[str]) -> Column:
    """The key of a row as a JSON array."""
    values = F.concat_ws(",", *(_json(F.col(name)) for name in names))
    return F.concat(F.lit("["), values, F.lit("]")).alias("key")


def _json(value: Column) -> Column:
    """A value as JSON, also one that Spark's function takes only within another."""
    whole = F.to_json(F.struct(value.alias("v")), {"ignoreNullFields": "false"})
    return F.substring(whole, len('{"v":') + 1, F.length(whole) - len('{"v":}'))


def change_counts(changes: DataFrame) -> dict[str, dict[str, int]]:
    """How many rows of each table were added, changed and removed."""
    found: dict[str, dict[str, int]] = {}
    for row in changes.groupBy("table", "change").count().orderBy("table", "change").collect():
        found.setdefault(row["table"], {})[row["change"]] = row["count"]
    return found


def changed_flags(changes: DataFrame, articles: DataFrame) -> list[str]:
    """The flags of articles that were added or changed, each once."""
    keys = changes.where("`table` = 'articles' AND change <> 'removed'").select("key")
    rows = articles.select("flag", _key(KEYS["articles"])).join(keys, "key", "left_semi")
    return [row["flag"] for row in rows.select("flag").distinct().orderBy("flag").collect()]
