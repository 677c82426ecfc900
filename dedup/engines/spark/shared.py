"""Shared passages and what the whole corpus says of them: clusters, counters, kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import column, ragged, records_in, records_of, unsorted
from dedup.engines.spark.components import ONE_TASK, components
from dedup.kinds import PassageCounters, name_kinds, suspected
from dedup.passages import LINK_SIMILARITY, star_centres

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.config import Settings
    from dedup.engines.spark.stages import Stages

CLUSTERS_A_GROUP = 256
"""Parts into which components of linked passages are dealt, of a thousand edges each or more."""
EDGE = np.dtype([("u", "<i8"), ("v", "<i8")])
LINKS = np.dtype([*EDGE.descr, ("links", "<i8"), ("unrelated", "<i8"), ("similarity", "<f8")])
"""Two passages that are linked: by how many links, how many of these are of pairs of texts that
are otherwise unrelated, and the sum of their cosines."""
AT_ONCE = 1_000_000
"""Edges of a task from which those that are the same are joined. A story has very many links
between few passages: most of its copies' sentences are the same."""


def edges_of(aligned: DataFrame) -> DataFrame:
    """``edges`` (:data:`EDGE`, ``u`` < ``v``; each once in a row) and their ``count``: passages
    that the pairs link closely enough to be one."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in _gathered(map(_linked, batches), AT_ONCE):
            edges = np.empty(len(rows), EDGE)
            edges["u"], edges["v"] = rows["u"], rows["v"]
            count, blobs = pa.array([len(edges)]), pa.array([edges.tobytes()], pa.binary())
            yield pa.RecordBatch.from_pydict({"count": count, "edges": blobs})

    rows = aligned.select("key_a", "key_b", "cosine")
    return rows.mapInArrow(work, "count long, edges binary")


def _linked(batch: pa.RecordBatch) -> NDArray[np.void]:
    """The links of a batch of aligned pairs, once each, between passages that are close enough."""
    rows = _links(batch)
    good = rows["similarity"].astype(np.float32) >= np.float32(LINK_SIMILARITY)
    out: NDArray[np.void] = rows[good & (rows["u"] != rows["v"])]
    out["u"], out["v"] = np.minimum(out["u"], out["v"]), np.maximum(out["u"], out["v"])
    return out


def _links(batch: pa.RecordBatch) -> NDArray[np.void]:
    """All links of a batch of aligned pairs."""
    _, cosine = ragged(batch, "cosine")
    rows = np.zeros(len(cosine), LINKS)
    rows["u"], rows["v"] = (ragged(batch, name)[1] for name in ("key_a", "key_b"))
    rows["links"], rows["similarity"] = 1, cosine
    return rows


def _gathered(parts: Iterable[NDArray[np.void]], at_once: int) -> Iterator[NDArray[np.void]]:
    """``parts`` (:data:`LINKS`) joined by passages, again and again until so many are left."""
    held: list[NDArray[np.void]] = []
    size = 0
    for part in parts:
        held.append(_joined(part))
        size += len(held[-1])
        if size >= 2 * at_once:
            held = [_joined(np.concatenate(held))]
            size = len(held[0])
            if size >= at_once:
                yield held.pop()
                size = 0
    if held:
        yield _joined(np.concatenate(held))


def _summed_links(aligned: DataFrame) -> DataFrame:
    """:data:`LINKS` of all pairs, a row for each task and two passages; ``aligned`` says with
    ``unrelated`` (null or not) whether a pair is."""

    def marked(batch: pa.RecordBatch) -> NDArray[np.void]:
        rows = _links(batch)
        start, _ = ragged(batch, "cosine")
        known = batch["unrelated"].is_valid().to_numpy(zero_copy_only=False)
        rows["unrelated"] = np.repeat(known, np.diff(start))
        return rows

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in _gathered(map(marked, batches), AT_ONCE):
            yield _as_rows(rows)

    kinds = "u long, v long, links long, unrelated long, similarity double"
    return aligned.select("key_a", "key_b", "cosine", "unrelated").mapInArrow(work, kinds)


def _joined(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Rows of the same two passages as one."""
    rows, begin = _by_edge(rows)
    out: NDArray[np.void] = rows[begin]
    if len(begin):
        for name in ("links", "unrelated", "similarity"):
            out[name] = np.add.reduceat(rows[name], begin)
    return out


