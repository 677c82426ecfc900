"""What the page shows, counted and shortened, as plain records; all texts already made safe.

The template only lays out; it computes nothing. The articles table is expected with its dates as
texts (:func:`dedup.report.encode.with_date_strings`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dedup.report.safe import anchor, one_line, safe_url, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from dedup.texts import TextTable

FLAGS = ("syndicated", "partial", "duplicate", "earliest", "shared", "unique")
COPIED = ("syndicated", "partial", "duplicate")
"""Flags of articles that stand (also) elsewhere before."""

FLAG_HELP = {
    "syndicated": "half or more is somebody else’s text",
    "partial": "some narrative is somebody else’s",
    "duplicate": "the same outlet’s repost or revision",
    "earliest": "others share its text; it is the first observed",
    "shared": "shares text, but the order is not known",
    "unique": "shares no narrative with another article",
}
PASSAGE_LENGTH = 700
MORE_PASSAGES = 8
_CONTEXT = 140
_SHOWN = (
    *("outlet", "title", "published", "url", "flag", "basis", "confidence", "share_copied"),
    *("source", "why"),
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

    @property
    def label(self) -> str:
        """Outlet, or what else can stand for it."""
        return _label(self.outlet, self.ref)


@dataclass(frozen=True, slots=True)
class Bar:
    """A ranked figure: ``share`` of the whole in percent, ``width`` relative to the largest."""

    name: str
    count: int
    share: float
    width: float
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """An evidence text within its sentence: ``before`` + ``text`` + ``after``."""

    role: str
    source: str
    field: str
    article: ArticleView
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class PassageView:
    """A shared passage with where it stands."""

    id: str
    rank: int
    text: str
    kind: str
    score: float
    articles: int
    outlets: tuple[str, ...]
    outlets_more: int
    first: ArticleView | None
    source: str
    group: str | None = None
    more: list[PassageView] = field(default_factory=list)
    more_left: int = 0


class Articles:
    """The articles table by ``ref``; rows are made only for those that are shown."""

    def __init__(self, table: pa.Table) -> None:
        table = table.combine_chunks()
        self._columns = {name: table.column(name) for name in table.column_names}
        self._row = {ref: i for i, ref in enumerate(table.column("ref").to_pylist())}
        self._seen: dict[str, ArticleView] = {}

    def __contains__(self, ref: str) -> bool:
        return ref in self._row

    def get(self, ref: str) -> ArticleView:
        """The article ``ref``; one that the table lacks has its ref only."""
        if ref not in self._seen:
            row = self._row.get(ref)
            names = () if row is None else _SHOWN
            self._seen[ref] = _article(ref, {n: self._columns[n][row].as_py() for n in names})
        return self._seen[ref]

    def label(self, ref: str) -> str:
        """``get(ref).label``, for those of which nothing else is shown."""
        row = self._row.get(ref)
        outlet = None if row is None else self._columns["outlet"][row].as_py()
        return _label(_outlet(outlet), visible(ref))

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


def _label(outlet: str, ref: str) -> str:
    return outlet or one_line(ref, 40)


def _outlet(stated: str | None) -> str:
    return one_line(stated, 80)


def _article(ref: str, record: dict[str, Any]) -> ArticleView:
    stamp = record.get("published") or ""
    return ArticleView(
        ref=visible(ref),
        outlet=_outlet(record.get("outlet")),
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
    )


def date_words(stamp: str) -> str:
    """``2021-07-12T05:02:00Z`` as ``2021-07-12 05:02 UTC``."""
    return stamp if len(stamp) <= 10 else f"{stamp[:10]} {stamp[11:16]} UTC"


def percent(part: float, whole: float) -> float:
    """``part`` of ``whole`` in percent, 0 for an empty whole."""
    return 100.0 * part / whole if whole else 0.0


# --- overview -------------------------------------------------------------------------------


def overview(tables: Mapping[str, pa.Table], names: Mapping[str, str]) -> dict[str, Any]:
    """Counts for the first screen: flags, sources, outlets, dates."""
    articles = tables["articles"]
    total = len(articles)
    flags = Counter(articles.column("flag").to_pylist())
    sources: Counter[str] = Counter()
    outlets: Counter[str] = Counter()
    everything: Counter[str] = Counter()
    columns = [articles.column(c).to_pylist() for c in ("outlet", "flag", "source")]
    for outlet, flag, source in zip(*columns, strict=True):
        everything[outlet or ""] += 1
        if flag in COPIED:
            outlets[outlet or ""] += 1
            if flag != "duplicate":
                sources[source or "unknown"] += 1
    copied = sum(flags[f] for f in COPIED)
    return {
        "total": total,
        "flags": [
            {"name": f, "count": flags[f], "share": percent(flags[f], total), "help": FLAG_HELP[f]}
            for f in FLAGS
        ],
        "copied": copied,
        "copied_share": percent(copied, total),
        "syndicated": flags["syndicated"],
        "syndicated_share": percent(flags["syndicated"], total),
        "partial": flags["partial"],
        "duplicate": flags["duplicate"],
        "groups": len(tables["groups"]),
        "outlet_count": len([o for o in everything if o]),
        "sources": _bars(sources, sum(sources.values()), lambda s: names.get(s, visible(s))),
        "outlets": _bars(
            outlets,
            copied,
            lambda o: one_line(o, 80) or "(no outlet stated)",
            lambda o, n: f"{percent(n, everything[o]):.0f} % of its {everything[o]:,}",
        ),
        "span": _span(articles),
    }


def _bars(counts: Counter[str], whole: int, name: Any, note: Any = None, top: int = 8) -> list[Bar]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    largest = ranked[0][1] if ranked else 0
    return [
        Bar(
            name=name(key),
            count=n,
            share=percent(n, whole),
            width=round(percent(n, largest), 2),
            note=note(key, n) if note else "",
            key=key,
        )
        for key, n in ranked[:top]
    ]


def _span(articles: pa.Table) -> tuple[str, str] | None:
    known = [s for s in articles.column("published").to_pylist() if s]
    return (min(known)[:10], max(known)[:10]) if known else None


def source_names(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Display name of each source id."""
    table = tables["sources"]
    pairs = zip(table.column("id").to_pylist(), table.column("name").to_pylist(), strict=True)
    names = {i: one_line(n, 80) or visible(i) for i, n in pairs}
    names["unknown"] = names.get("unknown") or "unknown"
    if names["unknown"] == "unknown":
        names["unknown"] = "Unknown source"
    return names


