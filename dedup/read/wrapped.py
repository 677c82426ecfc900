"""Records that stand inside of another object, as services answer and search engines export."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.read.columns import fold, has_fields_of_articles, resolve_known
from dedup.read.markup import is_html, text_of_html
from dedup.read.wordpress import is_rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.columns import Columns

_MAX_DEPTH = 3
_LOOKED_AT = 10
_HIT = "_source"
_NAMES_OF_LISTS = frozenset(
    (
        *("articles", "data", "docs", "documents", "entries", "hits", "items", "list", "news"),
        *("posts", "records", "response", "results", "rows", "stories", "value", "values"),
    )
)
"""Names that services give to the list of records in their answers, folded as columns are."""
_NAMES_OF_OBJECTS = frozenset(
    (
        *("article", "attributes", "content", "data", "doc", "document", "entry", "fields", "item"),
        *("news", "node", "object", "post", "properties", "record", "response", "result", "story"),
    )
)
"""Names that services give to the object in which the fields of a record stand."""
_NAMES_OF_ERRORS = frozenset(("error", "errors", "message"))
_ONE_WORD = re.compile(r"[!-~]{0,200}")
"""States, times and addresses: what stands beside the records of an answer, and is no text."""


class Inner(NamedTuple):
    """What stands inside of another record: where (``articles[2]``), and its values.

    ``place`` is empty where it is the only one. ``values`` may be no object.
    """

    place: str
    values: Any


def records_in(
    values: dict[str, Any], columns: Columns, overrides: tuple[tuple[str, str], ...]
) -> list[Inner]:
    """The records inside of an object that is none itself, empty if there are none.

    They are the objects of the one list in it in which one of the first objects has a text
    (``{"articles": [...]}``, ``{"response": {"docs": [...]}}``, ``{"hits": {"hits": [...]}}``), or
    what a search engine keeps under ``_source``, or the one object in it with a text
    (``{"id": 7, "attributes": {...}}``, :func:`_gathered`). Where two lists or objects would do,
    neither is taken: the records must not depend on a guess. A list that is named like a text
    (``{"content": [...]}``) holds records where they have more than a text, and the object around
    them is no article; else it holds the parts of one.
    """
    if type(values.get(columns.text or "")) is str:
        return []
    if isinstance(hit := values.get(_HIT), dict):
        return [Inner("", _of_hit(values, hit))]
    gathered = _gathered(values, overrides)
    if gathered is not None and not _holds_answer(gathered, overrides):
        return [Inner("", gathered.record)]
    if columns.text is not None and has_fields_of_articles(columns):
        return []  # its text is in parts
    found = _lists_of_records(values, overrides, 1 if columns.text is None else 2)
    if len(found) != 1:
        return []
    place, items = found[0]
    return [Inner(f"{place}[{i}]", _unpacked(item, overrides)) for i, item in enumerate(items)]


def is_answer(
    values: dict[str, Any], columns: Columns, overrides: tuple[tuple[str, str], ...]
) -> bool:
    """Whether an object is the answer of a service, and not an article with comments or pictures.

    There are records in a list of it that is named as lists of records are, and it has no field of
    an article.
    """
    found = [] if has_fields_of_articles(columns) else records_in(values, columns, overrides)
    return bool(found) and _is_named(found[0].place.rpartition("[")[0])


def _is_named(place: str) -> bool:
    return fold(place.rpartition(".")[2]) in _NAMES_OF_LISTS


def is_empty_answer(values: dict[str, Any], columns: Columns) -> bool:
    """Whether an object is an answer without records: ``{"articles": []}``.

    All lists in it are empty, one is named as lists of records are, and beside them stand only
    counts, states and addresses: no error, and no field of an article.
    """
    if columns.text is not None or has_fields_of_articles(columns):
        return False
    named = False
    waiting: list[tuple[dict[str, Any], int]] = [(values, 0)]
    while waiting:
        inside, depth = waiting.pop()
        for name, value in inside.items():
            if (type(value) is list and value) or (
                type(value) is str and not _ONE_WORD.fullmatch(value)
            ):
                return False
            if value and fold(name) in _NAMES_OF_ERRORS:
                return False
            if type(value) is dict:
                if depth == _MAX_DEPTH:
                    return False
                waiting.append((value, depth + 1))
            named = named or (type(value) is list and fold(name) in _NAMES_OF_LISTS)
    return named


def several_lists(values: dict[str, Any], overrides: tuple[tuple[str, str], ...]) -> list[str]:
    """Where in an object lists of records stand, none of which is taken; empty for one or none."""
    places = [place for place, _ in _lists_of_records(values, overrides, 1)]
    return places if len(places) > 1 else []


def _lists_of_records(
    values: dict[str, Any], overrides: tuple[tuple[str, str], ...], fewest: int
) -> list[tuple[str, list[Any]]]:
    return [
        (place, items)
        for place, items in _lists(values, "", 0)
        if _are_records(items, overrides, fewest, gather=_is_named(place))
    ]


def _lists(values: dict[str, Any], above: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    for name, value in values.items():
        place = f"{above}.{name}" if above else name
        if type(value) is list and value and type(value[0]) is dict:
            yield place, value
        elif type(value) is dict and depth < _MAX_DEPTH:
            yield from _lists(value, place, depth + 1)


def _are_records(
    items: list[Any], overrides: tuple[tuple[str, str], ...], fewest: int, *, gather: bool
) -> bool:
    """Whether one of the first objects has a text, and so many fields in all.

    Those that stand in an object of it count where the list has a name for it (``gather``): other
    lists beside that of the records hold sections and pictures.
    """
    for item in items[:_LOOKED_AT]:
        if type(found := _unpacked(item, overrides, gather=gather)) is dict:
            columns = resolve_known(tuple(found), overrides)
            if columns.text is not None and len(columns.taken()) >= fewest:
                return True
    return False


def _unpacked(item: Any, overrides: tuple[tuple[str, str], ...], *, gather: bool = True) -> Any:
    if type(item) is not dict:
        return item
    if isinstance(hit := item.get(_HIT), dict):
        return _of_hit(item, hit)
    text = resolve_known(tuple(item), overrides).text
    if not gather or (text is not None and type(item[text]) is not dict):
        return item
    gathered = _gathered(item, overrides)
    return item if gathered is None else gathered.record


class _Gathered(NamedTuple):
    """A record whose fields stand in an object of it, and what is ``around`` that object."""

    record: dict[str, Any]
    around: dict[str, Any]


def _gathered(
    values: dict[str, Any], overrides: tuple[tuple[str, str], ...], depth: int = 0
) -> _Gathered | None:
    """The fields of the one object in another that has a text, and its own where they are others.

    The object is named as such objects are. ``None`` where there are several, or none. Of two
    columns for one field that of the inner object counts.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for name, value in values.items():
        if type(value) is not dict or fold(name) not in _NAMES_OF_OBJECTS or is_rendered(value):
            continue
        text = resolve_known(tuple(value), overrides).text
        if text is not None and type(value[text]) is str:
            found.append((name, value))
        elif depth < _MAX_DEPTH and (inner := _gathered(value, overrides, depth + 1)) is not None:
            found.append((name, inner.record))
    if len(found) != 1:
        return None
    ((place, fields),) = found
    text = resolve_known(tuple(fields), overrides).text or ""
    body = fields[text]
    if depth == 0 and body.lstrip().startswith("<") and is_html(body):
        fields = {**fields, text: text_of_html(body)}
    around = {name: value for name, value in values.items() if name != place}
    return _Gathered(_merged(around, fields, overrides), around)


