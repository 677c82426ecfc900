"""One process at a time changes an index."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from typing import TYPE_CHECKING

from dedup.errors import LockedError
from dedup.store import not_writable, now

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "lock"


class Lock:
    """The right to change an index: held by one process, and free again when that one is dead.

    The system lets go of the lock (``flock``) when its owner ends, however it ends; what the file
    says of the owner is for people.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            LockedError: another process has it; names the owner.
            IndexWriteError: the folder cannot be written.
        """
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise not_writable(self._path.parent, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _owner(handle)
            os.close(handle)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise not_writable(self._path.parent, error) from error
            raise LockedError(
                f"{self._path.parent}: another job is changing this index ({owner or 'unknown'}); "
                "wait until it ends"
            ) from error
        self._handle = handle
        owner = f"process {os.getpid()} on {socket.gethostname()}, since {now()}"
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, owner.encode(), 0)
        except OSError as error:
            self.release()
            raise not_writable(self._path.parent, error) from error

    def release(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            try:
                # What a failing disk leaves there is for people; the system knows better.
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, 0)
            finally:
                os.close(handle)


def _owner(handle: int) -> str:
    """What an open lock says of its owner, empty where that cannot be read."""
    try:
        return os.pread(handle, 4096, 0).decode("utf-8", "replace").strip()
    except OSError:
        return ""
