"""Stages that are kept: each is written as Parquet once, and read by those after it.

A run that was stopped finds what its predecessor had finished. The folder is named after
everything that the stages depend on, so that no other run's stage can be taken for this one's.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dedup.engines.spark.files import Files
from dedup.engines.spark.sidework import SideWork
from dedup.errors import DedupError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from dedup.pipeline import Progress

VERSION = 2
"""Of the tables of all stages: another one wherever the rows of one come to mean something else, so
that no run goes on with what a former version left."""
MARK = ".done.json"
READ_ONCE = {
    "parquet.enable.dictionary": "false",
    "parquet.compression.codec.zstd.level": "1",
    "parquet.block.size": str(32 << 20),
    "parquet.page.size.row.check.min": "1",
}
"""Options for tables that only the next stages read: most values are hashes, of which Parquet would
look for repeats in vain. Spark reads 4,096 rows at once, or a group of rows if that has fewer, and
rows are megabytes where they hold many passages: groups are small, and looked at from the first
row on, so that no task of the JVM holds much more than one."""


@contextmanager
def stage_named(progress: Progress | None) -> Iterator[Progress]:
    """Turn errors of Spark into :class:`~dedup.errors.InternalError` naming the last stage of which
    the progress that this gives was told; it passes it on to ``progress``."""
    last = "start"

    def told(stage: str, done: int, total: int | None) -> None:
        nonlocal last
        last = stage
        if progress:
            progress(stage, done, total)

    with _failures_named(lambda: last):
        yield told


@contextmanager
def _failures_named(stage: Callable[[], str]) -> Iterator[None]:
    from pyspark.errors import PySparkException

    try:
        yield
    except DedupError:
        raise
    except Exception as error:
        of_spark = isinstance(error, PySparkException)
        if not of_spark and not type(error).__module__.startswith("py4j"):
            raise
        reason = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise InternalError(
            f"Spark gave up in stage '{stage()}': {reason[:500]}; what was finished is kept, the "
            "same command goes on there"
        ) from error


class Stages:
    """The finished stages of a run below ``folder`` (a URI).

    ``log`` says when each began and how many seconds it took. Stages may be asked for beside others
    (``beside``, ``together``: :class:`~dedup.engines.spark.sidework.SideWork`), so these overlap.
    """

    def __init__(
        self,
        spark: SparkSession,
        folder: str,
        progress: Callable[[str, int, int | None], None] | None = None,
    ) -> None:
        self.spark = spark
        self.folder = folder.rstrip("/")
        self.files = Files(spark)
        self.log: list[dict[str, Any]] = []
        self._progress = progress
        self._begun = time.perf_counter()
        self._side = SideWork(spark)
        self.beside, self.together = self._side.begin, self._side.together

    def __enter__(self) -> Stages:
        self._side.__enter__()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._side.__exit__(kind, error, trace)

    def table(
        self,
        name: str,
        build: Callable[[], DataFrame],
        *,
        at: str | None = None,
        partition_by: Sequence[str] = (),
        lasting: bool = False,
    ) -> DataFrame:
        """The table ``name``: read if it was finished before, else built and written.

        ``at``: the folder (a URI) of a table that outlives the run, with a folder below for each
        value of ``partition_by``; by default one below that of the stages. ``lasting``: it outlives
        the run there, too, by being moved.
        """
        self._side.check()
        if self._progress:
            self._progress(name, 0, None)
        begun = time.perf_counter()
        entry: dict[str, Any] = {"stage": name, "began": round(begun - self._begun, 3)}
        self.log.append(entry)
        uri = at or f"{self.folder}/{name}"
        mark = f"{self.folder}/{name.replace('/', '-')}{MARK}"
        with _failures_named(lambda: name):
            # A table that lasts may have been moved since.
            resumed = self.files.exists(mark) and self.files.exists(uri)
            if not resumed:
                built = build()
                schema = built.schema.jsonValue()
                self.spark.sparkContext.setJobDescription(name)
                writer = built.write.mode("overwrite").partitionBy(*partition_by)
                if at is None and not lasting:
                    writer = writer.options(**READ_ONCE)
                writer.parquet(uri)
                self.files.write(mark, json.dumps({"schema": schema}).encode())
            else:
                schema = self.files.read_json(mark)["schema"]
            entry |= {"seconds": round(time.perf_counter() - begun, 3), "resumed": resumed}
            return self._read(uri, schema)

    def has(self, name: str) -> bool:
        """Whether this run or one before it has written the table ``name``."""
        return self.files.exists(f"{self.folder}/{name.replace('/', '-')}{MARK}")

    def finished(self, name: str) -> DataFrame:
        """The table ``name``, which this run or one before it has written."""
        schema = self.files.read_json(f"{self.folder}/{name.replace('/', '-')}{MARK}")["schema"]
        return self._read(f"{self.folder}/{name}", schema)

    def _read(self, uri: str, schema: Any) -> DataFrame:
        from pyspark.sql.types import StructType

        return self.spark.read.schema(StructType.fromJson(schema)).parquet(uri)

    def value(self, name: str, build: Callable[[], Any]) -> Any:
        """A small value (JSON) that is computed once a run."""
        self._side.check()
        uri = f"{self.folder}/{name}.json"
        with _failures_named(lambda: name):
            if self.files.exists(uri):
                return self.files.read_json(uri)
            found = build()
            self.files.write(uri, json.dumps(found).encode())
            return found
