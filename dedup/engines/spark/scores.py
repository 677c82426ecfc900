"""TF-IDF weights over all articles, as sums of integer counters: what ranks matches and passages.

Document frequencies are counted in one pass. The texts of spans that are ranked come together with
a table of all frequencies, while one task can hold that; beyond, the words of each span are joined
to them. The weights are those of :mod:`dedup.rank`, words in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import (
    collected,
    column,
    records_in,
    records_of,
    sortable,
    tidied,
)
from dedup.engines.spark.compare import RELATED_MATCH
from dedup.engines.spark.dealing import dealt
from dedup.engines.spark.sketching import COUNT, counts_of
from dedup.errors import InternalError
from dedup.kinds import PassageStatistics
from dedup.rank import PORTION, inverse_frequencies, weights_of
from dedup.tables.scores import mean_similarity, passage_scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.collection import Collection

TEXTS_AT_ONCE = 1_000
"""Texts that are segmented together for their weights."""
MATCH, IDENTICAL, PASSAGE = 0, 1, 2
SPAN = "kind int, a long, b long, nth int, node long, lo int, hi int"
"""A span of words of ``node``, by tokens; for a passage, ``lo`` is its place. What it belongs to:
match ``nth`` of pair (a, b), all of node ``a``, or shared passage ``a``."""
WEIGHT = "kind int, a long, b long, nth int, words int, weight double"


def frequencies(nodes: DataFrame) -> DataFrame:
    """``word`` (its hash, in Spark's order) and in how many articles it stands.

    ``nodes``: ``text``, ``copies``.
    """

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            counts = counts_of(collected(batch["text"]), column(batch, "copies"))
            yield pa.RecordBatch.from_pydict({"counts": pa.array([counts], pa.binary())})

    return frequencies_of(nodes.select("text", "copies").mapInArrow(work, "counts binary"))


def frequencies_of(sketches: DataFrame) -> DataFrame:
    """As :func:`frequencies`, from what ``sketching.packed_sketch`` has counted."""
    from pyspark.sql import functions as F  # noqa: N812

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = records_in(batch, "counts", COUNT)
            columns = (np.ascontiguousarray(found[name]) for name in ("word", "articles"))
            yield pa.RecordBatch.from_arrays(
                [pa.array(values) for values in columns], ["word", "articles"]
            )

    rows = sketches.where("counts IS NOT NULL").select("counts")
    counts = rows.mapInArrow(work, "word long, articles long")
    return counts.groupBy("word").agg(F.sum("articles").alias("articles"))


def match_spans(related: DataFrame, least: int) -> DataFrame:
    """The spans of all matches of related pairs (:data:`SPAN`), ``least``: which are listed."""
    from pyspark.sql import functions as F  # noqa: N812

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _match_spans(batch)

    listed = related.where(F.col("relation") >= least).select("a", "b", "matches")
    return listed.mapInArrow(work, SPAN)


def other_spans(identical: DataFrame, kinds: DataFrame, occurrences: DataFrame) -> DataFrame:
    """The spans that are ranked and that no match has (:data:`SPAN`): whole texts and passages.

    ``identical``: ``node`` of texts that several articles have.
    """
    from pyspark.sql import functions as F  # noqa: N812

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
    return whole.unionByName(ranked)


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


WORDS_ONE_TASK = 4_000_000
"""Words whose frequencies one task can hold beside its texts, 64 MB."""
TEXTS_A_PART = 10_000
"""Texts whose spans one task weighs, some 60 MB."""
SPANS_A_ROW = 1_000
"""Spans of a text that are weighed together: a text of very many is dealt to several tasks."""


def weights(
    spans_: DataFrame, nodes: DataFrame, frequencies_: DataFrame, articles: int, parts: int
) -> DataFrame:
    """The TF-IDF weight of every span (:data:`WEIGHT`); ``articles``: how many there are."""
    from pyspark.sql import functions as F  # noqa: N812

    sizes = spans_.groupBy("node").agg(F.count("*").alias("size"))
    portion = F.pmod(F.xxhash64("kind", "a", "b", "nth"), F.ceil(F.col("size") / SPANS_A_ROW))
    asked = (
        spans_.join(sizes, "node")
        .groupBy("node", portion.alias("portion"))
        .agg(F.collect_list(F.struct("kind", "a", "b", "nth", "lo", "hi")).alias("spans"))
    )
    rows = asked.join(nodes.select("node", "text"), "node")
    if frequencies_.count() > WORDS_ONE_TASK:
        return _joined(rows, frequencies_, articles, parts)
    parts = max(parts, -(-nodes.count() // TEXTS_A_PART))
    number = F.pmod(F.xxhash64("node", "portion"), F.lit(parts))
    rows = rows.select(dealt(number, parts, nodes.sparkSession).alias("part"), "text", "spans")
    every = nodes.sparkSession.range(parts).select(
        dealt(F.col("id"), parts, nodes.sparkSession).alias("own_part")
    )

    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = (column(batch, name).tobytes() for name in ("word", "articles"))
            yield pa.RecordBatch.from_arrays(
                [pa.array([data], pa.binary()) for data in columns], ["words", "counts"]
            )

    def weigh(texts: pa.Table, table: pa.Table) -> pa.Table:
        words, counts = (
            np.frombuffer(b"".join(table[name].to_pylist()), np.int64)
            for name in ("words", "counts")
        )
        order = np.argsort(words)
        words, counts = words[order], counts[order]
        found = [
            _weighed_texts(batch, words, counts, articles)
            for batch in tidied(iter(texts.to_batches(TEXTS_AT_ONCE)))
        ]
        return pa.concat_tables(found) if found else _weights([], np.empty(0), np.empty(0))

    packed = frequencies_.select("word", "articles").mapInArrow(pack, "words binary, counts binary")
    tables = every.crossJoin(packed).groupBy("own_part")
    return rows.groupBy("part").cogroup(tables).applyInArrow(weigh, WEIGHT)


def _joined(rows: DataFrame, frequencies_: DataFrame, articles: int, parts: int) -> DataFrame:
    """Weights of the spans of texts (``node``, ``text``, ``spans``), by joins of their words."""
    from pyspark.sql import functions as F  # noqa: N812

    def words(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            yield _words_of_spans(batch)

    def weigh(table: pa.Table) -> pa.Table:
        return _weighed(table, articles)

    spread = rows.mapInArrow(words, "kind int, a long, b long, nth int, word long, times int")
    spread = spread.withColumn("span", F.xxhash64("kind", "a", "b", "nth"))
    part = dealt(F.pmod(F.col("span"), F.lit(parts)), parts, rows.sparkSession)
    joined = spread.join(frequencies_, "word").withColumn("part", part)
    return joined.groupBy("part").applyInArrow(weigh, WEIGHT)


def _spans_of(
    batch: pa.RecordBatch, c: Collection
) -> tuple[list[NDArray[Any]], NDArray[np.int64], NDArray[np.int64]]:
    """``kind``, ``a``, ``b``, ``nth`` of the spans of a batch of texts, and their tokens (int64):
    from which, and how many."""
    token = c.p_token[c.d_passage]
    flat = batch["spans"].flatten()
    row = np.repeat(
        np.arange(len(batch)), batch["spans"].value_lengths().to_numpy(zero_copy_only=False)
    )
    *names, lo, hi = (
        flat.field(name).to_numpy(zero_copy_only=False)
        for name in ("kind", "a", "b", "nth", "lo", "hi")
    )
    kind = names[0]
    passage = np.where(kind == PASSAGE, c.d_passage[row] + lo, 0)
    low = np.where(kind == PASSAGE, c.p_token[passage], token[row] + np.where(kind == MATCH, lo, 0))
    high = np.where(
        kind == PASSAGE,
        c.p_token[np.minimum(passage + 1, len(c.p_token) - 1)],
        np.where(kind == MATCH, token[row] + hi, token[row + 1]),
    )
    return names, low, high - low


def _tokens(low: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tokens of spans, one after the other."""
    first = np.cumsum(sizes) - sizes
    return np.asarray(np.arange(int(sizes.sum())) + np.repeat(low - first, sizes))


def _weighed_texts(
    batch: pa.RecordBatch, words: NDArray[np.int64], counts: NDArray[np.int64], articles: int
) -> pa.Table:
    """The weights of the spans of a batch of texts; ``words`` ascend, ``counts`` say in how many
    articles each stands.

    Raises :class:`~dedup.errors.InternalError` where a word of a text is not among them.
    """
    c = collected(batch["text"])
    names, low, sizes = _spans_of(batch, c)
    order = np.argsort(c.v_hash, kind="stable")
    hashes = sortable(c.v_hash[order])
    at = np.minimum(np.searchsorted(words, hashes), max(0, len(words) - 1))
    if len(hashes) and not (len(words) and np.array_equal(words[at], hashes)):
        raise InternalError("stage 'weights': a word of a text has not been counted")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    idf = inverse_frequencies(counts[at], articles)
    out = np.zeros(len(low))
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(low):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + PORTION, side="right")))
        tokens = _tokens(low[begin:end], sizes[begin:end])
        out[begin:end] = weights_of(sizes[begin:end], place[c.t_word[tokens]], idf)
        begin = end
    return _weights(names, sizes, out)


def _weights(names: list[NDArray[Any]], sizes: NDArray[Any], weights_: NDArray[Any]) -> pa.Table:
    few, none = np.empty(0, np.int32), np.empty(0, np.int64)
    kind, a, b, nth = names or (few, none, none, few)
    columns: dict[str, NDArray[Any]] = {
        "kind": kind,
        "a": a,
        "b": b,
        "nth": nth,
        "words": sizes.astype(np.int32),
        "weight": weights_,
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _words_of_spans(batch: pa.RecordBatch) -> pa.RecordBatch:
    c = collected(batch["text"])
    (kind, a, b, nth), low, sizes = _spans_of(batch, c)
    tokens = _tokens(low, sizes)
    owner = np.repeat(np.arange(len(low)), sizes)
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
    return _weights([kind[begin], a[begin], b[begin], nth[begin]], sizes, found)


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
