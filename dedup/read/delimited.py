"""CSV and TSV: a header, then one record a row, quoted fields with newlines included."""

from __future__ import annotations

import csv
import sys
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dedup.read.columns import resolve
from dedup.read.dialect import columns_of, sniff, stated_delimiter
from dedup.read.discover import STDIN
from dedup.read.head import HEAD
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import INVALID_UTF8
from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head

_NULL = "\\N"
"""What databases write for a value that is missing."""


class _Line(NamedTuple):
    """A line of the file; ``length`` is that of one too long to hold, of which this is the head."""

    number: int
    offset: int
    data: bytes
    last: bool = False
    length: int | None = None


class _CarriageReturns:
    """A stream whose lines end in ``\\r`` alone, with ``\\n`` in its place."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._first, self._rest = first, rest

    def chunks(self) -> Iterator[bytes]:
        """The chunks, of the same lengths."""
        for chunk in chain((self._first,), self._rest):
            yield chunk.replace(b"\r", b"\n")


class _Chunks:
    """Chunks of which the first was looked at."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._first, self._rest = first, rest

    def chunks(self) -> Iterator[bytes]:
        """All chunks."""
        return chain((self._first,), self._rest)


class _Feed:
    """Gives decoded lines to the ``csv`` module and knows what it has given.

    A class and not a generator: the ``csv`` reader goes on after an error raised here.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        self.limit = intake.settings.max_record_bytes
        chunks = source.stream.chunks()
        first = next(chunks, b"")
        old = b"\r" in first and b"\n" not in first
        stream = _CarriageReturns(first, chunks) if old else _Chunks(first, chunks)
        self._lines = Lines(stream, self.limit, self._too_long)
        self._numbered = iter(self._lines)
        self._ahead: deque[_Line] = deque()
        self.line = 0
        self.exhausted = False
        self.cut_off = False
        self._source = source
        self.new_record()

    def _too_long(self, number: int, offset: int, length: int, head: bytes) -> None:
        self._ahead.append(_Line(number, offset, head, length=length))

    def _fetch(self) -> bool:
        """Append the next line to those ahead; ``False`` at the end."""
        line = next(self._numbered, None)
        if line is not None:
            self._ahead.append(_Line(*line, last=self._lines.unterminated))
        return line is not None

    def beginning(self) -> list[str]:
        """The first lines that are not blank, which are given all the same."""
        size = 0
        while size < HEAD and self._fetch():
            size += len(self._ahead[-1].data) + 1
        return [
            line.data.decode("utf-8", "replace") + "\n"
            for line in self._ahead
            if line.length is None and line.data.strip()
        ]

    def drop(self) -> None:
        """Leave out the next line."""
        while self._ahead and not self._ahead.popleft().data.strip():
            pass

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

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if not self._ahead and not self._fetch() and not self._ahead:
            self.exhausted = True
            raise StopIteration
        line = self._ahead.popleft()
        self.line = line.number
        self.lines.append(line.data)
        self.first = self.first or (line.number, line.offset)
        if line.length is not None:
            raise csv.Error(f"a line has {line.length} bytes, more than max_record_bytes allows")
        self.size += len(line.data) + 1
        if self.size > self.limit + 1:
            raise csv.Error(f"the record exceeds max_record_bytes ({self.limit})")
        if line.last:
            self.cut_off = self._source.stream.failure is not None
        end = "" if line.last else "\n"
        try:
            return line.data.decode() + end
        except UnicodeDecodeError:
            self.invalid = True
            return line.data.decode("utf-8", "replace") + end

    def place(self) -> str:
        """Where the record begins."""
        number, offset = self.first or (self.line, 0)
        return f"line {number}, byte {offset}"


def resembles(head: Head) -> bool:
    """Whether the first line names columns, one of them the text.

    On standard input any known column will do: no news text begins so.
    """
    lines = head.text.splitlines(keepends=True)[:2]
    stated = stated_delimiter(lines[0]) if lines else None
    names = columns_of(lines[0 if stated is None else 1 :], delimiter=stated)
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
    beginning = feed.beginning()
    delimiter = stated_delimiter(beginning[0]) if beginning else None
    if delimiter is not None:
        feed.drop()
        del beginning[0]
    dialect = sniff(beginning, source.suffix, delimiter)
    rows = csv.reader(feed, **dialect.options())
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
        if header is None and not any(row):
            feed.new_record()  # blank lines before the header
            continue
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
        values: dict[str, str | None] = dict(zip(backwards, row[::-1], strict=True))
        if _NULL in row and not dialect.escape:
            values = {name: None if value == _NULL else value for name, value in values.items()}
        number = (feed.first or (feed.line, 0))[0]
        issues = (INVALID_UTF8,) if feed.invalid else ()
        yield RawRecord(f"line {number}", values, issues), b"\n".join(feed.lines)


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
