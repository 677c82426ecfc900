"""What one day's commit costs in the stores that an index could be kept in.

    pip install duckdb deltalake
    python benchmarks/index_engines.py

Each store holds a table of relations and binary parts. Ten commits follow, each as an update makes
one: 5,000 rows replaced, 5,000 added, one part of 12 MB appended. Measured: seconds of a commit
(median), whether another process can read while a commit is under way, whether both parts of it
become visible at once, and the size at the end. Without duckdb or deltalake their rows are left
out, saying so.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS = 300_000
CHANGED = 5_000
PART = 12_000_000
COMMITS = 10
RESULTS = Path(__file__).parent / "results"


def rows(first: int, count: int, salt: int) -> list[tuple[str, str, str, float, float]]:
    r = np.random.default_rng(salt)
    a, b = r.integers(0, 10**6, (2, count)).tolist()
    p, q = r.random((2, count)).round(6).tolist()
    labels = ("quote", "partial", "copy")
    return [(f"{first + i}", f"a{a[i]}-b{b[i]}", labels[i % 3], p[i], q[i]) for i in range(count)]


def part(salt: int) -> bytes:
    return np.random.default_rng(salt).bytes(PART)


class Sqlite:
    """SQLite with a write-ahead log, as the index has it."""

    name, atomic = "SQLite, WAL", True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "index.sqlite"
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.db.execute("PRAGMA page_size = 8192")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute(
            "CREATE TABLE relations (key TEXT PRIMARY KEY, pair TEXT, label TEXT, p REAL, q REAL)"
        )
        self.db.execute("CREATE TABLE parts (part INTEGER PRIMARY KEY, data BLOB)")
        self._write(rows(0, ROWS, 0), part(0))

    def _write(self, some: list, data: bytes) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany("INSERT OR REPLACE INTO relations VALUES (?, ?, ?, ?, ?)", some)
        self.db.execute("INSERT INTO parts (data) VALUES (?)", (data,))
        self.db.execute("COMMIT")

    def commit(self, changed: list, added: list, data: bytes) -> None:
        self._write([*changed, *added], data)

    def begin(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("DELETE FROM relations WHERE key = '1'")

    def rollback(self) -> None:
        self.db.execute("ROLLBACK")

    @staticmethod
    def read(folder: str) -> int:
        db = sqlite3.connect(f"file:{folder}/index.sqlite?mode=ro", uri=True)
        return db.execute("SELECT count(*) FROM relations").fetchone()[0]


class Duck:
    """One DuckDB file that a job writes to."""

    name, atomic = "DuckDB, one file", True

    def __init__(self, folder: Path) -> None:
        import duckdb

        self.db = duckdb.connect(str(folder / "index.duckdb"))
        self.db.execute(
            "CREATE TABLE relations (key TEXT PRIMARY KEY, pair TEXT, label TEXT, p REAL, q REAL)"
        )
        self.db.execute("CREATE TABLE parts (part INTEGER, data BLOB)")
        self._write(rows(0, ROWS, 0), part(0))

    def _write(self, some: list, data: bytes) -> None:
        import pyarrow as pa

        columns = list(zip(*some, strict=True))
        table = pa.table(dict(zip(("key", "pair", "label", "p", "q"), columns, strict=True)))
        self.db.execute("BEGIN")
        self.db.register("fresh", table)
        self.db.execute("INSERT OR REPLACE INTO relations SELECT * FROM fresh")
        self.db.execute("INSERT INTO parts VALUES (0, ?)", [data])
        self.db.execute("COMMIT")

    def commit(self, changed: list, added: list, data: bytes) -> None:
        self._write([*changed, *added], data)

    def begin(self) -> None:
        self.db.execute("BEGIN")
        self.db.execute("DELETE FROM relations WHERE key = '1'")

    def rollback(self) -> None:
        self.db.execute("ROLLBACK")

    @staticmethod
    def read(folder: str) -> int:
        import duckdb

        db = duckdb.connect(f"{folder}/index.duckdb", read_only=True)
        return db.execute("SELECT count(*) FROM relations").fetchone()[0]


class DuckGenerations(Duck):
    """A DuckDB file a generation: copied, changed, and put in place by renaming."""

    name = "DuckDB, a file a generation"

    def __init__(self, folder: Path) -> None:
        import duckdb

        super().__init__(folder)
        self.db.close()
        self.folder = folder
        self._open = duckdb.connect

    def commit(self, changed: list, added: list, data: bytes) -> None:
        fresh, current = self.folder / "next.duckdb", self.folder / "index.duckdb"
        shutil.copyfile(current, fresh)
        self.db = self._open(str(fresh))
        self._write([*changed, *added], data)
        self.db.close()
        fd = os.open(fresh, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        fresh.rename(current)

    def begin(self) -> None:
        shutil.copyfile(self.folder / "index.duckdb", self.folder / "next.duckdb")

    def rollback(self) -> None:
        (self.folder / "next.duckdb").unlink()


class Delta:
    """Two Delta tables; each commits for itself."""

    name, atomic = "Delta tables", False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._append(rows(0, ROWS, 0), part(0))

    def _append(self, some: list, data: bytes) -> None:
        import pyarrow as pa
        from deltalake import write_deltalake

        columns = list(zip(*some, strict=True))
        table = pa.table(dict(zip(("key", "pair", "label", "p", "q"), columns, strict=True)))
        write_deltalake(str(self.folder / "relations"), table, mode="append")
        parts = pa.table({"data": pa.array([data], pa.binary())})
        write_deltalake(str(self.folder / "parts"), parts, mode="append")

    def commit(self, changed: list, added: list, data: bytes) -> None:
        import pyarrow as pa
        from deltalake import DeltaTable, write_deltalake

        columns = list(zip(*[*changed, *added], strict=True))
        table = pa.table(dict(zip(("key", "pair", "label", "p", "q"), columns, strict=True)))
        merger = DeltaTable(str(self.folder / "relations")).merge(
            table, "s.key = t.key", source_alias="s", target_alias="t"
        )
        merger.when_matched_update_all().when_not_matched_insert_all().execute()
        parts = pa.table({"data": pa.array([data], pa.binary())})
        write_deltalake(str(self.folder / "parts"), parts, mode="append")

    def begin(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    @staticmethod
    def read(folder: str) -> int:
        from deltalake import DeltaTable

        return DeltaTable(f"{folder}/relations").to_pyarrow_table().num_rows


def _try(read, folder: str, queue) -> None:
    try:
        queue.put(read(folder))
    except Exception as error:
        what, *_ = str(error).split('"')  # what follows names a file of this machine
        queue.put(f"{type(error).__name__}: {what.strip()}")


def measure(store: type) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = store(folder)
        seconds = []
        for day in range(1, COMMITS + 1):
            changed = rows(day * CHANGED, CHANGED, day)
            added = rows(ROWS + day * CHANGED, CHANGED, 1000 + day)
            data = part(day)
            begun = time.perf_counter()
            made.commit(changed, added, data)
            seconds.append(time.perf_counter() - begun)
        made.begin()
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        reader = context.Process(target=_try, args=(store.read, name, queue))
        reader.start()
        seen = queue.get(timeout=60)
        reader.join()
        made.rollback()
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        return {
            "store": store.name,
            "commit_seconds": round(statistics.median(seconds), 3),
            "read_while_writing": isinstance(seen, int),
            "reader": seen,
            "one_commit_for_all": store.atomic,
            "megabytes": round(size / 1e6, 1),
        }


def main() -> None:
    found = []
    for store, needs in (
        (Sqlite, "sqlite3"),
        (Duck, "duckdb"),
        (DuckGenerations, "duckdb"),
        (Delta, "deltalake"),
    ):
        try:
            __import__(needs)
        except ImportError:
            print(f"{store.name}: left out, there is no package {needs}")
            continue
        found.append(measure(store))
        print(found[-1])
    lines = [
        "| store | commit, median | others read meanwhile | one commit for all | size after 10 |",
        "|---|---|---|---|---|",
    ]
    lines += [
        (
            f"| {row['store']} | {row['commit_seconds']:.2f} s | "
            f"{'yes' if row['read_while_writing'] else 'no'} | "
            f"{'yes' if row['one_commit_for_all'] else 'no'} | {row['megabytes']:.0f} MB |"
        )
        for row in found
    ]
    (RESULTS / "index_engines.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "index_engines.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
