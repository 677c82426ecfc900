"""CSV and TSV: a header, then one record a row, quoted fields with newlines included."""

from __future__ import annotations

import csv
import re
import sys
from itertools import chain
from typing import TYPE_CHECKING

from dedup.read.columns import resolve
from dedup.read.csvlines import Feed
from dedup.read.dialect import columns_of, own_width, sniff, stated_delimiter, taken_in
from dedup.read.discover import STDIN
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import INVALID_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.dialect import Dialect
    from dedup.read.head import Head

_NULL = "\\N"
"""What databases write for a value that is missing."""
_MOST_BEFORE = 20
"""Lines among which the header is sought."""
_CUT_OFF = "the record is cut off, the file ends early"


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


def with_lines(source: Source, intake: Intake) -> Iterator[tuple[RawRecord | None, list[bytes]]]:
    """Yield the header (``None``) and the rows, each with its lines as they stand in the file."""
    feed = Feed(source, intake)
    # The csv module has one limit for the whole process; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), min(feed.limit, sys.maxsize)))
    beginning = feed.beginning()
    delimiter = stated_delimiter(beginning[0]) if beginning else None
    if delimiter is not None:
        feed.drop()
        del beginning[0]
    before = _before_header(beginning, delimiter, intake)
    for _ in range(before):
        feed.drop()
    del beginning[:before]
    rows = _Rows(feed, sniff(beginning, source.suffix, delimiter), intake)
    header = _header(rows, intake)
    if header is None:
        return
    yield None, feed.lines
    # Backwards, so that of two columns of one name the first is used.
    backwards = header[::-1]
    width, nulls = len(header), not rows.dialect.escape
    for row in rows.of_width(width):
        if type(row) is str:
            intake.reject(feed.place(), row, feed.sample)
            continue
        if feed.invalid and intake.settings.reject_invalid_utf8:
            intake.reject(feed.place(), "invalid UTF-8", feed.sample)
            continue
        values: dict[str, str | None] = dict(zip(backwards, row[::-1], strict=True))
        if nulls and _NULL in row:
            values = {name: None if value == _NULL else value for name, value in values.items()}
        number = (feed.first or (0, 0))[0]
        issues = (INVALID_UTF8,) if feed.invalid else ()
        yield RawRecord(f"line {number}", values, issues), feed.lines


def _before_header(lines: list[str], delimiter: str | None, intake: Intake) -> int:
    """How many lines stand before the header, of which a note tells: comments, a title.

    They do where another of the first lines names the text and one more column, or the column that
    was asked for as the text. Where a line before it could be a header of names that nobody knows,
    that line is but a row of data.
    """
    overrides = intake.settings.fields
    enough = 1 if any(field == "text" for field, _ in overrides) else 2
    for number, line in enumerate(lines[:_MOST_BEFORE]):
        names = columns_of([line], delimiter)
        taken = resolve(names, overrides).taken()
        if "text" in taken and (len(taken) >= enough or number == 0):
            break
        if taken:
            return 0
    else:
        return 0
    used = sniff([line], delimiter=delimiter).delimiter
    if not all(
        _is_remark(above, columns_of([above], used), len(names)) for above in lines[:number]
    ):
        return 0
    if number:
        intake.note(f"lines before the header are left out: {number}")
    return number


def _is_remark(line: str, fields: list[str], width: int) -> bool:
    """Whether a line is a title or a comment: in one of its ``fields`` alone, or behind a ``#``."""
    filled = [field for field in fields if field.strip()]
    return len(filled) <= 1 or (line.startswith("#") and len(fields) != width)


def _header(rows: _Rows, intake: Intake) -> list[str] | None:
    """The names of the columns; ``None`` for a file without rows, or where they are damaged."""
    try:
        row = rows.next()
        while row is not None and not any(row):
            row = rows.next()  # blank lines before the header
    except csv.Error as error:
        feed = rows.feed
        intake.reject(feed.place(), rows.why(error), feed.sample)
        return None
    if row is None:
        return None
    header = [name.strip() for name in row]
    intake.columns.of(tuple(header))
    intake.columns.check(need_text=True)
    for name in dict.fromkeys(name for name in header if header.count(name) > 1):
        intake.note(f"column '{name}' occurs more than once; the first is used")
    return header


