"""What Spark is told of the size of a run.

Its defaults suit inputs that fill a cluster: plans that are changed while they run, code that is
generated and compiled for every one of them, hundreds of partitions. Where a run takes a minute,
this would be most of the minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SMALL = 2**30
"""Bytes of input below which a run is small: its shuffles fit the memory of a few tasks."""
TINY = 2**26
"""Bytes of input below which no code at all is worth compiling."""
A_PARTITION = 8 * 2**20
"""Bytes of input for each partition of a small run's shuffles, up to one a core."""


def settings_for(size: int, cores: int) -> dict[str, str]:
    """Settings of Spark SQL for inputs of ``size`` bytes on so many ``cores``; none for large
    inputs, for which Spark's own are good."""
    if size >= SMALL:
        return {}
    # Compiling some hundreds of projections takes six seconds; rows take twice as long without.
    tiny = {"spark.sql.codegen.factoryMode": "NO_CODEGEN"} if size < TINY else {}
    return {
        **tiny,
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": str(max(1, min(cores, -(-size // A_PARTITION)))),
    }


def tune(spark: SparkSession, size: int) -> None:
    """Settings for inputs of ``size`` bytes, where nobody has chosen others for the context.

    ``spark``: the session of a run, which nobody else has.
    """
    chosen = spark.sparkContext.getConf()
    for name, value in settings_for(size, spark.sparkContext.defaultParallelism).items():
        if not chosen.contains(name):
            spark.conf.set(name, value)
