"""What clients ask for: bodies and parameters, checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from dedup.model import text_digest
from dedup.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_ROWS = 100
ROWS = 20
MOST_WORDS = 16
LONGEST = {"id": 500, "title": 2000, "byline": 2000, "outlet": 500, "url": 4000}
"""Characters of each field of an article that is checked."""
_SURROGATE = re.compile("[\ud800-\udfff]")


async def article_of(request: Request) -> dict[str, Any]:
    """The article in a JSON body, as the reader gives it.

    Raises :class:`Problem`: 415 for another media type, 400 for what is no JSON, 422 with the
    places for what is no article.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "expected Content-Type: application/json")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Problem(422, "expected an object", errors=[{"pointer": "", "detail": "no object"}])
    errors = []
    text = body.pop("text", None)
    if not isinstance(text, str):
        errors.append({"pointer": "/text", "detail": "expected a string: the article's text"})
    published = body.pop("published", None)
    moment = _moment(published, errors)
    values: dict[str, Any] = {}
    for name, longest in LONGEST.items():
        value = values[name] = body.pop(name, None)
        if value is not None and not (isinstance(value, str) and len(value) <= longest):
            detail = f"expected a string of at most {longest:,} characters, or null"
            errors.append({"pointer": f"/{name}", "detail": detail})
    for name in body:
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        errors.append({"pointer": pointer, "detail": "there is no such field"})
    if errors:
        raise Problem(422, "the body is no article", errors=errors[:20])
    return article(str(text), {**values, "published": moment})


def _moment(stated: Any, errors: list[dict[str, str]]) -> datetime | None:
    """A date with its time zone, in UTC."""
    if stated is None:
        return None
    try:
        moment = datetime.fromisoformat(stated)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        detail = "expected a time such as 2026-05-31T08:00:00Z, or null"
        errors.append({"pointer": "/published", "detail": detail})
        return None


def article(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """An article as the reader gives it; without an id it is called "(this text)"."""
    text = _SURROGATE.sub("\ufffd", text)
    values = {
        name: _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in values.items()
    }
    published = values.get("published")
    return {
        **{name: values.get(name) for name in ("outlet", "url", "title", "byline")},
        "id": values.get("id") or "(this text)",
        "digest": text_digest(text),
        "file": "",
        "position": "",
        "published": published,
        "precision": "unknown" if published is None else "second",
        "published_raw": None if published is None else published.isoformat(),
        "language": None,
        "version": None,
        "metadata": None,
        "issues": [],
        "text": text,
    }


def one(request: Request, name: str, *, required: bool = True) -> str:
    """A parameter of the query, given once.

    Raises :class:`Problem` 422 where it is missing or given again.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1 or (required and not (values and values[0])):
        raise Problem(422, f"expected the parameter {name!r} once")
    return values[0] if values else ""


def rows(request: Request) -> int:
    """The parameter ``limit``.

    Raises :class:`Problem` 422 where it is no number from 1 to :data:`MOST_ROWS`.
    """
    stated = one(request, "limit", required=False) if "limit" in request.query_params else str(ROWS)
    digits = stated.lstrip("0") if stated.isascii() and stated.isdecimal() else ""
    if not 1 <= len(digits) < 10 or int(digits) > MOST_ROWS:
        raise Problem(422, f"limit: expected a whole number from 1 to {MOST_ROWS}")
    return int(digits)


def known(request: Request, *names: str) -> None:
    """Refuse parameters that there are not.

    Raises :class:`Problem` 422.
    """
    for name in request.query_params:
        if name not in names:
            raise Problem(422, f"there is no parameter {name[:100]!r}")


def words(request: Request) -> list[str]:
    """The words of the parameter ``q``.

    Raises :class:`Problem` 422 where there is none, or too many.
    """
    found = one(request, "q").split()
    if not 1 <= len(found) <= MOST_WORDS or any(len(word) > 200 for word in found):
        raise Problem(422, f"q: expected 1 to {MOST_WORDS} words of at most 200 characters")
    return found
