"""What one text shares with an index that it is not part of.

The texts that share most are looked up, and compared with it by all stages of a run, as if they
and it were all there is; which passages are furniture and quotes is known from the index.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.attribute import Attributor
from dedup.collection import as_texts, collect
from dedup.corpus import build_corpus
from dedup.holdings import StoredHoldings
from dedup.lookup import Lookup
from dedup.model import article_schema
from dedup.pipeline import analyse
from dedup.recall import surveyed_texts
from dedup.report.encode import normalised
from dedup.reuse import nothing_known
from dedup.tables import build_tables

if TYPE_CHECKING:
    from dedup.agencies import Agencies
    from dedup.config import Settings
    from dedup.corpus import Corpus
    from dedup.holdings import Claims, FolderHoldings, Holdings
    from dedup.store import Store

PARTNERS = 32
"""Texts that a text is compared with."""


@dataclass(frozen=True)
class Check:
    """What one text shares with an index.

    ``article``: its row of the table ``articles``, as if it had been added; ``group`` is that of
    the index which it would join. ``matches`` and ``relations``: rows of these tables between it
    (``a``) and articles of the index (``b``), best first; ``others``: the rows of ``articles`` of
    these. ``source``: who wrote what is shared, as in ``groups``, or ``None``. ``known``: ids of
    articles in the index with exactly this text.
    """

    article: dict[str, Any]
    relations: list[dict[str, Any]]
    matches: list[dict[str, Any]]
    others: dict[str, dict[str, Any]]
    source: dict[str, Any] | None
    known: list[str]

    @property
    def flag(self) -> str:
        """Whether its text is somebody else's, see ``docs/output.md``."""
        return str(self.article["flag"])

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "article": self.article,
            "source": self.source,
            "known": self.known,
            "relations": self.relations,
            "matches": self.matches,
            "others": self.others,
        }


