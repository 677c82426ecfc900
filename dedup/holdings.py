"""What a check reads of the articles that it compares with: of an index, or of a scan's folder.

Texts are known by numbers, which those of the :class:`~dedup.lookup.Lookup` are.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import orjson
import pyarrow as pa
import zstandard

from dedup.errors import UsageError
from dedup.ingest import RECORD, evidence_of
from dedup.kinds import KnownKinds
from dedup.model import KINDS, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dedup.store import Store

RECORDS = 4
"""Articles that stand for one text."""
OF_GROUP = 8
"""Members of each group of a text that are looked at besides: those with credits first."""

Claims = tuple[list[Evidence], list[Evidence]]
Record = tuple[dict[str, Any], Claims]
"""An article as the reader gives it (``model.article_schema()``), with its credits and mentions."""

_KEYED = re.compile(r"p-([0-9a-f]{16})(?:\.|\Z)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Holdings(Protocol):
    """The articles that a text is compared with."""

    def with_groups(self, numbers: Sequence[int]) -> list[int]:
        """The texts, and those of some members of their groups, each once."""

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Articles with these texts."""

    def groups_of(self, refs: Sequence[str]) -> dict[str, str | None]:
        """The group of each article."""

    def with_digest(self, digest: str) -> list[str]:
        """Refs of the articles with exactly this text."""

    def kinds(self, keys: Iterable[int]) -> KnownKinds:
        """Kinds of the shared passages among passages with these keys."""


