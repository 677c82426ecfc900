"""The data of a report in named chunks of JSON, each made when it is asked for.

The page shows its first screen at once and takes the rest chunk by chunk: embedded in
``report.html``, from files beside it in the folder ``report/``, or from a service.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from dedup.report import figures, view_group, view_groups, view_pairs, view_sources
from dedup.report.encode import normalised, with_date_strings
from dedup.report.safe import one_line
from dedup.report.view import FLAGS, Articles, Texts, source_names
from dedup.report.view_groups import Groups
from dedup.report.view_pairs import Pairs, quotes_apart
from dedup.report.view_passages import passage_cards
from dedup.report.view_sources import Sources
from dedup.texts import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

_NAME = 80


class ReportData:
    """What the report of a run shows, apart from its first screen.

    Reading chunks changes nothing, so that threads may share one.

    Args:
        tables: the tables of a run; without ``texts`` no texts are shown.
        run: what goes into ``run.json``.
        top_groups: groups that are listed; ``None`` for all.
        top_passages: stories listed under the most reused passages.
        only: ids of the groups to show, where not all are wanted.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        run: Mapping[str, Any],
        *,
        top_groups: int | None = None,
        top_passages: int = 200,
        only: Sequence[str] | None = None,
    ) -> None:
        every = Tables.of(tables)
        self.run = run
        self.texts = Texts(every.texts)
        # In one piece: rows are taken from them many times.
        bare = {n: normalised(n, every[n]).combine_chunks() for n in every.without_texts()}
        self._times = bare["articles"]
        self.tables = bare | {"articles": with_date_strings("articles", bare["articles"])}
        self.names = source_names(self.tables)
        self._top_passages = top_passages
        articles = Articles(self.tables["articles"])
        shared = (self.tables, articles, self.texts, self.names)
        self._articles = articles
        self.groups = Groups(*shared, top=top_groups, only=only)
        self.sources = Sources(*shared)
        self.quotes = Pairs(quotes_apart(self.tables), *shared)
        self.near = Pairs(self.tables["near_misses"], *shared)

    def names_of_views(self) -> Iterator[str]:
        """Chunks of the lists, which the page needs whatever is opened."""
        yield from ("charts", "passages", "sources", "quotes", "near-misses")
        yield from (f"groups-{k}" for k in range(self.groups.indexes))
        yield from (f"sources-{k}" for k in range(self.sources.blocks))

    def names_of_pairs(self) -> Iterator[str]:
        """Chunks with the texts of pairs outside the groups, the best scored pairs first."""
        for k in range(max(self.quotes.blocks, self.near.blocks)):
            if k < self.quotes.blocks:
                yield f"quotes-texts-{k}"
            if k < self.near.blocks:
                yield f"near-misses-texts-{k}"

    def names_of_groups(self) -> Iterator[tuple[str, ...]]:
        """Chunks with the details of groups by rank; the chunks of a block belong together."""
        for k in range(self.groups.blocks):
            texts = () if self.texts.missing else (f"group-texts-{k}",)
            yield (f"group-{k}", *texts)

    def chunk(self, name: str) -> bytes:
        """The chunk ``name`` as JSON in UTF-8.

        Raises ``KeyError`` when there is no such chunk.
        """
        return orjson.dumps(self._made(name))

    def about(self) -> dict[str, Any]:
        """What the page must know before it takes a chunk: how many of what there are."""
        return {
            "flags": list(FLAGS),
            "kinds": list(view_group.KIND_NUMBER),
            "groups": {
                "total": self.groups.total,
                "listed": len(self.groups),
                "per_index": view_groups.LISTED,
                "per_block": view_groups.BLOCK,
            },
            "sources": {"total": self.sources.total, "per_block": view_sources.BLOCK},
            "passages": {"total": len(self.tables["passages"])},
            "quotes": {"total": self.quotes.total, "per_block": view_pairs.BLOCK},
            "near_misses": {"total": self.near.total, "per_block": view_pairs.BLOCK},
            "no_texts": self.texts.missing,
            "text_length": view_group.TEXT_LENGTH,
        }

    def _made(self, name: str) -> Any:
        kind, number = name, 0
        head, _, tail = name.rpartition("-")
        if tail.isascii() and tail.isdecimal() and str(int(tail)) == tail:
            kind, number = f"{head}-", int(tail)
        makers: dict[str, tuple[int, Callable[[int], Any]]] = {
            "charts": (1, lambda _: self._charts),
            "passages": (1, lambda _: self._passages),
            "sources": (1, lambda _: self.sources.listed()),
            "quotes": (1, lambda _: self.quotes.listed()),
            "near-misses": (1, lambda _: self.near.listed()),
            "groups-": (self.groups.indexes, self.groups.index),
            "group-": (self.groups.blocks, self.groups.details),
            "group-texts-": (self.groups.blocks, self.groups.texts),
            "sources-": (self.sources.blocks, self.sources.details),
            "quotes-texts-": (self.quotes.blocks, self.quotes.texts),
            "near-misses-texts-": (self.near.blocks, self.near.texts),
        }
        count, maker = makers.get(kind, (0, lambda _: None))
        if number >= count:
            raise KeyError(name)
        return maker(number)

    @cached_property
    def _passages(self) -> dict[str, Any]:
        return passage_cards(self.tables, self._articles, self.names, self._top_passages)

    @cached_property
    def _charts(self) -> dict[str, Any]:
        line = figures.timeline(self._times)
        return {
            "timeline": asdict(line),
            "histogram": figures.histogram(self.tables["matches"]),
            "sources": _safe(figures.outlet_sources(self._times, self.names)),
            "outlets": _safe(figures.who_copies_whom(self._times, self.tables["relations"])),
        }


def _safe(matrix: figures.Matrix) -> dict[str, Any]:
    rows = [
        {
            "row": one_line(cell["row"], _NAME),
            "column": one_line(cell["column"], _NAME),
            "count": cell["count"],
        }
        for cell in matrix.rows
    ]
    return {"rows": rows, "more_rows": matrix.more_rows, "more_columns": matrix.more_columns}
