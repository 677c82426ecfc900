"""Groups of articles, who wrote what they share, and the flag of every article."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from dedup.engines.spark.batches import collected, column
from dedup.engines.spark.bundles import (
    RECORD,
    analysis_of,
    claims_of,
    corpus_of,
    matches_of,
    no_matches,
    no_relations,
    no_texts,
    relations_of,
)
from dedup.engines.spark.components import ONE_TASK, components
from dedup.engines.spark.dealing import dealt
from dedup.flags import flag_article
from dedup.group import Group
from dedup.relate import R_COPY, R_PARTIAL
from dedup.tables.articles import source_of
from dedup.tables.groups import Grouped, build_group, record_facts, source_row
from dedup.tables.origins import Origins
from dedup.tables.records import Records
from dedup.tables.relations import Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.agencies import Agencies
    from dedup.engines.spark.stages import Stages
    from dedup.families import Families

FOUND = "grouping long, ref string, group_id string, core boolean, share double, found string"
"""Columns of what a group gives: with ``ref`` null its row, else what is decided of a member;
``found`` is JSON. ``grouping`` is the smallest node of its core."""


def group_members(
    stages: Stages, related: DataFrame, nodes: DataFrame, *, one_task: int = ONE_TASK
) -> DataFrame:
    """``grouping``, ``node``, ``core``: cores joined by ``copy``, with ``partial`` attached.

    ``nodes``: ``node``, ``copies``, ``groupable``. See ``group.group_nodes``. One task does it
    where it has ``one_task`` pairs and repeated texts at most.
    """
    from pyspark.sql import functions as F  # noqa: N812

    bonds = related.where(F.col("relation") >= R_PARTIAL).select("a", "b", "relation")
    repeated = nodes.where("copies > 1 AND groupable").select("node")
    rows = bonds.unionAll(repeated.selectExpr("node", "node", "0Y"))
    if stages.value("bonds", rows.count) <= one_task:
        return stages.table("members", lambda: _members_by_one(rows))
    copies = related.where(F.col("relation") == R_COPY).selectExpr("a AS u", "b AS v")
    joined = components(stages, "core-components", copies)
    return stages.table("members", lambda: _members_by_many(related, repeated, joined))


def _members_by_one(rows: DataFrame) -> DataFrame:
    """``rows``: ``a``, ``b``, ``relation``; a repeated text is a pair with itself."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = [batch for batch in batches if len(batch)]
        if parts:
            table = pa.Table.from_batches(parts)
            yield _members(*(column(table, name) for name in ("a", "b", "relation")))

    return rows.coalesce(1).mapInArrow(work, "grouping long, node long, core boolean")


def _members(
    a: NDArray[np.int64], b: NDArray[np.int64], relation: NDArray[np.int8]
) -> pa.RecordBatch:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    nodes, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    one, two = place[: len(a)], place[len(a) :]
    copy = (relation == R_COPY) | (a == b)
    ends = (one[copy], two[copy])
    shape = (len(nodes), len(nodes))
    graph = coo_matrix((np.ones(len(ends[0]), np.int8), ends), shape=shape)
    _, label = connected_components(graph, directed=False)
    # Nodes ascend: the first with a label is the smallest.
    name = nodes[np.unique(label, return_index=True)[1]][label]
    core = np.zeros(len(nodes), bool)
    core[np.concatenate(ends)] = True
    partial = relation == R_PARTIAL
    near = np.concatenate([one[partial], two[partial]])
    other = np.concatenate([two[partial], one[partial]])
    beside = core[near] & (label[near] != label[other])
    attached = np.unique(np.stack([name[near[beside]], nodes[other[beside]]], axis=1), axis=0)
    inside = np.flatnonzero(core)
    return pa.RecordBatch.from_pydict(
        {
            "grouping": pa.array(np.append(name[inside], attached[:, 0])),
            "node": pa.array(np.append(nodes[inside], attached[:, 1])),
            "core": pa.array(np.arange(len(inside) + len(attached)) < len(inside)),
        }
    )


