"""The lines of a CSV file as the ``csv`` module takes them, and back again after damage."""

from __future__ import annotations

import csv
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dedup.read.head import HEAD
from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.intake import Intake, Source

_SPARE = 4
"""Bytes that may be given again, for each byte of the file: so that reading stays linear."""


class Line(NamedTuple):
    """A line of the file; ``length`` is that of one too long to hold, of which this is the head."""

    number: int
    offset: int
    data: bytes
    last: bool = False
    length: int | None = None


class _CarriageReturns:
    """A stream whose lines end in ``\\r`` alone, with ``\\n`` in its place."""

    def __init__(self, first: bytes, rest: Iterator[bytes], skipped: int) -> None:
        self._first, self._rest, self.skipped = first, rest, skipped

    def chunks(self) -> Iterator[bytes]:
        """The chunks, of the same lengths."""
        for chunk in chain((self._first,), self._rest):
            yield chunk.replace(b"\r", b"\n")


class _Chunks:
    """Chunks of which the first was looked at."""

    def __init__(self, first: bytes, rest: Iterator[bytes], skipped: int) -> None:
        self._first, self._rest, self.skipped = first, rest, skipped

    def chunks(self) -> Iterator[bytes]:
        """All chunks."""
        return chain((self._first,), self._rest)


class Feed:
    """Gives decoded lines to the ``csv`` module and knows what it has given.

    A class and not a generator: the ``csv`` reader goes on after an error raised here, and after
    the end, when lines are given again.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        self.limit = intake.settings.max_record_bytes
        chunks = source.stream.chunks()
        first = next(chunks, b"")
        old = b"\r" in first and b"\n" not in first
        stream = (_CarriageReturns if old else _Chunks)(first, chunks, source.stream.skipped)
        self._lines = Lines(stream, self.limit, self._too_long)
        self._numbered = iter(self._lines)
        self._ahead: deque[Line] = deque()
        self._again: list[bytes] = []  # lines to be given again, the next one last
        self._next = (1, 0)  # number and offset of the first of them
        self._last = 0  # number of the last line if it has no end
        self._spare = 0
        self._source = source
        self.new_record()

    def _too_long(self, number: int, offset: int, length: int, head: bytes) -> None:
        self._ahead.append(Line(number, offset, head, length=length))

    def _fetch(self) -> bool:
        """Append the next line to those ahead; ``False`` at the end."""
        line = next(self._numbered, None)
        if line is not None:
            self._ahead.append(Line(*line, last=self._lines.unterminated))
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
        self.first_text = ""
        self.lines: list[bytes] = []
        self.too_long = False
        self.invalid = False
        self.exhausted = False
        self.cut_off = False
        self._size = 0

    def go_back(self, kept: int) -> bool:
        """Give the lines of the record again, but for the first ``kept``.

        ``False``, and nothing is given again, where that was done so often that reading would not
        be linear in the size of the file.
        """
        again = self.lines[kept:]
        if self.too_long:  # stands ahead already
            again = again[:-1]
        size = sum(map(len, again)) + len(again)
        if size > self._spare:
            return False
        self._spare -= size
        if again:
            number, offset = self.first or (1, 0)
            passed = sum(map(len, self.lines[:kept])) + kept
            self._next = (number + kept, offset + passed)
            self._again += reversed(again)
        return True

    @property
    def sample(self) -> bytes:
        """The beginning of the record that was given last."""
        return self.lines[0][:1000] if self.lines else b""

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> str:
        number, offset, data, length = self._following()
        self.lines.append(data)
        first = self.first is None
        if self.first is None:
            self.first = (number, offset)
        if length is not None:
            self.too_long = True
            if not first:  # a record of its own: what it stands in was damaged before
                self._ahead.appendleft(Line(number, offset, data, length=length))
            raise csv.Error(f"a line has {length} bytes, more than max_record_bytes allows")
        self._size += len(data) + 1
        if self._size > self.limit + 1:
            raise csv.Error(f"the record exceeds max_record_bytes ({self.limit})")
        end = "\n"
        if number == self._last:
            self.cut_off = self._source.stream.failure is not None
            end = ""
        try:
            text = data.decode() + end
        except UnicodeDecodeError:
            self.invalid = True
            text = data.decode("utf-8", "replace") + end
        if first:
            self.first_text = text
        return text

    def _following(self) -> tuple[int, int, bytes, int | None]:
        """Number, offset, content and (if too long) length of the next line."""
        if self._again:
            number, offset = self._next
            data = self._again.pop()
            self._next = (number + 1, offset + len(data) + 1)
            return number, offset, data, None
        if not self._ahead and not self._fetch() and not self._ahead:
            self.exhausted = True
            raise StopIteration
        line = self._ahead.popleft()
        self._spare += _SPARE * len(line.data)
        if line.last:
            self._last = line.number
        return line.number, line.offset, line.data, line.length

    def place(self) -> str:
        """Where the record begins."""
        number, offset = self.first or self._next
        return f"line {number}, byte {offset}"
