"""``dedup index verify`` finds what is damaged, and nothing in an index that is whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import zstandard
from dumps import ROOT, write_jsonl
from test_index_states import POOL

import dedup
from dedup import joining, updating
from dedup.errors import IndexDamagedError
from dedup.indexnotes import PARTS
from dedup.store import Store, digest_of, pack_arrays, unpack_arrays

SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An index of the sample articles, filled in two updates."""
    folder = tmp_path_factory.mktemp("verify")
    lines = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    index = dedup.Index.open(folder / "ix", create=True)
    for k in range(2):
        (folder / f"{k}.jsonl").write_text("".join(lines[k::2]), encoding="utf-8")
        index.update(folder / f"{k}.jsonl", threads=1)
    return folder / "ix"


@pytest.fixture
def index(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "ix")
    return tmp_path / "ix"


def damaged(index, query, *values):
    """What is found after a change to the database."""
    database = sqlite3.connect(index / "index.sqlite")
    changed = database.execute(query, values).rowcount
    database.commit()
    database.close()
    assert changed
    return dedup.Index.open(index).verify(threads=1)


@pytest.mark.parametrize("kind", ["similar", "crowd", "alignment"])
def test_a_part_that_is_lost_is_noticed(index, kind):
    found = damaged(index, "DELETE FROM parts WHERE kind = ?", kind)
    assert "parts: they are not those that were committed" in found.problems


def test_a_part_that_is_not_as_it_was_written_is_noticed(index):
    """Also where nothing else would tell: who is in a full bucket."""
    database = sqlite3.connect(index / "index.sqlite")
    (data,) = database.execute("SELECT data FROM parts WHERE kind = 'crowd'").fetchone()
    database.close()
    more = {name: np.append(a, a.dtype.type(0)) for name, a in unpack_arrays(data).items()}
    found = damaged(index, "UPDATE parts SET data = ? WHERE kind = 'crowd'", pack_arrays(more))
    assert any("(crowd) is not as it was written" in problem for problem in found.problems)


def test_a_whole_index_has_no_problems(whole):
    found = dedup.Index.open(whole).verify(threads=1)
    assert found.problems == []
    assert found.whole
    assert found.unfinished is None
    assert (found.articles, found.texts) == (84, 84)
    assert found.passages > 500
    assert found.matches > 50
    assert found.comparisons > 100


def test_articles_that_were_removed_leave_no_problem(index):
    opened = dedup.Index.open(index)
    opened.update(delete=["alqantara-001", "almarsa-001"], threads=1)
    found = opened.verify(threads=1)
    assert found.problems == []
    assert found.left_over > 0
    opened.compact()
    found = opened.verify(threads=1)
    assert (found.problems, found.left_over) == ([], 0)


