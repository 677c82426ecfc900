"""Figures behind the charts, counted by columns: time line, matrices, histogram, spread of a group.

Each is a list of records that stands in the report, and behind the chart of a notebook
(:mod:`dedup.plot`). The articles table is expected as a run holds it (``published`` in UTC).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.model import KINDS, PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP_OUTLETS = 25
TOP_SOURCES = 15
SIMILARITY_BINS = 40
COPIED = ("syndicated", "partial", "duplicate")
"""Flags of articles that stand (also) elsewhere before."""

_NAIVE = pa.timestamp("us")
_DAY = 86_400_000_000
_UNITS = (
    ("hour", 3 * _DAY),
    ("day", 120 * _DAY),
    ("week", 3 * 365 * _DAY),
    ("month", 40 * 365 * _DAY),
)
"""Width of a bar of the time line, and the longest span (microseconds) for which it serves."""
_LENGTH = {"hour": 13, "day": 10, "week": 10, "month": 7, "year": 4}
_RARE = 0.01
_COARSEST = {"hour": "minute", "day": "day", "week": "day", "month": "month", "year": "year"}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Articles by time and flag.

    ``rows``: ``{from, to, label, flag, count}``, the ends ISO 8601 in UTC, the label a date cut to
    ``unit``. ``undated`` counts the articles whose time is unknown or stated less exactly than
    ``unit``, ``outside`` those long before or after all others.
    """

    unit: str
    rows: list[dict[str, Any]]
    undated: int
    outside: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts by two names; ``rows``: ``{row, column, count}``, those above zero.

    ``more_rows`` and ``more_columns`` say how many names were left out, the rarest ones.
    """

    rows: list[dict[str, Any]]
    more_rows: int
    more_columns: int


def timeline(articles: pa.Table) -> Timeline:
    """How many articles were published when, by flag.

    The width of a bar follows from the span of time. Where the earliest or latest hundredth of
    the articles would make that span more than twice as long, they are left out and counted.
    """
    times = _naive(articles.column("published"))
    moments = np.sort(times.drop_null().to_numpy().astype("datetime64[us]").astype(np.int64))
    if not len(moments):
        return Timeline("day", [], len(articles), 0)
    first, last = moments[0], moments[-1]
    bulk = moments[int(len(moments) * _RARE) : len(moments) - int(len(moments) * _RARE)]
    if last - first > 2 * (bulk[-1] - bulk[0]):
        first, last = bulk[0], bulk[-1]
    unit = next((name for name, longest in _UNITS if last - first <= longest), "year")
    dated = pc.is_in(articles.column("precision"), value_set=pa.array(_at_least(_COARSEST[unit])))
    stamps = times.cast(pa.int64())
    inside = pc.and_(
        pc.greater_equal(stamps, pa.scalar(int(first))), pc.less_equal(stamps, pa.scalar(int(last)))
    )
    known = pc.fill_null(pc.and_(dated, inside), False)
    flags = pc.fill_null(articles.column("flag"), "unique")
    kept = pa.table(
        {"time": pc.floor_temporal(times, unit=unit).filter(known), "flag": flags.filter(known)}
    )
    counted = kept.group_by(["time", "flag"]).aggregate([([], "count_all")])
    counted = counted.sort_by([("time", "ascending"), ("flag", "ascending")])
    start = counted.column("time")
    end = pc.ceil_temporal(start, unit=unit, ceil_is_strictly_greater=True)
    columns = (
        _iso(start),
        _iso(end),
        pc.utf8_slice_codeunits(start.cast(pa.string()), 0, _LENGTH[unit]).to_pylist(),
        counted.column("flag").to_pylist(),
        counted.column("count_all").to_pylist(),
    )
    names = ("from", "to", "label", "flag", "count")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    undated = len(articles) - pc.sum(pc.fill_null(pc.and_(dated, times.is_valid()), False)).as_py()
    return Timeline(unit, rows, undated, len(articles) - undated - len(kept))


def histogram(matches: pa.Table) -> list[dict[str, Any]]:
    """Verified matches by similarity and kind: ``{start, end, kind, count}`` of each bin that is
    not empty."""
    edges = np.linspace(0.0, 1.0, SIMILARITY_BINS + 1)
    similarity = pc.fill_null(matches.column("similarity"), 0.0).to_numpy()
    rows = []
    for kind in KINDS:
        chosen = pc.fill_null(pc.equal(matches.column("kind"), kind), False).to_numpy()
        counts, _ = np.histogram(np.clip(similarity[chosen], 0.0, 1.0), bins=edges)
        rows += [
            {"start": round(float(edges[i]), 4), "end": round(float(edges[i + 1]), 4),
             "kind": kind, "count": int(counts[i])}
            for i in counts.nonzero()[0]
        ]  # fmt: skip
    return rows


def outlet_sources(articles: pa.Table, names: Mapping[str, str]) -> Matrix:
    """Outlet x source: how many of an outlet's articles are that source's text.

    ``names``: display names of sources by id.
    """
    chosen = pc.is_in(articles.column("flag"), value_set=pa.array(["syndicated", "partial"]))
    some = articles.select(["outlet", "source"]).filter(chosen)
    some = some.filter(pc.and_(some.column("outlet").is_valid(), some.column("source").is_valid()))
    counted = some.group_by(["outlet", "source"]).aggregate([([], "count_all")])
    cells = {
        (row["outlet"], names.get(row["source"], row["source"])): row["count_all"]
        for row in counted.to_pylist()
    }
    return _matrix(cells, TOP_OUTLETS, TOP_SOURCES)


def who_copies_whom(articles: pa.Table, relations: pa.Table) -> Matrix:
    """Outlet x outlet: how many articles of the first (``row``) share narrative with an earlier one
    of the second (``column``).

    Counts ``copy`` and ``partial`` relations of different outlets whose order is known.
    """
    chosen = pc.and_(
        pc.is_in(relations.column("relation"), value_set=pa.array(["copy", "partial"])),
        relations.column("earlier").is_valid(),
    )
    pairs = relations.filter(chosen)
    refs = articles.column("ref").combine_chunks()
    first = pairs.column("earlier")
    later = pc.if_else(pc.equal(pairs.column("a"), first), pairs.column("b"), pairs.column("a"))
    outlets = articles.column("outlet")
    table = pa.table(
        {
            "row": outlets.take(pc.index_in(later, value_set=refs)),
            "column": outlets.take(pc.index_in(first, value_set=refs)),
            "article": later,
        }
    )
    known = pc.and_(table.column("row").is_valid(), table.column("column").is_valid())
    table = table.filter(known)
    table = table.filter(pc.not_equal(table.column("row"), table.column("column")))
    # An article that follows two articles of one outlet counts once.
    once = table.group_by(["row", "column", "article"]).aggregate([])
    counted = once.group_by(["row", "column"]).aggregate([([], "count_all")])
    cells = {(r["row"], r["column"]): r["count_all"] for r in counted.to_pylist()}
    return _matrix(cells, TOP_OUTLETS, TOP_OUTLETS)


def spread(articles: pa.Table, refs: list[str]) -> list[dict[str, Any]]:
    """The dated articles of a group in order of publication, as ``{time, label, outlet, title,
    flag, ref}``.

    ``time`` is ISO 8601 in UTC; ``refs`` are the group's articles.
    """
    rows = articles.filter(pc.is_in(articles.column("ref"), value_set=pa.array(refs, pa.string())))
    rows = rows.filter(rows.column("published").is_valid())
    stamps = _iso(_naive(rows.column("published")))
    columns = [rows.column(c).to_pylist() for c in ("ref", "outlet", "title", "flag")]
    found = [
        {"time": time, "label": time[:16].replace("T", " "), "outlet": outlet or ref,
         "title": title or "", "flag": flag or "unique", "ref": ref}
        for time, ref, outlet, title, flag in zip(stamps, *columns, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row["time"], row["ref"]))


def _iso(times: pa.ChunkedArray) -> list[str]:
    return [f"{time[:19].replace(' ', 'T')}Z" for time in times.cast(pa.string()).to_pylist()]


def _naive(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC times without their zone: the same instants, but no zone database is needed."""
    return pa.chunked_array([chunk.view(_NAIVE) for chunk in column.chunks], type=_NAIVE)


def _at_least(precision: str) -> list[str]:
    return list(PRECISIONS[PRECISIONS.index(precision) :])


def _matrix(cells: Mapping[tuple[str, str], int], top_rows: int, top_columns: int) -> Matrix:
    by_row: Counter[str] = Counter()
    by_column: Counter[str] = Counter()
    for (row, column), count in cells.items():
        by_row[row] += count
        by_column[column] += count
    rows, columns = _ranked(by_row)[:top_rows], _ranked(by_column)[:top_columns]
    shown = [
        {"row": row, "column": column, "count": cells[row, column]}
        for row in rows
        for column in columns
        if (row, column) in cells
    ]
    return Matrix(shown, len(by_row) - len(rows), len(by_column) - len(columns))


def _ranked(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))
