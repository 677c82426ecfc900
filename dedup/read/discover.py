"""From the inputs a user names to the regular files behind them, in a fixed order."""

# Names may be no valid Unicode and there may be 100,000 of them: plain strings, not Path.
# ruff: noqa: PTH116, PTH119, PTH120, PTH207

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.errors import InputError
from dedup.model import Ledger, Reject
from dedup.read.datasets import left_out
from dedup.read.remote import find, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file to read (``path`` is ``None`` for standard input, or a member of an archive).

    With ``remote`` the path is an address. ``name`` and ``text_id`` are always valid Unicode;
    ``group`` is the folder or pattern that the file came from, ``""`` when it was named itself.
    """

    path: str | None
    name: str
    text_id: str
    group: str
    size: int
    remote: bool = False

    @property
    def local(self) -> str | None:
        """The path, where the file can be opened by it."""
        return None if self.remote else self.path


def discover(inputs: Sequence[str], ledger: Ledger) -> tuple[list[Found], dict[str, int]]:
    """Expand ``inputs``: files, folders, patterns, addresses, ``-``.

    Returns the files, and for every folder named the number of hidden entries left out. What
    is neither file nor folder goes to ``ledger.skipped``, empty folders and patterns without
    a match to ``ledger.warnings``. Raises :class:`~dedup.errors.InputError` for a path that
    does not exist or a folder that cannot be listed.
    """
    files: list[Found] = []
    hidden: dict[str, int] = {}
    for given in inputs:
        if given == STDIN:
            files.append(Found(None, STDIN, STDIN, "", 0))
        elif is_address(given) and not os.path.lexists(given):
            files += _address(given, ledger, hidden)
        elif "\0" not in given and os.path.lexists(given):
            files += _path(given, ledger, hidden)
        elif "\0" not in given and glob.has_magic(given):
            files += _pattern(given, ledger, hidden)
        else:
            raise InputError(f"{readable(given)}: no such file or folder")
    return files, hidden


def _address(given: str, ledger: Ledger, hidden: dict[str, int]) -> list[Found]:
    found, group, left_out_here = find(given)
    if group:
        hidden[group] = hidden.get(group, 0) + left_out_here
        if not found:
            ledger.warnings.append(f"{group}: there are no files to read")
    return [Found(f.url, f.name, f.text_id, group, f.size, remote=True) for f in found]


def real_paths(given: str) -> Iterator[str]:
    """The real paths of the files and folders that one input names; none for standard input."""
    if given == STDIN or "\0" in given:
        return
    if os.path.lexists(given):
        yield os.path.realpath(given)
    elif glob.has_magic(given):
        yield from map(os.path.realpath, glob.iglob(given, recursive=True))


def claims(given: str, path: str) -> bool:
    """Whether the input ``given`` takes in ``path`` (a real path), or would if that existed.

    For commands that must not write what they read: a file or folder takes in itself, a folder
    what lies in it, a pattern what it matches.
    """
    if any(_holds(known, path) for known in real_paths(given)):
        return True
    if "\0" in given or os.path.lexists(given) or not glob.has_magic(given):
        return False
    parent, last = os.path.split(given)
    folders = list(real_paths(parent or os.curdir))
    if last == "**":
        return any(_holds(folder, path) for folder in folders)
    inside, name = os.path.split(path)
    return inside in folders and fnmatch.fnmatchcase(name, last)


def _holds(known: str, path: str) -> bool:
    """Whether ``path`` is ``known`` or lies in it (real paths)."""
    return path == known or path.startswith(known.rstrip(os.sep) + os.sep)


def readable(path: str) -> str:
    """A path as valid Unicode; a byte of a name that is not UTF-8 shows as ``\\udce9``."""
    return path.encode("utf-8", "backslashreplace").decode()


def _path(given: str, ledger: Ledger, hidden: dict[str, int]) -> list[Found]:
    info = _stat(given)
    if isinstance(info, OSError):
        if info.errno == errno.ELOOP:
            _skip(ledger, given, "a symbolic link that leads back to itself")
            return []
        raise InputError(f"{readable(given)}: cannot be read ({info.strerror})") from info
    if stat.S_ISDIR(info.st_mode):
        found = _folder(given, ledger, hidden)
        if not found:
            ledger.warnings.append(f"{readable(given)}: the folder holds no files to read")
        return found
    if not stat.S_ISREG(info.st_mode):
        _skip(ledger, given, f"is {_kind(info.st_mode)}, not a file")
        return []
    name = readable(given)
    return [Found(given, name, os.path.basename(name), "", info.st_size)]


def _pattern(given: str, ledger: Ledger, hidden: dict[str, int]) -> list[Found]:
    matches = sorted(glob.glob(given, recursive=True))
    if not matches:
        ledger.warnings.append(f"{readable(given)}: no file matches the pattern")
    root = _fixed_part(given)
    files: list[Found] = []
    for match in matches:
        info = _stat(match)
        if isinstance(info, OSError):
            _skip(ledger, match, _broken(info))
        elif stat.S_ISDIR(info.st_mode):
            if "**" not in given:  # which matches the files of the folder as well
                files += _folder(match, ledger, hidden)
        elif stat.S_ISREG(info.st_mode):
            text_id = readable(os.path.relpath(match, root)).replace(os.sep, "/")
            files.append(Found(match, readable(match), text_id, readable(given), info.st_size))
        else:
            _skip(ledger, match, f"is {_kind(info.st_mode)}, not a file")
    return files


def _fixed_part(pattern: str) -> str:
    """The folder above the first part of a pattern that has a wildcard."""
    root = pattern
    while glob.has_magic(root):
        root = os.path.dirname(root)
    return root or os.curdir


def _folder(root: str, ledger: Ledger, hidden: dict[str, int]) -> list[Found]:
    group = readable(root)
    hidden.setdefault(group, 0)
    files: list[Found] = []
    for path, size in _walk(root, root, ledger, hidden, {_identity(root)}):
        text_id = readable(os.path.relpath(path, root)).replace(os.sep, "/")
        files.append(Found(path, readable(path), text_id, group, size))
    files.sort(key=lambda found: found.text_id)
    return files


def _walk(
    root: str, folder: str, ledger: Ledger, hidden: dict[str, int], above: set[tuple[int, int]]
) -> Iterator[tuple[str, int]]:
    """Yield ``(path, size)`` of the regular files below ``folder``.

    ``above`` are the folders that are already being read, or were reached through a link.
    """
    pending = [folder]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if folder == root:
                raise InputError(
                    f"{readable(root)}: the folder cannot be listed ({error.strerror})"
                ) from error
            _skip(ledger, folder, f"the folder cannot be listed ({error.strerror})")
            continue
        unlisted = left_out(folder, (entry.name for entry in entries))
        for entry in entries:
            if entry.name.startswith("."):
                hidden[readable(root)] += 1
                continue
            if entry.name in unlisted:
                _skip(ledger, entry.path, unlisted[entry.name])
                continue
            info = _stat(entry.path)
            if isinstance(info, OSError):
                _skip(ledger, entry.path, _broken(info))
            elif stat.S_ISREG(info.st_mode):
                yield entry.path, info.st_size
            elif not stat.S_ISDIR(info.st_mode):
                _skip(ledger, entry.path, f"is {_kind(info.st_mode)}, not a file")
            elif not entry.is_symlink():
                pending.append(entry.path)
            elif (reason := _link_to_known(root, entry.path, above)) is not None:
                _skip(ledger, entry.path, reason)
            else:
                above.add((info.st_dev, info.st_ino))
                pending.append(entry.path)


def _link_to_known(root: str, link: str, known: set[tuple[int, int]]) -> str | None:
    """Why a link to a folder is not followed: it would read folders twice, or for ever."""
    target, top = os.path.realpath(link), os.path.realpath(root)
    if os.path.commonpath([target, top]) in (target, top):
        return "a symbolic link into the folder that is being read, or to one above it"
    if _identity(link) in known:
        return "a symbolic link to a folder that was read through another link"
    return None


def _identity(path: str) -> tuple[int, int]:
    info = os.stat(path)
    return info.st_dev, info.st_ino


def _stat(path: str) -> os.stat_result | OSError:
    try:
        return os.stat(path)
    except OSError as error:
        return error


def _broken(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link that leads back to itself"
    if error.errno == errno.ENOENT:
        return "a symbolic link to nothing"
    return f"cannot be read ({error.strerror})"


def _kind(mode: int) -> str:
    for test, kind in (
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return kind
    return "something else"


def _skip(ledger: Ledger, path: str, reason: str) -> None:
    ledger.skipped.append(Reject(readable(path), "", reason))
