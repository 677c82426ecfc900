"""Texts of an index, read one by one as they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import pyarrow as pa
import zstandard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.store import Store


class StoredText(NamedTuple):
    """What stands for an Arrow scalar; making one would encode the text again."""

    text: str | None

    def as_py(self) -> str | None:
        """The text; ``None`` where the index has none."""
        return self.text


class StoredTexts:
    """What stands for an Arrow array of strings, one of each of ``keys``: values of the column
    ``column`` of the table ``texts``, its number (``text``) or the digest (``digest``)."""

    def __init__(
        self, store: Store, column: Literal["text", "digest"], keys: Sequence[int | str]
    ) -> None:
        self._store = store
        self._query = f"SELECT content FROM texts WHERE {column} = ?"  # noqa: S608
        self._keys = keys
        self._plain = zstandard.ZstdDecompressor()

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> StoredText:
        return StoredText(self._text(row))

    def take(self, rows: pa.Array) -> pa.LargeStringArray:
        """Some of the texts, in this order; null where the index has none."""
        return pa.array([self._text(row) for row in rows.to_pylist()], pa.large_string())

    def _text(self, row: int) -> str | None:
        content = self._store.value(self._query, self._keys[row])
        return None if content is None else self._plain.decompress(content).decode()
