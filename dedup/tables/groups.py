"""Groups of records with their sources, and the facts by which articles are flagged."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.chronology import first_observed
from dedup.direction import fuller_outlet
from dedup.facts import ArticleFacts, GroupFacts, SourceVerdict
from dedup.group import group_id, group_key
from dedup.kinds import BOILERPLATE
from dedup.sources import corrected_source, group_source
from dedup.tables.origins import Origins, common, inferred_sources

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dedup.agencies import Agencies
    from dedup.pipeline import Analysis
    from dedup.tables.passages import RankedPassages
    from dedup.tables.records import Records
    from dedup.tables.relations import Related
    from dedup.tables.selection import Selection


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of records with its verdict; records sorted by ref."""

    id: str
    key: str
    core: list[int]
    attached: list[int]
    facts: GroupFacts
    first_observed: str | None


@dataclass(frozen=True, slots=True)
class Grouped:
    """All groups by id, and what decides the flag of every record; of a selection, those that are
    made."""

    groups: dict[str, GroupRow]
    membership: dict[int, tuple[GroupRow, ArticleFacts]]
    alone: dict[int, ArticleFacts]
    only: Selection | None = None

    def facts_of(self, record: int) -> ArticleFacts:
        """What is known of a record, in its group if it has one."""
        member = self.membership.get(record)
        return member[1] if member else self.alone[record]

    def group_facts_of(self, record: int) -> GroupFacts | None:
        """What is known of a record's group."""
        member = self.membership.get(record)
        return member[0].facts if member else None

    def group_id(self, record: int) -> str | None:
        """The group of a record; also of those that are not made."""
        if self.only is not None and not self.only.records[record]:
            return self.only.group_of[record]
        member = self.membership.get(record)
        return member[0].id if member else None


def build_groups(
    records: Records,
    x: Analysis,
    related: Related,
    agencies: Agencies,
    ids: Sequence[str] | None = None,
    only: Selection | None = None,
) -> Grouped:
    """Groups of records, named by their sources.

    A record attached to several groups is flagged by the one that it shares most with; a core
    comes first.
    """
    numbers: Sequence[int] = range(len(records))
    if only is not None:
        numbers = np.flatnonzero(only.records).tolist()
        made = np.flatnonzero(only.groups).tolist()
        x = replace(x, groups=[x.groups[g] for g in made])
        ids = None if ids is None else [ids[g] for g in made]
    origins = Origins(x)
    groups: dict[str, GroupRow] = {}
    membership: dict[int, tuple[GroupRow, ArticleFacts]] = {}
    for g in range(len(x.groups)):
        row, facts = build_group(records, x, related, agencies, origins, g)
        groups[row.id] = row
        for i, fact in facts.items():
            known = membership.get(i)
            if known is None or _closeness(row, fact) > _closeness(*known):
                membership[i] = (row, fact)
    alone = {
        i: record_facts(records, x, related, agencies, i) for i in numbers if i not in membership
    }
    if ids is not None:
        # Only now: what an article belongs to must not hang on the history of its groups.
        named = {
            name: replace(row, id=own) for (name, row), own in zip(groups.items(), ids, strict=True)
        }
        groups = {row.id: row for row in named.values()}
        membership = {i: (named[row.id], fact) for i, (row, fact) in membership.items()}
    return Grouped(dict(sorted(groups.items())), membership, alone, only)


def build_group(
    records: Records,
    x: Analysis,
    related: Related,
    agencies: Agencies,
    origins: Origins,
    g: int,
    blanked: Collection[int] = (),
) -> tuple[GroupRow, dict[int, ArticleFacts]]:
    """Group ``g`` with its source, and the facts of its records.

    ``blanked`` records count as if they credited nobody, which measures the inference.
    """
    group = x.groups[g]
    core, attached = _by_ref(records, group.core), _by_ref(records, group.attached)
    inside = set(core)
    judged = {node for pair in x.judgements.same.tolist() for node in pair}
    facts: dict[int, ArticleFacts] = {}
    for i in (*core, *attached):
        fact = record_facts(records, x, related, agencies, i)
        facts[i] = replace(
            fact,
            credits=() if i in blanked else fact.credits,
            share_copied=origins.covered.get((g, records.node[i]), 0.0),
            core=i in inside,
            judged_same=records.node[i] in judged,
        )
    inferred = inferred_sources(records, origins, g, core, attached, facts, agencies)
    for i, source in inferred.items():
        facts[i] = replace(facts[i], inferred=source)
    inner, outer = [facts[i] for i in core], [facts[i] for i in attached]
    verdict = group_source(inner, outer, agencies)
    verdict = _corrected(x, core, inner, verdict, agencies)
    fuller = fuller_outlet(inner, common(records, origins, g))
    group_facts = replace(
        GroupFacts.of(verdict, inner, outer), fuller=fuller.ref if fuller else None
    )
    members = [(records.ids[i], records.digests[i]) for i in (*core, *attached)]
    row = GroupRow(
        group_id([(records.ids[i], records.digests[i]) for i in core]),
        group_key(members),
        core,
        attached,
        group_facts,
        group_facts.first_observed,
    )
    return row, facts


