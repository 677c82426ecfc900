"""Records into an index: read, segmented, their credits found; nothing is compared yet."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import zstandard

from dedup.attribute import Attributor
from dedup.collection import collect
from dedup.corpus import PLACE, STATED
from dedup.indexnotes import ERASURE_KEY, RESTATED, WITHDRAWALS
from dedup.model import Evidence, Withdrawal
from dedup.outlets import outlet_identity
from dedup.store import now
from dedup.storedframes import frame_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dedup.agencies import Agencies
    from dedup.model import Ledger
    from dedup.store import Store
    from dedup.vocabulary import Vocabulary

RECORD = (
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
    "version",
    "metadata",
    "issues",
)
"""Columns of ``records`` that the reader states; then come first_seen, run and claims."""
BATCH_BYTES = 32 * 2**20
"""Bytes of text that are committed at once."""
TEXT_LEVEL = 6
NO_CLAIMS = "[[],[]]"

Row = tuple[Any, ...]


@dataclass(slots=True)
class Ingested:
    """How many records came in, by what became of them."""

    new: int = 0
    known: int = 0
    """Already in the index, with the same text."""
    revisions: int = 0
    """New texts under ids that the index held with another."""
    erased: int = 0
    """Left out since their text was erased from the index."""
    too_old: int = 0
    """Left out since they were published before the time from which articles are kept."""
    withdrawn: int = 0
    """Left out since a notice that an earlier run read says that their sender took them back."""
    restated: set[tuple[str, str]] = field(default_factory=set)
    """(id, digest) of known records whose other fields are now those of another copy."""


def erasure_mark(key: str, digest: str) -> bytes:
    """What is kept of an erased text: says whether a text is that one, and nothing else."""
    return hmac.new(bytes.fromhex(key), digest.encode(), hashlib.blake2b).digest()[:16]


class Ingest:
    """Takes batches of articles into an index, each batch in a transaction of its own."""

    def __init__(
        self,
        store: Store,
        run: int,
        agencies: Agencies,
        vocabulary: Vocabulary,
        threads: int,
        oldest: datetime | None = None,
    ) -> None:
        self.store = store
        self.run = run
        self.counts = Ingested()
        self._attributor = Attributor(agencies)
        self._vocabulary = vocabulary
        self._threads = threads
        # What would be taken out again must not come in: the same input would change the index
        # with every run.
        self._oldest = None if oldest is None else int(oldest.timestamp() * 1_000_000)
        self._known = set(store.rows("SELECT id, digest FROM records"))
        self._ids = {identity for identity, _ in self._known}
        self._digests = {digest for _, digest in self._known}
        self._key = store.meta()[ERASURE_KEY]
        self._erased = {mark for (mark,) in store.rows("SELECT mark FROM erased")}
        self._notices = noted_withdrawals(store)
        # Never a number that a text had before: what is kept of comparisons may name that one.
        self._next = 1 + store.last_number("texts")

    def take(self, batches: Iterable[pa.RecordBatch], ledger: Ledger) -> None:
        """Take in all batches; ``ledger`` says how many records were left out, and why."""
        for batch in _of_size(batches):
            self._take(batch)
        if self.counts.erased:
            ledger.warnings.append(
                f"records left out since their texts were erased from this index: "
                f"{self.counts.erased}"
            )
        if self.counts.too_old:
            ledger.warnings.append(
                f"records left out since they are older than what is kept: {self.counts.too_old}"
            )
        if self.counts.withdrawn:
            ledger.warnings.append(
                "records left out since earlier notices cancel or withhold them: "
                f"{self.counts.withdrawn}"
            )

    def _take(self, batch: pa.Table) -> None:
        columns = [_values(batch, name) for name in RECORD]
        fresh: dict[tuple[str, str], tuple[int, Row]] = {}
        restated: dict[tuple[str, str], Row] = {}
        for i, row in enumerate(zip(*columns, strict=True)):
            key = (row[0], row[1])
            if self._erased and erasure_mark(self._key, row[1]) in self._erased:
                self.counts.erased += 1
            elif self._is_old(row):
                self.counts.too_old += 1
            elif self._is_withdrawn(row):
                self.counts.withdrawn += 1
            elif key in self._known:
                self.counts.known += 1
                if self._stands_before(row, key, restated):
                    restated[key] = row
            elif key in fresh:
                if _order(row) < _order(fresh[key][1]):
                    fresh[key] = (i, row)
            else:
                fresh[key] = (i, row)
        rows = [row for _, row in fresh.values()]
        text = pa.concat_arrays([pa.array([], pa.large_string()), *batch["text"].chunks])
        texts = text.take(pa.array([i for i, _ in fresh.values()], pa.int64()))
        with ThreadPoolExecutor(1) as aside:
            claimed = aside.submit(claims_of, self._attributor, rows, texts)
            first = len(self._vocabulary)
            added, frames = self._texts(rows, texts)
            claims = claimed.result()
        with self.store.transaction():
            at = now()
            values = [
                (*_stored(row), at, self.run, claim)
                for row, claim in zip(rows, claims, strict=True)
            ]
            self.store.insert("records", values)
            self._restate(restated)
            self.store.insert("texts", added)
            self.store.insert("frames", frames)
            if len(self._vocabulary) > first:
                self.store.add_part("vocabulary", self.run, self._vocabulary.since(first))
        for identity, digest in fresh:
            self.counts.revisions += identity in self._ids
            self._ids.add(identity)
            self._digests.add(digest)
        self.counts.new += len(fresh)
        self._known |= fresh.keys()
        self.counts.restated |= restated.keys()

    def _is_old(self, row: Row) -> bool:
        published = row[RECORD.index("published")]
        return self._oldest is not None and published is not None and published < self._oldest

    def _is_withdrawn(self, row: Row) -> bool:
        notice = self._notices.get(row[0])
        return notice is not None and notice.covers(row[RECORD.index("version")])

    def _texts(self, rows: list[Row], texts: pa.LargeStringArray) -> tuple[list[Row], list[Row]]:
        """Rows of ``texts`` and of ``frames`` for every text that is new."""
        new: dict[str, int] = {}
        for i, row in enumerate(rows):
            if row[1] not in self._digests:
                new.setdefault(row[1], i)
        chosen = texts.take(pa.array(list(new.values()), pa.int64()))
        numbers = range(self._next, self._next + len(new))
        self._next += len(new)
        c = collect(chosen, threads=self._threads, vocabulary=self._vocabulary)
        compress = zstandard.ZstdCompressor(level=TEXT_LEVEL).compress
        packed = (compress(text.encode()) for text in chosen.to_pylist())
        added = [(*row[:2], None, row[2]) for row in zip(numbers, new, packed, strict=True)]
        return added, frame_rows(numbers, c)

    def _stands_before(
        self, row: Row, key: tuple[str, str], restated: dict[tuple[str, str], Row]
    ) -> bool:
        """Whether a repeated record stands for the article in place of the one that does."""
        known = restated.get(key)
        if known is None:
            names = ", ".join(RECORD)
            query = f"SELECT {names} FROM records WHERE id = ? AND digest = ?"  # noqa: S608
            known = _loaded(self.store.rows(query, *key)[0])
        return _says_otherwise(row, known)

    def _restate(self, restated: dict[tuple[str, str], Row]) -> None:
        if not restated:
            return
        self.store.note({RESTATED: "1"})
        rows = list(restated.values())
        keys = list(restated)
        digests = [row[1] for row in rows]
        query = "SELECT digest, content FROM texts WHERE digest IN (SELECT value FROM json_each(?))"
        stored = dict(self.store.rows(query, orjson.dumps(digests).decode()))
        plain = zstandard.ZstdDecompressor()
        texts = [plain.decompress(stored[digest]).decode() for digest in digests]
        claims = claims_of(self._attributor, rows, pa.array(texts, pa.large_string()))
        names = ", ".join(f"{name} = ?" for name in RECORD[2:])
        query = f"UPDATE records SET {names}, claims = ? WHERE id = ? AND digest = ?"  # noqa: S608
        self.store.connection.executemany(
            query,
            [
                (*_stored(row)[2:], claim, *key)
                for row, claim, key in zip(rows, claims, keys, strict=True)
            ],
        )


def noted_withdrawals(store: Store) -> dict[str, Withdrawal]:
    """The notices of earlier runs by which senders took articles back, by id."""
    listed = orjson.loads(store.meta().get(WITHDRAWALS, "[]"))
    return {fields[0]: Withdrawal(*fields) for fields in listed}


def claims_of(attributor: Attributor, rows: list[Row], texts: pa.LargeStringArray) -> list[str]:
    """Credits and mentions of records (values of :data:`RECORD`), as they stand in an index."""
    at = {name: RECORD.index(name) for name in RECORD}

    def column(name: str) -> list[Any]:
        return [row[at[name]] for row in rows]

    outlets = zip(column("outlet"), column("url"), strict=True)
    identities = [outlet_identity(outlet, url) for outlet, url in outlets]
    found = attributor.evidence_of(
        texts,
        range(len(rows)),
        refs=[""] * len(rows),
        titles=column("title"),
        bylines=column("byline"),
        urls=column("url"),
        outlet_ids=[identity[0] if identity else None for identity in identities],
        metadata=column("metadata"),
    )
    return [
        orjson.dumps([[_bare(e) for e in credited], [_bare(e) for e in cited]]).decode()
        for credited, cited in found
    ]


def loaded_records(store: Store, most: int) -> Iterator[tuple[list[Row], pa.LargeStringArray]]:
    """All records of an index with their texts, ``most`` at a time."""
    plain = zstandard.ZstdDecompressor()
    keys = store.rows("SELECT rowid FROM records ORDER BY rowid")
    names = ", ".join(f"r.{name}" for name in RECORD)
    query = (
        f"SELECT {names}, t.content FROM records r JOIN texts t USING (digest) "  # noqa: S608
        "WHERE r.rowid BETWEEN ? AND ? ORDER BY r.rowid"
    )
    for begin in range(0, len(keys), most):
        some = keys[begin : begin + most]
        found = store.rows(query, some[0][0], some[-1][0])
        texts = [plain.decompress(row[-1]).decode() for row in found]
        yield [_loaded(row[:-1]) for row in found], pa.array(texts, pa.large_string())


def _of_size(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches joined to tables of some :data:`BATCH_BYTES` of text."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch["text"].nbytes
        if size >= BATCH_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _order(row: Row, names: tuple[str, ...] = (*STATED, *PLACE)) -> tuple[Any, ...]:
    """Sorts records with one id and text; what is not stated comes last."""
    values = dict(zip(RECORD, row, strict=True))
    return tuple((values[name] is None, values[name]) for name in names)


def _says_otherwise(row: Row, known: Row) -> bool:
    """Whether a record stands before another by what it says: of one that is known, another place
    is no news."""
    return _order(row, STATED) < _order(known, STATED)


def _values(batch: pa.Table, name: str) -> list[Any]:
    """A column; times as UTC microseconds."""
    column = batch[name].cast(pa.int64()) if name == "published" else batch[name]
    values: list[Any] = column.to_pylist()
    return values


def _stored(row: Row) -> Row:
    """A record's values as SQLite takes them."""
    return (*row[:14], orjson.dumps(row[14]).decode())


def _loaded(row: Row) -> Row:
    return (*row[:14], orjson.loads(row[14]))


def evidence_of(claims: str, ref: str) -> tuple[list[Evidence], list[Evidence]]:
    """Credits and mentions as :func:`claims_of` wrote them, of the article ``ref``."""
    if claims == NO_CLAIMS:
        return [], []
    credited, cited = orjson.loads(claims)
    return [_of(e, ref) for e in credited], [_of(e, ref) for e in cited]


def _of(bare: list[Any], ref: str) -> Evidence:
    role, source, field, start, end, text = bare
    return Evidence(role, source, ref, field, start, end, text)


def _bare(evidence: Evidence) -> list[Any]:
    """Evidence without the name of its article, which can change."""
    return [
        evidence.role,
        evidence.source,
        evidence.field,
        evidence.start,
        evidence.end,
        evidence.text,
    ]
