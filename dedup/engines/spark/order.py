"""The one place where the order of the stages on a cluster stands.

Each stage is a table that is written once (:mod:`~dedup.engines.spark.stages`); what it does to
rows is a function of the local engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.engines.spark import (
    bounded,
    compare,
    groups,
    meeting,
    nodes,
    packed,
    reading,
    records,
    scores,
    shared,
    similar,
    sketching,
)
from dedup.engines.spark.blocks import in_blocks
from dedup.relate import R_QUOTE
from dedup.template import LARGEST_OUTLET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pyspark.sql import Column, DataFrame

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings, Settings
    from dedup.engines.spark.files import InputFile
    from dedup.engines.spark.stages import Stages
    from dedup.families import Families


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked to do; ``tasks``: how many groups of rows there are at least."""

    settings: Settings
    read: ReadSettings
    agencies: Agencies
    families: Families
    now: datetime
    tasks: int
    least: int = R_QUOTE


@dataclass(frozen=True, slots=True)
class Texts:
    """What is known of records and texts by themselves."""

    read: DataFrame
    records: DataFrame
    nodes: DataFrame
    sketches: DataFrame
    occurrences: DataFrame
    passages: DataFrame


def read_texts(stages: Stages, plan: Plan, inputs: Sequence[InputFile]) -> tuple[Texts, DataFrame]:
    """Read, collapse exact repeats, segment; beside the rest, passages as ``packed.PASSAGES``."""
    settings, table = plan.settings, stages.table
    read = table(
        "read",
        lambda: reading.read_records(
            stages.spark, stages.files, inputs, plan.read, plan.now
        ).withColumn("row", F.monotonically_increasing_id()),
    )
    plain = table(
        "articles",
        lambda: nodes.with_outlets(
            reading.with_refs(reading.distinct_records(read.drop("text"))), plan.families
        ),
    )
    numbered = table("nodes", lambda: nodes.number_nodes(plain))
    texts = table("texts", lambda: nodes.with_texts(numbered, read))
    rows = table(
        "records",
        lambda: (
            plain.drop("own_name", "row")
            .join(numbered.select("node", "digest"), "digest")
            .join(nodes.display_names(plain), "outlet_id", "left")
        ),
    )
    count = stages.value("texts-counted", texts.count)
    parts = max(plan.tasks, -(-count // packed.TEXTS_A_PART))
    sketches = table("sketches", lambda: sketching.packed_sketch(texts, settings, parts))
    passages = table("passages", lambda: packed.distinct_passages(sketches, parts))
    every = sketching.places(sketches)
    return Texts(read, rows, texts, sketches, every, packed.as_rows(passages)), passages


@dataclass(frozen=True, slots=True)
class Single:
    """What hangs on no pair of texts: ``claims`` of their records, in how many articles each word
    stands (``words``), and the places that page templates make (``template``)."""

    claims: DataFrame
    words: DataFrame
    template: DataFrame


def single_texts(stages: Stages, plan: Plan, t: Texts) -> Single:
    """What the stages before and after the comparison of texts ask of each by itself."""
    return Single(
        stages.table("claims", lambda: records.claims(t.records, t.nodes, plan.agencies)),
        stages.table("frequencies", lambda: scores.frequencies_of(t.sketches)),
        template_of(stages, t),
    )


def template_of(stages: Stages, t: Texts) -> DataFrame:
    """Places that page templates make (``sketching.template_places``)."""
    large = stages.value("large-outlet", lambda: nodes.too_large_outlet(t.nodes, LARGEST_OUTLET))
    keys = stages.table("template-keys", lambda: sketching.template_keys(t.sketches, large))
    return stages.table("template", lambda: sketching.template_places(t.sketches, keys, large))


def find_pairs(stages: Stages, plan: Plan, t: Texts, passages: DataFrame) -> DataFrame:
    """Pairs of texts worth aligning, in blocks: the steps of ``candidates.find_candidates``.

    ``passages``: ``packed.PASSAGES``.
    """
    settings, table = plan.settings, stages.table
    cores = stages.spark.sparkContext.defaultParallelism
    count, holders = stages.value("passages-counted", lambda: _sums(passages, "count", "holders"))
    blocks = similar.blocks_for(count, settings, cores)
    met = table("colliding", lambda: similar.colliding(passages, settings, blocks))
    (found,) = stages.value("alike-found", lambda: _sums(met, "count"))
    if found <= bounded.MOST_FOUND and max(holders, count) <= meeting.ONE_TASK:
        blocked = table(
            "blocks",
            lambda: meeting.blocked_pairs(passages, t.sketches, met, settings, plan.tasks),
        )
        return blocked.where("a IS NOT NULL").select("a", "b", "weight", "block")
    pairs = pairs_of(stages, plan, t, similar.similar_of(met))
    return table("blocks", lambda: in_blocks(pairs, pairs.count(), plan.tasks))


def _sums(rows: DataFrame, *names: str) -> list[int]:
    found = rows.agg(*(F.coalesce(F.sum(name), F.lit(0)) for name in names)).first()
    return list(found or ())


def pairs_of(stages: Stages, plan: Plan, t: Texts, alike: DataFrame) -> DataFrame:
    """Pairs of texts worth aligning, by the passages that are ``alike`` (``similar.SIMILAR``; a
    pair may stand there several times)."""
    settings, table = plan.settings, stages.table

    def many() -> DataFrame:
        few = settings.representatives
        distinct = table("distinct", alike.distinct)
        return bounded.bounded_edges(
            distinct, ("u", "v"), "shared", cap=settings.max_partners, few=few, strongest=few
        ).withColumn("cut", F.lit(None).cast("long"))

    found = stages.value("alike-counted", alike.count)
    one_task = found <= bounded.MOST_FOUND
    kept = table("links", lambda: bounded.distinct_links(alike, settings) if one_task else many())
    links = kept.where("u IS NOT NULL").drop("cut")
    holders = bounded.holders_of(t.occurrences)
    counts = stages.value("links-counted", lambda: [links.count(), holders.count()])
    if counts[0] <= bounded.MOST_FOUND and counts[1] <= meeting.ONE_TASK:
        met = table("met", lambda: meeting.met(t.passages, holders, links, t.sketches, settings))
    else:
        crowds = table("crowds", lambda: bounded.crowds(t.passages, holders, links, settings))
        met = table(
            "met",
            lambda: bounded.article_pairs(
                bounded.pairs_of_holders(crowds, holders, settings).unionByName(
                    bounded.pairs_of_similar(links, crowds, holders, settings)
                ),
                t.sketches,
                settings,
            ).withColumn("capped", F.lit(None).cast("long")),
        )
    enough = met.where("a IS NOT NULL").drop("capped")
    cap = bounded.partners(settings)
    return table(
        "pairs",
        lambda: bounded.bounded_edges(
            enough,
            ("a", "b"),
            "weight",
            cap=cap,
            few=settings.representatives,
            strongest=cap,
        ),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What pairs of texts have in common, and the shared passages with kinds and scores."""

    aligned: DataFrame
    related: DataFrame
    shared: DataFrame
    weights: DataFrame
    ranked: DataFrame
    identical: DataFrame


def relate_texts(
    stages: Stages, plan: Plan, t: Texts, blocked: DataFrame, single: Callable[[], Single]
) -> Compared:
    """Align the pairs, learn from all of them what is furniture, and name their relations;
    ``single`` gives what is known of single texts, once it is asked for."""
    settings = plan.settings
    aligned = stages.table("aligned", lambda: compare.align_pairs(blocked, t.nodes, settings))
    known = single()
    return relate_aligned(stages, plan, t, aligned, known.words, known.template)


def relate_aligned(
    stages: Stages,
    plan: Plan,
    t: Texts,
    aligned: DataFrame,
    words: DataFrame,
    template: DataFrame,
) -> Compared:
    """What aligned pairs (``compare.ALIGNED``) have in common; ``words`` and ``template``: see
    :class:`Single`."""
    settings, table = plan.settings, stages.table
    # Nearly half of the pairs prove to have nothing in common: no text is sent for these again.
    matched = aligned.where("octet_length(matches) > 0")
    repeated = t.passages.where("held > 1").select("passage", "held")
    members = shared.cluster_passages(stages, matched, repeated)
    occurrences = table(
        "shared",
        lambda: shared.shared_occurrences(t.occurrences, members, template),
    )
    counted = table("counted", lambda: shared.count_holders(occurrences, t.records))
    suspects = shared.suspects(counted, settings)
    unrelated = table(
        "unrelated",
        lambda: compare.unrelated(matched, _with_suspects(t, occurrences, suspects)),
    )
    named = table(
        "kinds",
        lambda: shared.kinds_of(counted, shared.count_links(matched, members, unrelated), settings),
    )
    # A table of its own: Spark sends it to the texts while it is small, and sorts none of these.
    views = table("views", lambda: _views(occurrences, named, template))
    several = t.sketches.where("copies > 1 AND groupable").select("node", "first", "last")
    # Tables of their own: tasks of one stage are of a size.
    others = stages.beside(
        lambda: table(
            "other-spans", lambda: scores.other_spans(several.select("node"), named, occurrences)
        )
    )
    related = table(
        "related", lambda: compare.relate_pairs(matched, _with_views(t.nodes, views), settings)
    )
    spans = table("spans", lambda: scores.match_spans(related, plan.least))
    ranked_spans = spans.unionByName(others())
    weights = table(
        "weights",
        lambda: scores.weights(
            ranked_spans, t.nodes, words.where("articles > 0"), t.records.count(), plan.tasks
        ),
    )
    ranked = table("ranked", lambda: scores.ranked_passages(named, weights))
    return Compared(aligned, related, occurrences, weights, ranked, several)


def _with_suspects(t: Texts, occurrences: DataFrame, suspects: DataFrame) -> DataFrame:
    places = occurrences.join(suspects, "cluster", "left_semi").groupBy("node")
    found = places.agg(F.collect_list("place").alias("suspect"))
    letters = t.sketches.select("node", "letters", "letters_of")
    rows = t.nodes.select("node", "day").join(letters, "node").join(found, "node", "left")
    return rows.withColumn("suspect", _filled("suspect", "array<int>"))


def _views(occurrences: DataFrame, named: DataFrame, template: DataFrame) -> DataFrame:
    """What the corpus says of the passages of a ``node``: the ``template`` places, and lists of the
    shared ones (``places``, ``clusters``, ``kinds``, ``quoted``)."""
    rows = occurrences.select("node", "place", "cluster").join(
        named.select("cluster", "kind", "quoted"), "cluster"
    )
    found = rows.groupBy("node").agg(
        F.sort_array(F.collect_list(F.struct("place", "cluster", "kind", "quoted"))).alias("all")
    )
    lists = found.select(
        "node",
        F.col("all.place").alias("places"),
        F.col("all.cluster").alias("clusters"),
        F.col("all.kind").alias("kinds"),
        F.col("all.quoted").alias("quoted"),
    )
    return lists.join(template, "node", "full")


def _with_views(texts: DataFrame, views: DataFrame) -> DataFrame:
    out = texts.select("node", "text", "owner_id").join(views, "node", "left")
    kinds = {
        "places": "array<int>",
        "clusters": "array<long>",
        "kinds": "array<byte>",
        "quoted": "array<double>",
        "template": "array<int>",
    }
    for name, kind in kinds.items():
        out = out.withColumn(name, _filled(name, kind))
    return out


def _filled(name: str, kind: str) -> Column:
    return F.coalesce(F.col(name), F.array().cast(kind))


@dataclass(frozen=True, slots=True)
class Decided:
    """Pairs of articles by role, claims, and what was decided of groups and records."""

    roles: DataFrame
    known: DataFrame
    members: DataFrame
    found: DataFrame
    verdicts: DataFrame


def decide(stages: Stages, plan: Plan, t: Texts, x: Compared, claimed: DataFrame) -> Decided:
    """Who wrote what, group by group, and the flag of every article; ``claimed``: what
    ``records.claims`` finds."""
    table, related = stages.table, x.related
    of_nodes = t.sketches.select("node", "copies", "groupable")

    def roles() -> DataFrame:
        pairs = records.pair_rows(
            related,
            records.few_records(t.records),
            x.weights,
            plan.families,
            plan.settings,
            plan.least,
        )
        own = x.weights.where(f"kind = {scores.IDENTICAL}").selectExpr("a AS node", "weight")
        several = x.identical.join(own, "node")
        return pairs.unionByName(
            records.identical_rows(t.records, several, plan.families, plan.settings)
        )

    by_role = table("roles", roles)
    best, others = records.known_of_records(by_role)
    known = table(
        "known",
        lambda: (
            t.records.join(claimed, "ref").join(best, "ref", "left").join(others, "ref", "left")
        ),
    )
    members = groups.group_members(stages, related, of_nodes)
    found = table(
        "grouped",
        lambda: groups.decide(
            members, related, known, t.nodes, plan.agencies, plan.families, plan.tasks
        ),
    )
    alone = known.join(members.select("node").distinct(), "node", "left_anti")
    verdicts = table(
        "verdicts",
        lambda: groups.verdicts(
            found.unionByName(groups.decide_alone(alone, plan.agencies, plan.families))
        ),
    )
    return Decided(by_role, known, members, found, verdicts)