def _members_by_many(related: DataFrame, repeated: DataFrame, joined: DataFrame) -> DataFrame:
    """``joined``: the components that copies make."""
    from pyspark.sql import functions as F  # noqa: N812

    linked = joined.select(F.col("component").alias("grouping"), "node")
    alone = repeated.join(linked, "node", "left_anti")
    cores = linked.unionByName(alone.select(F.col("node").alias("grouping"), "node"))
    partial = related.where(F.col("relation") == R_PARTIAL)
    both = partial.selectExpr("a AS node", "b AS other").union(partial.selectExpr("b", "a"))
    near = both.join(cores, "node")
    own = cores.select(F.col("node").alias("other"), F.col("grouping").alias("own"))
    attached = near.join(own, "other", "left").where("own IS NULL OR own <> grouping")
    attached = attached.select("grouping", F.col("other").alias("node")).distinct()
    return cores.withColumn("core", F.lit(True)).unionByName(
        attached.withColumn("core", F.lit(False))
    )


def decide(
    members: DataFrame,
    related: DataFrame,
    records: DataFrame,
    texts: DataFrame,
    agencies: Agencies,
    families: Families,
    bundles: int,
) -> DataFrame:
    """Every group with its source and the verdicts on its members (:data:`FOUND`).

    ``records``: columns ``bundles.RECORD``, ``node``, ``credits``, ``mentions``, ``best_ref``,
    ``best_share``, ``others``.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    number = F.pmod(F.xxhash64("grouping"), F.lit(bundles))
    bundle = dealt(number, bundles, texts.sparkSession).alias("bundle")
    first = F.row_number().over(Window.partitionBy("node").orderBy("id", "digest"))
    # Members are few, so that they can be sent to all texts, not texts to them.
    own = texts.select("node", "text").join(members.select("node"), "node", "left_semi")
    rows = (
        members.join(records.withColumn("nth", first), "node")
        .join(own, "node")
        .withColumn("text", F.when(F.col("nth") == 1, F.col("text")))
        .drop("nth")
        .withColumn("bundle", bundle)
    )
    pairs = related.where(F.col("relation") >= R_PARTIAL)
    for end in ("a", "b"):
        side = members.select(F.col("node").alias(end), F.col("grouping").alias(f"of_{end}"))
        pairs = pairs.join(side, end)
    inside = pairs.where("of_a = of_b").withColumnRenamed("of_a", "grouping").drop("of_b", "block")
    inside = inside.withColumn("bundle", bundle).drop("grouping").distinct()

    def work(of_pairs: pa.Table, of_rows: pa.Table) -> pa.Table:
        return _decided(of_pairs, of_rows, agencies, families)

    return inside.groupBy("bundle").cogroup(rows.groupBy("bundle")).applyInArrow(work, FOUND)


def _decided(pairs: pa.Table, rows: pa.Table, agencies: Agencies, families: Families) -> pa.Table:
    """What is decided in a bundle of groups, by the local engine's functions."""
    pairs = pairs.sort_by([("a", "ascending"), ("b", "ascending")])
    rows = rows.sort_by([("id", "ascending"), ("digest", "ascending"), ("grouping", "ascending")])
    nodes = np.unique(column(rows, "node"))
    refs = rows["ref"].to_pylist()
    fresh = [i for i, ref in enumerate(refs) if i == 0 or ref != refs[i - 1]]
    once = rows.take(pa.array(fresh))
    corpus = corpus_of(once, nodes, families)
    # Each text stands beside the first of its records only.
    columns = zip(once["node"].to_pylist(), once["text"].to_pylist(), strict=True)
    text_of = {node: text for node, text in columns if text is not None}
    texts = pa.array([text_of[node] for node in nodes.tolist()], pa.large_string())
    corpus = replace(corpus, texts=texts)
    c = collected(texts)
    relations = relations_of(pairs, nodes)
    matches = matches_of(pairs, c, relations)
    groups, names = _groups(rows, nodes)
    x = analysis_of(corpus, c, relations, matches, groups=groups, claims=claims_of(once))
    records = Records(corpus, len(nodes))
    related = _related(records, once)
    origins = Origins(x)
    out: list[dict[str, Any]] = []
    for g, name in enumerate(names):
        row, facts = build_group(records, x, related, agencies, origins, g)
        out.append(
            {
                "grouping": name,
                "group_id": row.id,
                "found": {
                    "id": row.id,
                    "key": row.key,
                    "core": [records.refs[i] for i in row.core],
                    "articles": [records.refs[i] for i in (*row.core, *row.attached)],
                    "source": source_row(row.facts.source),
                    "first_observed": row.first_observed,
                },
            }
        )
        for i, fact in facts.items():
            verdict = flag_article(fact, row.facts, agencies)
            own = Grouped({row.id: row}, {i: (row, fact)}, {})
            out.append(
                {
                    "grouping": name,
                    "ref": records.refs[i],
                    "group_id": row.id,
                    "core": fact.core,
                    "share": fact.share_copied,
                    "found": _verdict(verdict, source_of(verdict, own, i), fact.share_copied),
                }
            )
    return _found(out)


