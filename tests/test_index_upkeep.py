"""Looking after an index: deletion, erasure, compaction, export, rebuilding, looking a text up."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from test_index import SAMPLE, filled, held, lines, scanned, write

import dedup
from dedup.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dedup", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def sample_index(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "ix"
    filled(folder, [SAMPLE])
    return folder


def records() -> list[dict]:
    return [json.loads(line) for line in lines()]


def test_deletion_leaves_what_a_scan_of_the_rest_finds(tmp_path):
    gone = {record["id"] for record in records()[::7]}
    rest = [line for line in lines() if json.loads(line)["id"] not in gone]
    filled(tmp_path / "ix", [write(tmp_path / "all.jsonl", lines())])
    index = dedup.Index.open(tmp_path / "ix")
    found = index.delete(sorted(gone), out=tmp_path / "out")
    assert found.run["run"]["removed"] == len(gone)
    kept = held(tmp_path / "ix")
    expected = scanned([write(tmp_path / "all.jsonl", rest)])
    # Positions are those of the file as it was.
    del kept["articles"], expected["articles"]
    assert kept == expected
    removed = {
        c["key"][0] for c in found.changes if (c["table"], c["change"]) == ("articles", "removed")
    }
    assert removed == gone


def test_deletion_by_outlet_and_by_date(tmp_path):
    filled(tmp_path / "ix", [SAMPLE])
    index = dedup.Index.open(tmp_path / "ix")
    outlet = next(r["outlet"] for r in records() if r.get("outlet"))
    index.delete(outlets=[outlet])
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    assert database.execute(
        "SELECT count(*) FROM records WHERE outlet = ?", (outlet,)
    ).fetchone() == (0,)
    left = database.execute("SELECT count(*) FROM articles").fetchone()[0]
    assert 0 < left < len(lines())
    index.delete(before="2100-01-01")
    assert database.execute("SELECT count(*) FROM articles").fetchone() == (0,)
    with pytest.raises(UsageError, match="2024-06-30"):
        index.delete(before="last week")


def test_nothing_is_left_of_an_erased_text(tmp_path):
    record = {**records()[0], "id": "to-erase", "url": None, "title": "Zwolfkampf"}
    record["text"] = (
        "The zyxwvut brothers of Qqland had quarrelled about the vineyard for a decade. "
        "On Tuesday the notary Ypsilanti-Xerxes of Uvwxyz read them the abcxyzdef will aloud."
    )
    path = write(tmp_path / "one.jsonl", [*lines(), json.dumps(record)])
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(path, out=tmp_path / "out")
    assert b"to-erase" in (tmp_path / "ix" / "index.sqlite").read_bytes()
    found = index.delete(["to-erase"], erase=True)
    assert found.run["run"]["outputs"] == [str(tmp_path / "out")]
    for file in (tmp_path / "ix").iterdir():
        content = file.read_bytes().lower()
        for word in (b"zyxwvut", b"qqland", b"ypsilanti", b"abcxyzdef", b"zwolfkampf"):
            assert word not in content, (file, word)
    again = index.update(path)
    assert again.run["run"]["erased"] == 1
    assert any("erased" in warning for warning in again.run["ledger"]["warnings"])
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    assert database.execute("SELECT count(*) FROM records WHERE id = 'to-erase'").fetchone() == (0,)
    assert held(tmp_path / "ix")["groups"] == scanned([SAMPLE])["groups"]


def test_compaction_changes_no_result(tmp_path):
    parts = [write(tmp_path / f"{i}.jsonl", lines()[i::4]) for i in range(4)]
    filled(tmp_path / "ix", parts[:3])
    index = dedup.Index.open(tmp_path / "ix")
    index.delete([records()[0]["id"]])
    before, after = index.compact()
    assert after <= before
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    kinds = [kind for (kind,) in database.execute("SELECT kind FROM parts")]
    assert len(kinds) == len(set(kinds))
    database.close()
    index.update(parts[3])
    index.update(write(tmp_path / "again.jsonl", lines()[:1]))
    kept, expected = held(tmp_path / "ix"), scanned(parts)
    del kept["articles"], expected["articles"]  # one now comes from another file
    assert kept == expected


def test_an_export_is_a_scan(tmp_path):
    parts = [write(tmp_path / f"{i}.jsonl", lines()[i::3]) for i in range(3)]
    filled(tmp_path / "ix", parts)
    run("index", "export", tmp_path / "ix", "--out", tmp_path / "out", "-q")
    dedup.scan(parts).write(tmp_path / "scan")
    for name in ("passages", "matches", "relations", "near_misses", "rejected"):
        file = f"{name}.jsonl"
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "scan" / file).read_bytes()
    assert (tmp_path / "out" / "texts.parquet").read_bytes() == (
        tmp_path / "scan" / "texts.parquet"
    ).read_bytes()
    keys = [
        sorted(json.loads(line)["key"] for line in (tmp_path / d / "groups.jsonl").open())
        for d in ("out", "scan")
    ]
    assert keys[0] == keys[1]


def test_a_rebuilt_index_is_one_made_with_these_settings(tmp_path):
    filled(tmp_path / "ix", [SAMPLE])
    settings = dedup.Settings(sensitivity=0.6, copy_share=0.7)
    before = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    names = {name for (name,) in before.execute("SELECT id FROM groups")}
    dedup.Index.rebuild(tmp_path / "ix", settings=settings)
    after = {name for (name,) in before.execute("SELECT id FROM groups")}
    assert len(names & after) > len(names) / 2
    assert dedup.Index.open(tmp_path / "ix").settings == settings
    dedup.Index.open(tmp_path / "other", create=True, settings=settings).update(SAMPLE)
    assert held(tmp_path / "ix") == held(tmp_path / "other")


def test_a_text_of_the_index_is_known(sample_index):
    record = records()[3]
    found = dedup.Index.open(sample_index).check(record["text"])
    assert record["id"] in found.known


def test_a_new_copy_gets_the_flag_that_adding_it_gives(tmp_path):
    """Every article checked against an index of all others, then added to it in earnest."""
    agreed = checked = 0
    for number in range(0, len(lines()), 6):
        rest = [line for i, line in enumerate(lines()) if i != number]
        record = records()[number]
        folder = tmp_path / str(number)
        folder.mkdir()
        index = dedup.Index.open(folder / "ix", create=True)
        index.update(write(folder / "rest.jsonl", rest))
        file = write(folder / "one.jsonl", [lines()[number]])
        told = json.loads(run("check", folder / "ix", file, "--json").stdout)
        index.update(file)
        database = sqlite3.connect(folder / "ix" / "index.sqlite")
        row = database.execute(
            'SELECT flag, source, "group" FROM articles WHERE id = ?', (record["id"],)
        ).fetchone()
        checked += 1
        agreed += (told["article"]["flag"], told["article"]["source"]) == row[:2]
        related = database.execute(
            "SELECT a, b, relation FROM relations WHERE ? IN (a, b)", (record["id"],)
        ).fetchall()
        assert {(r["b"], r["relation"]) for r in told["relations"]} == {
            (b if a == record["id"] else a, relation) for a, b, relation in related
        }
    assert agreed == checked


def test_the_commands_say_what_is_wrong(tmp_path):
    done = run("check", tmp_path, "-", code=2)
    assert "there is no index here" in done.stderr
    done = run("index", "delete", tmp_path, code=2)
    assert "--id, --outlet or --before" in done.stderr


def test_info_counts_what_is_there(sample_index):
    told = json.loads(run("index", "info", sample_index, "--json").stdout)
    assert told["rows"]["articles"] == len(lines())
    assert told["unfinished"] is None
    assert "articles" in run("index", "info", sample_index).stdout
