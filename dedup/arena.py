"""Memory for large arrays: the process's own, or that of temporary files.

A temporary file loses its name at once, so that its space is free again however the process
ends; its pages can be written out and dropped by the system, those of the process cannot.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from contextlib import suppress
from typing import IO

from dedup.errors import SpillError

_ZEROS = bytes(2**20)


class Arena:
    """Hands out memory, all zeros, whose pages are taken one by one as they are written.

    ``folder`` is where temporary files go; ``None`` for memory of the process.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder

    def allocate(self, size: int) -> mmap.mmap:
        """``size`` bytes (at least one), given back when nothing refers to them any more.

        Raises :class:`~dedup.errors.SpillError` where the folder has no room or cannot be used, and
        ``MemoryError`` where the process gets no more.
        """
        size = max(1, size)
        if self.folder is None:
            try:
                memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            except OSError as error:
                raise MemoryError(f"{size / 1e9:.1f} GB") from error
            # A huge page would be taken whole when its first byte is written.
            _advise(memory, "MADV_NOHUGEPAGE")
            return memory
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                _reserve(file, size)
                return mmap.mmap(file.fileno(), size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                reason = f"there is no room for {size / 1e9:.1f} GB"
            else:
                reason = error.strerror or str(error)
            raise SpillError(
                f"{self.folder}: temporary files cannot be written: {reason}; name another folder "
                "(environment variable TMPDIR) or allow more memory"
            ) from error

    def rest(self, memory: mmap.mmap) -> None:
        """Take a file's pages out of the process's memory until they are read again.

        For memory of the process, which cannot be had back, this does nothing.
        """
        if self.folder is not None:
            _advise(memory, "MADV_DONTNEED")


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
