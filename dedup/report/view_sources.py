"""The sources of the page: each with its groups, their articles, and the words that say so."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dedup.report.safe import anchor, one_line
from dedup.report.view import Articles, ArticleView, EvidenceView, Texts, evidence_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

OPENED = 40
"""Sources whose groups and articles are listed on the page."""
SOURCE_GROUPS = 20
SOURCE_ARTICLES = 12
"""Articles of a group that are listed under its source."""
ALONE = 20
"""Articles without a group that are listed under the source that they credit."""
HOW = {
    "credit": "credited",
    "metadata": "credited",
    "inferred": "inferred",
    "earliest-observed": "first observed",
}


@dataclass(frozen=True, slots=True)
class SourcedArticle:
    """An article under its source: ``how`` it is known to be the source's, and the evidence."""

    article: ArticleView
    how: str
    evidence: EvidenceView | None


@dataclass(frozen=True, slots=True)
class SourcedGroup:
    """A group under its source."""

    anchor: str
    title: str
    size: int
    credited: int
    uncredited: int
    disputed: str
    articles: list[SourcedArticle]


@dataclass(slots=True)
class SourceView:
    """A source as the page lists it; ``opened`` says whether its groups and articles are."""

    id: str
    name: str
    kind: str
    groups: int
    articles: int
    credited: int
    inferred: int
    cited_by: list[str]
    cited: int
    opened: bool = False
    listed: list[SourcedGroup] = field(default_factory=list)
    groups_left: int = 0
    alone: list[SourcedArticle] = field(default_factory=list)
    alone_left: int = 0


def source_views(
    tables: Mapping[str, pa.Table],
    articles: Articles,
    texts: Texts,
    names: Mapping[str, str],
    top: int,
) -> list[SourceView]:
    """The sources by number of articles, with how each was found."""
    basis: dict[str, Counter[str]] = defaultdict(Counter)
    table = tables["articles"]
    for source, how in zip(
        table.column("source").to_pylist(), table.column("basis").to_pylist(), strict=True
    ):
        basis[source or ""][how or ""] += 1
    ranked = sorted(tables["sources"].to_pylist(), key=lambda s: (-len(s["articles"]), s["id"]))
    groups = {row["id"]: row for row in tables["groups"].to_pylist()}
    views = []
    for place, source in enumerate(ranked[:top]):
        found = basis[source["id"]]
        outlets = Counter(articles.get(r).label for r in source["cited_by"][:1000])
        cited = sorted(outlets, key=lambda o: (-outlets[o], o))
        view = SourceView(
            id=anchor(source["id"]),
            name=names[source["id"]],
            kind=source["kind"],
            groups=len(source["groups"]),
            articles=len(source["articles"]),
            credited=found["credit"],
            inferred=found["copy"] + found["inferred"],
            cited_by=cited[:5],
            cited=len(source["cited_by"]),
        )
        if place < OPENED:
            _open(view, source, groups, articles, texts, names)
        views.append(view)
    return views


def _open(
    view: SourceView,
    source: dict[str, Any],
    groups: Mapping[str, dict[str, Any]],
    articles: Articles,
    texts: Texts,
    names: Mapping[str, str],
) -> None:
    own = [groups[name] for name in source["groups"] if name in groups]
    own.sort(key=lambda g: (-len(g["articles"]), g["id"]))
    for row in own[:SOURCE_GROUPS]:
        view.listed.append(_group(row, source["id"], articles, texts, names))
    view.groups_left = len(own) - len(view.listed)
    inside = {ref for row in own for ref in row["articles"]}
    alone = [ref for ref in source["articles"] if ref not in inside]
    for ref in alone[:ALONE]:
        claims = [c for c in articles.credits(ref) if c["source"] == source["id"]]
        evidence = evidence_view(claims[0], articles, texts, names) if claims else None
        how = "credited" if claims else "in another group"
        view.alone.append(SourcedArticle(articles.get(ref), how, evidence))
    view.alone_left = len(alone) - len(view.alone)
    view.opened = bool(view.listed or view.alone)


def _group(
    row: dict[str, Any],
    source: str,
    articles: Articles,
    texts: Texts,
    names: Mapping[str, str],
) -> SourcedGroup:
    claims: dict[str, list[dict[str, Any]]] = defaultdict(list)
    disputed: Counter[str] = Counter()
    for item in row["source"]["evidence"] or ():
        claims[item["article"]].append(item)
        if item["source"] != source and item["role"] in ("credit", "metadata"):
            disputed[item["source"]] += 1
    listed: list[SourcedArticle] = []
    chosen: list[tuple[int, str, dict[str, Any] | None]] = []
    for ref in row["articles"]:
        # Credits first, those of this source before others'.
        found = sorted(
            (c for c in claims.get(ref, ()) if c["role"] in HOW),
            key=lambda c: (c["source"] != source, list(HOW).index(c["role"])),
        )
        claim = found[0] if found else None
        if claim is None or HOW[claim["role"]] != "credited":
            chosen.append((2, ref, claim))
        else:
            chosen.append((int(claim["source"] != source), ref, claim))
    credited = sum(rank == 0 for rank, _, _ in chosen)
    for _, ref, claim in sorted(chosen, key=lambda c: c[0])[:SOURCE_ARTICLES]:
        how = HOW[claim["role"]] if claim else "shares text"
        if claim and claim["source"] != source:
            name = names.get(claim["source"], one_line(claim["source"], 60))
            how = f"{how} to {name}" if how == "credited" else f"{how}: {name}"
        evidence = evidence_view(claim, articles, texts, names) if claim else None
        listed.append(SourcedArticle(articles.get(ref), how, evidence))
    title = next((a.article.title for a in listed if a.article.title), "")
    others = ", ".join(names.get(s, one_line(s, 60)) for s in sorted(disputed))
    return SourcedGroup(
        anchor=f"group-{anchor(row['id'])}",
        title=title or one_line(row["id"], 60),
        size=len(row["articles"]),
        credited=credited,
        uncredited=len(row["articles"]) - credited,
        disputed=others,
        articles=listed,
    )
