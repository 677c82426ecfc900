"""The groups of the page, and the data by which ``app.js`` shows their texts side by side."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from dedup.model import KINDS
from dedup.report.safe import anchor, one_line, visible
from dedup.report.view import FLAGS, Articles, ArticleView, EvidenceView, Texts, evidence_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

GROUP_ARTICLES = 100
"""Articles of a group that are listed."""
GROUP_TEXTS = 16
"""Articles of a group whose texts can be compared."""
GROUP_RELATIONS = 30
GROUP_PASSAGES = 200
TEXT_LENGTH = 60_000
TEXT_BUDGET = 5_000_000
"""Characters of text on the whole page."""
MATCH_BUDGET = 200_000

_KIND = {kind: number for number, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class RelationView:
    """A pair of articles of a group by their numbers in its list."""

    a: int
    b: int
    name_a: str
    name_b: str
    relation: str
    revision: bool
    coverage_a: float
    coverage_b: float
    p_copied: float
    comparable: bool


@dataclass(slots=True)
class GroupView:
    """A group as the page lists it."""

    id: str
    anchor: str
    rank: int
    title: str
    source: str
    source_id: str
    source_kind: str
    confidence: float | None
    size: int
    core: int
    outlets: int
    date: str
    flags: list[tuple[str, int]]
    evidence: list[EvidenceView]
    disputed: str
    articles: list[ArticleView]
    relations: list[RelationView] = field(default_factory=list)
    relations_left: int = 0
    passages: list[tuple[str, str, int]] = field(default_factory=list)
    passages_left: int = 0
    refs: list[str] = field(default_factory=list)
    """Refs of ``articles``, unchanged."""
    embedded: dict[str, int] = field(default_factory=dict)
    """Ref of each article that can be compared, and its number in ``articles``."""
    matches: list[list[int | float]] = field(default_factory=list)
    occurrences: list[list[Any]] = field(default_factory=list)
    pair: tuple[int, int] | None = None


def group_views(
    tables: Mapping[str, pa.Table],
    articles: Articles,
    texts: Texts,
    names: Mapping[str, str],
    top: int,
) -> tuple[list[GroupView], dict[str, str]]:
    """The groups to show, best ranked first, and the texts to embed by ref.

    A group ranks as its best passage does. Where there are more groups than ``top``, the best
    ranked and the largest are taken in turn, so that neither goes missing.
    """
    table = tables["groups"].combine_chunks()
    order = _ranked(table, tables["passages"])
    chosen = _chosen(order, [len(a or ()) for a in table.column("articles").to_pylist()], top)
    views = []
    for rank, index in chosen:
        row = table.slice(index, 1).to_pylist()[0]
        views.append(_group(row, rank, articles, texts, names))
    embedded = _embed(views, texts)
    _add_relations(views, tables["relations"])
    _add_passages(views, table, [index for _, index in chosen], tables["passages"])
    _add_matches(views, tables["matches"])
    for view in views:
        view.pair = _best_pair(view)
    return views, embedded


def island_data(views: Sequence[GroupView], texts: Mapping[str, str]) -> dict[str, Any]:
    """What ``app.js`` needs; offsets count characters, as everywhere."""
    numbers = {ref: number for number, ref in enumerate(sorted(texts))}
    groups = []
    for view in views:
        choices = [
            {
                "n": number,
                "label": f"{number + 1}. {view.articles[number].label}"
                + (f" · {view.articles[number].date}" if view.articles[number].date else ""),
                "title": view.articles[number].title,
                "text": numbers[ref],
            }
            for ref, number in view.embedded.items()
        ]
        groups.append(
            {
                "anchor": view.anchor,
                "rank": view.rank,
                "size": view.size,
                "date": view.date,
                "source": view.source_id,
                "flags": [name for name, _ in view.flags],
                "search": _haystack(view),
                "choices": choices,
                "pair": view.pair,
                "matches": view.matches,
                "passages": view.occurrences,
            }
        )
    shown = [visible(texts[ref][:TEXT_LENGTH]) for ref in sorted(texts)]
    cut = [number for ref, number in numbers.items() if len(texts[ref]) > TEXT_LENGTH]
    return {"kinds": list(KINDS), "groups": groups, "texts": shown, "cut": cut}


def _haystack(view: GroupView) -> str:
    parts = [view.title, view.source, view.id]
    for article in view.articles:
        parts += [article.outlet, article.title]
    parts += [text for text, _, _ in view.passages[:20]]
    text = "\n".join(dict.fromkeys(p for p in parts if p))
    return unicodedata.normalize("NFKC", text).lower()  # as app.js does with what is typed


def _ranked(groups: pa.Table, passages: pa.Table) -> list[int]:
    place = {p: i for i, p in enumerate(passages.column("id").to_pylist())}
    worst = len(place)
    best = [
        min((place.get(p, worst) for p in own or ()), default=worst)
        for own in groups.column("passages").to_pylist()
    ]
    ids = groups.column("id").to_pylist()
    return sorted(range(len(best)), key=lambda i: (best[i], ids[i]))


def _chosen(order: list[int], sizes: list[int], top: int) -> list[tuple[int, int]]:
    """``(rank, row)`` of the groups to show, in order of rank."""
    rank = {row: number + 1 for number, row in enumerate(order)}
    largest = sorted(order, key=lambda row: (-sizes[row], rank[row]))
    mixed = dict.fromkeys(row for pair in zip(order, largest, strict=True) for row in pair)
    taken = list(mixed)[:top] if len(order) > top else order
    return sorted((rank[row], row) for row in taken)


def _group(
    row: dict[str, Any], rank: int, articles: Articles, texts: Texts, names: Mapping[str, str]
) -> GroupView:
    refs = list(dict.fromkeys(row["articles"] or ()))
    flags = Counter(articles.get(ref).flag for ref in refs)
    listed = sorted(
        refs[:GROUP_ARTICLES],
        key=lambda r: (articles.get(r).stamp or "~", articles.get(r).label, r),
    )
    views = [articles.get(ref) for ref in listed]
    source = row["source"] or {}
    source_id = source.get("id") or "unknown"
    first = row["first_observed"]
    lead = articles.get(first) if first else views[0] if views else None
    title = (lead.title if lead else "") or next((v.title for v in views if v.title), "")
    return GroupView(
        id=visible(row["id"]),
        anchor=f"group-{anchor(row['id'])}",
        rank=rank,
        title=title,
        source=names.get(source_id) or one_line(source.get("name"), 80) or visible(source_id),
        source_id=visible(source_id),
        source_kind=source.get("kind") or "unknown",
        confidence=source.get("confidence"),
        size=len(refs),
        core=len(row["core"] or ()),
        outlets=len({v.outlet for v in (articles.get(r) for r in refs) if v.outlet}),
        date=min((v.stamp for v in views if v.stamp), default=""),
        flags=[(f, flags[f]) for f in FLAGS if flags[f]],
        evidence=[
            evidence_view(e, articles, texts, names) for e in (source.get("evidence") or ())[:12]
        ],
        disputed=", ".join(names.get(s, visible(s)) for s in _disputed(source, source_id)),
        articles=views,
        refs=listed,
    )


def _disputed(source: Mapping[str, Any], winner: str) -> list[str]:
    """Sources that articles of a group credit in contradiction to the one that was named."""
    return sorted(
        {
            item["source"]
            for item in source.get("evidence") or ()
            if item["role"] in ("credit", "metadata") and item["source"] != winner
        }
    )


def _embed(views: Sequence[GroupView], texts: Texts) -> dict[str, str]:
    """Choose the articles whose texts go into the page, by rank until the budget is used up."""
    embedded: dict[str, str] = {}
    budget = TEXT_BUDGET
    for view in views:
        # Those that share the most say the most, and the first observed must not be missing.
        by_share = sorted(
            range(1, len(view.refs)), key=lambda n: (-(view.articles[n].share or 0.0), n)
        )
        for number in [0, *by_share][: GROUP_TEXTS if len(view.refs) > 1 else 0]:
            ref = view.refs[number]
            if ref not in embedded:
                text = texts.get(ref)
                if text is None or budget < min(len(text), TEXT_LENGTH):
                    continue
                embedded[ref] = text
                budget -= min(len(text), TEXT_LENGTH)
            view.embedded[ref] = number
        view.embedded = dict(sorted(view.embedded.items(), key=lambda item: item[1]))
    return embedded


def _within(table: pa.Table, refs: set[str]) -> pa.Table:
    """The rows of a pair table whose both ends are in ``refs``."""
    import pyarrow as pa

    values = pa.array(sorted(refs), pa.string())
    both = pc.and_(
        pc.is_in(table.column("a"), value_set=values), pc.is_in(table.column("b"), value_set=values)
    )
    return table.filter(both)


def _places(refs: Sequence[Mapping[str, int]]) -> dict[str, dict[int, int]]:
    """For each ref, its number in each group that holds it."""
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for group, numbers in enumerate(refs):
        for ref, number in numbers.items():
            places[ref][group] = number
    return places


def _add_relations(views: Sequence[GroupView], relations: pa.Table) -> None:
    places = _places([{ref: n for n, ref in enumerate(view.refs)} for view in views])
    rows = _within(relations, set(places)).to_pylist()
    strength = {"copy": 3, "partial": 2, "quote": 1}
    rows.sort(key=lambda r: (-strength.get(r["relation"], 0), -(r["score"] or 0.0), r["a"], r["b"]))
    for row in rows:
        if row["relation"] == "boilerplate":
            continue
        for group in places[row["a"]].keys() & places[row["b"]].keys():
            view = views[group]
            if len(view.relations) >= GROUP_RELATIONS:
                view.relations_left += 1
                continue
            a, b = places[row["a"]][group], places[row["b"]][group]
            view.relations.append(
                RelationView(
                    a=a,
                    b=b,
                    name_a=view.articles[a].label,
                    name_b=view.articles[b].label,
                    relation=row["relation"],
                    revision=bool(row["revision"]),
                    coverage_a=100 * (row["coverage_a"] or 0.0),
                    coverage_b=100 * (row["coverage_b"] or 0.0),
                    p_copied=100 * (row["p_copied"] or 0.0),
                    comparable=row["a"] in view.embedded and row["b"] in view.embedded,
                )
            )


def _add_passages(
    views: Sequence[GroupView], groups: pa.Table, rows: Sequence[int], passages: pa.Table
) -> None:
    """The passages of each group: a few to read, all of the compared articles to highlight."""
    own = groups.column("passages")
    lists = [(own[index].as_py() or []) for index in rows]
    wanted = {p for ids in lists for p in ids[:GROUP_PASSAGES]}
    import pyarrow as pa

    chosen = pc.is_in(passages.column("id"), value_set=pa.array(sorted(wanted), pa.string()))
    found = {row["id"]: row for row in passages.filter(chosen).to_pylist()}
    for view, ids in zip(views, lists, strict=True):
        for identifier in ids[:GROUP_PASSAGES]:
            if identifier not in found:
                continue
            row = found[identifier]
            spots = row["occurrences"] or []
            if len(view.passages) < 20:
                count = len({o["article"] for o in spots})
                # Texts without a title are known by what they share.
                view.title = view.title or one_line(row["text"], 100)
                view.passages.append((visible((row["text"] or "")[:500]), row["kind"], count))
            inside = [
                [view.embedded[o["article"]], o["start"], o["end"]]
                for o in spots
                if o["article"] in view.embedded and o["start"] < TEXT_LENGTH
            ]
            if len(inside) > 1:
                view.occurrences.append([_KIND.get(row["kind"], 0), inside])
        view.passages_left = len(ids) - len(view.passages)


def _add_matches(views: Sequence[GroupView], matches: pa.Table) -> None:
    places = _places([view.embedded for view in views])
    budget = MATCH_BUDGET
    for batch in _within(matches, set(places)).to_batches(max_chunksize=8192):
        for row in batch.to_pylist():
            for group in sorted(places[row["a"]].keys() & places[row["b"]].keys()):
                if budget <= 0 or max(row["a_start"], row["b_start"]) >= TEXT_LENGTH:
                    continue
                budget -= 1
                views[group].matches.append(
                    [
                        places[row["a"]][group],
                        places[row["b"]][group],
                        row["a_start"],
                        row["a_end"],
                        row["b_start"],
                        row["b_end"],
                        round(row["similarity"] or 0.0, 3),
                        _KIND.get(row["kind"], 0),
                    ]
                )


def _best_pair(view: GroupView) -> tuple[int, int] | None:
    """First observed on the left; on the right the one that shares most prose with it."""
    numbers = list(view.embedded.values())
    if len(numbers) < 2:
        return None
    shared: Counter[tuple[int, int]] = Counter()
    for a, b, a_start, a_end, _, _, _, kind in view.matches:
        if kind == _KIND["prose"]:
            shared[(min(int(a), int(b)), max(int(a), int(b)))] += int(a_end - a_start)
    for kind, spots in view.occurrences:
        if kind == _KIND["prose"] and not view.matches:
            for i, (a, start, end) in enumerate(spots):
                for b, _, _ in spots[i + 1 :]:
                    shared[(min(a, b), max(a, b))] += end - start
    left = numbers[0]
    with_left = [(shared[(left, n)], -n) for n in numbers[1:]]
    best = max(with_left)
    if best[0] == 0 and shared:
        pair, _ = max(shared.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))
        return pair
    return left, -best[1]
