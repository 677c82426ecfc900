"""The lock of an index: one owner, and one clear error where it cannot be taken."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from dedup.errors import IndexWriteError, LockedError
from dedup.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def failing(number: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = Lock(tmp_path), Lock(tmp_path)
    first.take()
    with pytest.raises(LockedError, match=f"process {os.getpid()} on "):
        second.take()
    first.release()
    second.take()
    second.release()


def test_an_owner_that_cannot_be_read_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Lock(tmp_path)
    first.take()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", failing(errno.EIO))
        with pytest.raises(LockedError, match="unknown"):
            Lock(tmp_path).take()
    first.release()


@pytest.mark.parametrize("call", ["open", "pwrite", "ftruncate"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_what_cannot_be_written_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    lock = Lock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(IndexWriteError, match="cannot be written"):
            lock.take()
    lock.take()  # nothing holds it
    lock.release()


@pytest.mark.parametrize("folder", ["missing", "file/inside"])
def test_a_folder_that_is_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexWriteError, match="cannot be written"):
        Lock(tmp_path / folder).take()


def test_a_full_disk_does_not_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock(tmp_path)
    lock.take()
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", failing(errno.ENOSPC))
        lock.release()
    Lock(tmp_path).take()
