"""The texts of a run, brought into order with hardly more memory than they take."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ordered_texts(parts: list[pa.LargeStringArray], rows: NDArray[np.int64]) -> pa.LargeStringArray:
    """The texts ``rows`` (int64, numbered over all ``parts``) as one array, in that order.

    Empties ``parts``: each part is moved and freed before the next one, and pages of the result
    take memory only when they are written, so that both together stay little above one copy.
    """
    starts = np.cumsum([0, *(len(part) for part in parts)])
    sizes = np.concatenate([np.empty(0, np.int64), *(_sizes(part) for part in parts)])
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(sizes[rows], out=offsets[1:])
    result = _memory(int(offsets[-1]))
    by_row = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[by_row], starts).tolist()
    with memoryview(result) as target:
        for number in range(len(parts)):
            places = by_row[bounds[number] : bounds[number + 1]]
            _move(parts[number], rows[places] - starts[number], offsets[places], target)
            parts[number] = None
    parts.clear()
    return pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(result))


def _offsets(part: pa.LargeStringArray) -> NDArray[np.int64]:
    buffer = part.buffers()[1]
    if buffer is None or not len(part):
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64)[part.offset : part.offset + len(part) + 1]


def _sizes(part: pa.LargeStringArray) -> NDArray[np.int64]:
    return np.diff(_offsets(part))


def _move(
    part: pa.LargeStringArray,
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    target: memoryview,
) -> None:
    """Copy the texts ``rows`` of ``part`` to the bytes from ``places`` on."""
    buffer = part.buffers()[2]
    if buffer is None:
        return
    offsets = _offsets(part)
    with memoryview(buffer).cast("B") as source:
        spans = zip(
            offsets[rows].tolist(), offsets[rows + 1].tolist(), places.tolist(), strict=True
        )
        for start, end, place in spans:
            target[place : place + end - start] = source[start:end]


def _memory(size: int) -> mmap.mmap:
    """Zeroed memory in pages that are taken one by one, as they are written."""
    memory = mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory
