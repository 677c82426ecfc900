"""A budget of memory: how it is written, and that what is spilled to disk changes nothing."""

from __future__ import annotations

import errno
import gc
import io
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from dumps import ROOT, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import dedup
from dedup import arena as arenas
from dedup import memory as process
from dedup.arena import Arena
from dedup.budget import LEAST, memory_budget, text_limit
from dedup.cli import app
from dedup.collection import as_texts, collect
from dedup.column import Column
from dedup.errors import SpillError, UsageError

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
SENTENCES = (
    "The harbour authority said that 14 freighters had been waiting for a pilot since Thursday.",
    "The storm tore three mooring buoys from their chains and damaged the northern breakwater.",
    "“We have never seen waves like these inside the basin,” the harbour master told reporters.",
    "Ferry services to the islands were suspended until the weekend, the operator said.",
    "Follow us for more stories from the coast and subscribe to our newsletter.",
    "WEXMOUTH (Reuters) - Insurers expect claims of several million for boats and moorings.",
)


def spilling(folder) -> Arena:
    arena = Arena(folder=str(folder))
    arena.spill()
    return arena


@pytest.fixture
def spill_all(monkeypatch):
    """Runs spill whatever they read, and all that they keep."""
    monkeypatch.setattr("dedup.run.text_limit", lambda _: -1)
    monkeypatch.setattr("dedup.arena.WORTH", 0)


# --- the budget ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("4GB", 4_000_000_000),
        ("4 GB", 4_000_000_000),
        ("1.5gb", 1_500_000_000),
        ("2G", 2_000_000_000),
        ("1GiB", 2**30),
        ("900mib", 900 * 2**20),
        ("1TB", 10**12),
        (600_000_000, 600_000_000),
    ],
)
def test_sizes_as_people_write_them(written, size):
    assert memory_budget(written) == size


@pytest.mark.parametrize("written", ["4 bananas", "", "4", "GB", "-4GB", "4e9", "1,5GB", True, 4.0])
def test_what_is_no_size_is_refused_with_an_example(written):
    with pytest.raises(UsageError, match=r"expected a size such as 4GB or 512MiB, got "):
        memory_budget(written)


@pytest.mark.parametrize("written", ["499MB", "1KB", 0, -1])
def test_too_small_a_budget_is_told_the_least(written):
    with pytest.raises(UsageError, match=r"too little; the least that is of use is 500MB"):
        memory_budget(written)


def test_the_default_is_half_of_the_machine(monkeypatch):
    monkeypatch.setattr("dedup.budget.machine_memory", lambda: 8 * 2**30)
    assert memory_budget(None) == 4 * 2**30
    monkeypatch.setattr("dedup.budget.machine_memory", lambda: 2**20)
    assert memory_budget(None) == LEAST


@pytest.mark.parametrize(("limit", "expected"), [("1000000\n", 10**6), ("max\n", None)])
def test_a_container_has_the_memory_of_its_group(tmp_path, monkeypatch, limit, expected):
    whole = process.machine_memory()
    group = tmp_path / "memory.max"
    group.write_text(limit)
    monkeypatch.setattr(process, "_GROUP_LIMITS", (tmp_path / "none", group))
    assert process.machine_memory() == (expected or os.sysconf("SC_PHYS_PAGES") * 2**12)
    assert process.machine_memory() <= max(whole, os.sysconf("SC_PHYS_PAGES") * 2**12)


def test_more_memory_holds_more_text():
    limits = [text_limit(memory_budget(size)) for size in ("500MB", "1GB", "4GB", "1TB")]
    assert limits == sorted(set(limits))
    assert all(0 < limit < size for limit, size in zip(limits, (5e8, 1e9, 4e9, 1e12), strict=True))


