"""Posts as the REST API of WordPress gives them (https://developer.wordpress.org/rest-api/).

Title, content and excerpt are objects, with HTML under ``rendered``.
"""

from __future__ import annotations

from typing import Any

from dedup.read.markup import text_of_html

_RENDERED = "rendered"
_LINES = frozenset(("title", "guid"))


def is_rendered(value: Any) -> bool:
    """Whether a value is such an object."""
    return type(value) is dict and type(value.get(_RENDERED)) is str


def plain_post(values: dict[str, Any]) -> dict[str, Any]:
    """A post with text in place of HTML, its time as UTC, and the names of its authors.

    ``date`` is the time of the site, of which no zone is stated; ``author`` is a number, whose name
    stands in ``_embedded`` where that was asked for.
    """
    post = {
        name: _text(name, value[_RENDERED]) if is_rendered(value) else value
        for name, value in values.items()
    }
    if type(at := post.get("date_gmt")) is str and at and "date" in post:
        post["date"] = f"{at}Z"
    if type(post.get("author")) is int:
        post["author"] = _authors(post.get("_embedded"))
    return post


def _text(name: str, html: str) -> str:
    text = text_of_html(html)
    return " ".join(text.split()) if name in _LINES else text


def _authors(embedded: Any) -> list[Any] | None:
    found = embedded.get("author") if type(embedded) is dict else None
    return found if type(found) is list else None
