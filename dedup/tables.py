"""What the stages found, as the tables of the output contract (``model.table_schemas()``)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.agencies import Agencies
from dedup.chronology import Moment, earlier, first_observed
from dedup.classify import BOILERPLATE, PROSE
from dedup.config import Settings
from dedup.facts import ArticleFacts, GroupFacts, SourceVerdict
from dedup.flags import FlagVerdict, flag_article
from dedup.group import group_key
from dedup.kernels import spans as kernels
from dedup.model import KINDS, Evidence, table_schemas
from dedup.pipeline import Analysis
from dedup.rank import tfidf_weights
from dedup.relate import R_BOILERPLATE, R_COPY, R_PARTIAL, R_QUOTE
from dedup.sources import group_source

FURNITURE_WEIGHT = 0.01
"""Factor on the score of furniture: it stays listed, behind what was written."""
INSIDE_WEIGHT = 0.1
"""Factor on the spread of a passage that one outlet alone repeats."""
NEAR_QUOTE = 250
"""Characters around a quote in which a citation is taken to be its source."""
FEW = 16
"""Copies of two related texts are paired all with all up to this many lines."""
RELATION_NAMES = ("none", "boilerplate", "quote", "partial", "copy")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of records with its verdict."""

    id: str
    key: str
    core: list[int]
    attached: list[int]
    facts: GroupFacts
    first_observed: str | None