def _by_edge(rows: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Rows in the order of ``u`` and ``v``, and where others of these begin."""
    rows = rows[np.lexsort((rows["v"], rows["u"]))]
    new = np.ones(len(rows), bool)
    new[1:] = (rows["u"][1:] != rows["u"][:-1]) | (rows["v"][1:] != rows["v"][:-1])
    return rows, np.flatnonzero(new)


def _as_rows(rows: NDArray[np.void]) -> pa.RecordBatch:
    names = rows.dtype.names or ()
    return pa.RecordBatch.from_pydict({n: pa.array(np.ascontiguousarray(rows[n])) for n in names})


def cluster_passages(
    stages: Stages, aligned: DataFrame, repeated: DataFrame, *, one_task: int = ONE_TASK
) -> DataFrame:
    """``passage``, ``cluster``: passages that belong to a shared one, named after its centre.

    ``passages.star_centres`` on all links of the ``aligned`` pairs, by one task, where there are no
    more than ``one_task`` of these and of ``repeated`` passages (``passage``, ``held``: those that
    stand more than once); else on whole components of linked passages, which hang on no others.
    """
    from pyspark.sql import functions as F  # noqa: N812

    edges = stages.table("linked", lambda: edges_of(aligned))

    def count() -> list[int]:
        row = edges.agg(F.coalesce(F.sum("count"), F.lit(0))).first()
        return [row[0] if row else 0, repeated.count()]

    if max(stages.value("links-to-cluster", count)) <= one_task:
        return stages.table("clusters", lambda: _clustered_by_one(edges, repeated))
    return _clustered_by_many(stages, edges, repeated)


_HELD, _EDGES = range(2)


def _clustered_by_one(edges: DataFrame, repeated: DataFrame) -> DataFrame:
    """The centres of all linked passages, and the repeated ones that have no links."""
    from pyspark.sql import functions as F  # noqa: N812

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _packed(_HELD, column(batch, "passage"), column(batch, "held"))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        blobs: tuple[list[bytes], list[bytes]] = ([], [])
        for batch in batches:
            for kind, data in zip(*(batch[n].to_pylist() for n in ("kind", "data")), strict=True):
                blobs[kind].append(data)
        held, linked = (records_of(some, EDGE) for some in blobs)
        linked, begin = _by_edge(linked)
        linked = linked[begin]
        nodes = np.unique(np.concatenate([linked["u"], linked["v"], held["u"]]))
        times = np.ones(len(nodes), np.int64)
        times[np.searchsorted(nodes, held["u"])] = held["v"]
        yield from _centres(nodes, times, linked["u"], linked["v"]).to_batches()

    rows = edges.select(F.lit(_EDGES).alias("kind"), F.col("edges").alias("data"))
    packed = repeated.select("passage", "held").mapInArrow(told, "kind int, data binary")
    rows = rows.unionAll(packed).coalesce(1)
    return rows.mapInArrow(work, "passage long, cluster long")


def _packed(kind: int, one: NDArray[np.int64], two: NDArray[np.int64]) -> pa.RecordBatch:
    rows = np.empty(len(one), EDGE)
    rows["u"], rows["v"] = one, two
    return pa.RecordBatch.from_pydict(
        {"kind": pa.array([kind], pa.int32()), "data": pa.array([rows.tobytes()], pa.binary())}
    )


def _centres(
    passage: NDArray[np.int64],
    held: NDArray[np.int64],
    one: NDArray[np.int64],
    two: NDArray[np.int64],
) -> pa.Table:
    """The cluster of each ``passage`` (ascending), which stand so often (``held``) and are linked
    by edges from ``one`` to ``two``."""
    u, v = (np.searchsorted(passage, ends) for ends in (one, two))
    both = np.concatenate([np.stack([u, v], 1), np.stack([v, u], 1)])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    centre = star_centres(both[:, 0], both[:, 1], held, unsorted(passage))
    return pa.table({"passage": pa.array(passage), "cluster": pa.array(passage[centre])})


def _clustered_by_many(stages: Stages, edges: DataFrame, repeated: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    def spread(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _as_rows(records_in(batch, "edges", EDGE))

    rows = edges.select("edges").mapInArrow(spread, "u long, v long").distinct()
    known = stages.table("passage-edges", lambda: rows)
    parts = components(stages, "passage-components", known)
    grouped = parts.select(
        F.col("node").alias("u"), F.pmod(F.hash("component"), F.lit(CLUSTERS_A_GROUP)).alias("part")
    )
    edge_rows = known.join(grouped, "u")
    times = repeated.select(F.col("passage").alias("u"), "held")
    node_rows = grouped.withColumnRenamed("part", "own_part").join(times, "u", "left")
    node_rows = node_rows.withColumn("held", F.coalesce("held", F.lit(1)))

    def work(of_edges: pa.Table, of_nodes: pa.Table) -> pa.Table:
        nodes = of_nodes.sort_by("u")
        ends = (column(of_edges, end) for end in ("u", "v"))
        return _centres(column(nodes, "u"), column(nodes, "held"), *ends)

    linked = (
        edge_rows.groupBy("part")
        .cogroup(node_rows.groupBy("own_part"))
        .applyInArrow(work, "passage long, cluster long")
    )
    alone = repeated.join(parts.select(F.col("node").alias("passage")), "passage", "left_anti")
    every = linked.unionByName(alone.select("passage", F.col("passage").alias("cluster")))
    return stages.table("clusters", lambda: every)


def shared_occurrences(
    occurrences: DataFrame, members: DataFrame, template: DataFrame
) -> DataFrame:
    """Occurrences of passages that two articles or more share, with ``cluster`` and ``made`` (1: by
    its outlet's template)."""
    from pyspark.sql import functions as F  # noqa: N812

    rows = occurrences.drop("words", "repeat").join(members, "passage")
    held = rows.select("cluster", "node", "copies").distinct()
    several = held.groupBy("cluster").agg(F.sum("copies").alias("articles")).where("articles > 1")
    rows = rows.join(several.select("cluster"), "cluster", "left_semi")
    made = template.select("node", F.explode("template").alias("place")).withColumn(
        "made", F.lit(1)
    )
    rows = rows.join(made, ["node", "place"], "left")
    return rows.withColumn("made", F.coalesce("made", F.lit(0)))


def with_snippets(shared: DataFrame, texts: DataFrame) -> DataFrame:
    """Occurrences with ``snippet``, the words as they stand in the text."""
    from pyspark.sql import functions as F  # noqa: N812

    names = [name for name in shared.columns if name != "node"]
    rows = shared.groupBy("node").agg(F.collect_list(F.struct(*names)).alias("places"))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _snippets(batch)

    kinds = ", ".join(f"{name} {kind}" for name, kind in shared.dtypes if name != "node")
    joined = rows.join(texts.select("node", "text"), "node")
    return joined.mapInArrow(work, f"node long, {kinds}, snippet string")


def _snippets(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The ``places`` of texts in a row each, with their letters: by characters, which Spark would
    count from the beginning of the text for each."""
    places = batch["places"]
    sizes = places.value_lengths().to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(batch)), sizes)
    flat = places.flatten()
    columns = {field.name: flat.field(field.name) for field in flat.type}
    texts = batch["text"].to_pylist()
    spans = zip(row.tolist(), columns["begin"].to_pylist(), columns["end"].to_pylist(), strict=True)
    snippets = [texts[of][begin:end] for of, begin, end in spans]
    return pa.RecordBatch.from_pydict(
        {
            "node": batch["node"].take(pa.array(row)),
            **columns,
            "snippet": pa.array(snippets, pa.string()),
        }
    )


def count_holders(shared: DataFrame, records: DataFrame) -> DataFrame:
    """The counters of ``kinds.PassageCounters`` that need no alignment, a row a ``cluster``.

    ``records``: ``node``, ``owner_id``, ``day``.
    """
    from pyspark.sql import functions as F  # noqa: N812

    places = shared.groupBy("cluster").agg(
        F.count("*").alias("occurrences"),
        F.sum(F.col("said").cast("long")).alias("said"),
        F.sum(F.col("edge").cast("long")).alias("edge"),
        F.sum(F.col("made").cast("long")).alias("template"),
    )
    texts = shared.select("cluster", "node", "copies").distinct()
    pairs = F.col("copies") * (F.col("copies") - 1) / 2
    sums = texts.groupBy("cluster").agg(
        F.sum("copies").alias("articles"), F.sum(pairs.cast("long")).alias("identical")
    )
    by_node = records.where("owner_id IS NOT NULL").groupBy("node", "owner_id").count()
    owners = (
        texts.join(by_node, "node")
        .groupBy("cluster", "owner_id")
        .agg(F.sum("count").alias("own"))
        .groupBy("cluster")
        .agg(
            F.count("*").alias("outlets"),
            F.max("own").alias("top"),
            F.sum("own").alias("with_outlet"),
        )
    )
    dated = records.where("day >= 0").groupBy("node")
    days = dated.agg(F.min("day").alias("first_day"), F.max("day").alias("last_day"))
    span = (
        texts.join(days, "node")
        .groupBy("cluster")
        .agg((F.max("last_day") - F.min("first_day")).alias("days"))
    )
    out = places.join(sums, "cluster").join(owners, "cluster", "left").join(span, "cluster", "left")
    out = out.fillna(0, ["outlets", "top", "with_outlet", "days"])
    return out.withColumn("outletless", F.col("articles") - F.col("with_outlet")).drop(
        "with_outlet"
    )


def suspects(counted: DataFrame, settings: Settings) -> DataFrame:
    """``cluster``: passages that one outlet repeats (``kinds.suspected``)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = suspected(column(batch, "articles"), column(batch, "top"), settings)
            yield batch.select(["cluster"]).filter(pa.array(found))

    return counted.select("cluster", "articles", "top").mapInArrow(work, "cluster long")


def count_links(aligned: DataFrame, members: DataFrame, unrelated: DataFrame) -> DataFrame:
    """``cluster``, ``links`` between its passages in the ``aligned`` pairs and how many are of
    pairs that are otherwise ``unrelated``; ``similarity`` the sum of their cosines."""
    from pyspark.sql import functions as F  # noqa: N812

    def side(name: str) -> DataFrame:
        return members.select(F.col("passage").alias(name), F.col("cluster").alias(f"of_{name}"))

    marked = unrelated.withColumn("unrelated", F.lit(1))
    links = _summed_links(aligned.join(marked, ["a", "b"], "left"))
    inside = links.join(side("u"), "u").join(side("v"), "v").where("of_u = of_v")
    sums = (F.sum(name).alias(name) for name in ("links", "unrelated", "similarity"))
    return inside.groupBy(F.col("of_u").alias("cluster")).agg(*sums)


KINDS = (
    "cluster long, kind byte, quoted double, articles long, outlets long, outletless long, "
    "links long, similarity double"
)


def kinds_of(counted: DataFrame, links: DataFrame, settings: Settings) -> DataFrame:
    """The kind of every shared passage, and what its rank needs (:data:`KINDS`)."""
    rows = counted.join(links, "cluster", "left").fillna(0, ["links", "unrelated", "similarity"])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            counters = PassageCounters(
                **{name: column(batch, name) for name in PassageCounters.__slots__}
            )
            found = name_kinds(counters, settings, np.zeros(len(batch), bool))
            yield pa.RecordBatch.from_pydict(
                {
                    "cluster": batch["cluster"],
                    "kind": pa.array(found.kind),
                    "quoted": pa.array(found.quoted),
                    **{
                        name: batch[name]
                        for name in ("articles", "outlets", "outletless", "links", "similarity")
                    },
                }
            )

    return rows.mapInArrow(work, KINDS)
