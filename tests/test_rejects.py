"""Rejects: all of them are listed, in order, and memory is bounded."""

from __future__ import annotations

import errno
import json
import tempfile
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import rejects as module
from dedup.arena import Arena
from dedup.config import ReadSettings
from dedup.errors import SpillError
from dedup.model import FileLedger, Ledger, Reject, table_schemas
from dedup.read import read_articles
from dedup.read.intake import Intake, Progress
from dedup.rejects import RejectList


def reject(number: int) -> Reject:
    return Reject("a.jsonl", f"line {number}, byte {40 * number}", "not valid JSON", "x" * 200)


@given(held=st.integers(1, 5), count=st.integers(0, 23), looks=st.sets(st.integers(0, 23)))
def test_the_list_is_what_was_appended_wherever_it_is_kept(held, count, looks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD", held)
        found, expected = RejectList(Arena()), []
        for number in range(count):
            found.append(reject(number))
            expected.append(reject(number))
            if number in looks:  # it may grow after it was read
                assert list(found) == expected
        assert len(found) == count
        rows = [{name: getattr(r, name) for name in r.__slots__} for r in expected]
        assert found.table() == pa.Table.from_pylist(rows, table_schemas()["rejected"])


def test_many_rejects_take_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HELD", 1024)
    lines = 50 * module.HELD
    (tmp_path / "a.jsonl").write_bytes(b"{\n" * lines)
    arena = Arena()
    found = RejectList(arena)
    tracemalloc.start()
    try:
        batches = list(
            read_articles([str(tmp_path)], ReadSettings(), Ledger(rejects=found), batch_bytes=2**16)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batches == []
    assert len(found) == lines
    assert arena.spilled > 0
    assert peak < 12 * 2**20, "held, they would take three times as much"
    assert found.table()["position"][-1].as_py() == f"line {lines}, byte {2 * lines - 2}"


def test_outputs_are_the_same_bytes_wherever_rejects_are_kept(tmp_path, monkeypatch):
    lines = [json.dumps({"id": str(n), "text": f"Text {n}."}) if n % 3 else "no" for n in range(50)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    for name, held in (("memory", 1000), ("file", 4)):
        monkeypatch.setattr(module, "HELD", held)
        dedup.scan(tmp_path / "a.jsonl").write(tmp_path / name)
    one, two = ((tmp_path / name / "rejected.jsonl").read_bytes() for name in ("memory", "file"))
    assert one == two
    assert [json.loads(line)["position"].split(",")[0] for line in one.splitlines()] == [
        f"line {n + 1}" for n in range(0, 50, 3)
    ]


def test_no_room_for_rejects_is_said(monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(module, "HELD", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(SpillError, match="no room left"):
        RejectList(Arena()).append(reject(1))


def test_of_very_many_faults_of_a_file_the_first_are_kept():
    entry = FileLedger("a.warc")
    intake = Intake("a.warc", entry, Ledger(), ReadSettings(), Progress())
    for number in range(100_000):
        intake.incomplete(f"record {number} is damaged")
    said = entry.incomplete or ""
    assert said.startswith("record 0 is damaged; record 1 is damaged; ")
    assert said.endswith("record 19 is damaged; and 99980 more")