class Tables:
    """Builds the tables of one analysis; ``build()`` is the only entry."""

    def __init__(
        self, analysis: Analysis, settings: Settings, agencies: Agencies, all_relations: bool
    ) -> None:
        self.x = analysis
        self.settings = settings
        self.agencies = agencies
        self.c = analysis.collection
        self.corpus = analysis.corpus
        self.least = R_BOILERPLATE if all_relations else R_QUOTE
        corpus = self.corpus
        self.precision: list[str] = corpus.column("precision")  # type: ignore[assignment]
        published = corpus.published
        unknown = np.iinfo(np.int64).min
        self.moments = [
            Moment(int(p) if p != unknown else None, self.precision[i])
            for i, p in enumerate(published)
        ]
        self.by_node = [
            corpus.records.order[corpus.records.start[n] : corpus.records.start[n + 1]].tolist()
            for n in range(self.c.nodes)
        ]

    # -- relations ------------------------------------------------------------------------

    def _record_pairs(self, u: int, v: int) -> list[tuple[int, int]]:
        """Record pairs that stand for a node pair, each ordered by ref."""
        a, b = self.by_node[u], self.by_node[v]
        if len(a) * len(b) > FEW:
            a, b = a[:1], b[:1]
        refs = self.corpus.refs
        return sorted(
            {(i, j) if refs[i] < refs[j] else (j, i) for i in a for j in b},
            key=lambda pair: (refs[pair[0]], refs[pair[1]]),
        )

    def _same_outlet(self, i: int, j: int) -> bool:
        ids = self.corpus.table["id"]
        one, two = self.corpus.outlet_ids[i], self.corpus.outlet_ids[j]
        return (one is not None and one == two) or ids[i].as_py() == ids[j].as_py()

    def _earlier(self, i: int, j: int) -> str | None:
        order = earlier(self.moments[i], self.moments[j])
        if order is None or order == 0:
            return None
        return self.corpus.refs[i if order < 0 else j]

    def relations(self, match_scores: NDArray[np.float64]) -> None:
        """Fill ``relation_rows``, ``near_rows``, ``revisions`` and ``best``."""
        r, refs = self.x.relations, self.corpus.refs
        m = self.x.matches
        scores = np.bincount(
            m.pair[m.kind != BOILERPLATE], match_scores[m.kind != BOILERPLATE], len(r.a)
        )
        self.relation_rows: list[dict[str, Any]] = []
        self.near_rows: list[dict[str, Any]] = []
        self.revisions: dict[int, list[int]] = defaultdict(list)
        self.best: dict[int, tuple[float, str]] = {}
        self.listed = np.zeros(len(r.a), bool)
        near = near_misses(self.x, self.settings)
        wanted = np.flatnonzero((r.relation >= self.least) | (near != 0))
        for k in wanted.tolist():
            for i, j in self._record_pairs(int(r.a[k]), int(r.b[k])):
                forward = self.corpus.node[i] == r.a[k]
                cover = (float(r.coverage_a[k]), float(r.coverage_b[k]))
                row = {
                    "a": refs[i],
                    "b": refs[j],
                    "relation": RELATION_NAMES[r.relation[k]],
                    "revision": bool(r.relation[k] == R_COPY and self._same_outlet(i, j)),
                    "p_shared": float(r.p_shared[k]),
                    "p_copied": float(r.p_copied[k]),
                    "coverage_a": cover[0] if forward else cover[1],
                    "coverage_b": cover[1] if forward else cover[0],
                    "score": float(scores[k]),
                    "earlier": self._earlier(i, j),
                }
                if near[k]:
                    self.near_rows.append({**row, "missed_by": NEAR_NAMES[near[k]]})
                if r.relation[k] >= self.least:
                    self.listed[k] = True
                    self.relation_rows.append(row)
                    self._note_relation(row, i, j)
        self._identical()

    def _note_relation(self, row: dict[str, Any], i: int, j: int) -> None:
        if row["revision"]:
            self.revisions[i].append(j)
            self.revisions[j].append(i)
        if row["relation"] in ("copy", "partial", "quote"):
            for me, other, share in ((i, row["b"], row["coverage_a"]), (j, row["a"], row["coverage_b"])):
                best = self.best.get(me)
                if best is None or (-share, other) < (-best[0], best[1]):
                    self.best[me] = (share, other)

    def _identical(self) -> None:
        """Articles with the same text: a star around the first, ``copy`` with full coverage."""
        refs = self.corpus.refs
        self.identical: list[tuple[int, int]] = []
        for node in np.flatnonzero((self.corpus.copies >= 2) & self.x.groupable).tolist():
            centre, *others = self.by_node[node]
            for other in others:
                i, j = (centre, other) if refs[centre] < refs[other] else (other, centre)
                row = {
                    "a": refs[i],
                    "b": refs[j],
                    "relation": "copy",
                    "revision": self._same_outlet(i, j),
                    "p_shared": 1.0,
                    "p_copied": 1.0,
                    "coverage_a": 1.0,
                    "coverage_b": 1.0,
                    "score": 0.0,
                    "earlier": self._earlier(i, j),
                }
                self.relation_rows.append(row)
                self.identical.append((i, j))
                self._note_relation(row, i, j)

    # -- groups, sources, flags ---------------------------------------------------------------

    def _share_copied(self) -> dict[tuple[int, int], float]:
        """Share of each (group, node)'s letters in prose shared inside the group."""
        membership: dict[int, list[int]] = defaultdict(list)
        for g, group in enumerate(self.x.groups):
            for node in (*group.core, *group.attached):
                membership[node].append(g)
        m, r = self.x.matches, self.x.relations
        strong = (m.kind == PROSE) & (r.relation[m.pair] >= R_PARTIAL)
        owner: list[int] = []
        lo: list[int] = []
        hi: list[int] = []
        slots: dict[tuple[int, int], int] = {}
        for k in np.flatnonzero(strong).tolist():
            u, v = int(r.a[m.pair[k]]), int(r.b[m.pair[k]])
            for g in set(membership[u]) & set(membership[v]):
                for node, a, b in ((u, m.a0[k], m.a1[k]), (v, m.b0[k], m.b1[k])):
                    owner.append(slots.setdefault((g, node), len(slots)))
                    lo.append(int(a))
                    hi.append(int(b))
        own, low, high = (np.array(x, np.int64) for x in (owner, lo, hi))
        letters = kernels.union_letters(
            own, low, high, np.lexsort((low, own)), len(slots), self.c.t_start, self.c.t_end
        )
        out = {
            key: min(1.0, float(letters[at]) / max(1, int(self.c.d_letters[key[1]])))
            for key, at in slots.items()
        }
        for g, group in enumerate(self.x.groups):
            for node in group.core:
                if self.corpus.copies[node] >= 2:
                    out[g, node] = 1.0
        return out

    def _facts(self, i: int, share: float, core: bool) -> ArticleFacts:
        corpus = self.corpus
        credits, mentions = self.x.claims[i]
        same = self.revisions.get(i, [])
        duplicate = None
        if same:
            first = first_observed({corpus.refs[j]: self.moments[j] for j in same})
            duplicate = first or min(corpus.refs[j] for j in same)
        best = self.best.get(i)
        return ArticleFacts(
            ref=corpus.refs[i],
            outlet_id=corpus.outlet_ids[i],
            outlet_name=corpus.outlet_names[i],
            published_us=self.moments[i].published,
            precision=self.moments[i].precision,
            published_raw=self.published_raw[i],
            credits=tuple(credits),
            mentions=tuple(mentions),
            share_copied=share,
            best_match=best[1] if best else None,
            core=core,
            duplicate_of=duplicate,
            url=self.urls[i],
            byline=self.bylines[i],
            own_sources=self._own_sources(i),
        )

    def _own_sources(self, i: int) -> frozenset[str]:
        """Source ids that mean the record's own outlet.

        Where the record names no outlet, an outlet that the text credits as its own
        ("TRIBUNNEWS.COM -") is taken to be it.
        """
        outlet = self.corpus.outlet_ids[i]
        if outlet is not None:
            return self.agencies.own_sources(outlet)
        credited = {e.source for e in self.x.claims[i][0]}
        return frozenset(s for s in credited if self.agencies.kind(s) == "outlet")

    def groups(self) -> None:
        """Fill ``group_rows`` and ``of_record`` (record -> group row or None, facts)."""
        corpus = self.corpus
        self.published_raw: list[str | None] = corpus.column("published_raw")  # type: ignore[assignment]
        self.urls: list[str | None] = corpus.column("url")  # type: ignore[assignment]
        self.bylines: list[str | None] = corpus.column("byline")  # type: ignore[assignment]
        ids: list[str] = corpus.column("id")  # type: ignore[assignment]
        digests: list[str] = corpus.column("digest")  # type: ignore[assignment]
        shares = self._share_copied()
        rows: list[GroupRow] = []
        self.of_record: dict[int, tuple[GroupRow, ArticleFacts]] = {}
        for g, group in enumerate(self.x.groups):
            core = [i for n in group.core for i in self.by_node[n]]
            attached = [i for n in group.attached for i in self.by_node[n]]
            facts = {
                i: self._facts(i, shares.get((g, int(corpus.node[i])), 0.0), i in set(core))
                for i in (*core, *attached)
            }
            core.sort(key=lambda i: corpus.refs[i])
            attached.sort(key=lambda i: corpus.refs[i])
            core_facts = [facts[i] for i in core]
            verdict = group_source(core_facts, [facts[i] for i in attached], self.agencies)
            group_facts = GroupFacts.of(verdict, core_facts, [facts[i] for i in attached])
            members = [(ids[i], digests[i]) for i in (*core, *attached)]
            smallest = min((ids[i], digests[i]) for i in core)
            row = GroupRow(
                "g-" + group_key([smallest])[:12],
                group_key(members),
                core,
                attached,
                group_facts,
                group_facts.first_observed,
            )
            rows.append(row)
            # An article attached to several groups is flagged by the one it shares most with;
            # a core membership comes first.
            for i in (*core, *attached):
                known = self.of_record.get(i)
                if known is None or (facts[i].core, facts[i].share_copied, row.id) > (
                    known[1].core,
                    known[1].share_copied,
                    known[0].id,
                ):
                    self.of_record[i] = (row, facts[i])
        self.group_rows = sorted(rows, key=lambda row: row.id)

    # -- passages ---------------------------------------------------------------------------

    def passages(self) -> None:
        """Fill ``passage_rows`` by rank, and ``passage_id`` of every cluster."""
        s, st, c = self.x.shared, self.x.statistics, self.c
        centre = s.centre
        weights = tfidf_weights(
            c,
            c.p_token[centre],
            c.p_token[centre + 1],
            c.p_article[centre].astype(np.int64),
            self.corpus.copies,
        )
        link = s.of_passage[self.x.alignment.link_a]
        linked = link >= 0
        seen = np.bincount(link[linked], minlength=len(s))
        total = np.bincount(link[linked], self.x.alignment.cosine[linked], len(s))
        similarity = np.where(seen > 0, np.minimum(1.0, total / np.maximum(1, seen)), 1.0)
        # Spread over outlets counts; repetition inside one outlet is damped.
        apart = st.outlets + st.outletless
        inside = INSIDE_WEIGHT * np.log2(np.maximum(2, st.articles))
        score = weights * similarity * np.where(apart >= 2, np.log2(np.maximum(2, apart)), inside)
        score = np.round(np.where(st.kind == BOILERPLATE, FURNITURE_WEIGHT * score, score), 6)
        names = [f"p-{k:016x}" for k in c.p_key[centre].tolist()]
        for name, count in Counter(names).items():
            if count > 1:  # texts built to collide: tell them apart by their articles
                same = [i for i, n in enumerate(names) if n == name]
                for rank, i in enumerate(same[1:], 2):
                    names[i] = f"{name}.{rank}"
        self.passage_id = names
        order = np.lexsort((np.array(names, object).astype(str), -score))
        self.passage_rows = [self._passage(i, names[i], float(score[i])) for i in order.tolist()]
        self.passage_rank = np.empty(len(s), np.int64)
        self.passage_rank[order] = np.arange(len(s))

    def _passage(self, i: int, name: str, score: float) -> dict[str, Any]:
        s, c, corpus = self.x.shared, self.c, self.corpus
        occurrences = []
        moments: dict[str, Moment] = {}
        holders: list[int] = []
        for p in s.passage[s.start[i] : s.start[i + 1]].tolist():
            for record in self.by_node[c.p_article[p]]:
                ref = corpus.refs[record]
                occurrences.append(
                    {"article": ref, "start": int(c.p_start[p]), "end": int(c.p_end[p])}
                )
                if ref not in moments:
                    moments[ref] = self.moments[record]
                    holders.append(record)
        occurrences.sort(key=lambda o: (o["article"], o["start"]))
        first = first_observed(moments)
        shown = next(
            (o for o in occurrences if o["article"] == first), None
        )
        centre = s.centre[i]
        if shown is None:
            text = self.text(int(c.p_article[centre]))[c.p_start[centre] : c.p_end[centre]]
        else:
            text = self.text_of_ref(shown["article"])[shown["start"] : shown["end"]]
        kind = KINDS[self.x.statistics.kind[i]]
        return {
            "id": name,
            "text": text,
            "kind": kind,
            "score": score,
            "source": self._passage_source(holders, occurrences, kind),
            "first_observed": first,
            "outlets": sorted(
                {o for o in (corpus.outlet_ids[r] for r in holders) if o is not None}
            ),
            "occurrences": occurrences,
        }

    def _passage_source(
        self, holders: list[int], occurrences: list[dict[str, Any]], kind: str
    ) -> dict[str, Any]:
        unknown = {"id": "unknown", "name": "unknown", "kind": "unknown", "confidence": 0.0, "evidence": []}
        if kind == "boilerplate":
            outlets = Counter(self.corpus.outlet_ids[r] for r in holders)
            top, count = min(outlets.items(), key=lambda item: (-item[1], item[0] or ""))
            if top is None or count < 0.6 * len(holders):
                return unknown
            named = next(r for r in holders if self.corpus.outlet_ids[r] == top)
            return {
                "id": top,
                "name": self.corpus.outlet_names[named] or top,
                "kind": "outlet",
                "confidence": count / len(holders),
                "evidence": [],
            }
        groups = Counter(
            self.of_record[r][0].id for r in holders if r in self.of_record
        )
        if groups:
            group, count = min(groups.items(), key=lambda item: (-item[1], item[0]))
            if 2 * count > len(holders):
                verdict = self.group_by_id[group].facts.source
                return {**source_row(verdict), "evidence": []}
        if kind != "quote":
            return unknown
        places = {o["article"]: o for o in occurrences}
        cited: dict[str, list[Evidence]] = defaultdict(list)
        for record in holders:
            place = places[self.corpus.refs[record]]
            for evidence in self.x.claims[record][1]:
                if (
                    evidence.field == "text"
                    and evidence.start >= place["start"] - NEAR_QUOTE
                    and evidence.end <= place["end"] + NEAR_QUOTE
                ):
                    cited[evidence.source].append(evidence)
        if not cited:
            return unknown
        source = min(cited, key=lambda k: (-len(cited[k]), k))
        return {
            "id": source,
            "name": self.agencies.name(source),
            "kind": self.agencies.kind(source),
            "confidence": len({e.article for e in cited[source]}) / len(holders),
            "evidence": [e.as_dict() for e in cited[source]],
        }

    def text(self, node: int) -> str:
        """The text of a node."""
        value: str = self.corpus.texts[node].as_py()
        return value

    def text_of_ref(self, ref: str) -> str:
        """The text of a record."""
        return self.text(int(self.corpus.node[self.record_of[ref]]))

    # -- all of it ------------------------------------------------------------------------

    def _match_rows(self, scores: NDArray[np.float64]) -> list[dict[str, Any]]:
        m, r, c, refs = self.x.matches, self.x.relations, self.c, self.corpus.refs
        chosen = np.flatnonzero(self.listed[m.pair])
        span = {
            "a_start": c.t_start[m.a0[chosen]].tolist(),
            "a_end": c.t_end[m.a1[chosen] - 1].tolist(),
            "b_start": c.t_start[m.b0[chosen]].tolist(),
            "b_end": c.t_end[m.b1[chosen] - 1].tolist(),
        }
        rows = []
        for n, k in enumerate(chosen.tolist()):
            pair = m.pair[k]
            a, b = (span["a_start"][n], span["a_end"][n]), (span["b_start"][n], span["b_end"][n])
            for i, j in self._record_pairs(int(r.a[pair]), int(r.b[pair])):
                one, two = (a, b) if self.corpus.node[i] == r.a[pair] else (b, a)
                rows.append(
                    match_row(
                        refs[i], refs[j], one, two, float(m.similarity[k]), float(scores[k]),
                        KINDS[m.kind[k]],
                        self.passage_id[m.passage[k]] if m.passage[k] >= 0 else None,
                    )
                )
        for i, j in self.identical:
            node = self.corpus.node[i]
            whole = (
                int(c.p_start[c.d_passage[node]]),
                int(c.t_end[c.p_token[c.d_passage[node + 1]] - 1]),
            )
            rows.append(match_row(refs[i], refs[j], whole, whole, 1.0, 0.0, "prose", None))
        return sorted(rows, key=lambda x: (x["a"], x["b"], x["a_start"], x["b_start"], x["a_end"]))

    def build(self) -> dict[str, pa.Table]:
        """All tables but ``rejected``."""
        m, c = self.x.matches, self.c
        self.record_of = {ref: i for i, ref in enumerate(self.corpus.refs)}
        listed = self.x.relations.relation[m.pair] >= self.least
        scores = np.zeros(len(m.pair))
        scores[listed] = m.similarity[listed] * tfidf_weights(
            c,
            m.a0[listed],
            m.a1[listed],
            self.x.alignment.pair_a[m.pair[listed]],
            self.corpus.copies,
        )
        self.relations(scores)
        self.groups()
        self.group_by_id = {row.id: row for row in self.group_rows}
        self.passages()
        verdicts = [
            flag_article(
                self.of_record[i][1] if i in self.of_record else self._facts(i, 0.0, False),
                self.of_record[i][0].facts if i in self.of_record else None,
                self.agencies,
            )
            for i in range(len(self.corpus))
        ]
        rows = {
            "articles": self._article_rows(verdicts),
            "passages": self.passage_rows,
            "matches": self._match_rows(scores),
            "relations": sorted(self.relation_rows, key=lambda x: (x["a"], x["b"])),
            "groups": self._group_rows(),
            "sources": self._source_rows(verdicts),
            "near_misses": sorted(self.near_rows, key=lambda x: (x["a"], x["b"])),
        }
        schemas = table_schemas()
        tables = {name: pa.Table.from_pylist(rows[name], schemas[name]) for name in rows}
        texts = self.corpus.texts.take(pa.array(self.corpus.node))
        tables["texts"] = pa.table(
            [
                self.corpus.table["id"],
                pa.array(self.corpus.refs),
                self.corpus.table["digest"],
                texts,
            ],
            schema=schemas["texts"],
        )
        return tables

    def _article_rows(self, verdicts: list[FlagVerdict]) -> list[dict[str, Any]]:
        corpus = self.corpus
        names = (
            "id digest file position outlet published precision published_raw url title byline "
            "language issues"
        ).split()
        columns = {n: corpus.column(n) for n in names}
        rows = []
        for i, verdict in enumerate(verdicts):
            member = self.of_record.get(i)
            credits, mentions = self.x.claims[i]
            row: dict[str, Any] = {n: columns[n][i] for n in names}
            row["language"] = row["language"] or self.x.languages[corpus.node[i]]
            best = self.best.get(i)
            row.update(
                ref=corpus.refs[i],
                flag=verdict.flag,
                basis=verdict.basis if verdict.flag == "syndicated" else None,
                confidence=verdict.confidence,
                source=self._source_of(verdict, member),
                share_copied=member[1].share_copied if member else 0.0,
                group=member[0].id if member else None,
                best_match=best[1] if best else None,
                credits=[e.as_dict() for e in credits],
                mentions=[e.as_dict() for e in mentions],
                why=verdict.why,
            )
            rows.append(row)
        return sorted(rows, key=lambda x: x["ref"])

    @staticmethod
    def _source_of(
        verdict: FlagVerdict, member: tuple[GroupRow, ArticleFacts] | None
    ) -> str | None:
        """Who wrote the article's shared text: by its flag, else its group's source."""
        source = verdict.source or (member[0].facts.source.id if member else None)
        return None if source == "unknown" else source

    def _group_rows(self) -> list[dict[str, Any]]:
        corpus = self.corpus
        held: dict[str, set[int]] = defaultdict(set)
        s, c = self.x.shared, self.c
        cluster = np.repeat(np.arange(len(s)), np.diff(s.start))
        node_groups: dict[int, set[str]] = defaultdict(set)
        for row in self.group_rows:
            for i in (*row.core, *row.attached):
                node_groups[int(corpus.node[i])].add(row.id)
        counts: Counter[tuple[str, int]] = Counter()
        seen: set[tuple[int, int]] = set()
        for k, node in zip(cluster.tolist(), c.p_article[s.passage].tolist(), strict=True):
            if (k, node) in seen:
                continue
            seen.add((k, node))
            for name in node_groups.get(node, ()):
                counts[name, k] += int(corpus.copies[node])
        for (name, k), count in counts.items():
            if count >= 2 and self.x.statistics.kind[k] != BOILERPLATE:
                held[name].add(k)
        return [
            {
                "id": row.id,
                "key": row.key,
                "core": [corpus.refs[i] for i in row.core],
                "articles": [corpus.refs[i] for i in (*row.core, *row.attached)],
                "source": source_row(row.facts.source),
                "first_observed": row.first_observed,
                "passages": [
                    self.passage_id[k]
                    for k in sorted(held[row.id], key=lambda k: self.passage_rank[k])
                ],
            }
            for row in self.group_rows
        ]

    def _source_rows(self, verdicts: list[FlagVerdict]) -> list[dict[str, Any]]:
        refs = self.corpus.refs
        groups: dict[str, list[str]] = defaultdict(list)
        names: dict[str, tuple[str, str]] = {}
        for row in self.group_rows:
            source = row.facts.source
            if source.id != "unknown":
                groups[source.id].append(row.id)
                names[source.id] = (source.name, source.kind)
        articles: dict[str, set[str]] = defaultdict(set)
        cited: dict[str, set[str]] = defaultdict(set)
        for i, verdict in enumerate(verdicts):
            source_id = self._source_of(verdict, self.of_record.get(i))
            if source_id:
                articles[source_id].add(refs[i])
            for claims in self.x.claims[i]:
                for evidence in claims:
                    cited[evidence.source].add(refs[i])
        outlet_names = {
            o: n for o, n in zip(self.corpus.outlet_ids, self.corpus.outlet_names, strict=True) if o
        }
        rows = []
        for source in sorted({*groups, *articles, *cited}):
            if source in names:
                name, kind = names[source]
            elif self.agencies.get(source) is not None:
                name, kind = self.agencies.name(source), self.agencies.kind(source)
            else:
                name, kind = outlet_names.get(source) or source, "outlet"
            rows.append(
                {
                    "id": source,
                    "name": name,
                    "kind": kind,
                    "groups": sorted(groups.get(source, [])),
                    "articles": sorted(articles.get(source, ())),
                    "cited_by": sorted(cited.get(source, ())),
                }
            )
        return rows


