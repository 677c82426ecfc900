"""From the inputs a user names to the regular files behind them, in a fixed order."""

# Names may be no valid Unicode and there may be 100,000 of them: plain strings, not Path.
# ruff: noqa: PTH112, PTH116, PTH119, PTH120, PTH206, PTH207

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from dedup.errors import InputError
from dedup.model import Ledger, Reject
from dedup.read.datasets import left_out
from dedup.read.patterns import Deep, deep, takes_in
from dedup.read.remote import find, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN = "-"
_ANY_NAME = "\0"  # which no part of a pattern matches but * and **


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
    elif (pattern := deep(given)) is not None:
        folders: list[str] = []
        files = [path for path, _ in _below(pattern, Ledger(), folders)]
        yield from map(os.path.realpath, chain(folders, files))
    elif glob.has_magic(given):
        yield from map(os.path.realpath, glob.iglob(given))


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
    root = _fixed_part(given)
    group = readable(given)
    files: list[Found] = []

    def add(path: str, size: int) -> None:
        text_id = readable(os.path.relpath(path, root)).replace(os.sep, "/")
        files.append(Found(path, readable(path), text_id, group, size))

    if (pattern := deep(given)) is not None:
        for path, size in sorted(_below(pattern, ledger, [])):
            add(path, size)
        if not files:
            ledger.warnings.append(f"{group}: no file matches the pattern")
        return files
    matches = sorted(glob.glob(given))
    if not matches:
        ledger.warnings.append(f"{group}: no file matches the pattern")
    for match in matches:
        info = _stat(match)
        if isinstance(info, OSError):
            _skip(ledger, match, _broken(info))
        elif stat.S_ISDIR(info.st_mode):
            files += _folder(match, ledger, hidden)
        elif stat.S_ISREG(info.st_mode):
            add(match, info.st_size)
        else:
            _skip(ledger, match, f"is {_kind(info.st_mode)}, not a file")
    return files


def _below(pattern: Deep, ledger: Ledger, folders: list[str]) -> Iterator[tuple[str, int]]:
    """Yield ``(path, size)`` of the files that a pattern with ``**`` takes in.

    ``folders`` is filled with the folders that it takes in, or a new file of any name in them.
    """
    above: dict[tuple[int, int], str] = {}
    for top in sorted(glob.glob(pattern.above)) if pattern.above else [os.curdir]:
        if os.path.isdir(top) and (known := above.setdefault(_identity(top), top)) != top:
            _skip(ledger, top, f"is the folder {readable(known)}, which is read")
    entered = set(above)
    for top in above.values():
        visited: list[str] = []
        walk = _walk(top, ledger, entered, with_hidden=pattern.hidden, visited=visited)
        for path, size in walk:
            if takes_in(pattern.parts, os.path.relpath(path, top).split(os.sep)):
                yield (path if pattern.above else os.path.normpath(path)), size
        for folder in visited:
            names = os.path.relpath(folder, top).split(os.sep) if folder != top else []
            if takes_in(pattern.parts, [*names, _ANY_NAME]):
                folders.append(folder)


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
    for path, size in _walk(root, ledger, {_identity(root)}, hidden=hidden):
        text_id = readable(os.path.relpath(path, root)).replace(os.sep, "/")
        files.append(Found(path, readable(path), text_id, group, size))
    files.sort(key=lambda found: found.text_id)
    return files


def _walk(
    root: str,
    ledger: Ledger,
    above: set[tuple[int, int]],
    *,
    hidden: dict[str, int] | None = None,
    with_hidden: bool = False,
    visited: list[str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Yield ``(path, size)`` of the regular files below ``root``.

    ``above`` are the folders that are already being read, or were reached through a link. What is
    hidden is counted in ``hidden``, and passed over but for ``with_hidden``; the folders that were
    listed are added to ``visited``.
    """
    pending = [root]
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
        if visited is not None:
            visited.append(folder)
        unlisted = left_out(folder, (entry.name for entry in entries))
        for entry in entries:
            if entry.name.startswith(".") and not with_hidden:
                if hidden is not None:
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
