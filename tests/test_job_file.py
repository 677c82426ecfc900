"""The job's file: what it may say, what is wrong with it, and what ``job check`` tells."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import RECORDS, put, run_process, write_job

from dedup.errors import DedupError, SettingsError
from dedup.job.checking import Check
from dedup.job.file import load_job
from dedup.job.recipients import Recipient
from dedup.job.running import run_job
from dedup.runs import Started

if TYPE_CHECKING:
    from pathlib import Path

HOOK = '[[notify]]\nwebhook = "https://hooks.example.org/T0/s3cr3t"\n'
MAIL = '[[notify]]\nemail = "a@example.org"\nfrom = "b@example.org"\nsmtp = "localhost"\n'


def loaded(folder: Path, text: str):
    (folder / "job.toml").write_text(text, encoding="utf-8")
    return load_job(folder / "job.toml")


def test_paths_are_relative_to_the_file_and_times_have_units(tmp_path):
    job = loaded(
        tmp_path,
        'index = "ix"\ninputs = ["in/*.jsonl", "/srv/x.csv"]\ndrop = "drop"\nsettle = "2 min"\n'
        'out = "runs/{job}/{date}-{time}-{run}-{id}"\nkeep = "2 weeks"\nformat = "parquet"\n'
        '[read]\noutlet = "The Paper"\nfields = {text = "body"}\n[settings]\nsensitivity = 0.5\n',
    )
    assert job.index == tmp_path / "ix"
    assert job.inputs == (str(tmp_path / "in/*.jsonl"), "/srv/x.csv")
    assert job.drop == (str(tmp_path / "drop"),)
    assert (job.settle, job.keep_days, job.name) == (120.0, 14, "job")
    assert job.read.fields == (("text", "body"),)
    assert job.settings is not None
    assert job.settings.sensitivity == 0.5
    run = Started(7, "ab12", "reading", "2024-06-30T23:55:01Z", continued=False)
    assert job.folder(run) == tmp_path / "runs/job/2024-06-30-235501-000007-ab12"


def test_a_folder_with_the_signs_of_a_pattern_is_taken_as_it_is(tmp_path):
    odd = tmp_path / "in[0] {x}"
    odd.mkdir()
    (odd / "a.jsonl").write_text("".join(RECORDS[:1]))
    job = loaded(odd, 'index = "ix"\ninputs = "*.jsonl"\nout = "{run}"\n')
    assert f"{odd}/*.jsonl: 1 file" not in Check(job).lines
    assert any(str(odd / "a.jsonl") in line for line in Check(job).lines)
    assert job.folder(Started(1, "", "", "2024-01-01T00:00:00Z", continued=False)) == odd / "000001"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index = ", "not valid TOML"),
        ('inputs = "a"', "'index' is missing"),
        ('index = "ix"', "nothing to read"),
        ('index = "ix"\ninputs = "a"\nkeeep = "1 day"', "unknown key 'keeep'; known are: index"),
        ('index = "ix"\ninputs = 5', "'inputs': expected a text or a list of texts, got 5"),
        ('index = "ix"\ninputs = "-"', "no standard input"),
        ('index = "ix"\ninputs = "a"\ndrop = "a"', "under 'inputs' and 'drop'"),
        ('index = "ix"\ninputs = "a"\nname = "a/b"', "'name': expected letters"),
        ('index = "ix"\ninputs = "a"\nkeep = "3 months"', "'keep': expected a number of days"),
        ('index = "ix"\ninputs = "a"\nkeep = "0 days"', "'keep': expected a number of days"),
        ('index = "ix"\ninputs = "a"\nsettle = "soon"', "'settle': expected a time such as"),
        ('index = "ix"\ninputs = "a"\nsettle = true', "'settle': expected a time such as"),
        ('index = "ix"\ninputs = "a"\nformat = "xml"', "'format': expected 'jsonl' or"),
        ('index = "ix"\ninputs = "a"\nthreads = 0', "'threads': expected a whole number from 1"),
        ('index = "ix"\ninputs = "a"\nreport = "no"', "'report': expected true or false"),
        ('index = "ix"\ninputs = "a"\nmemory = "much"', "memory: expected a size"),
        ('index = "ix"\ninputs = "a"\nout = "runs/{day}"', "'out': expected a path with {date}"),
        ('index = "ix"\ninputs = "a"\nout = "runs/{run!r}"', "'out': expected a path with"),
        ('index = "ix"\ninputs = "a"\nout = "runs/{date"', "'out': expected a path with"),
        ('index = "ix"\ninputs = "a"\nout = "runs/{date}"', "each run has its own folder"),
        ('index = "ix"\ninputs = "a"\nfamilies = "no.toml"', "no.toml does not exist"),
        ('index = "ix"\ninputs = "a"\n[settings]\nseeds = 1', "[settings]: settings: unknown"),
        ('index = "ix"\ninputs = "a"\n[read]\nfield = 1', "[read]: unknown key 'field'"),
        ('index = "ix"\ninputs = "a"\n[[notify]]\nname = "x"', "line 3: notify 1: expected one of"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + HOOK, "two entries [[notify]] have the name"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + 'when = "never"', "'when': expected 'changed'"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + "attempts = 0", "'attempts': expected a whole"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + "timeout = 0", "'timeout': expected a time above"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + 'token_env = "NO_SUCH"', "NO_SUCH is not set"),
        ('index = "ix"\ninputs = "a"\n' + HOOK + 'to = "x"', "unknown key 'to'"),
        ('index = "ix"\ninputs = "a"\n[[notify]]\nwebhook = "ftp://x/"', "begins with https://"),
        ('index = "ix"\ninputs = "a"\n[[notify]]\nwebhook = "http://x:y/"', "begins with https://"),
        ('index = "ix"\ninputs = "a"\n[[notify]]\ncommand = "mail"', "'command': expected a list"),
        ('index = "ix"\ninputs = "a"\n' + MAIL.replace("a@", "a,"), "'email': expected an address"),
        ('index = "ix"\ninputs = "a"\n' + MAIL.replace("lhost", "lhost:x"), "'smtp': expected a"),
        ('index = "ix"\ninputs = "a"\n' + MAIL + 'tls = "yes"', "'tls': expected 'starttls'"),
        ('index = "ix"\ninputs = "a"\n' + MAIL + 'user = "me"', "are given together"),
        ('index = "in/ix"\ndrop = "in"', "'index': "),
        ('index = "ix"\ndrop = "in"\nout = "in/out/{run}"', "so that the next run would read it"),
        ('index = "ix"\ndrop = "in"\nlog = "in/log"', "'log': "),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path, text, expected):
    (tmp_path / "in").mkdir()
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert expected in str(caught.value)
    assert str(tmp_path / "job.toml") in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


VALUES = st.one_of(
    st.text(max_size=8),
    st.integers(-5, 5),
    st.booleans(),
    st.lists(st.text(max_size=4), max_size=2),
    st.sampled_from(["10s", "90 days", "a", "{run}", "https://x/", "localhost:25", "a@b"]),
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["index", "inputs", "drop", "settle", "out", "keep", "threads", "memory", "log"]
        ),
        VALUES,
    ),
    st.dictionaries(
        st.sampled_from(["webhook", "command", "email", "from", "smtp", "when", "timeout"]), VALUES
    ),
)
def test_any_values_make_a_job_or_a_clear_error(tmp_path, table, entry):
    def quoted(value):
        if isinstance(value, str):
            escaped = (f"\\U{ord(c):08x}" for c in value)
            return '"' + "".join(escaped) + '"'
        if isinstance(value, list):
            return f"[{', '.join(map(quoted, value))}]"
        return str(value).lower()

    lines = [f"{k} = {quoted(v)}" for k, v in table.items()]
    lines += ["[[notify]]", *(f"{k} = {quoted(v)}" for k, v in entry.items())]
    try:
        job = loaded(tmp_path, "\n".join(lines))
    except DedupError as error:
        said = str(error)
    else:
        said = str(job.file)
        assert job.inputs or job.drop
        assert len(job.notify) == 1
    assert str(tmp_path / "job.toml") in said


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (("changed",), {("done", True), ("incomplete", True)}),
        (("failed",), {("incomplete", True), ("incomplete", False), ("failed", False)}),
        (
            ("changed", "failed"),
            {("done", True), ("incomplete", True), ("incomplete", False), ("failed", False)},
        ),
        (
            ("always",),
            {
                *(("done", True), ("done", False), ("incomplete", True)),
                *(("incomplete", False), ("failed", False)),
            },
        ),
    ],
)
def test_who_is_told_of_what(when, told):
    recipient = Recipient("desk", when, 10, 1, 0)
    outcomes = [(s, c) for s in ("done", "incomplete", "failed") for c in (True, False)]
    outcomes.remove(("failed", True))
    assert {o for o in outcomes if recipient.wants(o[0], changed=o[1])} == told


def test_a_check_says_what_would_be_done_and_does_nothing(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("a check uses no network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setenv("DEDUP_TEST_TOKEN", "t")
    job = load_job(
        write_job(
            tmp_path,
            'out = "runs/{run}"',
            'keep = "30 days"',
            HOOK + 'token_env = "DEDUP_TEST_TOKEN"\nwhen = ["changed", "failed"]',
            '[[notify]]\ncommand = ["sh", "tell"]',
        )
    )
    put(tmp_path, "a.jsonl", RECORDS[:4])
    before = sorted(tmp_path.rglob("*"))
    check = Check(job)
    assert check.exit_code == 0
    text = "\n".join(check.lines)
    for part in (
        "will be made",
        str(tmp_path / "drop" / "a.jsonl"),
        str(tmp_path / "runs" / "000001"),
        "30 days",
        "webhook: POST to https://hooks.example.org, when changed and failed",
        "command: command sh, when changed",
    ):
        assert part in text
    assert "s3cr3t" not in text
    assert sorted(tmp_path.rglob("*")) == before


def test_a_check_knows_what_earlier_runs_read(tmp_path):
    job = load_job(write_job(tmp_path, 'out = "runs/{run}"'))
    put(tmp_path, "a.jsonl", RECORDS[:4])
    assert run_job(job) == 0
    put(tmp_path, "b.jsonl", RECORDS[4:8])
    text = "\n".join(Check(job).lines)
    assert "4 articles, 1 runs" in text
    assert str(tmp_path / "drop" / "b.jsonl") in text
    assert str(tmp_path / "drop" / "a.jsonl") not in text
    assert "not changed since: 1 file" in text
    assert str(tmp_path / "runs" / "000002") in text


def test_a_check_names_every_problem_at_once(tmp_path):
    path = write_job(
        tmp_path,
        'metrics = "nowhere/dedup.prom"',
        '[[notify]]\ncommand = ["no-such-program-of-ours"]',
    )
    (tmp_path / "drop").rmdir()
    done = run_process(path, verb="check")
    assert done.returncode == 3
    assert [line.split("dedup: error: ")[1][:9] for line in done.stderr.splitlines()] == [
        f"{tmp_path}/drop"[:9],
        "'metrics'",
        "[[notify]",
    ]


@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_wrong_file_is_a_usage_error(tmp_path, verb):
    done = run_process(tmp_path / "missing.toml", verb=verb)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "job.toml").write_text('index = "ix"\n')
    done = run_process(tmp_path / "job.toml", verb=verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == ["job.toml"]
