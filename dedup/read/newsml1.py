"""NewsML 1 (1.0 to 1.2) of the IPTC: news items of nested components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read import nitf
from dedup.read.elements import attribute, child, children, descendants, value
from dedup.read.markup import is_html, local_name, text_of, text_of_html
from dedup.read.story import Story
from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from dedup.read.intake import Intake, RawRecord, Source


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the text items of a NewsML 1 document; items without text are rejected."""
    items = Items(source, intake, {"newsitem"}.__contains__)
    for item in items:
        record = story_of(item).record(f"line {item.sourceline}", intake, items.issues)
        if record is not None:
            yield record


def story_of(item: etree._Element) -> Story:
    """What a ``NewsItem`` states. Its id has no version: that is the ``RevisionId``."""
    identifier = child(item, "identification", "newsidentifier")
    management = child(item, "newsmanagement")
    revision = value(child(identifier, "revisionid"))
    story = Story(
        id=_id(identifier, revision),
        version=revision,
        title=_line(item, "headline") or value(child(item, "identification", "namelabel")),
        byline=_line(item, "byline"),
        dates=(
            value(child(management, "thisrevisioncreated")),
            value(child(management, "firstcreated")),
            value(child(identifier, "dateid")),
        ),
        language=_formal(next(descendants(item, "language"), None)),
        outlet=next(iter(_parties(item, "provider")), None)
        or value(child(identifier, "providerid")),
        status=_formal(child(management, "status")),
        embargo=_embargo(management),
    )
    story.credit("creditLine", *map(value, descendants(item, "creditline")))
    story.credit("dateline", *map(value, descendants(item, "dateline")))
    story.credit("copyright", *map(value, descendants(item, "copyrightline")))
    story.credit("copyrightHolder", *map(value, descendants(item, "copyrightholder")))
    story.credit("provider", *_parties(item, "provider"))
    story.credit("source", *_parties(item, "source"))
    parts, others = _texts(item)
    if parts:
        story.text = "\n".join(filter(None, (_content(part) for part in parts)))
    elif others:
        story.refused = f"the item is not a text but {', '.join(dict.fromkeys(others))}"
    return story


def _id(identifier: etree._Element | None, revision: str | None) -> str | None:
    """The public identifier (``urn:newsml:provider:date:item:revision``) without its revision."""
    public = value(child(identifier, "publicidentifier"))
    names = [value(child(identifier, n)) for n in ("providerid", "dateid", "newsitemid")]
    if all(names):
        return ":".join(("urn:newsml", *filter(None, names)))
    if public and revision and public.rpartition(":")[2].rstrip("ANU") == revision:
        return public.rpartition(":")[0]
    return public


def _formal(element: etree._Element | None) -> str | None:
    return attribute(element, "FormalName")


def _line(item: etree._Element, name: str) -> str | None:
    found = (value(line) for line in descendants(item, name))
    return next((line for line in found if line), None)


def _parties(item: etree._Element, role: str) -> list[str]:
    parties = (party for place in descendants(item, role) for party in children(place, "party"))
    return [name for name in dict.fromkeys(map(_formal, parties)) if name]


def _embargo(management: etree._Element | None) -> str | None:
    """When the status changes from embargoed to another; the far future when it is not said."""
    if (_formal(child(management, "status")) or "").lower() != "embargoed":
        return None
    return value(child(management, "statuswillchange", "dateandtime"))


def _texts(item: etree._Element) -> tuple[list[etree._Element], list[str]]:
    """The content items that are text, and the media types of the others.

    Components marked as equivalents of each other are renditions of one content: the first of
    them that has text counts.
    """
    found: list[etree._Element] = []
    others: list[str] = []
    waiting = list(children(item, "newscomponent"))
    while waiting:
        component = waiting.pop(0)
        before = len(found)
        for content in children(component, "contentitem"):
            kind = _formal(child(content, "mediatype"))
            if child(content, "datacontent") is None or (kind or "text").lower() != "text":
                others.append(kind or "content in other files")
            elif len(found) == before:
                found.append(content)
        inner = list(children(component, "newscomponent"))
        if (attribute(component, "EquivalentsList") or "").lower() == "yes":
            inner = [part for part in inner if _has_text(part)][:1] or inner[:1]
        waiting[:0] = inner
    return found, others


def _has_text(component: etree._Element) -> bool:
    return any(
        (_formal(child(content, "mediatype")) or "text").lower() == "text"
        and child(content, "datacontent") is not None
        for content in descendants(component, "contentitem")
    )


def _content(item: etree._Element) -> str:
    data = child(item, "datacontent")
    if data is None:
        return ""
    root = next(children(data), None)
    if root is None:
        raw = data.text or ""
        return text_of_html(raw, "typed") if is_html(raw) else text_of(data, "typed")
    if local_name(root) == "nitf":
        return nitf.story_of(root).text or ""
    body = child(root, "body")
    content = child(body, "body.content")
    part = content if content is not None else body if body is not None else data
    return text_of(part, "typed")
