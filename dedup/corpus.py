"""The records of a run: who, where, when, and which text each of them has."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.collection import RecordArrays
from dedup.families import NO_FAMILIES, Families
from dedup.model import article_schema
from dedup.ordering import TextPile
from dedup.outlets import outlet_identity
from dedup.withdrawals import withdrawn_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.model import Ledger

STATED = (
    "published",
    "published_raw",
    "outlet",
    "url",
    "title",
    "byline",
    "language",
    "version",
    "metadata",
)
"""What a record says, beside its id and text."""
PLACE = ("file", "position")
ORDER = ("id", "digest", *STATED, *PLACE)
"""Of records with the same id and text the first in this order stands for the article."""
MICROSECONDS_A_DAY = 86_400_000_000


class Texts(Protocol):
    """The texts of all nodes: an Arrow array of strings, or what stands for one."""

    def __len__(self) -> int: ...

    def __getitem__(self, node: int) -> Any: ...

    def take(self, nodes: pa.Array) -> pa.LargeStringArray:
        """The texts of some nodes, in this order."""
        ...


@dataclass(frozen=True)
class Corpus:
    """Records sorted by (id, digest), distinct texts ("nodes") sorted by digest.

    ``table`` follows ``model.article_schema()`` without ``text``; ``texts`` holds the text of
    each node, in memory or in an index; ``node`` int64 (records,) says which. ``refs`` name the
    records in every table.
    """

    table: pa.Table
    texts: Texts
    digests: list[str]
    node: NDArray[np.int64]
    refs: list[str]
    outlet_ids: list[str | None]
    outlet_names: list[str | None]
    families: Families = NO_FAMILIES

    def __len__(self) -> int:
        return len(self.refs)

    def column(self, name: str) -> list[Any]:
        """A column of ``table`` as Python values."""
        values: list[Any] = self.table[name].to_pylist()
        return values

    def strings(self, name: str) -> list[str]:
        """A column of ``table`` that is never null, as strings."""
        values: list[str] = self.table[name].to_pylist()
        return values

    @cached_property
    def owner_ids(self) -> list[str | None]:
        """Who owns each record's outlet: its declared family, else the outlet itself. It decides
        whether two articles come from one outlet."""
        return [self.families.owner(outlet) for outlet in self.outlet_ids]

    def owner_name(self, record: int) -> str | None:
        """Display name of a record's owner."""
        family = self.families.by_outlet.get(self.outlet_ids[record] or "")
        return family.name if family else self.outlet_names[record]

    @cached_property
    def published(self) -> NDArray[np.int64]:
        """UTC microseconds of publication (int64, records); the minimum where unknown."""
        raw = self.table["published"].cast(pa.int64())
        return np.asarray(pc.fill_null(raw, np.iinfo(np.int64).min).to_numpy())

    @cached_property
    def copies(self) -> NDArray[np.int64]:
        """How many records have each text (int64, nodes)."""
        return np.bincount(self.node, minlength=len(self.digests))

    @cached_property
    def records(self) -> RecordArrays:
        """The records as flat arrays, for classification."""
        names = sorted({o for o in self.owner_ids if o is not None})
        number = {name: i for i, name in enumerate(names)}
        outlet = np.array([-1 if o is None else number[o] for o in self.owner_ids], np.int64)
        known = self.published != np.iinfo(np.int64).min
        day = np.where(known, self.published // MICROSECONDS_A_DAY, -1)
        order = np.argsort(self.node, kind="stable")
        start = np.searchsorted(self.node[order], np.arange(len(self.digests) + 1))
        return RecordArrays(self.node, outlet, day, start.astype(np.int64), order.astype(np.int64))


def build_corpus(
    batches: Iterable[pa.RecordBatch],
    *,
    families: Families = NO_FAMILIES,
    arena: Arena | None = None,
    text_limit: int | None = None,
    ledger: Ledger | None = None,
) -> Corpus:
    """Order records and texts so that nothing depends on how they were read.

    Of repeated records (same id, same text) one stands for the article: the first when all
    that they say is sorted. Batches that nobody else holds are freed as their texts are moved.
    Above ``text_limit`` bytes of text (``None``: never) ``arena`` begins to spill. Articles that
    the withdrawals of ``ledger`` name are left out and become rejects there.

    Raises :class:`~dedup.errors.SpillError` where temporary files cannot be written.
    """
    records: list[pa.RecordBatch] = []
    pile = TextPile(arena, text_limit)
    for batch in batches:
        records.append(batch.drop_columns(["text"]))
        # The order is that of the digests: heaps by their first digit.
        pile.add(
            batch["text"], np.array([ord(digest[0]) for digest in batch["digest"].to_pylist()])
        )
        del batch
    del batches
    schema = article_schema()
    slim = pa.Table.from_batches(records, schema.remove(schema.get_field_index("text")))
    del records
    order = pc.sort_indices(slim, sort_keys=[(name, "ascending") for name in ORDER])
    slim = slim.take(order)
    if ledger is not None and ledger.withdrawals:
        stays = pa.array(~withdrawn_rows(slim, order.to_numpy().astype(np.int64), ledger))
        slim, order = slim.filter(stays), order.filter(stays)
    fresh = _differs(slim["id"]) | _differs(slim["digest"])
    rows = order.to_numpy()[fresh].astype(np.int64)
    slim = slim.filter(pa.array(fresh))
    by_digest = pc.sort_indices(slim["digest"])
    digests = slim["digest"].take(by_digest)
    new = _differs(digests)
    node = np.empty(len(slim), np.int64)
    node[by_digest.to_numpy()] = np.cumsum(new) - 1
    texts = pile.ordered(rows[by_digest.to_numpy()[new]])
    return assemble(slim, digests.filter(pa.array(new)).to_pylist(), node, texts, families)


def assemble(
    table: pa.Table,
    digests: list[str],
    node: NDArray[np.int64],
    texts: Texts,
    families: Families = NO_FAMILIES,
) -> Corpus:
    """A corpus of records in order, see :class:`Corpus`; outlets and refs follow from them."""
    outlets = table["outlet"].to_pylist()
    identities = [
        outlet_identity(outlet, url)
        for outlet, url in zip(outlets, table["url"].to_pylist(), strict=True)
    ]
    names = _display_names(outlets, identities)
    return Corpus(
        table,
        texts,
        digests,
        node,
        _references(table),
        [i[0] if i else None for i in identities],
        [names[i[0]] if i else None for i in identities],
        families,
    )


def _differs(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether each value differs from the one before (bool); the first does."""
    out = np.ones(len(column), bool)
    if len(column) > 1:
        out[1:] = pc.not_equal(column[1:], column[:-1]).to_numpy()
    return out


def _display_names(
    stated: list[str | None], identities: list[tuple[str, str] | None]
) -> dict[str, str]:
    """A name for people for each outlet id: a listed one, else what its records say most."""
    names: dict[str, str] = {}
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for name, identity in zip(stated, identities, strict=True):
        if identity is not None:
            names[identity[0]] = identity[1]
            if name is not None:
                said[identity[0]][name] += 1
    for outlet, counts in said.items():
        if names[outlet] == outlet:
            names[outlet] = min(counts, key=lambda name: (-counts[name], name))
    return names


def _references(table: pa.Table) -> list[str]:
    """The ref of every record, see :func:`references`."""
    ids: list[str] = table["id"].to_pylist()
    digests: list[str] = table["digest"].to_pylist()
    if not any(ids[i] == ids[i - 1] for i in range(1, len(ids))):
        return ids
    published = table["published"].cast(pa.int64()).to_pylist()
    return references(ids, digests, table["version"].to_pylist(), published, set(ids))


def references(
    ids: Sequence[str],
    digests: Sequence[str],
    versions: Sequence[int | None],
    published: Sequence[int | None],
    taken: set[str],
) -> list[str]:
    """The ref of every record (sorted by id, digest): its id, or ``id@digest8`` for a superseded
    revision, with more digits where that is ``taken``.

    Of the revisions of one id the current one has the highest stated version, then the latest
    publication time (microseconds), then the smaller digest.
    """
    refs = list(ids)
    repeated: dict[str, list[int]] = {}
    for i in range(1, len(ids)):
        if ids[i] == ids[i - 1]:
            repeated.setdefault(ids[i], [i - 1]).append(i)
    for rows in repeated.values():
        current = min(
            rows,
            key=lambda i: (
                -(version if (version := versions[i]) is not None else -1),
                -(time if (time := published[i]) is not None else -(2**62)),
                digests[i],
            ),
        )
        for i in rows:
            if i != current:
                length = 8
                while f"{ids[i]}@{digests[i][:length]}" in taken:
                    length += 1
                refs[i] = f"{ids[i]}@{digests[i][:length]}"
                taken.add(refs[i])
    return refs
