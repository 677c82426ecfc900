"""What happens to an index when its process is killed, stopped, doubled or has no room left.

Each with the real process. The full counts are those of ``benchmarks/index_faults.py``.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from dumps import ROOT
from faults import harness
from faults.driver import PHASES

import dedup

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
YEAR = 365 * 86_400


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """An index of two thirds of the sample articles, and an update with the last third."""
    folder = tmp_path_factory.mktemp("faults")
    lines = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(5).shuffle(lines)
    parts = [folder / f"part-{k}.jsonl" for k in range(3)]
    for k, part in enumerate(parts):
        part.write_text("".join(lines[k::3]), encoding="utf-8")
    return harness.Case.prepare(folder, parts)


def check_out(case: harness.Case, index: Path) -> None:
    """The index is as the undisturbed run leaves it."""
    assert harness.problems(index) == []
    assert harness.differences(harness.content(index), case.content) == []


# --- 23: kill -9 ----------------------------------------------------------------------------


@pytest.mark.slow
def test_an_update_killed_while_it_commits_ends_as_if_undisturbed(case):
    assert harness.killed(case, "commit", 0.5) == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_update_ends_as_if_undisturbed(case, phase, moment):
    assert harness.killed(case, phase, random.Random(f"{phase} {moment}").random()) == []


@pytest.mark.slow
def test_an_index_killed_while_it_is_made_is_made_again(case):
    index, out = case.fresh()
    shutil.rmtree(index)
    done = harness.run(*harness.arguments(index, case.last, out), plan={"phase": "read", "kill": 0})
    assert done.returncode == -signal.SIGKILL
    harness.expect(harness.run(*harness.arguments(index, case.last, out)), 0)
    assert harness.problems(index) == []


# --- 39: Ctrl-C and SIGTERM -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "phase"),
    [
        (signal.SIGTERM, "match"),
        *(
            pytest.param(number, phase, marks=pytest.mark.slow)
            for number in (signal.SIGINT, signal.SIGTERM)
            for phase in PHASES[:4]
        ),
    ],
)
def test_a_stopped_update_says_how_to_go_on_and_does(case, number, phase):
    _, code, said, wrong = harness.interrupted(case, phase, 0.5, number)
    assert code == 130
    assert said == (
        "dedup: interrupted. The index holds what was committed last. Run the same command again "
        "to continue.\n"
    )
    assert wrong == []


# --- 26: two at once ------------------------------------------------------------------------


def test_of_two_updates_at_once_one_runs_and_the_other_says_who_does(case):
    assert harness.two_at_once(case, empty=False) == []


@pytest.mark.slow
def test_of_two_that_make_one_index_at_once_one_runs(case):
    assert harness.two_at_once(case, empty=True) == []


@pytest.mark.slow
def test_the_lock_of_a_dead_process_is_free(case):
    index, out = case.fresh()
    done = harness.run(*harness.arguments(index, case.last, out), plan={"phase": "read", "kill": 0})
    assert done.returncode == -signal.SIGKILL
    assert "process" in (index / "lock").read_text()
    harness.expect(harness.run(*harness.arguments(index, case.last, out)), 0)
    check_out(case, index)


# --- 24: no room, too many open files -------------------------------------------------------


@pytest.mark.slow
def test_a_full_disk_leaves_the_index_whole(case, tmp_path):
    if not harness.can_mount():
        pytest.skip("needs the right to mount a small file system")
    least, most = harness.room_needed(case, tmp_path / "disk")
    r = random.Random(7)
    codes = []
    for _ in range(5):
        code, wrong = harness.disk_full(case, tmp_path / "disk", r.randint(least, most))
        assert wrong == []
        codes.append(code)
    assert 5 in codes


def test_a_file_that_may_not_grow_leaves_the_index_whole(case):
    """As a full disk is met without the right to mount one: a limit on the size of files."""
    index, out = case.fresh()
    limit = harness.size_limit(40_000)
    done = harness.run(*harness.arguments(index, case.last, out), limit=limit)
    assert done.returncode == 5
    assert "the index cannot be written" in done.stderr
    assert "What it held before is intact" in done.stderr
    assert harness.problems(index) == []
    assert harness.results(index) == case.before
    assert harness.again(case, index, out) == []


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))


@pytest.mark.slow
def test_too_few_files_are_an_error_without_a_traceback(case):
    index, out = case.fresh()
    done = harness.run(*harness.arguments(index, case.last, out), limit=few_files)
    if done.returncode != 0:  # so many may do
        assert done.returncode == 5
        assert "Traceback" not in done.stderr
    assert harness.problems(index) == []
    assert harness.again(case, index, out) == []


# --- 25: a folder that cannot be written ----------------------------------------------------


@pytest.fixture
def locked_away(case):
    """An index in a folder that this process can read only."""
    if os.geteuid() == 0 and not harness.can_mount():
        pytest.skip("needs the right to mount, since permissions do not stop root")
    index, _ = case.fresh()
    with harness.read_only(index):
        yield index


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_read(case, locked_away):
    done = harness.run("update", locked_away, case.last, "--quiet")
    assert done.returncode == 5
    assert "the index cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_can_be_read(case, locked_away):
    found = dedup.Index.open(locked_away).verify(threads=1)
    assert found.problems == []
    assert found.articles == 56


@pytest.mark.slow
def test_an_output_that_cannot_be_written_is_said_before_anything_is_read(case, tmp_path):
    index, _ = case.fresh()
    (tmp_path / "file").write_text("not a folder")
    done = harness.run(*harness.arguments(index, case.last, tmp_path / "file" / "out"))
    assert done.returncode == 5
    assert "cannot be written" in done.stderr
    assert harness.results(index) == case.before
    with sqlite3.connect(index / "index.sqlite") as database:
        assert not database.execute("SELECT * FROM texts WHERE analysed IS NULL").fetchall()


# --- 27: the clock --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_clock_set_back_changes_no_order(case):
    index, out = case.fresh()
    plan = {"clock": -YEAR / 12}
    harness.expect(harness.run(*harness.arguments(index, case.last, out), plan=plan), 0)
    check_out(case, index)
    assert harness.differences(harness.delta(out), case.delta) == []
    with sqlite3.connect(index / "index.sqlite") as database:
        runs = database.execute("SELECT run, started, finished FROM runs ORDER BY run").fetchall()
    assert [run for run, _, _ in runs] == [1, 2, 3]
    assert runs[2][1] < runs[1][1], "the clock was set back"
    redone = harness.run("update", index, case.last, "--out", out.with_name("none"))
    harness.expect(redone, 0)
    assert "Nothing changed" in redone.stdout


# --- 37: another version, scheme or settings ------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("PRAGMA user_version = 99", "schema 99"),
        ("UPDATE meta SET value = '0' WHERE name = 'analysis'", "another version of the analysis"),
        ("UPDATE meta SET value = 'x' WHERE name = 'fingerprint'", "another signature scheme"),
        ("UPDATE meta SET value = 'x' WHERE name = 'agencies'", "another list of agencies"),
    ],
)
def test_an_index_of_another_kind_is_refused_with_the_command_that_helps(case, change, says):
    index, out = case.fresh()
    before = harness.content(index)
    with sqlite3.connect(index / "index.sqlite") as database:
        database.execute(change)
    database.close()
    done = harness.run(*harness.arguments(index, case.last, out))
    assert done.returncode == 5
    assert says in done.stderr
    # The schema of another version cannot be read: that version exports it.
    helps = "dedup index export" if "schema" in says and "another" not in says else "rebuild"
    assert helps in done.stderr
    assert set(harness.differences(harness.content(index), before)) <= {"meta"}
    assert not out.exists()


def test_an_index_with_other_settings_is_refused_with_the_command_that_helps(case):
    index, out = case.fresh()
    done = harness.run(*harness.arguments(index, case.last, out), "--sensitivity", "0.5")
    assert done.returncode == 5
    assert "was made with sensitivity" in done.stderr
    assert f"dedup index rebuild {index}" in done.stderr
    assert harness.content(index) == harness.content(case.base)


# --- readers --------------------------------------------------------------------------------


def test_readers_see_what_was_committed_last_while_a_job_writes(case):
    index, out = case.fresh()
    reader = ROOT / "benchmarks" / "faults" / "reader.py"
    readers = [
        subprocess.Popen(
            [sys.executable, str(reader), str(index)],
            env=harness.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in readers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    harness.expect(harness.run(*harness.arguments(index, case.last, out)), 0)
    told = [json.loads(process.communicate(timeout=60)[0]) for process in readers]
    states = []
    for place in (case.base, index):
        with sqlite3.connect(place / "index.sqlite") as database:
            counts = [
                database.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
                for t in ("articles", "matches")
            ]
        states.append(counts)
    for one in told:
        assert one["wrong"] == []
        assert one["looks"] > 10
        assert all(state in states for state in one["seen"])
        assert states[0] in one["seen"]


@pytest.mark.slow
def test_the_log_that_a_killed_writer_left_is_read(case):
    """Where the folder cannot be written, the log of a killed writer still counts."""
    if os.geteuid() == 0 and not harness.can_mount():
        pytest.skip("needs the right to mount, since permissions do not stop root")
    index, out = case.fresh()
    plan = {"phase": "write", "kill": 0}
    done = harness.run(*harness.arguments(index, case.last, out), plan=plan)
    assert done.returncode == -signal.SIGKILL
    assert (index / "index.sqlite-wal").stat().st_size
    with harness.read_only(index):
        found = dedup.Index.open(index).verify(threads=1)
    assert found.problems == []
    assert found.unfinished is not None
    assert found.articles == 84
    assert harness.again(case, index, out) == []
