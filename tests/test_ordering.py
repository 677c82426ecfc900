"""The texts of a run in order: in memory or in a temporary file, always the same."""

from __future__ import annotations

import errno
import os

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arena import Arena
from dedup.config import ReadSettings
from dedup.errors import SpillError
from dedup.model import Ledger
from dedup.ordering import TextPile
from dedup.pipeline import read_corpus

PARTS = st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=4)


@given(PARTS, st.sampled_from([None, 0, 7]), st.data())
def test_any_rows_in_any_order(parts, limit, data):
    texts = [text for part in parts for text in part]
    rows = data.draw(st.permutations(range(len(texts))))
    rows = rows[: data.draw(st.integers(0, len(rows)))]
    pile = TextPile(limit)
    for part in parts:
        # A slice of a larger array, as Arrow hands them on.
        array = pa.array(["before", *part, "after"], pa.large_string()).slice(1, len(part))
        pile.add(array, np.array([len(text) % 3 for text in part], np.int64))
    assert pile.bytes == sum(len(text.encode()) for text in texts)
    found = pile.ordered(np.array(rows, np.int64))
    found.validate(full=True)
    assert found.to_pylist() == [texts[row] for row in rows]


def test_nothing_of_a_temporary_file_is_left_behind(tmp_path):
    pile = TextPile(0, str(tmp_path))
    pile.add(pa.array(["harbour", "storm"], pa.large_string()), np.array([0, 1]))
    assert list(tmp_path.iterdir()) == []
    found = pile.ordered(np.array([1, 0]))
    assert list(tmp_path.iterdir()) == []
    del pile
    assert found.to_pylist() == ["storm", "harbour"]


def test_a_full_disk_is_said_with_what_to_do(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SpillError, match=r"no room for 0\.0 GB; name another folder .*TMPDIR"):
        Arena(str(tmp_path)).allocate(10)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(SpillError, match="missing: temporary files cannot be written"):
        Arena(str(tmp_path / "missing")).allocate(10)


def test_systems_without_reservation_fill_the_file(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    memory = Arena(str(tmp_path)).allocate(3_000_000)
    assert len(memory) == 3_000_000
    assert memory[-1] == 0


def test_a_corpus_is_the_same_from_memory_and_from_a_file(tmp_path):
    lines = [f'{{"id": "{n}", "text": "Storm {n % 7} over harbour é"}}\n' for n in range(50)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    one = read_corpus([str(path)], ReadSettings(), Ledger())
    two = read_corpus([str(path)], ReadSettings(), Ledger(), text_limit=0)
    assert one.texts.equals(two.texts)
    assert one.table.equals(two.table)
    assert one.node.tolist() == two.node.tolist()
    assert len(one.texts) == 7


def test_more_than_the_process_gets_is_a_memory_error():
    with pytest.raises(MemoryError):
        Arena().allocate(2**62)
