"""Markdown files: one article each; plain values of a front matter become its fields.

Front matter is what site generators put before the text between lines of ``---`` (YAML) or
``+++`` (TOML). Only its lines ``name: value`` or ``name = value`` are read, which takes no parser
of YAML, with its aliases that can be made to explode; lists and nested values are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read import textfiles
from dedup.read.columns import fold, resolve
from dedup.read.intake import RawRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.intake import Intake, Source

_FENCE = re.compile(r"\s*(---|\+\+\+)[ \t]*\r?\n")
_LINE = re.compile(r"(?<![\w-])[\d_-]*+([A-Za-z][\w-]*+)[ \t]*+[:=][ \t]*+(\S.*)$", re.MULTILINE)
_NO_SCALARS = ("[", "{", "|", ">", "&", "*", "!")
_MAX_FRONT = 2**16


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the file as one record: its text after the front matter, and what that states."""
    for record in textfiles.read(source, intake):
        values, text = split(record.values["text"])
        values = {"id": source.text_id} | values | {"text": text}
        columns = resolve(tuple(values), (("text", "text"),))
        yield RawRecord(record.position, values, record.issues, columns)


def split(text: str) -> tuple[dict[str, str], str]:
    """The fields of a front matter and the text after it; no fields where there is none.

    >>> split("---\\ntitle: The harbour\\n---\\nIt is closed.")
    ({'title': 'The harbour'}, 'It is closed.')
    """
    fence = _FENCE.match(text)
    if fence is None:
        return {}, text
    end = re.compile(rf"^{re.escape(fence[1])}[ \t]*(?:\r?\n|$)", re.MULTILINE)
    close = end.search(text, fence.end(), fence.end() + _MAX_FRONT)
    if close is None:
        return {}, text
    found: dict[str, str] = {}
    for name, value in _LINE.findall(text[fence.end() : close.start()]):
        if fold(name) != "text" and not value.startswith(_NO_SCALARS):
            found.setdefault(name, _unquoted(value.rstrip(" \t\r")))
    return found, text[close.end() :]


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
