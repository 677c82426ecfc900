"""A JSON object that is cut off or damaged: what was whole of the list of records in it."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from dedup.read import ninjs
from dedup.read.columns import resolve
from dedup.read.intake import Intake, RawRecord
from dedup.read.jsontext import RefusedError, tolerant
from dedup.read.wrapped import records_in

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_DAMAGED = "damaged, with all that follows in the same answer"
_OF_ARTICLES = frozenset(("id", "url", "byline", "published"))
_CLOSED_BY = {b"[": b"]", b"{": b"}"}


def rescued(data: bytes, place: str, offset: int, intake: Intake) -> list[RawRecord]:
    """The answer of a service with which ``data`` begins, which is no JSON; nothing where none is.

    Its list of records is ended after the last one that is whole. What follows is rejected as one,
    with its position (``place`` and bytes from ``offset`` on), and the file marked as incomplete.

    The records are the members of the outermost list. What was cut off in itself is no record, and
    neither is an article in whose comments the input ends: what has an id or a date is no answer.
    """
    settings = intake.settings
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
    items = ninjs.items_of(value, intake)
    if items:
        if items[0] is value:
            return []
        records = list(ninjs.records(items, place, issues, intake))
    elif _is_answer(value, settings.fields):
        records = [RawRecord(place, value, issues)]
    else:
        return []
    cut = not data[len(sound) :].strip()
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


def _is_answer(value: dict[str, Any], overrides: tuple[tuple[str, str], ...]) -> bool:
    """Whether there are records in an object, and it is not an article whose end is missing."""
    columns = resolve(tuple(value), overrides)
    if not columns.taken().keys().isdisjoint(_OF_ARTICLES):
        return False
    return bool(records_in(value, columns, overrides))


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
