"""Articles, texts, sources and evidence as the report shows them; all texts already made safe.

The articles table is expected with its dates as texts
(:func:`dedup.report.encode.with_date_strings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.report.safe import one_line, safe_url, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dedup.texts import TextTable

FLAGS = ("syndicated", "partial", "duplicate", "earliest", "shared", "unique")
_CONTEXT = 140
_SHOWN = (
    *("outlet", "title", "published", "url", "flag", "basis", "confidence", "share_copied"),
    *("source", "why", "language"),
)
"""Columns of an article that are shown."""


@dataclass(frozen=True, slots=True)
class ArticleView:
    """One article as lists and tables name it."""

    ref: str
    outlet: str
    title: str
    date: str
    stamp: str
    url: str | None
    flag: str
    basis: str
    confidence: float | None
    share: float | None
    source: str
    why: str
    language: str

    @property
    def label(self) -> str:
        """Outlet, or what else can stand for it."""
        return self.outlet or one_line(self.ref, 40)


class Articles:
    """The articles table by ``ref``; rows are made only for those that are shown."""

    def __init__(self, table: pa.Table) -> None:
        table = table.combine_chunks()
        self._shown = table.select([name for name in _SHOWN if name in table.column_names])
        self._columns = {name: table.column(name) for name in table.column_names}
        self._row = {ref: i for i, ref in enumerate(table.column("ref").to_pylist())}

    def __contains__(self, ref: str) -> bool:
        return ref in self._row

    def get(self, ref: str) -> ArticleView:
        """The article ``ref``; one that the table lacks has its ref only."""
        row = self._row.get(ref)
        names = () if row is None else _SHOWN
        return _article(ref, {n: self._columns[n][row].as_py() for n in names})

    def many(self, refs: Iterable[str]) -> dict[str, ArticleView]:
        """Several articles, taken at once."""
        known = {ref: row for ref in refs if (row := self._row.get(ref)) is not None}
        taken = self._shown.take(pa.array(list(known.values()), pa.int64())).to_pylist()
        found = {ref: _article(ref, record) for ref, record in zip(known, taken, strict=True)}
        return {ref: found.get(ref) or _article(ref, {}) for ref in refs}

    def field(self, ref: str, name: str) -> str | None:
        """A text field of an article as it stands in the table."""
        row = self._row.get(ref)
        if row is None or name not in self._columns:
            return None
        value = self._columns[name][row].as_py()
        return value if isinstance(value, str) else None

    def credits(self, ref: str) -> list[dict[str, Any]]:
        """Whom an article credits, as evidence."""
        row = self._row.get(ref)
        if row is None or "credits" not in self._columns:
            return []
        return self._columns["credits"][row].as_py() or []


class Roll:
    """The articles that one chunk of the report names, each once, by number."""

    def __init__(
        self,
        articles: Articles,
        names: Mapping[str, str],
        known: Mapping[str, ArticleView] | None = None,
    ) -> None:
        self._articles = articles
        self._known = known or {}
        self._names = names
        self._number: dict[str, int] = {}
        self._views: list[ArticleView] = []

    def number(self, ref: str) -> int:
        """The number of the article ``ref`` in this chunk."""
        found = self._number.get(ref)
        if found is None:
            found = self._number[ref] = len(self._views)
            self._views.append(self._known.get(ref) or self._articles.get(ref))
        return found

    def numbers(self, refs: Iterable[str]) -> list[int]:
        """Numbers of several."""
        return [self.number(ref) for ref in refs]

    def view(self, ref: str) -> ArticleView:
        """The article ``ref``."""
        return self._views[self.number(ref)]

    def columns(self) -> dict[str, list[Any]]:
        """The articles as columns; ``source`` is the name of the source."""
        views = self._views
        return {
            **{
                name: [getattr(view, name) for view in views]
                for name in ("ref", "outlet", "title", "date", "stamp", "url", "flag", "why")
            },
            "share": [None if v.share is None else round(v.share, 4) for v in views],
            "source": [self._names.get(v.source, visible(v.source)) for v in views],
            "language": [view.language for view in views],
        }


class Texts:
    """The texts by ``ref``; empty when the run was written without texts."""

    def __init__(self, table: TextTable | None) -> None:
        self._table = table

    @property
    def missing(self) -> bool:
        """Whether the run kept no texts."""
        return self._table is None

    def get(self, ref: str) -> str | None:
        """The text of the article ``ref``, as read."""
        return None if self._table is None else self._table.get(ref)


def _article(ref: str, record: dict[str, Any]) -> ArticleView:
    stamp = record.get("published") or ""
    return ArticleView(
        ref=visible(ref),
        outlet=one_line(record.get("outlet"), 80),
        title=one_line(record.get("title")),
        date=date_words(stamp),
        stamp=stamp,
        url=safe_url(record.get("url")),
        flag=record.get("flag") or "",
        basis=record.get("basis") or "",
        confidence=record.get("confidence"),
        share=record.get("share_copied"),
        source=record.get("source") or "",
        why=one_line(record.get("why"), 400),
        language=one_line(record.get("language"), 20),
    )


def date_words(stamp: str) -> str:
    """``2021-07-12T05:02:00Z`` as ``2021-07-12 05:02 UTC``."""
    return stamp if len(stamp) <= 10 else f"{stamp[:10]} {stamp[11:16]} UTC"


def percent(part: float, whole: float) -> float:
    """``part`` of ``whole`` in percent, 0 for an empty whole."""
    return 100.0 * part / whole if whole else 0.0


def source_names(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Display name of each source id."""
    table = tables["sources"]
    pairs = zip(table.column("id").to_pylist(), table.column("name").to_pylist(), strict=True)
    names = {i: one_line(n, 80) or visible(i) for i, n in pairs}
    names["unknown"] = names.get("unknown") or "unknown"
    if names["unknown"] == "unknown":
        names["unknown"] = "Unknown source"
    return names


