"""Pairs of texts in blocks, each with the texts that it needs: where two texts are compared.

What two texts have in common depends on these two (``align``), so any block that holds both finds
it. Pairs of one neighbourhood come into one block, so that few texts are needed in several.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.align import Alignment
from dedup.engines.spark.batches import column, records_of
from dedup.engines.spark.dealing import dealt, names_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.collection import Collection

PAIRS_A_BLOCK = 20_000
"""Pairs of a block, where blocks are made by names alone: some 10,000 texts."""
ONE_TASK = 10_000_000
"""Pairs that one task orders, some 1.3 GB."""
ORDERED_PAIRS_A_BLOCK = 100_000
"""Pairs of a block in which they stand in order: some 20,000 texts, 500 MB with their words. The
fewer blocks there are, the fewer texts are sent to several and segmented there."""

MATCH = np.dtype(
    [
        *((name, "<i4") for name in ("a0", "a1", "b0", "b1")),
        ("similarity", "<f8"),
        ("bits", "<f8"),
    ]
)
LINK = np.dtype([("match", "<i4"), ("a", "<i4"), ("b", "<i4"), ("cosine", "<f4")])


def in_blocks(pairs: DataFrame, count: int, least: int, *, one_task: int = ONE_TASK) -> DataFrame:
    """Pairs (``a`` < ``b``), so many as ``count`` says, with the column ``block``.

    Up to ``one_task`` pairs are brought into an order in which neighbours are near each other
    (Cuthill and McKee 1969, "Reducing the bandwidth of sparse symmetric matrices"), and blocks are
    cut out of that: all of a size, however large a story is, and with few texts in several
    (:func:`_halved`). More pairs go by names: see :func:`_named`.
    """
    if count > one_task:
        return _named(pairs, max(least, -(-count // PAIRS_A_BLOCK)))
    blocks = max(least, -(-count // ORDERED_PAIRS_A_BLOCK))
    partitions = int(pairs.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    names = names_for(blocks, partitions)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = list(batches)
        if not parts:
            return
        table = pa.Table.from_batches(parts)
        if not len(table):
            return
        number = ordered_blocks(column(table, "a"), column(table, "b"), blocks)
        yield from table.append_column("block", pa.array(names[number])).to_batches()

    kinds = ", ".join(f"{name} {kind}" for name, kind in pairs.dtypes)
    return pairs.coalesce(1).mapInArrow(work, f"{kinds}, block int")


def ordered_blocks(a: NDArray[np.int64], b: NDArray[np.int64], blocks: int) -> NDArray[np.int64]:
    """The block (int64, 0 to ``blocks`` - 1) of each of some pairs of nodes (``a``, ``b`` int64):
    blocks have equally many pairs, and pairs of one neighbourhood are in few."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    nodes, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    one, two = place[: len(a)], place[len(a) :]
    shape = (len(nodes), len(nodes))
    ends = (np.concatenate([one, two]), np.concatenate([two, one]))
    graph = coo_matrix((np.ones(2 * len(a), np.int8), ends), shape=shape).tocsr()
    position = np.empty(len(nodes), np.int64)
    position[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(len(nodes))
    first, second = position[one], position[two]
    return _halved(np.minimum(first, second), np.maximum(first, second), len(nodes), blocks)


def _halved(
    first: NDArray[np.int64], second: NDArray[np.int64], nodes: int, blocks: int
) -> NDArray[np.int64]:
    """The block of each pair of places below ``nodes``: all pairs are halved by their ``first`` or
    by their ``second`` place, whichever leaves fewer nodes in both halves, and so on (a k-d tree,
    Bentley 1975).

    Where neighbours are near each other, that cuts the order into pieces. The pairs of one large
    story are anywhere, so that pieces would have most of its texts each; of tiles, each text is in
    those of a row and of a column.
    """
    out = np.empty(len(first), np.int64)
    seen = np.empty(nodes, bool)
    keys = (first * nodes + second, second * nodes + first)

    def nodes_of(rows: NDArray[np.int64]) -> int:
        seen[:] = False
        seen[first[rows]] = seen[second[rows]] = True
        return int(np.count_nonzero(seen))

    to_cut = [(np.arange(len(first)), 0, blocks)]
    while to_cut:
        rows, block, parts = to_cut.pop()
        if parts == 1:
            out[rows] = block
            continue
        half = parts // 2
        at = len(rows) * half // parts
        cuts = []
        for key in keys:
            order = rows[np.argpartition(key[rows], at)] if len(rows) else rows
            cuts.append((order[:at], order[at:]))
        left, right = min(cuts, key=lambda cut: nodes_of(cut[0]) + nodes_of(cut[1]))
        to_cut += [(left, block, half), (right, block + half, parts - half)]
    return out


def _named(pairs: DataFrame, blocks: int) -> DataFrame:
    """Pairs with the column ``block``, by joins: a pair is in the block of its neighbourhood.

    That is named after the smallest node with which ``a`` makes a pair. One with very many pairs (a
    story of thousands of copies) is dealt to several blocks.
    """
    from pyspark.sql import functions as F  # noqa: N812

    halves = pairs.select(F.col("a").alias("node"), F.col("b").alias("other")).unionByName(
        pairs.select(F.col("b").alias("node"), F.col("a").alias("other"))
    )
    label = halves.groupBy("node").agg(F.min("other").alias("other"))
    label = label.select(F.col("node").alias("a"), F.least("node", "other").alias("label"))
    named = pairs.join(label, "a")
    sizes = named.groupBy("label").agg(
        F.ceil(F.count("*") / F.lit(max(1, PAIRS_A_BLOCK // 4))).alias("parts")
    )
    part = F.when(F.col("parts") > 1, F.pmod(F.hash("b"), F.col("parts"))).otherwise(F.lit(0))
    block = dealt(F.pmod(F.xxhash64("label", part), F.lit(blocks)), blocks, pairs.sparkSession)
    return named.join(sizes, "label").withColumn("block", block).drop("label", "parts")


def needed(pairs: DataFrame, facts: DataFrame) -> DataFrame:
    """``facts`` of nodes (a row a node, column ``node``) for each block that has the node."""
    # Spark takes columns of one origin for the same column: another name for the second use.
    a, b = (pairs.selectExpr("block AS own_block", f"{end} AS node") for end in ("a", "b"))
    return a.union(b).distinct().join(facts, "node")


def by_block(
    pairs: DataFrame,
    facts: DataFrame,
    work: Callable[[pa.Table, pa.Table], pa.Table],
    schema: str,
) -> DataFrame:
    """``work(pairs, nodes)`` for every block: its pairs by (a, b), its nodes with their facts in
    order."""

    def ordered(left: pa.Table, right: pa.Table) -> pa.Table:
        return work(left.sort_by([("a", "ascending"), ("b", "ascending")]), right.sort_by("node"))

    grouped = pairs.groupBy("block").cogroup(needed(pairs, facts).groupBy("own_block"))
    return grouped.applyInArrow(ordered, schema)


def places(nodes: pa.Table, pairs: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the nodes ``a`` and ``b`` of pairs stand among the nodes of a block (int64)."""
    known = column(nodes, "node")
    a, b = (np.searchsorted(known, column(pairs, end)) for end in ("a", "b"))
    return a.astype(np.int64), b.astype(np.int64)


def packed_alignment(c: Collection, x: Alignment) -> tuple[list[bytes], list[bytes]]:
    """Matches and links of each pair as bytes, places counted from the beginning of each text."""
    token = c.p_token[c.d_passage]
    matches = np.empty(len(x.pair), MATCH)
    first_a, first_b = token[x.pair_a[x.pair]], token[x.pair_b[x.pair]]
    for name, first in (("a0", first_a), ("a1", first_a), ("b0", first_b), ("b1", first_b)):
        matches[name] = getattr(x, name) - first
    matches["similarity"], matches["bits"] = x.similarity, x.bits
    pair_starts = np.searchsorted(x.pair, np.arange(len(x.pair_a) + 1))
    of_link = x.pair[x.match]
    links = np.empty(len(x.match), LINK)
    links["match"] = x.match - pair_starts[of_link]
    links["a"] = x.link_a - c.d_passage[x.pair_a[of_link]]
    links["b"] = x.link_b - c.d_passage[x.pair_b[of_link]]
    links["cosine"] = x.cosine
    link_starts = np.searchsorted(of_link, np.arange(len(x.pair_a) + 1))
    return _cut(matches, pair_starts), _cut(links, link_starts)


def _cut(rows: NDArray[np.void], starts: NDArray[np.int64]) -> list[bytes]:
    data, size = rows.tobytes(), rows.dtype.itemsize
    ends = (starts * size).tolist()
    return [data[lo:hi] for lo, hi in pairwise(ends)]


def unpacked_alignment(
    d_passage: NDArray[np.int64],
    d_token: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    matches: Sequence[bytes],
    links: Sequence[bytes],
) -> Alignment:
    """The alignment of pairs (``a``, ``b`` int64 nodes) from their bytes; ``d_passage`` and
    ``d_token`` (int64, nodes + 1) say where the passages and tokens of each node begin."""
    m = records_of(matches, MATCH)
    k = records_of(links, LINK)
    sizes = np.array([len(blob) // MATCH.itemsize for blob in matches], np.int64)
    pair = np.repeat(np.arange(len(a)), sizes)
    link_sizes = np.array([len(blob) // LINK.itemsize for blob in links], np.int64)
    of_link = np.repeat(np.arange(len(a)), link_sizes)
    before = np.cumsum(sizes) - sizes
    return Alignment(
        a,
        b,
        pair,
        m["a0"] + d_token[a[pair]],
        m["a1"] + d_token[a[pair]],
        m["b0"] + d_token[b[pair]],
        m["b1"] + d_token[b[pair]],
        np.ascontiguousarray(m["similarity"]),
        np.ascontiguousarray(m["bits"]),
        k["match"] + before[of_link],
        k["a"] + d_passage[a[of_link]],
        k["b"] + d_passage[b[of_link]],
        np.ascontiguousarray(k["cosine"]),
        np.zeros(3, np.int64),
    )
