"""The output folder: checked before anything is read, written beside, renamed into place.

Whatever happens on the way, the folder that the user named holds either what it held before or
the whole new run.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import secrets
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dedup.errors import OutputNotEmptyError, OutputNotWritableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TABLES = (
    "articles",
    "passages",
    "matches",
    "relations",
    "groups",
    "sources",
    "near_misses",
    "rejected",
)
_SUFFIXES = ("jsonl", "parquet", "csv")
TEXTS = "texts.parquet"
RUN = "run.json"
REPORT = "report.html"
CHANGES = "changes.jsonl"
PAGES = "report"
PAGES_DATA = "data"
OUTPUTS = frozenset(
    {TEXTS, RUN, REPORT, PAGES, CHANGES, *(f"{t}.{s}" for t in TABLES for s in _SUFFIXES)}
)
"""Every file name that a run can write, and the folder :data:`PAGES`; nothing else is ever
deleted."""
_PAGE = re.compile(r"index\.html|data/[a-z]+(-[a-z]+)*(-[0-9]+)?\.js")
"""Files of the folder :data:`PAGES`."""

_STAGING = ".dedup-new-"
_ASIDE = ".dedup-old-"
_TOKEN = "?" * 8
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_staged: set[Path] = set()


def prepare_output(out: Path, overwrite: bool) -> None:
    """Check that a run can be written to ``out``; called before anything is read.

    Creates the parents of ``out``, and really creates a file where the run will be staged.
    Restores or removes what a killed run left behind.

    Raises:
        OutputNotEmptyError: ``out`` holds files and ``overwrite`` is not set, or holds files
            that are none of ours.
        OutputNotWritableError: ``out`` is a file, or nothing can be created there.
    """
    out = resolved(out)
    try:
        _recover(out)
        check_target(out, overwrite)
        place = _staging_place(out)
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"dedup")
            probe.flush()
    except OSError as error:
        raise not_writable(out, error) from error


def abandon() -> None:
    """Remove what this process has staged and not yet renamed (for a forced exit)."""
    for staging in list(_staged):
        _delete_outputs(staging)


# --- checks ---------------------------------------------------------------------------------


def resolved(out: Path) -> Path:
    """The real folder behind ``out``; ``rename`` must not replace a symbolic link."""
    return Path(os.path.realpath(out))


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but, with ``overwrite``, a whole former run."""
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputNotWritableError(f"{out}: is a file; --out takes a folder")
    names = sorted(e.name for e in out.iterdir() if not e.name.startswith(_STAGING))
    if not names:
        return
    if not overwrite:
        raise OutputNotEmptyError(
            f"{out}: the output folder is not empty; choose another one or add --overwrite"
        )
    foreign = [n for n in names if n not in OUTPUTS] + _foreign_pages(out / PAGES)
    if foreign:
        raise OutputNotEmptyError(
            f"{out}: holds {foreign[0]!r}, which dedup did not write; --overwrite replaces only "
            "folders that hold nothing but a former run"
        )
    if RUN not in names:
        # A folder of the user's own `articles.jsonl` looks like ours but for this file.
        raise OutputNotEmptyError(
            f"{out}: has no {RUN}, so it is no former run; --overwrite leaves it alone"
        )


def _staging_place(out: Path) -> Path:
    """The folder that holds the staging folder: the parent of ``out``, where renaming is one
    step; ``out`` itself where its entry cannot be replaced (mount point, working directory)."""
    if not out.is_dir():
        return out.parent
    fixed = os.path.ismount(out) or Path.cwd().is_relative_to(out)
    return out if fixed or not os.access(out.parent, os.W_OK | os.X_OK) else out.parent


def not_writable(out: Path, error: OSError) -> OutputNotWritableError:
    """An error of the system in the user's terms, with what can be done about it."""
    advice = {
        errno.ENOSPC: "the disk is full: free some space or choose another --out",
        errno.EDQUOT: "the disk quota is used up: free some space or choose another --out",
        errno.EACCES: "permission denied: choose another --out or change the permissions",
        errno.EPERM: "permission denied: choose another --out or change the permissions",
        errno.EROFS: "the file system is read-only: choose another --out",
        errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
        errno.ENAMETOOLONG: "the path is too long: choose another --out",
    }.get(error.errno or 0, error.strerror or str(error))
    return OutputNotWritableError(f"{out}: cannot be written: {advice}")


