"""XML of no known vocabulary: records whose elements are named like columns of a table.

Content systems export articles so: ``<article><id>…</id><headline>…</headline><body>…</body>``.
The names are recognised as those of a CSV file are.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, cast

from dedup.read.columns import listed, resolve_known
from dedup.read.elements import children
from dedup.read.intake import RawRecord
from dedup.read.xmlfields import (
    DEEPEST,
    are_articles,
    fields_of,
    is_record,
    is_text,
    is_whole,
    name_of,
    records_in,
    text_column,
    values_of,
)
from dedup.read.xmlitems import Items, forget

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from lxml import etree

    from dedup.read.intake import Intake, Source

_EXPECTED = (
    "NewsML-G2, NewsML 1, NITF, RSS, Atom, or records whose elements are named as columns are "
    "(id, title, text …)"
)

_MOST_HELD = 10_000
"""Elements after which reading ends where none has a text."""
_LOOKED_AT = 20
"""Children by which an element is told from an article."""
_OF_ARTICLES = frozenset(("id", "url", "title", "byline"))
_OF_ROOTS = frozenset(("id", "byline"))
"""Fields that say that an element, or the root, is an article; exports have titles, too."""


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the root as a record, or else the elements below it that have a text.

    They are its children, or those of elements in it, three deep at most. They are handed on as
    they end, once it is clear that they are records: when two of one name have a text. Until then,
    and where the root is the record, all is held.
    """
    document = _Parts(source, intake)
    found = _Found(document, intake)
    for element in document:
        if element is document.root:
            yield from found.at_the_end(element)
        elif len(document.open) > document.level:
            yield from found.deeper(element)
        else:
            yield from found.child(element)
    yield from found.after_damage()
    found.finish()