# --- evidence -------------------------------------------------------------------------------


def evidence_view(
    item: dict[str, Any], roll: Roll, articles: Articles, texts: Texts, names: Mapping[str, str]
) -> dict[str, Any]:
    """An evidence within its sentence: ``{role, source, field, article, start, end, before, text,
    after}``.

    ``article`` is a number of ``roll``; ``start`` and ``end`` are offsets into the article's text,
    or null where the evidence stands in another field.
    """
    ref, name = item["article"] or "", item["field"] or ""
    whole = texts.get(ref) if name == "text" else articles.field(ref, name)
    start, end = item["start"] or 0, item["end"] or 0
    before = after = ""
    text = item["text"] or ""
    found = whole is not None and whole[start:end] == text
    if found and whole is not None:
        before, after = _around(whole, start, end)
    placed = found and name == "text" and end > start
    return {
        "role": (item["role"] or "").replace("-", " "),
        "source": names.get(item["source"], visible(item["source"])),
        "field": visible(name),
        "article": roll.number(ref),
        "start": start if placed else None,
        "end": end if placed else None,
        "before": before,
        "text": visible(text[:400]),
        "after": after,
    }


def _around(whole: str, start: int, end: int) -> tuple[str, str]:
    before = whole[max(0, start - _CONTEXT) : start]
    after = whole[end : end + _CONTEXT]
    cut_before, cut_after = start > _CONTEXT, end + _CONTEXT < len(whole)
    for stop in ("\n", ". ", "! ", "? ", "。"):
        if (at := before.rfind(stop)) >= 0:
            before, cut_before = before[at + len(stop) :], False
        if (at := after.find(stop)) >= 0:
            after, cut_after = after[: at + len(stop)].rstrip(), False
    if cut_before:
        before = before.partition(" ")[2] or before
    if cut_after:
        after = after.rpartition(" ")[0] or after
    lead, tail = "…" if cut_before else "", "…" if cut_after else ""
    return lead + visible(before), visible(after) + tail
