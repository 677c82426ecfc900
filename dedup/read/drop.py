"""Drop folders: files are put there from time to time, and each is read once.

A file is known by its path, size and time of change; one that changed is read again. One that
changed a moment ago may still be growing, and waits for the next run.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.errors import InputError
from dedup.read.discover import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dedup.model import Ledger
    from dedup.read.discover import Found


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is recognised by: its size in bytes, and when it was changed (nanoseconds since
    1970)."""

    size: int
    modified: int


class DropFolders:
    """Says which files of some folders are read in this run, and remembers what it said.

    ``taken`` are the files to read, by their absolute path, as they were when the run looked at
    them; ``waiting`` those that changed less than ``settle`` seconds ago; ``known`` how many have
    not changed since a former run read them.
    """

    def __init__(
        self, folders: Sequence[str], remembered: Mapping[str, FileState], *, settle: float = 0.0
    ) -> None:
        """``remembered``: files that former runs read, by absolute path.

        Raises :class:`~dedup.errors.InputError` when one of the folders is none.
        """
        for folder in folders:
            if not os.path.isdir(folder):  # noqa: PTH112 - names may be no valid Unicode
                raise InputError(f"{readable(folder)}: the drop folder is no folder, or is missing")
        self.taken: dict[str, FileState] = {}
        self.waiting: list[str] = []
        self.known = 0
        self._groups = {readable(folder) for folder in folders}
        self._remembered = remembered
        self._settle = int(settle * 1e9)
        self._now = time.time_ns()
        self._files: dict[str, Found] = {}

    def __call__(self, found: Found) -> bool:
        """Whether a file is to be read; those of other inputs always are."""
        if found.group not in self._groups or found.path is None:
            return True
        try:
            info = os.stat(found.path)  # noqa: PTH116
        except OSError:
            return True  # gone since it was listed: reading it says so
        path = _absolute(found.path)
        state = FileState(info.st_size, info.st_mtime_ns)
        if self._remembered.get(path) == state:
            self.known += 1
            return False
        # A time in the future is that of a clock which was set back since: no reason to wait.
        if abs(self._now - state.modified) < self._settle:
            self.waiting.append(found.name)
            return False
        self.taken[path] = state
        self._files[path] = found
        return True

    def read(self, ledger: Ledger) -> dict[str, FileState]:
        """The files that were read to their end, by absolute path.

        What is damaged, could not be opened or is of no known format is read again next time.
        """
        own = {entry.file for entry in ledger.files}
        damaged = {entry.file for entry in ledger.files if entry.incomplete}
        damaged |= {skipped.file for skipped in ledger.skipped} | ledger.unknown
        out = {}
        for path, state in self.taken.items():
            found = self._files[path]
            # Text files of a folder share one entry.
            entry = found.name if found.name in own | damaged else found.group
            if entry not in damaged:
                out[path] = state
        return out

    def forgotten(self) -> list[str]:
        """Remembered files that are no longer there."""
        return [path for path in self._remembered if not os.path.lexists(path)]


def _absolute(path: str) -> str:
    return readable(os.path.abspath(path))  # noqa: PTH100
