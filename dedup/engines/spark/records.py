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
    one_text,
    placed_matches,
    relations_of,
)
from dedup.engines.spark.nodes import MOST_COPIES
from dedup.engines.spark.scores import MATCH
from dedup.relate import R_QUOTE
from dedup.tables.evidence import evidence_lists
from dedup.tables.records import Records
from dedup.tables.relations import NEAR, Related, build_relations, match_table
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
ROLES = (
    f"{RELATION}, role string, a_start long, a_end long, b_start long, b_end long, "
    "similarity double, kind string, passage string"
)
"""Columns of what pairs of articles give: ``role`` is ``listed`` (a relation), ``near`` (a near
miss), ``match`` or ``revision`` (``a`` and ``b`` are one outlet's, or one article's)."""
_RECORD_KINDS = dict.fromkeys(RECORD, "string") | {"published": "long"}
_COPY = ", ".join(f"{name}:{kind}" for name, kind in _RECORD_KINDS.items())


def claims(records: DataFrame, texts: DataFrame, agencies: Agencies) -> DataFrame:
    """``ref``, ``credits``, ``mentions`` of all records."""
    names = ("node", "ref", *_STATED)
    return evidence(records.select(*names).join(texts.select("node", "text"), "node"), agencies)


_STATED = ("title", "byline", "url", "outlet_id", "metadata")


def evidence(rows: DataFrame, agencies: Agencies) -> DataFrame:
    """``ref``, ``credits``, ``mentions`` of records (``ref``, ``title``, ``byline``, ``url``,
    ``outlet_id``, ``metadata``) with their ``text``."""
    names = ("ref", *_STATED)

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
    related: DataFrame,
    few: DataFrame,
    weights: DataFrame,
    families: Families,
    settings: Settings,
    least: int,
) -> DataFrame:
    """Relations, near misses, matches and revisions (:data:`ROLES`) of related pairs of texts.

    ``weights``: those of matches (``scores.WEIGHT``), of listed pairs.
    """
    from pyspark.sql import functions as F  # noqa: N812

    of_pair = weights.where(f"kind = {MATCH}").groupBy("a", "b")
    ordered = F.sort_array(F.collect_list(F.struct("nth", "weight")))["weight"]
    # Most aligned pairs are neither listed nor near to that.
    wanted = F.col("relation") >= least
    for name in ("p_copied", "p_shared"):
        wanted = wanted | (F.col(name) >= NEAR)
    rows = (
        related.where(wanted)
        .drop("block")
        .join(of_pair.agg(ordered.alias("weights")), ["a", "b"], "left")
    )
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
    c, matches, passages = placed_matches(table, sizes)
    relations = relations_of(table, nodes)
    x = analysis_of(corpus, c, relations, matches)
    records = Records(corpus, len(nodes))
    # Only the matches of listed pairs have been weighed.
    weights = np.zeros(len(matches.pair))
    listed = relations.relation[matches.pair] >= least
    weights[listed] = [w for row in table["weights"].to_pylist() for w in row or ()]
    scores = Scores(weights * matches.similarity, np.empty(0), np.empty(0))
    related = build_relations(records, x, settings, scores, least)
    placed = match_table(records, x, related, passages, scores)
    yield _roles(related, records, placed)


def _record_table(rows: list[Row]) -> pa.Table:
    kinds = {"string": pa.string(), "long": pa.int64()}
    fields = [pa.field(name, kinds[kind]) for name, kind in _RECORD_KINDS.items()]
    rows.sort(key=lambda row: (row["id"], row["digest"]))
    return pa.Table.from_pylist(rows, pa.schema([*fields, pa.field("node", pa.int64())]))


def _roles(related: Related, records: Records, matches: pa.Table) -> pa.RecordBatch:
    rows: list[Row] = [{**row._asdict(), "role": "listed"} for row in related.rows]
    rows += [{**row._asdict(), "role": "near"} for row in related.near]
    rows += [{**row, "role": "match"} for row in matches.to_pylist()]
    for i, others in related.revisions.items():
        refs = records.refs
        rows += [{"a": refs[i], "b": refs[j], "role": "revision"} for j in others]
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
    """Relations, matches and reposts (:data:`ROLES`) of articles with one text that says enough.

    ``nodes``: ``node``, ``first``, ``last``, ``weight`` of those texts that several articles have.
    """
    rows = records.select("node", *RECORD).join(nodes, "node")

    def work(table: pa.Table) -> pa.Table:
        table = table.sort_by([("id", "ascending"), ("digest", "ascending")])
        nodes_ = column(table, "node")[:1]
        corpus = corpus_of(table, nodes_, families)
        first, last, weight = (column(table, name)[0] for name in ("first", "last", "weight"))
        c = one_text(int(first), int(last))
        x = analysis_of(corpus, c, no_relations(), no_matches(), groupable=True)
        of = Records(corpus, 1)
        scores = Scores(np.empty(0), np.array([weight]), np.empty(0))
        related = build_relations(of, x, settings, scores, R_QUOTE)
        placed = match_table(of, x, related, [], scores)
        return pa.Table.from_batches([_roles(related, of, placed)])

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
