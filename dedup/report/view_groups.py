"""The groups of the report: which, in what order, and an index of all by columns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.report.membership import Flat
from dedup.report.safe import one_line, visible
from dedup.report.view import FLAGS, Articles, Texts
from dedup.report.view_group import GroupDetails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LISTED = 50_000
"""Groups of one index."""
BLOCK = 16
"""Groups whose details are one chunk."""


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
        self._names = names
        self._details = GroupDetails(self._table, tables, articles, texts, names)

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
        """The groups of a block, as :meth:`~dedup.report.view_group.GroupDetails.details`."""
        return self._details.details(block * BLOCK, (block + 1) * BLOCK)

    def texts(self, block: int) -> dict[str, Any]:
        """The texts of a block, as :meth:`~dedup.report.view_group.GroupDetails.texts_of`."""
        return self._details.texts_of(block * BLOCK, (block + 1) * BLOCK)


class _Names:
    """Names by number, in the order in which they come up."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self._number.setdefault(name, len(self._number))

    @property
    def names(self) -> list[str]:
        return list(self._number)


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
