"""Pairs of articles outside the groups: those that share quotes only, and near misses."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.report.safe import one_line
from dedup.report.view import Articles, Roll, Texts
from dedup.report.view_group import match_columns, text_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP_PAIRS = 500
BLOCK = 20
"""Pairs whose texts are one chunk."""


class Pairs:
    """The best scored pairs of a table of relations, with what they share.

    ``total`` counts all pairs; the first :data:`TOP_PAIRS` by score are listed.
    """

    def __init__(
        self,
        table: pa.Table,
        tables: Mapping[str, pa.Table],
        articles: Articles,
        texts: Texts,
        names: Mapping[str, str],
    ) -> None:
        self.total = len(table)
        self._rows = _best(table).to_pylist()
        self._tables = tables
        self._articles = articles
        self._texts = texts
        self._names = names

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def blocks(self) -> int:
        """Number of blocks of texts."""
        return 0 if self._texts.missing else -(-len(self) // BLOCK)

    def listed(self) -> dict[str, Any]:
        """The pairs by score: ``{a, b, relation, coverage_a, coverage_b, missed_by, shared,
        matches}``; ``a`` and ``b`` are numbers of the articles that come with them."""
        roll = Roll(self._articles, self._names)
        matches = _matches(self._tables["matches"], self._rows)
        shared = _shared(self._tables["passages"], matches, self._texts)
        pairs = [
            {
                "a": roll.number(row["a"]),
                "b": roll.number(row["b"]),
                "relation": row["relation"],
                "coverage_a": round(row["coverage_a"] or 0.0, 4),
                "coverage_b": round(row["coverage_b"] or 0.0, 4),
                "missed_by": one_line(row.get("missed_by"), 120),
                "shared": shared.get((row["a"], row["b"]), ""),
                "matches": [match_columns(m) for m in matches[row["a"], row["b"]]],
            }
            for row in self._rows
        ]
        return {"pairs": pairs, "articles": roll.columns()}

    def texts(self, block: int) -> dict[str, Any]:
        """The texts of a block of pairs, as :func:`dedup.report.view_group.text_columns`."""
        rows = self._rows[block * BLOCK : (block + 1) * BLOCK]
        return text_columns(
            dict.fromkeys(ref for r in rows for ref in (r["a"], r["b"])), self._texts
        )


def quotes_apart(tables: Mapping[str, pa.Table]) -> pa.Table:
    """The relations of articles that share quotes only, and that no group holds together."""
    table = tables["relations"]
    table = table.filter(pc.equal(table.column("relation"), "quote"))
    lists = tables["groups"].column("articles")
    members = pc.list_flatten(lists).combine_chunks()
    both = pc.and_(
        pc.is_in(table.column("a"), value_set=members),
        pc.is_in(table.column("b"), value_set=members),
    )
    rows = both.to_numpy().nonzero()[0]
    if not len(rows):
        return table
    groups: dict[str, set[int]] = defaultdict(set)
    parents = pc.list_parent_indices(lists).to_pylist()
    for ref, group in zip(members.to_pylist(), parents, strict=True):
        groups[ref].add(group)
    apart = pc.invert(both).to_numpy().copy()
    pairs = table.select(["a", "b"]).take(pa.array(rows)).to_pylist()
    apart[rows] = [not groups[pair["a"]] & groups[pair["b"]] for pair in pairs]
    return table.filter(pa.array(apart))


def _best(table: pa.Table) -> pa.Table:
    """The pairs that score highest; ties by their refs."""
    keyed = table.set_column(
        table.schema.get_field_index("score"), "score", pc.fill_null(table.column("score"), 0.0)
    )
    keys = [("score", "descending"), ("a", "ascending"), ("b", "ascending")]
    return table.take(pc.sort_indices(keyed, sort_keys=keys)[:TOP_PAIRS])


_Matches = dict[tuple[str, str], list[dict[str, Any]]]


def _matches(table: pa.Table, rows: list[dict[str, Any]]) -> _Matches:
    firsts = pa.array(sorted({row["a"] for row in rows}), pa.string())
    wanted = {(row["a"], row["b"]) for row in rows}
    found: _Matches = defaultdict(list)
    for match in table.filter(pc.is_in(table.column("a"), value_set=firsts)).to_pylist():
        pair = (match["a"], match["b"])
        if pair in wanted:
            found[pair].append(match)
    return found


def _shared(passages: pa.Table, matches: _Matches, texts: Texts) -> dict[tuple[str, str], str]:
    """What each pair shares, as its first article has it: its best scored quote, else the best
    of its other matches (furniture left aside)."""
    best = {
        pair: max(real, key=lambda m: (m["kind"] == "quote", m["score"] or 0.0))
        for pair, found in matches.items()
        if (real := [m for m in found if m["kind"] != "boilerplate"])
    }
    wanted = pa.array(sorted({m["passage"] for m in best.values() if m["passage"]}), pa.string())
    some = passages.filter(pc.is_in(passages.column("id"), value_set=wanted))
    by_id = dict(zip(some.column("id").to_pylist(), some.column("text").to_pylist(), strict=True))
    result = {}
    for pair, match in best.items():
        text = texts.get(pair[0])
        cut = text[match["a_start"] : match["a_end"]] if text else by_id.get(match["passage"]) or ""
        result[pair] = one_line(cut, 400)
    return result
