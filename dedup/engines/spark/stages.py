"""Stages that are kept: each is written as Parquet once, and read by those after it.

A run that was stopped finds what its predecessor had finished. The folder is named after
everything that the stages depend on, so that no other run's stage can be taken for this one's.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from dedup.engines.spark.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame, SparkSession

MARK = ".done.json"


class Stages:
    """The finished stages of a run below ``folder`` (a URI); ``log`` says what each took."""

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

    def table(
        self,
        name: str,
        build: Callable[[], DataFrame],
        *,
        at: str | None = None,
        partition_by: Sequence[str] = (),
    ) -> DataFrame:
        """The table ``name``: read if it was finished before, else built and written.

        ``at``: the folder (a URI) of a table that outlives the run, with a folder below for each
        value of ``partition_by``; by default one below that of the stages.
        """
        if self._progress:
            self._progress(name, 0, None)
        uri = at or f"{self.folder}/{name}"
        mark = f"{self.folder}/{name.replace('/', '-')}{MARK}"
        begun = time.perf_counter()
        resumed = self.files.exists(mark)
        if not resumed:
            built = build()
            schema = built.schema.jsonValue()
            self.spark.sparkContext.setJobDescription(name)
            built.write.mode("overwrite").partitionBy(*partition_by).parquet(uri)
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
