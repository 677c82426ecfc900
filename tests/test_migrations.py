"""Indexes of earlier versions are brought forward, with all that they hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import zstandard
from dumps import ROOT, write_jsonl
from test_index import held, scanned
from test_index_states import POOL

import dedup
from dedup import joining
from dedup.errors import IndexDamagedError, LockedError
from dedup.indextables import SCHEMA
from dedup.job.checking import Check
from dedup.job.file import load_job
from dedup.lock import Lock
from dedup.migrations import STEPS, bring_forward
from dedup.recall import load_vocabulary
from dedup.store import Store, schema_of
from dedup.storedframes import restored_texts

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
ROLES = ("member", "represents")
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
    assert dedup.Index.open(old).settings == dedup.Settings()
    file = tmp_path / "first.jsonl"
    file.write_text("".join(SAMPLE.read_text().splitlines(keepends=True)[:HELD]))
    kept, expected = held(old), scanned([file])
    del kept["articles"], expected["articles"]  # these tell the files, which were others
    assert kept == expected
    assert len(dedup.Index.open(old).update(SAMPLE).tables["articles"]) > 0


def test_the_check_of_a_job_leaves_an_old_index_as_it_is(old, tmp_path):
    (tmp_path / "job.toml").write_text('index = "ix"\ninputs = ["*.jsonl"]\n', encoding="utf-8")
    schema, before = schema_of(old), (old / "index.sqlite").read_bytes()
    found = Check(load_job(tmp_path / "job.toml"))
    assert found.problems == []
    assert any("made by an earlier version" in line for line in found.lines)
    assert any(f"{HELD} articles" in line for line in found.lines)
    assert schema_of(old) == schema
    assert (old / "index.sqlite").read_bytes() == before


def test_an_old_index_that_is_being_changed_is_left_alone(old):
    lock = Lock(old)
    lock.take()
    with pytest.raises(LockedError):
        dedup.Index.open(old)
    lock.release()
    assert schema_of(old) < SCHEMA


def changed(frame, place, change):
    """A frame with another value of one of its 32-bit words; ``place`` says which, by the number of
    passages."""
    plain = zstandard.ZstdDecompressor().decompress(frame)
    words = np.frombuffer(plain, np.uint8).reshape(4, -1).T.copy().view("<i4").ravel()
    at = place(words[2])
    words[at] = change(words[at])
    octets = words.view(np.uint8).reshape(-1, 4)
    return zstandard.ZstdCompressor().compress(octets.T.tobytes())


DAMAGES = {
    "cut": lambda frame: frame[:-9],
    "of no format": lambda _: b"what once was a frame",
    "of a terabyte": lambda frame: frame[:4] + b"\xe0" + (2**40).to_bytes(8, "little") + frame[6:],
    "of no words": lambda _: zstandard.ZstdCompressor().compress(b"\0" * 6),
    "a bit of the passages": lambda frame: changed(frame, lambda _: 2, lambda n: n ^ 1),
    "the sign of the passages": lambda frame: changed(frame, lambda _: 2, lambda n: n ^ -(2**31)),
    "a bit of the tokens": lambda frame: changed(frame, lambda _: 3, lambda n: n ^ 1),
    "a bit of a passage's tokens": lambda frame: changed(frame, lambda _: 4, lambda n: n ^ 1),
    "a passage's place": lambda frame: changed(frame, lambda n: 4 + n, lambda _: 2**30),
    "a word's number": lambda frame: changed(frame, lambda n: 4 + 3 * n, lambda _: 2**30),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("old", [1, 2], indirect=True)  # later ones state the sizes of frames
def test_an_old_index_with_a_damaged_frame_is_brought_forward_named_and_healed(old, damage):
    with closing(sqlite3.connect(old / "index.sqlite")) as database, database:
        (frame,) = database.execute("SELECT frame FROM frames WHERE text = 3").fetchone()
        (digest,) = database.execute("SELECT digest FROM texts WHERE text = 3").fetchone()
        broken = DAMAGES[damage](frame)
        database.execute("UPDATE frames SET frame = ? WHERE text = 3", (broken,))
    assert bring_forward(old)
    with Store.open(old) as store:
        assert store.rows("SELECT * FROM frames WHERE text = 3") == [(3, 0, 0, 0, 0, None, broken)]
        assert store.value("SELECT count(*) FROM frames WHERE tokens = 0") == 1
        vocabulary = load_vocabulary(store)
        assert restored_texts(store, [2, 4], vocabulary).nodes == 2
        with pytest.raises(IndexDamagedError, match=r"frame of text 3 .*'dedup index rebuild"):
            restored_texts(store, [2, 3, 4], vocabulary)
    index = dedup.Index.open(old, any_version=True)
    problems = index.verify(threads=1).problems
    assert f"frames: that of {digest} is not what its text gives now" in problems
    dedup.Index.rebuild(old)
    assert dedup.Index.open(old).verify(threads=1).problems == []


def test_an_old_index_with_a_damaged_vocabulary_is_brought_forward_and_healed(old):
    with closing(sqlite3.connect(old / "index.sqlite")) as database, database:
        database.execute("UPDATE parts SET data = substr(data, 9) WHERE kind = 'vocabulary'")
    assert bring_forward(old)
    problems = dedup.Index.open(old, any_version=True).verify(threads=1).problems
    assert any("(vocabulary) cannot be unpacked" in problem for problem in problems)
    dedup.Index.rebuild(old)
    assert dedup.Index.open(old).verify(threads=1).problems == []


def test_full_buckets_that_were_kept_by_band_are_found_anew(tmp_path, monkeypatch):
    """What an update finds rests on them."""
    monkeypatch.setattr(joining, "BUCKET_CAP", 6)
    monkeypatch.setattr(joining, "BUCKET_REPRESENTATIVES", 2)
    index = dedup.Index.open(tmp_path / "ix", create=True)
    variants = [record for record in POOL if record["id"].startswith("variant")]
    files = [write_jsonl(tmp_path / f"{k}.jsonl", variants[k::2]) for k in range(2)]
    index.update(files[0], threads=1)
    with Store.open(tmp_path / "ix", writing=True) as store, store.transaction():
        (now,) = store.parts("crowd")
        role = [np.unpackbits(now[name], axis=1, bitorder="little") for name in ROLES]
        row, band = np.nonzero(role[0])
        before = {"text": now["text"][row], "place": now["place"][row]}
        before |= {"band": band.astype(np.uint8), "represents": role[1][row, band].astype(bool)}
        store.replace_parts("crowd", 1, before)
        store.connection.execute("PRAGMA user_version = 3")
    assert bring_forward(tmp_path / "ix")
    assert len(now["text"]) > 0
    assert index.verify(threads=1).problems == []
    dedup.Index.open(tmp_path / "ix").update(files[1], threads=1)
    assert held(tmp_path / "ix") == scanned(files)
