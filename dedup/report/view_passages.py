"""The most reused passages of the report: one a story, with more of the story below it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.report.safe import one_line, visible
from dedup.report.view import Articles, Roll

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSAGE_LENGTH = 700
MORE_PASSAGES = 8
PLACES = 60
"""Occurrences of a passage that are listed with their outlets and times."""


def passage_cards(
    tables: Mapping[str, pa.Table], articles: Articles, names: Mapping[str, str], top: int
) -> dict[str, Any]:
    """The best passages, one a story with more of the story folded, and the number of stories.

    A card is ``{id, rank, text, kind, score, articles, outlets, source, first, group, places}``,
    ``places`` the occurrences in order of time (numbers of ``articles``); the first card of a
    story has ``more`` of them and ``more_left``.
    """
    table = tables["passages"].combine_chunks()
    group = _groups(tables["groups"], table)
    # A passage without a group is a story of its own.
    story = np.where(group >= 0, group, len(tables["groups"]) + np.arange(len(table)))
    _, first, count = np.unique(story, return_index=True, return_counts=True)
    order = np.argsort(first)
    chosen = first[order][:top].tolist()
    size = count[order][:top].tolist()
    card_of = {int(story[row]): k for k, row in enumerate(chosen)}
    more: list[list[int]] = [[] for _ in chosen]
    inside = np.flatnonzero(np.isin(story, story[chosen]))
    for row in inside.tolist():
        own = more[card_of[int(story[row])]]
        if row != chosen[card_of[int(story[row])]] and len(own) < MORE_PASSAGES:
            own.append(row)
    rows = sorted({*chosen, *(row for own in more for row in own)})
    records = dict(zip(rows, table.take(pa.array(rows, pa.int64())).to_pylist(), strict=True))
    ids = tables["groups"].column("id")
    roll = Roll(articles, names)

    def card(row: int) -> dict[str, Any]:
        number = int(group[row])
        return _card(records[row], row, None if number < 0 else ids[number].as_py(), roll, names)

    cards = [
        card(row) | {"more": [card(r) for r in own], "more_left": size[k] - 1 - len(own)}
        for k, (row, own) in enumerate(zip(chosen, more, strict=True))
    ]
    return {"stories": len(first), "cards": cards, "articles": roll.columns()}


def _groups(groups: pa.Table, passages: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The row of the first group that holds each passage, or -1; int64 by row of passages."""
    lists = groups.column("passages")
    rows = pc.index_in(pc.list_flatten(lists), value_set=passages.column("id").combine_chunks())
    at = np.asarray(rows.combine_chunks().fill_null(-1), np.int64)
    parents = np.asarray(pc.list_parent_indices(lists).combine_chunks(), np.int64)
    group = np.full(len(passages), -1, np.int64)
    known = at >= 0
    # The last assignment stands, so the first group goes last.
    group[at[known][::-1]] = parents[known][::-1]
    return group


def _card(
    row: dict[str, Any], index: int, group: str | None, roll: Roll, names: Mapping[str, str]
) -> dict[str, Any]:
    source = (row["source"] or {}).get("id") or ""
    text = row["text"] or ""
    spots = Counter(o["article"] for o in row["occurrences"] or ())
    first = row["first_observed"]
    refs = sorted(spots, key=lambda r: (r != first, r))[:PLACES]
    refs.sort(key=lambda r: (roll.view(r).stamp or "~", roll.view(r).label, r))
    outlets = [one_line(o, 60) for o in row["outlets"] or ()]
    return {
        "id": visible(row["id"]),
        "rank": index + 1,
        "text": visible(text[:PASSAGE_LENGTH]) + ("…" if len(text) > PASSAGE_LENGTH else ""),
        "kind": row["kind"],
        "score": round(row["score"] or 0.0, 1),
        "count": len(spots),
        "outlets": outlets[:8],
        "outlet_count": len(outlets),
        "source": names.get(source, visible(source)) if source and source != "unknown" else "",
        "first": roll.number(first) if first else None,
        "group": None if group is None else visible(group),
        "places": roll.numbers(refs),
    }