class _Parts(Items):
    """The elements at ``level`` below the root as they end, and the root itself at its end.

    As long as ``held`` they stay in the document, and those below them are yielded, too, three
    deep at most.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        super().__init__(source, intake, lambda _: True)
        self.root: etree._Element | None = None
        self.inside: etree._Element | None = None
        self.open: list[etree._Element] = []
        """The elements that have begun and not ended, the root first."""
        self.level = 1
        self.held = True
        self.whole = False
        self.others: Counter[str] = Counter()
        """Names of elements above the level that hold nothing at it."""

    def __iter__(self) -> Iterator[etree._Element]:
        limit = self._intake.settings.max_record_bytes
        parser = self._parser()
        fed = 0  # bytes since the last element that is not held
        ended: list[etree._Element] = []
        for error, size in self._fed(parser):
            fed += size
            events = cast("Iterator[tuple[str, etree._Element]]", parser.read_events())
            for event, element in events:
                if event == "start":
                    while ended:
                        forget(ended.pop())
                    if self.root is None:
                        self.root = element
                    elif len(self.open) == self.level:
                        self.inside = element
                    self.open.append(element)
                    continue
                self.open.pop()
                depth = len(self.open)
                if element is self.inside or (self.held and 1 < depth <= DEEPEST):
                    if element is self.inside:
                        self.inside = None
                    yield element
                    if self.damaged:  # given up
                        return
                    if not self.held and depth == self.level:
                        element.clear()
                        ended, fed = [*ended, element], 0
                elif element is self.root:
                    self.whole = True
                    yield element
                elif not self.held and depth < self.level:
                    if len(element) == 0 and not ended:
                        self.others[name_of(element)] += 1
                    while ended:
                        forget(ended.pop())
                    element.clear()
                    ended = [element]
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
        """Read no further: there are too many elements, and none has a text."""
        self._stop(
            f"not a known vocabulary of XML: none of the first {_MOST_HELD} elements has a text; "
            f"expected is {_EXPECTED}. The rest of the file is not read",
            self.inside,
        )

    def at_level(self) -> Iterator[etree._Element]:
        """What the document holds at the level; elements above it that hold nothing are counted."""
        yield from self._below(self.root, 1)

    def _below(self, element: etree._Element | None, depth: int) -> Iterator[etree._Element]:
        for part in list(children(element)):
            if depth == self.level:
                yield part
            elif len(part):
                yield from self._below(part, depth + 1)
            elif part not in self.open:
                self.others[name_of(part)] += 1


class _Found:
    """Tells by the elements of a document which of them are the records."""

    def __init__(self, document: _Parts, intake: Intake) -> None:
        self._document = document
        self._intake = intake
        self._overrides = intake.settings.fields
        self._with_text: set[str] = set()  # names of elements that have a text
        self._texts: Counter[str] = Counter()  # children of the root that are texts
        self._count = 0

    def child(self, part: etree._Element) -> Iterator[RawRecord]:
        """The records that are known when an element at the level has ended."""
        document, name = self._document, name_of(part)
        if not document.held:
            yield from self._record(part)
            return
        self._count += 1
        if is_text(part, self._overrides) and not is_record(part, self._overrides):
            self._texts[name] += 1
            root = document.open[0]
            if self._texts[name] == 2 and are_articles(root, part, self._overrides):
                yield from self._all({name}, part)
        elif self._texts:
            return  # the root has a text: perhaps it is the record
        elif is_whole(part, self._overrides):
            if name in self._with_text:
                yield from self._all(self._with_text, part)
            self._with_text.add(name)
        elif self._count >= _MOST_HELD and not self._with_text:
            document.give_up()

    def deeper(self, part: etree._Element) -> Iterator[RawRecord]:
        """The records that are known when an element below the level has ended.

        They are below it where two neighbours of one name have a text and another field, and what
        is around them does not look like an article.
        """
        document, before = self._document, part.getprevious()
        if self._texts or before is None or before.tag != part.tag:
            return
        if not (is_record(part, self._overrides) and is_record(before, self._overrides)):
            return
        for around, inner in zip(document.open, [*document.open[1:], part], strict=True):
            names = (name_of(other) for other in islice(children(around), _LOOKED_AT))
            taken = resolve_known(tuple(dict.fromkeys(names)), self._overrides).taken()
            if taken.get("text", name_of(inner)) != name_of(inner):
                return
            if not taken.keys().isdisjoint(_OF_ROOTS if around is document.root else _OF_ARTICLES):
                return
        document.level, document.inside = len(document.open), None
        yield from self._all({name_of(part)}, part)

    def _all(self, names: set[str], last: etree._Element | None) -> Iterator[RawRecord]:
        """The elements at the level up to ``last`` (``None``: all whole ones), records being those
        of the ``names``; those to come are not held."""
        document = self._document
        document.held, self._with_text = False, names
        # The parser is ahead: behind the last one others may stand that have not ended.
        for part in document.at_level():
            if part in document.open:
                return
            yield from self._record(part)
            if part is last:
                return
            forget(part)

    def _record(self, part: etree._Element) -> Iterator[RawRecord]:
        name = name_of(part)
        if name not in self._with_text and text_column(part, self._overrides) is None:
            self._document.others[name] += 1
            return
        self._with_text.add(name)
        issues = tuple(self._document.issues)
        yield RawRecord(f"line {part.sourceline}", values_of(part, self._overrides), issues)

    def at_the_end(self, root: etree._Element) -> Iterator[RawRecord]:
        """What was held until the end of the root."""
        if not self._document.held:
            return
        if is_whole(root, self._overrides):
            texts, fields = self._texts.most_common(1), fields_of(root, self._overrides).taken()
            if texts and texts[0][1] > 1 and fields.keys() == {"text"}:
                name, count = texts[0]
                self._intake.note(
                    f"the root is taken for one article, its {count} '{name}' for its text"
                )
            issues = tuple(self._document.issues)
            yield RawRecord(f"line {root.sourceline}", values_of(root, self._overrides), issues)
        elif not (yield from self._held(root)):
            names = listed(dict.fromkeys(str(part.tag) for part in root.iterchildren("*")))
            self._intake.reject(
                f"line {root.sourceline}",
                f"not a known vocabulary of XML: its root is '{root.tag}' with {names}; expected "
                f"is {_EXPECTED}",
            )

    def _held(self, root: etree._Element) -> Generator[RawRecord, None, bool]:
        """The records below the root, all of which is held; returns whether there are any."""
        found = list(records_in(root, self._overrides, self._document.open))
        if found:
            self._document.level = level = found[0][0]
            names = {name_of(record) for depth, record in found if depth == level}
            yield from self._all(names, None)
        return bool(found)

    def after_damage(self) -> Iterator[RawRecord]:
        """The whole records of a document that has no end."""
        document = self._document
        if document.held and not document.whole and not self._texts and document.root is not None:
            yield from self._held(document.root)

    def finish(self) -> None:
        """Say what was passed over."""
        if others := self._document.others:
            self._intake.note(f"elements that are no records: {others.total()} ({listed(others)})")
