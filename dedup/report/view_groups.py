"""The groups of the report: an index of all by columns, and the details of a few at a time."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.model import KINDS
from dedup.report.membership import Flat, PairsOfGroups
from dedup.report.safe import one_line, visible
from dedup.report.view import FLAGS, Articles, Roll, Texts, evidence_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LISTED = 50_000
"""Groups of one index."""
BLOCK = 16
"""Groups whose details are one chunk."""
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


class Groups:
    """The groups by rank; a group ranks as its best passage does.

    Where there are more groups than ``top``, the best ranked and the largest are taken in turn,
    so that neither goes missing. ``only`` takes the groups of these ids alone.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        articles: Articles,
        texts: Texts,
        names: Mapping[str, str],
        *,
        top: int | None = None,
        only: Sequence[str] | None = None,
    ) -> None:
        table = tables["groups"].combine_chunks()
        order = _ranked(table, tables["passages"])
        if only is not None:
            wanted = pc.is_in(table.column("id"), value_set=pa.array(only, pa.string()))
            chosen = [(k + 1, row) for k, row in enumerate(order) if wanted[row].as_py()]
        else:
            sizes = pc.list_value_length(table.column("articles")).to_pylist()
            chosen = _chosen(order, sizes, top)
        self.total = len(table)
        self._rank = [rank for rank, _ in chosen]
        self._table = table.take(pa.array([row for _, row in chosen], pa.int64())).combine_chunks()
        self._tables = tables
        self._articles = articles
        self._texts = texts
        self._names = names

    def __len__(self) -> int:
        return len(self._table)

    @property
    def blocks(self) -> int:
        """Number of blocks of details."""
        return -(-len(self) // BLOCK)

    @property
    def indexes(self) -> int:
        """Number of indexes, at least one."""
        return max(1, -(-len(self) // LISTED))

    # --- the index ----------------------------------------------------------------------------

    def index(self, number: int) -> dict[str, Any]:
        """Columns over the groups of index ``number``, by rank.

        ``outlets``, ``languages`` and ``sources`` are lists of names, and their columns numbers
        into them; ``flags`` counts articles in the order of :data:`dedup.report.view.FLAGS`;
        ``share`` is the average share of the core's text that stands in others of the group.
        """
        part = self._table.slice(number * LISTED, LISTED)
        members = Flat(part.column("articles"))
        articles = self._members(members)
        outlets, languages, sources = _Names(), _Names(), _Names()
        first = part.column("first_observed").to_pylist()
        source = part.column("source").to_pylist()
        result: dict[str, list[Any]] = {
            name: []
            for name in (
                *("id", "rank", "title", "lead", "source", "kind", "confidence", "size", "core"),
                *("outlets", "languages", "flags", "since", "until", "share"),
            )
        }
        result["id"] = [visible(i) for i in part.column("id").to_pylist()]
        result["rank"] = self._rank[number * LISTED : number * LISTED + len(part)]
        result["core"] = pc.list_value_length(part.column("core")).to_pylist()
        leads = self._leads(part)
        edges = members.edges
        for k in range(len(part)):
            rows = range(edges[k], edges[k + 1])
            flags = Counter(articles["flag"][i] for i in rows)
            stamps = sorted(articles["published"][i] for i in rows if articles["published"][i])
            shares = [s for i in rows if (s := articles["share_copied"][i])]
            about = source[k] or {}
            identifier = about.get("id") or "unknown"
            name = self._names.get(identifier) or one_line(about.get("name"), 80)
            result["title"].append(_title(articles, members.refs, rows, first[k]) or leads[k][:100])
            result["lead"].append(leads[k])
            result["source"].append(sources.number(name or visible(identifier)))
            result["kind"].append(about.get("kind") or "unknown")
            result["confidence"].append(about.get("confidence"))
            result["size"].append(len(rows))
            found = {one_line(o, 80) for i in rows if (o := articles["outlet"][i])}
            result["outlets"].append(sorted(map(outlets.number, sorted(found))))
            found = {visible(s) for i in rows if (s := articles["language"][i])}
            result["languages"].append(sorted(map(languages.number, sorted(found))))
            result["flags"].append([flags[f] for f in FLAGS])
            result["since"].append(stamps[0][:10] if stamps else "")
            result["until"].append(stamps[-1][:10] if stamps else "")
            result["share"].append(round(sum(shares) / len(shares), 3) if shares else 0.0)
        return {
            **result,
            "outlet_names": outlets.names,
            "language_names": languages.names,
            "source_names": sources.names,
        }

    def _members(self, members: Flat) -> dict[str, list[Any]]:
        table = self._tables["articles"]
        columns = ("outlet", "published", "title", "language", "flag", "share_copied")
        rows = pc.index_in(members.refs_array, value_set=table.column("ref").combine_chunks())
        taken = table.select(columns).take(rows)
        return {name: taken.column(name).to_pylist() for name in columns}

    def _leads(self, part: pa.Table) -> list[str]:
        """The best passage of each group, shortened."""
        own = part.column("passages").combine_chunks()
        best = pc.list_element(pc.if_else(_long(own), own, pa.scalar([None], own.type)), 0)
        passages = self._tables["passages"]
        rows = pc.index_in(best, value_set=passages.column("id").combine_chunks())
        texts = passages.column("text").take(rows).to_pylist()
        return [one_line(text, 160) for text in texts]

    # --- details ------------------------------------------------------------------------------

    def details(self, block: int) -> dict[str, Any]:
        """The groups of a block: their articles in order of time, evidence, relations, matches and
        passages; numbers of articles count within the group, but for evidence."""
        roll = Roll(self._articles, self._names)
        span = range(block * BLOCK, min((block + 1) * BLOCK, len(self)))
        return {
            "groups": [self._detail(k, roll) for k in span],
            "articles": roll.columns(),
        }

    def texts(self, block: int) -> dict[str, Any]:
        """The texts of a block's groups, as columns ``ref``, ``text``, ``cut``; ``text`` ends after
        :data:`TEXT_LENGTH` characters, and ``cut`` says whether it went on."""
        refs: dict[str, None] = {}
        for k in range(block * BLOCK, min((block + 1) * BLOCK, len(self))):
            refs.update(dict.fromkeys(self._compared(self._listed(k))))
        return text_columns(refs, self._texts)

    def _listed(self, k: int) -> list[str]:
        """The articles of a group that are listed, in order of publication."""
        refs = list(dict.fromkeys(self._table["articles"][k].as_py() or ()))[:GROUP_ARTICLES]
        views = {ref: self._articles.get(ref) for ref in refs}
        return sorted(refs, key=lambda r: (views[r].stamp or "~", views[r].label, r))

    def _compared(self, listed: list[str]) -> list[str]:
        """The articles whose texts can be compared, in order of publication: the first, and those
        that share the most."""
        if len(listed) < 2:
            return []
        share = [self._articles.get(ref).share or 0.0 for ref in listed]
        others = sorted(range(1, len(listed)), key=lambda n: (-share[n], n))
        chosen = sorted([0, *others[: GROUP_TEXTS - 1]])
        return [listed[n] for n in chosen]

    def _detail(self, k: int, roll: Roll) -> dict[str, Any]:
        row = self._table.slice(k, 1).to_pylist()[0]
        listed = self._listed(k)
        place = {ref: n for n, ref in enumerate(listed)}
        compared = [] if self._texts.missing else [place[ref] for ref in self._compared(listed)]
        source = row["source"] or {}
        winner = source.get("id") or "unknown"
        evidence = source.get("evidence") or []
        core = set(row["core"] or ())
        first = row["first_observed"]
        matches = self._matches(k, place, set(compared))
        passages, occurrences = self._passages(row["passages"] or (), place)
        result = {
            "id": visible(row["id"]),
            "key": visible(row["key"]),
            "size": len(set(row["articles"] or ())),
            "articles": roll.numbers(listed),
            "core": [int(ref in core) for ref in listed],
            "first": place.get(first) if first else None,
            "compared": compared,
            "evidence": [
                evidence_view(e, roll, self._articles, self._texts, self._names)
                for e in evidence[:GROUP_EVIDENCE]
            ],
            "evidence_left": max(0, len(evidence) - GROUP_EVIDENCE),
            "disputed": [self._names.get(s, visible(s)) for s in _disputed(source, winner)],
            "matches": matches,
            "passages": passages,
            "occurrences": occurrences,
            "passages_left": max(0, len(row["passages"] or ()) - len(passages)),
            "pair": _best_pair(compared, matches, occurrences),
        }
        return result | self._relations(k, place)

    def _relations(self, k: int, place: Mapping[str, int]) -> dict[str, Any]:
        rows = self._relation_rows.of(k).to_pylist()
        rows = [
            r for r in rows if r["relation"] in _STRENGTH and r["a"] in place and r["b"] in place
        ]
        rows.sort(key=lambda r: (-_STRENGTH[r["relation"]], -(r["score"] or 0.0), r["a"], r["b"]))
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
            for r in rows[:GROUP_RELATIONS]
        ]
        return {"relations": shown, "relations_left": len(rows) - len(shown)}

    def _matches(self, k: int, place: Mapping[str, int], compared: set[int]) -> list[list[Any]]:
        """Of those that can be compared: ``[a, b, a_start, a_end, b_start, b_end, similarity,
        kind]``."""
        rows = self._match_rows.of(k).slice(0, GROUP_MATCHES).to_pylist()
        return [
            [place[r["a"]], place[r["b"]], *match_columns(r)]
            for r in rows
            if place.get(r["a"]) in compared
            and place.get(r["b"]) in compared
            and max(r["a_start"], r["b_start"]) < TEXT_LENGTH
        ]

    def _passages(
        self, ids: Sequence[str], place: Mapping[str, int]
    ) -> tuple[list[list[Any]], list[list[Any]]]:
        """The best passages to read (``[text, kind, articles]``), and where each stands
        (``[kind, [[article, start, end]]]``)."""
        table, row_of = self._tables["passages"], self._passage_row
        rows = [row_of[i] for i in ids[:GROUP_PASSAGES] if i in row_of]
        shown: list[list[Any]] = []
        everywhere: list[list[Any]] = []
        for row in table.take(pa.array(rows, pa.int64())).to_pylist():
            spots = row["occurrences"] or []
            kind = KIND_NUMBER.get(row["kind"], 0)
            if len(shown) < READ_PASSAGES:
                count = len({o["article"] for o in spots})
                shown.append([visible((row["text"] or "")[:500]), kind, count])
            inside = [
                [place[o["article"]], o["start"], o["end"]]
                for o in spots
                if o["article"] in place and o["start"] < TEXT_LENGTH
            ]
            if len(inside) > 1:
                everywhere.append([kind, inside])
        return shown, everywhere

    @cached_property
    def _passage_row(self) -> dict[str, int]:
        return {i: row for row, i in enumerate(self._tables["passages"].column("id").to_pylist())}

    @cached_property
    def _relation_rows(self) -> PairsOfGroups:
        return PairsOfGroups(self._table, self._tables["relations"])

    @cached_property
    def _match_rows(self) -> PairsOfGroups:
        return PairsOfGroups(self._table, self._tables["matches"])


class _Names:
    """Names by number, in the order in which they come up."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self._number.setdefault(name, len(self._number))

    @property
    def names(self) -> list[str]:
        return list(self._number)


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


def _long(lists: pa.ListArray) -> pa.BooleanArray:
    return pc.greater(pc.fill_null(pc.list_value_length(lists), 0), 0)


def _title(
    articles: Mapping[str, list[Any]], refs: list[str], rows: range, first: str | None
) -> str:
    """The title of the first observed article, else of the earliest one that has a title."""
    ordered = sorted(
        rows, key=lambda i: (refs[i] != first, articles["published"][i] or "~", refs[i])
    )
    return next((t for i in ordered if (t := one_line(articles["title"][i]))), "")


def _ranked(groups: pa.Table, passages: pa.Table) -> list[int]:
    place = {p: i for i, p in enumerate(passages.column("id").to_pylist())}
    worst = len(place)
    best = [
        min((place.get(p, worst) for p in own or ()), default=worst)
        for own in groups.column("passages").to_pylist()
    ]
    ids = groups.column("id").to_pylist()
    return sorted(range(len(best)), key=lambda i: (best[i], ids[i]))


def _chosen(order: list[int], sizes: Sequence[int], top: int | None) -> list[tuple[int, int]]:
    """``(rank, row)`` of the groups to show, in order of rank."""
    rank = {row: number + 1 for number, row in enumerate(order)}
    if top is None or len(order) <= top:
        return [(rank[row], row) for row in order]
    largest = sorted(order, key=lambda row: (-sizes[row], rank[row]))
    mixed = dict.fromkeys(row for pair in zip(order, largest, strict=True) for row in pair)
    return sorted((rank[row], row) for row in list(mixed)[:top])


def _disputed(source: Mapping[str, Any], winner: str) -> list[str]:
    """Sources that articles of a group credit in contradiction to the one that was named."""
    return sorted(
        {
            item["source"]
            for item in source.get("evidence") or ()
            if item["role"] in ("credit", "metadata") and item["source"] != winner
        }
    )


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
