"""An index filled in parts holds what one scan of everything finds."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from report_page import Page

import dedup
from dedup import changes
from dedup.changes import table_rows
from dedup.errors import IndexDamagedError, IndexMissingError
from dedup.indextables import RESULTS, result_columns
from dedup.lock import Lock
from dedup.store import Store

SAMPLE = Path(__file__).parent.parent / "data" / "sample" / "articles.jsonl"
HISTORY = {"articles": {"group"}, "groups": {"id"}, "sources": {"groups"}}
"""Columns that hold ids of groups: these are history, and differ from those of a scan."""


def lines() -> list[str]:
    return SAMPLE.read_text(encoding="utf-8").splitlines()


def write(path: Path, records: list[str]) -> Path:
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    return path


def held(index: Path) -> dict[str, list[str]]:
    """The tables of an index, without the ids of groups."""
    database = sqlite3.connect(index / "index.sqlite")
    out = {}
    for name in RESULTS:
        kept = [c for c in result_columns(name) if c not in HISTORY.get(name, ())]
        columns = ", ".join(f'"{c}"' for c in kept)
        out[name] = sorted(map(repr, database.execute(f'SELECT {columns} FROM "{name}"')))
    database.close()
    return out


def scanned(files: list[Path]) -> dict[str, list[str]]:
    """The same of a scan."""
    found = dedup.scan(files, threads=1)
    out = {}
    for name in RESULTS:
        columns = result_columns(name)
        kept = [i for i, c in enumerate(columns) if c not in HISTORY.get(name, ())]
        rows = table_rows(name, found.tables[name])
        out[name] = sorted(repr(tuple(row[i] for i in kept)) for row in rows)
    return out


def filled(folder: Path, parts: list[Path]) -> list[dedup.Update]:
    index = dedup.Index.open(folder, create=True)
    return [index.update(part, threads=1) for part in parts]


@given(st.randoms(use_true_random=False), st.integers(1, 5))
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_updates_in_any_order_equal_one_scan(tmp_path_factory, r, count):
    folder = tmp_path_factory.mktemp("index")
    records = lines()
    r.shuffle(records)
    cuts = sorted(r.sample(range(len(records)), count - 1))
    parts = [
        write(folder / f"{i}.jsonl", records[begin:end])
        for i, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(records)], strict=True))
    ]
    filled(folder / "ix", parts)
    assert held(folder / "ix") == scanned(parts)


def test_the_same_input_again_changes_nothing(tmp_path):
    first, second = filled(tmp_path / "ix", [SAMPLE, SAMPLE])
    assert first.changed
    assert not second.changed
    assert second.changes == []
    assert second.run["run"]["known"] == len(lines())
    assert all(not len(second.tables[name]) for name in RESULTS)


def test_a_run_reports_only_what_it_added_or_changed(tmp_path):
    records = lines()
    parts = [write(tmp_path / "a.jsonl", records[:60]), write(tmp_path / "b.jsonl", records[60:])]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(parts[0])
    before = held(tmp_path / "ix")
    found = index.update(parts[1], out=tmp_path / "out")
    after = held(tmp_path / "ix")
    for name in RESULTS:
        touched = {
            tuple(c["key"])
            for c in found.changes
            if c["table"] == name and c["change"] in ("added", "changed")
        }
        assert len(found.tables[name]) == len(touched)
        assert (before[name] != after[name]) == any(c["table"] == name for c in found.changes)
    assert {r["id"] for r in map(json.loads, records[60:])} <= set(
        found.tables["articles"]["id"].to_pylist()
    )
    assert len(found.tables["articles"]) < len(records)
    told = [json.loads(line) for line in (tmp_path / "out" / "changes.jsonl").open()]
    assert told == found.changes
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["run"]["id"] == found.id


def test_groups_keep_their_ids_as_they_grow(tmp_path):
    records = lines()
    random.Random(3).shuffle(records)
    parts = [write(tmp_path / f"{i}.jsonl", records[i::3]) for i in range(3)]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    seen: dict[str, set[str]] = {}
    for part in parts:
        index.update(part)
        database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
        now = {n: set(json.loads(c)) for n, c in database.execute("SELECT id, core FROM groups")}
        merged = {
            other
            for (others,) in database.execute("SELECT others FROM group_history")
            for other in json.loads(others)
        }
        for name, core in seen.items():
            # An article added to a group leaves its id; a merged one is recorded.
            assert name in now or name in merged
            if name in now:
                assert core & now[name]
        seen = now
    assert len(seen) > 20


def test_a_changed_text_is_a_revision_with_both_digests(tmp_path):
    record = json.loads(lines()[0])
    later = {**record, "text": record["text"] + "\n\nCorrection: the figures were updated."}
    parts = [
        write(tmp_path / "a.jsonl", [json.dumps(record)]),
        write(tmp_path / "b.jsonl", [json.dumps(later)]),
    ]
    _, second = filled(tmp_path / "ix", parts)
    assert second.run["run"]["revisions"] == 1
    refs = second.tables["articles"]["ref"].to_pylist()
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    digests = database.execute("SELECT digest FROM records WHERE id = ?", (record["id"],))
    assert len(digests.fetchall()) == 2
    assert any(ref.startswith(f"{record['id']}@") or ref == record["id"] for ref in refs)
    assert held(tmp_path / "ix") == scanned(parts)


def test_changed_labels_are_reported_as_changed(tmp_path):
    records = lines()
    parts = [write(tmp_path / "a.jsonl", records[::2]), write(tmp_path / "b.jsonl", records[1::2])]
    _, second = filled(tmp_path / "ix", parts)
    changed = [c for c in second.changes if c["table"] == "articles" and c["change"] == "changed"]
    assert changed
    for change in changed:
        assert change["fields"]
        assert change["before"].keys() == change["after"].keys() == set(change["fields"])
    for table, key in (("articles", "ref"), ("groups", "id"), ("sources", "id")):
        rows = {row[key]: row for row in second.tables[table].to_pylist()}
        for change in second.changes:
            if change["table"] == table and change["change"] == "changed":
                row = rows[change["key"][0]]
                for name in set(change["fields"]) - {"passages"}:  # these are in another order
                    assert change["after"][name] == row[name]
                    assert not isinstance(change["before"][name], str) or isinstance(row[name], str)


def test_the_page_of_a_run_says_that_it_shows_a_part_of_the_index(tmp_path):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    records = lines()
    pages = []
    for k, part in enumerate((records[:50], records[40:], records[40:], [])):
        more = {"delete": ["almarsa-001"]} if not part else {}
        out = tmp_path / str(k)
        found = index.update(write(tmp_path / "part.jsonl", part), out=out, **more)
        page = Page((out / "report.html").read_text(encoding="utf-8"))
        pages.append(page.words)
        named = {source["id"] for source in page.chunk("sources")}
        assert set(found.tables["articles"]["source"].to_pylist()) - {None} <= named
    assert "What run 1 added or changed" in pages[0]
    assert "50 new articles, 0 changed." in pages[0]
    assert "34 new articles, 32 changed, and 16 that share text with them" in pages[1]
    assert "Nothing changed in the index" in pages[2]
    assert "1 article was taken out" in pages[3]
    assert not any("No articles were read" in words for words in pages)
    index.tables().write(tmp_path / "all")
    assert "What these articles share" in Page((tmp_path / "all" / "report.html").read_text()).words


def test_a_first_run_without_articles_is_a_run(tmp_path):
    (empty := tmp_path / "empty").mkdir()
    (found,) = filled(tmp_path / "ix", [empty])
    assert (found.changed, found.run["index"]["articles"]) == (False, 0)
    index = dedup.Index.open(tmp_path / "ix")
    assert index.update(SAMPLE, threads=1).run["run"]["new"] == len(lines())


def test_a_run_stopped_twice_compares_what_it_took_in_between(tmp_path, monkeypatch):
    """Stopped once when its results were committed, and again while it took in further records."""

    def stop(*_, **__):
        raise KeyboardInterrupt

    parts = [write(tmp_path / f"{i}.jsonl", lines()[28 * i : 28 * i + 28]) for i in range(3)]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    for name, read in (("outputs.write_update", parts[:1]), ("updating.recall", parts)):
        with monkeypatch.context() as patch:
            patch.setattr(f"dedup.{name}", stop)
            with pytest.raises(KeyboardInterrupt):
                index.update(read, out=tmp_path / "out", threads=1)
    found = index.update(parts, out=tmp_path / "out", threads=1)
    assert (found.number, found.run["run"]["new"]) == (1, 84)
    assert held(tmp_path / "ix") == scanned(parts)


def test_an_index_refuses_other_settings(tmp_path):
    dedup.Index.open(tmp_path / "ix", create=True)
    with pytest.raises(IndexDamagedError, match=r"sensitivity.*rebuild"):
        dedup.Index.open(tmp_path / "ix", settings=dedup.Settings(sensitivity=0.5))


def test_a_folder_without_an_index_is_said_to_be_one(tmp_path):
    with pytest.raises(IndexMissingError, match="dedup update"):
        dedup.Index.open(tmp_path)
    (tmp_path / "index.sqlite").write_bytes(b"not a database, but long enough to look like one" * 9)
    with pytest.raises(IndexDamagedError, match="no index"):
        dedup.Index.open(tmp_path)


def test_an_index_that_another_process_just_made_is_not_replaced(tmp_path, monkeypatch):
    """Both found none; the other one was quicker."""
    take = Lock.take

    def take_late(lock: Lock) -> None:
        monkeypatch.setattr(Lock, "take", take)
        dedup.Index.open(tmp_path / "ix", create=True).update(SAMPLE, threads=1)
        take(lock)

    monkeypatch.setattr(Lock, "take", take_late)
    dedup.Index.open(tmp_path / "ix", create=True)
    assert len(held(tmp_path / "ix")["articles"]) == len(lines())


def test_a_new_text_never_takes_the_number_of_one_that_was_removed(tmp_path):
    """What is kept of comparisons names texts by their numbers."""
    records = lines()
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(write(tmp_path / "a.jsonl", records[:60]), threads=1)
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    (last,) = database.execute("SELECT max(text) FROM texts").fetchone()
    (name,) = database.execute(
        "SELECT id FROM records JOIN texts USING (digest) WHERE text = ?", (last,)
    ).fetchone()
    index.update(write(tmp_path / "b.jsonl", records[60:]), delete=[name], threads=1)
    numbers = database.execute("SELECT text FROM texts WHERE text >= ? ORDER BY text", (last,))
    assert next(numbers) == (last + 1,)
    left = [record for record in records if json.loads(record)["id"] != name]
    now, expected = held(tmp_path / "ix"), scanned([write(tmp_path / "left.jsonl", left)])
    assert {n: now[n] for n in RESULTS[1:]} == {n: expected[n] for n in RESULTS[1:]}


def test_texts_that_come_after_removed_ones_are_not_taken_for_them(tmp_path):
    """What was known of a removed text must not be said of one that comes later."""
    records = [json.loads(line) for line in lines()]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(write(tmp_path / "a.jsonl", lines()), threads=1)
    last = [r["id"] for r in records[-12:]]
    index.update((), delete=last, threads=1)
    gone = write(tmp_path / "a.jsonl", lines()[:-12])
    assert held(tmp_path / "ix") == scanned([gone])
    others = [{**r, "id": f"again-{r['id']}"} for r in reversed(records[-12:])]
    later = write(tmp_path / "c.jsonl", [json.dumps(r) for r in others])
    index.update(later, threads=1)
    assert held(tmp_path / "ix") == scanned([gone, later])


@pytest.mark.parametrize("way", ["one by one", "all at once", "without digests"])
def test_changes_are_the_same_however_rows_are_looked_up(tmp_path, monkeypatch, way):
    records = lines()
    parts = [write(tmp_path / "a.jsonl", records[:60]), write(tmp_path / "b.jsonl", records[60:])]
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(parts[0])
    monkeypatch.setattr(changes, "MOST_LOOKED_UP", 0 if way == "all at once" else 10_000)
    if way == "without digests":
        with Store.open(tmp_path / "ix", writing=True) as store:
            store.drop_parts(changes.DIGESTS)
    before = {name: set(rows) for name, rows in held(tmp_path / "ix").items()}
    found = index.update(parts[1])
    assert held(tmp_path / "ix") == scanned(parts)
    for name, rows in held(tmp_path / "ix").items():
        told = [c["change"] for c in found.changes if c["table"] == name]
        if name not in HISTORY:
            assert told.count("added") + told.count("changed") == len(set(rows) - before[name])
            assert told.count("removed") + told.count("changed") == len(before[name] - set(rows))
