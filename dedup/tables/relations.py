"""Rows of ``relations``, ``near_misses`` and ``matches``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.chronology import first_observed
from dedup.kinds import BOILERPLATE
from dedup.model import KINDS, table_schemas
from dedup.relate import R_BOILERPLATE, R_COPY, R_PARTIAL, R_QUOTE, furniture_only
from dedup.tables.furniture import FurniturePairs, furniture_pairs
from dedup.tables.scores import identical_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.config import Settings
    from dedup.pipeline import Analysis
    from dedup.tables.records import Records
    from dedup.tables.scores import Scores
    from dedup.tables.selection import Selection

NAMES = ("none", "boilerplate", "quote", "partial", "copy")
MISSED_BY = ("", "copy_share", "p_copied", "p_shared")
NEAR = 0.35
"""Probability from which a pair just missed a relation."""


class RelationRow(NamedTuple):
    """A row of ``relations``."""

    a: str
    b: str
    relation: str
    revision: bool
    p_shared: float
    p_copied: float
    coverage_a: float
    coverage_b: float
    score: float
    earlier: str | None


class NearRow(NamedTuple):
    """A row of ``near_misses``."""

    a: str
    b: str
    relation: str
    revision: bool
    p_shared: float
    p_copied: float
    coverage_a: float
    coverage_b: float
    score: float
    earlier: str | None
    missed_by: str


MatchRow = tuple[str, str, int, int, int, int, float, float, str, str | None]
"""The columns of ``matches``, in their order."""


@dataclass(slots=True)
class Related:
    """Relations of records.

    ``listed`` bool (aligned pairs); ``identical`` record pairs with one text; ``revisions``
    same-outlet copies of each record; ``best`` per record the (coverage, ref) it shares most
    with; ``furniture`` pairs that share it and were not aligned, where they are asked for. Of a
    selection only what it makes is listed; what is said of its records is whole.
    """

    listed: NDArray[np.bool_]
    furniture: FurniturePairs | None = None
    rows: list[RelationRow] = field(default_factory=list)
    near: list[NearRow] = field(default_factory=list)
    identical: list[tuple[int, int]] = field(default_factory=list)
    revisions: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    best: dict[int, tuple[float, str]] = field(default_factory=dict)

    def add(self, row: RelationRow, i: int, j: int, *, made: bool = True) -> None:
        """List a relation (if its row is ``made``) and note what it says of its two records."""
        if made:
            self.rows.append(row)
        if row.revision:
            self.revisions[i].append(j)
            self.revisions[j].append(i)
        if row.relation != "boilerplate":
            self.better(i, row.b, row.coverage_a)
            self.better(j, row.a, row.coverage_b)

    def tables(self) -> dict[str, pa.Table]:
        """The tables ``relations`` and ``near_misses``, by article; the rows are used up."""
        by_articles = itemgetter(0, 1)
        made = {}
        for name, rows in (("relations", self.rows), ("near_misses", self.near)):
            rows.sort(key=by_articles)
            made[name] = table_of(name, rows)
            rows.clear()
        return made

    def better(self, record: int, other: str, share: float) -> None:
        """Note an article that a record shares ``share`` of its text with."""
        best = self.best.get(record)
        if best is None or (-share, other) < (-best[0], best[1]):
            self.best[record] = (share, other)


def near_misses(x: Analysis, settings: Settings) -> NDArray[np.int8]:
    """Which pairs just missed a stronger relation, as an index into :data:`MISSED_BY`.

    ``copy_share``: narrative between 85 and 100 % of what ``copy`` takes; ``p_copied`` and
    ``p_shared``: a probability between :data:`NEAR` and .5.
    """
    r, letters = x.relations, x.collection.d_letters
    share = np.where(letters[r.a] <= letters[r.b], r.narrative_a, r.narrative_b)
    copy = (r.relation == R_PARTIAL) & (share >= 0.85 * settings.copy_share)
    copied = (r.relation < R_PARTIAL) & (r.p_copied >= NEAR)
    shared = (r.relation < R_QUOTE) & (r.p_shared >= NEAR)
    return np.where(copy, 1, np.where(copied, 2, np.where(shared, 3, 0))).astype(np.int8)


def build_relations(
    records: Records,
    x: Analysis,
    settings: Settings,
    scores: Scores,
    least: int,
    only: Selection | None = None,
) -> Related:
    """Relations from ``least`` on, near misses, and the stars of identical texts."""
    r, m = x.relations, x.matches
    real = m.kind != BOILERPLATE
    score = np.bincount(m.pair[real], scores.match[real], len(r.a))
    near = near_misses(x, settings)
    listed = r.relation >= least
    chosen = np.flatnonzero(listed | (near != 0))
    made = np.ones(len(r.a), bool)
    if only is not None:
        own = np.zeros(x.collection.nodes, bool)
        own[x.corpus.node[only.records]] = True
        made = only.pairs
        chosen = chosen[own[r.a[chosen]] | own[r.b[chosen]]]
    related = Related(listed & made)
    columns = (
        r.a,
        r.b,
        r.relation,
        r.p_shared,
        r.p_copied,
        r.coverage_a,
        r.coverage_b,
        score,
        near,
        listed,
        made,
    )
    for u, v, name, p_shared, p_copied, cover_u, cover_v, weight, missed, told, own_row in zip(
        *(column[chosen].tolist() for column in columns), strict=True
    ):
        for i, j in records.pairs(u, v):
            straight = records.node[i] == u
            row = RelationRow(
                records.refs[i],
                records.refs[j],
                NAMES[name],
                name == R_COPY and records.same_outlet(i, j),
                p_shared,
                p_copied,
                cover_u if straight else cover_v,
                cover_v if straight else cover_u,
                weight,
                records.earlier(i, j),
            )
            if missed and own_row:
                related.near.append(NearRow(*row, MISSED_BY[missed]))
            if told:
                related.add(row, i, j, made=own_row)
    _identical(records, x, related, scores, only)
    if least <= R_BOILERPLATE:
        related.furniture = furniture_pairs(x, settings)
        _furniture(records, related, related.furniture)
    return related


def _furniture(records: Records, related: Related, pairs: FurniturePairs) -> None:
    """Articles of one outlet that hold the same furniture and were not aligned."""
    p_copied, p_shared = furniture_only(same_outlet=True)
    for u, v in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True):
        for i, j in records.pairs(u, v):
            first = records.earlier(i, j)
            shares = (p_shared, p_copied, 0.0, 0.0, 0.0)
            names = (records.refs[i], records.refs[j], "boilerplate")
            related.add(RelationRow(*names, False, *shares, first), i, j)


def _identical(
    records: Records, x: Analysis, related: Related, scores: Scores, only: Selection | None
) -> None:
    """Articles with the same text: a star around the first, ``copy`` with full coverage."""
    nodes = identical_nodes(x)
    if only is not None:
        nodes = nodes[only.identical[nodes]]
    for node in nodes.tolist():
        score = float(scores.identical[node])
        centre, *others = records.of_node[node]
        for other in others:
            i, j = records.ordered(centre, other)
            row = RelationRow(
                records.refs[i],
                records.refs[j],
                "copy",
                records.same_outlet(i, j),
                1.0,
                1.0,
                1.0,
                1.0,
                score,
                records.earlier(i, j),
            )
            related.identical.append((i, j))
            related.rows.append(row)
            related.better(i, row.b, 1.0)
            related.better(j, row.a, 1.0)
        _reposts(records, related, [centre, *others])


def _reposts(records: Records, related: Related, members: list[int]) -> None:
    """Note which of the articles with one text are the same outlet's: each outlet's first
    stands for its others, whatever article the star of lines has in its middle."""
    by_outlet: dict[str, list[int]] = defaultdict(list)
    for i in members:
        outlet = records.corpus.owner_ids[i]
        by_outlet[f"id {records.ids[i]}" if outlet is None else f"outlet {outlet}"].append(i)
    for same in by_outlet.values():
        if len(same) > 1:
            first = first_observed({records.refs[i]: records.moments[i] for i in same})
            head = records.number[first or min(records.refs[i] for i in same)]
            for i in same:
                if i != head:
                    related.revisions[i].append(head)
                    related.revisions[head].append(i)


def match_table(
    records: Records,
    x: Analysis,
    related: Related,
    passage_ids: list[str],
    scores: Scores,
) -> pa.Table:
    """The table ``matches``: those of all listed pairs, by article and place."""
    m, r, c = x.matches, x.relations, x.collection
    chosen = np.flatnonzero(related.listed[m.pair])
    pair = m.pair[chosen]
    columns = (
        r.a[pair],
        r.b[pair],
        c.t_start[m.a0[chosen]],
        c.end_of(m.a1[chosen] - 1),
        c.t_start[m.b0[chosen]],
        c.end_of(m.b1[chosen] - 1),
        m.similarity[chosen],
        scores.match[chosen],
        m.kind[chosen],
        m.passage[chosen],
    )
    rows: list[MatchRow] = []
    for u, v, a0, a1, b0, b1, similarity, score, kind, passage in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        a, b = (a0, a1), (b0, b1)
        name = passage_ids[passage] if passage >= 0 else None
        for i, j in records.pairs(u, v):
            spans = (a, b) if records.node[i] == u else (b, a)
            refs = (records.refs[i], records.refs[j])
            rows.append(_match(refs, spans, similarity, score, KINDS[kind], name))
    for i, j in related.identical:
        node = records.node[i]
        whole = (
            int(c.p_start[c.d_passage[node]]),
            int(c.end_of(c.p_token[c.d_passage[node + 1]] - 1)),
        )
        refs = (records.refs[i], records.refs[j])
        score = float(scores.identical[node])
        rows.append(_match(refs, (whole, whole), 1.0, score, "prose", None))
    if related.furniture is not None:
        rows.extend(_furniture_matches(records, x, related.furniture, passage_ids))
    rows.sort(key=itemgetter(0, 1, 2, 4, 3))
    return table_of("matches", rows)


def table_of(name: str, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows that have the columns of table ``name`` in its order, as that table."""
    schema = table_schemas()[name]
    if not rows:
        return schema.empty_table()
    fields = zip(zip(*rows, strict=True), schema.types, strict=True)
    return pa.table([pa.array(values, kind) for values, kind in fields], schema=schema)


def _furniture_matches(
    records: Records, x: Analysis, pairs: FurniturePairs, passage_ids: list[str]
) -> list[MatchRow]:
    """One match for each pair of :class:`FurniturePairs`: the passage that says most."""
    c = x.collection
    rows: list[MatchRow] = []
    for k in range(len(pairs.a)):
        u, p, q = int(pairs.a[k]), int(pairs.passage_a[k]), int(pairs.passage_b[k])
        a, b = ((int(c.p_start[n]), int(c.p_end[n])) for n in (p, q))
        for i, j in records.pairs(u, int(pairs.b[k])):
            rows.append(
                _match(
                    (records.refs[i], records.refs[j]),
                    (a, b) if records.node[i] == u else (b, a),
                    float(pairs.similarity[k]),
                    0.0,
                    KINDS[BOILERPLATE],
                    passage_ids[pairs.cluster[k]],
                )
            )
    return rows


def _match(
    refs: tuple[str, str],
    spans: tuple[tuple[int, int], tuple[int, int]],
    similarity: float,
    score: float,
    kind: str,
    passage: str | None,
) -> MatchRow:
    return *refs, *spans[0], *spans[1], similarity, score, kind, passage
