"""What one text shares with an index that it is not part of.

The texts that share most are looked up, and compared with it by all stages of a run, as if they
and it were all there is; which passages are furniture and quotes is known from the index.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import zstandard

from dedup.attribute import Attributor
from dedup.collection import as_texts, collect
from dedup.corpus import build_corpus
from dedup.ingest import RECORD
from dedup.kinds import KnownKinds
from dedup.lookup import Lookup
from dedup.model import KINDS, Evidence, article_schema
from dedup.pipeline import analyse
from dedup.recall import restored
from dedup.report.encode import normalised
from dedup.reuse import nothing_known
from dedup.tables import build_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dedup.agencies import Agencies
    from dedup.config import Settings
    from dedup.corpus import Corpus
    from dedup.store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTNERS = 48
"""Texts that a text is compared with."""
OF_GROUP = 8
"""Members of each group that these are in which are looked at besides: those with credits first."""
RECORDS = 4
"""Articles that stand for one text."""


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
    """Compares texts with one committed state of an index; made once, asked often."""

    def __init__(self, store: Store, settings: Settings, agencies: Agencies, threads: int) -> None:
        numbers, collection, _ = restored(store, threads=threads)
        self.settings = settings
        self.agencies = agencies
        self.lookup = Lookup.of(collection, settings, numbers)
        self.kinds = KnownKinds.of(
            (int(name[2:18], 16), KINDS.index(kind))
            for name, kind in store.rows("SELECT id, kind FROM passages")
        )
        self.attributor = Attributor(agencies)

    def check(self, store: Store, article: dict[str, Any]) -> Check:
        """What ``article`` (values of :func:`dedup.model.article_schema`) shares with the index."""
        own = collect(as_texts([article["text"]]))
        nearest = self.lookup.nearest(own, PARTNERS).tolist()
        rows, claims, texts = _records(store, self._with_groups(store, nearest))
        name = _free_name(article["id"], {row[0] for row in rows})
        schema = article_schema()
        asked = pa.RecordBatch.from_pylist([{**article, "id": name}], schema)
        others = pa.RecordBatch.from_pylist(
            [
                {
                    **dict(zip(RECORD, row, strict=True)),
                    "issues": orjson.loads(row[RECORD.index("issues")]),
                    "text": texts[row[1]],
                }
                for row in rows
            ],
            schema,
        )
        corpus = build_corpus([asked, others])
        collection = collect(corpus.texts)
        earlier = nothing_known(collection, self._claims(corpus, name, claims))
        analysis = analyse(
            corpus, self.settings, self.agencies, threads=1, earlier=earlier, kinds=self.kinds
        )
        tables = build_tables(analysis, self.settings, self.agencies)
        return self._found(store, {n: tables[n] for n in _SHOWN}, name, article)

    def _with_groups(self, store: Store, numbers: list[int]) -> list[int]:
        """The texts, and those of members of their groups that say most of the source."""
        listed = orjson.dumps(numbers).decode()
        groups = store.rows(
            'SELECT DISTINCT "group" FROM articles JOIN texts USING (digest) '
            'WHERE text IN (SELECT value FROM json_each(?)) AND "group" IS NOT NULL',
            listed,
        )
        chosen = dict.fromkeys(numbers)
        for (group,) in groups:
            members = store.rows(
                'SELECT text FROM articles JOIN texts USING (digest) WHERE "group" = ? '
                "ORDER BY credits = '[]', ref LIMIT ?",
                group,
                OF_GROUP,
            )
            chosen |= dict.fromkeys(number for (number,) in members)
        return list(chosen)

    def _claims(
        self, corpus: Corpus, name: str, known: dict[tuple[str, str], str]
    ) -> list[tuple[list[Evidence], list[Evidence]]]:
        """Credits and mentions: of the articles of the index as they stand there."""
        out = []
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
            credited, cited = (
                [Evidence(e[0], e[1], ref, e[2], e[3], e[4], e[5]) for e in some]
                for some in orjson.loads(known[identity, digest])
            )
            out.append((credited, cited))
        return out

    def _found(
        self, store: Store, tables: dict[str, pa.Table], name: str, article: dict[str, Any]
    ) -> Check:
        rows = {n: normalised(n, table).to_pylist() for n, table in tables.items()}
        by_ref = {row["ref"]: row for row in rows["articles"]}
        own = next(row for row in rows["articles"] if row["id"] == name)
        relations = [_turned(r, own["ref"]) for r in rows["relations"] if _has(r, own["ref"])]
        matches = [_turned(m, own["ref"]) for m in rows["matches"] if _has(m, own["ref"])]
        others = {row["b"]: by_ref[row["b"]] for row in (*relations, *matches)}
        group = next((g for g in rows["groups"] if own["ref"] in g["articles"]), None)
        for other in others.values():
            other["group"] = store.value('SELECT "group" FROM articles WHERE ref = ?', other["ref"])
        own["group"] = None
        if group is not None:
            held = Counter(
                found
                for ref in group["articles"]
                if (found := store.value('SELECT "group" FROM articles WHERE ref = ?', ref))
            )
            own["group"] = held.most_common(1)[0][0] if held else None
        digest = own["digest"]
        known = [ref for (ref,) in store.rows("SELECT ref FROM articles WHERE digest = ?", digest)]
        ref, own["id"], own["ref"] = own["ref"], article["id"], article["id"]
        for row in (*relations, *matches):
            row["a"] = article["id"] if row["a"] == ref else row["a"]
        relations.sort(key=lambda r: (-r["p_copied"], -r["p_shared"], -r["coverage_a"], r["b"]))
        matches.sort(key=lambda m: (m["a_start"], m["b"]))
        return Check(own, relations, matches, others, group["source"] if group else None, known)


_SHOWN = ("articles", "relations", "matches", "groups")
_SIDES = (("a", "b"), ("a_start", "b_start"), ("a_end", "b_end"), ("coverage_a", "coverage_b"))


def _has(row: dict[str, Any], ref: str) -> bool:
    return ref in (row["a"], row["b"])


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


def _records(
    store: Store, numbers: Iterable[int]
) -> tuple[list[tuple[Any, ...]], dict[tuple[str, str], str], dict[str, str]]:
    """Records of texts, their claims by (id, digest), and the texts by digest."""
    plain = zstandard.ZstdDecompressor()
    names = ", ".join(RECORD)
    rows: list[tuple[Any, ...]] = []
    claims: dict[tuple[str, str], str] = {}
    texts: dict[str, str] = {}
    for number in numbers:
        found = store.rows("SELECT digest, content FROM texts WHERE text = ?", number)
        if not found:
            continue  # taken out since, by a run that is under way
        digest, content = found[0]
        texts[digest] = plain.decompress(content).decode()
        # Only what is committed: a run under way has its records in, but not yet its results.
        query = (
            f"SELECT {names}, claims FROM records WHERE digest = ? AND EXISTS (SELECT 1 FROM "  # noqa: S608
            "articles a WHERE a.id = records.id AND a.digest = records.digest) ORDER BY id LIMIT ?"
        )
        for *row, claim in store.rows(query, digest, RECORDS):
            published = row[RECORD.index("published")]
            row[RECORD.index("published")] = _time(published)
            rows.append(tuple(row))
            claims[row[0], row[1]] = claim
    return rows, claims, texts


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
