"""The JSON-LD of a page: which of its objects describes the article.

Vocabulary: https://schema.org/Article and its subtypes. Sites embed one object, several, or a
``@graph`` whose objects refer to each other by ``@id``.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_OBJECTS = 10_000
_MAX_DEPTH = 12
_TAG = re.compile(r"<[^<>]{0,500}>")
_PARAGRAPH_END = re.compile(r"</p>|<br\s*/?>", re.IGNORECASE)
_WRAPPED = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)")
_WRAPPED_END = re.compile(r"(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*;?\s*$")
_OTHERS = frozenset({"report", "blogposting", "liveblogposting", "socialmediaposting"})
"""Types of articles, in lower case, whose names do not end in ``article``."""


class LinkedData:
    """All JSON-LD objects of a page, and the one that describes its article.

    Args:
        scripts: the contents of the page's ``application/ld+json`` elements; what is no JSON
            is passed over.
        addresses: the page's own addresses (canonical, ``og:url``, the address fetched), to tell
            its article from those it links to.
    """

    def __init__(self, scripts: Iterable[str], addresses: Iterable[str] = ()) -> None:
        self._by_id: dict[str, dict[str, Any]] = {}
        articles: list[dict[str, Any]] = []
        for script in scripts:
            for found in _objects(_parsed(script)):
                identity = found.get("@id")
                if isinstance(identity, str) and len(found) > 1:
                    self._by_id.setdefault(identity, found)
                if _is_article(found):
                    articles.append(found)
        self.article = _chosen(articles, {_address(a) for a in addresses} - {""})

    def get(self, name: str) -> Any:
        """A property of the article; ``None`` where there is no article or no such property."""
        return self.article.get(name)

    def names(self, name: str) -> list[str]:
        """The names of the persons or organisations that a property of the article holds."""
        return list(dict.fromkeys(self._names(self.article.get(name), _MAX_DEPTH)))

    def _names(self, value: Any, depth: int) -> Iterator[str]:
        if depth == 0:
            return
        if isinstance(value, str):
            if (found := plain(value)) and not found.startswith(("http://", "https://")):
                yield found
        elif isinstance(value, list):
            for item in value:
                yield from self._names(item, depth - 1)
        elif isinstance(value, dict):
            if "name" in value:
                yield from self._names(value["name"], depth - 1)
            elif (known := self._by_id.get(str(value.get("@id")))) and known is not value:
                yield from self._names(known, depth - 1)

    def address(self) -> str | None:
        """The address that the article's object states for itself."""
        return _url_of(self.article)

    def body(self) -> str:
        """The text in ``articleBody``, one paragraph a line; empty where there is none."""
        body = self.article.get("articleBody")
        if isinstance(body, list):
            body = "\n".join(part for part in body if isinstance(part, str))
        if not isinstance(body, str):
            return ""
        body = html.unescape(body)
        if "<" in body:
            body = html.unescape(_TAG.sub(" ", _PARAGRAPH_END.sub("\n", body)))
        lines = (" ".join(line.split()) for line in body.splitlines())
        return "\n".join(line for line in lines if line)


def plain(value: str) -> str:
    """A string of JSON-LD or of a ``meta`` element as text: entities resolved, spaces single."""
    if "&" in value:
        value = html.unescape(value)
    return " ".join(value.split())


def _parsed(script: str) -> Any:
    script = _WRAPPED_END.sub("", _WRAPPED.sub("", script, count=1), count=1)
    try:
        return orjson.loads(script)
    except orjson.JSONDecodeError:
        pass  # orjson is strict; line breaks inside strings are common here
    try:
        return json.loads(script, strict=False)
    except (ValueError, RecursionError):
        return None  # the page has other metadata


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in ``value``, outer ones first; at most ``_MAX_OBJECTS``."""
    level, seen = [value], 0
    for _ in range(_MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                seen += 1
                if seen > _MAX_OBJECTS:
                    return
                yield item
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        level = [item for item in inner if isinstance(item, (dict, list))]


def _is_article(found: dict[str, Any]) -> bool:
    types = found.get("@type")
    for name in types if isinstance(types, list) else [types]:
        if isinstance(name, str):
            last = name.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()
            if last.endswith("article") or last in _OTHERS:
                return True
    return False


def _chosen(articles: list[dict[str, Any]], addresses: set[str]) -> dict[str, Any]:
    """The article that has the page's address, else the one that says most of itself."""
    own = [a for a in articles if _address(_url_of(a) or "") in addresses]
    candidates = own or articles
    return max(candidates, key=_fullness, default={})


def _fullness(article: dict[str, Any]) -> int:
    """Of several objects, how many of the properties an article must have, and the body."""
    return sum(name in article for name in ("headline", "datePublished", "author", "articleBody"))


def _url_of(article: dict[str, Any]) -> str | None:
    for name in ("url", "mainEntityOfPage", "@id"):
        value = article.get(name)
        if isinstance(value, dict):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value.strip()
    return None


def _address(url: str) -> str:
    """An address as it is compared: without scheme, ``www.``, query, fragment, final slash."""
    url = url.strip().split("#", 1)[0].split("?", 1)[0]
    return url.partition("://")[2].removeprefix("www.").rstrip("/").lower()
