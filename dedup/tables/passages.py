"""Rows of ``passages``: the shared passages by rank, with all occurrences and a source."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.chronology import first_observed
from dedup.facts import UNKNOWN
from dedup.kinds import BOILERPLATE
from dedup.model import KINDS
from dedup.rank import tfidf_weights
from dedup.tables.groups import source_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.model import Evidence
    from dedup.pipeline import Analysis
    from dedup.tables.groups import Grouped
    from dedup.tables.records import Records

FURNITURE_WEIGHT = 0.01
"""Factor on the score of furniture: it stays listed, behind what was written."""
INSIDE_WEIGHT = 0.1
"""Factor on the spread of a passage that one outlet alone repeats."""
SENTENCE = 60
"""Words of a long sentence."""
NEAR_QUOTE = 250
"""Characters around a quote in which a citation is taken to be its source."""
MAJORITY = 0.6
"""Share of the holders that must come from one outlet for it to be the source of furniture."""


@dataclass(frozen=True, slots=True)
class RankedPassages:
    """``rows`` by rank; ``ids`` and ``rank`` by cluster of ``SharedPassages``."""

    rows: list[dict[str, Any]]
    ids: list[str]
    rank: list[int]


def passage_scores(x: Analysis) -> NDArray[np.float64]:
    """Score of every shared passage (float64).

    TF-IDF weight of its text (of a longer one than :data:`SENTENCE` words that many words'
    worth: lists and tables are no better for their length), times the mean similarity of its
    occurrences, times the binary logarithm of the outlets that hold it (articles without an
    outlet count one each). What one outlet alone repeats is damped, and furniture more so.
    """
    s, st, c, link = x.shared, x.statistics, x.collection, x.alignment
    weights = tfidf_weights(
        c,
        c.p_token[s.centre],
        c.p_token[s.centre + 1],
        x.corpus.copies,
    )
    cluster = s.of_passage[link.link_a]
    inside = (cluster >= 0) & (cluster == s.of_passage[link.link_b])
    seen = np.bincount(cluster[inside], minlength=len(s))
    total = np.bincount(cluster[inside], link.cosine[inside], len(s))
    similarity = np.where(seen > 0, np.minimum(1.0, total / np.maximum(1, seen)), 1.0)
    apart = st.outlets + st.outletless
    spread = np.where(
        apart >= 2,
        np.log2(np.maximum(2, apart)),
        INSIDE_WEIGHT * np.log2(np.maximum(2, st.articles)),
    )
    length = c.p_token[s.centre + 1] - c.p_token[s.centre]
    weights *= np.minimum(1.0, SENTENCE / np.maximum(1, length))
    damping = np.where(st.kind == BOILERPLATE, FURNITURE_WEIGHT, 1.0)
    return np.asarray(np.round(weights * similarity * spread * damping, 6))


def rank_passages(
    records: Records, x: Analysis, grouped: Grouped, agencies: Agencies
) -> RankedPassages:
    """All shared passages, best first; ties by id."""
    score = passage_scores(x)
    ids = _ids(x)
    order = sorted(range(len(ids)), key=lambda k: (-score[k], ids[k]))
    rank = [0] * len(ids)
    for place, k in enumerate(order):
        rank[k] = place
    builder = _Rows(records, x, grouped, agencies)
    rows = [builder.row(k, ids[k], float(score[k])) for k in order]
    return RankedPassages(rows, ids, rank)


def _ids(x: Analysis) -> list[str]:
    """Ids from the token sequences; texts built to collide are told apart by a number."""
    seen: Counter[str] = Counter()
    ids = []
    for key in x.collection.p_key[x.shared.centre].tolist():
        name = f"p-{key:016x}"
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return ids


class _Rows:
    def __init__(self, records: Records, x: Analysis, grouped: Grouped, agencies: Agencies) -> None:
        self._records = records
        self._x = x
        self._grouped = grouped
        self._agencies = agencies

    def row(self, k: int, name: str, score: float) -> dict[str, Any]:
        s, c, records = self._x.shared, self._x.collection, self._records
        occurrences = []
        holders: list[int] = []
        for p in s.passage[s.start[k] : s.start[k + 1]].tolist():
            for record in records.of_node[c.p_article[p]]:
                occurrences.append(
                    {
                        "article": records.refs[record],
                        "start": int(c.p_start[p]),
                        "end": int(c.p_end[p]),
                    }
                )
                holders.append(record)
        occurrences.sort(key=lambda o: (o["article"], o["start"]))
        holders = sorted(set(holders))
        first = first_observed({records.refs[i]: records.moments[i] for i in holders})
        kind = KINDS[self._x.statistics.kind[k]]
        outlets = records.corpus.outlet_ids
        return {
            "id": name,
            "text": self._text(k, occurrences, first),
            "kind": kind,
            "score": score,
            "source": self._source(holders, occurrences, kind),
            "first_observed": first,
            "outlets": sorted({o for o in (outlets[i] for i in holders) if o is not None}),
            "occurrences": occurrences,
        }

    def _text(self, k: int, occurrences: list[dict[str, Any]], first: str | None) -> str:
        """The passage as in the article observed first, else as in its centre."""
        shown = next((o for o in occurrences if o["article"] == first), None)
        if shown is not None:
            node = self._records.node[self._records.number[shown["article"]]]
            return self._records.text(node)[shown["start"] : shown["end"]]
        c, centre = self._x.collection, self._x.shared.centre[k]
        return self._records.text(int(c.p_article[centre]))[c.p_start[centre] : c.p_end[centre]]

    def _source(
        self, holders: list[int], occurrences: list[dict[str, Any]], kind: str
    ) -> dict[str, Any]:
        if kind == "boilerplate":
            return self._owner(holders)
        groups = Counter(g for g in map(self._grouped.group_id, holders) if g is not None)
        if groups:
            group, count = min(groups.items(), key=lambda item: (-item[1], item[0]))
            if 2 * count > len(holders):
                # The evidence stands with the group; it would be repeated for every passage.
                return {**source_row(self._grouped.groups[group].facts.source), "evidence": []}
        return self._cited(holders, occurrences) if kind == "quote" else source_row(UNKNOWN)

    def _owner(self, holders: list[int]) -> dict[str, Any]:
        """The outlet whose furniture a passage is."""
        corpus = self._records.corpus
        outlets = Counter(corpus.outlet_ids[i] for i in holders)
        top, count = min(outlets.items(), key=lambda item: (-item[1], item[0] or ""))
        if top is None or count < MAJORITY * len(holders):
            return source_row(UNKNOWN)
        named = next(i for i in holders if corpus.outlet_ids[i] == top)
        return {
            "id": top,
            "name": corpus.outlet_names[named] or top,
            "kind": "outlet",
            "confidence": count / len(holders),
            "evidence": [],
        }

    def _cited(self, holders: list[int], occurrences: list[dict[str, Any]]) -> dict[str, Any]:
        """Whom the articles cite beside a quote."""
        places = {o["article"]: o for o in occurrences}
        cited: dict[str, list[Evidence]] = defaultdict(list)
        for i in holders:
            place = places[self._records.refs[i]]
            for evidence in self._x.claims[i][1]:
                if (
                    evidence.field == "text"
                    and evidence.start >= place["start"] - NEAR_QUOTE
                    and evidence.end <= place["end"] + NEAR_QUOTE
                ):
                    cited[evidence.source].append(evidence)
        if not cited:
            return source_row(UNKNOWN)
        source = min(cited, key=lambda name: (-len(cited[name]), name))
        return {
            "id": source,
            "name": self._agencies.name(source),
            "kind": self._agencies.kind(source),
            "confidence": len({e.article for e in cited[source]}) / len(holders),
            "evidence": [e.as_dict() for e in cited[source]],
        }
