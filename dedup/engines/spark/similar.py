"""Banded LSH over distinct passages, as one shuffle of band keys and words.

Each passage has 28 band keys (by default), so a row for each would be most of what a cluster does.
They travel in blocks instead: a map task writes one row for each block of keys, with the words of
the passages in it, once for each passage. A block is one group of rows; a kernel builds its
buckets and compares the passages in them at once, so that only pairs that prove alike leave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import (
    ALIKE,
    BUCKET_CAP,
    BUCKET_REPRESENTATIVES,
    INSIDE,
    LEAST_AGREEMENT,
    LEAST_SHARED,
    common_eighths,
)
from dedup.engines.spark.batches import column, records_of, tidied, unsorted
from dedup.engines.spark.dealing import names_for
from dedup.engines.spark.sketching import WORD
from dedup.kernels import bands, buckets
from dedup.sketch import scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.config import Settings

ENTRY = np.dtype([("passage", "<i4"), ("key", "<u4"), ("band", "u1")])
"""A band key; ``passage`` is a place among the passages of the row."""
PASSAGE = np.dtype([("passage", "<i8"), ("information", "<f4"), ("words", "u1"), ("quoted", "u1")])
"""A passage; ``words``: how many there are of it."""
PASSAGES_A_BLOCK = 2_000_000
"""Passages whose words one task can hold, some 400 MB: up to so many, there are as few blocks as
tasks, since each block has nearly all passages."""
ENTRIES_A_BLOCK = 1_500_000
"""Entries of a block where there are more passages: nearly each is of another passage."""
ROWS_AT_ONCE = 65_536
"""Passages from which a map task makes one row for each block."""


class PassageWords:
    """Content words of some passages as the kernels want them.

    ``p_content`` int64 (passages + 1), ``c_hash`` uint64 ascending in each, ``c_bits`` uint8;
    ``card``: see ``bands.cards``.
    """

    def __init__(
        self,
        blobs: list[bytes],
        information: NDArray[np.float32],
        sizes: NDArray[np.int64] | None = None,
    ) -> None:
        """``blobs``: words (:data:`~dedup.engines.spark.sketching.WORD`) of a passage each, or, if
        ``sizes`` says how many each passage has, of several."""
        if sizes is None:
            sizes = np.array([len(blob) // WORD.itemsize for blob in blobs], np.int64)
        words = records_of(blobs, WORD)
        self.p_content = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=self.p_content[1:])
        self.c_hash = np.ascontiguousarray(words["hash"])
        self.c_bits = np.ascontiguousarray(words["bits"])
        # Each word stands for itself: the kernels ask nothing else of its number.
        self.c_word = np.arange(len(words), dtype=np.int32)
        self.mixed = bands.mixed_hashes(self.c_hash)
        self.everyone = np.arange(len(sizes))
        self.card = np.zeros((len(self.everyone), 4), np.uint64)
        bands.cards(self.everyone, self.p_content, self.c_word, information, self.mixed, self.card)

    def band_keys(self, settings: Settings) -> NDArray[np.uint32]:
        """Keys (uint32, passages x bands) of all bands."""
        plan = scheme(settings)
        perms = plan.bands * plan.rows
        out = np.empty((len(self.everyone), plan.bands), np.uint32)
        bands.band_keys(
            self.everyone,
            self.p_content,
            self.c_word,
            self.mixed,
            plan.a[:perms],
            plan.b[:perms],
            plan.rows,
            out,
        )
        return out


def blocks_for(passages: int, settings: Settings, least: int) -> int:
    """How many blocks of band keys so many distinct passages make."""
    if passages <= PASSAGES_A_BLOCK:
        return least
    return max(least, -(-passages * scheme(settings).bands // ENTRIES_A_BLOCK))


MET = "u long, v long, shared int, common int, full long"


def colliding(passages: DataFrame, settings: Settings, blocks: int) -> DataFrame:
    """Pairs ``u`` < ``v`` of passages that share a bucket and prove alike (:data:`MET`), once for
    each block; with ``u`` null a row says how many buckets (``full``) were too full to compare
    all."""

    partitions = int(passages.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    names = names_for(blocks, partitions)

    def map_side(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(_gathered(batches)):
            rows = _entries(batch, settings, blocks)
            yield rows.set_column(0, "block", pa.array(names[column(rows, "block")]))

    def reduce_side(table: pa.Table) -> pa.Table:
        entries, held, words = (
            table[name].to_pylist() for name in ("entries", "passages", "words")
        )
        return _pairs(entries, held, words, settings)

    entries = passages.select("passage", "information", "quoted", "words").mapInArrow(
        map_side, "block int, entries binary, passages binary, words binary"
    )
    return entries.groupBy("block").applyInArrow(reduce_side, MET)


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, several as one, so that rows of many blocks are not many small ones."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= ROWS_AT_ONCE:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)


def _entries(batch: pa.RecordBatch, settings: Settings, blocks: int) -> pa.RecordBatch:
    information = column(batch, "information")
    words = PassageWords(batch["words"].to_pylist(), information)
    keys = words.band_keys(settings)
    count, width = keys.shape
    own = np.empty(count, PASSAGE)
    own["passage"], own["information"] = column(batch, "passage"), information
    own["words"], own["quoted"] = np.diff(words.p_content), column(batch, "quoted")
    entries = np.empty(count * width, ENTRY)
    entries["passage"] = np.repeat(np.arange(count, dtype=np.int32), width)
    entries["key"] = keys.ravel()
    entries["band"] = np.tile(np.arange(width, dtype=np.uint8), count)
    # Another hash than that which orders buckets, so that a block has keys of all sizes.
    mixed = entries["key"] * np.uint32(0x9E3779B1) + entries["band"] * np.uint32(0x85EBCA6B)
    block = ((mixed.astype(np.uint32) >> np.uint32(8)) % np.uint32(blocks)).astype(np.int32)
    order = np.argsort(block, kind="stable")
    starts = np.searchsorted(block[order], np.arange(blocks + 1))
    used = np.flatnonzero(np.diff(starts)).tolist()

    def row(of: int) -> tuple[bytes, bytes, bytes]:
        some = entries[order[starts[of] : starts[of + 1]]]
        # Passages ascend: entries stand by passage in each block.
        fresh = np.append(True, some["passage"][1:] != some["passage"][:-1])
        held = some["passage"][fresh]
        some["passage"] = np.cumsum(fresh, dtype=np.int32) - 1
        return some.tobytes(), own[held].tobytes(), _values(batch["words"].take(pa.array(held)))

    rows = [row(of) for of in used]
    return pa.RecordBatch.from_pydict(
        {
            "block": pa.array(used, pa.int32()),
            **{
                name: pa.array([values[i] for values in rows], pa.binary())
                for i, name in enumerate(("entries", "passages", "words"))
            },
        }
    )


def _values(blobs: pa.BinaryArray) -> bytes:
    """All values of an array of bytes, one after the other."""
    _, ends, data = blobs.buffers()
    first, last = np.frombuffer(ends, np.int32)[[blobs.offset, blobs.offset + len(blobs)]].tolist()
    return bytes(memoryview(data)[first:last])


def _pairs(
    entries: list[bytes], passages: list[bytes], words: list[bytes], settings: Settings
) -> pa.Table:
    """The pairs of one block, band by band."""
    own = records_of(passages, PASSAGE)
    sizes = [len(blob) // PASSAGE.itemsize for blob in passages]
    every = records_of(entries, ENTRY)
    before = np.repeat(
        np.cumsum([0, *sizes[:-1]]), [len(blob) // ENTRY.itemsize for blob in entries]
    )
    number = every["passage"] + before
    information = np.ascontiguousarray(own["information"])
    known = PassageWords(words, information, own["words"].astype(np.int64))
    p_key = unsorted(np.ascontiguousarray(own["passage"]))
    order = np.argsort(every["band"], kind="stable")
    starts = np.searchsorted(every["band"][order], np.arange(256 + 1))
    rules = _rules(settings)
    found, full = [], 0
    for lo, hi in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        if hi - lo < 2:
            continue
        some = order[lo:hi]
        one, two, more = buckets.bucket_pairs(
            np.ascontiguousarray(every["key"][some]),
            number[some],
            p_key,
            known.card,
            rules[0],
            BUCKET_CAP,
            BUCKET_REPRESENTATIVES,
        )
        shared = buckets.compared(one, two, known.card, known.c_hash, known.c_bits, *rules)
        alike = np.flatnonzero(shared)
        found.append((one[alike], two[alike], shared[alike]))
        full += more
    one, two, shared = _joined(found)
    common = common_eighths(information, own["quoted"] > 0, one, two, shared)
    u, v = own["passage"][one], own["passage"][two]
    missing = np.append(np.zeros(len(u), bool), True)
    return pa.table(
        {
            "u": pa.array(np.append(np.minimum(u, v), 0), mask=missing),
            "v": pa.array(np.append(np.maximum(u, v), 0), mask=missing),
            "shared": pa.array(np.append(shared, np.int32(0)), mask=missing),
            "common": pa.array(np.append(common, np.int32(0)), mask=missing),
            "full": pa.array(np.append(np.zeros(len(u), np.int64), full), mask=~missing),
        }
    )


def _rules(settings: Settings) -> tuple[float, float, float, float]:
    """From when two passages are alike: see ``bands.shared_information``."""
    return (
        LEAST_AGREEMENT * settings.sensitivity,
        LEAST_SHARED * settings.min_information * 4,
        ALIKE * settings.min_similarity,
        INSIDE,
    )


def _joined(
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """The pairs of all bands of a block, once each: those that stay together collide in several."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))
    one, two, shared = (np.concatenate(parts) for parts in zip(none, *found, strict=True))
    key = np.minimum(one, two) << 32 | np.maximum(one, two)
    _, first = np.unique(key, return_index=True)
    return one[first], two[first], shared[first].astype(np.int32)


