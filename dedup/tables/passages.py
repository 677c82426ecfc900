"""The table ``passages``: the shared passages by rank, with all occurrences and a source."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.facts import UNKNOWN
from dedup.kinds import BOILERPLATE, QUOTE
from dedup.model import KINDS, table_schemas
from dedup.tables.evidence import evidence_lists
from dedup.tables.occurrences import Occurrences, find_occurrences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.facts import SourceVerdict
    from dedup.model import Evidence
    from dedup.pipeline import Analysis
    from dedup.tables.groups import Grouped
    from dedup.tables.records import Records
    from dedup.tables.selection import Selection

NEAR_QUOTE = 250
"""Characters around a quote in which a citation is taken to be its source."""
MAJORITY = 0.6
"""Share of the holders that must come from one outlet for it to be the source of furniture."""

Source = tuple[str, str, str, float, "Sequence[Evidence]"]
"""Id, name, kind, confidence and evidence."""
_UNKNOWN: Source = (UNKNOWN.id, UNKNOWN.name, UNKNOWN.kind, UNKNOWN.confidence, ())


@dataclass(frozen=True, slots=True)
class RankedPassages:
    """``table`` by rank; ``ids`` and ``rank`` (int64) by cluster of ``SharedPassages``. Of a
    selection the table holds what is made; ranks are those among what is ranked."""

    table: pa.Table
    ids: list[str]
    rank: NDArray[np.int64]


def rank_passages(
    records: Records,
    x: Analysis,
    grouped: Grouped,
    agencies: Agencies,
    score: NDArray[np.float64],
    only: Selection | None = None,
) -> RankedPassages:
    """All shared passages, best first by ``score`` (float64, clusters); ties by id."""
    ids = passage_ids(x)
    names = pa.array(ids, pa.string())
    order = np.lexsort((np.array(ids, str), -score))
    rank = np.empty(len(ids), np.int64)
    rank[order] = np.arange(len(ids))
    place = rank
    if only is not None:
        order = order[only.clusters[order]]
        chosen = np.flatnonzero(only.clusters)
        x = replace(x, shared=x.shared.take(chosen))
        place = np.empty(len(chosen), np.int64)
        place[np.argsort(rank[chosen], kind="stable")] = np.arange(len(chosen))
    found = find_occurrences(records, x, place)
    kind = x.statistics.kind[order]
    refs = pa.array(records.refs, pa.string())
    schema = table_schemas()["passages"]
    columns = {
        "id": names.take(pa.array(order)),
        "text": pa.array(_texts(records, x, found, np.argsort(place)), pa.string()),
        "kind": pa.array(KINDS, pa.string()).take(pa.array(kind)),
        "score": pa.array(score[order], pa.float64()),
        "source": _source_column(
            _Sources(records, x, grouped, agencies, found).of_each(kind), schema
        ),
        "first_observed": refs.take(pa.array(found.first, mask=found.first < 0)),
        "outlets": _outlets(records, found),
        "occurrences": _lists(
            found.start,
            pa.StructArray.from_arrays(
                [
                    refs.take(pa.array(found.record)),
                    pa.array(found.begin, pa.int64()),
                    pa.array(found.end, pa.int64()),
                ],
                ["article", "start", "end"],
            ),
        ),
    }
    return RankedPassages(pa.table(columns, schema=schema), ids, rank)


def passage_ids(x: Analysis) -> list[str]:
    """Ids from the token sequences; texts built to collide are told apart by a number."""
    seen: Counter[int] = Counter()
    ids = []
    for key in x.collection.p_key[x.shared.centre].tolist():
        ids.append(passage_name(key, seen[key]))
        seen[key] += 1
    return ids


def passage_name(key: int, again: int) -> str:
    """The id of a shared passage by its key; ``again``: how many before it have the same."""
    return f"p-{key:016x}" if not again else f"p-{key:016x}.{again + 1}"


def _lists(start: NDArray[np.int64], values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(start, pa.int32()), values)


def _texts(
    records: Records, x: Analysis, found: Occurrences, order: NDArray[np.int64]
) -> list[str]:
    """Each passage as in the article observed first, else as in its centre."""
    c, centre = x.collection, x.shared.centre[order]
    node = c.p_article[centre].astype(np.int64)
    begin, end = c.p_start[centre], c.p_end[centre]
    row = np.repeat(np.arange(len(order)), np.diff(found.start))
    shown = np.flatnonzero(found.record == found.first[row])
    rows, first = np.unique(row[shown], return_index=True)
    at = shown[first]
    node[rows] = x.corpus.node[found.record[at]]
    begin[rows], end[rows] = found.begin[at], found.end[at]
    texts = [""] * len(order)
    text, known = "", -1
    # By article, so that each is decoded once, however many of its passages are shared.
    by_node = np.argsort(node, kind="stable")
    cuts = (values[by_node].tolist() for values in (node, begin, end))
    for place, number, start, stop in zip(by_node.tolist(), *cuts, strict=True):
        if number != known:
            text, known = records.text(number), number
        texts[place] = text[start:stop]
    return texts


def _outlets(records: Records, found: Occurrences) -> pa.ListArray:
    """The outlets that hold each passage, sorted."""
    names = sorted({o for o in records.corpus.outlet_ids if o is not None})
    outlet = records.corpus.records.outlet[found.holder]  # numbered in the order of the names
    rows = len(found.holder_start) - 1
    row = np.repeat(np.arange(rows), np.diff(found.holder_start))
    stated = outlet >= 0
    key = np.unique(row[stated] * np.int64(len(names) + 1) + outlet[stated])
    row, outlet = np.divmod(key, np.int64(len(names) + 1))
    start = np.searchsorted(row, np.arange(rows + 1)).astype(np.int64)
    return _lists(start, pa.array(names, pa.string()).take(pa.array(outlet)))


def _source_column(sources: list[Source], schema: pa.Schema) -> pa.StructArray:
    kind = schema.field("source").type
    plain = [[source[i] for source in sources] for i in range(4)]
    children = [pa.array(v, kind.field(i).type) for i, v in enumerate(plain)]
    children.append(evidence_lists([source[4] for source in sources]))
    return pa.StructArray.from_arrays(children, fields=list(kind))


class _Sources:
    """Who wrote each passage, as far as its kind and its articles tell."""

    def __init__(
        self,
        records: Records,
        x: Analysis,
        grouped: Grouped,
        agencies: Agencies,
        found: Occurrences,
    ) -> None:
        self._records = records
        self._agencies = agencies
        self._found = found
        self._sources = {name: _plain(group.facts.source) for name, group in grouped.groups.items()}
        if grouped.only is not None:
            standing = grouped.only.group_sources.items()
            self._sources |= {name: (*source, ()) for name, source in standing}
        self._group = [grouped.group_id(i) for i in range(len(records))]
        self._mentions = [[e for e in mentioned if e.field == "text"] for _, mentioned in x.claims]

    def of_each(self, kind: NDArray[np.int8]) -> list[Source]:
        """The sources of all rows."""
        start, holder = self._found.holder_start.tolist(), self._found.holder.tolist()
        return [
            self._source(row, holder[start[row] : start[row + 1]], code)
            for row, code in enumerate(kind.tolist())
        ]

    def _source(self, row: int, holders: list[int], kind: int) -> Source:
        if kind == BOILERPLATE:
            return self._owner(holders)
        groups = Counter(g for i in holders if (g := self._group[i]) is not None)
        if groups:
            group, count = min(groups.items(), key=lambda item: (-item[1], item[0]))
            if 2 * count > len(holders):
                # The evidence stands with the group; it would be repeated for every passage.
                return self._sources[group]
        return self._cited(row, holders) if kind == QUOTE else _UNKNOWN

    def _owner(self, holders: list[int]) -> Source:
        """The outlet (or family of outlets) whose furniture a passage is."""
        corpus = self._records.corpus
        outlets = Counter(corpus.owner_ids[i] for i in holders)
        top, count = min(outlets.items(), key=lambda item: (-item[1], item[0] or ""))
        if top is None or count < MAJORITY * len(holders):
            return _UNKNOWN
        named = next(i for i in holders if corpus.owner_ids[i] == top)
        return top, corpus.owner_name(named) or top, "outlet", count / len(holders), ()

    def _cited(self, row: int, holders: list[int]) -> Source:
        """Whom the articles cite beside a quote."""
        if not any(self._mentions[i] for i in holders):
            return _UNKNOWN
        found = self._found
        own = slice(found.start[row], found.start[row + 1])
        spans = zip(found.begin[own].tolist(), found.end[own].tolist(), strict=True)
        places = dict(zip(found.record[own].tolist(), spans, strict=True))
        cited: dict[str, list[Evidence]] = defaultdict(list)
        for i in holders:
            begin, end = places[i]
            for evidence in self._mentions[i]:
                if evidence.start >= begin - NEAR_QUOTE and evidence.end <= end + NEAR_QUOTE:
                    cited[evidence.source].append(evidence)
        if not cited:
            return _UNKNOWN
        source = min(cited, key=lambda name: (-len(cited[name]), name))
        return (
            source,
            self._agencies.name(source),
            self._agencies.kind(source),
            len({e.article for e in cited[source]}) / len(holders),
            cited[source],
        )


def _plain(verdict: SourceVerdict) -> Source:
    return verdict.id, verdict.name, verdict.kind, verdict.confidence, ()
