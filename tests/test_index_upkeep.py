"""Looking after an index: deletion, erasure, compaction, export, rebuilding, looking a text up."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import command
import pytest
import zstandard
from test_index import SAMPLE, filled, held, lines, scanned, write

import dedup
from dedup.errors import DedupError, InputError, InternalError, UsageError
from dedup.outputs import with_context
from dedup.read import read_articles
from dedup.store import Store, unpack_arrays
from dedup.updating import bring_up_to_date

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = command.dedup(*arguments)
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


UNUSUAL = ("zyxwvut", "qqland", "ypsilanti", "abcxyzdef", "zwolfkampf")


def unusual(path: Path) -> Path:
    """The sample and an article, twice, whose words no other has."""
    record = {**records()[0], "id": "to-erase", "url": None, "title": "Zwolfkampf"}
    record["text"] = (
        "The zyxwvut brothers of Qqland had quarrelled about the vineyard for a decade. "
        "On Tuesday the notary Ypsilanti-Xerxes of Uvwxyz read them the abcxyzdef will aloud."
    )
    twin = {**record, "id": "twin"}
    return write(path, [*lines(), json.dumps(record), json.dumps(twin)])


def everything(index: Path) -> str:
    """All that can be read in an index, unpacked, in lower case."""
    database = sqlite3.connect(index / "index.sqlite")
    plain = zstandard.ZstdDecompressor()
    said = [file.read_bytes().decode("latin-1") for file in index.iterdir()]
    for table, column in (("texts", "content"), ("frames", "frame")):
        for (data,) in database.execute(f"SELECT {column} FROM {table}"):
            said.append(plain.decompress(data).decode("utf-8", "replace"))
    for (data,) in database.execute("SELECT data FROM parts"):
        said += [a.tobytes().decode("utf-8", "replace") for a in unpack_arrays(data).values()]
    database.close()
    return "\n".join(said).lower()


def test_nothing_is_left_of_an_erased_text(tmp_path):
    path = unusual(tmp_path / "one.jsonl")
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(path, out=tmp_path / "out")
    held_before = everything(tmp_path / "ix")
    assert all(word in held_before for word in UNUSUAL)
    found = index.delete(["to-erase"], erase=True)
    assert found.run["run"]["removed"] == 2  # the text of both
    assert found.run["run"]["outputs"] == [str(tmp_path / "out")]
    left = everything(tmp_path / "ix")
    assert [word for word in UNUSUAL if word in left] == []
    again = index.update(path)
    assert again.run["run"]["erased"] == 2
    assert any("erased" in warning for warning in again.run["ledger"]["warnings"])
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    assert database.execute("SELECT count(*) FROM records WHERE id = 'to-erase'").fetchone() == (0,)
    assert held(tmp_path / "ix")["groups"] == scanned([SAMPLE])["groups"]


def test_an_erasure_that_was_killed_is_ended_by_the_next_run(tmp_path, monkeypatch):
    path = unusual(tmp_path / "one.jsonl")
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(path, out=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("dedup.index.bring_up_to_date", lambda *_: 1 / 0)  # as good as a kill
        with pytest.raises(ZeroDivisionError):
            index.delete(["to-erase"], erase=True)
    assert index.info()["unfinished"] is not None
    found = index.update()
    assert found.run["run"]["continued"]
    assert found.run["run"]["removed"] > 0  # by the process that was killed
    assert found.run["run"]["outputs"] == [str(tmp_path / "out")]
    left = everything(tmp_path / "ix")
    assert [word for word in UNUSUAL if word in left] == []


@pytest.mark.parametrize("ended", ["before the commit", "after the commit"])
def test_the_same_erasure_again_after_a_kill_is_a_success(tmp_path, monkeypatch, ended):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(unusual(tmp_path / "one.jsonl"))
    place = "bring_up_to_date" if ended == "before the commit" else "write_targets"
    with monkeypatch.context() as patch:
        patch.setattr(f"dedup.index.{place}", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index.delete(["to-erase"], erase=True)
    done = run("index", "delete", tmp_path / "ix", "--id", "to-erase", "--erase")
    assert "no article" not in done.stderr
    run("index", "delete", tmp_path / "ix", "--id", "to-erase", "--erase", code=3)


def test_the_page_shows_the_group_of_a_changed_article_also_where_it_stands(tmp_path):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    member = index.update(SAMPLE, threads=1).tables["groups"].to_pylist()[0]["core"][0]
    record = next(record for record in records() if record["id"] == member)
    # Of several copies of a record the one with the first title stands.
    later = tmp_path / "later.jsonl"
    later.write_text(json.dumps({**record, "title": "!"}), encoding="utf-8")
    update = index.update(later, threads=1)
    assert [row["id"] for row in update.tables["articles"].to_pylist()] == [member]
    with Store.open(tmp_path / "ix") as store:
        shown = with_context(store, update.tables)["groups"].to_pylist()
    assert [row["core"] for row in shown if member in row["articles"]]


def test_runs_are_called_what_they_did(tmp_path):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(SAMPLE, threads=1)
    index.delete([records()[0]["id"]], threads=1)
    dedup.Index.rebuild(tmp_path / "ix", threads=1)
    assert [r["kind"] for r in index.info()["last_runs"]] == ["rebuild", "delete", "update"]


def test_an_unknown_id_or_outlet_is_told_and_is_no_success(sample_index):
    done = run("index", "delete", sample_index, "--id", "nope", "--erase", code=3)
    assert "no article 'nope'" in done.stderr
    done = run("index", "delete", sample_index, "--outlet", "nobody", code=3)
    assert "no article of an outlet 'nobody'" in done.stderr
    assert "Nothing changed" in done.stdout


def test_what_is_refused_leaves_no_run_behind(tmp_path):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    with pytest.raises(InputError):
        index.update(tmp_path / "nope.jsonl")
    index.update(SAMPLE, out=tmp_path / "out")
    with pytest.raises(UsageError):
        index.update(SAMPLE, out=tmp_path / "out")
    assert index.info()["unfinished"] is None
    assert len(index.info()["last_runs"]) == 1


def test_a_folder_that_a_killed_run_owed_is_written(tmp_path, monkeypatch):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    parts = [write(tmp_path / "a.jsonl", lines()[:50]), write(tmp_path / "b.jsonl", lines()[50:])]
    with monkeypatch.context() as patch:
        patch.setattr("dedup.index.bring_up_to_date", killed_after_reading)
        with pytest.raises(ZeroDivisionError):
            index.update(parts[0], out=tmp_path / "owed")
    found = index.update(parts[1])
    written = (tmp_path / "owed" / "articles.jsonl").read_text().splitlines()
    assert len(written) == len(found.tables["articles"]) == len(lines())


def killed_after_reading(*arguments):
    """Take in the records, and come to an end as a killed process does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.updating.compare_all", lambda *_: 1 / 0)
        bring_up_to_date(*arguments)


