"""NITF, the News Industry Text Format of the IPTC (versions 2 and 3): one item a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read.elements import attribute, child, children, descendants, strings, value
from dedup.read.markup import text_of
from dedup.read.story import Story
from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from dedup.read.intake import Intake, RawRecord, Source


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the item of an NITF document."""
    items = Items(source, intake, {"nitf"}.__contains__)
    for item in items:
        record = story_of(item).record(f"line {item.sourceline}", intake, items.issues)
        if record is not None:
            yield record


def story_of(item: etree._Element) -> Story:
    """What an ``nitf`` element states.

    The id is the ``du-key`` where that has a version, since it stays the same over the versions
    of a story, else the ``doc-id``. The text is ``body.content`` and the tagline at its end.
    """
    head, body = child(item, "head"), child(item, "body")
    data, top = child(head, "docdata"), child(body, "body.head")
    key, document = child(data, "du-key"), attribute(child(data, "doc-id"), "id-string")
    version = attribute(key, "version")
    story = Story(
        id=(attribute(key, "key") if version else None) or document,
        version=version,
        title=title_of(item),
        byline=_byline(top),
        text=_text(body),
        dates=(
            attribute(child(data, "date.issue"), "norm"),
            attribute(child(top, "dateline", "story.date"), "norm"),
            attribute(child(data, "date.release"), "norm"),
            attribute(next(descendants(head, "revision-history"), None), "norm"),
        ),
        language=attribute(item, "lang") or attribute(body, "lang"),
        outlet=_outlet(head, data, top),
        status=attribute(data, "management-status"),
        embargo=_embargo(data),
    )
    story.credit("distributor", value(child(top, "distributor")))
    story.credit("copyrightHolder", attribute(child(data, "doc.copyright"), "holder"))
    story.credit("rightsHolder", attribute(child(data, "doc.rights"), "owner"))
    sources = descendants(child(data, "del-list"), "from-src")
    story.credit("source", *(attribute(s, "src-name") for s in sources))
    story.credit("credit", value(child(top, "rights", "rights.owner")))
    story.withdraws = tuple(
        found
        for found in (
            document,
            attribute(data, "management-doc-idref"),
        )
        if found and found != story.id
    )
    return story


def _outlet(
    head: etree._Element | None, data: etree._Element | None, top: etree._Element | None
) -> str | None:
    """Who sends the item: the publication, the distributor, the last that moved it, else an
    owner of rights."""
    moved = [attribute(s, "src-name") for s in descendants(child(data, "del-list"), "from-src")]
    return (
        attribute(child(head, "pubdata"), "name")
        or value(child(top, "distributor"))
        or next(filter(None, reversed(moved)), None)
        or attribute(child(data, "doc.rights"), "owner")
        or attribute(child(data, "doc.copyright"), "holder")
    )


def title_of(item: etree._Element) -> str | None:
    """The main headline, else the title of the document."""
    headline = child(item, "body", "body.head", "hedline")
    return (
        value(child(headline, "hl1"))
        or value(child(headline, "hl2"))
        or value(headline)
        or value(child(item, "head", "title"))
    )


def _byline(top: etree._Element | None) -> str | None:
    """All bylines; of each the title of the byline set off by a comma."""
    found = []
    for byline in children(top, "byline"):
        titles = [value(title) for title in descendants(byline, "byttl")]
        for title in list(descendants(byline, "byttl")):
            tail = title.tail
            title.clear()
            title.tail = tail
        found += [", ".join(filter(None, (_spaced(byline), *titles)))]
    return "; ".join(filter(None, found)) or None


def _spaced(element: etree._Element) -> str:
    return " ".join(strings(element, " ").split())


def _text(body: etree._Element | None) -> str | None:
    content = child(body, "body.content")
    if content is None:
        return None
    parts = [text_of(content, "typed")]
    parts += [text_of(line, "typed") for line in children(child(body, "body.end"), "tagline")]
    return "\n".join(filter(None, parts))


def _embargo(data: etree._Element | None) -> str | None:
    """The time of release, where it is later than that of issue, or the item is embargoed."""
    release = attribute(child(data, "date.release"), "norm")
    issue = attribute(child(data, "date.issue"), "norm")
    if release is None or (attribute(data, "management-status") or "").lower() == "embargoed":
        return release
    return release if issue is None or release > issue else None
