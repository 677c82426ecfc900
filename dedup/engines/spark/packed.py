"""Passages, who holds them and which are alike, as arrays in few rows.

Spark moves rows one by one and each of their values by itself; the arrays of a few thousand texts
in one row cost it nothing. What is summed by passage, or what one task looks at whole, goes so.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.engines.spark.batches import records_in, sortable
from dedup.engines.spark.dealing import dealt
from dedup.kernels.buckets import words_by_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.collection import Collection

WORD = np.dtype([("hash", "<u8"), ("bits", "u1")])
"""A content word of a passage."""
HELD = np.dtype(
    [
        *(("passage", "<i8"), ("held", "<i8"), ("holders", "<i8")),
        *(("information", "<f4"), ("words", "u1"), ("quoted", "u1")),
    ]
)
"""A passage (its key in Spark's order): in how many texts (``holders``) and how often in all
articles (``held``) it stands; ``words``: how many content words there are of it."""
HOLDER = np.dtype([("passage", "<i8"), ("node", "<i8")])
TEXT = np.dtype([("node", "<i8"), ("information", "<f8")])
ALIKE = np.dtype([("u", "<i8"), ("v", "<i8"), ("shared", "<i4"), ("common", "<i4")])
"""Two passages that prove alike: see ``similar.SIMILAR``."""
PACKS = "held array<binary>, held_words array<binary>, holding binary, says binary"
"""What a batch of texts holds, in its first row: for each part of all passages those in it
(:data:`HELD`) with their words, one after the other; and for all parts :data:`HOLDER` and
:data:`TEXT`."""
PASSAGES = "count long, holders long, held binary, words binary"
"""Some of a part of all passages: how many there are, how many holders they have together, and
what is known of each (:data:`HELD`, ascending) with their words."""
PASSAGE_ROW = "passage long, held long, holders long, information float, quoted byte"
PASSAGES_A_ROW = 65_536
"""Passages of a row at most, some 7 MB: the JVM holds a row several times."""
TEXTS_A_PART = 25_000
"""Texts for each part of all passages: a million passages, some 100 MB."""


def values_of(blobs: pa.BinaryArray) -> bytes:
    """All values of an array of bytes, one after the other."""
    _, ends, data = blobs.buffers()
    first, last = np.frombuffer(ends, np.int32)[[blobs.offset, blobs.offset + len(blobs)]].tolist()
    return bytes(memoryview(data)[first:last]) if data else b""


def cut(data: bytes, sizes: NDArray[np.int64]) -> pa.BinaryArray:
    """``data`` cut into values of ``sizes`` bytes."""
    ends = np.zeros(len(sizes) + 1, np.int32)
    ends[1:] = np.cumsum(sizes)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(sizes), buffers)


def content_words(c: Collection) -> NDArray[np.void]:
    """The content words of all passages (:data:`WORD`), by hash in each (``c.p_content``)."""
    hashes, bits = np.empty(len(c.c_word), np.uint64), np.empty(len(c.c_word), np.uint8)
    words_by_hash(c.p_content, c.c_word, c.v_hash, c.v_bits, hashes, bits)
    out = np.empty(len(c.c_word), WORD)
    out["hash"], out["bits"] = hashes, bits
    return out


def packs(
    c: Collection,
    indexed: NDArray[np.bool_],
    nodes: NDArray[np.int64],
    copies: NDArray[np.int64],
    parts: int,
) -> dict[str, pa.Array]:
    """The columns :data:`PACKS` of a batch of texts ``c``: names of its ``nodes`` and how many
    ``copies`` there are of each; ``indexed`` (bool): which passages are looked for."""
    chosen = np.flatnonzero(indexed)
    row = c.p_article[chosen]
    sizes = np.diff(c.p_content)
    rows = np.empty(len(chosen), HELD)
    rows["passage"], rows["held"] = sortable(c.p_key)[chosen], copies[row]
    rows["information"], rows["words"] = c.p_information[chosen], sizes[chosen]
    rows["quoted"] = c.p_quoted[chosen] > 0
    order = np.lexsort((row, rows["passage"]))
    fresh = _fresh(rows["passage"][order]) | _fresh(row[order])
    rows["holders"][order] = fresh
    holding = np.empty(int(fresh.sum()), HOLDER)
    holding["passage"] = rows["passage"][order][fresh]
    holding["node"] = nodes[row[order][fresh]]
    says = np.empty(len(nodes), TEXT)
    says["node"] = nodes
    says["information"] = np.bincount(c.p_article, c.p_information, c.nodes)
    words = cut(content_words(c).tobytes(), sizes * WORD.itemsize).take(pa.array(chosen))
    rows, words = summed(rows, words)
    mixed = rows["passage"].view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    part = ((mixed >> np.uint64(32)) % np.uint64(parts)).astype(np.int64)
    order = np.argsort(part, kind="stable")
    rows, words = rows[order], words.take(pa.array(order))
    ends = np.searchsorted(part[order], np.arange(parts + 1)).tolist()
    several = {
        "held": [rows[lo:hi].tobytes() for lo, hi in pairwise(ends)],
        "held_words": [values_of(words[lo:hi]) for lo, hi in pairwise(ends)],
    }
    single = {"holding": holding.tobytes(), "says": says.tobytes()}
    # A batch has a row at least.
    after = [None] * (len(nodes) - 1)
    return {
        **{n: pa.array([v, *after], pa.list_(pa.binary())) for n, v in several.items()},
        **{n: pa.array([v, *after], pa.binary()) for n, v in single.items()},
    }


def _fresh(sorted_: NDArray[Any]) -> NDArray[np.bool_]:
    out = np.ones(len(sorted_), bool)
    out[1:] = sorted_[1:] != sorted_[:-1]
    return out


def summed(
    rows: NDArray[np.void], words: pa.BinaryArray
) -> tuple[NDArray[np.void], pa.BinaryArray]:
    """``rows`` (:data:`HELD`) of the same passage as one, ascending, and its words."""
    order = np.argsort(rows["passage"], kind="stable")
    begin = np.flatnonzero(_fresh(rows["passage"][order]))
    first = order[begin]
    out = rows[first]
    if len(begin):
        for name in ("held", "holders"):
            out[name] = np.add.reduceat(rows[name][order], begin)
        out["quoted"] = np.maximum.reduceat(rows["quoted"][order], begin)
    return out, words.take(pa.array(first))


def distinct_passages(sketches: DataFrame, parts: int) -> DataFrame:
    """All passages that are looked for (:data:`PASSAGES`), from what batches of texts hold
    (:data:`PACKS`, packed for so many ``parts``)."""
    from pyspark.sql import functions as F  # noqa: N812

    def merge(table: pa.Table) -> pa.Table:
        rows = records_in(table, "held", HELD)
        words = cut(
            b"".join(table["held_words"].to_pylist()),
            rows["words"].astype(np.int64) * WORD.itemsize,
        )
        rows, words = summed(rows, words)
        starts = range(0, max(1, len(rows)), PASSAGES_A_ROW)
        cuts = [slice(start, start + PASSAGES_A_ROW) for start in starts]
        some = [rows[cut_] for cut_ in cuts]
        return pa.table(
            {
                "count": pa.array([len(part) for part in some], pa.int64()),
                "holders": pa.array([int(part["holders"].sum()) for part in some], pa.int64()),
                "held": pa.array([part.tobytes() for part in some], pa.binary()),
                "words": pa.array([values_of(words[cut_]) for cut_ in cuts], pa.binary()),
            }
        )

    both = F.posexplode(F.arrays_zip("held", "held_words")).alias("part", "of")
    rows = sketches.where("held IS NOT NULL").select(both)
    part = dealt(F.col("part"), parts, sketches.sparkSession).alias("part")
    rows = rows.select(part, "of.held", "of.held_words")
    return rows.groupBy("part").applyInArrow(merge, PASSAGES)


def as_rows(passages: DataFrame) -> DataFrame:
    """Passages (:data:`PASSAGES`), a row each (:data:`PASSAGE_ROW`), without words."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = records_in(batch, "held", HELD)
            yield _columns(rows, ("passage", "held", "holders", "information", "quoted"))

    return passages.select("held").mapInArrow(work, PASSAGE_ROW)


def alike_rows(pairs: DataFrame) -> DataFrame:
    """``pairs`` (:data:`ALIKE`, many in a row) in a row each: ``similar.SIMILAR``."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = records_in(batch, "pairs", ALIKE)
            yield _columns(rows, ("u", "v", "shared", "common"))

    return pairs.select("pairs").mapInArrow(work, "u long, v long, shared int, common int")


def _columns(rows: NDArray[np.void], names: tuple[str, ...]) -> pa.RecordBatch:
    kinds = {"quoted": np.int8}
    columns = {n: rows[n].astype(kinds.get(n, rows.dtype[n])) for n in names}
    return pa.RecordBatch.from_pydict({n: pa.array(v) for n, v in columns.items()})
