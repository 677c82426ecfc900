"""Blocks of bands: all passages in one task, which joins some bands as the local engine does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.candidates import common_eighths, numbers_of
from dedup.engines.spark.batches import records_by_chunk, records_in, unsorted
from dedup.engines.spark.packed import HELD, WORD
from dedup.joining import BANDS_AT_ONCE, Join, Words, merged_pairs
from dedup.kernels.buckets import places_among
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.config import Settings


def bands_of(block: int, blocks: int, settings: Settings) -> tuple[int, int]:
    """The first band of a block of bands, and the one after its last."""
    bands_ = scheme(settings).bands
    return block * bands_ // blocks, (block + 1) * bands_ // blocks


def pairs_of_bands(passages: pa.Table, some: tuple[int, int], settings: Settings) -> pa.Table:
    """The pairs of ``passages`` (``packed.PASSAGES``) that the bands from ``some[0]`` to before
    ``some[1]`` find (:func:`as_table`)."""
    rows = records_in(passages, "held", HELD)
    every = np.arange(len(rows))
    pairs, shared = np.empty(0, np.uint64), np.empty(0, np.int32)
    # A task has one core.
    with Join(_numbered(rows, passages), every, np.ones(len(rows), bool), settings, 1) as join:
        for first in range(*some, BANDS_AT_ONCE):
            found, _, _ = join.bands(first, min(BANDS_AT_ONCE, some[1] - first))
            pairs, shared = merged_pairs((pairs, shared), found)
    return as_table(rows, *numbers_of(pairs), shared, join.full)


def _numbered(rows: NDArray[np.void], passages: pa.Table) -> Words:
    """The passages ``rows`` (``packed.HELD``) of a table; its words have numbers in the order of
    hashes.

    All words of a task are most of what it holds, so they are looked at where they lie.
    """
    start = np.append(0, np.cumsum(rows["words"], dtype=np.int64))
    words = partial(records_by_chunk, passages, "words", WORD)
    known = np.unique(
        np.concatenate([np.empty(0, np.uint64), *(np.unique(some["hash"]) for some in words())])
    )
    number, bits = np.empty(start[-1], np.int32), np.empty(len(known), np.uint8)
    end = 0
    for some in words():
        begin, end = end, end + len(some)
        number[begin:end] = places_among(np.array(some["hash"]), known)
        bits[number[begin:end]] = some["bits"]
    return Words(
        start,
        np.ascontiguousarray(rows["information"]),
        unsorted(np.ascontiguousarray(rows["passage"])),
        number,
        known,
        bits,
    )


def as_table(
    own: NDArray[np.void],
    one: NDArray[np.int64],
    two: NDArray[np.int64],
    shared: NDArray[np.int32],
    full: int,
) -> pa.Table:
    """Pairs ``one``, ``two`` of the passages ``own`` with what they have in common (columns of
    ``similar.SIMILAR``); in a last row, how many buckets were ``full``."""
    information = np.ascontiguousarray(own["information"])
    common = common_eighths(information, own["quoted"] > 0, one, two, shared)
    u, v = own["passage"][one], own["passage"][two]
    missing = np.append(np.zeros(len(u), bool), True)
    full_ = np.append(np.zeros(len(u), np.int64), full)
    return pa.table(
        {
            "u": pa.array(np.append(np.minimum(u, v), 0), mask=missing),
            "v": pa.array(np.append(np.maximum(u, v), 0), mask=missing),
            "shared": pa.array(np.append(shared, np.int32(0)), mask=missing),
            "common": pa.array(np.append(common, np.int32(0)), mask=missing),
            "full": pa.array(full_, mask=~missing),
        }
    )
