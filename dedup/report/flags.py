"""The list of ``dedup flag``: for people, for spreadsheets, for programs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import orjson
from rich.table import Table
from rich.text import Text

from dedup.report.encode import write_csv
from dedup.report.safe import one_line

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

_STYLES = {"syndicated": "bold red", "partial": "yellow", "duplicate": "yellow", "unique": "dim"}


def as_jsonl(table: pa.Table) -> bytes:
    """One JSON object a line."""
    rows = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in table.to_pylist())
    return b"".join(rows)


def as_csv(table: pa.Table) -> bytes:
    """CSV, written as the tables of a run are: what looks like a formula is escaped."""
    buffer = io.BytesIO()
    write_csv(buffer, table)
    return buffer.getvalue()


def as_lines(table: pa.Table) -> bytes:
    """For other programs: one line an article, its cells parted by tabs, under a heading."""
    rows = [table.column_names, *(_cells(row, cut=False) for row in table.to_pylist())]
    return "".join("\t".join(row) + "\n" for row in rows).encode("utf-8", "replace")


def as_table(table: pa.Table) -> RenderableType:
    """For people at a terminal; texts of others cannot steer it."""
    view = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in table.column_names:
        number = name in ("confidence", "share_copied")
        view.add_column(
            "share" if name == "share_copied" else name.replace("_", " "),
            justify="right" if number else "left",
            header_style="dim",
            no_wrap=number or name == "flag",
            overflow="fold",
            ratio=2 if name == "why" else None,
        )
    for row in table.to_pylist():
        style = _STYLES.get(row["flag"], "")
        cells = _cells(row)
        view.add_row(*(Text(cell, style if n == 1 else "") for n, cell in enumerate(cells)))
    return view


def _cells(row: dict[str, object], *, cut: bool = True) -> list[str]:
    """A row's cells, each one visible line; with ``cut`` long ones are shortened."""
    cells = []
    for name, value in row.items():
        if isinstance(value, float):
            cells.append(f"{value:.2f}")
        else:
            text = "" if value is None else str(value)
            limit = 400 if name == "why" else 200
            cells.append(one_line(text, limit if cut else len(text)))
    return cells
