"""Fields that hold names: bylines and metadata, looked up part by part."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dedup.agencies import Strictness
from dedup.creditfields import CREDIT_FIELDS, folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dedup.slots import Span

    ByName = Mapping[str, tuple[str, Strictness]]

MAX_NAMES = 4
"""A byline of more names is a page's list of authors, not the author of the text."""

LONGEST_PART = 200
"""Characters of a part of a field beyond which it is running text: no name, with all that may
stand around one, is as long. Keeps the work linear in the length of a field."""

_PART = re.compile(r"[^,;/|•·&\n()–—]+")
_BY_PREFIX = re.compile(
    r"(?:.{0,60}\b(?:for|of|with|from|at)\s+)?(?:(?:by|oleh|von|por|par|di|da|door|från|от|from|"
    r"source|sumber|copyright|©|\(c\))[\s:]+)?(?:\d{4}\s+)?(?:the\s+)?",
    re.IGNORECASE,
)
_BY_SUFFIX = re.compile(
    r"(?:['’]s)?\s+(?:(?:staff|news|national|political|white house|chief|senior|wire)\s+){0,2}"
    r"(?:writers?|reporters?|correspondents?|staff|editors?|journalists?|agency|newsroom|reports?|"
    r"services?|service|wire)\.?$",
    re.IGNORECASE,
)
_AND = re.compile(r"\s(?:and|und|dan|et|y|e|и)\s", re.IGNORECASE)


def names_in(by_name: ByName, value: str, *, limit: int | None) -> Iterator[tuple[str, Span]]:
    """Sources that are parts of a field that holds names: a byline, a metadata value.

    ``by_name`` is :attr:`dedup.agencies.Agencies.by_name`. A field of more parts than ``limit``
    holds none.
    """
    parts: list[Span] = []
    for piece in _PART.finditer(value):
        at = piece.start()
        for word in _AND.finditer(piece.group()):
            parts.append((at, piece.start() + word.start()))
            at = piece.start() + word.end()
        parts.append((at, piece.end()))
    whole = value.strip()
    if whole.casefold() in by_name:
        start = value.index(whole)
        yield by_name[whole.casefold()][0], (start, start + len(whole))
        return
    if limit is not None and len(parts) > limit:
        return
    for start, end in parts:
        span = _name_in(by_name, value, start, end) if end - start <= LONGEST_PART else None
        if span is not None:
            name = value[span[0] : span[1]]
            source, strictness = by_name[name.casefold()]
            alone = len(parts) == 1
            capitals = name.isupper() or not name.isascii()
            if strictness is Strictness.AMBIGUOUS and not (alone or capitals):
                continue  # "Petra" among several names is a person
            yield source, span


def _name_in(by_name: ByName, value: str, start: int, end: int) -> Span | None:
    while start < end and (value[start].isspace() or value[start] in "-:*."):
        start += 1
    while end > start and (value[end - 1].isspace() or value[end - 1] in "-:*."):
        end -= 1
    if value[start:end].casefold() in by_name:
        return start, end
    prefix = _BY_PREFIX.match(value, start, end)
    if prefix:
        start = prefix.end()
    for _ in range(2):
        if start < end and value[start:end].casefold() in by_name:
            return start, end
        suffix = _BY_SUFFIX.search(value[start:end])
        if not suffix:
            return None
        end = start + suffix.start()
    return (start, end) if start < end and value[start:end].casefold() in by_name else None


def metadata_values(metadata: str) -> Iterator[tuple[str, str]]:
    """``(path, text)`` of the metadata's values that may name a source, in sorted order.

    ``metadata`` is a JSON object; anything else has none. Of nested objects the name counts.
    """
    try:
        table = json.loads(metadata)
    except (ValueError, RecursionError):
        return
    if not isinstance(table, dict):
        return
    for key in sorted(table):
        if folded(key) in CREDIT_FIELDS:
            yield from _texts(key, table[key])


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            waiting += [(f"{path}.{i}", item) for i, item in enumerate(value)][::-1]
        elif isinstance(value, dict):
            names = ("name", "literal", "title", "legalName", "alternateName")
            waiting += [(f"{path}.{key}", value[key]) for key in names if key in value][::-1]
