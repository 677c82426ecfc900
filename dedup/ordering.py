"""The texts of a run, brought into order with hardly more memory than they take."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.arena import Arena

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TextPile:
    """Texts as they come, until their order is known.

    In the process's memory up to ``limit`` bytes (``None``: however many); from there on all of
    them are in temporary files below ``folder``.
    """

    def __init__(self, limit: int | None = None, folder: str | None = None) -> None:
        self._limit = limit
        self._folder = folder or tempfile.gettempdir()
        self._arena = Arena()
        self._parts: list[pa.LargeStringArray] = []
        self.bytes = 0

    def add(self, part: pa.LargeStringArray) -> None:
        """Put texts on the pile; they are numbered in the order in which they come.

        Raises :class:`~dedup.errors.SpillError` where temporary files cannot be written.
        """
        self.bytes += int(_sizes(part).sum())
        self._parts.append(part)
        if self._arena.folder is not None:
            self._spill(len(self._parts) - 1)
        elif self._limit is not None and self.bytes > self._limit:
            self._arena = Arena(self._folder)
            for number in range(len(self._parts)):
                self._spill(number)

    def _spill(self, number: int) -> None:
        rows = np.arange(len(self._parts[number]))
        self._parts[number] = self._moved([self._parts[number]], rows)

    def ordered(self, rows: NDArray[np.int64]) -> pa.LargeStringArray:
        """The texts ``rows`` (int64) as one array, in that order; the pile is used up.

        Each part is moved and freed before the next one, and pages of the result take memory only
        when they are written, so that both together stay little above one copy.
        """
        parts, self._parts = self._parts, []
        return self._moved(parts, rows)

    def _moved(
        self, parts: list[pa.LargeStringArray], rows: NDArray[np.int64]
    ) -> pa.LargeStringArray:
        """The texts ``rows``, numbered over all ``parts``, as one array; empties ``parts``."""
        starts = np.cumsum([0, *(len(part) for part in parts)])
        sizes = np.concatenate([np.empty(0, np.int64), *(_sizes(part) for part in parts)])
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes[rows], out=offsets[1:])
        memory = self._arena.allocate(int(offsets[-1]))
        by_row = np.argsort(rows, kind="stable")
        bounds = np.searchsorted(rows[by_row], starts).tolist()
        parts.reverse()
        with memoryview(memory) as target:
            for number in range(len(parts)):
                places = by_row[bounds[number] : bounds[number + 1]]
                _move(parts.pop(), rows[places] - starts[number], offsets[places], target)
        self._arena.rest(memory)
        return pa.LargeStringArray.from_buffers(
            len(rows), pa.py_buffer(offsets), pa.py_buffer(memory)
        )


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
