"""Between Spark's rows and the flat arrays of the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.collection import Collection, collect
from dedup.errors import InternalError
from dedup.memory import release_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SIGN = np.uint64(1 << 63)


def sortable(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Keys (uint64) as int64 in the same order, since Spark knows no unsigned numbers."""
    return (keys ^ SIGN).view(np.int64)


def unsorted(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """What :func:`sortable` was given."""
    return values.view(np.uint64) ^ SIGN


def column(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[Any]:
    """A column without nulls as an array.

    A copy: Arrow's memory is read-only, for which kernels would be compiled once more.
    """
    found = table[name]
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return np.array(found.to_numpy(zero_copy_only=False))


def ragged(table: pa.Table | pa.RecordBatch, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """A column of lists without nulls as ``(start int64 (rows + 1), values)``."""
    found = table[name]
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    sizes = np.zeros(len(found) + 1, np.int64)
    lengths = found.value_lengths().to_numpy(zero_copy_only=False)
    np.cumsum(lengths, out=sizes[1:])
    return sizes, np.array(found.flatten().to_numpy(zero_copy_only=False))


def lists(start: NDArray[np.int64], values: Any, kind: pa.DataType) -> pa.ListArray:
    """A column of lists from their starts and values."""
    return pa.ListArray.from_arrays(pa.array(start, pa.int32()), pa.array(values, kind))


def records_of(blobs: Sequence[bytes], kind: np.dtype[Any]) -> NDArray[Any]:
    """Rows of a structured type that were handed on as bytes (an array of its own)."""
    return np.frombuffer(bytearray().join(blobs), kind)


def records_by_chunk(
    table: pa.Table | pa.RecordBatch, name: str, kind: np.dtype[Any]
) -> Iterator[NDArray[Any]]:
    """Rows of a structured type that a column without nulls has as bytes, a chunk of it at a time:
    Arrow's own memory, read-only. Raises :class:`~dedup.errors.InternalError` for nulls."""
    found = table[name]
    for chunk in found.chunks if isinstance(found, pa.ChunkedArray) else [found]:
        if not len(chunk):
            continue
        if chunk.null_count:
            raise InternalError(f"the column '{name}' lacks values; please report")
        _, ends, data = chunk.buffers()
        wide = np.int64 if pa.types.is_large_binary(chunk.type) else np.int32
        at = np.frombuffer(ends, wide)[[chunk.offset, chunk.offset + len(chunk)]]
        first, last = at.tolist()
        yield np.frombuffer(memoryview(data)[first:last] if last > first else b"", kind)


def records_in(table: pa.Table | pa.RecordBatch, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
    """All that :func:`records_by_chunk` gives, as an array of its own."""
    return np.concatenate([np.empty(0, kind), *records_by_chunk(table, name, kind)])


def collected(texts: pa.Array | pa.ChunkedArray) -> Collection:
    """The collection of a batch of texts, in their order."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return collect(texts.cast(pa.large_string()))


def tidied(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; memory that a batch took is back with the system before the next one."""
    for batch in batches:
        yield batch
        release_memory()
