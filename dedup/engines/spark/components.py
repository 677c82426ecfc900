"""Connected components of a graph of any size.

Alternating large-star and small-star operations (Kiveris, Lattanzi, Mirrokni, Rastogi and
Vassilvitskii 2014, "Connected components in MapReduce and beyond"): each round hangs every node
nearer to the smallest node of its component, until all are stars. A graph that one task can hold
is labelled by one task.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import column
from dedup.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import DataFrame

    from dedup.engines.spark.stages import Stages

ONE_TASK = 5_000_000
"""Edges that one task labels: some 300 MB."""
MOST_ROUNDS = 64
"""Rounds after which something is wrong: they grow with the square of the logarithm at most, and
are fewer than ten on graphs of billions of edges in the paper."""


def components(
    stages: Stages, name: str, edges: DataFrame, *, one_task: int = ONE_TASK
) -> DataFrame:
    """``node`` and ``component`` (its smallest node) of every node with an edge (``u``, ``v``).

    Raises :class:`~dedup.errors.InternalError` if it does not come to an end.
    """
    known = stages.table(f"{name}-edges", lambda: _plain(edges))
    if known.count() <= one_task:
        return stages.table(name, lambda: _labelled(known))
    for number in range(MOST_ROUNDS):
        before = known
        known = stages.table(f"{name}-{number}", _round(before))
        if _are_stars(known):
            return stages.table(name, partial(_of_stars, known))
    raise InternalError(f"stage '{name}': no end after {MOST_ROUNDS} rounds")


def _plain(edges: DataFrame) -> DataFrame:
    return edges.where("u <> v").selectExpr("least(u, v) AS u", "greatest(u, v) AS v").distinct()


def _round(edges: DataFrame) -> Callable[[], DataFrame]:
    return lambda: _small_star(_large_star(edges))


def _large_star(edges: DataFrame) -> DataFrame:
    """Each node hangs its greater neighbours on the smallest of its neighbourhood."""
    from pyspark.sql import functions as F  # noqa: N812

    both = edges.select("u", "v").union(edges.select("v", "u"))
    least = both.groupBy("u").agg(F.min("v").alias("m"))
    least = least.select("u", F.least("u", "m").alias("m"))
    return both.where("v > u").join(least, "u").selectExpr("m AS u", "v").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Each node hangs its smaller neighbours, and itself, on the smallest of them."""
    from pyspark.sql import functions as F  # noqa: N812

    least = edges.groupBy("v").agg(F.min("u").alias("m"))
    moved = edges.join(least, "v").selectExpr("m AS u", "u AS v").where("u <> v")
    return moved.union(least.selectExpr("m AS u", "v")).distinct()


def _are_stars(edges: DataFrame) -> bool:
    """Whether every node hangs on one other that hangs on none: each tree a star."""
    children = edges.select("v")
    if edges.count() != children.distinct().count():
        return False
    hanging = edges.select("u").distinct().join(children.withColumnRenamed("v", "u"), "u", "semi")
    return bool(hanging.isEmpty())


def _of_stars(edges: DataFrame) -> DataFrame:
    own = edges.selectExpr("u AS node", "u AS component").distinct()
    return edges.selectExpr("v AS node", "u AS component").union(own)


def _labelled(edges: DataFrame) -> DataFrame:
    """The components of all edges, found by one task."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        parts = [(column(batch, "u"), column(batch, "v")) for batch in batches]
        if not parts:
            return
        u, v = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        nodes, place = np.unique(np.concatenate([u, v]), return_inverse=True)
        one, two = place[: len(u)], place[len(u) :]
        shape = (len(nodes), len(nodes))
        graph = coo_matrix((np.ones(len(u), np.int8), (one, two)), shape=shape)
        _, label = connected_components(graph, directed=False)
        # Nodes ascend: the first with a label is the smallest.
        _, first = np.unique(label, return_index=True)
        yield pa.RecordBatch.from_pydict(
            {"node": pa.array(nodes), "component": pa.array(nodes[first][label])}
        )

    return edges.coalesce(1).mapInArrow(work, "node long, component long")