def _merged(
    around: dict[str, Any], fields: dict[str, Any], overrides: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """``fields``, and of what is ``around`` them what is not taken for a field that they have."""
    fields = {name: value for name, value in fields.items() if value is not None}
    inner = resolve_known(tuple(fields), overrides).taken()
    merged = around | fields
    while True:
        taken = resolve_known(tuple(merged), overrides).taken()
        outer = {taken[field] for field in inner} - fields.keys()
        if not outer:
            return merged
        merged = {name: value for name, value in merged.items() if name not in outer}


def _holds_answer(gathered: _Gathered, overrides: tuple[tuple[str, str], ...]) -> bool:
    """Whether the text in an object is not that of a record, but of an answer with records.

    Lists of records beside the object say so, and those in it that are named as such lists are,
    or where nothing else is known of the record than its text.
    """
    if _lists_of_records(gathered.around, overrides, 1):
        return True
    lists = _lists_of_records(gathered.record, overrides, 2)
    columns = resolve_known(tuple(gathered.record), overrides)
    return bool(lists) and (
        not has_fields_of_articles(columns) or any(_is_named(place) for place, _ in lists)
    )


def _of_hit(item: dict[str, Any], hit: dict[str, Any]) -> dict[str, Any]:
    """A hit of Elasticsearch or OpenSearch: its document, with its id where that has none."""
    return hit if resolve_known(tuple(hit)).id is not None else {**hit, "id": item.get("_id")}
