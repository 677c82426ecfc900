"""The lines of a CSV file as the ``csv`` module takes them, and back again after damage."""

from __future__ import annotations

import csv
import re
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
LINES_AHEAD = 16
"""Lines of a record among those that are given again beyond that."""
_UNDECIDED = 2 * HEAD
"""Bytes without a line end after which ``\\r`` is none."""
_LINE_END = re.compile(rb"(?:#[ \t][^\r\n]*\r?\n)*+[^\r\n]*+(\r\n|\r|\n)")
"""The first line end, but for those of comments, which others write than who wrote the table."""
_ALONE = re.compile(rb"\r(?!\n)")


class Line(NamedTuple):
    """A line of the file; ``length`` is that of one too long to hold, of which this is the head."""

    number: int
    offset: int
    data: bytes
    last: bool = False
    length: int | None = None


class _Chunks:
    """Chunks of which the first was asked for already."""

    def __init__(self, first: bytes, rest: Iterator[bytes], skipped: int) -> None:
        self._first, self._rest, self.skipped = first, rest, skipped

    def chunks(self) -> Iterator[bytes]:
        """All chunks, with ``\\n`` for the ends of lines."""
        return with_newlines(chain((self._first,), self._rest))


def with_newlines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes; where the first line ends in ``\\r`` alone, ``\\n`` in place of each such.

    What is read is as long as what is given, so that positions are those of the file.
    """
    begun = b""  # up to the first line end, perhaps with half of it
    alone = None
    for chunk in chunks:
        data = begun + chunk
        begun = b""
        if alone is None:
            found = _LINE_END.match(data)
            undecided = found is None or (found[1] == b"\r" and found.end() == len(data))
            if undecided and len(data) < _UNDECIDED:
                begun = data
                continue
            alone = found is not None and found[1] == b"\r"
        if not alone:
            yield data
            continue
        if data.endswith(b"\r"):  # the next chunk may begin with its newline
            data, begun = data[:-1], b"\r"
        yield _ALONE.sub(b"\n", data)
    if begun:
        yield _ALONE.sub(b"\n", begun) if alone is not False else begun


class Feed:
    """Gives decoded lines to the ``csv`` module and knows what it has given.

    A class and not a generator: the ``csv`` reader goes on after an error raised here, and after
    the end, when lines are given again.
    """

    def __init__(self, source: Source, intake: Intake) -> None:
        self.limit = intake.settings.max_record_bytes
        chunks = source.stream.chunks()
        first = next(chunks, b"")
        stream = _Chunks(first, chunks, source.stream.skipped)
        self._lines = Lines(stream, self.limit, self._too_long)
        self._numbered = iter(self._lines)
        self._ahead: deque[Line] = deque()
        self._again: list[bytes] = []  # lines to be given again, the next one last
        self._next = (1, 0)  # number and offset of the first of them
        self._last = 0  # number of the last line if it has no end
        self._spare = 0
        self._tight = 0  # number of the last line that is given again beyond what is spare
        self._more = 0  # lines that were found inside of others
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

    def go_back(self, kept: int) -> None:
        """Give the lines of the record again, but for the first ``kept``.

        Where that was done so often that reading would not be linear in the size of the file,
        records among these lines may have :data:`LINES_AHEAD` lines and no more.
        """
        again = self.lines[kept:]
        if self.too_long:  # stands ahead already
            again = again[:-1]
        if not again:
            return
        number, offset = self.first or (1, 0)
        size = sum(map(len, again)) + len(again)
        if number <= self._tight:
            pass
        elif size <= self._spare:
            self._spare -= size
        else:
            self._tight = number + len(self.lines) - 1
        passed = sum(map(len, self.lines[:kept])) + kept
        self._give(again, number + kept, offset + passed)

    def _give(self, lines: list[bytes], number: int, offset: int) -> None:
        """Give lines next, the first with this number and offset."""
        self._next = (number, offset)
        self._again += reversed(lines)

    def part(self, lines: list[bytes]) -> None:
        """Give the record's lines again, the last as several that ``\\r`` parts."""
        number, offset = self.first or (1, 0)
        last = number + len(self.lines) - 1
        more = len(lines) - len(self.lines)
        self._more += more
        self._tight += more * (self._tight >= last)
        self._last += more * (self._last == last)
        self._give(lines, number, offset)

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
        if number <= self._tight and len(self.lines) > LINES_AHEAD:
            raise csv.Error(f"a quoted field is not closed within {LINES_AHEAD} lines")
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
        number = line.number + self._more
        if line.last:
            self._last = number
        return number, line.offset, line.data, line.length

    def place(self) -> str:
        """Where the record begins."""
        number, offset = self.first or self._next
        return f"line {number}, byte {offset}"
