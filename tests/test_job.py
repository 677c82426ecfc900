"""The scheduled job as it runs: real processes that are killed, stopped, and told to wait."""

from __future__ import annotations

import errno
import json
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from jobs import (
    RECORDS,
    command,
    environment,
    log_of,
    put,
    run_process,
    wait_for,
    web_server,
    write_job,
)
from prometheus_client.parser import text_string_to_metric_families

import dedup
import dedup.outputs
import dedup.runs
from dedup.job.file import load_job
from dedup.job.running import run_job
from dedup.report.tables import read_run

TOLD = '[[notify]]\ncommand = ["sh", "-c", "cat > told.json"]\n'
DIE_BEFORE_WRITING = """
import os, signal
import dedup.outputs
dedup.outputs.write_update = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
"""


def told(folder: Path) -> dict:
    return json.loads((folder / "told.json").read_text(encoding="utf-8"))


def rows(folder: Path, query: str) -> list[tuple]:
    database = sqlite3.connect(folder / "news.index" / "index.sqlite")
    found = database.execute(query).fetchall()
    database.close()
    return found


def run_here(job: Path) -> int:
    return run_job(load_job(job))


def test_a_job_takes_in_what_is_new_writes_what_changed_and_tells(tmp_path):
    job = write_job(tmp_path, 'out = "runs/{date}-{run}"', 'metrics = "dedup.prom"', TOLD)
    put(tmp_path, "a.jsonl", RECORDS[:10])
    done = run_process(job)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    message = told(tmp_path)
    (out,) = (tmp_path / "runs").iterdir()
    assert message["out"] == str(out)
    assert message["articles"] == {
        "new": 10,
        "known": 0,
        "revisions": 0,
        "removed": 0,
        "read": 10,
        "rejected": 0,
    }
    tables, run = read_run(out)
    assert run["run"]["id"] == message["key"] == message["run"]["id"]
    assert len(tables["articles"]) == 10
    stages = [line["stage"] for line in log_of(tmp_path, "stage")]
    assert stages == sorted(set(stages), key=stages.index)
    assert {"read", "align", "classify", "commit", "write"} <= set(stages)
    assert {line.get("run") for line in log_of(tmp_path)[1:]} == {message["key"]}
    families = text_string_to_metric_families((tmp_path / "dedup.prom").read_text())
    values = {
        s.name: s.value for f in families for s in f.samples if s.labels == {"job_name": "news"}
    }
    assert values["dedup_job_articles_new"] == 10
    assert values["dedup_job_exit_code"] == 0
    assert values["dedup_job_last_success_timestamp_seconds"] > 1.6e9


def test_the_same_files_again_change_nothing_and_nobody_is_told(tmp_path):
    job = write_job(tmp_path, TOLD)
    put(tmp_path, "a.jsonl", RECORDS[:10])
    assert run_here(job) == 0
    (tmp_path / "told.json").unlink()
    assert run_here(job) == 0
    assert not (tmp_path / "told.json").exists()
    assert log_of(tmp_path, "done")[-1]["changed"] is False
    assert rows(tmp_path, "SELECT state FROM notifications ORDER BY run") == [
        ("sent",),
        ("unwanted",),
    ]


def test_a_notification_that_fails_is_sent_by_the_next_run_and_the_run_stands(tmp_path):
    with web_server() as received:
        job = write_job(
            tmp_path, f'[[notify]]\nwebhook = "{received.url}"\nattempts = 2\nwait = 0\n'
        )
        received.answers = [503] * 3
        for n in range(2):
            put(tmp_path, f"{n}.jsonl", RECORDS[6 * n : 6 * n + 6])
            assert run_here(job) == 0
        # The second run tried the first one's once, and then it went through.
        ids = [identity for (identity,) in rows(tmp_path, "SELECT id FROM runs ORDER BY run")]
        keys = [headers["Idempotency-Key"] for headers, _ in received]
        assert keys == [ids[0]] * 4 + [ids[1]]
        assert [m["articles"]["new"] for _, m in received] == [6] * 5
    assert rows(tmp_path, "SELECT DISTINCT state FROM notifications") == [("sent",)]
    log = (tmp_path / "log.jsonl").read_text()
    assert "secret" not in log


def test_while_a_recipient_is_away_runs_wait_in_their_order_whatever_the_clock_says(
    tmp_path, monkeypatch
):
    with web_server() as received:
        job = write_job(
            tmp_path, f'[[notify]]\nwebhook = "{received.url}"\nattempts = 1\nwhen = "always"\n'
        )
        received.answers = [500, 500]
        for moment in ("2024-06-30T00:00:00Z", "2023-06-30T00:00:00Z", "2022-01-01T00:00:00Z"):
            monkeypatch.setattr(dedup.runs, "now", lambda moment=moment: moment)
            assert run_here(job) == 0
        assert [m["run"]["number"] for _, m in received] == [1, 1, 1, 2, 3]


