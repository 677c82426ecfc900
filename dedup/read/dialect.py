"""How a table of delimited text is written: found by reading its first lines in several ways."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.read.columns import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIMITERS = ",\t;|"
_PROSE = ",;"
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_TAB_ENDINGS = (".tsv", ".tab")
_SPARE = 4
"""How often each of the first lines may be read again, on average: so that this stays linear."""


class Dialect(NamedTuple):
    """Delimiter, quotes and escapes, as the ``csv`` module takes them.

    ``quote`` is ``""`` where quotes mean nothing; ``escape`` is ``""`` where a doubled quote stands
    for one. ``spaced``: spaces after a delimiter do not belong to the field.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    spaced: bool = False

    def options(self) -> dict[str, Any]:
        """The options of ``csv.reader``."""
        return {
            "delimiter": self.delimiter,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "quotechar": self.quote or None,
            "escapechar": self.escape or None,
            "doublequote": not self.escape,
            "skipinitialspace": self.spaced,
        }


def stated_delimiter(line: str) -> str | None:
    """The delimiter that a line ``sep=;`` states, which spreadsheets write before the header."""
    match = _SEPARATOR.fullmatch(line)
    return match[1] if match else None


def sniff(lines: Sequence[str], suffix: str = "", delimiter: str | None = None) -> Dialect:
    """The dialect in which the first lines of a table make most sense.

    The header decides the delimiter among ``, ; tab |`` (or ``delimiter`` is given): what gives the
    most known columns wins, a tab in a ``.tsv``, then what gives the most columns. For quotes and
    escapes, the way wins in which the most rows have as many fields as the header; where several
    do, the usual one.
    """
    header = lines[0] if lines else ""
    if delimiter is None:
        delimiter = _delimiter(header, suffix)
    quotes = ("'", '"') if header.lstrip().startswith("'") else ('"',)
    ways = [
        Dialect(delimiter, quote, escape, spaced)
        for quote in quotes
        for escape in _escapes(lines, quote)
        for spaced in (False, True)
    ]
    ways += [Dialect(delimiter, "", escape) for escape in _escapes(lines, delimiter)]
    best, most = Dialect(delimiter), -1
    for way in ways:
        fitting = _fitting(lines, way)
        # That quotes mean nothing is not shown by one stray quote, where prose has delimiters.
        margin = 2 if not way.quote and delimiter in _PROSE else 0
        if fitting > most + margin:
            best, most = way, fitting
    return best


def _escapes(lines: Sequence[str], character: str) -> tuple[str, ...]:
    """The escapes to try: a backslash only where one stands before what it would escape."""
    return ("", "\\") if any("\\" + character in line for line in lines) else ("",)


def columns_of(lines: Sequence[str], delimiter: str | None = None) -> list[str]:
    """The names in the first of the lines, in the dialect in which most are known."""
    return _first_row(lines[:1], sniff(lines[:1], delimiter=delimiter))


def _delimiter(header: str, suffix: str) -> str:
    best, best_rank = ",", (-1, -1, -1)
    for delimiter in DELIMITERS:
        for quote in ('"', "'"):
            names = _first_row([header], Dialect(delimiter, quote))
            known = len(resolve(names).taken())
            rank = (known, int(delimiter == "\t" and suffix in _TAB_ENDINGS), len(names))
            if rank > best_rank:
                best, best_rank = delimiter, rank
    return best


def _first_row(lines: Sequence[str], dialect: Dialect) -> list[str]:
    try:
        return next(csv.reader(lines, **dialect.options()), [])
    except csv.Error:
        return []  # not in this way


def taken_in(lines: Sequence[bytes] | Sequence[str], width: int, dialect: Dialect) -> bool:
    """Whether lines inside of a quoted field are rows that a stray quote took in.

    They are when half of them or more have ``width`` fields by themselves; paragraphs hardly have.
    Without any lines they are.
    """
    texts = [line.decode("utf-8", "replace") if isinstance(line, bytes) else line for line in lines]
    own = [own_width(line, dialect) for line in texts if line.strip()]
    return 2 * own.count(width) >= len(own)


def own_width(line: str, dialect: Dialect) -> int:
    """How many fields a line has by itself; 0 where it is no row."""
    try:
        return len(next(csv.reader((line,), strict=True, **dialect.options()), ()))
    except csv.Error:
        return 0


def _fitting(lines: Sequence[str], dialect: Dialect) -> int:
    """How many lines stand in rows with as many fields as the header, less those that do not.

    A row that is still open at the end counts neither way: it may go on after the lines given; but
    not where it took in other rows. Where quotes mean nothing, a field between quotes speaks
    against it. Lines are read again a bounded number of times: what is not reached then counts
    neither way.
    """
    fits = width = begin = 0
    spare = _SPARE * len(lines)
    while begin < len(lines) and spare > 0:
        following = map(lines.__getitem__, range(begin, len(lines)))
        reader = csv.reader(following, strict=True, **dialect.options())
        taken = 0
        try:
            for row in reader:
                taken, before = reader.line_num, taken
                width = width or len(row)
                good = len(row) == width and (dialect.quote != "" or not any(map(_is_quoted, row)))
                fits += (taken - before) if good else (before - taken)
            return fits
        except csv.Error:
            end = begin + reader.line_num
            begin += taken
            spare -= end - begin
        inner = lines[begin + 1 : end - (end < len(lines))]
        if end == len(lines) and not (inner and width and taken_in(inner, width, dialect)):
            return fits
        step = 1 if taken_in(inner, width, dialect) else 1 + len(inner)
        fits -= step
        begin += step
    return fits


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'
