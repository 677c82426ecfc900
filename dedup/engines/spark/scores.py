"""TF-IDF weights over all articles, as sums of integer counters: what ranks matches and passages.

Document frequencies are counted in one pass. Spans that are ranked bring their words, which are
joined to the frequencies; the weights are those of :mod:`dedup.rank`, words in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import collected, column, records_of, sortable, tidied
from dedup.engines.spark.compare import RELATED_MATCH
from dedup.engines.spark.dealing import dealt
from dedup.kernels.counting import document_frequencies
from dedup.kinds import PassageStatistics
from dedup.rank import inverse_frequencies, weights_of
from dedup.tables.scores import mean_similarity, passage_scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

MATCH, IDENTICAL, PASSAGE = 0, 1, 2
SPAN = "kind int, a long, b long, nth int, node long, lo int, hi int"
"""A span of words of ``node``, by tokens; for a passage, ``lo`` is its place. What it belongs to:
match ``nth`` of pair (a, b), all of node ``a``, or shared passage ``a``."""
WEIGHT = "kind int, a long, b long, nth int, words int, weight double"


def frequencies(nodes: DataFrame) -> DataFrame:
    """``word`` (its hash, in Spark's order) and in how many articles it stands."""
    from pyspark.sql import functions as F  # noqa: N812

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            c = collected(batch["text"])
            copies = column(batch, "copies").astype(np.int64)
            found = document_frequencies(c.d_word, c.w_word, copies, len(c.v_hash))
            yield pa.RecordBatch.from_pydict(
                {
                    "word": pa.array(sortable(c.v_hash)),
                    "articles": pa.array(found.astype(np.int64)),
                }
            )

    counts = nodes.select("text", "copies").mapInArrow(work, "word long, articles long")
    return counts.groupBy("word").agg(F.sum("articles").alias("articles"))


def spans(
    related: DataFrame, identical: DataFrame, kinds: DataFrame, occurrences: DataFrame, least: int
) -> DataFrame:
    """All spans that are ranked (:data:`SPAN`).

    ``identical``: ``node`` of texts that several articles have.
    """
    from pyspark.sql import functions as F  # noqa: N812

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _match_spans(batch)

    listed = related.where(F.col("relation") >= least).select("a", "b", "matches")
    of_matches = listed.mapInArrow(work, SPAN)
    whole = identical.selectExpr(
        f"{IDENTICAL} AS kind", "node AS a", "0L AS b", "0 AS nth", "node", "0 AS lo", "-1 AS hi"
    )
    centre = occurrences.where("passage = cluster").groupBy("cluster")
    first = centre.agg(F.min(F.struct("node", "place")).alias("at"))
    ranked = first.join(kinds.select("cluster"), "cluster").selectExpr(
        f"{PASSAGE} AS kind",
        "cluster AS a",
        "0L AS b",
        "0 AS nth",
        "at.node AS node",
        "at.place AS lo",
        "-1 AS hi",
    )
    return of_matches.unionByName(whole).unionByName(ranked)


def _match_spans(batch: pa.RecordBatch) -> pa.RecordBatch:
    blobs = batch["matches"].to_pylist()
    m = records_of(blobs, RELATED_MATCH)
    sizes = np.array([len(blob) // RELATED_MATCH.itemsize for blob in blobs], np.int64)
    row = np.repeat(np.arange(len(blobs)), sizes)
    a = column(batch, "a")[row]
    nth = np.arange(len(m)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return pa.RecordBatch.from_pydict(
        {
            "kind": pa.array(np.full(len(m), MATCH, np.int32)),
            "a": pa.array(a),
            "b": pa.array(column(batch, "b")[row]),
            "nth": pa.array(nth.astype(np.int32)),
            "node": pa.array(a),
            "lo": pa.array(m["a0"]),
            "hi": pa.array(m["a1"]),
        }
    )


def weights(
    spans_: DataFrame, nodes: DataFrame, frequencies_: DataFrame, articles: int, parts: int
) -> DataFrame:
    """The TF-IDF weight of every span (:data:`WEIGHT`); ``articles``: how many there are."""
    from pyspark.sql import functions as F  # noqa: N812

    asked = spans_.groupBy("node").agg(
        F.collect_list(F.struct("kind", "a", "b", "nth", "lo", "hi")).alias("spans")
    )

    def words(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            yield _words_of_spans(batch)

    def weigh(table: pa.Table) -> pa.Table:
        return _weighed(table, articles)

    rows = asked.join(nodes.select("node", "text"), "node").mapInArrow(
        words, "kind int, a long, b long, nth int, word long, times int"
    )
    rows = rows.withColumn("span", F.xxhash64("kind", "a", "b", "nth"))
    part = dealt(F.pmod(F.col("span"), F.lit(parts)), parts, nodes.sparkSession)
    joined = rows.join(frequencies_, "word").withColumn("part", part)
    return joined.groupBy("part").applyInArrow(weigh, WEIGHT)


def _words_of_spans(batch: pa.RecordBatch) -> pa.RecordBatch:
    c = collected(batch["text"])
    token = c.p_token[c.d_passage]
    flat = batch["spans"].flatten()
    row = np.repeat(
        np.arange(len(batch)), batch["spans"].value_lengths().to_numpy(zero_copy_only=False)
    )
    kind, a, b, nth, lo, hi = (
        flat.field(name).to_numpy(zero_copy_only=False)
        for name in ("kind", "a", "b", "nth", "lo", "hi")
    )
    passage = np.where(kind == PASSAGE, c.d_passage[row] + lo, 0)
    low = np.where(kind == PASSAGE, c.p_token[passage], token[row] + np.where(kind == MATCH, lo, 0))
    high = np.where(
        kind == PASSAGE,
        c.p_token[np.minimum(passage + 1, len(c.p_token) - 1)],
        np.where(kind == MATCH, token[row] + hi, token[row + 1]),
    )
    sizes = high - low
    first = np.cumsum(sizes) - sizes
    tokens = np.arange(int(sizes.sum())) + np.repeat(low - first, sizes)
    owner = np.repeat(np.arange(len(row)), sizes)
    word = c.t_word[tokens].astype(np.int64)
    packed, times = np.unique(owner * np.int64(len(c.v_hash) + 1) + word, return_counts=True)
    of, word = np.divmod(packed, np.int64(len(c.v_hash) + 1))
    return pa.RecordBatch.from_pydict(
        {
            "kind": pa.array(kind[of]),
            "a": pa.array(a[of]),
            "b": pa.array(b[of]),
            "nth": pa.array(nth[of]),
            "word": pa.array(sortable(c.v_hash)[word]),
            "times": pa.array(times.astype(np.int32)),
        }
    )


def _weighed(table: pa.Table, articles: int) -> pa.Table:
    names = ("kind", "a", "b", "nth", "word", "times", "articles")
    kind, a, b, nth, word, times, frequency = (column(table, name) for name in names)
    order = np.lexsort((word, nth, b, a, kind))
    kind, a, b, nth = kind[order], a[order], b[order], nth[order]
    new = np.ones(len(order), bool)
    for key in (kind, a, b, nth):
        new[1:] &= key[1:] == key[:-1]
    new[1:] = ~new[1:]
    begin = np.flatnonzero(new)
    span = np.cumsum(new) - 1
    # In the order of the hashes: Spark's order of words is theirs.
    _, first, place = np.unique(word, return_index=True, return_inverse=True)
    idf = inverse_frequencies(frequency[first], articles)
    repeated = np.repeat(place[order], times[order])
    sizes = np.bincount(span, times[order], len(begin)).astype(np.int64)
    found = weights_of(sizes, repeated, idf)
    return pa.table(
        {
            "kind": pa.array(kind[begin]),
            "a": pa.array(a[begin]),
            "b": pa.array(b[begin]),
            "nth": pa.array(nth[begin]),
            "words": pa.array(sizes.astype(np.int32)),
            "weight": pa.array(found),
        }
    )


def ranked_passages(kinds: DataFrame, weights_: DataFrame) -> DataFrame:
    """``cluster``, ``kind``, ``score`` of all shared passages."""
    own = weights_.where(f"kind = {PASSAGE}").selectExpr("a AS cluster", "words", "weight")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            none = np.empty(0)
            statistics = PassageStatistics(
                column(batch, "articles"),
                column(batch, "outlets"),
                column(batch, "outletless"),
                none.astype(np.int64),
                none,
                none,
                none,
                none,
                column(batch, "kind"),
            )
            mean = mean_similarity(column(batch, "links"), column(batch, "similarity"))
            length = column(batch, "words").astype(np.int64)
            score = passage_scores(column(batch, "weight"), length, mean, statistics)
            yield pa.RecordBatch.from_pydict(
                {
                    "cluster": batch["cluster"],
                    "kind": batch["kind"],
                    "score": pa.array(score),
                }
            )

    return kinds.join(own, "cluster").mapInArrow(work, "cluster long, kind byte, score double")
