"""One JSON value out of bytes: strict and fast first, then whatever can be understood."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import orjson

INVALID_UTF8 = "invalid-utf8"
LONE_SURROGATE = "lone-surrogate"
_BOM = b"\xef\xbb\xbf"


class RefusedError(Exception):
    """Bytes that are no JSON value; the message says why."""


def tolerant(
    data: bytes, error: orjson.JSONDecodeError, reject_invalid_utf8: bool
) -> tuple[Any, tuple[str, ...]]:
    """Read what orjson refuses with ``error``: invalid UTF-8, lone surrogates, NaN, a BOM inside.

    Returns the value and its issues. Raises :class:`RefusedError` when it is no JSON for the
    standard library either.
    """
    issues: tuple[str, ...] = ()
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as invalid:
        if reject_invalid_utf8:
            raise RefusedError(f"invalid UTF-8 at byte {invalid.start} of the record") from invalid
        text = data.removeprefix(_BOM).decode("utf-8", "replace")
        issues = (INVALID_UTF8,)
    try:
        value = json.loads(text)
    except RecursionError as deep:
        raise RefusedError("the JSON is nested too deeply") from deep
    except ValueError as other:
        raise RefusedError(f"not valid JSON: {error if not issues else other}") from other
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        value = without_surrogates(value)
        issues = (*issues, LONE_SURROGATE)
    except RecursionError as deep:
        raise RefusedError("the JSON is nested too deeply") from deep
    return value, issues


def without_surrogates(value: Any) -> Any:
    """The same value, U+FFFD in place of each lone surrogate in its strings."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(k): without_surrogates(v) for k, v in value.items()}
    return value


def kind_of(value: Any) -> str:
    """What a JSON value is, for messages."""
    if value is None:
        return "null"
    kinds = {list: "an array", dict: "an object", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "a number")
