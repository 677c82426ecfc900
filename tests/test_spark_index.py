"""The parts of an index on Spark: its tables and commits, the lease, numbers, buckets, changes."""

from __future__ import annotations

import json
import os
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import spark_fixture as fixture

from dedup.collection import as_texts, collect
from dedup.config import Settings
from dedup.errors import LockedError, UsageError

slow = pytest.mark.slow


class Folder:
    """Files of a lease in memory."""

    def __init__(self):
        self.held = {}
        self.writes = 0

    def create(self, uri, data):
        if uri in self.held:
            return False
        self.write(uri, data)
        return True

    def write(self, uri, data):
        self.writes += 1
        self.held[uri] = (data, self.writes)

    def content(self, uri):
        return self.held[uri][0] if uri in self.held else None

    def modified(self, uri):
        return self.held[uri][1] if uri in self.held else None

    def delete(self, uri):
        self.held.pop(uri, None)


def test_a_lease_is_for_one_run_at_a_time():
    from dedup.engines.spark.lease import lease

    files = Folder()
    with lease(files, "index", beat=0.02):
        assert files.held
        with (
            pytest.raises(LockedError, match="another run is changing this index"),
            lease(files, "index", beat=0.5),
        ):
            pass
    assert not files.held
    with lease(files, "index", beat=0.02):
        pass


def test_the_lease_of_a_dead_run_is_taken_over():
    from dedup.engines.spark.lease import OWNER, lease

    files = Folder()
    files.create(f"index/{OWNER}", b"process 1 on elsewhere")
    with lease(files, "index", beat=0.02):
        assert b"elsewhere" not in files.content(f"index/{OWNER}")
    assert not files.held


