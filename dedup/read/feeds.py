"""RSS (2.0, 0.9x, 1.0, with the extensions of WordPress), Atom, and news sitemaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from dedup.read.elements import strings
from dedup.read.markup import Newlines, is_html, local_name, text_of, text_of_html
from dedup.read.story import SUMMARY_ONLY, Story
from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.intake import Intake, RawRecord, Source

_RSS = (
    "",
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://backend.userland.com/rss2",
)
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
_WORDPRESS = "http://wordpress.org/export/"
_SITEMAP = (
    "a sitemap names pages but does not hold their texts; collect the pages (HTML or WARC) and "
    "give those"
)


def rss(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the items of an RSS feed or of an export of WordPress (WXR)."""
    items = Items(source, intake, {"item"}.__contains__)
    feed = None
    for item in items:
        feed = feed or _channel_of(item)
        record = _rss_story(item, feed).record(f"line {item.sourceline}", intake, items.issues)
        if record is not None:
            yield record


def atom(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the entries of an Atom feed (RFC 4287); deleted ones (RFC 6721) are withdrawals."""
    items = Items(source, intake, {"entry", "deleted-entry"}.__contains__)
    feed = None
    for item in items:
        feed = feed or _feed_of(item)
        record = _atom_story(item, feed).record(f"line {item.sourceline}", intake, items.issues)
        if record is not None:
            yield record


def sitemap(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Reject the entries of a sitemap, of news or of sitemaps: they hold no text."""
    for item in Items(source, intake, {"url", "sitemap"}.__contains__):
        named = [str(part.text or "") for part in item.iter("{*}loc")]
        intake.reject(f"line {item.sourceline}", _SITEMAP, " ".join(named[:1]))
    yield from ()


def _get(element: etree._Element | None, spaces: tuple[str, ...], name: str) -> str | None:
    """The text of the first child of this name in one of the namespaces, tags left out."""
    return next(iter(_all(element, spaces, name)), None)


def _all(element: etree._Element | None, spaces: tuple[str, ...], name: str) -> list[str]:
    if element is None:
        return []
    found = []
    for child in element.iterchildren("*"):
        space, _, local = str(child.tag).rpartition("}")
        if local == name and space.removeprefix("{") in spaces:
            text = strings(child)
            text = " ".join((text_of_html(text) if is_html(text) else text).split())
            if text:
                found.append(text)
    return found


def _raw(element: etree._Element, space: str, name: str) -> str | None:
    """The string in a child, as it stands; ``None`` when there is no such child."""
    child = element.find(f"{{{space}}}{name}" if space else name)
    if child is None:
        return None
    return (
        etree.tostring(child, encoding="unicode", with_tail=False)
        if len(child)
        else (child.text or "")
    )


class _Feed(NamedTuple):
    """What the head of a feed says of all its items; read once, at the first of them."""

    title: str | None = None
    language: str | None = None
    people: tuple[str, ...] = ()


def _channel_of(item: etree._Element) -> _Feed:
    channel = item.getparent()
    if channel is not None and local_name(channel) != "channel":  # RSS 1.0: beside the items
        channel = next(channel.iterchildren("{*}channel"), None)
    language = _get(channel, _RSS, "language") or _get(channel, _DC, "language")
    return _Feed(_get(channel, _RSS, "title"), language)


def _feed_of(entry: etree._Element) -> _Feed:
    feed = entry.getparent()
    if feed is None:
        return _Feed()
    space = str(feed.tag).rpartition("}")[0].removeprefix("{")
    return _Feed(_get(feed, (space,), "title"), None, tuple(_people(feed, space)))


def _rss_story(item: etree._Element, feed: _Feed) -> Story:
    guid = _get(item, _RSS, "guid")
    link = _get(item, _RSS, "link")
    if link is None and guid is not None and guid.startswith(("http://", "https://")):
        link = guid
    wordpress = _wordpress_of(item)
    newlines: Newlines = "break" if wordpress else "space"
    body, issues = _rss_text(item, newlines)
    about = item.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about")
    story = Story(
        id=guid or about or link,
        title=_get(item, _RSS, "title"),
        byline="; ".join(_all(item, _DC, "creator")) or _get(item, _RSS, "author"),
        text=body,
        dates=(
            _get(item, _RSS, "pubDate"),
            *_all(item, _DC, "date"),
            *_all(item, _DC, "issued"),
        ),
        language=_get(item, _DC, "language") or feed.language,
        url=link,
        outlet=feed.title,
        issues=issues,
        refused=_unpublished(item, wordpress),
    )
    story.credit("source", *_all(item, _RSS, "source"), *_all(item, _DC, "source"))
    story.credit("publisher", *_all(item, _DC, "publisher"))
    story.credit("rights", *_all(item, _DC, "rights"))
    return story


def _wordpress_of(item: etree._Element) -> tuple[str, ...]:
    """The namespace of an export of WordPress, where it is one."""
    return tuple(
        space
        for space in item.nsmap.values()
        if space.startswith(_WORDPRESS) and "excerpt" not in space
    )


def _rss_text(item: etree._Element, newlines: Newlines) -> tuple[str | None, tuple[str, ...]]:
    full = _raw(item, _CONTENT, "encoded")
    text = None if full is None else text_of_html(full, newlines)
    if text:
        return text, ()
    for space in _RSS:
        summary = _raw(item, space, "description")
        if summary is not None and (found := text_of_html(summary)):
            return found, (SUMMARY_ONLY,)
    return text, ()


def _unpublished(item: etree._Element, wordpress: tuple[str, ...]) -> str | None:
    """Why an item of an export is no published article."""
    kind = _get(item, wordpress, "post_type")
    if kind in ("attachment", "nav_menu_item", "revision", "wp_global_styles", "custom_css"):
        return f"the item is not an article but of the type '{kind}'"
    status = _get(item, wordpress, "status")
    if status not in (None, "publish", "inherit"):
        return f"the item is not published: its status is '{status}'"
    return None


def _atom_story(entry: etree._Element, feed: _Feed) -> Story:
    space = str(entry.tag).rpartition("}")[0].removeprefix("{")
    if local_name(entry) == "deleted-entry":
        return Story(id=entry.get("ref"), status="deleted")
    here = (space,)
    links = entry.iterchildren(f"{{{space}}}link")
    pages = (link.get("href") for link in links if link.get("rel", "alternate") == "alternate")
    url = next(filter(None, pages), None)
    text = _atom_text(entry, space, "content")
    issues: tuple[str, ...] = ()
    if not text:
        summary = _atom_text(entry, space, "summary")
        text, issues = (summary, (SUMMARY_ONLY,)) if summary else (text, ())
    story = Story(
        id=_get(entry, here, "id") or url,
        title=_get(entry, here, "title"),
        byline="; ".join(_people(entry, space) or feed.people) or None,
        text=text,
        dates=(_get(entry, here, "published"), _get(entry, here, "updated")),
        language=_language(entry),
        url=url,
        outlet=feed.title,
        issues=issues,
    )
    origin = entry.find(f"{{{space}}}source")
    story.credit("source", _get(origin, here, "title"), *_all(entry, _DC, "source"))
    story.credit("rights", _get(entry, here, "rights"))
    story.credit("publisher", *_all(entry, _DC, "publisher"))
    return story


def _people(element: etree._Element | None, space: str) -> list[str]:
    if element is None:
        return []
    found = [_get(a, (space,), "name") for a in element.iterchildren(f"{{{space}}}author")]
    return [name for name in found if name]


def _language(element: etree._Element) -> str | None:
    current: etree._Element | None = element
    while current is not None:
        found = current.get("{http://www.w3.org/XML/1998/namespace}lang")
        if found:
            return str(found)
        current = current.getparent()
    return None


def _atom_text(entry: etree._Element, space: str, name: str) -> str | None:
    """A text construct; ``None`` when it is missing or stands elsewhere (``src``)."""
    element = entry.find(f"{{{space}}}{name}")
    if element is None or (element.get("src") and not len(element)):
        return None
    if len(element):  # XHTML
        return text_of(element)
    raw = element.text or ""
    kind = (element.get("type") or "text").lower()
    if kind in ("html", "text/html") or (kind == "text" and is_html(raw)):
        return text_of_html(raw)
    return text_of(element, "typed")
