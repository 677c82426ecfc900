"""XML of no known vocabulary: records whose elements are named like columns of a table.

Content systems export articles so: ``<article><id>…</id><headline>…</headline><body>…</body>``.
The names are recognised as those of a CSV file are.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from dedup.read.columns import listed, resolve
from dedup.read.elements import children
from dedup.read.intake import RawRecord
from dedup.read.markup import is_html, text_of, text_of_html
from dedup.read.xmlitems import Items, forget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from dedup.read.intake import Intake, Source

_EXPECTED = (
    "NewsML-G2, NewsML 1, NITF, RSS, Atom, or records whose elements are named as columns are "
    "(id, title, text …)"
)

_MOST_HELD = 10_000
"""Elements after which reading ends where none has a text."""


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the root as a record, or else its children, those that have a text among them.

    Children that are records are handed on as they end, once it is clear that they are: when two
    of one name have a text. Until then, and where the root is the record, all is held.
    """
    document = _Children(source, intake)
    found = _Found(document, intake)
    for element in document:
        if element is document.root:
            yield from found.at_the_end(element)
        else:
            yield from found.child(element)
    yield from found.after_damage()
    found.finish()


class _Children(Items):
    """The children of the root as they end, and the root itself at its end.

    As long as ``held`` they stay in the document.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        super().__init__(source, intake, lambda _: True)
        self.root: etree._Element | None = None
        self.inside: etree._Element | None = None
        self.held = True
        self.whole = False

    def __iter__(self) -> Iterator[etree._Element]:
        limit = self._intake.settings.max_record_bytes
        parser = self._parser()
        fed = 0  # bytes since the last child that is not held
        ended: etree._Element | None = None
        for error, size in self._fed(parser):
            fed += size
            events = cast("Iterator[tuple[str, etree._Element]]", parser.read_events())
            for event, element in events:
                if event == "start":
                    if self.root is None:
                        self.root = element
                    elif self.inside is None:
                        self.inside = element
                        if ended is not None:
                            forget(ended)
                            ended = None
                elif element is self.inside:
                    self.inside = None
                    yield element
                    if self.damaged:  # given up
                        return
                    if not self.held:
                        element.clear()
                        ended, fed = element, 0
                elif element is self.root:
                    self.whole = True
                    yield element
            if error is not None:
                self._fault(error, self._cut())
                return
            if fed > limit + 2 * size:
                self._stop_too_long(self._cut())
                return

    def _cut(self) -> etree._Element | None:
        """The record that is not read to its end."""
        return self.root if self.held and not self.whole else self.inside

    def give_up(self) -> None:
        """Read no further: there are too many children, and none has a text."""
        self._stop(
            f"not a known vocabulary of XML: none of the first {_MOST_HELD} elements has a text; "
            f"expected is {_EXPECTED}. The rest of the file is not read",
            self.inside,
        )


class _Found:
    """Tells by the children of a root which elements are the records."""

    def __init__(self, document: _Children, intake: Intake) -> None:
        self._document = document
        self._intake = intake
        self._overrides = intake.settings.fields
        self._with_text: set[str] = set()  # names of children that have a text
        self._root_has_text = False
        self._count = 0
        self._others: Counter[str] = Counter()

    def child(self, part: etree._Element) -> Iterator[RawRecord]:
        """The records that are known when a child of the root has ended."""
        document, name = self._document, _name(part)
        if not document.held:
            yield from self._record(part)
            return
        self._count += 1
        is_text = resolve([name], self._overrides).text is not None
        if self._root_has_text or (is_text and not _is_record(part, self._overrides)):
            self._root_has_text = True
        elif _text_column(part, self._overrides) is not None:
            if name in self._with_text:
                yield from self._all(part)
            self._with_text.add(name)
        elif self._count >= _MOST_HELD and not self._with_text:
            document.give_up()

    def _all(self, last: etree._Element | None) -> Iterator[RawRecord]:
        """The children up to ``last`` (``None``: all whole ones); those to come are not held."""
        document = self._document
        document.held = False
        # The parser is ahead: behind the last one others may stand that have not ended.
        for part in list(children(document.root)):
            if part is document.inside:
                return
            yield from self._record(part)
            if part is last:
                return
            forget(part)

    def _record(self, part: etree._Element) -> Iterator[RawRecord]:
        name = _name(part)
        if name not in self._with_text and _text_column(part, self._overrides) is None:
            self._others[name] += 1
            return
        self._with_text.add(name)
        issues = tuple(self._document.issues)
        yield RawRecord(f"line {part.sourceline}", _values(part, self._overrides), issues)

    def at_the_end(self, root: etree._Element) -> Iterator[RawRecord]:
        """What was held until the end of the root."""
        if not self._document.held:
            return
        records = _records(root, self._overrides)
        if records == [root]:
            issues = tuple(self._document.issues)
            yield RawRecord(f"line {root.sourceline}", _values(root, self._overrides), issues)
        elif any(_text_column(record, self._overrides) for record in records):
            self._with_text = {_name(r) for r in records if _text_column(r, self._overrides)}
            yield from self._all(None)
        else:
            names = listed(dict.fromkeys(str(part.tag) for part in root.iterchildren("*")))
            self._intake.reject(
                f"line {root.sourceline}",
                f"not a known vocabulary of XML: its root is '{root.tag}' with {names}; expected "
                f"is {_EXPECTED}",
            )

    def after_damage(self) -> Iterator[RawRecord]:
        """The whole records of a document that has no end."""
        document = self._document
        if document.held and not document.whole and not self._root_has_text and self._with_text:
            yield from self._all(None)

    def finish(self) -> None:
        """Say what was passed over."""
        if self._others:
            names = listed(self._others)
            self._intake.note(f"elements that are no records: {self._others.total()} ({names})")


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
    texts: list[str] = []
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
        if name == text and found:
            texts.append(found)
        values.setdefault(name, None if missing else found)
    if text is not None and texts:
        values[text] = "\n".join(texts)
    return values