# --- arrays on disk -----------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(0, 2**40), max_size=5), max_size=5), st.integers(0, 6), st.data()
)
def test_a_column_is_the_same_in_memory_and_in_a_file(batches, spill_at, data):
    arena = Arena()
    column = Column(arena, np.int64)
    for k, batch in enumerate(batches):
        if k == spill_at:
            arena.spill()
        column.append(np.array(batch, np.int64))
    assert (arena.spilled > 0) == (spill_at < len(batches) and any(len(batch) for batch in batches))
    if data.draw(st.booleans()):
        found = [part.tolist() for part in column.parts()]
        assert found == batches
    else:
        whole = column.whole()
        assert whole.dtype == np.int64
        assert whole.flags.writeable
        assert whole.tolist() == [x for batch in batches for x in batch]


@given(st.lists(st.text(max_size=60), max_size=8), st.integers(1, 3))
def test_a_collection_is_the_same_in_memory_and_in_files(texts, threads):
    kept = collect(as_texts(texts))
    arena = Arena()
    arena.spill()
    spilled = collect(as_texts(texts), threads=threads, arena=arena)
    for name in kept.__slots__:
        one, two = getattr(kept, name), getattr(spilled, name)
        assert one.dtype == two.dtype, name
        assert one.tolist() == two.tolist(), name


def test_many_batches_are_the_same_as_one(monkeypatch, tmp_path):
    texts = [json.loads(line)["text"] for line in SAMPLE.read_text("utf-8").splitlines()]
    whole = collect(as_texts(texts))
    monkeypatch.setattr("dedup.collection.batches", lambda n: [(i, i + 1) for i in range(len(n))])
    for arena in (Arena(), spilling(tmp_path)):
        pieces = collect(as_texts(texts), threads=2, arena=arena)
        for name in ("d_passage", "d_word", "p_token", "p_content", "p_article", "p_key"):
            assert getattr(pieces, name).tolist() == getattr(whole, name).tolist(), name
        assert pieces.v_hash[pieces.t_word].tolist() == whole.v_hash[whole.t_word].tolist()


def test_nothing_of_a_temporary_file_is_left_behind(tmp_path):
    column = Column(spilling(tmp_path), np.int32)
    column.append(np.arange(5, dtype=np.int32))
    assert list(tmp_path.iterdir()) == []
    found = column.whole()
    assert list(tmp_path.iterdir()) == []
    assert found.tolist() == [0, 1, 2, 3, 4]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, does not look


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")  # noqa: PTH112
def test_files_are_closed_when_nothing_refers_to_them(tmp_path):
    gc.collect()  # what other tests left
    before = open_files()
    arena = spilling(tmp_path)
    held = [arena.allocate(10) for _ in range(5)]
    assert open_files() > before
    del held
    gc.collect()
    assert open_files() == before


# --- what goes wrong ----------------------------------------------------------------------------


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SpillError, match=r"there is no room left; name another folder .*TMPDIR"):
        spilling(tmp_path).allocate(10)