def test_a_page_that_cannot_be_made_is_no_fault_of_the_folder(tmp_path, monkeypatch):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    with monkeypatch.context() as patch:
        patch.setattr("dedup.report.html.render_page", lambda _: (tmp_path / "none").read_text())
        with pytest.raises(InternalError, match="'page'"):
            index.update(SAMPLE, out=tmp_path / "out")
        with pytest.raises(InternalError, match="'page'"):
            dedup.scan(SAMPLE).write(tmp_path / "scan")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "scan").exists()
    assert index.update(SAMPLE).run["run"]["continued"]
    assert (tmp_path / "out" / "report.html").is_file()


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


@pytest.mark.slow
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


def test_an_index_in_which_no_run_began_is_whole(tmp_path):
    """As one whose first run was killed at once."""
    index = dedup.Index.open(tmp_path / "ix", create=True)
    assert index.verify(threads=1).problems == []


def test_what_a_refused_run_learned_of_known_articles_is_in_the_results_of_the_next(
    tmp_path, monkeypatch
):
    """Batches before the record for which a run is refused are in the index already."""
    monkeypatch.setattr("dedup.ingest.BATCH_BYTES", 1)
    monkeypatch.setattr("dedup.run.read_articles", partial(read_articles, batch_bytes=1))
    some = records()[:4]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(write(tmp_path / "a.jsonl", [json.dumps(record) for record in some]))
    earlier = [{**record, "published": "2001-01-01"} for record in some]
    file = write(tmp_path / "b.jsonl", [json.dumps(record) for record in earlier])
    broken = tmp_path / "c.jsonl"
    broken.write_text('{"id": "x"}\n', encoding="utf-8")
    with pytest.raises(DedupError):
        index.update([file, broken], read=dedup.ReadSettings(strict=True))
    index.update(file)
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    stated = database.execute("SELECT count(*) FROM articles WHERE published LIKE '2001-01-01%'")
    assert stated.fetchone() == (4,)
