"""The texts of a run, brought into order with hardly more memory than they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arena import Arena, private_memory
from dedup.column import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TextPile:
    """Texts as they come, until their order is known.

    They are put on heaps by what is known of their order. When they are brought into order, each
    heap is freed before the next one, and fills one stretch of the result, whose pages take memory
    only when they are written: so that both together stay little above one copy.

    When there are more than ``limit`` bytes (``None``: never) ``arena`` begins to spill: each heap
    goes to a temporary file, and so does the result.
    """

    def __init__(self, arena: Arena | None = None, limit: int | None = None) -> None:
        self._arena = arena or Arena()
        self._limit = limit
        self._heaps: dict[int, _Heap] = {}
        self._count = 0
        self.bytes = 0

    def add(self, texts: pa.LargeStringArray, heap: NDArray[np.int64]) -> None:
        """Put texts on the pile; they are numbered in the order in which they come.

        ``heap`` int64 (texts,): a number for each, the same for texts that will stand together.

        Raises :class:`~dedup.errors.SpillError` where temporary files cannot be written.
        """
        offsets = _offsets(texts)
        sizes = np.diff(offsets)
        self.bytes += int(sizes.sum())
        if self._limit is not None and self.bytes > self._limit:
            self._arena.spill()
        for name in np.unique(heap).tolist():
            rows = np.flatnonzero(heap == name)
            if name not in self._heaps:
                self._heaps[name] = _Heap(Column(self._arena, np.uint8), [], [])
            part = np.frombuffer(private_memory(int(sizes[rows].sum())), np.uint8)
            part = part[: sizes[rows].sum()]
            _move(_data(texts), offsets, rows, _starts(sizes[rows])[:-1], part)
            self._heaps[name].texts.append(part)
            self._heaps[name].rows.append(rows + self._count)
            self._heaps[name].sizes.append(sizes[rows])
        self._count += len(texts)

    def ordered(self, rows: NDArray[np.int64]) -> pa.LargeStringArray:
        """The texts ``rows`` (int64) as one array, in that order; the pile is used up."""
        sizes = np.zeros(self._count, np.int64)
        for heap in self._heaps.values():
            for own, lengths in zip(heap.rows, heap.sizes, strict=True):
                sizes[own] = lengths
        offsets = _starts(sizes[rows])
        place = np.full(self._count, -1)
        place[rows] = offsets[:-1]
        memory = self._arena.allocate(int(offsets[-1]))
        target = np.frombuffer(memory, np.uint8)
        while self._heaps:
            _, heap = self._heaps.popitem()
            for part, own in zip(heap.texts.parts(), heap.rows, strict=True):
                wanted = np.flatnonzero(place[own] >= 0)
                _move(part, _starts(sizes[own]), wanted, place[own[wanted]], target)
            del heap, part
            self._arena.rest(memory)
        self._count = 0
        return pa.LargeStringArray.from_buffers(
            len(rows), pa.py_buffer(offsets), pa.py_buffer(memory)
        )


class _Heap(NamedTuple):
    """The texts of one heap, part by part: their bytes, their numbers and their sizes."""

    texts: Column
    rows: list[NDArray[np.int64]]
    sizes: list[NDArray[np.int64]]


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where texts of such sizes begin one after another, and where the last one ends."""
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


def _offsets(texts: pa.LargeStringArray) -> NDArray[np.int64]:
    buffer = texts.buffers()[1]
    if buffer is None or not len(texts):
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64)[texts.offset : texts.offset + len(texts) + 1]


def _data(texts: pa.LargeStringArray) -> NDArray[np.uint8]:
    buffer = texts.buffers()[2]
    return np.frombuffer(buffer, np.uint8) if buffer else np.empty(0, np.uint8)


def _move(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    target: NDArray[np.uint8],
) -> None:
    """Copy the texts ``rows`` of ``data`` to the bytes of ``target`` from ``places`` on."""
    spans = zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), places.tolist(), strict=True)
    source, out = data.data, target.data
    for start, end, place in spans:
        out[place : place + end - start] = source[start:end]