# --- staging and renaming -------------------------------------------------------------------


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A fresh folder to write to; removed at the end unless it was renamed away.

    It is held locked (``flock``), so that another process can tell a live one from the remains
    of a killed one.
    """
    place = _staging_place(out)
    place.mkdir(parents=True, exist_ok=True)
    staging = place / f"{_STAGING}{out.name}-{secrets.token_hex(4)}"
    staging.mkdir()
    _staged.add(staging)
    handle = os.open(staging, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems know no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield staging
    finally:
        _delete_outputs(staging)
        _staged.discard(staging)
        os.close(handle)


def commit(staging: Path, out: Path) -> None:
    """Put the finished staging folder in the place of ``out``, in one step where possible."""
    if staging.parent == out:
        _commit_inside(staging, out)
        return
    if not (out.is_dir() and any(out.iterdir())):
        staging.rename(out)  # POSIX: replaces an empty folder
    elif not _exchange(staging, out):
        aside = out.parent / f"{_ASIDE}{out.name}-{secrets.token_hex(4)}"
        out.rename(aside)
        try:
            staging.rename(out)
        except OSError:
            aside.rename(out)
            raise
        _delete_outputs(aside)
    sync_folder(out.parent)
    # After an exchange the staging folder is the old run; `staging` deletes it.


def _commit_inside(staging: Path, out: Path) -> None:
    """File by file, for a folder that cannot be renamed; ``run.json``, the mark of a whole run,
    goes first and comes back last."""
    (out / RUN).unlink(missing_ok=True)
    new = {entry.name for entry in staging.iterdir()}
    _delete_pages(out / PAGES)
    for name in sorted(OUTPUTS - new - {PAGES}):
        (out / name).unlink(missing_ok=True)
    for name in sorted(new - {RUN}):
        (staging / name).replace(out / name)
    (staging / RUN).replace(out / RUN)
    sync_folder(out)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step (Linux ``renameat2``); ``False`` where that is unknown."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    result: int = rename(
        _AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), ctypes.c_uint(_RENAME_EXCHANGE)
    )
    return result == 0


def _recover(out: Path) -> None:
    """Tidy up after a killed run: put back a run that was moved aside, remove dead staging."""
    places = {out.parent, out} if out.is_dir() else {out.parent}
    for place in (p for p in places if p.is_dir()):
        for aside in sorted(place.glob(f"{_ASIDE}{_glob_safe(out.name)}-{_TOKEN}")):
            if out.exists():
                _delete_outputs(aside)
            else:
                aside.rename(out)
        for staging in sorted(place.glob(f"{_STAGING}{_glob_safe(out.name)}-{_TOKEN}")):
            if not _is_locked(staging):
                _delete_outputs(staging)


def _glob_safe(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _is_locked(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _delete_outputs(folder: Path) -> None:
    """Delete a folder of ours, file by known file: a foreign file in it keeps it alive."""
    with suppress(OSError):
        _delete_pages(folder / PAGES)
        for name in OUTPUTS - {PAGES}:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _page_files(pages: Path) -> list[str]:
    """What a folder of pages holds, as paths below it; links are not followed."""
    found = []
    for below, folders, names in os.walk(pages):
        place = Path(below)
        links = [name for name in folders if (place / name).is_symlink()]
        found += [(place / name).relative_to(pages).as_posix() for name in [*names, *links]]
    return sorted(found)


def _foreign_pages(pages: Path) -> list[str]:
    return [f"{PAGES}/{name}" for name in _page_files(pages) if not _PAGE.fullmatch(name)]


def _delete_pages(pages: Path) -> None:
    if pages.is_symlink() or not pages.is_dir():
        return
    for name in _page_files(pages):
        if _PAGE.fullmatch(name):
            (pages / name).unlink()
    for folder in (pages / PAGES_DATA, pages):
        with suppress(FileNotFoundError):
            folder.rmdir()


def write_pages(pages: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write the files of a folder of pages, given by their paths below it, and force them to the
    disk."""
    (pages / PAGES_DATA).mkdir(parents=True)
    for name, content in files:
        write_bytes(pages / name, content)
    for folder in (pages / PAGES_DATA, pages):
        sync_folder(folder)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file and force it to the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, where the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(handle)
    finally:
        os.close(handle)
