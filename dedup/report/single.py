"""Single files as outputs: checked before anything is read, written beside, renamed into place."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dedup.errors import OutputNotEmptyError, OutputNotWritableError, UsageError
from dedup.read.discover import claims
from dedup.report.folder import not_writable, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_staged: set[Path] = set()


def abandon() -> None:
    """Remove what this process has staged and not yet renamed (for a forced exit)."""
    for beside in list(_staged):
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def check_file(path: Path, inputs: Sequence[str], overwrite: bool) -> None:
    """Refuse a file that cannot or must not be written; called before anything is read.

    Raises:
        OutputNotEmptyError: the file exists and ``overwrite`` is not set.
        UsageError: the file is one of the inputs, lies in one or matches a pattern among them: the
            next run would read it.
        OutputNotWritableError: it is a folder, or nothing can be created beside it.
    """
    real = Path(os.path.realpath(path))
    if real.is_dir():
        raise OutputNotWritableError(f"{path}: is a folder; name a file")
    taken = next((name for name in inputs if claims(name, str(real))), None)
    if taken is not None and os.path.realpath(taken) == str(real):
        raise UsageError(f"{path}: is one of the inputs; choose another file")
    if taken is not None:
        raise UsageError(f"{path}: lies in the input {taken}; choose a file outside")
    if real.exists() and not overwrite:
        raise OutputNotEmptyError(f"{path}: exists; choose another file or add --overwrite")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=real.parent) as probe:
            probe.write(b"dedup")
            probe.flush()
    except OSError as error:
        raise not_writable(path, error) from error


def put_files(files: Sequence[tuple[Path, Callable[[IO[bytes]], None]]]) -> None:
    """Write files, each by its function, and rename them into place when all are whole.

    On any error nothing is left behind and what stood there before stays.

    Raises :class:`~dedup.errors.OutputNotWritableError` when the system refuses.
    """
    staged: list[tuple[Path, Path]] = []
    path = files[0][0]
    try:
        for path, write in files:
            real = Path(os.path.realpath(path))
            beside = real.with_name(f".dedup-new-{secrets.token_hex(4)}")
            staged.append((beside, real))
            _staged.add(beside)
            with beside.open("wb") as handle:
                write(handle)
                handle.flush()
                os.fsync(handle.fileno())
        # The list of what went is in place before the file that lacks it.
        for beside, real in reversed(staged):
            beside.replace(real)
            sync_folder(real.parent)
    except OSError as error:
        raise not_writable(path, error) from error
    finally:
        for beside, _ in staged:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            _staged.discard(beside)


def put_bytes(path: Path, content: bytes) -> None:
    """Write one file whose content is at hand; see :func:`put_files`."""

    def write(handle: IO[bytes]) -> None:
        handle.write(content)

    put_files([(path, write)])
