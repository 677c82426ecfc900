"""CSV and TSV: a header, then one record a row, quoted fields with newlines included."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

from dedup.read.columns import resolve
from dedup.read.discover import STDIN
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import INVALID_UTF8
from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head

DELIMITERS = ",\t;|"


class _Feed:
    """Gives decoded lines to the ``csv`` module and knows what it has given.

    A class and not a generator: the ``csv`` reader goes on after an error raised here.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        self.limit = intake.settings.max_record_bytes
        self._long: list[tuple[int, int, int, bytes]] = []  # lines that were not given
        self._lines = Lines(source.stream, self.limit, self._too_long)
        self._numbered = iter(self._lines)
        self._waiting: tuple[int, int, bytes] | None = None
        self.line = 0
        self.exhausted = False
        self.cut_off = False
        self._source = source
        self.new_record()

    def new_record(self) -> None:
        """Forget what is known about the record that was given last."""
        self.first: tuple[int, int] | None = None
        self.invalid = False
        self.size = 0
        self.lines: list[bytes] = []

    @property
    def sample(self) -> bytes:
        """The beginning of the record that was given last."""
        return self.lines[0][:1000] if self.lines else b""

    def _too_long(self, number: int, offset: int, length: int, head: bytes) -> None:
        self._long.append((number, offset, length, head))

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._waiting is None:
            self._waiting = next(self._numbered, None)
        if self._long:  # before this line there were others, too long to hold
            number, offset, length, head = self._long.pop(0)
            self.line = number
            self.first = self.first or (number, offset)
            self.lines.append(head)
            raise csv.Error(f"a line has {length} bytes, more than max_record_bytes allows")
        if self._waiting is None:
            self.exhausted = True
            raise StopIteration
        number, offset, line = self._waiting
        self._waiting = None
        self.line = number
        if self.first is None:
            self.first = (number, offset)
        self.lines.append(line)
        self.size += len(line) + 1
        if self.size > self.limit + 1:
            raise csv.Error(f"the record exceeds max_record_bytes ({self.limit})")
        if self._lines.unterminated:
            self.cut_off = self._source.stream.failure is not None
        end = "" if self._lines.unterminated else "\n"
        try:
            return line.decode() + end
        except UnicodeDecodeError:
            self.invalid = True
            return line.decode("utf-8", "replace") + end

    def place(self) -> str:
        """Where the record begins."""
        number, offset = self.first or (self.line, 0)
        return f"line {number}, byte {offset}"


def resembles(head: Head) -> bool:
    """Whether the first line names columns, one of them the text.

    On standard input any known column will do: no news text begins so.
    """
    line = head.text.split("\n", 1)[0]
    try:
        names = next(csv.reader([line], delimiter=sniff(line)), [])
    except csv.Error:
        return False
    taken = resolve(names).taken()
    return bool(taken) if head.name == STDIN else len(names) > 1 and "text" in taken


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the rows of a CSV or TSV file as mappings from the header's names.

    Raises :class:`~dedup.errors.UsageError` when the header has no text column or lacks a
    column that was asked for.
    """
    return (record for record, _ in with_lines(source, intake) if record is not None)


def with_lines(source: Source, intake: Intake) -> Iterator[tuple[RawRecord | None, bytes]]:
    """Yield the header (``None``) and the rows, each with its lines as they stand in the file."""
    feed = _Feed(source, intake)
    # The csv module has one limit for the whole process; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), min(feed.limit, sys.maxsize)))
    header_line = _first_line(feed, intake)
    if header_line is None:
        return
    delimiter = sniff(header_line, source.suffix)
    rows = csv.reader(_Joined(header_line, feed), delimiter=delimiter)
    header: list[str] | None = None
    backwards: list[str] = []
    while True:
        if header is not None:
            feed.new_record()
        try:
            row = next(rows, None)
        except csv.Error as error:
            reason = str(error)
            if reason.startswith("field larger"):
                reason = f"a field exceeds max_record_bytes ({feed.limit})"
            intake.reject(feed.place(), f"not readable as a row: {reason}", feed.sample)
            if header is None:
                return
            continue
        if row is None:
            return
        if header is None:
            header = [name.strip() for name in row]
            intake.columns.of(tuple(header))
            intake.columns.check(need_text=True)
            _note_repeated(header, intake)
            backwards = header[::-1]
            yield None, b"\n".join(feed.lines)
            continue
        if not row:
            continue  # a blank line
        problem = _problem(row, header, feed, intake)
        if problem is not None:
            intake.reject(feed.place(), problem, feed.sample)
            continue
        # Backwards, so that of two columns of one name the first is used.
        values = dict(zip(backwards, row[::-1], strict=True))
        number = (feed.first or (feed.line, 0))[0]
        issues = (INVALID_UTF8,) if feed.invalid else ()
        yield RawRecord(f"line {number}", values, issues), b"\n".join(feed.lines)


class _Joined:
    """The header's first line, then the rest of a feed."""

    def __init__(self, first: str, feed: _Feed) -> None:
        self._first: str | None = first
        self._feed = feed

    def __iter__(self) -> _Joined:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._feed)


def _first_line(feed: _Feed, intake: Intake) -> str | None:
    while True:
        try:
            line = next(feed, None)
        except csv.Error as error:
            intake.reject(feed.place(), f"the header is not readable: {error}", feed.sample)
            return None
        if line is None or line.strip():
            return line
        feed.new_record()


def sniff(header: str, suffix: str = "") -> str:
    """The delimiter among ``, ; tab |`` that makes most of a header line.

    What gives the most recognised columns wins, then what gives the most columns; a ``.tsv``
    prefers the tab.
    """
    header = header.rstrip("\r\n")
    best, best_rank = ",", (-1, -1, -1)
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue  # not with this delimiter
        known = len(resolve(names).taken())
        rank = (known, int(delimiter == "\t" and suffix in (".tsv", ".tab")), len(names))
        if rank > best_rank:
            best, best_rank = delimiter, rank
    return best


def _problem(row: list[str], header: list[str], feed: _Feed, intake: Intake) -> str | None:
    """Why a row is not used, or ``None``."""
    if feed.cut_off:
        return "the record is cut off, the file ends early"
    if feed.exhausted:  # the csv reader asked for more lines: a quote was open
        return "a quoted field is not closed before the end of the file"
    if len(row) != len(header):
        return f"the row has {len(row)} fields, the header has {len(header)}"
    if feed.invalid and intake.settings.reject_invalid_utf8:
        return "invalid UTF-8"
    return None


def _note_repeated(header: list[str], intake: Intake) -> None:
    for name in dict.fromkeys(name for name in header if header.count(name) > 1):
        intake.note(f"column '{name}' occurs more than once; the first is used")