class StoredHoldings:
    """The articles of an open index; what it says is of one state within a snapshot."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def with_groups(self, numbers: Sequence[int]) -> list[int]:
        """See :meth:`Holdings.with_groups`."""
        groups = self._store.rows(
            'SELECT DISTINCT "group" FROM articles JOIN texts USING (digest) '
            'WHERE text IN (SELECT value FROM json_each(?)) AND "group" IS NOT NULL',
            json.dumps(numbers),
        )
        chosen = dict.fromkeys(numbers)
        for (group,) in groups:
            members = self._store.rows(
                'SELECT text FROM articles JOIN texts USING (digest) WHERE "group" = ? '
                "ORDER BY credits = '[]', ref LIMIT ?",
                group,
                OF_GROUP,
            )
            chosen |= dict.fromkeys(number for (number,) in members)
        return list(chosen)

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """See :meth:`Holdings.records`; without texts that were taken out since."""
        plain = zstandard.ZstdDecompressor()
        names = ", ".join(RECORD)
        # Only what is committed: a run under way has its records in, but not yet its results.
        query = (
            f"SELECT {names}, claims FROM records WHERE digest = ? AND EXISTS (SELECT 1 FROM "  # noqa: S608
            "articles a WHERE a.id = records.id AND a.digest = records.digest) ORDER BY id LIMIT ?"
        )
        found: list[Record] = []
        for number in numbers:
            texts = self._store.rows("SELECT digest, content FROM texts WHERE text = ?", number)
            for digest, content in texts:
                text = plain.decompress(content).decode()
                for *row, claims in self._store.rows(query, digest, RECORDS):
                    record = dict(zip(RECORD, row, strict=True))
                    record["published"] = _time(record["published"])
                    record["issues"] = orjson.loads(record["issues"])
                    found.append(({**record, "text": text}, evidence_of(claims, record["id"])))
        return found

    def groups_of(self, refs: Sequence[str]) -> dict[str, str | None]:
        """See :meth:`Holdings.groups_of`."""
        query = 'SELECT ref, "group" FROM articles WHERE ref IN (SELECT value FROM json_each(?))'
        return dict(self._store.rows(query, orjson.dumps(list(refs)).decode()))

    def with_digest(self, digest: str) -> list[str]:
        """See :meth:`Holdings.with_digest`."""
        return [
            ref for (ref,) in self._store.rows("SELECT ref FROM articles WHERE digest = ?", digest)
        ]

    def kinds(self, keys: Iterable[int]) -> KnownKinds:
        """See :meth:`Holdings.kinds`."""
        names = json.dumps([f"p-{key:016x}" for key in keys])
        query = "SELECT id, kind FROM passages WHERE id IN (SELECT value FROM json_each(?))"
        return named_kinds(self._store.rows(query, names))

    def all_kinds(self) -> KnownKinds:
        """Kinds of all shared passages."""
        return named_kinds(self._store.rows("SELECT id, kind FROM passages"))


class FolderHoldings:
    """The articles of a scan's folder, whose tables are at hand; texts are numbered by digest.

    Of the metadata only what names a source is kept there, as credits.

    Raises :class:`~dedup.errors.UsageError` when it holds no texts.
    """

    def __init__(self, place: str, tables: Mapping[str, pa.Table]) -> None:
        if tables.get("texts") is None:
            raise UsageError(
                f"{place}: was written with --no-texts, so it holds no texts to compare with"
            )
        texts = dict(
            zip(tables["texts"]["digest"].to_pylist(), tables["texts"]["text"], strict=True)
        )
        self.digests = sorted(texts)
        self._texts = [texts[digest] for digest in self.digests]
        self._number = {digest: number for number, digest in enumerate(self.digests)}
        self._table = tables["articles"].combine_chunks()
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._group = dict(
            zip(self._table["ref"].to_pylist(), self._table["group"].to_pylist(), strict=True)
        )
        self._members: dict[str, list[int]] = defaultdict(list)
        order = np.argsort([not c for c in self._table["credits"].to_pylist()], kind="stable")
        groups, of = self._table["group"].to_pylist(), self._table["digest"].to_pylist()
        for row in order.tolist():
            if groups[row] is not None:
                self._members[groups[row]].append(self._number[of[row]])
        for row, digest in enumerate(of):
            self._rows[digest].append(row)
        passages = tables["passages"]
        names = zip(passages["id"].to_pylist(), passages["kind"].to_pylist(), strict=True)
        self._kinds = named_kinds(names)

    def texts(self) -> pa.LargeStringArray:
        """All texts, by number."""
        return pa.array((text.as_py() for text in self._texts), pa.large_string())

    def with_groups(self, numbers: Sequence[int]) -> list[int]:
        """See :meth:`Holdings.with_groups`."""
        chosen = dict.fromkeys(numbers)
        refs = self._table["ref"]
        for number in numbers:
            for row in self._rows[self.digests[number]]:
                group = self._group[refs[row].as_py()]
                chosen |= dict.fromkeys(self._members[group][:OF_GROUP] if group else ())
        return list(chosen)

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """See :meth:`Holdings.records`."""
        found: list[Record] = []
        for number in numbers:
            text = self._texts[number].as_py()
            for row in self._rows[self.digests[number]][:RECORDS]:
                record = self._table.slice(row, 1).to_pylist()[0]
                claims = tuple(
                    [Evidence(**item) for item in record[name]] for name in ("credits", "mentions")
                )
                more = {"version": None, "metadata": None, "text": text}
                found.append(({**record, **more}, (claims[0], claims[1])))
        return found

    def groups_of(self, refs: Sequence[str]) -> dict[str, str | None]:
        """See :meth:`Holdings.groups_of`."""
        return {ref: self._group[ref] for ref in refs if ref in self._group}

    def with_digest(self, digest: str) -> list[str]:
        """See :meth:`Holdings.with_digest`."""
        refs = self._table["ref"]
        return [refs[row].as_py() for row in self._rows.get(digest, ())]

    def kinds(self, keys: Iterable[int]) -> KnownKinds:  # noqa: ARG002 - all are at hand
        """See :meth:`Holdings.kinds`."""
        return self._kinds

    def all_kinds(self) -> KnownKinds:
        """Kinds of all shared passages."""
        return self._kinds


def named_kinds(rows: Iterable[tuple[str, str]]) -> KnownKinds:
    """Kinds from ids of shared passages and the names of their kinds; ids that say no key, as
    another program may have written them, are left out."""
    return KnownKinds.of(
        (int(named[1], 16), KINDS.index(kind))
        for name, kind in rows
        if (named := _KEYED.match(name)) and kind in KINDS
    )


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
