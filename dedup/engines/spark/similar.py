"""Banded LSH over distinct passages, as one shuffle of band keys and words.

Each passage has 28 band keys (by default), so a row for each would be most of what a cluster does.
They travel in blocks instead: a map task writes one row for each block of keys, with the words of
the passages in it, once for each passage. A block is one group of rows; a kernel builds its
buckets and compares the passages in them at once, so that only pairs that prove alike leave it.

Where one task can hold the words of all passages, a block is some bands, and words alone are sent:
the keys follow from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.engines.spark.bandblocks import as_table, bands_of, pairs_of_bands
from dedup.engines.spark.batches import column, records_of, unsorted
from dedup.engines.spark.dealing import names_for
from dedup.engines.spark.packed import ALIKE, HELD, WORD, alike_rows, cut, values_of
from dedup.joining import ALIKE as LEAST_ALIKE
from dedup.joining import (
    BUCKET_CAP,
    BUCKET_REPRESENTATIVES,
    INSIDE,
    LEAST_AGREEMENT,
    LEAST_SHARED,
)
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
PASSAGES_A_BLOCK = 4_000_000
"""Passages that one task can join, some 1.5 GB: up to so many, each block has all passages
and some bands, and there are as few blocks as cores."""
ENTRIES_A_BLOCK = 1_500_000
"""Entries of a block where there are more passages: nearly each is of another passage."""
ROWS_AT_ONCE = 16_384
"""Passages from which a map task makes one row for each block: some 50 MB, which Spark takes from
Python as one batch."""


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
        """``blobs``: words (:data:`~dedup.engines.spark.packed.WORD`) of a passage each, or, if
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
        out = np.empty((len(self.everyone), plan.bands), np.uint32)
        bands.band_keys(
            self.everyone,
            self.p_content,
            self.c_word,
            self.mixed,
            plan.a,
            plan.b,
            plan.rows,
            out,
        )
        return out


