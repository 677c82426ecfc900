"""Memory for large arrays: the process's own, or that of temporary files.

A temporary file loses its name at once, so that its space is free again however the process
ends; its pages can be written out and dropped by the system, those of the process cannot.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import tempfile
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from typing import IO, TYPE_CHECKING, Any, TypeVar

import numpy as np

from dedup.errors import SpillError
from dedup.memory import resident_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_Arrays = TypeVar("_Arrays")
_ZEROS = bytes(2**20)
WATCH_SECONDS = 0.02
"""How often resident memory is looked at: a look takes some ten microseconds."""
FULL = 7 / 8
"""Share of the budget from which on files are relieved: more is read between two looks."""
MARGIN = 2**29
"""Bytes that are left for that at most."""
LEAST_MAPPED = 1 / 8
"""Share of the budget that files may keep in memory even where the process's own is above it:
dropping the little that is left would only have it read again."""
WORTH = 2**22
"""Bytes of an array from which it is moved to a file: smaller ones are not worth one."""


class Arena:
    """Hands out memory, all zeros, whose pages are taken one by one as they are written.

    Memory is the process's own until :meth:`spill` is called, and from then on that of temporary
    files in ``folder`` (``None``: the system's folder for these). While such files are in memory,
    a thread takes their pages out of the process whenever its resident memory comes near
    ``budget`` bytes (``None``: never).

    ``spilled`` counts the bytes that went to temporary files.
    """

    def __init__(self, budget: int | None = None, folder: str | None = None) -> None:
        self.budget = budget
        self.folder = folder or tempfile.gettempdir()
        self.spilling = False
        self.spilled = 0
        self._maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._watched = False
        self._others = 0

    def spill(self) -> None:
        """From now on, hand out memory of temporary files."""
        self.spilling = True

    def allocate(self, size: int) -> mmap.mmap:
        """``size`` bytes (at least one), given back when nothing refers to them any more.

        Raises :class:`~dedup.errors.SpillError` where the folder has no room or cannot be used, and
        ``MemoryError`` where the process gets no more.
        """
        size = max(1, size)
        if not self.spilling:
            return private_memory(size)
        with self.file() as file:
            _reserve(file, size)
            self.spilled += size
            return self.map(file, size)

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """``array`` for later: a copy in a temporary file where memory is that of files and it is
        large enough, else itself.

        Raises :class:`~dedup.errors.SpillError` as :meth:`allocate` does.
        """
        if not self.spilling or array.nbytes < max(1, WORTH):
            return array
        with self.file() as file:
            file.write(np.ascontiguousarray(array).data.cast("B"))
            file.flush()
            self.spilled += array.nbytes
            memory = self.map(file, array.nbytes)
        return np.frombuffer(memory, array.dtype).reshape(array.shape)

    def keep_all(self, arrays: _Arrays) -> _Arrays:
        """A dataclass of arrays with all of them as :meth:`keep` gives them."""
        values = {f.name: getattr(arrays, f.name) for f in fields(arrays)}  # type: ignore[arg-type]
        kept = {n: self.keep(v) for n, v in values.items() if isinstance(v, np.ndarray)}
        return replace(arrays, **kept)  # type: ignore[type-var]

    @contextmanager
    def file(self) -> Iterator[IO[bytes]]:
        """A temporary file without a name, closed in the end; what was mapped of it stays.

        Raises :class:`~dedup.errors.SpillError` where it cannot be made, or written in the block.
        """
        with self.speaking(), tempfile.TemporaryFile(dir=self.folder) as file:
            yield file

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """What goes wrong with temporary files in the block, as a ``SpillError``."""
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            reason = "there is no room left" if full else error.strerror or str(error)
            raise self._error(reason) from error

    def map(self, file: IO[bytes], size: int) -> mmap.mmap:
        """The first ``size`` bytes (at least one) of a temporary file as memory."""
        memory = mmap.mmap(file.fileno(), size)
        with self._lock:
            self._maps.add(memory)
            if self.budget is not None and not self._watched:
                found = resident_memory()
                if found is not None:
                    self._others = found.mapped
                    self._watched = True
                    threading.Thread(target=self._watch, name="memory", daemon=True).start()
        return memory

    def expect(self, size: int) -> None:
        """Make sure that ``size`` bytes more have room, where memory is that of files.

        Raises :class:`~dedup.errors.SpillError` where they have not: better now than in an hour.
        """
        if not self.spilling:
            return
        with self.speaking():
            free = shutil.disk_usage(self.folder).free
        if free < size:
            raise self._error(f"about {size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")

    def rest(self, memory: mmap.mmap) -> None:
        """Take a file's pages out of the process's memory until they are read again.

        For memory of the process, which cannot be had back, this does nothing.
        """
        if memory in self._maps:
            _advise(memory, "MADV_DONTNEED")

    def relieve(self) -> None:
        """Let all files rest if resident memory comes near the budget."""
        found = resident_memory()
        if self.budget is None or found is None:
            return
        worth = found.mapped - self._others > LEAST_MAPPED * self.budget
        full = max(FULL * self.budget, self.budget - MARGIN)
        if worth and found.private + found.mapped > full:
            with self._lock:
                held = list(self._maps)
            for memory in held:
                _advise(memory, "MADV_DONTNEED")

    def _watch(self) -> None:
        """Relieve memory now and then, as long as there are files.

        A thread of its own, so that no stage has to think of it, and kernels that walk over
        gigabytes in one call are relieved on their way.
        """
        while True:
            time.sleep(WATCH_SECONDS)
            with self._lock:
                if not self._maps:
                    self._watched = False
                    return
            self.relieve()

    def _error(self, reason: str) -> SpillError:
        return SpillError(
            f"{self.folder}: temporary files cannot be written: {reason}; name another folder "
            "(environment variable TMPDIR) or allow more memory (--memory)"
        )


def private_memory(size: int) -> mmap.mmap:
    """``size`` bytes (at least one) of the process, back with the system as soon as they are free.

    Raises ``MemoryError`` where the process gets no more.
    """
    size = max(1, size)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"{size / 1e9:.1f} GB") from error
    # A huge page would be taken whole when its first byte is written.
    _advise(memory, "MADV_NOHUGEPAGE")
    return memory


def _advise(memory: mmap.mmap, name: str) -> None:
    """Tell the system how the memory is used, where it knows such advice."""
    advice = getattr(mmap, name, None)
    if advice is not None:
        with suppress(OSError):
            memory.madvise(advice)


def _reserve(file: IO[bytes], size: int) -> None:
    """Make room on the disk now: a full disk would later kill the process on a write."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, len(_ZEROS)):
        file.write(_ZEROS[: size - start])
    file.flush()
