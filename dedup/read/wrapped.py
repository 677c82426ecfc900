"""Records that stand inside of another object, as services answer and search engines export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.read.columns import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.columns import Columns

_MAX_DEPTH = 3
_LOOKED_AT = 10
_HIT = "_source"
_OF_ARTICLES = frozenset(("id", "url", "title", "byline", "published"))


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
    what a search engine keeps under ``_source``. Where two lists would do, neither is taken: the
    records must not depend on a guess. A list that is named like a text (``{"content": [...]}``)
    holds records where they have more than a text, and the object around them is no article; else
    it holds the parts of one.
    """
    parts = columns.text is not None and not columns.taken().keys().isdisjoint(_OF_ARTICLES)
    if parts or type(values.get(columns.text or "")) is str:
        return []
    fewest = 1 if columns.text is None else 2
    if isinstance(hit := values.get(_HIT), dict):
        return [Inner("", _of_hit(values, hit))]
    found = _lists_of_records(values, overrides, fewest)
    if len(found) != 1:
        return []
    place, items = found[0]
    return [Inner(f"{place}[{i}]", _unpacked(item)) for i, item in enumerate(items)]


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
        if _are_records(items, overrides, fewest)
    ]


def _lists(values: dict[str, Any], above: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    for name, value in values.items():
        place = f"{above}.{name}" if above else name
        if type(value) is list and value and type(value[0]) is dict:
            yield place, value
        elif type(value) is dict and depth < _MAX_DEPTH:
            yield from _lists(value, place, depth + 1)


def _are_records(items: list[Any], overrides: tuple[tuple[str, str], ...], fewest: int) -> bool:
    """Whether one of the first objects has a text, and so many fields in all."""
    for item in items[:_LOOKED_AT]:
        if type(found := _unpacked(item)) is dict:
            columns = resolve(tuple(found), overrides)
            if columns.text is not None and len(columns.taken()) >= fewest:
                return True
    return False


def _unpacked(item: Any) -> Any:
    hit = item.get(_HIT) if type(item) is dict else None
    return _of_hit(item, hit) if isinstance(hit, dict) else item


def _of_hit(item: dict[str, Any], hit: dict[str, Any]) -> dict[str, Any]:
    """A hit of Elasticsearch or OpenSearch: its document, with its id where that has none."""
    return hit if resolve(tuple(hit)).id is not None else {**hit, "id": item.get("_id")}
