"""ninjs, the news items in JSON of the IPTC (versions 1 to 3), alone or inside other JSON.

Version 2 put headlines and bodies into lists, version 3 changed the spelling of names
(``versionCreated``); names are compared without case.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dedup.read.columns import FIELD_NAMES, fold, resolve
from dedup.read.markup import is_html, text_of_html
from dedup.read.story import Story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dedup.read.intake import Intake, RawRecord

_IDS = ("uri", "guid")
_BODIES = ("bodyxhtml", "bodyhtml", "bodytext", "bodies")
_MARKS = frozenset(
    (*_BODIES, "versioncreated", "pubstatus", "headlines", "contentcreated", "copyrightholder")
)
_OTHER_TEXTS = frozenset(FIELD_NAMES["text"]) - {"bodytext"}
_MEDIA = ("picture", "photo", "graphic", "audio", "video", "animation", "image")
_DEEPEST = 6


@lru_cache(maxsize=4096)
def is_item(names: tuple[str, ...]) -> bool:
    """Whether a JSON object with these names is a ninjs item.

    It has an id and something that only ninjs has, and no other text than ninjs has: records of
    a dump that only borrow some names are read by their columns.
    """
    folded = {fold(name) for name in names}
    return (
        not folded.isdisjoint(_IDS)
        and not folded.isdisjoint(_MARKS)
        and folded.isdisjoint(_OTHER_TEXTS)
    )


@lru_cache(maxsize=4096)
def _is_record(names: tuple[str, ...]) -> bool:
    """Whether a JSON object with these names is a record of its own kind."""
    return not is_item(names) and resolve(names).text is not None


def items_of(value: dict[str, Any], intake: Intake) -> Sequence[dict[str, Any]]:
    """The items that a JSON object is or envelops; none where it is a record of its own kind, or
    where columns were asked for by name."""
    if intake.settings.fields or _is_record(tuple(value)):
        return ()
    return items_in(value)


def items_in(value: Any) -> list[dict[str, Any]]:
    """The items in a JSON value, in order: itself, or those inside lists and envelopes.

    What is inside an item (its associations) is part of it.
    """
    found: list[dict[str, Any]] = []
    waiting = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, dict):
            if is_item(tuple(current)):
                found.append(current)
                continue
            inner = list(current.values())
        elif isinstance(current, list):
            inner = current
        else:
            continue
        if depth < _DEEPEST:
            waiting += [(part, depth + 1) for part in reversed(inner)]
    return found


def records(
    items: Sequence[dict[str, Any]], position: str, issues: tuple[str, ...], intake: Intake
) -> Iterator[RawRecord]:
    """The items as records; those that are no text are rejected."""
    for number, item in enumerate(items, start=1):
        one = "" if len(items) == 1 else f"item {number}"
        place = ", ".join(filter(None, (position, one)))
        record = story_of(item).record(place, intake, issues)
        if record is not None:
            yield record


def story_of(item: dict[str, Any]) -> Story:
    """What an item states. Of several bodies the one with markup counts, for its paragraphs."""
    get = {fold(name): value for name, value in item.items()}.get
    kind = _string(get("type"))
    text = _body(get)
    story = Story(
        id=_string(get("uri")) or _string(get("guid")),
        version=get("version") if isinstance(get("version"), (int, str)) else None,
        title=_plain(
            _string(get("headline")) or _chosen(get("headlines")) or _string(get("title"))
        ),
        byline=_string(get("byline")) or _string(get("by")) or _names(get("authors")) or None,
        text=text,
        dates=tuple(
            _string(get(name)) for name in ("versioncreated", "contentcreated", "firstcreated")
        ),
        language=_string(get("language")),
        url=_string(get("url")),
        outlet=_string(get("provider")) or _string(get("source")),
        status=_string(get("pubstatus")),
        embargo=_string(get("embargoed")),
    )
    if kind is not None and kind.lower() in _MEDIA:
        story.refused = f"the item is not a text but of type '{kind}'"
    elif text is None and isinstance(get("renditions"), (dict, list)):
        story.refused = "the item holds no text: its content is in other files (renditions)"
    for field, name in (
        ("creditLine", "creditline"),
        ("provider", "provider"),
        ("source", "source"),
        ("infosource", "infosource"),
        ("infosource", "infosources"),
        ("copyrightHolder", "copyrightholder"),
        ("copyrightNotice", "copyrightnotice"),
    ):
        story.credit(field, _string(get(name)) or _names(get(name)))
    return story


def _string(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _names(value: Any) -> str | None:
    """Names of a list of objects, joined by commas."""
    parts = value if isinstance(value, list) else [value]
    found = [_string(p.get("name")) if isinstance(p, dict) else _string(p) for p in parts]
    return ", ".join(filter(None, found)) or None


def _plain(value: str | None) -> str | None:
    return " ".join(text_of_html(value).split()) or None if value and is_html(value) else value


def _chosen(value: Any) -> str | None:
    """Of headlines the main one, else the first."""
    if not isinstance(value, list):
        return None
    found = [part for part in value if isinstance(part, dict) and _string(part.get("value"))]
    main = [part for part in found if _string(part.get("role")) == "main"]
    return _string((main or found)[0]["value"]) if found else None


def _body(get: Any) -> str | None:
    for name in ("bodyxhtml", "bodyhtml"):
        if isinstance(get(name), str) and (text := text_of_html(get(name))):
            return text
    bodies = get("bodies")
    if isinstance(bodies, list):
        found = [b for b in bodies if isinstance(b, dict) and isinstance(b.get("value"), str)]
        found.sort(key=lambda body: not is_html(body["value"]))
        if found:
            return _text(found[0]["value"])
    raw = get("bodytext")
    if isinstance(raw, str):
        return _text(raw)
    return next(("" for name in ("bodyxhtml", "bodyhtml") if isinstance(get(name), str)), None)


def _text(value: str) -> str:
    return text_of_html(value) if is_html(value) else value.replace("\r\n", "\n").strip()
