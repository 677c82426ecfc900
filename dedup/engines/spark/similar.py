"""Banded LSH over distinct passages, as a shuffle of keys and two joins.

Each passage has 28 band keys (by default), so a row for each would be most of what a cluster does.
They travel in blocks instead: a map task writes one row for each block of keys, a block is one
group of rows, and the kernel that the local engine uses for buckets works inside it. Entries carry
a bitmap of the passage's words, so that most pairs end there; the words are joined to the rest.
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
)
from dedup.engines.spark.batches import column, records_of, tidied, unsorted
from dedup.engines.spark.sketching import WORD
from dedup.kernels import bands, buckets
from dedup.sketch import scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.config import Settings

ENTRY = np.dtype(
    [("passage", "<i8"), ("low", "<u8"), ("high", "<u8"), ("key", "<u4"), ("band", "u1")]
)
ENTRIES_A_BLOCK = 4_000_000
"""Entries that one task takes at once: some 120 MB, and about as much to sort them."""


class PassageWords:
    """Content words of some passages as the kernels want them.

    ``p_content`` int64 (passages + 1), ``c_word`` int32 ascending in each; ``v_bits`` uint8 and
    ``mixed`` uint32 of the words.
    """

    def __init__(self, blobs: list[bytes], information: NDArray[np.float32]) -> None:
        every = records_of(blobs, WORD)
        self.p_content = np.zeros(len(blobs) + 1, np.int64)
        np.cumsum([len(blob) // WORD.itemsize for blob in blobs], out=self.p_content[1:])
        v_hash, first, number = np.unique(every["hash"], return_index=True, return_inverse=True)
        self.c_word = number.astype(np.int32)
        self.v_bits = np.ascontiguousarray(every["bits"][first])
        self.mixed = bands.mixed_hashes(v_hash)
        self.everyone = np.arange(len(blobs))
        self.card = bands.cards(self.everyone, self.p_content, self.c_word, information, self.mixed)

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
    return max(least, -(-passages * scheme(settings).bands // ENTRIES_A_BLOCK))


def colliding(passages: DataFrame, settings: Settings, blocks: int) -> DataFrame:
    """Pairs ``u`` < ``v`` of passages that a bucket compares and whose bitmaps leave room; with
    ``u`` null a row says how many buckets (``full``) were too full to compare all."""

    def map_side(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in tidied(iter(batches)):
            yield _entries(batch, settings, blocks)

    def reduce_side(table: pa.Table) -> pa.Table:
        return _pairs(records_of(table["entries"].to_pylist(), ENTRY), settings)

    entries = passages.select("passage", "information", "words").mapInArrow(
        map_side, "block int, entries binary"
    )
    return entries.groupBy("block").applyInArrow(reduce_side, "u long, v long, full long")


def _entries(batch: pa.RecordBatch, settings: Settings, blocks: int) -> pa.RecordBatch:
    words = PassageWords(batch["words"].to_pylist(), column(batch, "information"))
    keys = words.band_keys(settings)
    count, width = keys.shape
    entries = np.empty(count * width, ENTRY)
    entries["passage"] = np.repeat(column(batch, "passage"), width)
    entries["low"] = np.repeat(words.card[:, 0], width)
    entries["high"] = np.repeat(words.card[:, 1], width)
    entries["key"] = keys.ravel()
    entries["band"] = np.tile(np.arange(width, dtype=np.uint8), count)
    # Another hash than that which orders buckets, so that a block has keys of all sizes.
    mixed = entries["key"] * np.uint32(0x9E3779B1) + entries["band"] * np.uint32(0x85EBCA6B)
    block = ((mixed.astype(np.uint32) >> np.uint32(8)) % np.uint32(blocks)).astype(np.int32)
    order = np.argsort(block, kind="stable")
    starts = np.searchsorted(block[order], np.arange(blocks + 1))
    entries = entries[order]
    used = np.flatnonzero(np.diff(starts))
    return pa.RecordBatch.from_pydict(
        {
            "block": pa.array(used.astype(np.int32)),
            "entries": pa.array(
                [entries[starts[b] : starts[b + 1]].tobytes() for b in used.tolist()], pa.binary()
            ),
        }
    )


def _pairs(entries: NDArray[np.void], settings: Settings) -> pa.Table:
    """The pairs of one block, band by band."""
    jaccard = LEAST_AGREEMENT * settings.sensitivity
    order = np.argsort(entries["band"], kind="stable")
    starts = np.searchsorted(entries["band"][order], np.arange(256 + 1))
    ones, twos, full = [], [], 0
    for lo, hi in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        if hi - lo < 2:
            continue
        some = entries[order[lo:hi]]
        # What came first hangs on the shuffle; the order of passages does not.
        some = some[np.argsort(some["passage"], kind="stable")]
        passage = np.ascontiguousarray(some["passage"])
        card = np.stack([some["low"], some["high"]], axis=1)
        one, two, more = buckets.bucket_pairs(
            np.ascontiguousarray(some["key"]),
            unsorted(passage),
            card,
            jaccard,
            BUCKET_CAP,
            BUCKET_REPRESENTATIVES,
        )
        ones.append(np.minimum(passage[one], passage[two]))
        twos.append(np.maximum(passage[one], passage[two]))
        full += more
    none = np.empty(0, np.int64)
    u, v = np.concatenate([none, *ones]), np.concatenate([none, *twos])
    # Pairs that stay together collide in several bands of a block.
    order = np.lexsort((v, u))
    u, v = u[order], v[order]
    fresh = np.ones(len(u), bool)
    fresh[1:] = (u[1:] != u[:-1]) | (v[1:] != v[:-1])
    u, v = u[fresh], v[fresh]
    missing = np.append(np.zeros(len(u), bool), True)
    return pa.table(
        {
            "u": pa.array(np.append(u, 0), mask=missing),
            "v": pa.array(np.append(v, 0), mask=missing),
            "full": pa.array(np.append(np.zeros(len(u), np.int64), full), mask=~missing),
        }
    )


SIMILAR = "u long, v long, shared int, common int"


def similar_passages(colliding_: DataFrame, passages: DataFrame, settings: Settings) -> DataFrame:
    """Pairs ``u`` < ``v`` that prove alike, ``shared`` quarters of a bit, and ``common``: what they
    have in common of the lesser one, in weighted eighths (``candidates.common_eighths``)."""
    from pyspark.sql import functions as F  # noqa: N812

    def side(name: str) -> DataFrame:
        return passages.select(
            F.col("passage").alias(name),
            *(F.col(c).alias(f"{c}_{name}") for c in ("words", "information", "quoted")),
        )

    pairs = colliding_.where("u IS NOT NULL").select("u", "v").distinct()
    rows = pairs.join(side("u"), "u").join(side("v"), "v")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _compared(batch, settings)

    return rows.mapInArrow(work, SIMILAR)


def _compared(batch: pa.RecordBatch, settings: Settings) -> pa.RecordBatch:
    from dedup.candidates import common_eighths

    n = len(batch)
    information = np.concatenate([column(batch, "information_u"), column(batch, "information_v")])
    quoted = np.concatenate([column(batch, "quoted_u"), column(batch, "quoted_v")]) > 0
    words = PassageWords(
        [*batch["words_u"].to_pylist(), *batch["words_v"].to_pylist()], information
    )
    one, two = np.arange(n), np.arange(n, 2 * n)
    shared = buckets.compared(
        one,
        two,
        words.card,
        words.c_word,
        words.v_bits,
        LEAST_AGREEMENT * settings.sensitivity,
        LEAST_SHARED * settings.min_information * 4,
        ALIKE * settings.min_similarity,
        INSIDE,
    )
    keep = np.flatnonzero(shared)
    common = common_eighths(information, quoted, one[keep], two[keep], shared[keep])
    rows = pa.array(keep)
    return pa.RecordBatch.from_pydict(
        {
            "u": batch["u"].take(rows),
            "v": batch["v"].take(rows),
            "shared": pa.array(shared[keep]),
            "common": pa.array(common),
        }
    )