def test_a_run_killed_while_it_tells_tells_again_under_its_key(tmp_path):
    script = "test -e dead || { touch dead; kill -9 $PPID; }; cat > told.json"
    job = write_job(tmp_path, f'[[notify]]\ncommand = ["sh", "-c", "{script}"]\n')
    put(tmp_path, "a.jsonl", RECORDS[:10])
    assert run_process(job).returncode == -signal.SIGKILL
    ((first,),) = rows(tmp_path, "SELECT id FROM runs WHERE state = 'done'")
    (tmp_path / "told.json").unlink(missing_ok=True)
    assert run_process(job).returncode == 0
    assert told(tmp_path)["key"] == first
    assert told(tmp_path)["articles"]["new"] == 10
    assert rows(tmp_path, "SELECT state FROM notifications ORDER BY run") == [
        ("sent",),
        ("unwanted",),
    ]


@pytest.mark.slow
def test_a_run_killed_after_its_commit_is_continued_under_its_id_and_tells_once(tmp_path):
    job = write_job(
        tmp_path,
        'out = "runs/{date}-{run}"',
        '[[notify]]\ncommand = ["sh", "-c", "cat >> told.jsonl; echo >> told.jsonl"]\n',
    )
    put(tmp_path, "a.jsonl", RECORDS[:10])
    assert run_process(job, code=DIE_BEFORE_WRITING).returncode == -signal.SIGKILL
    ((first, state),) = rows(tmp_path, "SELECT id, state FROM runs")
    assert state == "committed"
    put(tmp_path, "b.jsonl", RECORDS[10:])
    assert run_process(job).returncode == 0
    (line,) = (tmp_path / "told.jsonl").read_text().splitlines()
    message = json.loads(line)
    assert message["key"] == message["run"]["id"] == first
    assert message["run"]["continued"]
    assert message["articles"]["new"] == len(RECORDS)
    assert message["changes"]["articles"]["added"] == len(RECORDS)
    (out,) = (tmp_path / "runs").iterdir()
    tables, run = read_run(out)
    assert run["run"]["id"] == first
    assert len(tables["articles"]) == len(RECORDS)
    # Nothing is left to do, and the files are remembered.
    assert run_process(job).returncode == 0
    assert len((tmp_path / "told.jsonl").read_text().splitlines()) == 1
    assert log_of(tmp_path, "done")[-1]["articles"]["known"] == 0


def test_of_two_jobs_at_once_one_runs_and_one_ends_with_4(tmp_path):
    hold = "touch holding; while ! test -e go; do sleep 0.05; done"
    job = write_job(tmp_path, f'[[notify]]\ncommand = ["sh", "-c", "{hold}"]\ntimeout = "5 min"\n')
    put(tmp_path, "a.jsonl", RECORDS[:4])
    with subprocess.Popen(command(job), cwd="/", env=environment()) as first:
        try:
            wait_for(tmp_path / "holding")
            second = run_process(job)
        finally:
            (tmp_path / "go").touch()
    assert first.returncode == 0
    assert second.returncode == 4
    assert f"process {first.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    assert rows(tmp_path, "SELECT count(*) FROM runs") == [(1,)]


def test_sigterm_ends_a_job_cleanly_and_the_next_run_tells(tmp_path):
    script = "test -e once && exec cat > told.json; touch once; kill -TERM $PPID; sleep 60"
    job = write_job(tmp_path, f'[[notify]]\ncommand = ["sh", "-c", "{script}"]\ntimeout = 90\n')
    put(tmp_path, "a.jsonl", RECORDS[:4])
    stopped = run_process(job)
    assert stopped.returncode == 130
    assert "interrupted" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert rows(tmp_path, "SELECT state FROM notifications") == [("pending",)]
    assert run_process(job).returncode == 0
    assert told(tmp_path)["run"]["number"] == 1


def test_a_job_that_fails_says_so_and_ends_with_the_code_of_its_error(tmp_path):
    recipient = TOLD + 'when = "failed"\n'
    job = write_job(tmp_path, 'metrics = "dedup.prom"', recipient)
    (tmp_path / "drop").rmdir()
    done = run_process(job)
    assert done.returncode == 3
    assert done.stderr.startswith("dedup: error: ")
    assert "drop folder" in done.stderr
    message = told(tmp_path)
    assert (message["status"], message["exit_code"]) == ("failed", 3)
    assert "drop folder" in message["error"]
    assert 'dedup_job_exit_code{job_name="news"} 3.0' in (tmp_path / "dedup.prom").read_text()
    # The success that follows is told to nobody who asked for failures alone.
    (tmp_path / "told.json").unlink()
    put(tmp_path, "a.jsonl", RECORDS[:4])
    assert run_process(job).returncode == 0
    assert not (tmp_path / "told.json").exists()


