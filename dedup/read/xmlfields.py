"""What an element of XML of no known vocabulary is: a record, a field of one, or neither.

The names of fields are those of children and, after them, of attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read.columns import Columns, fold, resolve_known
from dedup.read.elements import children
from dedup.read.markup import is_html, text_of, text_of_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml import etree

Overrides = tuple[tuple[str, str], ...]

DEEPEST = 3
"""How many elements may stand around the records, the root included."""

_ARTICLES = frozenset(("article", "story"))
_OF_ARTICLES = frozenset(("id", "url", "title", "byline", "published"))
_OF_SCHEMAS = "{http://www.w3.org/2001/XMLSchema-instance}"


def name_of(element: etree._Element) -> str:
    """The local name of an element as it is written."""
    return str(element.tag).rpartition("}")[2]


def is_text(element: etree._Element, overrides: Overrides) -> bool:
    """Whether an element is named as the text of an article is."""
    return resolve_known((name_of(element),), overrides).text is not None


def text_column(element: etree._Element, overrides: Overrides) -> str | None:
    """The name of the text among the children of an element, or of its attributes.

    An attribute is a text only where the element is empty and has other fields, too.
    """
    text = _of_children(element, overrides).text
    if text is None and len(element) == 0 and not (element.text or "").strip():
        columns = resolve_known(tuple(_attributes(element)), overrides)
        text = columns.text if len(columns.taken()) > 1 else None
    return text


def is_record(element: etree._Element, overrides: Overrides) -> bool:
    """Whether an element has a text, of its own if it is named so, and another field."""
    columns = fields_of(element, overrides)
    if text_column(element, overrides) is not None:
        return len(columns.taken()) > 1
    own = _is_own_text(element, overrides)
    return own and not columns.taken().keys().isdisjoint(_OF_ARTICLES)


def _is_own_text(element: etree._Element, overrides: Overrides) -> bool:
    """Whether what is in an element is the text itself, not its parts."""
    return is_text(element, overrides) and not _of_children(element, overrides).taken()


def fields_of(element: etree._Element, overrides: Overrides) -> Columns:
    """Which of its children and attributes are fields of an article."""
    names = dict.fromkeys((*map(name_of, children(element)), *_attributes(element)))
    return resolve_known(tuple(names), overrides)


def _of_children(element: etree._Element, overrides: Overrides) -> Columns:
    return resolve_known(tuple(dict.fromkeys(map(name_of, children(element)))), overrides)


def are_articles(around: etree._Element, part: etree._Element, overrides: Overrides) -> bool:
    """Whether children that are texts and nothing else are articles, each for itself.

    They are not where the element around them has other fields: then they are its text. Else they
    are where their name says so, the name around them is its plural, or each is identified.
    """
    taken = fields_of(around, overrides).taken()
    if taken.keys() - {"text"}:
        return False
    name, outer = fold(name_of(part)), fold(name_of(around))
    plural = name.removesuffix("y")
    named = name in _ARTICLES or (outer != name and outer.startswith(plural))
    return named or is_record(part, overrides)


def is_whole(element: etree._Element, overrides: Overrides) -> bool:
    """Whether an element is one record, and does not hold records under the name of a text.

    ``<articles>`` with an ``<article>`` in it looks like a record with a text of that name.
    """
    text = text_column(element, overrides)
    if text is None:
        return _is_own_text(element, overrides)
    texts = [part for part in children(element) if name_of(part) == text]
    if any(text_column(part, overrides) and is_record(part, overrides) for part in texts):
        return False
    several = len(texts) > 1 or any(is_record(part, overrides) for part in texts)
    return not (several and are_articles(element, texts[0], overrides))


def records_in(
    element: etree._Element,
    overrides: Overrides,
    unfinished: Iterable[etree._Element],
    depth: int = 0,
) -> Iterator[tuple[int, etree._Element]]:
    """The records inside of an element and itself, each with its depth; none in another one.

    ``unfinished`` elements are none, but may hold some.
    """
    if element not in unfinished and is_whole(element, overrides):
        yield depth, element
    elif depth < DEEPEST:
        for part in children(element):
            yield from records_in(part, overrides, unfinished, depth + 1)


def values_of(element: etree._Element, overrides: Overrides) -> dict[str, str | None]:
    """The fields of a record by their names; its texts are put together, as lines."""
    text = text_column(element, overrides)
    values: dict[str, str | None] = {}
    texts: list[str] = []
    if text is None and _is_own_text(element, overrides):
        text = name_of(element)
        texts = [_content(element, typed=True)]
    else:
        for part in children(element):
            name = name_of(part)
            found = _content(part, typed=name == text)
            if name == text and found:
                texts.append(found)
            values.setdefault(name, found if found or not _is_nil(part) else None)
    for name, value in _attributes(element).items():
        values.setdefault(name, value)
    if text is not None and texts:
        values[text] = "\n".join(texts)
    return values


def _content(part: etree._Element, *, typed: bool) -> str:
    raw = part.text or ""
    if len(part):
        return text_of(part, "typed")
    if is_html(raw):
        return text_of_html(raw)
    return raw if typed else " ".join(raw.split())


def _is_nil(part: etree._Element) -> bool:
    return any(str(key).endswith("}nil") and value == "true" for key, value in part.attrib.items())


def _attributes(element: etree._Element) -> dict[str, str]:
    """The attributes by their local names, without those that speak of the schema."""
    return {
        str(key).rpartition("}")[2]: str(value)
        for key, value in element.attrib.items()
        if not str(key).startswith(_OF_SCHEMAS)
    }
