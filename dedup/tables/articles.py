"""Rows of ``articles`` and ``sources``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.agencies import Agencies
    from dedup.flags import FlagVerdict
    from dedup.pipeline import Analysis
    from dedup.tables.groups import Grouped
    from dedup.tables.records import Records
    from dedup.tables.relations import Related

_AS_READ = (
    "id",
    "digest",
    "file",
    "position",
    "outlet",
    "published",
    "precision",
    "published_raw",
    "url",
    "title",
    "byline",
    "language",
    "issues",
)


def source_of(verdict: FlagVerdict, grouped: Grouped, record: int) -> str | None:
    """Who wrote an article's shared text: by its flag, else its group's source."""
    group = grouped.group_facts_of(record)
    source = verdict.source or (group.source.id if group else None)
    return None if source == "unknown" else source


def article_rows(
    records: Records,
    x: Analysis,
    related: Related,
    grouped: Grouped,
    verdicts: list[FlagVerdict],
) -> list[dict[str, Any]]:
    """One row an article, by ref."""
    columns = {name: x.corpus.column(name) for name in _AS_READ}
    rows = []
    for i, verdict in enumerate(verdicts):
        best = related.best.get(i)
        credited, mentioned = x.claims[i]
        row: dict[str, Any] = {name: columns[name][i] for name in _AS_READ}
        row["language"] = row["language"] or x.languages[records.node[i]]
        row.update(
            ref=records.refs[i],
            flag=verdict.flag,
            basis=verdict.basis if verdict.flag == "syndicated" else None,
            confidence=verdict.confidence,
            source=source_of(verdict, grouped, i),
            share_copied=grouped.facts_of(i).share_copied,
            group=grouped.group_id(i),
            best_match=best[1] if best else None,
            credits=[e.as_dict() for e in credited],
            mentions=[e.as_dict() for e in mentioned],
            why=verdict.why,
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row["ref"])


def source_rows(
    records: Records,
    x: Analysis,
    grouped: Grouped,
    verdicts: list[FlagVerdict],
    agencies: Agencies,
) -> list[dict[str, Any]]:
    """One row a source, by id: its groups; the articles that it wrote by their flag, or that
    credit it with a part; and those that only cite it."""
    groups: dict[str, list[str]] = defaultdict(list)
    articles: dict[str, set[str]] = defaultdict(set)
    cited: dict[str, set[str]] = defaultdict(set)
    verdict_names: dict[str, tuple[str, str]] = {}
    for group in grouped.groups.values():
        verdict = group.facts.source
        if verdict.id != "unknown":
            groups[verdict.id].append(group.id)
            verdict_names[verdict.id] = (verdict.name, verdict.kind)
    for i, flag in enumerate(verdicts):
        source = source_of(flag, grouped, i)
        if source is not None:
            articles[source].add(records.refs[i])
        credited, mentioned = x.claims[i]
        for evidence in credited:
            articles[evidence.source].add(records.refs[i])
        for evidence in mentioned:
            cited[evidence.source].add(records.refs[i])
    outlet_names = dict(zip(x.corpus.outlet_ids, x.corpus.outlet_names, strict=True))
    rows = []
    for source in sorted({*groups, *articles, *cited}):
        if source in verdict_names:
            name, kind = verdict_names[source]
        elif agencies.get(source) is not None:
            name, kind = agencies.name(source), agencies.kind(source)
        else:
            name, kind = outlet_names.get(source) or source, "outlet"
        rows.append(
            {
                "id": source,
                "name": name,
                "kind": kind,
                "groups": groups.get(source, []),
                "articles": sorted(articles.get(source, ())),
                "cited_by": sorted(cited.get(source, ())),
            }
        )
    return rows
