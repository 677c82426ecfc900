"""XML of no known vocabulary: records whose elements are named like columns of a table.

Content systems export articles so: ``<article><id>…</id><headline>…</headline><body>…</body>``.
The names are recognised as those of a CSV file are.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from dedup.read.columns import listed
from dedup.read.elements import children
from dedup.read.intake import RawRecord
from dedup.read.xmlfields import (
    DEEPEST,
    fields_of,
    is_article,
    is_full,
    is_open_list,
    is_text,
    is_whole,
    name_of,
    records_in,
    text_column,
    values_of,
)
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
    """Yield the root as a record, or else the elements below it that have a text.

    They are its children, or those of elements in it, three deep at most. What is below the root is
    held until its end, for only then is it known whether the root is the record; or until two of
    its children that have one name are records, or ``max_record_bytes`` are held. From then on each
    child is handed on as it ends. A child that is longer than ``max_record_bytes`` is read child by
    child in its turn, where it is a list of articles so far.

    Nothing is decided by what the parser has read ahead, which depends on the pieces it is given.
    """
    document = _Parts(source, intake)
    found = _Found(document, intake)
    for element in document:
        if document.full:
            yield from found.at_the_limit()
        elif element is document.root:
            yield from found.at_the_end(element)
        else:
            yield from found.child(element)
    yield from found.after_damage()
    found.finish()


class _Parts(Items):
    """The children of ``around``, the root at first, as they end, and the root itself at its end.

    As long as ``held`` they stay in the document. When ``max_record_bytes`` are held, the root is
    yielded with ``full``, which is to be set to ``False`` if there is room again.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        super().__init__(source, intake, lambda _: True)
        self.root: etree._Element | None = None
        self.around: etree._Element | None = None
        self.inside: etree._Element | None = None
        """The child of ``around`` that has begun and not ended."""
        self.open: list[etree._Element] = []
        """The elements that have begun and not ended, the root first."""
        self.held = True
        self.whole = False
        self.full = False
        self._ended: list[etree._Element] = []  # their tails may still come

    def __iter__(self) -> Iterator[etree._Element]:
        limit = self._intake.settings.max_record_bytes
        parser = self._parser()
        fed = 0  # bytes since the last element that is not held
        for error, size in self._fed(parser):
            fed += size
            events = cast("Iterator[tuple[str, etree._Element]]", parser.read_events())
            for event, element in events:
                if event == "start":
                    self._forget_ended()
                    if self.root is None:
                        self.root = self.around = element
                    elif self.inside is None:
                        self.inside = element
                    self.open.append(element)
                    continue
                self.open.pop()
                if element is self.inside:
                    self.inside = None
                    yield element
                    if self.damaged:  # given up
                        return
                    if not self.held:
                        self.end(element)
                        fed = 0
                elif element is self.root:
                    self.whole = True
                    yield element
                elif element is self.around:
                    self.around = element.getparent()
                    self._forget_ended()
                    self.end(element)
            if error is not None:
                self._fault(error, self._cut())
                return
            if fed > limit + 2 * size and not self.whole:
                self.full, fed = True, 0
                if self.root is not None:
                    yield self.root
            if self.full:
                self._stop_too_long(self._cut())
                return

    def end(self, element: etree._Element) -> None:
        """Let go of the last element that was handed on; it is forgotten when another begins."""
        element.clear()
        self._ended.append(element)

    def enter(self) -> None:
        """Hand on the children of the element that is open, instead of itself."""
        self.around = self.inside
        depth = len(list(self._path()))
        self.inside = self.open[depth] if depth < len(self.open) else None

    def _path(self) -> Iterator[etree._Element]:
        """The root, and the elements below it up to the one whose children are handed on."""
        for element in self.open:
            yield element
            if element is self.around:
                return

    def depth(self) -> int:
        """How deep the elements are that are handed on; 1 for children of the root."""
        return len(list(self._path()))

    def _forget_ended(self) -> None:
        while self._ended:
            forget(self._ended.pop())

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


