"""Drop folders: each file is read once; and what is older than an index keeps stays out."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from dumps import ROOT

import dedup
from dedup.errors import InputError
from dedup.model import Ledger
from dedup.read.discover import discover
from dedup.read.drop import DropFolders, FileState

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = (
    (ROOT / "data" / "sample" / "articles.jsonl").read_text(encoding="utf-8").splitlines()[:12]
)


def put(path: Path, records: list[str], *, age: float = 3600.0) -> Path:
    """A file that was last changed ``age`` seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    at = time.time() - age
    os.utime(path, (at, at))
    return path


def looked_at(folder: Path, known: dict[str, FileState], settle: float = 0.0) -> DropFolders:
    files = DropFolders([str(folder)], known, settle=settle)
    found, _ = discover([str(folder)], Ledger())
    for f in found:
        files(f)
    return files


def test_a_file_is_read_once_and_again_when_it_changed(tmp_path):
    drop = tmp_path / "drop"
    put(drop / "a.jsonl", RECORDS[:4])
    index = dedup.Index.open(tmp_path / "ix", create=True)
    first = index.update(drop=drop, threads=1)
    put(drop / "b.jsonl", RECORDS[4:8])
    second = index.update(drop=drop, threads=1)
    put(drop / "a.jsonl", RECORDS[:2] + RECORDS[8:], age=60)
    third = index.update(drop=drop, threads=1)
    fourth = index.update(drop=drop, threads=1)
    assert [u.run["drop"]["read"] for u in (first, second, third, fourth)] == [1, 1, 1, 0]
    assert [u.run["drop"]["known"] for u in (first, second, third, fourth)] == [0, 1, 1, 2]
    assert [u.run["run"]["new"] for u in (first, second, third, fourth)] == [4, 4, 4, 0]
    assert not fourth.changed


def test_a_file_that_may_be_growing_waits(tmp_path):
    put(tmp_path / "old.jsonl", RECORDS, age=11)
    put(tmp_path / "young.jsonl", RECORDS, age=1)
    put(tmp_path / "future.jsonl", RECORDS, age=-86400)
    files = looked_at(tmp_path, {}, settle=10)
    assert files.waiting == [str(tmp_path / "young.jsonl")]
    assert sorted(files.taken) == [str(tmp_path / "future.jsonl"), str(tmp_path / "old.jsonl")]


def test_a_file_that_grew_while_it_was_read_is_read_again(tmp_path):
    path = put(tmp_path / "a.jsonl", RECORDS[:4])
    first = looked_at(tmp_path, {})
    with path.open("a", encoding="utf-8") as file:
        file.write(RECORDS[4])
    remembered = first.read(Ledger())
    assert list(looked_at(tmp_path, remembered).taken) == [str(path)]
    assert looked_at(tmp_path, looked_at(tmp_path, {}).read(Ledger())).known == 1


def test_files_of_other_inputs_are_always_read(tmp_path):
    put(tmp_path / "drop" / "a.jsonl", RECORDS)
    named = put(tmp_path / "named.jsonl", RECORDS, age=0)
    files = DropFolders([str(tmp_path / "drop")], {}, settle=10)
    found, _ = discover([str(named)], Ledger())
    assert [files(f) for f in found] == [True]
    assert files.taken == {}


def test_what_could_not_be_read_to_its_end_is_not_remembered(tmp_path):
    drop = tmp_path / "drop"
    put(drop / "good.jsonl", RECORDS[:4])
    (drop / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56")
    (drop / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\0")
    put(drop / "texts" / "one.txt", ["A text of its own."])
    index = dedup.Index.open(tmp_path / "ix", create=True)
    first = index.update(drop=drop, threads=1)
    assert first.run["drop"]["read"] == 4
    assert any(file["incomplete"] for file in first.run["ledger"]["files"])
    second = index.update(drop=drop, threads=1)
    assert second.run["drop"] == {"read": 2, "known": 2, "waiting": []}


def test_remembered_files_that_are_gone_are_forgotten(tmp_path):
    drop = tmp_path / "drop"
    path = put(drop / "a.jsonl", RECORDS[:4])
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(drop=drop, threads=1)
    content = path.read_bytes()
    path.unlink()
    index.update(drop=drop, threads=1)
    path.write_bytes(content)
    again = index.update(drop=drop, threads=1)
    assert again.run["drop"]["read"] == 1
    assert again.run["run"]["known"] == 4
    assert not again.changed


def test_a_missing_drop_folder_is_an_error_before_anything_happens(tmp_path):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    with pytest.raises(InputError, match="drop folder"):
        index.update(drop=tmp_path / "nowhere")
    put(tmp_path / "drop" / "a.jsonl", RECORDS[:4])
    assert index.update(drop=tmp_path / "drop", threads=1).number == 1


def dated(record: str, days: float) -> str:
    at = datetime.now(UTC) - timedelta(days=days)
    return json.dumps({**json.loads(record), "published": at.isoformat()})


def test_articles_leave_when_they_are_old_and_do_not_come_back(tmp_path):
    young, old = [dated(r, 5) for r in RECORDS[:4]], [dated(r, 95) for r in RECORDS[4:7]]
    path = put(tmp_path / "all.jsonl", young + old)
    index = dedup.Index.open(tmp_path / "ix", create=True)
    assert index.update(path, threads=1).run["run"]["new"] == 7
    second = index.update(path, keep_days=90, threads=1)
    assert second.run["run"]["removed"] == 3
    assert second.run["run"]["too_old"] == 3
    assert any("older than what is kept: 3" in w for w in second.run["ledger"]["warnings"])
    third = index.update(path, keep_days=90, threads=1)
    assert third.run["index"]["articles"] == 4
    assert not third.changed