SIMILAR = "u long, v long, shared int, common int"


def similar_of(met: DataFrame) -> DataFrame:
    """The pairs of all blocks (:func:`colliding`), once each (:data:`SIMILAR`): ``shared``
    quarters of a bit, and ``common``: what they have in common of the lesser one, in weighted
    eighths (``candidates.common_eighths``)."""
    return met.where("u IS NOT NULL").select("u", "v", "shared", "common").distinct()


PROVED = "u long, v long, shared int"


def similar_passages(pairs: DataFrame, passages: DataFrame, settings: Settings) -> DataFrame:
    """Those of the distinct ``pairs`` (``u``, ``v``) that prove alike (:data:`PROVED`), by joins
    with the words and the information of ``passages``."""
    from pyspark.sql import functions as F  # noqa: N812

    def side(name: str) -> DataFrame:
        return passages.select(
            F.col("passage").alias(name),
            *(F.col(c).alias(f"{c}_{name}") for c in ("words", "information")),
        )

    rows = pairs.join(side("u"), "u").join(side("v"), "v")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _compared(batch, settings)

    return rows.mapInArrow(work, PROVED)


def _compared(batch: pa.RecordBatch, settings: Settings) -> pa.RecordBatch:
    n = len(batch)
    information = np.concatenate([column(batch, "information_u"), column(batch, "information_v")])
    words = PassageWords(
        [*batch["words_u"].to_pylist(), *batch["words_v"].to_pylist()], information
    )
    shared = buckets.compared(
        np.arange(n),
        np.arange(n, 2 * n),
        words.card,
        words.c_hash,
        words.c_bits,
        *_rules(settings),
    )
    keep = np.flatnonzero(shared)
    rows = pa.array(keep)
    return pa.RecordBatch.from_pydict(
        {
            "u": batch["u"].take(rows),
            "v": batch["v"].take(rows),
            "shared": pa.array(shared[keep]),
        }
    )
