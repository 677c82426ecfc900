"""NewsML-G2 of the IPTC: news items in a news message, or alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read import nitf
from dedup.read.elements import attribute, child, children, code, descendants, value
from dedup.read.markup import is_html, local_name, text_of, text_of_html
from dedup.read.story import Story
from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from dedup.read.intake import Intake, RawRecord, Source

NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"
_OTHERS = {
    "packageitem": "a package: it lists other items",
    "conceptitem": "a concept, not a news item",
    "knowledgeitem": "a list of concepts, not a news item",
    "planningitem": "a plan of coverage, not a news item",
    "catalogitem": "a catalogue of codes, not a news item",
}
_TEXTUAL = ("text", "composite", "", None)


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the text items of a document; pictures, packages and the like are rejected."""
    items = Items(source, intake, lambda name: name == "newsitem" or name in _OTHERS)
    for item in items:
        story = story_of(item)
        record = story.record(f"line {item.sourceline}", intake, items.issues)
        if record is not None:
            yield record


def story_of(item: etree._Element) -> Story:
    """What an item states.

    The time is that of this version, because its text did not exist before: ``versionCreated``,
    else the last of the times of the content, else ``firstCreated``.
    """
    meta, content = child(item, "itemmeta"), child(item, "contentmeta")
    rights = child(item, "rightsinfo")
    provider = child(meta, "provider")
    inline = _inline(child(item, "contentset"))
    story = Story(
        id=attribute(item, "guid"),
        version=attribute(item, "version"),
        title=_headline(content) or value(child(meta, "title")),
        byline="; ".join(filter(None, map(value, children(content, "by")))) or None,
        dates=(
            value(child(meta, "versioncreated")),
            value(child(content, "contentmodified")),
            value(child(content, "contentcreated")),
            value(child(meta, "firstcreated")),
        ),
        language=attribute(child(content, "language"), "tag") or attribute(item, "lang"),
        outlet=_provider_code(provider) or next(iter(_names(provider)), None),
        status=code(child(meta, "pubstatus")),
        embargo=value(child(meta, "embargoed")),
        refused=_refusal(item, code(child(meta, "itemclass")), inline),
    )
    _credit(story, meta, content, rights)
    if inline is not None and story.refused is None:
        _add_content(story, inline)
    return story


def _credit(
    story: Story,
    meta: etree._Element | None,
    content: etree._Element | None,
    rights: etree._Element | None,
) -> None:
    story.credit("creditLine", *map(value, children(content, "creditline")))
    story.credit("dateline", *map(value, children(content, "dateline")))
    story.credit("provider", *_names(child(meta, "provider")))
    for party in children(content, "infosource"):
        story.credit("infosource", *_names(party))
    for party in children(rights, "copyrightholder"):
        story.credit("copyrightHolder", *_names(party))
    story.credit("copyrightNotice", *map(value, children(rights, "copyrightnotice")))


def _names(party: etree._Element | None) -> list[str]:
    """How a party is called: its names, its literal, and the code of a news provider."""
    if party is None:
        return []
    found = [value(name) for name in children(party, "name")]
    found.append(attribute(party, "literal"))
    found.append(_provider_code(party))
    return [name for name in dict.fromkeys(found) if name]


def _provider_code(party: etree._Element | None) -> str | None:
    """The code of a party in a list of news providers (``nprov:dpa``)."""
    scheme, _, end = (attribute(party, "qcode") or "").partition(":")
    return end or None if "prov" in scheme.lower() else None


def _headline(content: etree._Element | None) -> str | None:
    """The first headline that is not marked as a lesser one (a role such as ``subHeadline``)."""
    lines = [line for line in children(content, "headline") if value(line)]
    main = [
        line
        for line in lines
        if "sub" not in (attribute(line, "role") or "").lower()
        and attribute(line, "rank") in (None, "1")
    ]
    return value((main or lines)[0]) if lines else None


def _inline(contents: etree._Element | None) -> etree._Element | None:
    """The text inside the item; of several renditions XML goes before plain text."""
    for name in ("inlinexml", "inlinedata"):
        for part in children(contents, name):
            kind = (attribute(part, "contenttype") or "text/").lower()
            if (len(part) or (part.text or "").strip() or name == "inlinexml") and (
                "xml" in kind or "html" in kind or kind.startswith("text/") or "nitf" in kind
            ):
                return part
    return None


def _refusal(item: etree._Element, kind: str | None, inline: etree._Element | None) -> str | None:
    name = local_name(item)
    if name in _OTHERS:
        return _OTHERS[name]
    if kind not in _TEXTUAL:
        return f"the item is not a text but of class '{kind}'"
    if inline is None:
        remote = any(True for _ in descendants(child(item, "contentset"), "remotecontent"))
        return (
            "the item holds no text: its content is in other files (remoteContent)"
            if remote
            else "the item holds no text"
        )
    if attribute(inline, "encoding"):
        return f"its text is encoded ('{attribute(inline, 'encoding')}'), not written out"
    return None


def _add_content(story: Story, inline: etree._Element) -> None:
    root = next(children(inline), None)
    if root is None:
        raw = inline.text or ""
        story.text = text_of_html(raw, "typed") if is_html(raw) else text_of(inline, "typed")
        return
    if local_name(root) == "nitf":
        inner = nitf.story_of(root)
        story.text = inner.text
        story.title = story.title or inner.title
        story.byline = story.byline or inner.byline
        for name, values in inner.credits.items():
            story.credit(name, *values)
        return
    body = child(root, "body")
    story.text = text_of(inline if body is None else body, "typed")
    story.title = (
        story.title
        or value(child(root, "head", "title"))
        or value(next(descendants(root, "h1", "h2"), None))
    )
