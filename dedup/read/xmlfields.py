"""What an element of XML of no known vocabulary is: a record, a field of one, or neither.

The names of fields are those of children and, after them, of attributes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dedup.read.columns import Columns, fold, has_fields_of_articles, resolve_known
from dedup.read.elements import children
from dedup.read.markup import is_html, text_of, text_of_html

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from lxml import etree

Overrides = tuple[tuple[str, str], ...]

DEEPEST = 3
"""How many elements may stand around the records, the root included."""

_ARTICLES = frozenset(("article", "story"))
_OF_ROOTS = frozenset(("id", "byline"))
"""Fields that say that the root is an article; exports have titles, too."""
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


def is_full(element: etree._Element, overrides: Overrides) -> bool:
    """Whether among the children of an element are a text and another field."""
    columns = _of_children(element, overrides)
    return columns.text is not None and len(columns.taken()) > 1


def _is_own_text(element: etree._Element, overrides: Overrides) -> bool:
    """Whether what is in an element is the text itself, not its parts."""
    return is_text(element, overrides) and not _of_children(element, overrides).taken()


def fields_of(element: etree._Element, overrides: Overrides) -> Columns:
    """Which of its children and attributes are fields of an article."""
    names = dict.fromkeys((*map(name_of, children(element)), *_attributes(element)))
    return resolve_known(tuple(names), overrides)


def _of_children(element: etree._Element, overrides: Overrides) -> Columns:
    return resolve_known(tuple(dict.fromkeys(map(name_of, children(element)))), overrides)


def is_whole(element: etree._Element, overrides: Overrides, depth: int) -> bool:
    """Whether an element ``depth`` below the root is one record, and not around records.

    ``<articles>`` with an ``<article>`` in it looks like a record with a text of that name. An
    element below the root that has fields of its own is an article, whatever its text is made of;
    but a section of a paper may have fields, and several whole articles.
    """
    text = text_column(element, overrides)
    if text is None:
        return _is_own_text(element, overrides)
    texts = [part for part in children(element) if name_of(part) == text]
    if any(is_full(part, overrides) for part in texts):
        return depth > 0 and not may_hold_records(element, overrides)
    return not _are_articles(element, texts, overrides, depth)


def _are_articles(
    around: etree._Element, texts: list[etree._Element], overrides: Overrides, depth: int
) -> bool:
    """Whether children that are texts and nothing else are articles, each for itself.

    They are not where the element around them has other fields, or is itself named as a text: then
    they are its text. Else they are where the name around them is their plural, or, as children of
    the root, where their name says so.
    """
    if not texts or is_text(around, overrides):
        return False
    if fields_of(around, overrides).taken().keys() - {"text"}:
        return False
    name, outer = fold(name_of(texts[0])), fold(name_of(around))
    plurals = (f"{name}s", f"{name.removesuffix('y')}ies")
    return outer in plurals or (depth == 0 and name in _ARTICLES)


def may_hold_records(element: etree._Element, overrides: Overrides) -> bool:
    """Whether records may be in an element that is none: not where it has fields of an article.

    What is in an article without a text are its comments. But several whole articles that are named
    so are articles, whatever is around them.
    """
    if not has_fields_of_articles(fields_of(element, overrides)):
        return True
    named = (part for part in children(element) if fold(name_of(part)) in _ARTICLES)
    return sum(is_full(part, overrides) for part in named) > 1


def is_open_list(
    element: etree._Element, overrides: Overrides, unfinished: Container[etree._Element]
) -> bool:
    """Whether an element below the root that has not ended is a list of articles so far.

    It shows nothing of an article itself, and holds two whole ones of one name, which have a title
    or are named as articles are; comments are not and have none.
    """
    if is_text(element, overrides):
        return False
    if has_fields_of_articles(fields_of(element, overrides)):
        return False
    names = Counter(
        name_of(part)
        for part in children(element)
        if part not in unfinished
        and is_full(part, overrides)
        and (fold(name_of(part)) in _ARTICLES or _of_children(part, overrides).title is not None)
    )
    return any(count > 1 for count in names.values())


def records_in(
    element: etree._Element,
    overrides: Overrides,
    unfinished: Container[etree._Element],
    depth: int,
) -> Iterator[tuple[int, etree._Element]]:
    """The records inside of an element and itself, each with its depth; none in another one.

    ``depth`` is that of the element, the root's being 0. ``unfinished`` elements are none, but may
    hold some.
    """
    if element in unfinished:
        if depth and not is_open_list(element, overrides, unfinished):
            return
    elif is_whole(element, overrides, depth):
        yield depth, element
        return
    elif depth and not may_hold_records(element, overrides):
        return
    article = depth == 0 and is_article(map(name_of, children(element)), overrides)
    if depth < DEEPEST:
        for part in children(element):
            if not article or text_column(part, overrides) is not None:
                yield from records_in(part, overrides, unfinished, depth + 1)


def is_article(names: Iterable[str], overrides: Overrides) -> bool:
    """Whether a root with children of these names is an article, perhaps one without a text."""
    columns = resolve_known(tuple(dict.fromkeys(names)), overrides)
    return not columns.taken().keys().isdisjoint(_OF_ROOTS)


def values_of(element: etree._Element, overrides: Overrides) -> dict[str, str | None]:
    """The fields of a record by their names; its texts are put together, as lines.

    An attribute is left out where a child is the same field, or where it is named as a text and is
    not the text.
    """
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
    known = _says(resolve_known(tuple(values), overrides))
    attributes = _attributes(element)
    if text is None or text in values or texts:
        known.add("text")
    for name, value in attributes.items():
        if known.isdisjoint(_says(resolve_known((name,), overrides))):
            values.setdefault(name, value)
    if text is not None and texts:
        values[text] = "\n".join(texts)
    return values


def _says(columns: Columns) -> set[str]:
    """The fields that are among columns."""
    return {*columns.taken(), *(name for name, _ in columns.metadata)}


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
