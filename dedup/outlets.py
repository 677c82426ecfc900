"""Who published an article: the identity that decides whether two articles share an outlet."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dedup.agencies import Agencies, load
from dedup.domains import registrable_domain

if TYPE_CHECKING:
    from collections.abc import Mapping

AGGREGATORS = frozenset(
    {
        "news.google.com",
        "google.com",
        "feedproxy.google.com",
        "feeds.feedburner.com",
        "feedburner.com",
        "t.co",
        "bit.ly",
        "ow.ly",
        "buff.ly",
        "dlvr.it",
        "goo.gl",
        "tinyurl.com",
        "is.gd",
        "flip.it",
        "fb.me",
        "lnkd.in",
        "ift.tt",
        "trib.al",
        "facebook.com",
        "twitter.com",
        "x.com",
        "reddit.com",
        "linkedin.com",
        "youtube.com",
        "youtu.be",
        "flipboard.com",
        "getpocket.com",
        "smartnews.com",
        "newsbreak.com",
        "archive.org",
        "archive.is",
        "archive.ph",
        "archive.today",
        "webcache.googleusercontent.com",
        "googleusercontent.com",
        "ampproject.org",
        "factiva.com",
        "lexisnexis.com",
        "proquest.com",
        "pressreader.com",
        "example.com",  # reserved for made-up data, where the outlet field is what differs
        "example.org",
        "example.net",
    }
)
"""Domains that carry other people's articles, shorten addresses or archive; they name nobody."""

_BLOG_HOSTS = frozenset(
    {"blogspot.com", "wordpress.com", "substack.com", "tumblr.com", "medium.com", "typepad.com"}
)
"""Domains whose every subdomain is a publisher of its own."""

_HOST = re.compile(r"(?i)[a-z0-9-]+(?:\.[a-z0-9-]+){1,8}\.?", re.ASCII)

_USUAL = re.compile(r"https?://([a-z0-9.-]+)(?:[/?#]|\Z)", re.ASCII | re.IGNORECASE)
"""An address whose host needs no parser: no user, port, brackets or other script."""


def outlet_identity(outlet: str | None, url: str | None) -> tuple[str, str] | None:
    """The source id and display name of an article's outlet, or ``None`` when nothing names it.

    The address decides first, because the outlet field is often a section or a columnist: the
    registrable domain (offline suffix list), a listed outlet's id for its other domains, one
    label more on blog hosts. Aggregators, shorteners and archives (:data:`AGGREGATORS`) name
    nobody. Then the field ``outlet``: a domain, the name of a listed outlet, or else a slug of
    it. The display name depends on the id alone, except for slugs.
    """
    found = _by_host(host_of(url)) if url else None
    if found is not None:
        return found
    return _by_name(outlet) if outlet else None


def host_of(url: str) -> str:
    """The lower-case host of an address, empty when it has none; a bare host is accepted."""
    if usual := _USUAL.match(url):  # nearly all; the parser takes many times as long
        return usual[1].rstrip(".").lower()
    try:
        host = urlsplit(url.strip()).hostname or ""
        if not host and "://" not in url:
            host = urlsplit("//" + url.strip()).hostname or ""
    except ValueError:  # "http://[broken"
        return ""
    return host.rstrip(".").lower()


def slug(name: str) -> str:
    """An id made of a name: NFKC, lower case, other than letters and digits turned to ``-``."""
    folded = unicodedata.normalize("NFKC", name).lower()
    # Marks belong to letters in Indic scripts, where dropping them merges names.
    kept = [c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded]
    return "-".join("".join(kept).split())


@lru_cache(maxsize=65536)
def _by_host(host: str) -> tuple[str, str] | None:
    if not host or host in AGGREGATORS:
        return None
    domains = _known().by_domain
    labels = host.split(".")
    for first in range(len(labels) - 1):
        entry = domains.get(".".join(labels[first:]))
        if entry is not None:
            # An agency's own site is an outlet of its own: its id stays a domain.
            known = entry.id if "." in entry.id else entry.domains[0]
            return known, entry.name
    domain = registrable_domain(host)
    if not domain:
        bare = host.removeprefix("www.")
        return (bare, bare) if "." in bare or ":" in bare else None
    if domain in AGGREGATORS:
        return None
    if domain in _BLOG_HOSTS and host != domain:
        domain = ".".join(labels[-3:])
    return domain, domain


@lru_cache(maxsize=65536)
def _by_name(name: str) -> tuple[str, str] | None:
    name = " ".join(name.split())
    if _HOST.fullmatch(name):
        # A host that names nobody (an aggregator, put there from the address) stays nobody.
        return _by_host(name.lower())
    folded = name.casefold()
    entry = _names().get(folded) or _agencies().get(folded.removeprefix("the "))
    if entry is not None:
        return entry
    made = slug(name)
    return (made, name) if made else None


@cache
def _known() -> Agencies:
    return load()


@cache
def _agencies() -> Mapping[str, tuple[str, str]]:
    """Those of :func:`_names` that are agencies: an article before their name means nothing."""
    known = _known()
    sources = {folded: known.get(source) for folded, (source, _) in known.by_name.items()}
    return {
        folded: identity
        for folded, identity in _names().items()
        if (source := sources[folded]) is not None and source.kind == "agency"
    }


@cache
def _names() -> Mapping[str, tuple[str, str]]:
    """Identity by case-folded name, for listed sources that have a site of their own."""
    names: dict[str, tuple[str, str]] = {}
    known = _known()
    for folded, (source, _) in known.by_name.items():
        entry = known.get(source)
        if entry is None:
            continue
        if "." in entry.id:
            names[folded] = (entry.id, entry.name)
        elif entry.domains:
            names[folded] = (entry.domains[0], entry.name)
    return names
