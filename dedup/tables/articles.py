"""Rows of ``articles`` and ``sources``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.model import table_schemas
from dedup.tables.evidence import evidence_lists

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
    """Who wrote an article's shared text: by its flag, else by inference, else its group's
    source."""
    group = grouped.group_facts_of(record)
    source = verdict.source or (group.source.id if group else None)
    inferred = grouped.facts_of(record).inferred
    if verdict.source is None and inferred is not None and not (group and group.source.corrected):
        source = inferred.source
    return None if source == "unknown" else source


def article_table(
    records: Records,
    x: Analysis,
    related: Related,
    grouped: Grouped,
    verdicts: dict[int, FlagVerdict],
) -> pa.Table:
    """The table ``articles``, by ref: those with a verdict (by their numbers)."""
    schema = table_schemas()["articles"]
    numbers = list(verdicts)
    rows = pa.array(numbers, pa.int64())
    read = x.corpus.table.take(rows)
    languages = pa.array(x.languages, pa.string()).take(pa.array(x.corpus.node[numbers]))
    facts = [grouped.facts_of(i) for i in numbers]
    best = [related.best.get(i) for i in numbers]
    of_each = verdicts.values()
    decided: dict[str, list[Any]] = {
        "ref": [records.refs[i] for i in numbers],
        "flag": [v.flag for v in of_each],
        "basis": [v.basis if v.flag == "syndicated" else None for v in of_each],
        "confidence": [v.confidence for v in of_each],
        "source": [source_of(v, grouped, i) for i, v in verdicts.items()],
        "share_copied": [f.share_copied for f in facts],
        "group": [grouped.group_id(i) for i in numbers],
        "best_match": [b[1] if b else None for b in best],
        "why": [v.why for v in of_each],
    }
    columns = {
        **{name: read[name] for name in _AS_READ},
        **{name: pa.array(found, schema.field(name).type) for name, found in decided.items()},
        "language": pc.coalesce(read["language"], languages),
        "credits": evidence_lists([x.claims[i][0] for i in numbers]),
        "mentions": evidence_lists([x.claims[i][1] for i in numbers]),
    }
    table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
    return table.take(pa.array(np.argsort(records.place[numbers])))


def source_rows(
    records: Records,
    x: Analysis,
    grouped: Grouped,
    verdicts: dict[int, FlagVerdict],
    agencies: Agencies,
) -> list[dict[str, Any]]:
    """One row a source, by id: its groups; the articles that it wrote by their flag, or that
    credit it with a part; which of these credit it; and those that only cite it. Always of all
    articles and groups."""
    only = grouped.only
    groups: dict[str, list[str]] = defaultdict(list)
    articles: dict[str, set[str]] = defaultdict(set)
    crediting: dict[str, set[str]] = defaultdict(set)
    cited: dict[str, set[str]] = defaultdict(set)
    verdict_names: dict[str, tuple[str, str]] = {}
    named = {} if only is None else {name: s[:3] for name, s in only.group_sources.items()}
    for name, group in grouped.groups.items():
        verdict = group.facts.source
        named[name] = (verdict.id, verdict.name, verdict.kind)
    for group_id, (source_id, name, kind) in sorted(named.items()):
        if source_id != "unknown":
            groups[source_id].append(group_id)
            verdict_names[source_id] = (name, kind)
    for i in range(len(records)):
        flag = verdicts.get(i)
        if flag is not None:
            source = source_of(flag, grouped, i)
        else:
            source = None if only is None else only.source_of[i]
        if source is not None:
            articles[source].add(records.refs[i])
        credited, mentioned = x.claims[i]
        for evidence in credited:
            articles[evidence.source].add(records.refs[i])
            crediting[evidence.source].add(records.refs[i])
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
                "credited": sorted(crediting.get(source, ())),
                "cited_by": sorted(cited.get(source, ())),
            }
        )
    return rows
