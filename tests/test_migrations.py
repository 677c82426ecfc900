"""Indexes of earlier versions are brought forward, with all that they hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import zstandard
from dumps import ROOT
from test_index import held, scanned

import dedup
from dedup.errors import LockedError
from dedup.lock import Lock
from dedup.migrations import STEPS, bring_forward
from dedup.store import SCHEMA, schema_of

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
HELD = 20
"""Articles of the sample that the old indexes were filled with, in two runs."""


@pytest.fixture(params=sorted(STEPS))
def old(request, tmp_path):
    """An index as the version with that schema left it."""
    packed = (GOLDEN / f"index-schema-{request.param}.sqlite.zst").read_bytes()
    (tmp_path / "ix").mkdir()
    (tmp_path / "ix" / "index.sqlite").write_bytes(zstandard.ZstdDecompressor().decompress(packed))
    return tmp_path / "ix"


def groups(index):
    database = sqlite3.connect(index / "index.sqlite")
    rows = database.execute('SELECT id, core FROM "groups" ORDER BY id').fetchall()
    database.close()
    return rows


def test_every_schema_leads_to_the_next():
    assert sorted(STEPS) == list(range(1, SCHEMA))


def test_an_old_index_is_brought_forward_and_sound(old):
    before = groups(old)
    assert bring_forward(old)
    assert schema_of(old) == SCHEMA
    assert not bring_forward(old)
    assert groups(old) == before
    assert dedup.Index.open(old, any_version=True).verify(threads=1).problems == []


def test_an_old_index_is_gone_on_with(old, tmp_path):
    before = groups(old)
    # Rebuilt, since its analysis may be another one by now.
    dedup.Index.rebuild(old)
    assert groups(old) == before
    file = tmp_path / "first.jsonl"
    file.write_text("".join(SAMPLE.read_text().splitlines(keepends=True)[:HELD]))
    kept, expected = held(old), scanned([file])
    del kept["articles"], expected["articles"]  # these tell the files, which were others
    assert kept == expected
    assert len(dedup.Index.open(old).update(SAMPLE).tables["articles"]) > 0


def test_an_old_index_that_is_being_changed_is_left_alone(old):
    lock = Lock(old)
    lock.take()
    with pytest.raises(LockedError):
        dedup.Index.open(old)
    lock.release()
    assert schema_of(old) < SCHEMA
