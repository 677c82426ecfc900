"""XML of no known vocabulary: records whose elements are named like columns of a table.

Content systems export articles so: ``<article><id>…</id><headline>…</headline><body>…</body>``.
The names are recognised as those of a CSV file are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read.columns import listed, resolve
from dedup.read.elements import children
from dedup.read.intake import RawRecord
from dedup.read.markup import is_html, text_of, text_of_html
from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from dedup.read.intake import Intake, Source

_EXPECTED = (
    "NewsML-G2, NewsML 1, NITF, RSS, Atom, or records whose elements are named as columns are "
    "(id, title, text …)"
)


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the root as a record, or else its children, those that have a text among them."""
    items = Items(source, intake, lambda _: True)
    overrides = intake.settings.fields
    for root in items:
        records = _records(root, overrides)
        if not any(_text_column(record, overrides) for record in records):
            names = listed(dict.fromkeys(str(part.tag) for part in root.iterchildren("*")))
            intake.reject(
                f"line {root.sourceline}",
                f"not a known vocabulary of XML: its root is '{root.tag}' with {names}; expected "
                f"is {_EXPECTED}",
            )
            continue
        for record in records:
            yield RawRecord(
                f"line {record.sourceline}", _values(record, overrides), tuple(items.issues)
            )


def _records(root: etree._Element, overrides: tuple[tuple[str, str], ...]) -> list[etree._Element]:
    """The root if it is a record, or else its children.

    ``<articles>`` with an ``<article>`` in it looks like a record with a text of that name: where
    this has fields of its own, the children are the records.
    """
    parts = list(children(root))
    text = _text_column(root, overrides)
    if text is None:
        return parts
    texts = [part for part in parts if _name(part) == text]
    return parts if any(_is_record(part, overrides) for part in texts) else [root]


def _is_record(part: etree._Element, overrides: tuple[tuple[str, str], ...]) -> bool:
    columns = resolve([_name(inner) for inner in children(part)], overrides)
    return columns.text is not None and len(columns.taken()) > 1


def _text_column(record: etree._Element, overrides: tuple[tuple[str, str], ...]) -> str | None:
    return resolve([_name(part) for part in children(record)], overrides).text


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _values(
    record: etree._Element, overrides: tuple[tuple[str, str], ...]
) -> dict[str, str | None]:
    text = _text_column(record, overrides)
    values: dict[str, str | None] = {}
    for part in children(record):
        name = _name(part)
        raw = part.text or ""
        if len(part):
            found = text_of(part, "typed")
        elif is_html(raw):
            found = text_of_html(raw)
        else:
            found = raw if name == text else " ".join(raw.split())
        missing = not found and any(
            str(key).endswith("}nil") and value == "true" for key, value in part.attrib.items()
        )
        if name == text and values.get(name) and found:
            found = f"{values[name]}\n{found}"
            values[name] = found
        values.setdefault(name, None if missing else found)
    return values
