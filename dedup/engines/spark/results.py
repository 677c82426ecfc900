"""The tables of the output contract, as DataFrames in the order in which they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.pandas.types import from_arrow_schema

from dedup.engines.spark.batches import column, unsorted
from dedup.engines.spark.bundles import RECORD, analysis_of, corpus_of, no_matches, no_relations
from dedup.engines.spark.bundles import no_texts as no_texts_of
from dedup.engines.spark.dealing import dealt
from dedup.engines.spark.shared import with_snippets
from dedup.facts import GroupFacts, SourceVerdict
from dedup.kinds import BOILERPLATE, PassageStatistics
from dedup.model import Evidence, table_schemas
from dedup.passages import SharedPassages
from dedup.report.encode import normalised
from dedup.tables.groups import Grouped, GroupRow
from dedup.tables.passages import rank_passages
from dedup.tables.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.agencies import Agencies
    from dedup.engines.spark.order import Compared, Decided, Plan, Texts
    from dedup.families import Families

REJECT = "file:string, position:string, reason:string, sample:string"
SORTED_BY: dict[str, tuple[str, ...]] = {
    "articles": ("ref",),
    "passages": ("-score", "id"),
    "matches": ("a", "b", "a_start", "b_start", "a_end"),
    "relations": ("a", "b"),
    "groups": ("id",),
    "sources": ("id",),
    "near_misses": ("a", "b", "missed_by"),
    "rejected": ("file", "position", "reason"),
    "texts": ("ref",),
}


def contract(name: str, rows: DataFrame, *, one_file: bool = False) -> DataFrame:
    """``rows`` as the table ``name``: its columns and types, floats rounded, sorted.

    ``one_file``: sorted by one task. Otherwise the keys are sampled first, for which ``rows`` are
    computed once more.
    """
    arrow = table_schemas()[name]

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            table = pa.Table.from_batches([batch]).select(arrow.names).cast(arrow)
            yield from normalised(name, table).to_batches()

    typed = rows.select(*arrow.names).mapInArrow(work, from_arrow_schema(arrow))
    keys = [F.col(key[1:]).desc() if key.startswith("-") else F.col(key) for key in SORTED_BY[name]]
    if one_file:
        return typed.repartition(1).sortWithinPartitions(*keys)
    return typed.orderBy(*keys)


def tables(plan: Plan, t: Texts, x: Compared, d: Decided, *, texts: bool) -> dict[str, DataFrame]:
    """All tables by name."""
    passages = _passages(plan, t, x, d)
    relations = d.roles.where("role = 'listed'")
    out = {}
    if texts:  # by one task for a small run: others are written beside it
        out["texts"] = t.records.select("id", "ref", "digest", "node").join(
            t.nodes.select("node", "text"), "node"
        )
    return out | {
        "articles": _articles(t, d),
        "passages": passages,
        "matches": d.roles.where("role = 'match'"),
        "relations": relations,
        "groups": _groups(x, d),
        "sources": _sources(plan, d),
        "near_misses": d.roles.where("role = 'near'"),
        "rejected": told(t.read, "reject", REJECT),
    }


def told(read: DataFrame, kind: str, fields: str) -> DataFrame:
    """What reading told the ledger of one ``kind``, as columns (``fields`` in Spark's DDL)."""
    rows = read.where("told IS NOT NULL").select(
        F.from_json("told", f"{kind} struct<{fields}>").alias("row")
    )
    return rows.where(F.col(f"row.{kind}").isNotNull()).select(f"row.{kind}.*")


def _articles(t: Texts, d: Decided) -> DataFrame:
    languages = t.sketches.select("node", F.col("language").alias("detected"))
    return (
        d.known.withColumn("language_", F.col("language"))
        .join(languages, "node")
        .join(d.verdicts, "ref")
        .withColumn("language", F.coalesce("language_", "detected"))
        .withColumn("published", F.timestamp_micros("published"))
        .withColumnRenamed("best_ref", "best_match")
    )


def _groups(x: Compared, d: Decided) -> DataFrame:
    """Groups with the passages that two members or more hold, by rank."""
    held = (
        d.members.select("grouping", "node")
        .join(x.shared.select("cluster", "node", "copies").distinct(), "node")
        .groupBy("grouping", "cluster")
        .agg(F.sum("copies").alias("articles"))
        .where("articles > 1")
        .join(x.ranked.where(F.col("kind") != BOILERPLATE), "cluster")
    )
    ranked = held.groupBy("grouping").agg(
        F.sort_array(F.collect_list(F.struct((-F.col("score")).alias("minus"), "cluster"))).alias(
            "held"
        )
    )
    rows = d.found.where("ref IS NULL").select("grouping", "found").join(ranked, "grouping", "left")
    arrow = table_schemas()["groups"]

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            out = []
            pairs = zip(batch["found"].to_pylist(), batch["held"].to_pylist(), strict=True)
            for found, passages in pairs:
                keys = np.array([p["cluster"] for p in passages or ()], np.int64)
                ids = [f"p-{key:016x}" for key in unsorted(keys).tolist()]
                out.append({**orjson.loads(found), "passages": ids})
            yield from pa.Table.from_pylist(out, arrow).to_batches()

    return rows.mapInArrow(work, from_arrow_schema(arrow))


def _sources(plan: Plan, d: Decided) -> DataFrame:
    """One row a source: see ``tables.articles.source_rows``."""
    agencies = plan.agencies
    kind = "struct<id:string,source:struct<id:string,name:string,kind:string>>"
    groups = d.found.where("ref IS NULL").select(F.from_json("found", kind).alias("g"))
    groups = groups.where("g.source.id <> 'unknown'").select(
        F.col("g.source.id").alias("id"),
        F.col("g.id").alias("group"),
        F.struct("g.id", "g.source.name", "g.source.kind").alias("as_group"),
    )
    of_groups = groups.groupBy("id").agg(
        F.sort_array(F.collect_set("group")).alias("groups"), F.max("as_group").alias("as_group")
    )

    def listed(column_: str) -> DataFrame:
        rows = d.known.select("ref", F.explode(column_).alias("e"))
        return rows.select(F.col("e.source").alias("id"), "ref")

    def gathered(rows: DataFrame, name: str) -> DataFrame:
        return rows.groupBy("id").agg(F.sort_array(F.collect_set("ref")).alias(name))

    wrote = d.verdicts.where("source IS NOT NULL").select(F.col("source").alias("id"), "ref")
    out = of_groups
    for rows, name in (
        (wrote.unionByName(listed("credits")), "articles"),
        (listed("credits"), "credited"),
        (listed("mentions"), "cited_by"),
    ):
        out = out.join(gathered(rows, name), "id", "full")
    names = d.known.where("outlet_id IS NOT NULL").groupBy(F.col("outlet_id").alias("id"))
    out = out.join(names.agg(F.max("outlet_name").alias("outlet_name")), "id", "left")
    arrow = table_schemas()["sources"]

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from pa.Table.from_pylist(
                [_source(row, agencies) for row in batch.to_pylist()], arrow
            ).to_batches()

    return out.mapInArrow(work, from_arrow_schema(arrow))


def _source(row: dict[str, Any], agencies: Agencies) -> dict[str, Any]:
    if row["as_group"] is not None:
        name, kind = row["as_group"]["name"], row["as_group"]["kind"]
    elif agencies.get(row["id"]) is not None:
        name, kind = agencies.name(row["id"]), agencies.kind(row["id"])
    else:
        name, kind = row["outlet_name"] or row["id"], "outlet"
    lists = {key: row[key] or [] for key in ("groups", "articles", "credited", "cited_by")}
    return {"id": row["id"], "name": name, "kind": kind, **lists}


def _passages(plan: Plan, t: Texts, x: Compared, d: Decided) -> DataFrame:
    """Shared passages with all occurrences, by the local engine's ``rank_passages``."""
    agencies, families = plan.agencies, plan.families
    kind = "struct<id:string,source:struct<id:string,name:string,kind:string,confidence:double>>"
    groups = d.found.where("ref IS NULL").select(F.from_json("found", kind).alias("g"))
    groups = groups.select(F.col("g.id").alias("group"), F.col("g.source").alias("of_group"))
    in_text = F.filter("mentions", lambda e: e["field"] == "text").alias("mentions")
    records = (
        d.known.select("node", *RECORD, in_text)
        .join(d.verdicts.select("ref", "group"), "ref")
        .join(groups, "group", "left")
    )
    places = x.shared.select("cluster", "passage", "node", "place", "begin", "end")
    rows = (
        with_snippets(places, t.nodes)
        .join(x.ranked, "cluster")
        .withColumnRenamed("kind", "kind_of")
        .join(records, "node")
    )
    number = F.pmod(F.xxhash64("cluster"), F.lit(plan.tasks))
    rows = rows.withColumn("part", dealt(number, plan.tasks, rows.sparkSession))
    arrow = table_schemas()["passages"]

    def work(table: pa.Table) -> pa.Table:
        return _ranked(table, agencies, families)

    return rows.groupBy("part").applyInArrow(work, from_arrow_schema(arrow))


def _ranked(rows: pa.Table, agencies: Agencies, families: Families) -> pa.Table:
    rows = rows.sort_by([("id", "ascending"), ("digest", "ascending")])
    refs = rows["ref"].to_pylist()
    fresh = [i for i, ref in enumerate(refs) if i == 0 or ref != refs[i - 1]]
    once = rows.take(pa.array(fresh))
    nodes = np.unique(column(rows, "node"))
    corpus = corpus_of(once, nodes, families)
    of_node = np.searchsorted(nodes, column(rows, "node"))
    place = column(rows, "place").astype(np.int64)
    # Every occurrence once, though all articles with its text have it.
    order = np.lexsort((place, of_node))
    new = np.ones(len(order), bool)
    node_, place_ = of_node[order], place[order]
    new[1:] = (node_[1:] != node_[:-1]) | (place_[1:] != place_[:-1])
    at = order[new]
    cluster, passage = column(rows, "cluster")[at], column(rows, "passage")[at]
    begin, end = column(rows, "begin")[at], column(rows, "end")[at]
    names, first = np.unique(cluster, return_index=True)
    by_cluster = np.lexsort((np.arange(len(at)), cluster))
    start = np.append(np.searchsorted(cluster[by_cluster], names), len(at)).astype(np.int64)
    own = np.flatnonzero(passage == cluster)
    centre = own[np.unique(cluster[own], return_index=True)[1]]
    c = _passages_only(len(nodes), of_node[at], begin, end, unsorted(passage))
    none, real = np.empty(0, np.int64), np.empty(0)
    kinds = column(rows, "kind_of")[at][first].astype(np.int8)
    statistics = PassageStatistics(none, none, none, none, real, real, real, real, kinds)
    shared = SharedPassages(start, by_cluster, centre, np.empty(0, np.int32))
    mentions = [[Evidence(**e) for e in row] for row in once["mentions"].to_pylist()]
    x = analysis_of(
        _with_snippets(corpus, rows["snippet"].to_pylist(), of_node, column(rows, "begin")),
        c,
        no_relations(),
        no_matches(),
        claims=[([], cited) for cited in mentions],
        shared=shared,
        statistics=statistics,
    )
    score = column(rows, "score")[at][first]
    grouped = _grouped(once)
    return rank_passages(Records(x.corpus, len(nodes)), x, grouped, agencies, score).table


def _passages_only(nodes: int, node: Any, begin: Any, end: Any, key: Any) -> Any:
    from dataclasses import replace

    return replace(
        no_texts_of(np.zeros(nodes, np.int64)),
        p_article=node.astype(np.int32),
        p_start=begin.astype(np.int32),
        p_end=end.astype(np.int32),
        p_key=key,
    )


def _with_snippets(corpus: Any, snippets: list[str], node: Any, begin: Any) -> Any:
    """The corpus with texts that are blank but where its passages stand."""
    from dataclasses import replace

    parts: dict[int, dict[int, str]] = {}
    for number, start, snippet in zip(node.tolist(), begin.tolist(), snippets, strict=True):
        parts.setdefault(number, {})[start] = snippet
    texts = []
    for number in range(len(corpus.digests)):
        text = ""
        for start, snippet in sorted(parts[number].items()):
            # Passages do not overlap.
            text += " " * (start - len(text)) + snippet
        texts.append(text)
    return replace(corpus, texts=pa.array(texts, pa.large_string()))


def _grouped(records: pa.Table) -> Grouped:
    """The groups of records, of which only their source is asked for."""
    groups: dict[str, GroupRow] = {}
    membership: dict[int, Any] = {}
    columns = zip(records["group"].to_pylist(), records["of_group"].to_pylist(), strict=True)
    for i, (name, source) in enumerate(columns):
        if name is None:
            continue
        verdict = SourceVerdict(source["id"], source["name"], source["kind"], source["confidence"])
        row = GroupRow(name, "", [], [], GroupFacts(verdict, {}), None)
        membership[i] = (groups.setdefault(name, row), None)
    return Grouped(groups, membership, {})