class Checker:
    """Compares texts with what a look-up over them was made of; made once, asked often.

    The look-up is of one committed state. Everything else is read from the holdings that a check
    is given, so that an answer holds what these hold, also when they are newer: texts that came
    later are found by the next checker, those that are gone are left out.
    """

    def __init__(self, lookup: Lookup, settings: Settings, agencies: Agencies) -> None:
        self.lookup = lookup
        self.settings = settings
        self.agencies = agencies
        self.attributor = Attributor(agencies)

    @classmethod
    def of_index(
        cls, store: Store, settings: Settings, agencies: Agencies, threads: int
    ) -> Checker:
        """Over the texts of an open index."""
        numbers, collection, same_words = surveyed_texts(store, threads=threads)
        kinds = StoredHoldings(store).all_kinds()
        lookup = Lookup.of(
            collection, settings, numbers, kinds, same_words=same_words, threads=threads
        )
        return cls(lookup, settings, agencies)

    @classmethod
    def of_folder(
        cls, holdings: FolderHoldings, settings: Settings, agencies: Agencies, threads: int
    ) -> Checker:
        """Over the texts of a scan's folder."""
        texts = holdings.texts()
        collection = collect(texts, threads=threads)
        numbers = np.arange(len(texts), dtype=np.int32)
        kinds = holdings.all_kinds()
        lookup = Lookup.of(collection, settings, numbers, kinds, threads=threads)
        return cls(lookup, settings, agencies)

    def check(self, holdings: Holdings, article: dict[str, Any]) -> Check:
        """What ``article`` (as in :func:`dedup.model.article_schema`) shares with the holdings."""
        own = collect(as_texts([article["text"]]))
        nearest = self.lookup.nearest(own, PARTNERS).tolist()
        records = holdings.records(holdings.with_groups(nearest))
        name = _free_name(article["id"], {record["id"] for record, _ in records})
        rows = [{**article, "id": name}, *(record for record, _ in records)]
        corpus = build_corpus([pa.RecordBatch.from_pylist(rows, article_schema())])
        collection = collect(cast("pa.LargeStringArray", corpus.texts))
        known = {(record["id"], record["digest"]): claims for record, claims in records}
        analysis = analyse(
            corpus,
            self.settings,
            self.agencies,
            threads=1,
            earlier=nothing_known(collection, self._claims(corpus, name, known)),
            kinds=holdings.kinds(collection.p_key.tolist()),
        )
        tables = build_tables(analysis, self.settings, self.agencies)
        return self._found(holdings, {n: tables[n] for n in _SHOWN}, name, article)

    def _claims(
        self, corpus: Corpus, name: str, known: dict[tuple[str, str], Claims]
    ) -> list[Claims]:
        """Credits and mentions: of the articles that are held as they stand there."""
        out: list[Claims] = []
        keys = zip(corpus.strings("id"), corpus.strings("digest"), corpus.refs, strict=True)
        for row, (identity, digest, ref) in enumerate(keys):
            if identity == name:
                record = corpus.table.slice(row, 1).to_pylist()[0]
                out.append(
                    self.attributor.evidence(
                        ref=ref,
                        text=corpus.texts[int(corpus.node[row])].as_py(),
                        title=record["title"],
                        byline=record["byline"],
                        url=record["url"],
                        outlet_id=corpus.outlet_ids[row],
                        metadata=record["metadata"],
                    )
                )
                continue
            credited, cited = known[identity, digest]
            out.append(
                (
                    [replace(item, article=ref) for item in credited],
                    [replace(item, article=ref) for item in cited],
                )
            )
        return out

    def _found(
        self, holdings: Holdings, tables: dict[str, pa.Table], name: str, article: dict[str, Any]
    ) -> Check:
        own = _rows("articles", tables, "id", [name])[0]
        relations, matches = (
            [
                _turned(row, own["ref"])
                for column in ("a", "b")
                for row in _rows(table, tables, column, [own["ref"]])
            ]
            for table in ("relations", "matches")
        )
        refs = {row["b"] for row in (*relations, *matches)}
        others = {row["ref"]: row for row in _rows("articles", tables, "ref", sorted(refs))}
        groups = normalised("groups", tables["groups"]).to_pylist()
        group = next((g for g in groups if own["ref"] in g["articles"]), None)
        named = holdings.groups_of([*others, *(group["articles"] if group else ())])
        for ref, other in others.items():
            other["group"] = named.get(ref)
        own["group"] = None
        if group is not None:
            held = Counter(found for ref in group["articles"] if (found := named.get(ref)))
            own["group"] = held.most_common(1)[0][0] if held else None
        known = holdings.with_digest(own["digest"])
        ref, own["id"], own["ref"] = own["ref"], article["id"], article["id"]
        for row in (*relations, *matches):
            row["a"] = article["id"] if row["a"] == ref else row["a"]
        relations.sort(key=lambda r: (-r["p_copied"], -r["p_shared"], -r["coverage_a"], r["b"]))
        matches.sort(key=lambda m: (m["a_start"], m["b"]))
        return Check(own, relations, matches, others, group["source"] if group else None, known)


_SHOWN = ("articles", "relations", "matches", "groups")
_SIDES = (("a", "b"), ("a_start", "b_start"), ("a_end", "b_end"), ("coverage_a", "coverage_b"))


def _rows(
    name: str, tables: dict[str, pa.Table], column: str, values: list[str]
) -> list[dict[str, Any]]:
    """Rows of a table whose ``column`` is among ``values``."""
    table = tables[name]
    wanted = pa.array(values, pa.string())
    found = normalised(name, table.filter(pc.is_in(table[column], value_set=wanted)))
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _turned(row: dict[str, Any], ref: str) -> dict[str, Any]:
    """The row with ``ref`` as its first article."""
    if row["a"] == ref:
        return row
    swapped = {x: row[y] for pair in _SIDES for x, y in (pair, pair[::-1]) if x in row}
    return {**row, **swapped}


def _free_name(name: str, taken: set[str]) -> str:
    """An id that no article at hand has."""
    free = name
    while free in taken:
        free += "'"
    return free
