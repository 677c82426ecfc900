"""Pairs of texts to pairs of articles, and what each article is known for: claims, best match,
reposts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.attribute import Attributor
from dedup.engines.spark.batches import column
from dedup.engines.spark.bundles import (
    EVIDENCE,
    RECORD,
    analysis_of,
    corpus_of,
    no_matches,
    no_relations,
    no_texts,
    relations_of,
)
from dedup.engines.spark.nodes import MOST_COPIES
from dedup.families import NO_FAMILIES
from dedup.tables.evidence import evidence_lists
from dedup.tables.records import Records
from dedup.tables.relations import Related, build_relations
from dedup.tables.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.agencies import Agencies
    from dedup.config import Settings
    from dedup.families import Families

    Row = dict[str, Any]

RELATION = (
    "a string, b string, relation string, revision boolean, p_shared double, p_copied double, "
    "coverage_a double, coverage_b double, score double, earlier string, missed_by string"
)
ROLES = f"{RELATION}, role string, node_a long, node_b long"
"""Columns of what pairs of articles give: ``role`` is ``listed`` (a relation), ``near`` (a near
miss) or ``revision`` (``a`` and ``b`` are one outlet's, or one article's)."""
_RECORD_KINDS = dict.fromkeys(RECORD, "string") | {"published": "long"}
_COPY = ", ".join(f"{name}:{kind}" for name, kind in _RECORD_KINDS.items())


def claims(records: DataFrame, texts: DataFrame, agencies: Agencies) -> DataFrame:
    """``ref``, ``credits``, ``mentions`` of all records."""
    names = ("ref", "title", "byline", "url", "outlet_id", "metadata")
    rows = records.select("node", *names).join(texts.select("node", "text"), "node")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        attributor = Attributor(agencies)
        for batch in batches:
            refs, titles, bylines, urls, outlets, metadata = (
                batch[name].to_pylist() for name in names
            )
            found = attributor.evidence_of(
                batch["text"],
                range(len(batch)),
                refs=refs,
                titles=titles,
                bylines=bylines,
                urls=urls,
                outlet_ids=outlets,
                metadata=metadata,
            )
            yield pa.RecordBatch.from_pydict(
                {
                    "ref": batch["ref"],
                    "credits": evidence_lists([credited for credited, _ in found]),
                    "mentions": evidence_lists([mentioned for _, mentioned in found]),
                }
            )

    return rows.mapInArrow(work, f"ref string, credits {EVIDENCE}, mentions {EVIDENCE}")


def few_records(records: DataFrame) -> DataFrame:
    """``node`` and its first ``copies`` (an array of records, by id), which make pairs."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    nth = F.row_number().over(Window.partitionBy("node").orderBy("id"))
    return (
        records.withColumn("nth", nth)
        .where(F.col("nth") <= MOST_COPIES)
        .groupBy("node")
        .agg(F.sort_array(F.collect_list(F.struct(*RECORD))).alias("copies_of"))
    )


def pair_rows(
    related: DataFrame, few: DataFrame, families: Families, settings: Settings, least: int
) -> DataFrame:
    """Relations, near misses and revisions (:data:`ROLES`) of related pairs of texts."""
    from pyspark.sql import functions as F  # noqa: N812

    rows = related.drop("matches", "block")
    for end in ("a", "b"):
        rows = rows.join(
            few.select(F.col("node").alias(end), F.col("copies_of").alias(f"copies_{end}")), end
        )

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from _pair_rows(batch, families, settings, least)

    return rows.mapInArrow(work, ROLES)


