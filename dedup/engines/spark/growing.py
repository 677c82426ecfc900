"""What an update adds to an index, and the views over what was there and what is new.

``add`` writes rows where the index will have them once the run is committed; until then nobody
else sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.engines.spark.archive import KEPT, PARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from dedup.engines.spark.archive import Archive, Version
    from dedup.engines.spark.order import Plan
    from dedup.engines.spark.stages import Stages


@dataclass(frozen=True, slots=True)
class Growing:
    """An index as it was at ``base``, and the run with the id ``run`` that adds to it on the day
    ``today`` (ISO 8601)."""

    stages: Stages
    plan: Plan
    archive: Archive
    base: Version
    run: str
    today: str

    @property
    def number(self) -> int:
        """Which run of the index it is, from 1."""
        return self.base.number + 1

    def stored(self, table: str) -> DataFrame:
        """The rows of a table that earlier runs added, or (results) the last one wrote."""
        return self.archive.read(self.base, table).drop("date", "run")

    def folder(self, table: str) -> str:
        """Where this run writes its rows of a table."""
        return self.archive.folder(table, {"today": self.today}, self.run)

    def add(self, table: str, build: Callable[[], DataFrame]) -> DataFrame:
        """The rows of a table that this run adds."""
        wanted = self.stages.spark.createDataFrame([], KEPT[table]).schema

        def typed() -> DataFrame:
            return build().select(*(F.col(f.name).cast(f.dataType) for f in wanted))

        parts = PARTS.get(table, ())
        return self.stages.table(f"added/{table}", typed, at=self.folder(table), partition_by=parts)

    def every(self, table: str, added: DataFrame) -> DataFrame:
        """What was there, and what this run adds."""
        return self.stored(table).unionByName(added)


def latest(rows: DataFrame, *key: str) -> DataFrame:
    """Of the rows with one key those of the last run (``number``)."""
    last = rows.groupBy(*key).agg(F.max("number").alias("number"))
    return rows.join(last, [*key, "number"], "left_semi")
