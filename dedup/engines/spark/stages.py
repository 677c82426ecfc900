"""Stages that are kept: each is written as Parquet once, and read by those after it.

A run that was stopped finds what its predecessor had finished. The folder is named after
everything that the stages depend on, so that no other run's stage can be taken for this one's.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from dedup.engines.spark.files import Files
from dedup.errors import DedupError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from dedup.pipeline import Progress

    T = TypeVar("T")

MARK = ".done.json"
AT_ONCE = 4
"""Pieces of work that stand beside each other: while one waits for its slowest task, or for Spark
to plan it, others have the cores."""

READ_ONCE = {"parquet.enable.dictionary": "false", "parquet.compression.codec.zstd.level": "1"}
"""Options for tables that only the next stages read: most values are hashes, of which Parquet would
look for repeats in vain."""


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
    """The finished stages of a run below ``folder`` (a URI); ``log`` says what each took.

    Stages may be asked for in several threads (:meth:`beside`).
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
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def beside(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin some ``work`` beside what follows; what this returns waits for its outcome."""
        from pyspark.util import inheritable_thread_target

        return self._pool.submit(inheritable_thread_target(self.spark)(work)).result

    def together(self, works: Mapping[str, Callable[[], T]]) -> dict[str, T]:
        """The outcomes of pieces of work that do not ask for each other, done side by side."""
        begun = {name: self.beside(work) for name, work in works.items()}
        return {name: wait() for name, wait in begun.items()}

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
        if self._progress:
            self._progress(name, 0, None)
        uri = at or f"{self.folder}/{name}"
        mark = f"{self.folder}/{name.replace('/', '-')}{MARK}"
        begun = time.perf_counter()
        resumed = self.files.exists(mark)
        if not resumed:
            with _failures_named(lambda: name):
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
        seconds = round(time.perf_counter() - begun, 3)
        self.log.append({"stage": name, "seconds": seconds, "resumed": resumed})
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
        uri = f"{self.folder}/{name}.json"
        if self.files.exists(uri):
            return self.files.read_json(uri)
        found = build()
        self.files.write(uri, json.dumps(found).encode())
        return found
