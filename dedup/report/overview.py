"""The first screen: what share of the dump is copy, from whom, who publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from dedup.report.figures import COPIED
from dedup.report.safe import one_line, visible
from dedup.report.view import FLAGS, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

FLAG_HELP = {
    "syndicated": "half or more is somebody else’s text",
    "partial": "some narrative is somebody else’s",
    "duplicate": "the same outlet’s repost or revision",
    "earliest": "others share its text; it is the first observed",
    "shared": "shares text, but the order is not known",
    "unique": "shares no narrative with another article",
}
TOP = 8
"""Bars of each kind."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A ranked figure: ``share`` of the whole in percent, ``width`` relative to the largest."""

    name: str
    count: int
    share: float
    width: float
    note: str
    key: str


def overview(tables: Mapping[str, pa.Table], names: Mapping[str, str]) -> dict[str, Any]:
    """Counts for the first screen: flags, sources, outlets, dates."""
    articles = tables["articles"]
    total = len(articles)
    flags = _counts(articles.column("flag"))
    copied = articles.filter(_among(articles.column("flag"), COPIED))
    others = copied.filter(pc.not_equal(copied.column("flag"), "duplicate"))
    everything = _counts(pc.fill_null(articles.column("outlet"), ""))
    outlets = _counts(pc.fill_null(copied.column("outlet"), ""))
    sources = _counts(pc.fill_null(others.column("source"), "unknown"))

    def outlet_note(outlet: str, count: int) -> str:
        return f"{percent(count, everything[outlet]):.0f} % of its {everything[outlet]:,}"

    return {
        "total": total,
        "flags": [
            {
                "name": f,
                "count": flags.get(f, 0),
                "share": percent(flags.get(f, 0), total),
                "help": FLAG_HELP[f],
            }
            for f in FLAGS
        ],
        "copied": len(copied),
        "copied_share": percent(len(copied), total),
        "syndicated": flags.get("syndicated", 0),
        "syndicated_share": percent(flags.get("syndicated", 0), total),
        "partial": flags.get("partial", 0),
        "duplicate": flags.get("duplicate", 0),
        "groups": len(tables["groups"]),
        "outlet_count": len([o for o in everything if o]),
        "sources": _bars(
            sources,
            len(others),
            lambda s: names.get(s, visible(s)),
            lambda _, count: f"{percent(count, len(others)):.0f} % of what comes from others",
        ),
        "outlets": _bars(
            outlets, len(copied), lambda o: one_line(o, 80) or "(no outlet stated)", outlet_note
        ),
        "span": _span(articles),
    }


def _among(column: pa.ChunkedArray, values: tuple[str, ...]) -> pa.ChunkedArray:
    import pyarrow as pa

    return pc.is_in(column, value_set=pa.array(values))


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(column)
    names, numbers = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
    return dict(zip(names, numbers, strict=True))


def _bars(
    counts: Mapping[str, int],
    whole: int,
    name: Callable[[str], str],
    note: Callable[[str, int], str],
) -> list[Bar]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    largest = ranked[0][1] if ranked else 0
    return [
        Bar(
            name=name(key),
            count=n,
            share=percent(n, whole),
            width=round(percent(n, largest), 2),
            note=note(key, n),
            key=key,
        )
        for key, n in ranked[:TOP]
    ]


def _span(articles: pa.Table) -> tuple[str, str] | None:
    # ISO dates of any precision sort as texts do.
    ends = pc.min_max(articles.column("published"))
    if not ends["min"].is_valid:
        return None
    return ends["min"].as_py()[:10], ends["max"].as_py()[:10]
