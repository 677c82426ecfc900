"""Which format an XML document is of, told by its root element."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from dedup.read.xmlitems import prolog_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dedup.read.head import Head

_ROOTS: dict[str, tuple[str, ...]] = {
    "newsml-g2": (
        *("newsmessage", "newsitem", "packageitem", "conceptitem", "knowledgeitem"),
        *("planningitem", "catalogitem"),
    ),
    "newsml-1": ("newsml",),
    "nitf": ("nitf",),
    "rss": ("rss", "rdf"),
    "atom": ("feed", "entry"),
    "sitemap": ("urlset", "sitemapindex"),
}
"""Local names of root elements in lower case, by the name of their format."""

_KNOWN = frozenset(root for roots in _ROOTS.values() for root in roots) | {"html"}

_ENTRY = re.compile(r"<(?:[\w.-]+:)?entry\b", re.IGNORECASE)


@lru_cache(maxsize=1)  # of one beginning after another, each looked at by all recognisers
def root_of(text: str) -> str | None:
    """The local name of the root element in lower case; ``None`` for what is no XML.

    It is empty for a document that declares a DTD of its own before the root.
    """
    if not text.startswith("<"):
        return None
    prolog = prolog_of(text)
    return None if prolog is None else prolog.root.lower()


def recogniser(form: str) -> Callable[[Head], bool]:
    """Tells whether a document has the root element of a format."""
    roots = _ROOTS[form]

    def shows(head: Head) -> bool:
        return root_of(head.text) in roots and not _is_own_feed(head.text)

    return shows


def _is_own_feed(text: str) -> bool:
    """Whether a document calls its root a feed but is not of Atom: the root is in no namespace, and
    no entry follows."""
    prolog = prolog_of(text)
    if prolog is None or prolog.root.lower() != "feed":
        return False
    return not prolog.namespace and _ENTRY.search(text) is None


def shows_other(head: Head) -> bool:
    """Whether a document declares to be XML, but has the root element of no known format."""
    root = root_of(head.text)
    if root is None or not head.text.startswith("<?xml"):
        return False
    return root not in _KNOWN or _is_own_feed(head.text)
