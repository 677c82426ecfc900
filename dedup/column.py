"""An array that grows batch by batch, in memory or in a temporary file."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.arena import Arena


class Column:
    """Batches of one dtype, one after another.

    They are kept as they come until the arena spills; then all of them are written to one
    temporary file, which is mapped in the end.
    """

    def __init__(self, arena: Arena, dtype: Any) -> None:
        self._arena = arena
        self._dtype = np.dtype(dtype)
        self._held: list[NDArray[Any]] = []
        self._lengths: list[int] = []
        self._file: IO[bytes] | None = None

    def append(self, batch: NDArray[Any]) -> None:
        """Add a batch, contiguous and of this column's dtype; it is not copied while in memory.

        Raises :class:`~dedup.errors.SpillError` where the temporary file cannot be written.
        """
        self._lengths.append(len(batch))
        self._held.append(batch)
        if self._arena.spilling:
            self._write()

    def _write(self) -> None:
        with self._arena.speaking():
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._arena.folder)  # noqa: SIM115
            for batch in self._held:
                if len(batch):
                    self._file.write(batch.data.cast("B"))
                    self._arena.spilled += batch.nbytes
        self._held.clear()

    def parts(self) -> list[NDArray[Any]]:
        """The batches as they came; the column is used up."""
        if self._file is None:
            held, self._held = self._held, []
            return held
        return np.split(self.whole(), np.cumsum(self._lengths)[:-1])

    def whole(self) -> NDArray[Any]:
        """All batches as one array, writable; the column is used up."""
        if self._file is None:
            held, self._held = self._held, []
            if len(held) == 1:
                return held[0]
            return np.concatenate(held) if held else np.empty(0, self._dtype)
        size = sum(self._lengths) * self._dtype.itemsize
        with self._arena.speaking(), self._file as file:
            file.flush()
            self._file = None
            if not size:
                return np.empty(0, self._dtype)
            return np.frombuffer(self._arena.map(file, size), self._dtype)