def test_of_two_that_find_a_dead_lease_one_takes_it():
    from dedup.engines.spark.lease import OWNER, lease

    files = Folder()
    files.create(f"index/{OWNER}", b"process 1 on elsewhere")
    done, ended = [], threading.Event()

    def run():
        try:
            with lease(files, "index", beat=0.1):
                done.append("held")
                ended.wait(5)
        except LockedError:
            done.append("refused")
            ended.set()

    both = [threading.Thread(target=run) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(done) == ["held", "refused"]


@pytest.fixture(scope="module")
def session():
    fixture.need_spark()
    pytest.importorskip("deltalake", reason="needs the extra spark")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from dedup.engines.spark.session import make_session, options_of

    spark = make_session("local[2]", options_of(fixture.CONF))
    yield spark
    spark.stop()


def about(number):
    from dedup.engines.spark.archive import SCHEMA

    at = f"2024-05-01T00:00:0{number}"
    return {"today": "2024-05-01", "at": at, "index": {"schema": SCHEMA}}


def counted(archive, run, rows, session):
    """A run that has written words to where the index will have them."""
    frame = session.createDataFrame(rows, "word long, articles long")
    frame.write.parquet(archive.folder("frequencies", about(0), run))


def words(archive):
    rows = archive.read(archive.version(), "frequencies").collect()
    return sorted((row["word"], row["articles"], row["run"]) for row in rows)


@slow
def test_of_two_runs_that_begin_at_one_version_one_is_committed(session, tmp_path):
    from dedup.engines.spark.archive import Archive

    one, two = (Archive(session, str(tmp_path / "index")) for _ in range(2))
    one.make()
    first, second = one.version(), two.version()
    counted(one, "aa", [(1, 1)], session)
    counted(two, "bb", [(2, 2)], session)
    one.commit(first, "aa", about(1))
    with pytest.raises(LockedError, match="another run was committed in the meantime"):
        two.commit(second, "bb", about(1))
    assert words(two) == [(1, 1, "aa")]
    assert two.committed() == {"aa"}
    two.discard("bb")
    assert not list((tmp_path / "index").glob("*/*/run=bb"))
    counted(two, "cc", [(3, 3)], session)
    two.commit(two.version(), "cc", about(2))
    assert words(one) == [(1, 1, "aa"), (3, 3, "cc")]
    # A reader that began before sees what it saw.
    assert one.read(first, "frequencies").count() == 0


@slow
def test_what_a_run_killed_after_its_commit_left_is_done_by_the_next(
    session, tmp_path, monkeypatch
):
    import deltalake

    from dedup.engines.spark.archive import RUNS, Archive

    archive = Archive(session, str(tmp_path / "index"))
    archive.make()
    counted(archive, "aa", [(1, 1)], session)
    with monkeypatch.context() as patched:
        patched.setattr(Archive, "_bring_up", lambda *_: None)
        archive.commit(archive.version(), "aa", about(1))
    assert not deltalake.DeltaTable.is_deltatable(str(tmp_path / "index" / "frequencies"))
    assert words(Archive(session, str(tmp_path / "index"))) == [(1, 1, "aa")]
    # Twice is once, and other readers see the same.
    archive._bring_up(archive.version())
    table = deltalake.DeltaTable(str(tmp_path / "index" / "frequencies"))
    assert table.to_pyarrow_table()["word"].to_pylist() == [1]
    assert table.count() == 1
    assert deltalake.DeltaTable(str(tmp_path / "index" / RUNS)).count() == 1


@slow
def test_folders_that_are_no_index_of_spark_are_refused(session, tmp_path):
    from dedup.engines.spark.archive import Archive
    from dedup.index import Index

    Index.open(tmp_path / "local", create=True)
    with pytest.raises(UsageError, match="an index of --engine local"):
        Archive(session, str(tmp_path / "local")).check()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty and no index"):
        Archive(session, str(tmp_path / "other")).check()
    archive = Archive(session, str(tmp_path / "spark"))
    archive.check()
    archive.make()
    archive.check()
    with pytest.raises(UsageError, match="an index of --engine spark"):
        Index.open(tmp_path / "spark", create=True)


@slow
def test_numbers_of_texts_are_in_the_order_of_their_digests(session):
    from dedup.engines.spark.arrivals import number_texts

    def digests(*ends):
        return [f"{'7f' * 8}{end:016x}" for end in ends]

    def numbered(fresh, stored):
        new = session.createDataFrame([(d, "text") for d in fresh], "digest string, text string")
        old = session.createDataFrame(stored, "node long, digest string")
        return [(row["node"], row["digest"]) for row in number_texts(new, old).collect()]

    plain = ["00" * 16, "80" + "00" * 15, "ff" * 16]
    found = sorted(numbered(plain, []))
    assert [digest for _, digest in found] == plain
    assert [node for node, _ in found] == [-(2**63), 0, 2**63 - 1]
    middle = numbered(digests(5), [])
    before_and_after = numbered(digests(1, 9), middle)
    assert [d for _, d in sorted(middle + before_and_after)] == digests(1, 5, 9)
    together = sorted(numbered(digests(1, 9), []))
    assert [d for _, d in together] == digests(1, 9)


class Plain:
    """An index of DataFrames, as ``Growing`` shows it to the stages."""

    def __init__(self, session, folder, plan):
        self.session, self.folder, self.plan = session, folder, plan
        self.rows, self.number = {}, 0

    def begin(self):
        from dedup.engines.spark.stages import Stages

        self.number += 1
        self.stages = Stages(self.session, f"{self.folder}/{self.number}")
        self.before = dict(self.rows)

    def stored(self, table):
        from dedup.engines.spark.archive import KEPT

        return self.before.get(table, self.session.createDataFrame([], KEPT[table]))

    def add(self, table, build):
        wanted = self.session.createDataFrame([], self._ddl(table)).columns
        rows = self.stages.table(f"added-{table}", lambda: build().select(*wanted))
        self.rows[table] = self.stored(table).unionByName(rows)
        return rows

    def every(self, table, added):
        return self.stored(table).unionByName(added)

    def _ddl(self, table):
        from dedup.engines.spark.archive import KEPT

        return KEPT[table]


@slow
@pytest.mark.parametrize(("seed", "words"), [(1, 4), (2, 12)])
def test_alike_passages_are_those_of_the_local_engine_however_they_come(
    session, tmp_path, seed, words
):
    """With few words buckets overflow, so that representatives decide and are displaced."""
    from dedup.candidates import find_candidates
    from dedup.engines.spark import sketching, touched
    from dedup.engines.spark.batches import sortable
    from dedup.reuse import nothing_known

    plain = Settings(min_information=10)
    texts = fixture.sentences(seed, 300, words)
    c = collect(as_texts(texts))
    local = find_candidates(c, plain, earlier=nothing_known(c, []).passages)
    key = sortable(c.p_key)
    one, two = key[local.similar.u], key[local.similar.v]
    expected = set(zip(np.minimum(one, two).tolist(), np.maximum(one, two).tolist(), strict=True))
    assert expected
    if words == 4:
        assert local.capped["buckets"]

    index = Plain(session, str(tmp_path), SimpleNamespace(settings=plain, tasks=3))
    seen = None
    for lo, hi in ((0, 200), (200, 210), (210, 300)):
        index.begin()
        rows = [(i, 1, None, texts[i]) for i in range(lo, hi)]
        nodes = session.createDataFrame(
            rows, "node long, copies long, owner_id string, text string"
        )
        found = index.stages.table(
            "found", lambda n=nodes: sketching.occurrences(sketching.sketch(n, plain))
        )
        seen = found if seen is None else seen.unionByName(found)
        alike = touched.alike_passages(index, found, sketching.distinct_passages(seen)).collect()
    assert {(row["u"], row["v"]) for row in alike} == expected
    assert len(alike) == len(expected)


@slow
def test_differences_say_what_was_added_changed_and_removed(session):
    from dedup.engines.spark.differences import change_counts, differences
    from dedup.indextables import KEYS
    from dedup.model import table_schemas

    def tables(**given):
        from pyspark.sql.pandas.types import from_arrow_schema

        kinds = {name: from_arrow_schema(table_schemas()[name]) for name in KEYS}
        rows = {
            name: [[row.get(field) for field in kinds[name].names] for row in given.get(name, [])]
            for name in KEYS
        }
        return {name: session.createDataFrame(rows[name], kinds[name]) for name in KEYS}

    pair = {"a": "x", "b": "y", "relation": "partial", "score": 1.0}
    former = tables(
        relations=[pair, {**pair, "b": "z"}, {**pair, "b": 'say "w"'}],
        groups=[{"id": "g", "passages": ["p", "q"]}],
    )
    now = tables(
        # A score hangs on the whole corpus, and the order of passages on their scores.
        relations=[{**pair, "score": 2.0}, {**pair, "b": "z", "relation": "copy", "earlier": "x"}],
        groups=[{"id": "g", "passages": ["q", "p"]}],
        matches=[{"a": "x", "b": "z", "a_start": 1, "b_start": 2, "a_end": 3, "b_end": 4}],
    )
    changes = differences(former, now)
    rows = [row.asDict() for row in changes.collect()]
    assert [(row["table"], row["change"], json.loads(row["key"])) for row in rows] == [
        ("matches", "added", ["x", "z", 1, 2, 3, 4]),
        ("relations", "removed", ["x", 'say "w"']),
        ("relations", "changed", ["x", "z"]),
    ]
    assert rows[2]["fields"] == ["relation", "earlier"]
    assert rows[2]["before"] == {"relation": '"partial"', "earlier": "null"}
    assert rows[2]["after"] == {"relation": '"copy"', "earlier": '"x"'}
    assert change_counts(changes) == {
        "matches": {"added": 1},
        "relations": {"changed": 1, "removed": 1},
    }
