"""How a table of delimited text is written: found by reading its first lines in several ways."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.read.columns import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIMITERS = ",\t;|"
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_TAB_ENDINGS = (".tsv", ".tab")


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
        if fitting > most:
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


def _fitting(lines: Sequence[str], dialect: Dialect) -> int:
    """How many lines stand in rows with as many fields as the header, less those that do not.

    A row that is still open at the end counts neither way: it may go on after the lines given.
    Where quotes mean nothing, a field between quotes speaks against it.
    """
    reader = csv.reader(lines, strict=True, **dialect.options())
    fits = width = before = 0
    while True:
        good = False
        try:
            row = next(reader, None)
            if row is None:
                return fits
            if not width:
                width = len(row)
            good = len(row) == width and (dialect.quote != "" or not any(map(_is_quoted, row)))
        except csv.Error:
            if reader.line_num == len(lines):
                return fits
        taken, before = reader.line_num - before, reader.line_num
        fits += taken if good else -taken


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'
