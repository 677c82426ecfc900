"""Texts to passages: what is known of each by itself, and where it occurs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.candidates import indexed_passages
from dedup.engines.spark.batches import (
    collected,
    column,
    lists,
    ragged,
    records_of,
    sortable,
    tidied,
)
from dedup.engines.spark.dealing import names_for
from dedup.engines.spark.packed import PACKS, WORD, content_words, packs
from dedup.kernels.counting import document_frequencies
from dedup.kernels.template import repeated_inside
from dedup.language import detect_languages
from dedup.speech import Speech
from dedup.template import LEAST_ARTICLES, LEAST_REPEATED_BITS, OWN_SHARE, edge_keys, enclosed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.collection import Collection
    from dedup.config import Settings

SAID, INDEXED, QUOTED, EDGE, TWICE = 1, 2, 4, 8, 16
FACTS = (
    "node long, copies long, owner_id string, letters long, first int, last int, "
    "information double, groupable boolean, language string, passages array<long>, "
    "information_of array<float>, letters_of array<long>, begin array<int>, end array<int>, "
    "signs array<byte>, opening array<long>, closing array<long>"
)
"""What is known of a text: a row a node, lists by passage. ``passages`` are keys in Spark's order
(:func:`~dedup.engines.spark.batches.sortable`)."""
SKETCH = f"{FACTS}, words array<binary>"
"""The same, with the content words (:data:`~dedup.engines.spark.packed.WORD`) of passages that are
looked for."""


COUNT = np.dtype([("word", "<i8"), ("articles", "<i8")])
"""In how many articles a word stands (its hash, in Spark's order)."""


def sketch(nodes: DataFrame, settings: Settings) -> DataFrame:
    """Segment all texts and note what later stages ask of each passage (:data:`SKETCH`)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            yield _sketched(batch, settings, collected(batch["text"]))

    return nodes.select("node", "copies", "owner_id", "text").mapInArrow(work, SKETCH)


def packed_sketch(nodes: DataFrame, settings: Settings, parts: int) -> DataFrame:
    """As :func:`sketch`, but words and who holds what are packed: in some rows, of several texts
    together, :data:`~dedup.engines.spark.packed.PACKS` for so many ``parts``, and ``counts``, the
    :data:`COUNT` of all their words."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            if not len(batch):
                continue
            c = collected(batch["text"])
            copies, indexed = column(batch, "copies"), _indexed(c, settings)
            columns = _facts(batch, c, indexed)
            columns |= packs(c, indexed, column(batch, "node"), copies, parts)
            blobs = [counts_of(c, copies), *[None] * (len(batch) - 1)]
            columns["counts"] = pa.array(blobs, pa.binary())
            yield pa.RecordBatch.from_pydict(columns)

    rows = nodes.select("node", "copies", "owner_id", "text")
    return rows.mapInArrow(work, f"{FACTS}, {PACKS}, counts binary")


def counts_of(c: Collection, copies: NDArray[np.int64]) -> bytes:
    """:data:`COUNT` of all words of the texts ``c``, of which there are so many ``copies``."""
    out = np.empty(len(c.v_hash), COUNT)
    out["word"] = sortable(c.v_hash)
    out["articles"] = document_frequencies(c.d_word, c.w_word, copies, len(c.v_hash))
    return out.tobytes()


def _sketched(batch: pa.RecordBatch, settings: Settings, c: Collection) -> pa.RecordBatch:
    indexed = _indexed(c, settings)
    columns = _facts(batch, c, indexed)
    columns["words"] = lists(c.d_passage, _words(c, indexed), pa.binary())
    return pa.RecordBatch.from_pydict(columns)


def _indexed(c: Collection, settings: Settings) -> NDArray[np.bool_]:
    """Which passages are looked for."""
    indexed = np.zeros(len(c.p_start), bool)
    indexed[indexed_passages(c, settings)] = True
    return indexed


def _facts(batch: pa.RecordBatch, c: Collection, indexed: NDArray[np.bool_]) -> dict[str, pa.Array]:
    """The columns :data:`FACTS`."""
    groupable = np.zeros(c.nodes, bool)
    groupable[c.p_article[indexed]] = True
    place = np.arange(len(c.p_start)) - c.d_passage[c.p_article]
    count = np.diff(c.d_passage)[c.p_article]
    signs = Speech.of(c.p_speech).said * SAID + indexed * INDEXED + (c.p_quoted > 0) * QUOTED
    signs += ((place < 2) | (place >= 0.8 * count)) * EDGE
    twice = repeated_inside(c.d_passage, c.p_key)
    twice &= ~Speech.of(c.p_speech).said & (c.p_information >= LEAST_REPEATED_BITS)
    signs += twice * TWICE
    d = c.d_passage
    first, last = _edges(c)
    return {
        "node": batch["node"],
        "copies": batch["copies"],
        "owner_id": batch["owner_id"],
        "letters": pa.array(c.d_letters, pa.int64()),
        "first": pa.array(first),
        "last": pa.array(last),
        "information": pa.array(np.bincount(c.p_article, c.p_information, c.nodes)),
        "groupable": pa.array(groupable),
        "language": pa.array(detect_languages(c), pa.string()),
        "passages": lists(d, sortable(c.p_key), pa.int64()),
        "information_of": lists(d, c.p_information, pa.float32()),
        "letters_of": lists(d, c.p_letters, pa.int64()),
        "begin": lists(d, c.p_start, pa.int32()),
        "end": lists(d, c.p_end, pa.int32()),
        "signs": lists(d, signs.astype(np.int8), pa.int8()),
        "opening": lists(d, edge_keys(c, last=False).view(np.int64), pa.int64()),
        "closing": lists(d, edge_keys(c, last=True).view(np.int64), pa.int64()),
    }


def _edges(c: Collection) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where the first passage and after which character the last word of each text stands; 0 and 0
    for texts without words."""
    full = np.diff(c.d_passage) > 0
    first, last = np.zeros(c.nodes, np.int32), np.zeros(c.nodes, np.int32)
    first[full] = c.p_start[c.d_passage[:-1][full]]
    last[full] = c.end_of(c.p_token[c.d_passage[1:][full]] - 1)
    return first, last


def _words(c: Collection, indexed: NDArray[np.bool_]) -> list[bytes]:
    """The content words of indexed passages, by hash; nothing for others."""
    data, size = content_words(c).tobytes(), WORD.itemsize
    ends = (c.p_content * size).tolist()
    return [
        data[ends[p] : ends[p + 1]] if chosen else b"" for p, chosen in enumerate(indexed.tolist())
    ]


OCCURRENCE = (
    "passage long, node long, place int, copies long, owner_id string, information float, "
    "quoted byte, said byte, edge byte, repeat boolean, letters long, begin int, end int"
)
"""Columns of an occurrence of an indexed passage; ``repeat``: its node has it before."""
_OF_PASSAGE = ("owner_id", "information", "quoted", "letters")
PLACE = ", ".join(part for part in OCCURRENCE.split(", ") if part.split()[0] not in _OF_PASSAGE)
"""The columns of these that no other table has."""


def places(sketches: DataFrame) -> DataFrame:
    """Where indexed passages stand (:data:`PLACE`)."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _occurrences(batch)

    names = ("node", "copies", "passages", "begin", "end", "signs")
    return sketches.select(*names).mapInArrow(work, PLACE)


def occurrences(sketches: DataFrame) -> DataFrame:
    """All occurrences of indexed passages (:data:`OCCURRENCE`), with their ``words``."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _occurrences(batch)

    names = [
        *("node", "copies", "owner_id", "passages", "information_of", "letters_of", "begin"),
        *("end", "signs", "words"),
    ]
    return sketches.select(*names).mapInArrow(work, f"{OCCURRENCE}, words binary")


def _occurrences(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Occurrences in a batch of sketches, or without their ``words`` :data:`PLACE`."""
    start, passage = ragged(batch, "passages")
    _, signs = ragged(batch, "signs")
    row = np.repeat(np.arange(len(batch)), np.diff(start))
    chosen = np.flatnonzero(signs & INDEXED)
    place = chosen - start[row[chosen]]
    key, own = passage[chosen], row[chosen]
    order = np.lexsort((place, key, own))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (key[order][1:] != key[order][:-1]) | (own[order][1:] != own[order][:-1])
    repeat = np.empty(len(order), bool)
    repeat[order] = ~fresh
    of = signs[chosen]
    rows = pa.array(own)
    at = pa.array(chosen)

    def flat(name: str) -> Any:
        return batch[name].flatten().take(at)

    columns = {
        "passage": pa.array(key),
        "node": batch["node"].take(rows),
        "place": pa.array(place.astype(np.int32)),
        "copies": batch["copies"].take(rows),
    }
    whole = "words" in batch.schema.names
    if whole:
        columns["owner_id"] = batch["owner_id"].take(rows)
        columns["information"] = flat("information_of")
        columns["quoted"] = pa.array(((of & QUOTED) > 0).astype(np.int8))
    columns["said"] = pa.array(((of & SAID) > 0).astype(np.int8))
    columns["edge"] = pa.array(((of & EDGE) > 0).astype(np.int8))
    columns["repeat"] = pa.array(repeat)
    if whole:
        columns["letters"] = flat("letters_of")
    columns["begin"], columns["end"] = flat("begin"), flat("end")
    if whole:
        columns["words"] = flat("words")
    return pa.RecordBatch.from_pydict(columns)


def distinct_passages(occurrences_: DataFrame) -> DataFrame:
    """``passage``, ``information``, ``quoted``, ``words``, ``holders`` (nodes) and ``held``
    (occurrences, identical texts counted as often as they stand) of every passage."""
    from pyspark.sql import functions as F  # noqa: N812

    return occurrences_.groupBy("passage").agg(
        F.first("information").alias("information"),
        F.max("quoted").alias("quoted"),
        F.first("words").alias("words"),
        F.sum(F.when(F.col("repeat"), 0).otherwise(1)).alias("holders"),
        F.sum("copies").alias("held"),
    )


# --- templates ------------------------------------------------------------------------------


TALLY = np.dtype([("key", "<i8"), ("owner", "<i4"), ("articles", "<i4")])
"""Articles of an outlet, by its place among those of a row, that open or close with a key."""
ARTICLES_A_PART = 100_000
"""Articles whose keys one task counts: some 9 million, 150 MB."""


def template_keys(sketches: DataFrame, too_large: str | None) -> DataFrame:
    """``closing`` (bool), ``key``, ``owner_id``: openings and closings of one outlet alone.

    The counters of ``kernels.template.outlet_specific``, as sums over batches.
    """
    spark = sketches.sparkSession
    partitions = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    parts = max(partitions, -(-sketches.count() // ARTICLES_A_PART))
    names = names_for(parts, partitions)

    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _counted(batch, names)

    def choose(table: pa.Table) -> pa.Table:
        found = [
            _owned(table.filter(pc.equal(table["closing"], end)), end) for end in (False, True)
        ]
        return pa.concat_tables(found)

    rows = _eligible(sketches, too_large).select("owner_id", "opening", "closing")
    kind = "part int, closing boolean, owners array<string>, tally binary"
    counts = rows.mapInArrow(count, kind).groupBy("part")
    return counts.applyInArrow(choose, "closing boolean, key long, owner_id string")


def _eligible(sketches: DataFrame, too_large: str | None) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    known = sketches.where("owner_id IS NOT NULL")
    return known if too_large is None else known.where(F.col("owner_id") != F.lit(too_large))


def _counted(batch: pa.RecordBatch, names: NDArray[np.int32]) -> pa.RecordBatch:
    """Articles of the batch by key and outlet (:data:`TALLY`), a row for each part (``names``) and
    end."""
    owners = batch["owner_id"].dictionary_encode()
    owner = owners.indices.to_numpy(zero_copy_only=False)
    parts = len(names)
    blobs = []
    for name in ("opening", "closing"):
        start, key = ragged(batch, name)
        row = np.repeat(np.arange(len(batch)), np.diff(start))
        stated = key != 0
        key, row = key[stated], row[stated]
        order = np.lexsort((row, key))
        key, row = key[order], row[order]
        once = _changes(key, row)
        key, whose = key[once], owner[row[once]]
        part = (key.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)) % parts
        order = np.lexsort((whose, key, part))
        key, whose, part = key[order], whose[order], part[order]
        begin = np.flatnonzero(_changes(key, whose))
        tally = np.empty(len(begin), TALLY)
        tally["key"], tally["owner"] = key[begin], whose[begin]
        tally["articles"] = np.diff(np.append(begin, len(key)))
        ends = np.searchsorted(part[begin], np.arange(parts + 1))
        blobs += [tally[lo:hi].tobytes() for lo, hi in pairwise(ends.tolist())]
    known = owners.dictionary.to_pylist()
    return pa.RecordBatch.from_pydict(
        {
            "part": pa.array(np.tile(names, 2)),
            "closing": pa.array(np.repeat([False, True], parts)),
            "owners": pa.array([known] * len(blobs), pa.list_(pa.string())),
            "tally": pa.array(blobs, pa.binary()),
        }
    )


def _owned(rows: pa.Table, closing: bool) -> pa.Table:
    """The keys of one end (``closing``, else opening) that one outlet nearly alone has."""
    owners = rows["owners"].combine_chunks()
    names, number = np.unique(owners.flatten().to_pylist() or [""], return_inverse=True)
    first = np.cumsum([0, *owners.value_lengths().to_pylist()])
    blobs = rows["tally"].to_pylist()
    every = records_of(blobs, TALLY)
    of = np.repeat(np.arange(len(blobs)), [len(blob) // TALLY.itemsize for blob in blobs])
    owner = number[first[of] + every["owner"]]
    order = np.lexsort((owner, every["key"]))
    key, owner, articles = every["key"][order], owner[order], every["articles"][order]
    begin = np.flatnonzero(_changes(key, owner))
    own = np.add.reduceat(articles.astype(np.int64), begin) if len(begin) else np.empty(0, np.int64)
    key, owner = key[begin], owner[begin]
    nth = np.cumsum(_changes(key, key)) - 1
    total = np.bincount(nth, own)[nth]
    # More than half of a key: no two outlets can have that.
    chosen = np.flatnonzero((own >= LEAST_ARTICLES) & (own >= OWN_SHARE * total))
    return pa.table(
        {
            "closing": pa.array(np.full(len(chosen), closing)),
            "key": pa.array(key[chosen]),
            "owner_id": pa.array(names[owner[chosen]].tolist(), pa.string()),
        }
    )


def _changes(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of two sorted columns are others than those before."""
    new = np.ones(len(a), bool)
    new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return new


def template_places(sketches: DataFrame, keys: DataFrame, too_large: str | None) -> DataFrame:
    """``node`` and ``template``, the places of its passages that the page template makes."""
    from pyspark.sql import functions as F  # noqa: N812

    eligible = _eligible(sketches, too_large)

    def marked(name: str, closing: bool) -> DataFrame:
        rows = eligible.select("node", "owner_id", F.posexplode(name).alias("place", "key"))
        wanted = keys.where(F.col("closing") == closing).select("key", "owner_id")
        return rows.join(wanted, ["key", "owner_id"], "left_semi").select("node", "place")

    marks = marked("opening", False).unionByName(marked("closing", True))
    made = marks.groupBy("node").agg(F.collect_set("place").alias("made"))
    twice = F.exists("signs", lambda sign: sign.bitwiseAND(F.lit(TWICE)) > 0)
    rows = eligible.select("node", "signs").join(made, "node", "left")
    rows = rows.where(F.col("made").isNotNull() | twice)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _enclosed(batch)

    return rows.mapInArrow(work, "node long, template array<int>")


def _enclosed(batch: pa.RecordBatch) -> pa.RecordBatch:
    start, signs = ragged(batch, "signs")
    article = np.repeat(np.arange(len(batch)), np.diff(start))
    made = (signs & TWICE) > 0
    for row, places in enumerate(batch["made"].to_pylist()):
        made[start[row] + np.array(places or [], np.int64)] = True
    whole = enclosed(made, article, start)
    found = np.flatnonzero(whole)
    begin = np.searchsorted(found, start)
    return pa.RecordBatch.from_pydict(
        {
            "node": batch["node"],
            "template": lists(begin, (found - start[article[found]]).astype(np.int32), pa.int32()),
        }
    )