def blocks_for(passages: int, settings: Settings, cores: int) -> int:
    """How many blocks of band keys so many distinct passages make: up to one a band where each has
    all passages."""
    bands_ = scheme(settings).bands
    if passages <= PASSAGES_A_BLOCK:
        return max(1, min(cores, bands_))
    return max(cores, bands_ + 1, -(-passages * bands_ // ENTRIES_A_BLOCK))


MET = "pairs binary, count long, full long"
"""Pairs of passages that prove alike (:data:`~dedup.engines.spark.packed.ALIKE`), how many these
are, and how many buckets were too full to compare all."""
PAIRS_A_ROW = 1_000_000


def colliding(passages: DataFrame, settings: Settings, blocks: int) -> DataFrame:
    """Pairs ``u`` < ``v`` of ``passages`` (``packed.PASSAGES``) that share a bucket and prove alike
    (:data:`MET`), once for each block.

    Up to as many ``blocks`` as bands are blocks of bands, more are blocks of keys.
    """
    from pyspark.sql import functions as F  # noqa: N812

    partitions = int(passages.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    names = names_for(blocks, partitions)
    number = {name: i for i, name in enumerate(names.tolist())}

    def by_bands(table: pa.Table) -> pa.Table:
        block = number[table["block"][0].as_py()]
        some = bands_of(block, blocks, settings)
        return _packed(pairs_of_bands(table, some, settings))

    if blocks <= scheme(settings).bands:
        every = F.explode(F.array(*(F.lit(name) for name in number))).alias("block")
        rows = passages.select("held", "words", every)
        return rows.groupBy("block").applyInArrow(by_bands, MET)

    def map_side(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for some in _spread(batch):
                rows = _entries(some, settings, blocks)
                yield rows.set_column(0, "block", pa.array(names[column(rows, "block")]))

    def by_keys(table: pa.Table) -> pa.Table:
        names = ("entries", "passages", "words")
        entries, held, words = (table[name].to_pylist() for name in names)
        return _packed(_pairs(entries, held, words, settings))

    rows = passages.select("held", "words").mapInArrow(
        map_side, "block int, entries binary, passages binary, words binary"
    )
    return rows.groupBy("block").applyInArrow(by_keys, MET)


def _packed(pairs: pa.Table) -> pa.Table:
    """The pairs of a block (columns as :data:`SIMILAR`, and ``full`` in a last row) as rows of
    :data:`MET`."""
    out = np.empty(len(pairs) - 1, ALIKE)
    for name in ALIKE.names or ():
        out[name] = column(pairs.slice(0, len(out)), name)
    starts = range(0, max(1, len(out)), PAIRS_A_ROW)
    parts = [out[start : start + PAIRS_A_ROW] for start in starts]
    full = [pairs["full"][-1].as_py(), *[0] * (len(parts) - 1)]
    return pa.table(
        {
            "pairs": pa.array([part.tobytes() for part in parts], pa.binary()),
            "count": pa.array([len(part) for part in parts], pa.int64()),
            "full": pa.array(full, pa.int64()),
        }
    )


def _spread(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Passages, some at once, a row each: ``passage``, ``information``, ``quoted``, ``words``."""
    for held, words in zip(batch["held"].to_pylist(), batch["words"].to_pylist(), strict=True):
        rows = records_of([held], HELD)
        blobs = cut(words, rows["words"].astype(np.int64) * WORD.itemsize)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            yield pa.RecordBatch.from_pydict(
                {
                    "passage": pa.array(some["passage"].copy()),
                    "information": pa.array(some["information"].copy()),
                    "quoted": pa.array(some["quoted"].astype(np.int8)),
                    "words": blobs[start : start + ROWS_AT_ONCE],
                }
            )


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
        return some.tobytes(), own[held].tobytes(), values_of(batch["words"].take(pa.array(held)))

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


class _Held:
    """The passages of a block, and the pairs that were found among them."""

    def __init__(self, own: NDArray[np.void], words: list[bytes], settings: Settings) -> None:
        self.own = own
        sizes = self.own["words"].astype(np.int64)
        self.known = PassageWords(words, np.ascontiguousarray(self.own["information"]), sizes)
        self.p_key = unsorted(np.ascontiguousarray(self.own["passage"]))
        self.rules = _rules(settings)
        self.found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]] = []
        self.full = 0

    def compare(self, keys: NDArray[np.uint32], number: NDArray[np.int64]) -> None:
        """Compare the passages ``number`` that stand in the same buckets of one band."""
        known = self.known
        one, two, more = buckets.bucket_pairs(
            keys,
            number,
            self.p_key,
            known.card,
            self.rules[0],
            BUCKET_CAP,
            BUCKET_REPRESENTATIVES,
        )
        shared = buckets.compared(one, two, known.card, known.c_hash, known.c_bits, *self.rules)
        alike = np.flatnonzero(shared)
        self.found.append((one[alike], two[alike], shared[alike]))
        self.full += more

    def pairs(self) -> pa.Table:
        """All that was found: see :func:`~dedup.engines.spark.bandblocks.as_table`."""
        return as_table(self.own, *_joined(self.found), self.full)


def _pairs(
    entries: list[bytes], passages: list[bytes], words: list[bytes], settings: Settings
) -> pa.Table:
    """The pairs of one block of keys, band by band."""
    held = _Held(records_of(passages, PASSAGE), words, settings)
    sizes = [len(blob) // PASSAGE.itemsize for blob in passages]
    every = records_of(entries, ENTRY)
    before = np.repeat(
        np.cumsum([0, *sizes[:-1]]), [len(blob) // ENTRY.itemsize for blob in entries]
    )
    number = every["passage"] + before
    order = np.argsort(every["band"], kind="stable")
    starts = np.searchsorted(every["band"][order], np.arange(256 + 1))
    for lo, hi in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        if hi - lo > 1:
            some = order[lo:hi]
            held.compare(np.ascontiguousarray(every["key"][some]), number[some])
    return held.pairs()


def _rules(settings: Settings) -> tuple[float, float, float, float]:
    """From when two passages are alike: see ``bands.shared_information``."""
    return (
        LEAST_AGREEMENT * settings.sensitivity,
        LEAST_SHARED * settings.min_information * 4,
        LEAST_ALIKE * settings.min_similarity,
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
    """The pairs of all blocks (:func:`colliding`, :data:`SIMILAR`), once for each block: ``shared``
    quarters of a bit, and ``common``: what they have in common of the lesser one, in weighted
    eighths (``candidates.common_eighths``)."""
    return alike_rows(met)


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
