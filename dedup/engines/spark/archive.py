"""An index on a Hadoop file system: Delta tables that Spark writes and reads as Parquet.

Why Delta: a table is Parquet files and a log of JSON that names those of each version, so that a
commit is one file put where none was; DuckDB, Polars, Spark and others read it; and the package
``deltalake`` commits and lists files without a JVM, so that no jar is fetched. Iceberg asks for a
catalogue besides, and plain folders have no commit of several files.

Every run writes its rows to folders of its own (``TABLE/date=2024-05-01/run=ID``), which no reader
sees before the commit. An index has several tables, and Delta commits one at a time: the row that
a run adds to the table ``runs`` is its commit, on which two runs that began at the same version
collide. The other tables are then brought up to it, by the same run or, if it was killed, by the
next one (:meth:`Archive.version`); which run a table has reached stands in its log (Delta's
transaction identifiers), so that doing it twice does nothing.

All tables but the results only ever gain rows: what is found out about a text, or about two,
stays true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from dedup.engines.spark import bundles, compare, reading, sketching
from dedup.engines.spark.files import Files
from dedup.errors import IndexDamagedError, LockedError, MissingExtraError, UsageError
from dedup.indextables import KEYS
from dedup.model import table_schemas
from dedup.store import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deltalake import DeltaTable
    from deltalake.transaction import RemoveAction
    from pyspark.sql import DataFrame, SparkSession

RUNS = "runs"
SCHEMA = 2
"""Changes with the tables below."""
APP = "dedup"
"""Under this name the log of each table says which run it has reached."""
_BY_NODE = ("copies", "owner_id", "words")
_ATTEMPTS = 5


def _without(ddl: str, names: Sequence[str]) -> str:
    """Columns but some; ``ddl`` without nested types that hold a comma."""
    return ", ".join(part for part in ddl.split(", ") if part.split()[0] not in names)


KEPT: Mapping[str, str] = {
    "articles": f"{_without(reading.RECORD, ['text'])}, outlet_id string, own_name string, "
    f"owner_id string, day long, credits {bundles.EVIDENCE}, mentions {bundles.EVIDENCE}, "
    "number long",
    "texts": "node long, digest string, text string",
    "sketches": _without(sketching.SKETCH, _BY_NODE),
    "occurrences": _without(sketching.OCCURRENCE, _BY_NODE),
    "passages": "passage long, information float, words binary",
    "keys": "key int, passage long, low long, middle long, high long, band int",
    "similar": "u long, v long, shared int, bands array<int>, number long",
    "aligned": _without(compare.ALIGNED, ["block"]),
    "frequencies": "word long, articles long",
}
"""What runs find out and later ones need not: columns of the tables, in Spark's DDL. Each has
``date`` and ``run`` besides, by which it is partitioned. ``number`` counts runs: of two rows of
one article, or of one pair of passages, the later one holds."""
PARTS: Mapping[str, tuple[str, ...]] = {"keys": ("band",)}
"""Further columns by which a table is partitioned."""
RESULTS = tuple(f"results/{name}" for name in KEYS)
"""The tables of the output contract, written anew by each run."""
_RUN = "number long, id string, at string, about string"


@dataclass(frozen=True, slots=True)
class Version:
    """What the index holds after ``number`` runs, the last of which was ``run``.

    ``about``: what that one noted (``run.json``); ``files``: URIs of the files of each table;
    ``head``: version of the table of runs.
    """

    number: int
    run: str
    about: Mapping[str, Any]
    files: Mapping[str, Sequence[str]]
    head: int


class Archive:
    """The index in the folder ``uri``. Raises ``MissingExtraError`` without deltalake."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        try:
            import deltalake
        except ImportError:
            raise MissingExtraError("deltalake", "spark", "an index on Spark") from None
        self._delta = deltalake
        self._spark = spark
        self.files = Files(spark)
        self.root = self.files.qualified(uri)

    def check(self) -> None:
        """Refuse a folder that is neither an index of this kind nor empty.

        Raises :class:`~dedup.errors.UsageError`.
        """
        if self._is_table(RUNS):
            columns = {field.name for field in self._open(RUNS).schema().fields}
            if columns != {part.split()[0] for part in _RUN.split(", ")}:
                raise UsageError(f"{self.root}/{RUNS}: is a table of something else, no index")
            return
        if not self.files.exists(self.root):
            return
        names = self.files.names(self.root)
        if FILE in names:
            raise UsageError(
                f"{self.root}: is an index of --engine local, which Spark cannot go on with; give "
                "another folder, or leave --engine spark out"
            )
        if [name for name in names if name[:1] not in "._" and name != RUNS]:
            raise UsageError(f"{self.root}: is not empty and no index; give another folder")

    def make(self) -> None:
        """Make an empty index where there is none."""
        self._made(RUNS, _RUN, ())

    def committed(self) -> set[str]:
        """The ids of all runs that were committed."""
        return set(self._open(RUNS).to_pyarrow_table(columns=["id"])["id"].to_pylist())

    def version(self) -> Version:
        """What the index holds now; a run that was killed after its commit is brought to its end.

        Raises :class:`~dedup.errors.IndexDamagedError` where it was made with other columns.
        """
        while True:
            found = self._last()
            if found.number:
                if found.about["index"]["schema"] != SCHEMA:
                    raise IndexDamagedError(
                        f"{self.root}: the index has tables of another version "
                        f"({found.about['index']['schema']}, this is {SCHEMA}); make a new one "
                        "from its articles"
                    )
                self._bring_up(found)
            files = {name: self._named(name) for name in (*KEPT, *RESULTS)}
            # Another run may have committed in between.
            if self._open(RUNS).version() == found.head:
                return Version(found.number, found.run, found.about, files, found.head)

    def folder(self, table: str, about: Mapping[str, Any], run: str) -> str:
        """Where a run writes its rows of a table."""
        return f"{self.root}/{table}/date={about['today']}/run={run}"

    def read(self, version: Version, table: str) -> DataFrame:
        """The rows of a table at a version, by the files that this names."""
        ddl = _ddl(table)
        ddl += ", date string, run string"
        files = list(version.files[table])
        if not files:
            return self._spark.createDataFrame([], ddl)
        reader = self._spark.read.schema(ddl).option("basePath", f"{self.root}/{table}")
        return reader.parquet(*files)

    def commit(self, base: Version, run: str, about: Mapping[str, Any]) -> None:
        """Add the rows that a run has written to the index as it was at ``base``.

        Raises :class:`~dedup.errors.LockedError` where another run was faster; the index is what
        that one left.
        """
        number = base.number + 1
        columns = [(number, run, about["at"], json.dumps(about, sort_keys=True))]
        folder = f"{self.root}/{RUNS}/run={run}"
        rows = self._spark.createDataFrame(columns, _RUN).coalesce(1)
        rows.write.mode("overwrite").parquet(folder)
        head = self._delta.DeltaTable(self._uri(RUNS), version=base.head)
        try:
            # No second attempt: deltalake would put these rows after another run's.
            self._add(head, RUNS, [folder], number, "append", attempts=0)
        except self._delta.exceptions.CommitFailedError as error:
            raise LockedError(
                f"{self.root}: another run was committed in the meantime; the same command begins "
                "with what that one left"
            ) from error
        self._bring_up(Version(number, run, about, {}, -1))

    def discard(self, run: str) -> None:
        """Delete what a run has written that never was committed."""
        for table in (*KEPT, *RESULTS):
            for folder in self.files.matches(f"{self.root}/{table}/date=*/run={run}"):
                self.files.delete(folder)

    def _last(self) -> Version:
        table = self._open(RUNS)
        rows = table.to_pyarrow_table().sort_by("number").to_pylist()
        if not rows:
            return Version(0, "", {}, {}, table.version())
        row = rows[-1]
        return Version(row["number"], row["id"], json.loads(row["about"]), {}, table.version())

    def _bring_up(self, last: Version) -> None:
        """Add the files of the last run to all tables that have not reached it."""
        for table in (*KEPT, *RESULTS):
            ddl = _ddl(table)
            self._made(table, f"{ddl}, date string, run string", PARTS.get(table, ()))
            mode = "append" if table in KEPT else "overwrite"
            folder = self.folder(table, last.about, last.run)
            for left in reversed(range(_ATTEMPTS)):
                current = self._open(table)
                if (current.transaction_version(APP) or 0) >= last.number:
                    break
                try:
                    self._add(current, table, [folder], last.number, mode)
                except self._delta.exceptions.CommitFailedError:
                    # Another process does the same, or the user compacts the table.
                    if not left:
                        raise

    def _add(
        self,
        current: DeltaTable,
        table: str,
        folders: Sequence[str],
        number: int,
        mode: str,
        *,
        attempts: int | None = None,
    ) -> None:
        from deltalake.transaction import AddAction

        root = f"{self.root}/{table}/"
        actions: list[AddAction | RemoveAction] = []
        found = [file for folder in folders for file in self.files.below(folder)]
        counts = self._counts(folders) if found else {}
        for file in found:
            if file.name not in counts:
                # Without rows.
                continue
            place = file.uri.removeprefix(root)
            parts = dict(part.split("=", 1) for part in place.split("/")[:-1])
            values = {key: parts[key] for key in current.metadata().partition_columns}
            stats = json.dumps({"numRecords": counts[file.name]})
            actions.append(AddAction(place, file.size, values, file.modified, True, stats))
        current.create_write_transaction(
            actions,
            mode,
            current.schema(),
            current.metadata().partition_columns,
            commit_properties=self._delta.CommitProperties(
                max_commit_retries=attempts,
                app_transactions=[self._delta.Transaction(APP, number)],
            ),
        )

    def _counts(self, folders: Sequence[str]) -> dict[str, int]:
        """How many rows each file has, by its name."""
        rows = self._spark.read.parquet(*folders).select("_metadata.file_name")
        return {
            row["file_name"]: row["count"] for row in rows.groupBy("file_name").count().collect()
        }

    def _made(self, table: str, ddl: str, parts: Sequence[str]) -> None:
        """Make an empty table where there is none."""
        if self._is_table(table):
            return
        columns = self._spark.createDataFrame([], ddl).schema
        # Spark's and Delta's JSON of a schema are the same.
        schema = self._delta.Schema.from_json(columns.json())
        by = [] if table == RUNS else ["date", "run", *parts]
        self._delta.DeltaTable.create(self._uri(table), schema, mode="ignore", partition_by=by)

    def _named(self, table: str) -> list[str]:
        """URIs of the files of a table, as Hadoop names them."""
        if not self._is_table(table):
            return []
        rows = pa.table(self._open(table).get_add_actions(flatten=True))
        return sorted(f"{self.root}/{table}/{unquote(path)}" for path in rows["path"].to_pylist())

    def _open(self, table: str) -> DeltaTable:
        return self._delta.DeltaTable(self._uri(table))

    def _is_table(self, table: str) -> bool:
        return bool(self._delta.DeltaTable.is_deltatable(self._uri(table)))

    def _uri(self, table: str) -> str:
        """As deltalake names it: ``file:///a`` where Hadoop says ``file:/a``."""
        if self.root.startswith("file:/") and not self.root.startswith("file://"):
            return f"file://{self.root[5:]}/{table}"
        return f"{self.root}/{table}"


def _ddl(table: str) -> str:
    return KEPT[table] if table in KEPT else _result_ddl(table)


def _result_ddl(table: str) -> str:
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = from_arrow_schema(table_schemas()[table.rpartition("/")[2]])
    return ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in schema)
