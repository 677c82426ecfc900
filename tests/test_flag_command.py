"""``flag``: one line an article, alone, against a former scan, from standard input."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from dumps import ROOT, write_jsonl
from oracles import Writer, newsroom
from test_scan_cli import run

import dedup
from dedup.errors import InputError, UsageError
from dedup.report.flags import as_csv

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
COLUMNS = ["id", "flag", "source", "confidence", "share_copied", "best_match", "why"]


@pytest.fixture(scope="module")
def former(sample, tmp_path_factory) -> Path:
    """The sample's scan as a folder."""
    out = tmp_path_factory.mktemp("former") / "out"
    sample.write(out, report=False)
    return out


def test_every_flag_of_the_sample_s_truth():
    truth = [json.loads(line) for line in (SAMPLE.parent / "truth.jsonl").open(encoding="utf-8")]
    wanted = {t["id"]: (t["flag"], t["source"]) for t in truth if t["type"] == "article"}
    rows = dedup.flag(SAMPLE, threads=1).table.to_pylist()
    assert list(rows[0]) == COLUMNS
    assert {row["id"]: (row["flag"], row["source"]) for row in rows} == wanted


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_against_a_former_scan_is_as_a_scan_of_both(tmp_path, form):
    records = newsroom(11)
    path = write_jsonl(tmp_path / "all.jsonl", records)
    whole = {a["ref"]: a for a in dedup.scan(path, threads=1).articles.to_pylist()}
    old, new = records[: len(records) // 2], records[len(records) // 2 :]
    dedup.scan(write_jsonl(tmp_path / "old.jsonl", old), threads=1).write(
        tmp_path / "old", format=form, report=False
    )
    found = dedup.flag(
        write_jsonl(tmp_path / "new.jsonl", new), against=tmp_path / "old", threads=1
    )
    assert len(found) == len({(r["id"], r["text"]) for r in new}) > 5
    for row in found.table.to_pylist():
        assert row == {"id": row["id"]} | {name: whole[row["id"]][name] for name in COLUMNS[1:]}
    assert {row["flag"] for row in found.table.to_pylist()} >= {"syndicated", "unique"}


def test_an_article_that_the_former_scan_holds_already_is_listed(former):
    found = dedup.flag(SAMPLE, against=former, threads=1)
    assert found.table.equals(dedup.flag(SAMPLE, threads=1).table)


def test_credits_in_the_metadata_of_former_articles_count(tmp_path):
    w = Writer("metadata")
    text = " ".join(w.sentences(10))
    old = {"id": "old", "outlet": "a.example", "text": text, "sourceOrganization": "Reuters"}
    path = write_jsonl(tmp_path / "old.jsonl", [old])
    dedup.scan(path, threads=1).write(tmp_path / "old", report=False)
    new = write_jsonl(tmp_path / "new.jsonl", [{"id": "n", "outlet": "b.example", "text": text}])
    (row,) = dedup.flag(new, against=tmp_path / "old", threads=1).table.to_pylist()
    assert (row["flag"], row["source"], row["best_match"]) == ("syndicated", "reuters", "old")


def test_only_and_min_share():
    every = dedup.flag(SAMPLE, threads=1).table.to_pylist()
    some = dedup.flag(SAMPLE, only=["syndicated", "partial"], min_share=0.5, threads=1)
    wanted = [r for r in every if r["flag"] in ("syndicated", "partial")]
    assert some.table.to_pylist() == [r for r in wanted if r["share_copied"] >= 0.5] != []
    with pytest.raises(UsageError, match="there is no flag 'copied'; known are: syndicated"):
        dedup.flag(SAMPLE, only=["copied"])
    with pytest.raises(UsageError, match="between 0 and 1, got 50"):
        dedup.flag(SAMPLE, min_share=50)


def test_what_cannot_be_compared_with(tmp_path, former):
    with pytest.raises(InputError, match="no such folder"):
        dedup.flag(SAMPLE, against=tmp_path / "none")
    with pytest.raises(InputError, match=r"no output of `dedup scan`"):
        dedup.flag(SAMPLE, against=tmp_path)
    dedup.scan(SAMPLE, threads=1).write(tmp_path / "bare", texts=False, report=False)
    with pytest.raises(UsageError, match="--no-texts"):
        dedup.flag(SAMPLE, against=tmp_path / "bare")


# --- the command --------------------------------------------------------------------------------


def test_the_formats_say_the_same():
    rows = dedup.flag(SAMPLE, threads=1).table.to_pylist()
    as_lines = run("flag", SAMPLE, "--format", "jsonl")
    assert [json.loads(line) for line in as_lines.stdout.splitlines()] == rows
    as_table = run("flag", SAMPLE).stdout.splitlines()
    assert as_table[0].split("\t") == COLUMNS
    assert [line.split("\t")[:2] for line in as_table[1:]] == [[r["id"], r["flag"]] for r in rows]
    assert [line.split("\t")[6] for line in as_table[1:]] == [r["why"] for r in rows]
    as_cells = list(csv.reader(io.StringIO(run("flag", SAMPLE, "--format", "csv").stdout)))
    assert as_cells[0] == COLUMNS
    assert [r[6] for r in as_cells[1:]] == [r["why"] for r in rows]


def test_the_exit_code_tells(tmp_path):
    w = Writer("exit code")
    alone = write_jsonl(tmp_path / "alone.jsonl", [{"id": "a", "text": " ".join(w.sentences(5))}])
    assert run("flag", alone, "--exit-code").returncode == 0
    assert run("flag", SAMPLE).returncode == 0
    assert run("flag", SAMPLE, "--exit-code").returncode == 10
    assert run("flag", SAMPLE, "--exit-code", "--only", "unique").returncode == 0
    assert run("flag", tmp_path / "none.jsonl", "--exit-code").returncode == 3
    assert run("flag", SAMPLE, "--only", "copied").returncode == 2
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(SAMPLE.read_bytes() + b"{broken\n")
    lenient = run("flag", broken)
    assert (lenient.returncode, lenient.stderr) == (0, "dedup: warning: 1 record was rejected\n")
    strict = run("flag", broken, "--strict", "--exit-code")
    assert (strict.returncode, strict.stdout) == (3, "")


def test_a_pasted_article_is_read_from_standard_input(former):
    article = next(json.loads(line) for line in SAMPLE.open(encoding="utf-8"))
    pasted = ("An opening, of its own.\n" + article["text"]).encode()
    arguments = ("flag", "-", "--against", former, "--format", "jsonl", "--exit-code")
    done = run(*arguments, stdin=pasted)
    row = json.loads(done.stdout)
    assert row["id"] == "-"
    assert row["best_match"] == article["id"]
    assert row["share_copied"] > 0.5
    line = run(*arguments, stdin=json.dumps({"id": "x", "text": pasted.decode()}).encode())
    assert json.loads(line.stdout)["best_match"] == article["id"]


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        ("id,text\nx,A short text\n", "csv"),
        ("OSLO, May 3 (Reuters) - A text\nin two lines", "text"),
        ("text", "csv"),
        ("\ufeffMålet, sier hun, er nådd.", "text"),
    ],
)
def test_what_standard_input_is_taken_for(data, columns):
    done = run("flag", "-", "--format", "jsonl", stdin=data.encode())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    if columns == "text":
        assert [row["id"] for row in rows] == ["-"]
    else:
        assert [row["id"] for row in rows] == (["x"] if "\n" in data else [])


def test_nothing_on_standard_input(tmp_path):
    done = run("flag", "-", "--exit-code")
    assert done.returncode == 0
    assert "no articles were read" in done.stderr


def test_texts_of_others_cannot_steer_terminal_or_spreadsheet(tmp_path):
    w = Writer("steer")
    records = [{"id": "=HYPERLINK(1)\x1b[2J", "text": " ".join(w.sentences(5))}]
    path = write_jsonl(tmp_path / "dump.jsonl", records)
    assert "\x1b" not in run("flag", path).stdout
    table = dedup.flag(path, threads=1).table
    assert as_csv(table).decode().splitlines()[1].startswith("\"'=HYPERLINK(1)")
