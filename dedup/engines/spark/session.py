"""A Spark session for the run, over the user's or over one that is made."""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from dedup.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

PURPOSE = "--engine spark"
DEFAULTS = {
    "spark.app.name": "dedup",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4096",
    "spark.sql.execution.arrow.maxBytesPerBatch": "64m",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A task that runs out of memory twice is no bad luck; Spark's own default.
    "spark.task.maxFailures": "4",
    "spark.ui.showConsoleProgress": "false",
    "spark.python.daemon.module": "dedup.engines.spark.daemon",
}
"""What a run needs or profits from; ``--conf`` goes before it."""
_PLANNING = "-XX:TieredStopAtLevel=1"
"""Java's options for a driver. It plans more than a hundred small jobs, each with other code: the
optimising compiler would take as long as all else that the driver does."""
_CODE = "-XX:ReservedCodeCacheSize=256m"
"""The first compiler's code has room of 48 MB by default, which a run of some minutes fills; what
comes after would be interpreted."""
_ARROW = "-Darrow.enable_unsafe_memory_access=true"
"""Spark writes and reads Arrow's buffers value by value, and Arrow would check each place."""
_FEW_CORES = 4
"""Up to so many cores, collecting garbage side by side costs more than it saves."""


def java_options(master: str | None) -> str:
    """Java's options for the driver, whose process runs the tasks, too, of a local ``master``."""
    cores = re.fullmatch(r"local(?:\[(\d+|\*)(?:,.*)?\])?", master or "local[*]")
    if cores is None:
        few = True  # a driver that only plans
    elif cores[1] == "*":
        few = (os.cpu_count() or 1) <= _FEW_CORES
    else:
        few = int(cores[1] or 1) <= _FEW_CORES
    options = f"{_PLANNING} {_CODE} {_ARROW}"
    return f"{options} -XX:+UseSerialGC" if few else options


def options_of(given: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` taken apart.

    Raises :class:`~dedup.errors.UsageError` for anything else.
    """
    found = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not (separator and key.startswith("spark.")):
            raise UsageError(
                f"--conf {text!r}: expected spark.NAME=VALUE, e.g. spark.executor.memory=8g"
            )
        found[key] = value
    return found


def make_session(master: str | None, options: Mapping[str, str]) -> SparkSession:
    """A session of the run's own: over what the process has already (``spark-submit``, a notebook),
    whose session and its settings stay what they are, or over a new one.

    Raises :class:`~dedup.errors.MissingExtraError` without pyspark, and
    :class:`~dedup.errors.UsageError` where no session can be made (no Java, no such master).
    """
    try:
        from pyspark import SparkContext
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError("pyspark", "spark", PURPOSE) from None
    settings = DEFAULTS | dict(options)
    if SparkContext._active_spark_context is not None:
        return _beside(SparkSession.builder.getOrCreate(), settings)
    if (master or "").startswith("local"):
        # Workers of a local master run what the driver runs; elsewhere that path means nothing.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    if master is not None:
        builder = builder.master(master)
    java = {"spark.driver.defaultJavaOptions": java_options(master)}
    for key, value in (java | settings).items():
        builder = builder.config(key, value)
    try:
        with _interrupts_kept():
            session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise UsageError(
            f"{PURPOSE}: no Spark session could be made ({reason}); it needs Java 17 or newer "
            "(JAVA_HOME) and a master that can be reached"
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return _beside(session, settings)


def _beside(session: SparkSession, settings: Mapping[str, str]) -> SparkSession:
    """Another session over the same context, with what is set in ``session``, and ``settings``."""
    own = session.newSession()
    for key, value in (session.conf.getAll | dict(settings)).items():
        if own.conf.isModifiable(key):
            own.conf.set(key, value)
    return own


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Keep the handler of Ctrl-C: Spark's asks the JVM in the middle of another call to it."""
    former = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if former is not None and current_thread() is main_thread():
            signal.signal(signal.SIGINT, former)


def start_workers(spark: SparkSession) -> None:
    """Have Python workers start on one executor, whose kernels the others find compiled."""
    spark.range(1, numPartitions=1).mapInArrow(lambda batches: batches, "id long").count()


def few_rows(spark: SparkSession, columns: Mapping[str, Sequence[str | int]]) -> DataFrame:
    """A small table of the driver by its columns, which goes along with the plan.

    From a list of rows Spark makes a job of Python workers instead, with a daemon of its own.
    """
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64()}
    arrays = {
        name: pa.array(values, kinds[type(values[0])] if values else pa.string())
        for name, values in columns.items()
    }
    return spark.createDataFrame(pa.table(arrays))
