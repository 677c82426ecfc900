"""The details of groups, a block of them at a time: articles, evidence, relations, matches."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.model import KINDS
from dedup.report.membership import PairsOfGroups
from dedup.report.safe import visible
from dedup.report.view import Articles, ArticleView, Roll, Texts, evidence_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUP_ARTICLES = 500
"""Articles of a group that are listed."""
GROUP_TEXTS = 50
"""Articles of a group whose texts can be compared."""
GROUP_EVIDENCE = 40
GROUP_RELATIONS = 200
GROUP_PASSAGES = 200
GROUP_MATCHES = 20_000
READ_PASSAGES = 20
"""Passages of a group that are listed to read; the others only divide long matches."""
TEXT_LENGTH = 60_000

KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_STRENGTH = {"copy": 3, "partial": 2, "quote": 1}
_Rows = list[dict[str, Any]]


class GroupDetails:
    """What is shown of each group; ``groups`` is the table of those that are listed, by rank.

    Rows of the other tables are taken for a whole block at a time.
    """

    def __init__(
        self,
        groups: pa.Table,
        tables: Mapping[str, pa.Table],
        articles: Articles,
        texts: Texts,
        names: Mapping[str, str],
    ) -> None:
        self._groups = groups
        self._tables = tables
        self._articles = articles
        self._texts = texts
        self._names = names

    def details(self, start: int, stop: int) -> dict[str, Any]:
        """The groups ``start`` to ``stop``: their articles in order of time, evidence, relations,
        matches and passages; numbers of articles count within the group, but for evidence."""
        rows = self._groups.slice(start, stop - start).to_pylist()
        views = self._views(rows)
        roll = Roll(self._articles, self._names, views)
        relations = self._relation_rows.of(start, start + len(rows))
        matches = self._match_rows.of(start, start + len(rows))
        passages = self._passages_of(rows)
        groups = []
        for k, row in enumerate(rows):
            listed = _listed(row, views)
            groups.append(
                self._described(row, listed, views, roll)
                | _relations(relations[k], listed)
                | _shared(matches[k], passages, row, listed, self._compared(listed, views))
            )
        return {"groups": groups, "articles": roll.columns()}

    def texts_of(self, start: int, stop: int) -> dict[str, Any]:
        """The texts of the groups ``start`` to ``stop``, as :func:`text_columns`."""
        rows = self._groups.slice(start, stop - start).select(["articles"]).to_pylist()
        views = self._views(rows)
        refs: dict[str, None] = {}
        for row in rows:
            listed = _listed(row, views)
            refs.update(dict.fromkeys(listed[n] for n in self._compared(listed, views)))
        return text_columns(refs, self._texts)

    def _views(self, rows: _Rows) -> dict[str, ArticleView]:
        return self._articles.many(
            dict.fromkeys(r for row in rows for r in (row["articles"] or ())[:GROUP_ARTICLES])
        )

    def _compared(self, listed: list[str], views: Mapping[str, ArticleView]) -> list[int]:
        """Numbers of the articles whose texts can be compared, in order of publication: the
        first, and those that share the most."""
        if len(listed) < 2 or self._texts.missing:
            return []
        share = [views[ref].share or 0.0 for ref in listed]
        others = sorted(range(1, len(listed)), key=lambda n: (-share[n], n))
        return sorted([0, *others[: GROUP_TEXTS - 1]])

    def _described(
        self,
        row: Mapping[str, Any],
        listed: list[str],
        views: Mapping[str, ArticleView],
        roll: Roll,
    ) -> dict[str, Any]:
        source = row["source"] or {}
        evidence = source.get("evidence") or []
        core, first = set(row["core"] or ()), row["first_observed"]
        disputed = _disputed(evidence, source.get("id") or "unknown")
        return {
            "id": visible(row["id"]),
            "key": visible(row["key"]),
            "size": len(set(row["articles"] or ())),
            "articles": roll.numbers(listed),
            "core": [int(ref in core) for ref in listed],
            "first": listed.index(first) if first in listed else None,
            "compared": self._compared(listed, views),
            "evidence": [
                evidence_view(e, roll, self._articles, self._texts, self._names)
                for e in evidence[:GROUP_EVIDENCE]
            ],
            "evidence_left": max(0, len(evidence) - GROUP_EVIDENCE),
            "disputed": [self._names.get(s, visible(s)) for s in disputed],
        }

    def _passages_of(self, rows: _Rows) -> dict[str, dict[str, Any]]:
        row_of = self._passage_row
        wanted = dict.fromkeys(i for row in rows for i in (row["passages"] or ())[:GROUP_PASSAGES])
        found = [row_of[i] for i in wanted if i in row_of]
        columns = ["id", "text", "kind", "occurrences"]
        taken = self._tables["passages"].select(columns).take(pa.array(found, pa.int64()))
        return {passage["id"]: passage for passage in taken.to_pylist()}

    @cached_property
    def _passage_row(self) -> dict[str, int]:
        return {i: row for row, i in enumerate(self._tables["passages"].column("id").to_pylist())}

    @cached_property
    def _relation_rows(self) -> PairsOfGroups:
        return PairsOfGroups(self._groups, self._tables["relations"])

    @cached_property
    def _match_rows(self) -> PairsOfGroups:
        return PairsOfGroups(self._groups, self._tables["matches"])


def _listed(row: Mapping[str, Any], views: Mapping[str, ArticleView]) -> list[str]:
    """The articles of a group that are listed, in order of publication."""
    refs = list(dict.fromkeys(row["articles"] or ()))[:GROUP_ARTICLES]
    return sorted(refs, key=lambda r: (views[r].stamp or "~", views[r].label, r))


def _relations(rows: _Rows, listed: list[str]) -> dict[str, Any]:
    """``[a, b, relation, revision, coverage_a, coverage_b, p_copied]``, the strongest first."""
    place = {ref: n for n, ref in enumerate(listed)}
    known = [r for r in rows if r["a"] in place and r["b"] in place]
    known = [r for r in known if r["relation"] in _STRENGTH]
    known.sort(key=lambda r: (-_STRENGTH[r["relation"]], -(r["score"] or 0.0), r["a"], r["b"]))
    shown = [
        [
            place[r["a"]],
            place[r["b"]],
            r["relation"],
            int(bool(r["revision"])),
            round(r["coverage_a"] or 0.0, 4),
            round(r["coverage_b"] or 0.0, 4),
            round(r["p_copied"] or 0.0, 4),
        ]
        for r in known[:GROUP_RELATIONS]
    ]
    return {"relations": shown, "relations_left": len(known) - len(shown)}


def _shared(
    rows: _Rows,
    passages: Mapping[str, dict[str, Any]],
    row: Mapping[str, Any],
    listed: list[str],
    compared: list[int],
) -> dict[str, Any]:
    """What a group shares.

    ``matches`` of those that can be compared: ``[a, b, a_start, a_end, b_start, b_end,
    similarity, kind]``; the best ``passages`` to read: ``[text, kind, articles]``; their
    ``occurrences``: ``[kind, [[article, start, end]]]``; the ``pair`` that is shown first.
    """
    place = {ref: n for n, ref in enumerate(listed)}
    inside = set(compared)
    matches = [
        [place[m["a"]], place[m["b"]], *match_columns(m)]
        for m in rows[:GROUP_MATCHES]
        if place.get(m["a"]) in inside
        and place.get(m["b"]) in inside
        and max(m["a_start"], m["b_start"]) < TEXT_LENGTH
    ]
    ids = row["passages"] or ()
    shown: list[list[Any]] = []
    occurrences: list[list[Any]] = []
    for passage in (passages[i] for i in ids[:GROUP_PASSAGES] if i in passages):
        spots = passage["occurrences"] or []
        kind = KIND_NUMBER.get(passage["kind"], 0)
        if len(shown) < READ_PASSAGES:
            count = len({o["article"] for o in spots})
            shown.append([visible((passage["text"] or "")[:500]), kind, count])
        own = [
            [place[o["article"]], o["start"], o["end"]]
            for o in spots
            if o["article"] in place and o["start"] < TEXT_LENGTH
        ]
        if len(own) > 1:
            occurrences.append([kind, own])
    return {
        "matches": matches,
        "passages": shown,
        "passages_left": max(0, len(ids) - len(shown)),
        "occurrences": occurrences,
        "pair": _best_pair(compared, matches, occurrences),
    }


def match_columns(row: Mapping[str, Any]) -> list[int | float]:
    """``[a_start, a_end, b_start, b_end, similarity, kind]`` of a match."""
    return [
        row["a_start"],
        row["a_end"],
        row["b_start"],
        row["b_end"],
        round(row["similarity"] or 0.0, 3),
        KIND_NUMBER.get(row["kind"], 0),
    ]


def text_columns(refs: Mapping[str, None] | Sequence[str], texts: Texts) -> dict[str, list[Any]]:
    """The texts of articles as columns; those that the run does not hold are left out."""
    result: dict[str, list[Any]] = {"ref": [], "text": [], "cut": []}
    for ref in refs:
        text = texts.get(ref)
        if text is not None:
            result["ref"].append(visible(ref))
            result["text"].append(visible(text[:TEXT_LENGTH]))
            result["cut"].append(int(len(text) > TEXT_LENGTH))
    return result


def _disputed(evidence: _Rows, winner: str) -> list[str]:
    """Sources that articles of a group credit in contradiction to the one that was named."""
    claims = {item["source"] for item in evidence if item["role"] in ("credit", "metadata")}
    return sorted(claims - {winner})


def _best_pair(
    compared: Sequence[int], matches: Sequence[Sequence[Any]], occurrences: Sequence[Sequence[Any]]
) -> tuple[int, int] | None:
    """First observed on the left; on the right the one that shares most prose with it."""
    if len(compared) < 2:
        return None
    shared: Counter[tuple[int, int]] = Counter()
    for a, b, a_start, a_end, _, _, _, kind in matches:
        if kind == KIND_NUMBER["prose"]:
            shared[(min(a, b), max(a, b))] += a_end - a_start
    if not matches:
        inside = set(compared)
        for kind, spots in occurrences:
            known = [s for s in spots if s[0] in inside] if kind == KIND_NUMBER["prose"] else []
            for i, (a, start, end) in enumerate(known):
                for b, _, _ in known[i + 1 :]:
                    shared[(min(a, b), max(a, b))] += end - start
    left = compared[0]
    amount, right = max((shared[(left, n)], -n) for n in compared[1:])
    if amount == 0 and shared:
        return max(shared.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))[0]
    return left, -right
