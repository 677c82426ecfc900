"""An update makes the rows that something touched, and finds what one finds that makes all."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from dumps import write_jsonl
from oracles import newsroom
from test_index import SAMPLE
from test_index_states import FAMILY, FEW, POOL

import dedup
from dedup import pipeline, rejudge, updating
from dedup.relate import related_matches
from dedup.store import Store
from dedup.touched import JUDGED, VIEWS, Touched

if TYPE_CHECKING:
    from pathlib import Path

    from dedup.tables.selection import Selection


@pytest.fixture
def made(monkeypatch) -> list[Selection | None]:
    """What the updates of a test make: ``None`` where it is everything."""
    found: list[Selection | None] = []
    touched_rows, only_grew = updating.touched_rows, updating._only_grew

    def watched(*arguments: Any) -> Touched:
        touched = touched_rows(*arguments)
        found[-1] = touched.selection
        return touched

    def asked(*arguments: Any) -> bool:
        found.append(None)
        return only_grew(*arguments)

    monkeypatch.setattr(updating, "touched_rows", watched)
    monkeypatch.setattr(updating, "_only_grew", asked)
    return found


def without_views(index: Path) -> None:
    with Store.open(index, writing=True) as store, store.transaction():
        store.drop_parts(VIEWS)
        store.drop_parts(JUDGED)


def sample() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def told(update: dedup.Update) -> dict[str, Any]:
    tables = {name: table.to_pylist() for name, table in update.tables.items()}
    return {"tables": tables, "changes": update.changes, "counts": update.run["counts"]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("settings", [dedup.Settings(), FEW], ids=["default", "few"])
def test_a_run_tells_the_same_whether_it_makes_some_rows_or_all(tmp_path, made, seed, settings):
    r = random.Random(seed)
    records = [*POOL, *sample(), *newsroom(seed)]
    r.shuffle(records)
    again = [{**x, "id": f"{x['id']}-again"} for x in r.sample(records, 12)]
    revised = [{**x, "text": f"{x['text']}\n{records[0]['text']}"} for x in r.sample(records, 12)]
    later = [*again, *revised]
    r.shuffle(later)
    parts = [records[:150], records[150:200], [*records[200:], *later[:12]], later[12:], later[:3]]
    whole, some = tmp_path / "whole", tmp_path / "some"
    for number, part in enumerate(parts):
        file = write_jsonl(tmp_path / f"{number}.jsonl", part)
        # Ids of runs and places of files are the same in both.
        shutil.rmtree(whole, ignore_errors=True)
        if some.exists():
            shutil.copytree(some, whole)
            without_views(whole)
        one = dedup.Index.open(whole, create=True, settings=settings).update(file, threads=1)
        two = dedup.Index.open(some, create=True, settings=settings).update(file, threads=1)
        assert told(one) == told(two)
        found = dedup.Index.open(some).verify(threads=1)
        assert found.problems == []
    assert sum(selection is not None for selection in made) >= 3


def test_only_what_is_touched_is_made(tmp_path, made):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(SAMPLE, threads=1)
    alone = {"id": "alone", "outlet": "Elsewhere", "text": "A new pier was opened in Halden."}
    index.update(write_jsonl(tmp_path / "a.jsonl", [alone]), threads=1)
    first = sample()[0]
    member = {**first, "id": "copied", "outlet": "Elsewhere"}
    update = index.update(write_jsonl(tmp_path / "b.jsonl", [member]), threads=1)
    everything, nothing, group = made
    assert everything is None
    assert nothing is not None
    assert nothing.records.sum() == 1
    assert not any(x.any() for x in (nothing.pairs, nothing.groups, nothing.clusters))
    assert group is not None
    assert group.groups.sum() == 1
    (row,) = update.tables["groups"].to_pylist()
    assert "copied" in row["articles"]
    assert group.records.sum() < 30


@pytest.mark.parametrize("way", ["damaged", "other columns", "a row of a table is lost"])
def test_everything_is_made_where_it_is_not_known_what_stands(tmp_path, made, way):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    records = [POOL[i] for i in range(len(POOL)) if i not in FAMILY]
    index.update(write_jsonl(tmp_path / "a.jsonl", records[:-5]), threads=1)
    with Store.open(tmp_path / "ix", writing=True) as store, store.transaction():
        if way == "damaged":
            store.connection.execute("UPDATE parts SET data = x'00' WHERE kind = ?", (VIEWS,))
        elif way == "other columns":
            (views,) = store.parts(VIEWS)
            store.replace_parts(VIEWS, 1, {**views, "records": views["records"][:, :1]})
        else:
            store.connection.execute(
                "DELETE FROM relations WHERE rowid = (SELECT max(rowid) FROM relations)"
            )
    index.update(write_jsonl(tmp_path / "b.jsonl", records[-5:]), threads=1)
    assert made == [None, None]
    assert index.verify(threads=1).problems == []


@pytest.fixture
def judged(monkeypatch) -> list[int]:
    """How many pairs each run judges."""
    counts: list[int] = []

    def counted(c: Any, alignment: Any, *others: Any) -> Any:
        counts.append(len(alignment.pair_a))
        return related_matches(c, alignment, *others)

    monkeypatch.setattr(pipeline, "related_matches", counted)
    monkeypatch.setattr(rejudge, "related_matches", counted)
    return counts


def test_pairs_that_nothing_touched_are_not_judged_again(tmp_path, judged):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(SAMPLE, threads=1)
    alone = {"id": "alone", "outlet": "Elsewhere", "text": "A new pier was opened in Halden."}
    index.update(write_jsonl(tmp_path / "a.jsonl", [alone]), threads=1)
    first = sample()[0]
    more = {**first, "id": "more", "text": f"{first['text']} A pier was opened in Halden."}
    index.update(write_jsonl(tmp_path / "b.jsonl", [more]), threads=1)
    everything, nothing, some = judged
    assert nothing == 0
    assert 0 < some < everything / 2


@pytest.mark.parametrize("column", [None, "of_passage", "told", "outlet"])
def test_all_pairs_are_judged_where_what_was_kept_cannot_be_used(tmp_path, judged, column):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(SAMPLE, threads=1)
    with Store.open(tmp_path / "ix", writing=True) as store, store.transaction():
        if column is None:
            store.connection.execute("UPDATE parts SET data = x'00' WHERE kind = ?", (JUDGED,))
        else:
            (kept,) = store.parts(JUDGED)
            other = kept[column][:-1] if column == "outlet" else kept[column] + 10**6
            store.replace_parts(JUDGED, 1, {**kept, column: other.astype(kept[column].dtype)})
    alone = {"id": "alone", "outlet": "Elsewhere", "text": "A new pier was opened in Halden."}
    index.update(write_jsonl(tmp_path / "a.jsonl", [alone]), threads=1)
    assert judged[0] == judged[1]
    assert index.verify(threads=1).problems == []


def test_taking_out_and_corrections_make_everything(tmp_path, made):
    index = dedup.Index.open(tmp_path / "ix", create=True)
    index.update(SAMPLE, threads=1)
    index.update(delete=[sample()[0]["id"]], threads=1)
    families = tmp_path / "families.toml"
    families.write_text(
        '[[family]]\nid = "house"\nname = "House"\noutlets = ["Al-Marsa", "Al-Qantara"]\n'
    )
    index.update(families=families, threads=1)
    assert made == [None, None, None]
