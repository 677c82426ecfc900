"""A JSON object that is cut off or damaged: what was whole of the list of records in it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import orjson

from dedup.read import ninjs
from dedup.read.columns import has_fields_of_articles, resolve_known
from dedup.read.intake import Intake, RawRecord
from dedup.read.jsontext import RefusedError, tolerant
from dedup.read.wrapped import is_answer

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_DAMAGED = "damaged, with all that follows in the same answer"
_CLOSED_BY = {b"[": b"]", b"{": b"}"}


class Damaged(NamedTuple):
    """An object that is no JSON: its bytes, place and offset, and whether the input ends there."""

    data: bytes
    place: str
    offset: int
    last: bool = False


def rescued(damaged: Damaged, before: dict[str, Any] | None, intake: Intake) -> list[RawRecord]:
    """The records in the answer of a service with which ``damaged`` begins; nothing where none is.

    Its list of records is ended after the last one that is whole. What follows is rejected as one,
    with its position, and the file marked as incomplete.

    The records are the members of the outermost list. What was cut off in itself is no record, and
    neither is an article in whose comments the damage is: where the object ``before`` it in the
    file is an article, it is one, too; else what has a title or an id, or whose list is not named
    as lists of records are.
    """
    data, place, offset, last = damaged
    settings = intake.settings
    if before is not None:
        text = resolve_known(tuple(before), settings.fields).text
        if text is not None and type(before[text]) is str:
            return []
    sound = _sound(data)
    size, closing = _last_member(sound)
    if size == 0:
        return []
    closed = data[:size] + closing
    issues: tuple[str, ...] = ()
    try:
        value = orjson.loads(closed)
    except orjson.JSONDecodeError as error:
        try:
            value, issues = tolerant(closed, error, settings.reject_invalid_utf8)
        except RefusedError:
            return []
    if type(value) is not dict:
        return []
    columns = resolve_known(tuple(value), settings.fields)
    if has_fields_of_articles(columns):
        return []
    items = ninjs.items_of(value, intake)
    if items:
        records = list(ninjs.records(items, place, issues, intake))
    elif is_answer(value, columns, settings.fields):
        records = [RawRecord(place, value, issues)]
    else:
        return []
    cut = last and not data[len(sound) :].strip()
    rest = data[size:].lstrip(b", \t\r\n")
    if rest:
        end = offset + len(data) - len(rest)
        what = "the record is cut off, the file ends early"
        intake.reject(f"{place}, byte {end}", what if cut else _DAMAGED, rest)
    intake.incomplete(
        f"{place}: the answer is {'cut off' if cut else 'damaged'}; what was whole before byte "
        f"{offset + size} is used"
    )
    return records


def _sound(data: bytes) -> bytes:
    """What comes before the place at which ``data`` cannot be JSON any more."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string"):  # its position is where the string begins
            return data
        return text[: error.pos].encode("utf-8", "surrogateescape")
    except RecursionError:
        return b""
    return data


def _last_member(data: bytes) -> tuple[int, bytes]:
    """Where the last object ends that is a whole member of an outermost list, or the last such list
    itself, and what closes all that is open there.

    ``(0, b"")`` where there is none, or where the brackets do not match.
    """
    opened: list[bytes] = []
    size, around, members = 0, 0, 0  # members: depth in the outermost list that is open
    for token in _TOKEN.finditer(data):
        mark = token[0]
        if len(mark) > 1:
            continue
        if mark == b'"':  # a string without its end
            break
        if mark in _CLOSED_BY:
            opened.append(mark)
            if mark == b"[" and not members:
                members = len(opened)
            continue
        if not opened or _CLOSED_BY[opened.pop()] != mark:
            return 0, b""
        depth = len(opened)
        if members:
            ends = depth < members or (depth == members and mark == b"}")
            members = members if depth >= members else 0
        else:
            ends = size > 0 and depth < around
        if ends:
            size, around = token.end(), depth
    return size, b"".join(_CLOSED_BY[mark] for mark in reversed(opened[:around]))