class _Found:
    """Tells by the elements of a document which of them are the records."""

    def __init__(self, document: _Parts, intake: Intake) -> None:
        self._document = document
        self._intake = intake
        self._overrides = intake.settings.fields
        self._names: set[str] = set()  # of records
        self._below: list[tuple[int, str]] = []  # depths and names of records in wrappers
        self._beside: set[str] = set()  # names of children of the root that are no records
        self._texts: Counter[str] = Counter()  # children of the root that are texts
        self._count = 0
        self._others: Counter[str] = Counter()

    def child(self, part: etree._Element) -> Iterator[RawRecord]:
        """The records that are known when an element has ended whose turn it is."""
        document, name = self._document, name_of(part)
        if not document.held:
            yield from self._records(part)
            return
        self._count += 1
        if is_text(part, self._overrides) and not is_full(part, self._overrides):
            self._texts[name] += 1
        if self._texts:
            return  # the root has a text: perhaps it is the record
        if is_whole(part, self._overrides, 1):
            if name in self._names:
                yield from self._all(part)
            self._names.add(name)
            return
        if not self._names and self._count <= _MOST_HELD:
            self._beside.add(name)
            inner = records_in(part, self._overrides, (), 1)
            self._below += ((depth, name_of(record)) for depth, record in inner)
        if not self._names and self._count >= _MOST_HELD:
            if not is_article(sorted(self._beside), self._overrides):
                self._names = _shallowest(self._below)
            if not self._names:
                document.give_up()
                return
            yield from self._all(part)

    def _all(self, last: etree._Element | None) -> Iterator[RawRecord]:
        """The records below the root up to ``last`` (``None``: all whole ones); those to come are
        not held."""
        document = self._document
        document.held = False
        # The parser is ahead: behind the last one others may stand that have not ended.
        for part in list(children(document.root)):
            if part in document.open:
                return
            yield from self._records(part)
            if part is last:
                return
            forget(part)

    def _records(self, part: etree._Element) -> Iterator[RawRecord]:
        """What is handed on of an element: itself, or the records in it of known names.

        A record of another name is one, too, with those in it if it is not whole.
        """
        if name_of(part) in self._names:
            yield self._raw(part)
            return
        depth = self._document.depth()
        inner = [record for _, record in records_in(part, self._overrides, (), depth)]
        if text_column(part, self._overrides) is None:
            inner = [record for record in inner if name_of(record) in self._names]
        if not inner:
            self._others[name_of(part)] += 1
        for record in inner:
            self._names.add(name_of(record))
            yield self._raw(record)

    def _raw(self, record: etree._Element) -> RawRecord:
        issues = tuple(self._document.issues)
        return RawRecord(f"line {record.sourceline}", values_of(record, self._overrides), issues)

    def at_the_limit(self) -> Iterator[RawRecord]:
        """The records before an element that is open when as much is held as may be.

        Below it they are read one by one from then on if it is a list of articles.
        """
        document = self._document
        if document.held:
            self._names = self._held_names()
            document.held = document.full = not self._names
        while not document.held and document.around is not None:
            for part in list(children(document.around)):
                if part in document.open:
                    break
                yield from self._records(part)
                if part.getnext() is None:
                    document.end(part)
                else:
                    forget(part)
            inside = document.inside
            if inside is None or name_of(inside) in self._names or document.depth() >= DEEPEST:
                return
            if not is_open_list(inside, self._overrides, document.open):
                return
            document.enter()
            document.full = False

    def at_the_end(self, root: etree._Element) -> Iterator[RawRecord]:
        """What was held until the end of the root."""
        if not self._document.held:
            return
        if is_whole(root, self._overrides, 0):
            texts, fields = self._texts.most_common(1), fields_of(root, self._overrides).taken()
            if texts and texts[0][1] > 1 and fields.keys() == {"text"}:
                name, count = texts[0]
                self._intake.note(
                    f"the root is taken for one article, its {count} '{name}' for its text"
                )
            yield self._raw(root)
            return
        self._names = self._held_names()
        if self._names:
            yield from self._all(None)
        else:
            names = listed(dict.fromkeys(str(part.tag) for part in root.iterchildren("*")))
            self._intake.reject(
                f"line {root.sourceline}",
                f"not a known vocabulary of XML: its root is '{root.tag}' with {names}; expected "
                f"is {_EXPECTED}",
            )

    def _held_names(self) -> set[str]:
        """The names of the records below the root, all of which is held; none if it is one."""
        root = self._document.root
        if root is None or is_whole(root, self._overrides, 0):
            return set()
        found = records_in(root, self._overrides, self._document.open, 0)
        return _shallowest([(depth, name_of(record)) for depth, record in found])

    def after_damage(self) -> Iterator[RawRecord]:
        """The whole records of a document that has no end."""
        document = self._document
        if document.held and not document.whole and (names := self._held_names()):
            self._names = names
            yield from self.at_the_limit()

    def finish(self) -> None:
        """Say what was passed over."""
        if others := self._others:
            self._intake.note(f"elements that are no records: {others.total()} ({listed(others)})")


def _shallowest(found: list[tuple[int, str]]) -> set[str]:
    """The names of the records that are least deep."""
    level = min((depth for depth, _ in found), default=0)
    return {name for depth, name in found if depth == level}