def _groups(rows: pa.Table, nodes: Any) -> tuple[list[Group], list[int]]:
    core: dict[int, set[int]] = {}
    attached: dict[int, set[int]] = {}
    place = {node: i for i, node in enumerate(nodes.tolist())}
    columns = (rows[name].to_pylist() for name in ("grouping", "node", "core"))
    for name, node, inside in zip(*columns, strict=True):
        core.setdefault(name, set())
        attached.setdefault(name, set())
        (core if inside else attached)[name].add(place[node])
    names = sorted(core)
    return [Group(tuple(sorted(core[n])), tuple(sorted(attached[n]))) for n in names], names


def _related(records: Records, rows: pa.Table) -> Related:
    """What is known of each record by its pairs with others."""
    related = Related(np.empty(0, bool))
    columns = (rows[name].to_pylist() for name in ("best_ref", "best_share", "others"))
    for i, (best, share, others) in enumerate(zip(*columns, strict=True)):
        if best is not None:
            related.best[i] = (share, best)
        # One that is missing here is no member of the bundle; it cannot be one's own copy.
        same = [records.number[ref] for ref in others or () if ref in records.number]
        if same:
            related.revisions[i] = same
    return related


def _verdict(verdict: Any, source: str | None, share: float) -> dict[str, Any]:
    return {
        "flag": verdict.flag,
        "basis": verdict.basis if verdict.flag == "syndicated" else None,
        "confidence": verdict.confidence,
        "source": source,
        "share_copied": share,
        "why": verdict.why,
    }


def _found(rows: list[dict[str, Any]]) -> pa.Table:
    fields = [
        pa.field("grouping", pa.int64()),
        pa.field("ref", pa.string()),
        pa.field("group_id", pa.string()),
        pa.field("core", pa.bool_()),
        pa.field("share", pa.float64()),
        pa.field("found", pa.string()),
    ]
    lines = [{**row, "found": orjson.dumps(row["found"]).decode()} for row in rows]
    return pa.Table.from_pylist(lines, pa.schema(fields))


def decide_alone(records: DataFrame, agencies: Agencies, families: Families) -> DataFrame:
    """The verdicts on records that are in no group (:data:`FOUND`)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = pa.Table.from_batches([batch]).sort_by(
                [("id", "ascending"), ("digest", "ascending")]
            )
            nodes = np.unique(column(rows, "node"))
            corpus = corpus_of(rows, nodes, families)
            x = analysis_of(
                corpus,
                no_texts(np.ones(len(nodes), np.int64)),
                no_relations(),
                no_matches(),
                claims=claims_of(rows),
            )
            of = Records(corpus, len(nodes))
            related = _related(of, rows)
            out = []
            for i in range(len(of)):
                fact = record_facts(of, x, related, agencies, i)
                verdict = flag_article(fact, None, agencies)
                source = source_of(verdict, Grouped({}, {}, {i: fact}), i)
                found = _verdict(verdict, source, fact.share_copied)
                out.append({"ref": of.refs[i], "found": found})
            yield from _found(out).to_batches()

    names = (*RECORD, "node", "credits", "mentions", "best_ref", "best_share", "others")
    return records.select(*names).mapInArrow(work, FOUND)


VERDICT = (
    "ref string, group string, flag string, basis string, confidence double, source string, "
    "share_copied double, why string"
)


def verdicts(found: DataFrame) -> DataFrame:
    """One verdict a record (:data:`VERDICT`): by its core, else where it shares most."""
    from pyspark.sql import functions as F  # noqa: N812

    rank = F.struct("core", "share", "group_id", "found")
    closest = found.where("ref IS NOT NULL").groupBy("ref").agg(F.max(rank).alias("top"))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        fields = [
            pa.field(name, pa.float64() if kind == "double" else pa.string())
            for name, kind in (field.split() for field in VERDICT.split(", "))
        ]
        for batch in batches:
            columns = (batch[name].to_pylist() for name in ("ref", "group_id", "found"))
            rows = [
                {"ref": ref, "group": group, **orjson.loads(text)}
                for ref, group, text in zip(*columns, strict=True)
            ]
            yield pa.RecordBatch.from_pylist(rows, pa.schema(fields))

    rows = closest.select("ref", F.col("top.group_id"), F.col("top.found"))
    return rows.mapInArrow(work, VERDICT)
