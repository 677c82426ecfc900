"""Entries of TOML files that a user writes, each with the place where it stands, for messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import SettingsError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

_SOURCE_ID = re.compile(r"\w[\w.-]*")


def is_source_id(text: str) -> bool:
    """Whether ``text`` has the form of a source's id: lower case letters and digits, ``.-_``."""
    return _SOURCE_ID.fullmatch(text) is not None and text == text.lower()


def headings(path: str | os.PathLike[str], name: str) -> list[str]:
    """``line N`` of every ``[[name]]`` heading of a TOML file, in order."""
    heading = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
    lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    return [f"line {n}" for n, line in enumerate(lines, 1) if heading.match(line)]


def located(
    table: Mapping[str, Any], name: str, places: Sequence[str], origin: str
) -> list[tuple[Mapping[str, Any], str]]:
    """The entries ``[[name]]`` of a parsed file, each with where it stands, for messages."""
    entries = table.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise SettingsError(f"{origin}: '{name}' must be a list of tables, [[{name}]]")
    # Entries may be written inline as well; then there is no heading to point to.
    lined = len(places) == len(entries)
    return [
        (entry, f"{origin}, {places[n]}: {name} {n + 1}" if lined else f"{origin}: {name} {n + 1}")
        for n, entry in enumerate(entries)
    ]


def check_keys(raw: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Refuse unknown keys (:class:`~dedup.errors.SettingsError`)."""
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise SettingsError(f"{where}: unknown key '{unknown[0]}'; known are: {', '.join(known)}")


def text_of(raw: Mapping[str, Any], key: str, where: str, *, default: str | None = None) -> str:
    """A text of an entry, stripped; with ``default`` it may be missing."""
    value = raw.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise SettingsError(f"{where}: '{key}' must be a text that is not empty")
    return value.strip()
