"""The tables of a run, of which ``texts`` is gathered only when it is asked for.

All texts once more, in the order of the table, would be most of a run's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.model import table_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NAME = "texts"
_COLUMNS = ("id", "ref", "digest")


class TextTable:
    """The table ``texts``: its other columns, and where each text lies.

    ``others`` has the columns ``id``, ``ref`` and ``digest``; row ``i`` has the text
    ``texts[at[i]]`` (``at`` int64).
    """

    def __init__(
        self, others: pa.Table, texts: pa.LargeStringArray | pa.ChunkedArray, at: NDArray[np.int64]
    ) -> None:
        self._others = others.select(_COLUMNS)
        self._texts = texts
        self._at = at

    @classmethod
    def of(cls, table: pa.Table) -> TextTable:
        """A table that is whole already."""
        return cls(table, table["text"], np.arange(len(table)))

    def __len__(self) -> int:
        return len(self._at)

    def parts(self, rows: int) -> Iterator[pa.Table]:
        """The table in parts of ``rows`` rows, each gathered when its turn comes."""
        schema = table_schemas()[NAME]
        for start in range(0, len(self), rows):
            taken = self._texts.take(pa.array(self._at[start : start + rows]))
            others = self._others.slice(start, rows)
            yield pa.table([*others.columns, taken], names=schema.names).cast(schema)

    @cached_property
    def whole(self) -> pa.Table:
        """The whole table, a copy of all texts."""
        return pa.concat_tables(
            [table_schemas()[NAME].empty_table(), *self.parts(max(1, len(self)))]
        )

    def get(self, ref: str) -> str | None:
        """The text of the article ``ref``, as read; ``None`` when there is no such article."""
        row = self._row.get(ref)
        if row is None:
            return None
        text: str | None = self._texts[int(self._at[row])].as_py()
        return text

    @cached_property
    def _row(self) -> dict[str, int]:
        return {ref: i for i, ref in enumerate(self._others["ref"].to_pylist())}


class Tables(Mapping[str, pa.Table]):
    """The tables of a run by name; ``texts`` is ``None`` for a run without them."""

    def __init__(self, tables: Mapping[str, pa.Table], texts: TextTable | None) -> None:
        self._tables = {name: table for name, table in tables.items() if name != NAME}
        self.texts = texts

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table]) -> Tables:
        """Tables at hand, with or without ``texts``."""
        if isinstance(tables, Tables):
            return tables
        return cls(tables, TextTable.of(tables[NAME]) if NAME in tables else None)

    def without_texts(self) -> Tables:
        """The same tables but ``texts``."""
        return Tables(self._tables, None)

    def rows(self, name: str) -> int:
        """Number of rows of a table."""
        return len(self._tables[name]) if name != NAME or self.texts is None else len(self.texts)

    def __getitem__(self, name: str) -> pa.Table:
        if name == NAME and self.texts is not None:
            return self.texts.whole
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables or (name == NAME and self.texts is not None)

    def __iter__(self) -> Iterator[str]:
        yield from self._tables
        if self.texts is not None:
            yield NAME

    def __len__(self) -> int:
        return len(self._tables) + (self.texts is not None)
