"""JSON Lines: one JSON object a line. The hot path of reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head

LONE_SURROGATE = "lone-surrogate"
INVALID_UTF8 = "invalid-utf8"
_BOM = b"\xef\xbb\xbf"


class _RefusedError(Exception):
    """A line that is no record; the message says why."""


def shows(head: Head) -> bool:
    """Whether the text begins with a JSON object that has a line of its own."""
    return head.text.startswith("{")


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the objects of a JSON Lines file; anything else is rejected with its position."""
    settings = intake.settings

    def too_long(number: int, offset: int, length: int, head: bytes) -> None:
        reason = f"the line has {length} bytes, more than max_record_bytes allows"
        intake.reject(
            f"line {number}, byte {offset}", f"{reason} ({settings.max_record_bytes})", head
        )

    lines = Lines(source.stream, settings.max_record_bytes, too_long)
    loads = orjson.loads
    issues: tuple[str, ...]
    any_object = False
    for number, offset, line in lines:
        issues = ()
        try:
            value = loads(line)
        except orjson.JSONDecodeError as error:
            if not line.strip():
                continue  # blank lines are not records
            try:
                value, issues = _tolerant(line, error, settings.reject_invalid_utf8)
            except _RefusedError as refused:
                reason = str(refused)
                if lines.unterminated and source.stream.failure is not None:
                    reason = f"the record is cut off, the file ends early ({reason})"
                intake.reject(f"line {number}, byte {offset}", reason, line)
                if not any_object and line.strip() in (b"[", b"{"):
                    intake.note(
                        "looks like one indented JSON value, not JSON Lines; convert it with "
                        "jq -c '.[]?'"
                    )
                continue
        if type(value) is not dict:
            reason = f"the line is not a JSON object but {_name(value)}"
            intake.reject(f"line {number}, byte {offset}", reason, line)
            if not any_object and type(value) is list:
                intake.note("holds JSON arrays, not JSON Lines; convert it with jq -c '.[]'")
            continue
        any_object = True
        yield RawRecord(f"line {number}", value, issues)
    if any_object:
        intake.columns.check(need_text=False)


def _tolerant(
    line: bytes, error: orjson.JSONDecodeError, reject_invalid_utf8: bool
) -> tuple[Any, tuple[str, ...]]:
    """Read a line that orjson refuses: invalid UTF-8, lone surrogates, NaN, a BOM inside.

    Raises ``_RefusedError`` when it is no JSON for the standard library either.
    """
    issues: tuple[str, ...] = ()
    try:
        text = line.removeprefix(_BOM).decode()
    except UnicodeDecodeError as invalid:
        if reject_invalid_utf8:
            raise _RefusedError(f"invalid UTF-8 at byte {invalid.start} of the line") from invalid
        text = line.removeprefix(_BOM).decode("utf-8", "replace")
        issues = (INVALID_UTF8,)
    try:
        value = json.loads(text)
    except RecursionError as deep:
        raise _RefusedError("the JSON is nested too deeply") from deep
    except ValueError as other:
        raise _RefusedError(f"not valid JSON: {error if not issues else other}") from other
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        value = _without_surrogates(value)
        issues = (*issues, LONE_SURROGATE)
    except RecursionError as deep:
        raise _RefusedError("the JSON is nested too deeply") from deep
    return value, issues


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value


def _name(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {list: "an array", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "a number")
