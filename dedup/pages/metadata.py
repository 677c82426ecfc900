"""What a page says of its article: title, outlet, date, author, addresses, credits.

The order is JSON-LD (schema.org), then OpenGraph (https://ogp.me) and other ``meta`` elements,
then the visible elements of the page. Each field is taken from the first that states it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from dedup.pages.linked_data import LinkedData, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

_DATES = (
    *("article:published_time", "og:article:published_time", "og:published_time", "og:pubdate"),
    *("datepublished", "parsely-pub-date", "sailthru.date", "cxenseparse:recs:publishtime"),
    *("dcterms.created", "dc.date.issued", "dcterms.date", "dc.date", "article.published"),
    *("publishdate", "publish-date", "publish_date", "pubdate", "date"),
)
_AUTHORS = (
    *("author", "parsely-author", "article:author", "og:article:author", "dc.creator"),
    *("dcterms.creator", "sailthru.author", "byl", "twitter:creator"),
)
_TITLES = ("og:title", "twitter:title", "parsely-title", "dc.title", "title")
_OUTLETS = ("og:site_name", "application-name", "publisher", "dc.publisher", "copyright")
_DESCRIPTIONS = ("og:description", "description", "twitter:description")
_CREDITS = ("sourceOrganization", "provider", "creditText", "copyrightHolder", "copyrightNotice")
_BYLINES = (
    '[itemprop="author"] [itemprop="name"]',
    '[itemprop="author"]',
    '[rel="author"]',
    '[class~="byline" i],[class~="author" i],[class$="byline" i],[class$="author-name" i]',
)
_MAX_BYLINE = 200
_BY = re.compile(r"^(?:(?:by|von|par|por|oleh|di|da|door|av)\s+|文[:/／]|記者[:：])", re.IGNORECASE)
_NO_NAME = re.compile(r"https?://|@|^[\W\d_]+$", re.IGNORECASE)
_OUTLET_AT_END = re.compile(r"^(.+?)\s*(?:[|ㅣ]|\s[-–—•]\s).{1,60}$")


class Metadata:
    """The metadata of one page.

    Args:
        tree: the parsed page; it is only read.
        url: the address that the page was fetched from, if known.

    ``titles`` are all titles that the page states, ``descriptions`` its summaries: for telling
    them apart from the text.
    """

    def __init__(self, tree: LexborHTMLParser, url: str | None) -> None:
        self._tree = tree
        self._meta = _meta(tree)
        base = url or ""
        self.canonical = _link(tree, base)
        og_url = self._address("og:url", base)
        addresses = [a for a in (url, og_url, self.canonical) if a]
        scripts = (n.text() for n in tree.css('script[type*="ld+json" i]'))
        self.data = LinkedData(scripts, addresses)
        # The canonical address comes last: that of a syndicated copy is the original's.
        self.url = url or og_url or self.data.address() or self.canonical
        self.descriptions = [*self._all(_DESCRIPTIONS), *_texts([self.data.get("description")])]
        heads = [_visible(node) for node in tree.css("h1")]
        self._heads = [head for head in heads if head]
        self.titles = [*_texts([self.data.get("headline")]), *self._all(_TITLES), *self._heads]
        publishers = self.data.names("publisher")
        named = [*self._all(_OUTLETS[:1]), *publishers, *self._all(_OUTLETS[1:])]
        self.outlet = named[0] if named else None

    def fields(self) -> dict[str, Any]:
        """The fields that are known, under the names that columns have."""
        data = self.data
        found: dict[str, Any] = {
            "title": self._title(),
            "published": self._published(),
            "byline": ", ".join(self._authors()) or None,
            "outlet": self.outlet,
            "language": self._language(),
            "url": self.url,
            "canonical": self.canonical,
            "publisher": ", ".join(data.names("publisher")) or None,
            "isBasedOn": _based_on(data.get("isBasedOn")),
            **{name: ", ".join(data.names(name)) or None for name in _CREDITS},
        }
        return {name: value for name, value in found.items() if value}

    def _title(self) -> str | None:
        """The first title stated, without the name of the outlet at its end."""
        headline = _texts([self.data.get("headline")])
        stated = [*headline, *self._all(_TITLES[:1]), *self._heads[:1], *self._all(_TITLES[1:])]
        if not stated:
            node = self._tree.css_first("title")
            stated = [_visible(node)] if node is not None else []
        if not stated:
            return None
        short, separator, _ = _OUTLET_AT_END.sub(r"\1\n", stated[0]).partition("\n")
        return short if separator and short in (*headline, *self._heads) else stated[0]

    def _published(self) -> str | None:
        for value in (self.data.get("datePublished"), self.data.get("dateCreated")):
            if stated := _texts([value]):
                return stated[0]
        if stated := self._all(_DATES):
            return stated[0]
        for selector in ('[itemprop="datePublished"]', "time[pubdate]", "time[datetime]"):
            for node in self._tree.css(selector):
                attributes = node.attributes
                value = str(attributes.get("datetime") or attributes.get("content") or "").strip()
                if value:
                    return value
        return None

    def _authors(self) -> list[str]:
        """Who is named as the author; the outlet itself only where nobody else is."""
        ways = (self._linked_authors, self._meta_authors, self._visible_authors)
        outlet = _folded(self.outlet or "")
        fallback: list[str] = []
        for way in ways:
            names = [name for name in way() if _is_name(name)]
            if any(_folded(name) != outlet for name in names):
                return names
            fallback = fallback or names
        return fallback

    def _linked_authors(self) -> list[str]:
        return self.data.names("author") or self.data.names("creator")

    def _meta_authors(self) -> list[str]:
        return self._all(_AUTHORS)[:1]

    def _visible_authors(self) -> list[str]:
        for selector in _BYLINES:
            names = [_visible(node) for node in self._tree.css(selector)]
            if names := [n for n in dict.fromkeys(names) if 0 < len(n) <= _MAX_BYLINE]:
                return [_BY.sub("", names[0], count=1)]
        return []

    def _language(self) -> str | None:
        node = self._tree.css_first("html")
        stated = node.attributes.get("lang") if node is not None else None
        found = _texts([self.data.get("inLanguage"), stated, *self._all(("og:locale",))])
        return found[0].replace("_", "-").split("-", 1)[0].lower() if found else None

    def _address(self, name: str, base: str) -> str | None:
        return next((_absolute(value, base) for value in self._meta.get(name, ())), None)

    def _all(self, names: Iterable[str]) -> list[str]:
        return [value for name in names for value in self._meta.get(name, ())]


def _meta(tree: LexborHTMLParser) -> dict[str, list[str]]:
    """The contents of the ``meta`` elements by their name in lower case."""
    found: dict[str, list[str]] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        content = plain(attributes.get("content") or "")
        if content:
            for key in ("property", "name", "itemprop"):
                if name := attributes.get(key):
                    found.setdefault(name.lower(), []).append(content)
    return found


def _link(tree: LexborHTMLParser, base: str) -> str | None:
    node = tree.css_first('link[rel~="canonical" i][href]')
    return _absolute(node.attributes.get("href") or "", base) if node is not None else None


def _absolute(url: str, base: str) -> str | None:
    """``url`` with the address of the page filled in; ``None`` unless it is a web address."""
    try:
        url = urljoin(base, url.strip())
        parts = urlsplit(url)
    except ValueError:  # a host in brackets that is no address
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _is_name(text: str) -> bool:
    """Whether a text can be a name: no address, no account, not only digits."""
    return _NO_NAME.search(text) is None


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _visible(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())


def _texts(values: Iterable[Any]) -> list[str]:
    """Those of ``values`` that are text, or lists of text."""
    found: list[str] = []
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            text = plain(item) if isinstance(item, str) else ""
            found += [text] if text else []
    return found


def _based_on(value: Any) -> str | None:
    """What an article says it is based on: names, else addresses."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("name") or item.get("headline") or item.get("url") or item.get("@id")
        found += _texts([item])
    return ", ".join(dict.fromkeys(found)) or None