IN_A_MATCH = "(SELECT rowid FROM matches ORDER BY a, b LIMIT 1)"
DAMAGES = {
    "similarity": (
        f"UPDATE matches SET similarity = similarity - 0.01 WHERE rowid = {IN_A_MATCH}",
        "has another similarity",
    ),
    "span": (
        f"UPDATE matches SET a_end = 10000000 WHERE rowid = {IN_A_MATCH}",
        "lies outside a text",
    ),
    "passage of a match": (
        "UPDATE matches SET passage = 'p-none' WHERE passage IS NOT NULL",
        "matches: 'passage' is p-none, which is not in 'passages'",
    ),
    "relation": ("DELETE FROM relations", "have no relation"),
    "article": ("DELETE FROM articles WHERE ref = 'almarsa-001'", "almarsa-001"),
    "record": ("DELETE FROM records WHERE id = 'almarsa-001'", "belongs to no record"),
    "text": (
        "DELETE FROM texts WHERE digest = (SELECT digest FROM records WHERE id = 'almarsa-001')",
        "records: almarsa-001 has no text",
    ),
    "frame": ("DELETE FROM frames WHERE text = 3", "has no frame"),
    "sizes of a frame": (
        "UPDATE frames SET words = words + 1 WHERE text = 3",
        "is not what its text gives now",
    ),
    "cut frame": ("UPDATE frames SET frame = x'28b52ffd' WHERE text = 3", "cannot be unpacked"),
    "no frame": ("UPDATE frames SET frame = 'abc' WHERE text = 3", "cannot be unpacked"),
    "no size": (
        "UPDATE frames SET tokens = 'abc' WHERE text = 3",
        "is not what its text gives now",
    ),
    "no text": ("UPDATE texts SET content = 'abc' WHERE text = 3", "cannot be unpacked"),
    "frame of another text": (
        "UPDATE frames SET frame = (SELECT frame FROM frames WHERE text = 4) WHERE text = 3",
        "is not what its text gives now",
    ),
    "cut text": ("UPDATE texts SET content = x'28b52ffd00' WHERE text = 3", "cannot be unpacked"),
    "digest": (
        "UPDATE texts SET content = (SELECT content FROM texts WHERE text = 4) WHERE text = 3",
        "is not the digest of its text",
    ),
    "never compared": ("UPDATE texts SET analysed = NULL WHERE text = 3", "was never compared"),
    "group": ("DELETE FROM groups WHERE id = (SELECT min(id) FROM groups)", "'group' is g-"),
    "core": (
        "UPDATE articles SET \"group\" = NULL WHERE ref = 'almarsa-001'",
        "has almarsa-001 in its core, whose group is another",
    ),
    "occurrence": (
        "UPDATE passages SET occurrences = json_set(occurrences, '$[0].end', 10000000)",
        "lies outside the text of",
    ),
    "run": ("UPDATE records SET run = 77", "records: 'run' is 77, which is not in 'runs'"),
    "cut part": ("UPDATE parts SET data = x'00' WHERE kind = 'alignment'", "cannot be unpacked"),
    "state": ("UPDATE runs SET state = 'lost' WHERE run = 1", "the unknown state 'lost'"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(index, name):
    query, says = DAMAGES[name]
    found = damaged(index, query)
    assert not found.whole
    assert any(says in problem for problem in found.problems), found.problems


def test_a_text_that_was_changed_is_found(index):
    packed = zstandard.ZstdCompressor().compress(b"Another text.")
    found = damaged(index, "UPDATE texts SET content = ? WHERE text = 5", packed)
    assert any("is not the digest of its text" in problem for problem in found.problems)


COLUMNS = [
    ("vocabulary", "v_chars"),
    ("similar", "shared"),
    ("crowd", "place"),
    ("crowd", "member"),
    ("alignment", "text_b"),
    ("alignment", "bits"),
    ("alignment", "cosine"),
]


def with_rows(kind, arrays):
    """The arrays of a part; where no bucket is full, a member of one."""
    if kind == "crowd" and not len(arrays["text"]):
        bits = np.zeros((1, arrays["member"].shape[1]), np.uint8)
        one = {"text": np.ones(1, np.int32), "place": np.zeros(1, np.int32)}
        return {**one, "member": bits, "represents": bits}
    assert len(next(iter(arrays.values())))
    return arrays


@pytest.mark.parametrize(
    ("kind", "column", "change", "says"),
    [
        ("vocabulary", "v_hash", lambda x: x ^ np.uint64(1), "is not what its text gives now"),
        ("vocabulary", "v_bits", lambda x: x ^ np.uint8(1), "the information of"),
        ("vocabulary", "v_bytes", lambda x: x + np.int32(1), "has columns at odds"),
        ("similar", "shared", lambda x: x + np.int32(1), "do not share what they state"),
        ("similar", "place_a", lambda x: x + np.int32(10_000), "do not share what they state"),
        ("similar", "text_a", lambda x: x + np.int32(10_000), "that there never were"),
        ("alignment", "similarity", lambda x: x * 0.9, "do not hold on their texts"),
        ("alignment", "b1", lambda x: x + np.int32(100_000), "do not hold on their texts"),
        ("alignment", "pair", lambda x: x + np.int32(100_000), "has matches of no pair"),
        ("alignment", "match", lambda x: x - np.int32(1), "has links of no match"),
        *(
            (kind, column, change, "has columns at odds")
            for kind, column in COLUMNS
            for change in (lambda x: x[:-1], lambda x: x.astype(np.complex64))
        ),
    ],
)
def test_damaged_parts_are_found(index, kind, column, change, says):
    database = sqlite3.connect(index / "index.sqlite")
    query = "SELECT part, data FROM parts WHERE kind = ? ORDER BY part"
    part, data = database.execute(query, (kind,)).fetchone()
    database.close()
    arrays = with_rows(kind, unpack_arrays(data))
    arrays[column] = change(arrays[column])
    found = damaged(index, "UPDATE parts SET data = ? WHERE part = ?", pack_arrays(arrays), part)
    assert any(says in problem for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("kind", "column", "change", "says"),
    [
        *((kind, column, lambda x: x[:-1], "has columns at odds") for kind, column in COLUMNS),
        ("similar", "text_a", lambda x: x + np.int32(10_000), "that there never were"),
        ("similar", "place_b", lambda x: x + np.int32(10_000), "passages that their texts do not"),
        ("crowd", "text", lambda x: x - np.int32(10_000), "that there never were"),
        ("crowd", "place", lambda x: x - np.int32(10_000), "passages that their texts do not"),
        ("crowd", "member", lambda x: x[:, 1:], "is not one row of"),
        ("alignment", "text_b", lambda x: x + np.int32(10_000), "that there never were"),
        ("alignment", "a1", lambda x: x + np.int32(10_000), "lie outside their texts"),
        ("alignment", "link_b", lambda x: x + np.int32(10_000), "lie outside their texts"),
    ],
)
def test_a_run_names_the_part_that_it_cannot_use(index, tmp_path, kind, column, change, says):
    """Rather than computing with it."""
    database = sqlite3.connect(index / "index.sqlite")
    query = "SELECT part, data FROM parts WHERE kind = ? ORDER BY length(data) DESC"
    part, data = database.execute(query, (kind,)).fetchone()
    arrays = with_rows(kind, unpack_arrays(data))
    arrays[column] = change(arrays[column])
    query = "UPDATE parts SET data = ? WHERE part = ?"
    database.execute(query, (pack_arrays(arrays), part))
    database.commit()
    database.close()
    (tmp_path / "more.jsonl").write_text(json.dumps({"id": "one-more", "text": "A new pier."}))
    with pytest.raises(IndexDamagedError, match=says):
        dedup.Index.open(index).update(tmp_path / "more.jsonl", threads=1)


SMALL_BUCKETS = (("BUCKET_CAP", 6), ("BUCKET_REPRESENTATIVES", 2))


def rows_of(arrays, rows):
    return {name: array[rows] for name, array in arrays.items()}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """An index in which buckets are full and cut pairs."""
    folder = tmp_path_factory.mktemp("crowded")
    variants = [record for record in POOL if record["id"].startswith("variant")]
    with pytest.MonkeyPatch.context() as patch:
        for name, size in SMALL_BUCKETS:
            patch.setattr(joining, name, size)
        patch.setattr(updating, "MOST_KEPT", 100)  # pairs that were cut keep their marks
        index = dedup.Index.open(folder / "ix", create=True)
        for k in range(6):
            index.update(write_jsonl(folder / "part.jsonl", variants[k::6]), threads=1)
    return folder / "ix"


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("similar", lambda x: {**x, "shared": 0 * x["shared"]}, "similar passages are missing"),
        ("similar", lambda x: rows_of(x, x["shared"] != 0), "are kept that no bucket compares"),
        ("crowd", lambda x: {**x, "represents": 0 * x["member"]}, "have other places in full"),
        ("crowd", lambda x: {**x, "member": x["member"] | 1}, "have other places in full"),
        ("crowd", lambda x: rows_of(x, slice(-1)), "have other places in full"),
    ],
)
def test_cut_marks_and_places_in_full_buckets_are_found_anew(
    crowded, tmp_path, monkeypatch, kind, change, says
):
    for name, size in SMALL_BUCKETS:
        monkeypatch.setattr(joining, name, size)
    shutil.copytree(crowded, tmp_path / "ix")
    assert dedup.Index.open(tmp_path / "ix").verify(threads=1).problems == []
    database = sqlite3.connect(tmp_path / "ix" / "index.sqlite")
    query = "SELECT part, data FROM parts WHERE kind = ? ORDER BY part DESC"
    for part, data in database.execute(query, (kind,)).fetchall():
        changed = pack_arrays(change(unpack_arrays(data)))
        query = "UPDATE parts SET data = ?, digest = ? WHERE part = ?"
        database.execute(query, (changed, digest_of(changed), part))
    database.commit()
    database.close()
    with Store.open(tmp_path / "ix", writing=True) as store:
        store.note({PARTS: store.digest_of_parts()})
    problems = dedup.Index.open(tmp_path / "ix").verify(threads=1).problems
    assert any(says in problem for problem in problems), problems