def _pair_rows(
    batch: pa.RecordBatch, families: Families, settings: Settings, least: int
) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_batches([batch]).sort_by([("a", "ascending"), ("b", "ascending")])
    found: dict[int, list[Row]] = {}
    letters: dict[int, int] = {}
    for end in ("a", "b"):
        columns = (table[name].to_pylist() for name in (end, f"copies_{end}", f"letters_{end}"))
        for node, copies, size in zip(*columns, strict=True):
            found[node], letters[node] = copies, size
    nodes = np.array(sorted(found), np.int64)
    rows = [{**copy, "node": node} for node in nodes.tolist() for copy in found[node]]
    corpus = corpus_of(_record_table(rows), nodes, families)
    sizes = np.array([letters[node] for node in nodes.tolist()], np.int64)
    x = analysis_of(corpus, no_texts(sizes), relations_of(table, nodes), no_matches())
    records = Records(corpus, len(nodes))
    none = Scores(np.empty(0), np.empty(0), np.empty(0))
    related = build_relations(records, x, settings, none, least)
    yield _roles(related, records, nodes)


def _record_table(rows: list[Row]) -> pa.Table:
    kinds = {"string": pa.string(), "long": pa.int64()}
    fields = [pa.field(name, kinds[kind]) for name, kind in _RECORD_KINDS.items()]
    rows.sort(key=lambda row: (row["id"], row["digest"]))
    return pa.Table.from_pylist(rows, pa.schema([*fields, pa.field("node", pa.int64())]))


def _roles(related: Related, records: Records, nodes: Any) -> pa.RecordBatch:
    rows: list[Row] = [{**row, "role": "listed"} for row in related.rows]
    rows += [{**row, "role": "near"} for row in related.near]
    for i, others in related.revisions.items():
        refs = records.refs
        rows += [{"a": refs[i], "b": refs[j], "role": "revision"} for j in others]
    number, node = records.number, records.node
    for row in rows:
        for end in ("a", "b"):
            row[f"node_{end}"] = int(nodes[node[number[row[end]]]])
    kinds: dict[str, pa.DataType] = {
        "string": pa.string(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "long": pa.int64(),
    }
    fields = [pa.field(n, kinds[k]) for n, k in (field.split() for field in ROLES.split(", "))]
    return pa.RecordBatch.from_pylist(rows, pa.schema(fields))


def identical_rows(
    records: DataFrame, nodes: DataFrame, families: Families, settings: Settings
) -> DataFrame:
    """Relations and reposts (:data:`ROLES`) of articles with one text that says enough.

    ``nodes``: ``node`` of those texts that several articles have.
    """
    rows = records.select("node", *RECORD).join(nodes, "node")

    def work(table: pa.Table) -> pa.Table:
        table = table.sort_by([("id", "ascending"), ("digest", "ascending")])
        nodes_ = column(table, "node")[:1]
        corpus = corpus_of(table, nodes_, families)
        x = analysis_of(
            corpus, no_texts(np.ones(1, np.int64)), no_relations(), no_matches(), groupable=True
        )
        of = Records(corpus, 1)
        scores = Scores(np.empty(0), np.zeros(1), np.empty(0))
        related = build_relations(of, x, settings, scores, 2)
        return pa.Table.from_batches([_roles(related, of, nodes_)])

    return rows.groupBy("node").applyInArrow(work, ROLES)


def known_of_records(roles: DataFrame) -> tuple[DataFrame, DataFrame]:
    """``ref``, ``best_ref``, ``best_share`` (whom it shares most with), and ``ref``, ``others``
    (articles of its own outlet that it repeats)."""
    from pyspark.sql import functions as F  # noqa: N812

    listed = roles.where("role = 'listed' AND relation <> 'boilerplate'")
    both = listed.select(
        F.col("a").alias("ref"), F.col("b").alias("other"), F.col("coverage_a").alias("share")
    ).unionByName(
        listed.select(
            F.col("b").alias("ref"), F.col("a").alias("other"), F.col("coverage_b").alias("share")
        )
    )
    rank = F.min(F.struct((-F.col("share")).alias("minus"), "other")).alias("best")
    best = both.groupBy("ref").agg(rank)
    best = best.select(
        "ref", F.col("best.other").alias("best_ref"), (-F.col("best.minus")).alias("best_share")
    )
    revised = roles.where("role = 'revision'").groupBy(F.col("a").alias("ref"))
    return best, revised.agg(F.sort_array(F.collect_set("b")).alias("others"))


__all__ = ["NO_FAMILIES", "claims", "few_records", "identical_rows", "known_of_records", "pair_rows"]
