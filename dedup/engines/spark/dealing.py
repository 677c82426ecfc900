"""Names for groups of rows, such that Spark deals the groups evenly to its partitions.

Spark puts a group where the hash of its name says. Of four groups and two partitions that is two
and two in three cases of eight; else one task has most of the work, and the rest waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, SparkSession

MANY = 1024
"""Groups from which chance alone is even enough."""
_SEED = 42


def spark_hash(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Spark's hash of integers (int32): MurmurHash3 of 32 bits (Appleby 2011) with seed 42."""
    h = numbers.view(np.uint32) * np.uint32(0xCC9E2D51)
    h = _rotated(h, 15) * np.uint32(0x1B873593)
    h = _rotated(h ^ np.uint32(_SEED), 13) * np.uint32(5) + np.uint32(0xE6546B64)
    h ^= np.uint32(4)  # bytes of an integer
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return (h ^ (h >> np.uint32(16))).view(np.int32)


def _rotated(x: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    return (x << np.uint32(bits)) | (x >> np.uint32(32 - bits))


def names_for(groups: int, partitions: int) -> NDArray[np.int32]:
    """``groups`` different names (int32) of which no partition gets two more than another."""
    if groups >= MANY:
        return np.arange(groups, dtype=np.int32)
    rounds = -(-groups // partitions)
    count = 16 * rounds * partitions
    while True:
        numbers = np.arange(count, dtype=np.int32)
        where = spark_hash(numbers) % np.int32(partitions)
        # The names of each partition in their order, then one of each partition after another.
        order = np.argsort(where, kind="stable")
        first = np.searchsorted(where[order], np.arange(partitions))
        turn = np.empty(count, np.int64)
        turn[order] = np.arange(count) - first[where[order]]
        chosen = np.flatnonzero(turn < rounds)
        if len(chosen) == rounds * partitions:
            return numbers[chosen[np.argsort(turn[chosen], kind="stable")][:groups]]
        count *= 2


def dealt(number: Column, groups: int, spark: SparkSession) -> Column:
    """The name of each group for its ``number`` (0 to ``groups`` - 1)."""
    from pyspark.sql import functions as F  # noqa: N812

    if groups >= MANY:
        return number.cast("int")
    names = names_for(groups, int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    listed = F.array(*(F.lit(int(name)) for name in names))
    return F.element_at(listed, number.cast("int") + 1)