def test_a_disk_that_fills_while_a_column_grows(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        write = full

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    column = Column(spilling(tmp_path), np.int32)
    with pytest.raises(SpillError, match="there is no room left"):
        column.append(np.arange(5, dtype=np.int32))


def test_what_will_not_fit_is_said_before_the_work(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(SpillError, match=r"about 3\.0 GB are needed, 0\.0 GB are free"):
        spilling(tmp_path).expect(3 * 10**9)
    Arena().expect(3 * 10**9)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(SpillError, match="missing: temporary files cannot be written"):
        spilling(tmp_path / "missing").allocate(10)


def test_systems_without_reservation_fill_the_file(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    memory = spilling(tmp_path).allocate(3_000_000)
    assert len(memory) == 3_000_000
    assert memory[-1] == 0


def test_more_than_the_process_gets_is_a_memory_error():
    with pytest.raises(MemoryError):
        Arena().allocate(2**62)


# --- relief -------------------------------------------------------------------------------------

needs_proc = pytest.mark.skipif(process.resident_memory() is None, reason="needs /proc")


@needs_proc
def test_pages_of_files_leave_memory_above_the_budget(tmp_path):
    arena = Arena(budget=1, folder=str(tmp_path))
    arena.spill()
    size = 64 * 2**20
    whole = np.frombuffer(arena.allocate(size), np.uint8)
    whole[:] = 7
    arena.relieve()
    # Other files (libraries) stay.
    assert process.resident_memory().mapped - arena._others < size / 8
    assert whole.sum() == 7 * size


@needs_proc
def test_the_watch_ends_with_the_last_file_and_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr(arenas, "WATCH_SECONDS", 0.001)
    looks = []
    arena = Arena(budget=1, folder=str(tmp_path))
    monkeypatch.setattr(arena, "relieve", lambda: looks.append(1))
    arena.spill()

    def until(done):
        for _ in range(10_000):
            if done():
                return
            time.sleep(0.001)
        raise AssertionError("waited in vain")

    for _ in range(2):
        held = arena.allocate(10)
        looks.clear()
        until(lambda: looks)
        del held
        gc.collect()
        until(lambda: not arena._watched)


# --- whole runs ---------------------------------------------------------------------------------


def written(result, folder):
    result.write(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_that_spills_writes_the_same_bytes(threads, sample, spill_all, tmp_path):
    spilled = dedup.scan(SAMPLE, all_relations=True, threads=threads)
    assert spilled.run["timing"]["spilled_mb"] > 0
    assert sample.run["timing"]["spilled_mb"] == 0
    one, two = written(sample, tmp_path / "one"), written(spilled, tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        assert one[name] == two[name], name


@pytest.mark.parametrize("at_once", [1, 7, 50])
def test_a_run_that_looks_at_little_at_once_writes_the_same_bytes(
    at_once, sample, tmp_path, monkeypatch
):
    for stage in ("align", "passages"):
        monkeypatch.setattr(f"dedup.{stage}.LINKS_AT_ONCE", at_once)
    little = dedup.scan(SAMPLE, all_relations=True)
    one, two = written(sample, tmp_path / "one"), written(little, tmp_path / "two")
    assert one == two


def test_what_is_kept_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.arena.WORTH", 8)
    arrays = [np.arange(6, dtype=np.int32).reshape(2, 3), np.arange(9.0)[::2], np.zeros(1, bool)]
    assert all(Arena().keep(array) is array for array in arrays)
    arena = spilling(tmp_path)
    for array in arrays:
        kept = arena.keep(array)
        assert kept.dtype == array.dtype
        assert np.array_equal(kept, array)
        assert (kept is array) == (array.nbytes < 8)
    assert arena.spilled == sum(array.nbytes for array in arrays if array.nbytes >= 8)


@pytest.mark.parametrize("command", [("scan", "--out", "out"), ("flag",), ("filter", "--out", "o")])
def test_the_commands_take_a_budget(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *options = command
    done = CliRunner().invoke(app, [name, str(SAMPLE), *options, "--memory", "4 bananas"])
    assert done.exit_code == 2
    assert "memory: expected a size such as 4GB or 512MiB, got '4 bananas'" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = CliRunner().invoke(app, [name, str(SAMPLE), *options, "--memory", "1GB"])
    assert done.exit_code == 0


def test_a_run_that_finds_the_disk_full_ends_with_5(spill_all, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full)
    done = CliRunner().invoke(app, ["scan", str(SAMPLE), "--out", str(tmp_path / "out")])
    assert done.exit_code == 5
    assert "there is no room left; name another folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdefgh"),
            "outlet": st.sampled_from(["One", "Two", "Three"]),
            "text": st.lists(st.sampled_from(SENTENCES), max_size=6).map(" ".join),
        }
    ),
    max_size=8,
)


@settings(max_examples=20)
@given(RECORDS)
def test_any_records_give_the_same_tables(records):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = write_jsonl(Path(folder) / "dump.jsonl", records)
        kept = dedup.scan(path, threads=1)
        patch.setattr("dedup.run.text_limit", lambda _: -1)
        patch.setattr("dedup.arena.WORTH", 0)
        spilled = dedup.scan(path, threads=2)
    for name in kept.tables:
        assert kept.tables[name].equals(spilled.tables[name]), name