def _corrected(
    x: Analysis,
    core: list[int],
    members: list[ArticleFacts],
    verdict: SourceVerdict,
    agencies: Agencies,
) -> SourceVerdict:
    """The verdict that the user gave on a group, in place of ours; the first entry counts."""
    for number, i in enumerate(sorted(set(core) & x.judgements.sources.keys(), key=core.index)):
        entry, outcome = x.judgements.sources[i]
        if number == 0:
            outcome.done(f"in place of {verdict.name}, for a group of {len(core)} articles")
            verdict = corrected_source(verdict, entry.source, entry.place, members, agencies)
        elif entry.source == verdict.id:
            outcome.done("as another entry says of the same group")
        else:
            outcome.effect = f"its group has the source {verdict.id} by {verdict.corrected}"
    return verdict


def _closeness(row: GroupRow, fact: ArticleFacts) -> tuple[bool, float, str]:
    return fact.core, fact.share_copied, row.id


def _by_ref(records: Records, nodes: tuple[int, ...]) -> list[int]:
    return sorted((i for n in nodes for i in records.of_node[n]), key=lambda i: records.refs[i])


def record_facts(
    records: Records,
    x: Analysis,
    related: Related,
    agencies: Agencies,
    i: int,
) -> ArticleFacts:
    """What is known of a record without its group."""
    corpus = records.corpus
    credited, mentioned = x.claims[i]
    same = related.revisions.get(i, [])
    duplicate = None
    if same:
        first = first_observed({records.refs[j]: records.moments[j] for j in same})
        duplicate = first or min(records.refs[j] for j in same)
    best = related.best.get(i)
    outlet = corpus.outlet_ids[i]
    family = corpus.families.by_outlet.get(outlet or "")
    if family is not None:
        own = frozenset().union(*(agencies.own_sources(house) for house in family.outlets))
    elif outlet is not None:
        own = agencies.own_sources(outlet)
    else:
        # Where the record names no outlet, one that the text credits as its own
        # ("TRIBUNNEWS.COM -") is taken to be it.
        own = frozenset(e.source for e in credited if agencies.kind(e.source) == "outlet")
    return ArticleFacts(
        ref=records.refs[i],
        outlet_id=outlet,
        outlet_name=corpus.outlet_names[i],
        published_us=records.moments[i].published,
        precision=records.moments[i].precision,
        published_raw=records.published_raw[i],
        credits=tuple(credited),
        mentions=tuple(mentioned),
        best_match=best[1] if best else None,
        duplicate_of=duplicate,
        url=records.urls[i],
        byline=records.bylines[i],
        own_sources=own,
        owner_id=family.id if family else None,
        owner_name=family.name if family else None,
    )


def source_row(verdict: SourceVerdict) -> dict[str, Any]:
    """A source as it stands in ``groups`` and ``passages``."""
    return {
        "id": verdict.id,
        "name": verdict.name,
        "kind": verdict.kind,
        "confidence": verdict.confidence,
        "evidence": [e.as_dict() for e in verdict.evidence],
    }


def group_rows(
    records: Records, x: Analysis, grouped: Grouped, ranked: RankedPassages
) -> list[dict[str, Any]]:
    """Rows of ``groups``, by id, each with the passages that two members or more hold."""
    groups_of: dict[int, set[str]] = defaultdict(set)
    for row in grouped.groups.values():
        for i in (*row.core, *row.attached):
            groups_of[records.node[i]].add(row.id)
    s = x.shared
    cluster = np.repeat(np.arange(len(s)), np.diff(s.start))
    holder = x.collection.p_article[s.passage]
    inside = np.zeros(x.collection.nodes, bool)
    inside[list(groups_of)] = True
    own = inside[holder]
    holders = set(zip(cluster[own].tolist(), holder[own].tolist(), strict=True))
    count: Counter[tuple[str, int]] = Counter()
    for k, node in holders:
        for name in groups_of[node]:
            count[name, k] += int(x.corpus.copies[node])
    rank = ranked.rank.tolist()
    held: dict[str, list[int]] = defaultdict(list)
    for (name, k), articles in count.items():
        if articles >= 2 and x.statistics.kind[k] != BOILERPLATE:
            held[name].append(k)
    return [
        {
            "id": row.id,
            "key": row.key,
            "core": [records.refs[i] for i in row.core],
            "articles": [records.refs[i] for i in (*row.core, *row.attached)],
            "source": source_row(row.facts.source),
            "first_observed": row.first_observed,
            "passages": [ranked.ids[k] for k in sorted(held[row.id], key=rank.__getitem__)],
        }
        for row in grouped.groups.values()
    ]
