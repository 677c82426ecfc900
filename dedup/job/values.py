"""Values of a TOML table by key, each checked; messages name the file and the key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dedup.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*")
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
}


class Values:
    """A table (``table``) and where it stands (``where``). All methods raise
    :class:`~dedup.errors.SettingsError` for a value of another kind."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.where = where

    def wrong(self, key: str, expected: str, got: Any) -> SettingsError:
        """The error of a value that is not what was expected."""
        return SettingsError(f"{self.where}: '{key}': expected {expected}, got {got!r}")

    def text(self, key: str, *, default: str | None = None) -> str:
        """A text; without ``default`` it must be there and not empty."""
        value = self.table.get(key, default)
        if value is None:
            raise SettingsError(f"{self.where}: '{key}' is missing; expected a text")
        if not isinstance(value, str) or (key in self.table and not value.strip()):
            raise self.wrong(key, "a text that is not empty", value)
        if "\0" in value:
            raise self.wrong(key, "a text without NUL", value)
        return value

    def texts(self, key: str) -> list[str]:
        """A text or a list of texts; none where the key is missing."""
        value = self.table.get(key, [])
        every = [value] if isinstance(value, str) else value
        if not isinstance(every, list) or not all(isinstance(v, str) and v.strip() for v in every):
            raise self.wrong(key, "a text or a list of texts", value)
        if any("\0" in v for v in every):
            raise self.wrong(key, "texts without NUL", value)
        return every

    def flag(self, key: str, *, default: bool) -> bool:
        """``true`` or ``false``."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def number(self, key: str, *, low: int, default: int | None = None) -> int | None:
        """A whole number, ``low`` or more."""
        if key not in self.table:
            return default
        value = self.table[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < low:
            raise self.wrong(key, f"a whole number from {low} on", value)
        return int(value)

    def one_of(self, key: str, known: Sequence[str], *, default: str) -> str:
        """One of some words."""
        value = self.table.get(key, default)
        if value not in known:
            raise self.wrong(key, " or ".join(f"'{word}'" for word in known), value)
        return str(value)

    def duration(self, key: str, *, default: float) -> float:
        """Seconds: ``"10s"``, ``"2 min"``, ``"1h"`` or a number."""
        value = self.table.get(key, default)
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is not None and found[2] in _SECONDS:
            return float(found[1]) * _SECONDS[found[2]]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
            return float(value)
        raise self.wrong(key, "a time such as '10s', '2 min' or '1h'", value)

    def inner(self, key: str) -> Values | None:
        """A table in the table."""
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", value)
        return Values(value, f"{self.where}: [{key}]")
