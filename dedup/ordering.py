"""The texts of a run, brought into order with hardly more memory than they take."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arena import Arena

if TYPE_CHECKING:
    import mmap

    from numpy.typing import NDArray


class TextPile:
    """Texts as they come, until their order is known.

    They are put on heaps by what is known of their order. When they are brought into order, each
    heap is freed before the next one, and fills one stretch of the result, whose pages take memory
    only when they are written: so that both together stay little above one copy.

    In the process's memory up to ``limit`` bytes (``None``: however many); from there on all of
    them are in temporary files below ``folder``.
    """

    def __init__(self, limit: int | None = None, folder: str | None = None) -> None:
        self._limit = limit
        self._folder = folder or tempfile.gettempdir()
        self._arena = Arena()
        self._heaps: dict[int, list[_Part]] = defaultdict(list)
        self._count = 0
        self.bytes = 0

    def add(self, texts: pa.LargeStringArray, heap: NDArray[np.int64]) -> None:
        """Put texts on the pile; they are numbered in the order in which they come.

        ``heap`` int64 (texts,): a number for each, the same for texts that will stand together.

        Raises :class:`~dedup.errors.SpillError` where temporary files cannot be written.
        """
        sizes = _sizes(texts)
        for name in np.unique(heap).tolist():
            rows = np.flatnonzero(heap == name)
            part = _Part(self._copy(texts, rows, sizes[rows]), rows + self._count)
            self._heaps[name].append(part)
        self._count += len(texts)
        self.bytes += int(sizes.sum())
        within = self._limit is None or self.bytes <= self._limit
        if not within and self._arena.folder is None:
            self._arena = Arena(self._folder)
            for parts in self._heaps.values():
                for i, (held, rows) in enumerate(parts):
                    parts[i] = _Part(self._copy(held, np.arange(len(held)), _sizes(held)), rows)

    def _copy(
        self, texts: pa.LargeStringArray, rows: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> pa.LargeStringArray:
        """Some texts, of ``sizes`` bytes, in memory of their own, which is free when they are."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes, out=offsets[1:])
        memory = self._arena.allocate(int(offsets[-1]))
        _move(texts, rows, offsets[:-1], memory)
        self._arena.rest(memory)
        return _strings(offsets, memory)

    def ordered(self, rows: NDArray[np.int64]) -> pa.LargeStringArray:
        """The texts ``rows`` (int64) as one array, in that order; the pile is used up."""
        sizes = np.zeros(self._count, np.int64)
        for part in chain.from_iterable(self._heaps.values()):
            sizes[part.rows] = _sizes(part.texts)
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes[rows], out=offsets[1:])
        place = np.full(self._count, -1)
        place[rows] = offsets[:-1]
        memory = self._arena.allocate(int(offsets[-1]))
        while self._heaps:
            _, parts = self._heaps.popitem()
            for part in parts:
                wanted = np.flatnonzero(place[part.rows] >= 0)
                _move(part.texts, wanted, place[part.rows[wanted]], memory)
            del parts, part
            self._arena.rest(memory)
        self._count = 0
        return _strings(offsets, memory)


class _Part(NamedTuple):
    """Texts of one heap and their numbers."""

    texts: pa.LargeStringArray
    rows: NDArray[np.int64]


def _strings(offsets: NDArray[np.int64], memory: mmap.mmap) -> pa.LargeStringArray:
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(memory)
    )


def _offsets(part: pa.LargeStringArray) -> NDArray[np.int64]:
    buffer = part.buffers()[1]
    if buffer is None or not len(part):
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64)[part.offset : part.offset + len(part) + 1]


def _sizes(part: pa.LargeStringArray) -> NDArray[np.int64]:
    return np.diff(_offsets(part))


def _move(
    texts: pa.LargeStringArray,
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    memory: mmap.mmap,
) -> None:
    """Copy the texts ``rows`` to the bytes of ``memory`` from ``places`` on."""
    buffer = texts.buffers()[2]
    if buffer is None:
        return
    offsets = _offsets(texts)
    spans = zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), places.tolist(), strict=True)
    with memoryview(buffer).cast("B") as source, memoryview(memory) as target:
        for start, end, place in spans:
            target[place : place + end - start] = source[start:end]
