"""The real command on good and bad input: messages, files and exit codes (the output contract)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import command
import pytest
from dumps import write_jsonl
from oracles import Writer, newsroom

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

DONE, USAGE, INCOMPLETE, FAILED, FLAGGED = 0, 2, 3, 5, 10
FILES = {
    *(
        f"{t}.jsonl"
        for t in [
            "articles",
            "passages",
            "matches",
            "relations",
            "groups",
            "sources",
            "near_misses",
            "rejected",
        ]
    ),
    "texts.parquet",
    "run.json",
    "report.html",
}


def run(
    *args: object, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    done = command.dedup(*args, stdin=stdin, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def lines(*records: object) -> bytes:
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture(scope="module")
def dump(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("input")
    return write_jsonl(folder / "dump.jsonl", newsroom(1, stories=2, loners=3))


@pytest.fixture(scope="module")
def good(dump, tmp_path_factory):
    """One good run that several tests look at: the process and its folder."""
    out = tmp_path_factory.mktemp("good") / "out"
    return run("scan", dump, "--out", out, "--exit-code"), out


def test_a_good_dump(good):
    done, out = good
    assert done.stderr == ""
    assert {p.name for p in out.iterdir()} == FILES
    assert rows(out / "rejected.jsonl") == []
    summary = json.loads((out / "run.json").read_text())
    assert summary["ledger"]["articles"] == len(rows(out / "articles.jsonl"))
    assert str(out) in done.stdout
    assert done.returncode == FLAGGED, "with --exit-code, since there are copies"


def test_offsets_in_the_files_are_those_of_the_input(good, dump):
    texts: dict[str, list[str]] = {}
    for record in rows(dump):
        texts.setdefault(record["id"], []).append(record["text"])
    passages = rows(good[1] / "passages.jsonl")
    assert len(passages) > 10
    for passage in passages:
        spans = [
            text[o["start"] : o["end"]]
            for o in passage["occurrences"]
            for text in texts[o["article"].split("@")[0]]
        ]
        assert passage["text"] in spans


def test_standard_input(good, dump, out):
    done = run("scan", "-", "--out", out, "-q", stdin=dump.read_bytes())
    assert (done.returncode, done.stdout) == (DONE, "")
    assert rows(out / "groups.jsonl") == rows(good[1] / "groups.jsonl") != []


def test_bad_records_are_listed_and_do_not_stop_the_run(tmp_path, out):
    good = {"id": "good", "text": Writer("good").sentence()}
    path = tmp_path / "dump.jsonl"
    path.write_bytes(
        lines({"id": "bare"}, {"id": "null", "text": None}, b'{"id": "cut", "te\n', b"[1]\n", good)
    )
    done = run("scan", path, "--out", out)
    assert done.returncode == DONE
    rejected = rows(out / "rejected.jsonl")
    assert [r["position"].split(",")[0] for r in rejected] == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
    ]
    assert {r["file"] for r in rejected} == {str(path)}
    for r, word in zip(rejected, ("no text field", "null", "JSON", "object"), strict=True):
        assert word in r["reason"]
    assert "bare" in rejected[0]["sample"] or rejected[0]["sample"] == ""
    assert [a["id"] for a in rows(out / "articles.jsonl")] == ["good"]
    assert "4" in done.stdout + done.stderr, "the summary counts them"


def test_strict_stops_at_the_first_reject(tmp_path, out):
    path = tmp_path / "dump.jsonl"
    path.write_bytes(lines({"id": "a", "text": "A text."}, {"id": "b"}))
    done = run("scan", path, "--out", out, "--strict")
    assert done.returncode == INCOMPLETE
    assert "line 2" in done.stderr
    assert "no text" in done.stderr


def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path, out):
    import gzip

    packed = gzip.compress(
        lines(*({"id": f"{k:04}", "text": os.urandom(60).hex()} for k in range(2000)))
    )
    path = tmp_path / "dump.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    done = run("scan", path, "--out", out)
    assert done.returncode == INCOMPLETE
    assert f"{path}: incomplete input" in done.stderr
    assert 500 < len(rows(out / "articles.jsonl")) < 1500


def test_a_missing_file(out, tmp_path):
    done = run("scan", tmp_path / "none.jsonl", "--out", out)
    assert done.returncode == INCOMPLETE
    assert "none.jsonl" in done.stderr
    assert not out.exists() or not any(out.iterdir())


def test_a_folder_that_is_not_empty_is_refused(good, dump):
    out = good[1]
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    done = run("scan", dump, "--out", out)
    assert done.returncode == USAGE
    assert "--overwrite" in done.stderr
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_overwriting_replaces_the_former_run(tmp_path, out):
    path = tmp_path / "dump.jsonl"
    for identity in ("one", "two"):
        path.write_bytes(lines({"id": identity, "text": "A text."}))
        assert run("scan", path, "--out", out, "--overwrite", "--exit-code").returncode == DONE
        assert [a["id"] for a in rows(out / "articles.jsonl")] == [identity]


def test_foreign_files_are_never_overwritten(dump, out):
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    for option in ((), ("--overwrite",)):
        done = run("scan", dump, "--out", out, *option)
        assert done.returncode == USAGE
        assert (out / "thesis.doc").read_text() == "mine"
        assert len(list(out.iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_an_output_that_cannot_be_written_is_said_before_reading(tmp_path):
    target = tmp_path / "file"
    target.write_text("")
    done = run("scan", tmp_path / "huge-and-not-there.jsonl", "--out", target / "sub")
    assert done.returncode == FAILED
    assert "file" in done.stderr
    assert "huge-and-not-there" not in done.stderr
    done = run("scan", tmp_path / "huge-and-not-there.jsonl", "--out", "/proc/nothing")
    assert done.returncode == FAILED


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--field", "text=nosuch"), "nosuch"),
        (("--field", "tekst=body"), "tekst"),
        (("--sensitivity", "7"), "between 0.2 and 0.9"),
        (("--threads", "0"), "--threads"),
        (("--settings", "none.toml"), "none.toml"),
        (("--agencies", "none.toml"), "none.toml"),
    ],
    ids=lambda v: "-".join(v).strip("-") if isinstance(v, tuple) else "",
)
def test_wrong_options(dump, out, options, word):
    done = run("scan", dump, "--out", out, *options)
    assert done.returncode == USAGE, done.stderr
    assert word in done.stderr
    assert not out.exists() or not any(out.iterdir())


def test_unknown_settings_in_a_file(dump, out, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("tresh = 1\n")
    done = run("scan", dump, "--out", out, "--settings", path)
    assert done.returncode == USAGE
    assert "settings.toml" in done.stderr
    assert "'tresh'" in done.stderr
    assert "sensitivity" in done.stderr, "lists the known"


def test_nothing_given():
    assert run("scan").returncode == USAGE
    assert run("nonsense").returncode == USAGE
    assert run("scan", "x.jsonl").returncode == USAGE, "no --out"


@pytest.mark.parametrize(
    "kind",
    [
        "file",
        pytest.param("folder", marks=pytest.mark.slow),
        pytest.param("glob", marks=pytest.mark.slow),
        "stdin",
    ],
)
def test_nothing_to_read_is_a_warning_and_valid_outputs(tmp_path, out, kind):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").write_bytes(b"")
    given = {"file": "empty.jsonl", "folder": "empty", "glob": "none-*.jsonl", "stdin": "-"}[kind]
    done = run("scan", given, "--out", out, cwd=tmp_path)
    assert done.returncode == DONE
    ledger = json.loads((out / "run.json").read_text())["ledger"]
    assert ledger["articles"] == 0
    said = json.dumps(ledger["warnings"] + ledger["skipped"]) + done.stderr
    assert any(word in said for word in ("empty", "no file", "match", "no records", "nothing")), (
        said
    )
    assert {p.name for p in out.iterdir()} == FILES
    assert rows(out / "articles.jsonl") == rows(out / "groups.jsonl") == []


def test_hostile_texts_change_nothing_but_themselves(tmp_path, out):
    w = Writer("hostile")
    shared = " ".join(w.sentences(5))
    records = [
        {
            "id": "../../etc/passwd",
            "text": shared + "\x00\x1b[31m\u202e",
            "title": "<script>alert(1)</script>",
        },
        {"id": "=HYPERLINK(1)", "text": shared.replace(" ", " \u00ad"), "outlet": "\u202eexample"},
        {"id": "nul\x00id", "text": "\ud83d" + shared},
    ]
    path = tmp_path / "dump.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    assert run("scan", path, "--out", out, "-q").returncode == DONE
    (group,) = rows(out / "groups.jsonl")
    assert len(group["core"]) == 3
    assert "<script>alert(1)" not in (out / "report.html").read_text("utf-8")
    assert {p.name for p in out.iterdir()} == FILES
