"""Looking things up in XML by local names: wire formats agree on those, not on namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read.markup import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree


def children(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """The children with one of these local names (lower case); all without names."""
    if element is None:
        return
    for child in element.iterchildren("*"):
        if not names or local_name(child) in names:
            yield child


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element down a path of local names, or ``None``."""
    for name in path:
        element = next(children(element, name), None)
    return element


def descendants(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """All elements below with one of these local names, in the order of the document."""
    if element is None:
        return
    for found in element.iterdescendants("*"):
        if local_name(found) in names:
            yield found


def strings(element: etree._Element, between: str = "") -> str:
    """All text in an element, without comments."""
    return between.join(str(part) for part in element.itertext("*"))


def value(element: etree._Element | None) -> str | None:
    """The text in an element, spaces collapsed; ``None`` when there is none."""
    if element is None:
        return None
    return " ".join(strings(element).split()) or None


def attribute(element: etree._Element | None, name: str) -> str | None:
    """An attribute, whatever its namespace; ``None`` when it is missing or blank."""
    if element is None:
        return None
    found = element.get(name)
    if found is None:
        for key, other in element.attrib.items():
            if str(key).rpartition("}")[2].lower() == name:
                found = str(other)
                break
    return " ".join(found.split()) or None if found else None


def code(element: etree._Element | None) -> str | None:
    """The code of a concept in lower case: the end of its ``qcode`` or ``uri``."""
    concept = attribute(element, "qcode") or attribute(element, "uri")
    return concept.rpartition(":")[2].rpartition("/")[2].lower() if concept else None