class _Rows:
    """The rows of a feed, read strictly: what follows a closing quote is a delimiter or a line end.

    A quote that is never closed takes in other rows until their quotes contradict it. Then it is
    only its own line that is rejected, and the lines after it are read again.
    """

    def __init__(self, feed: Feed, dialect: Dialect, intake: Intake) -> None:
        self.feed, self.dialect, self._intake = feed, dialect, intake
        self._reader = csv.reader(feed, strict=True, **dialect.options())

    def next(self) -> list[str] | None:
        """The next row, ``[]`` for a blank line, ``None`` at the end.

        Raises ``csv.Error`` for what is none.
        """
        self.feed.new_record()
        try:
            return next(self._reader, None)
        except csv.Error:
            if len(self.feed.lines) > 1 or self.feed.too_long or self.feed.exhausted:
                raise
        return self._sloppy()

    def _sloppy(self) -> list[str]:
        """A row in whose first line something follows a closing quote: it belongs to the field."""
        ended = False

        def only_line() -> Iterator[str]:
            nonlocal ended
            yield self.feed.first_text
            ended = True

        options = self.dialect.options()
        row = next(csv.reader(only_line(), **options))
        if not ended:
            return row
        # Its last field goes on in the next lines; there it is read strictly.
        quote = self.dialect.quote
        begun = quote + row[-1].replace(quote, 2 * quote)
        if self.dialect.escape:
            begun = quote + re.sub(
                f"[{re.escape(quote + self.dialect.escape)}]",
                lambda found: self.dialect.escape + found[0],
                row[-1],
            )
        return row[:-1] + next(csv.reader(chain((begun,), self.feed), strict=True, **options))

    def of_width(self, width: int) -> Iterator[list[str] | str]:
        """Yield the rows that have so many fields; of each other one, why it is not used."""
        feed = self.feed
        while True:
            try:
                row = self.next()
            except csv.Error as error:
                if self._parted(width):
                    continue
                reason = self.why(error)
            else:
                if row is None:
                    return
                if not row:
                    continue  # a blank line
                if len(row) == width and not feed.cut_off:
                    yield row
                    continue
                reason = (
                    _CUT_OFF
                    if feed.cut_off
                    else f"the row has {len(row)} fields, the header has {width}"
                )
                if len(feed.lines) == 1:
                    yield reason
                    continue
                yield from self._damaged(reason, width, len(feed.lines))
                continue
            # What the last line contradicts does not hold that line.
            kept = len(feed.lines) - (not feed.exhausted)
            yield from self._damaged(reason, width, max(1, kept))

    def _parted(self, width: int) -> bool:
        """Whether the last line of what is no row is several that end in ``\\r`` alone.

        They come next. In a table of one column, ``\\r`` in a field looks the same.
        """
        feed = self.feed
        *above, last = feed.lines
        parts = last.removesuffix(b"\r").split(b"\r")
        if width == 1 or len(parts) == 1 or feed.too_long:
            return False
        parts[0] = b"\n".join((*above, parts[0]))
        if any(own_width(part.decode("utf-8", "replace"), self.dialect) != width for part in parts):
            return False
        feed.part([*parts[0].split(b"\n"), *parts[1:]])
        return True

    def _damaged(self, reason: str, width: int, lines: int) -> Iterator[str]:
        """Say ``reason``, and go on after the record's ``lines``, or in the middle of them."""
        feed = self.feed
        inner = feed.lines[1:lines]
        if taken_in(inner, width, self.dialect):
            lines = 1
        yield reason
        feed.go_back(lines)

    def why(self, error: csv.Error) -> str:
        """What is wrong with the row that was given last."""
        if self.feed.cut_off:
            return _CUT_OFF
        if self.feed.exhausted:  # the csv reader asked for more lines: a quote was open
            return "a quoted field is not closed before the end of the file"
        reason = str(error)
        if reason.startswith("field larger"):
            reason = f"a field exceeds max_record_bytes ({self.feed.limit})"
        elif reason.startswith("new-line character seen"):
            reason = "a carriage return stands in a field without quotes"
        elif reason.endswith("expected after '" + self.dialect.quote + "'"):
            reason = "a quoted field is not closed, or holds a quote that is not doubled"
        return f"not readable as a row: {reason}"