# --- passages -------------------------------------------------------------------------------


def passage_cards(
    tables: Mapping[str, pa.Table], articles: Articles, names: Mapping[str, str], top: int
) -> tuple[list[PassageView], int]:
    """The best passages, one per story with more of the story folded; and how many stories
    there are."""
    group_of = {
        passage: group
        for group, passages in zip(
            tables["groups"].column("id").to_pylist(),
            tables["groups"].column("passages").to_pylist(),
            strict=True,
        )
        for passage in reversed(passages or ())
    }
    table = tables["passages"].combine_chunks()
    cards: dict[str, PassageView] = {}
    left: Counter[str] = Counter()
    stories = 0

    def made(index: int, group: str | None) -> PassageView:
        row = table.slice(index, 1).to_pylist()[0]
        return _passage(row, index, articles, names, group)

    for index, identifier in enumerate(table.column("id").to_pylist()):
        group = group_of.get(identifier)
        story = identifier if group is None else f"group {group}"
        left[story] += 1
        if left[story] == 1:
            stories += 1
            if len(cards) < top:
                cards[story] = made(index, group)
        elif story in cards and len(cards[story].more) < MORE_PASSAGES:
            cards[story].more.append(made(index, group))
    result = []
    for story, card in cards.items():
        unseen = left[story] - 1 - len(card.more)
        result.append(replace(card, more_left=unseen))
    return result, stories


def _passage(
    row: dict[str, Any],
    index: int,
    articles: Articles,
    names: Mapping[str, str],
    group: str | None,
) -> PassageView:
    outlets = [one_line(o, 60) for o in row["outlets"] or ()]
    source = (row["source"] or {}).get("id") or ""
    text = row["text"] or ""
    first = row["first_observed"]
    return PassageView(
        id=anchor(row["id"]),
        rank=index + 1,
        text=visible(text[:PASSAGE_LENGTH]) + ("…" if len(text) > PASSAGE_LENGTH else ""),
        kind=row["kind"],
        score=row["score"] or 0.0,
        articles=len({o["article"] for o in row["occurrences"] or ()}),
        outlets=tuple(outlets[:8]),
        outlets_more=max(0, len(outlets) - 8),
        first=articles.get(first) if first else None,
        source=names.get(source, visible(source)) if source and source != "unknown" else "",
        group=anchor(group) if group is not None else None,
    )


# --- evidence -------------------------------------------------------------------------------


def evidence_view(
    item: dict[str, Any], articles: Articles, texts: Texts, names: Mapping[str, str]
) -> EvidenceView:
    """An evidence with the sentence around it, where the field's text is at hand."""
    ref, name = item["article"] or "", item["field"] or ""
    whole = texts.get(ref) if name == "text" else articles.field(ref, name)
    start, end = item["start"] or 0, item["end"] or 0
    before = after = ""
    text = item["text"] or ""
    if whole is not None and whole[start:end] == text:
        before, after = _around(whole, start, end)
    return EvidenceView(
        role=(item["role"] or "").replace("-", " "),
        source=names.get(item["source"], visible(item["source"])),
        field=visible(name),
        article=articles.get(ref),
        before=before,
        text=visible(text[:400]),
        after=after,
    )


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
