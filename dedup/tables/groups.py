"""Groups of records with their sources, and the facts by which articles are flagged."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.chronology import first_observed
from dedup.facts import ArticleFacts, GroupFacts, SourceVerdict
from dedup.group import group_key
from dedup.kernels import spans as kernels
from dedup.kinds import BOILERPLATE, PROSE
from dedup.relate import R_PARTIAL
from dedup.sources import group_source

if TYPE_CHECKING:
    from dedup.agencies import Agencies
    from dedup.pipeline import Analysis
    from dedup.tables.passages import RankedPassages
    from dedup.tables.records import Records
    from dedup.tables.relations import Related


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
    """All groups by id, and what decides the flag of every record."""

    groups: dict[str, GroupRow]
    membership: dict[int, tuple[GroupRow, ArticleFacts]]
    alone: dict[int, ArticleFacts]

    def facts_of(self, record: int) -> ArticleFacts:
        """What is known of a record, in its group if it has one."""
        member = self.membership.get(record)
        return member[1] if member else self.alone[record]

    def group_facts_of(self, record: int) -> GroupFacts | None:
        """What is known of a record's group."""
        member = self.membership.get(record)
        return member[0].facts if member else None

    def group_id(self, record: int) -> str | None:
        """The group of a record."""
        member = self.membership.get(record)
        return member[0].id if member else None


def build_groups(records: Records, x: Analysis, related: Related, agencies: Agencies) -> Grouped:
    """Groups of records, named by their sources.

    A record attached to several groups is flagged by the one that it shares most with; a core
    comes first.
    """
    shares = _shares_copied(x)
    groups: dict[str, GroupRow] = {}
    membership: dict[int, tuple[GroupRow, ArticleFacts]] = {}
    for g, group in enumerate(x.groups):
        core = _by_ref(records, group.core)
        attached = _by_ref(records, group.attached)
        facts = {
            i: _facts(records, x, related, agencies, i, shares.get((g, records.node[i]), 0.0), True)
            for i in core
        }
        facts |= {
            i: _facts(
                records, x, related, agencies, i, shares.get((g, records.node[i]), 0.0), False
            )
            for i in attached
        }
        inner, outer = [facts[i] for i in core], [facts[i] for i in attached]
        verdict = group_source(inner, outer, agencies)
        group_facts = GroupFacts.of(verdict, inner, outer)
        members = [(records.ids[i], records.digests[i]) for i in (*core, *attached)]
        # The id in a scan comes from the smallest core member; an index keeps it as history.
        smallest = min((records.ids[i], records.digests[i]) for i in core)
        row = GroupRow(
            f"g-{group_key([smallest])[:12]}",
            group_key(members),
            core,
            attached,
            group_facts,
            group_facts.first_observed,
        )
        groups[row.id] = row
        for i, fact in facts.items():
            known = membership.get(i)
            if known is None or _closeness(row, fact) > _closeness(*known):
                membership[i] = (row, fact)
    alone = {
        i: _facts(records, x, related, agencies, i, 0.0, False)
        for i in range(len(records))
        if i not in membership
    }
    return Grouped(dict(sorted(groups.items())), membership, alone)


def _closeness(row: GroupRow, fact: ArticleFacts) -> tuple[bool, float, str]:
    return fact.core, fact.share_copied, row.id


def _by_ref(records: Records, nodes: tuple[int, ...]) -> list[int]:
    return sorted((i for n in nodes for i in records.of_node[n]), key=lambda i: records.refs[i])


def _shares_copied(x: Analysis) -> dict[tuple[int, int], float]:
    """Share of each (group, node)'s letters that stand in prose shared inside the group."""
    of_node: dict[int, set[int]] = defaultdict(set)
    for g, group in enumerate(x.groups):
        for node in (*group.core, *group.attached):
            of_node[node].add(g)
    m, r, c = x.matches, x.relations, x.collection
    slots: dict[tuple[int, int], int] = {}
    owner: list[int] = []
    lo: list[int] = []
    hi: list[int] = []
    for k in np.flatnonzero((m.kind == PROSE) & (r.relation[m.pair] >= R_PARTIAL)).tolist():
        u, v = int(r.a[m.pair[k]]), int(r.b[m.pair[k]])
        for g in of_node[u] & of_node[v]:
            for node, start, end in ((u, m.a0[k], m.a1[k]), (v, m.b0[k], m.b1[k])):
                owner.append(slots.setdefault((g, node), len(slots)))
                lo.append(int(start))
                hi.append(int(end))
    own, low, high = (np.array(values, np.int64) for values in (owner, lo, hi))
    letters = kernels.union_letters(
        own, low, high, np.lexsort((low, own)), len(slots), c.t_start, c.t_end
    )
    shares = {
        (g, node): min(1.0, float(letters[at]) / max(1, int(c.d_letters[node])))
        for (g, node), at in slots.items()
    }
    for g, group in enumerate(x.groups):
        shares |= {(g, node): 1.0 for node in group.core if x.corpus.copies[node] >= 2}
    return shares


def _facts(
    records: Records,
    x: Analysis,
    related: Related,
    agencies: Agencies,
    i: int,
    share: float,
    core: bool,
) -> ArticleFacts:
    corpus = records.corpus
    credited, mentioned = x.claims[i]
    same = related.revisions.get(i, [])
    duplicate = None
    if same:
        first = first_observed({records.refs[j]: records.moments[j] for j in same})
        duplicate = first or min(records.refs[j] for j in same)
    best = related.best.get(i)
    outlet = corpus.outlet_ids[i]
    if outlet is not None:
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
        share_copied=share,
        best_match=best[1] if best else None,
        core=core,
        duplicate_of=duplicate,
        url=records.urls[i],
        byline=records.bylines[i],
        own_sources=own,
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
    s, c = x.shared, x.collection
    cluster = np.repeat(np.arange(len(s)), np.diff(s.start))
    holders = {
        (k, node)
        for k, node in zip(cluster.tolist(), c.p_article[s.passage].tolist(), strict=True)
        if node in groups_of
    }
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