def test_a_failure_that_the_index_cannot_keep_is_told_directly(tmp_path):
    job = write_job(tmp_path, TOLD + 'when = ["changed", "failed"]\n')
    (tmp_path / "news.index").mkdir()
    (tmp_path / "news.index" / "index.sqlite").write_bytes(b"no database " * 100)
    assert run_here(job) == 5
    assert "no index" in told(tmp_path)["error"]


def test_metrics_that_cannot_be_written_stop_no_run(tmp_path):
    job = write_job(tmp_path, 'metrics = "nowhere/dedup.prom"')
    put(tmp_path, "a.jsonl", RECORDS[:4])
    assert run_here(job) == 0
    (line,) = log_of(tmp_path, "metrics")
    assert "nowhere/dedup.prom" in line["message"]


def test_a_damaged_file_ends_a_job_with_3_after_everything_readable_was_used(tmp_path):
    job = write_job(tmp_path, TOLD + 'when = "failed"\n')
    put(tmp_path, "a.jsonl", RECORDS[:4])
    (tmp_path / "drop" / "b.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab")
    assert run_here(job) == 3
    message = told(tmp_path)
    assert message["status"] == "incomplete"
    assert message["incomplete"][0]["file"].endswith("b.jsonl.gz")
    assert message["articles"]["new"] == 4


def test_the_log_names_what_was_rejected_and_why(tmp_path):
    job = write_job(tmp_path)
    put(tmp_path, "a.jsonl", [*RECORDS[:3], '{"id": "x"}', '{"id": "y", "text": 7}'])
    (tmp_path / "drop" / "notes.bin").write_bytes(bytes(range(256)))
    assert run_here(job) == 0
    told = {Path(line["file"]).name: line for line in log_of(tmp_path, "rejected")}
    assert {name: line["records"] for name, line in told.items()} == {"a.jsonl": 2, "notes.bin": 1}
    assert told["a.jsonl"]["first"]["position"] == "line 4"
    assert "format" in told["notes.bin"]["first"]["reason"]


def test_a_run_whose_outputs_could_not_be_written_is_finished_by_the_next(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    job = write_job(tmp_path, 'out = "runs/{run}"', TOLD + 'when = "always"\n')
    put(tmp_path, "a.jsonl", RECORDS[:10])
    with monkeypatch.context() as patch:
        patch.setattr(dedup.outputs, "write_update", full)
        assert run_here(job) == 5
    failure = told(tmp_path)
    assert "No space left" in failure["error"]
    ((first, state),) = rows(tmp_path, "SELECT id, state FROM runs")
    assert (failure["run"]["id"], state) == (first, "committed")
    (tmp_path / "drop" / "b.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab")
    assert run_here(job) == 3
    message = told(tmp_path)
    assert (message["key"], message["status"]) == (first, "incomplete")
    assert failure["key"] != first
    assert message["changes"]["articles"]["added"] == 10
    tables, _ = read_run(tmp_path / "runs" / "000001")
    assert len(tables["articles"]) == 10


def test_a_recipient_who_is_no_longer_named_is_dropped_and_another_job_is_left_alone(tmp_path):
    with web_server() as received:
        received.answers = [500, 500]
        one = f'[[notify]]\nname = "%s"\nwebhook = "{received.url}"\nattempts = 1\n'
        put(tmp_path, "a.jsonl", RECORDS[:4])
        assert run_here(write_job(tmp_path, one % "desk")) == 0
        assert run_here(write_job(tmp_path, 'name = "other"', one % "desk")) == 0
        assert run_here(write_job(tmp_path, one % "archive")) == 0
    query = "SELECT name, state FROM notifications ORDER BY run"
    assert rows(tmp_path, query) == [
        ("news/desk", "dropped"),
        ("other/desk", "unwanted"),
        ("news/archive", "unwanted"),
    ]
    assert len(received) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not here")
def test_a_log_whose_disk_is_full_stops_no_run(tmp_path, capfd):
    job = write_job(tmp_path)
    job.write_text(job.read_text().replace('"log.jsonl"', '"/dev/full"'))
    put(tmp_path, "a.jsonl", RECORDS[:4])
    assert run_here(job) == 0
    first, *_, last = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (first["event"], last["event"]) == ("log", "end")
    assert "No space left" in first["message"]


@pytest.mark.parametrize("stderr", [True, False])
def test_the_log_is_json_and_complete_wherever_it_goes(tmp_path, stderr):
    job = write_job(tmp_path, 'inputs = "missing.jsonl"')
    if stderr:
        job.write_text(job.read_text().replace('log = "log.jsonl"\n', ""))
    done = run_process(job)
    assert done.returncode == 3
    lines = done.stderr.splitlines() if stderr else (tmp_path / "log.jsonl").open()
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["begin", "started", "failed", "end"]