def test_an_erased_text_that_is_back_is_found(index, tmp_path):
    opened = dedup.Index.open(index)
    records = map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())
    record = next(r for r in records if r["id"] == "almarsa-001")
    opened.update(delete=["almarsa-001"], erase=True, threads=1)
    assert opened.verify(threads=1).problems == []
    database = sqlite3.connect(index / "index.sqlite")
    marks = database.execute("SELECT * FROM erased").fetchall()
    database.execute("DELETE FROM erased")
    database.commit()
    (tmp_path / "again.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    opened.update(tmp_path / "again.jsonl", threads=1)
    database.executemany("INSERT INTO erased VALUES (?, ?, ?)", marks)
    database.commit()
    database.close()
    assert [p for p in opened.verify(threads=1).problems if "though it was erased" in p]


def command(index):
    words = [sys.executable, "-m", "dedup", "index", "verify", str(index), "--threads", "1"]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_lists_problems_one_a_line_and_ends_with_5(index):
    done = command(index)
    assert done.returncode == 0, done.stderr
    assert "whole. Checked 84 articles" in " ".join(done.stdout.split())
    damaged(index, "DELETE FROM frames WHERE text IN (3, 4)")
    done = command(index)
    assert done.returncode == 5
    assert len([line for line in done.stdout.splitlines() if line.endswith("has no frame")]) == 2
    assert "dedup index rebuild" in done.stdout


def test_pages_that_are_damaged_are_said_without_a_traceback(index):
    path = index / "index.sqlite"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 8192 * 8192
    data[middle : middle + 3 * 8192] = b"\xff" * (3 * 8192)
    path.write_bytes(data)
    done = command(index)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr + done.stdout
    assert "internal" not in done.stderr
    assert "database:" in done.stdout or "cannot be read" in done.stdout + done.stderr


FLAGS = "SELECT ref, flag, share_copied FROM articles ORDER BY ref"


def rows(index, query):
    database = sqlite3.connect(index / "index.sqlite")
    found = database.execute(query).fetchall()
    database.close()
    return found


def test_rows_of_results_that_another_program_changed_are_named(index):
    before = rows(index, FLAGS)
    found = damaged(index, "UPDATE articles SET flag = 'unique' WHERE flag = 'syndicated'")
    assert any(p.startswith("articles: not as the last run left them: [") for p in found.problems)
    dedup.Index.rebuild(index)
    assert rows(index, FLAGS) == before
    assert dedup.Index.open(index).verify(threads=1).problems == []


def test_rows_of_results_that_are_lost_are_noticed_and_come_back(index, tmp_path):
    before = rows(index, "SELECT count(*) FROM matches")
    found = damaged(index, "DELETE FROM matches WHERE rowid IN (SELECT rowid FROM matches LIMIT 5)")
    assert any(p.startswith("matches: ") and "the last run left" in p for p in found.problems)
    record = {"id": "one-more", "text": "Nobody else reports on the new pier of Wexmouth today."}
    (tmp_path / "more.jsonl").write_text(json.dumps(record))
    dedup.Index.open(index).update(tmp_path / "more.jsonl", threads=1)
    assert rows(index, "SELECT count(*) FROM matches") == before
    assert dedup.Index.open(index).verify(threads=1).problems == []


def test_an_article_that_is_taken_out_is_out_of_rows_that_were_tampered_with(index):
    """Also where as many rows were lost as are to be removed."""
    damaged(index, "DELETE FROM passages WHERE rowid = (SELECT max(rowid) FROM passages)")
    opened = dedup.Index.open(index)
    opened.update(delete=["alqantara-001", "almarsa-001"], erase=True, threads=1)
    assert opened.verify(threads=1).problems == []


def test_digests_of_rows_are_done_without_where_they_are_damaged(index, tmp_path):
    (data,) = rows(index, "SELECT data FROM parts WHERE kind = 'digests'")[0]
    broken = bytearray(data)
    broken[len(broken) // 2] ^= 64
    query = "UPDATE parts SET data = ? WHERE kind = 'digests'"
    assert not damaged(index, query, bytes(broken)).whole
    (tmp_path / "more.jsonl").write_text(json.dumps({"id": "one-more", "text": "A new pier."}))
    update = dedup.Index.open(index).update(tmp_path / "more.jsonl", threads=1)
    assert len(update.tables["articles"]) == 1
    assert dedup.Index.open(index).verify(threads=1).problems == []