NEAR_NAMES = ("", "copy_share", "p_copied", "p_shared")


def near_misses(analysis: Analysis, settings: Settings) -> NDArray[np.int8]:
    """Which pairs just missed a stronger relation, as an index into :data:`NEAR_NAMES`.

    ``copy_share``: narrative between 85 and 100 % of what ``copy`` takes; ``p_copied`` and
    ``p_shared``: a probability between .35 and .5.
    """
    r = analysis.relations
    c = analysis.collection
    share = np.where(c.d_letters[r.a] <= c.d_letters[r.b], r.narrative_a, r.narrative_b)
    copy = (r.relation == R_PARTIAL) & (share >= 0.85 * settings.copy_share)
    copied = (r.relation < R_PARTIAL) & (r.p_copied >= 0.35)
    shared = (r.relation < R_QUOTE) & (r.p_shared >= 0.35)
    return np.where(copy, 1, np.where(copied, 2, np.where(shared, 3, 0))).astype(np.int8)


def source_row(verdict: SourceVerdict) -> dict[str, Any]:
    """A source as it stands in groups and passages."""
    return {
        "id": verdict.id,
        "name": verdict.name,
        "kind": verdict.kind,
        "confidence": verdict.confidence,
        "evidence": [e.as_dict() for e in verdict.evidence],
    }


def match_row(
    a: str,
    b: str,
    one: tuple[int, int],
    two: tuple[int, int],
    similarity: float,
    score: float,
    kind: str,
    passage: str | None,
) -> dict[str, Any]:
    """One line of ``matches``."""
    return {
        "a": a,
        "b": b,
        "a_start": one[0],
        "a_end": one[1],
        "b_start": two[0],
        "b_end": two[1],
        "similarity": similarity,
        "score": score,
        "kind": kind,
        "passage": passage,
    }


