"""An index holds what one scan of its articles finds, whatever was added, revised and taken out."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dumps import write_jsonl
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from oracles import Writer, newsroom
from test_index import HISTORY

import dedup
from dedup import candidates, joining, updating
from dedup.arena import Arena
from dedup.changes import table_rows
from dedup.families import NO_FAMILIES
from dedup.formerpairs import KnownPassages, former_pairs
from dedup.indextables import RESULTS, result_columns
from dedup.recall import load_vocabulary, recall
from dedup.reuse import nothing_known
from dedup.store import Store

PLACES = {"articles": {"file", "position"}}
"""Columns that say where a record was read: of an index and of a scan, not in the same files."""
FEW = dedup.Settings(max_partners=6, representatives=2)
"""Also pairs of articles are left to the strongest and to representatives."""
VARIANTS = 36


def pool() -> list[dict[str, Any]]:
    """Stories, furniture and quotes of some outlets, and a family of sentences with many variants,
    so that buckets of the index become full and their representatives are displaced."""
    records = newsroom(7, stories=3, loners=3)
    w = Writer("variants")
    parent = [w.word() for _ in range(14)]
    for n in range(VARIANTS):
        words = list(parent)
        for place in w.random.sample(range(14), 3):
            words[place] = w.word()
        text = "\n".join([" ".join(words) + ".", *w.sentences(3)])
        records.append({"id": f"variant-{n:02}", "outlet": f"outlet-{n % 5}", "text": text})
    return records


POOL = pool()
FAMILY = range(len(POOL) - VARIANTS, len(POOL))
"""Where the variants stand in it."""


def compared(columns: list[str], name: str) -> list[str]:
    left_out = HISTORY.get(name, set()) | PLACES.get(name, set())
    return [column for column in columns if column not in left_out]


def held(index: Path) -> dict[str, list[str]]:
    """The rows of all tables of an index, but for what is history."""
    database = sqlite3.connect(index / "index.sqlite")
    rows = {}
    for name in RESULTS:
        columns = ", ".join(f'"{c}"' for c in compared(result_columns(name), name))
        rows[name] = sorted(map(repr, database.execute(f'SELECT {columns} FROM "{name}"')))
    database.close()
    return rows


def scanned(file: Path, settings: dedup.Settings) -> dict[str, list[str]]:
    """The same of a scan."""
    found = dedup.scan(file, settings=settings, threads=1)
    rows = {}
    for name in RESULTS:
        columns = result_columns(name)
        at = [columns.index(column) for column in compared(columns, name)]
        made = table_rows(name, found.tables[name])
        rows[name] = sorted(repr(tuple(row[i] for i in at)) for row in made)
    return rows


def remembered(index: Path, settings: dedup.Settings) -> None:
    """What the next run is told of passages is what comparing all of them finds."""
    with Store.open(index) as store:
        words = load_vocabulary(store)
        now = recall(store, words, NO_FAMILIES, settings, arena=Arena(), threads=1).earlier
        c = now.collection
        now.lay_out(np.arange(c.nodes))
    nothing = nothing_known(c, []).passages
    fresh = candidates.find_candidates(c, settings, earlier=nothing)
    anew = KnownPassages(now.passages.known, fresh.similar, fresh.crowd)
    start, member = candidates.unique_passages(c, settings)
    told, true = (former_pairs(c, start, member, x, settings) for x in (now.passages, anew))
    assert np.array_equal(told.role, true.role)
    pairs = [
        set(zip(np.minimum(x.u, x.v), np.maximum(x.u, x.v), x.shared, strict=True))
        for x in (told, true)
    ]
    assert pairs[0] == pairs[1]


class FilledIndex(RuleBasedStateMachine):
    """Adds, revises, repeats and deletes articles of the pool in any order."""

    @initialize(settings=st.sampled_from([FEW, dedup.Settings()]))
    def begin(self, settings: dedup.Settings) -> None:
        self.settings = settings
        self.folder = tempfile.TemporaryDirectory(prefix="dedup-test-")
        self.root = Path(self.folder.name)
        self.index = dedup.Index.open(self.root / "ix", create=True, settings=settings)
        self.records: list[dict[str, Any]] = []
        self.changed = False

    def teardown(self) -> None:
        self.folder.cleanup()

    def update(self, records: list[dict[str, Any]], **more: Any) -> dedup.Update:
        self.changed = True
        return self.index.update(write_jsonl(self.root / "part.jsonl", records), threads=1, **more)

    def take_in(self, some: list[dict[str, Any]]) -> None:
        self.update(some)
        known = {(r["id"], r["text"]) for r in self.records}
        self.records += [r for r in some if (r["id"], r["text"]) not in known]

    @rule(chosen=st.sets(st.integers(0, len(POOL) - 1), min_size=1, max_size=30))
    def add(self, chosen: set[int]) -> None:
        self.take_in([POOL[i] for i in sorted(chosen)])

    @rule(start=st.integers(0, 5), step=st.sampled_from([2, 3, 5]))
    def crowd(self, start: int, step: int) -> None:
        """Many variants at once: buckets become full, or have other representatives."""
        self.take_in([POOL[i] for i in FAMILY[start::step]])

    @rule(
        chosen=st.integers(0, len(POOL) - 1),
        other=st.integers(0, len(POOL) - 1),
        day=st.integers(1, 9),
    )
    def revise(self, chosen: int, other: int, day: int) -> None:
        """An article takes in the first lines of another one, on a later day."""
        record = POOL[chosen]
        lines = POOL[other]["text"].splitlines()[:day]
        text = "\n".join([*lines, record["text"]])
        later = {**record, "text": text, "published": f"2024-09-0{day}"}
        self.take_in([later])

    @rule(r=st.randoms(use_true_random=False), share=st.sampled_from([0.1, 0.3, 1.0]))
    def delete(self, r: Any, share: float) -> None:
        """Some articles, with all their revisions, while a few others come."""
        ids = sorted({record["id"] for record in self.records})
        gone = set(r.sample(ids, int(share * len(ids))))
        some = [record for record in r.sample(POOL, 3) if record["id"] not in gone]
        self.update(some, delete=sorted(gone))
        left = [record for record in self.records if record["id"] not in gone]
        known = {(record["id"], record["text"]) for record in left}
        self.records = left + [x for x in some if (x["id"], x["text"]) not in known]

    @rule(chosen=st.sets(st.integers(0, len(POOL) - 1), min_size=1, max_size=9))
    def lend(self, chosen: set[int]) -> None:
        """Texts come under other ids, and passages in other texts."""
        some = []
        for i in sorted(chosen):
            first = POOL[i]["text"].splitlines()[0]
            other = POOL[(i * 7 + 3) % len(POOL)]["text"]
            some.append({**POOL[i], "id": f"{POOL[i]['id']}-again"})
            some.append({**POOL[i], "id": f"{POOL[i]['id']}-part", "text": f"{first}\n{other}"})
        self.take_in(some)

    @rule()
    def nothing(self) -> None:
        assert self.update([]).changes == []

    @rule()
    def repeat(self) -> None:
        found = self.update(self.records[::3])
        assert found.changes == []

    @rule()
    def compact(self) -> None:
        self.index.compact()
        self.changed = True

    @invariant()
    def holds_what_a_scan_finds(self) -> None:
        if not self.changed:
            return
        self.changed = False
        expected = scanned(write_jsonl(self.root / "all.jsonl", self.records), self.settings)
        now = held(self.root / "ix")
        for name in RESULTS:
            assert now[name] == expected[name], name
        remembered(self.root / "ix", self.settings)
        assert self.index.verify(threads=1).problems == []


@pytest.fixture
def _small_buckets(monkeypatch):
    """Buckets are full, and have representatives, in a corpus of some dozen articles; what runs
    add is joined after a few of them."""
    monkeypatch.setattr(joining, "BUCKET_CAP", 6)
    monkeypatch.setattr(joining, "BUCKET_REPRESENTATIVES", 2)
    monkeypatch.setattr(updating, "MOST_PARTS", 2)


@pytest.mark.usefixtures("_small_buckets")
def test_an_index_holds_what_a_scan_finds_whatever_was_done():
    """Whole tables are compared, row by row."""
    run_state_machine_as_test(
        FilledIndex,
        settings=hypothesis_settings(
            max_examples=8,
            stateful_step_count=6,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("_small_buckets")
def test_pairs_that_a_full_bucket_gives_up_are_said_to_be_cut(tmp_path):
    """What the test above rests on: with such buckets pairs are cut and roles change."""
    index = dedup.Index.open(tmp_path / "ix", create=True)
    variants = [record for record in POOL if record["id"].startswith("variant")]
    cut = roles = 0
    for k in range(6):
        index.update(write_jsonl(tmp_path / "part.jsonl", variants[k::6]), threads=1)
        with Store.open(tmp_path / "ix") as store:
            cut = max(cut, int((store.parts("similar")[-1]["shared"] == 0).sum()))
            roles = max(roles, len(store.parts("crowd")[-1]["text"]))
    assert cut > 0
    assert roles > 0
    file = write_jsonl(tmp_path / "all.jsonl", variants)
    assert held(tmp_path / "ix") == scanned(file, dedup.Settings())
