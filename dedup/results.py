"""What a run found, read row by row: from the folder of a scan, or from an index.

Both answer the same questions in the same words, so that ``explain``, ``report`` and ``serve``
need not know which of the two they look at. Rows are those of the output contract
(``docs/output.md``) as JSON Lines have them; an index keeps no scores, so that those are ``None``.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from dedup.config import Settings, settings_from
from dedup.errors import InputError, UsageError
from dedup.explain import explain, passage_keys
from dedup.holdings import named_kinds
from dedup.index import Index
from dedup.indextables import KEYS, result_columns
from dedup.model import table_schemas
from dedup.report.encode import normalised, with_date_strings
from dedup.report.tables import read_run
from dedup.store import FILE, Store

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from dedup.explanation import Explanation
    from dedup.kinds import KnownKinds

Row = dict[str, Any]


class Results(ABC):
    """What was found among the articles at ``place``; ``settings`` and ``agencies`` (a path, or
    ``None``) are those of the run."""

    place: Path
    settings: Settings
    agencies: str | None

    @abstractmethod
    def rows(self, table: str, column: str, values: Sequence[str]) -> list[Row]:
        """Rows of a table whose ``column`` is among ``values``, by the table's key."""

    @abstractmethod
    def page(self, table: str, after: str, count: int, **equal: str) -> list[Row]:
        """Up to ``count`` rows whose key comes after ``after``, by key; ``equal`` are values that
        columns must have. For tables with a key of one column."""

    @abstractmethod
    def texts(self, digests: Sequence[str]) -> dict[str, str]:
        """Texts by digest; those that are not at hand are missing."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Rows of each table."""

    @abstractmethod
    def search(self, words: Sequence[str], count: int) -> list[Row]:
        """Articles whose id, outlet and title together hold all ``words``, by ref."""

    @abstractmethod
    def groups_since(self, day: str) -> list[str]:
        """Ids of the groups with an article published on ``day`` (ISO 8601) or later."""

    @abstractmethod
    def largest_groups(self, count: int) -> list[str]:
        """Ids of the ``count`` groups with most articles, largest first."""

    @abstractmethod
    def caps(self) -> list[Row]:
        """What limits of the run left out, as in ``run.json``."""

    def article(self, name: str) -> Row | None:
        """The article with this ref or, failing that, this id."""
        found = self.rows("articles", "ref", [name]) or self.rows("articles", "id", [name])
        return found[0] if found else None

    def with_text(self, name: str) -> tuple[Row, str]:
        """An article and its text.

        Raises :class:`~dedup.errors.UsageError` when there is no such article, or no texts.
        """
        row = self.article(name)
        if row is None:
            raise UsageError(f"{self.place}: holds no article {name!r}")
        text = self.texts([row["digest"]]).get(row["digest"])
        if text is None:
            raise UsageError(
                f"{self.place}: was written with --no-texts, so it holds no texts to compare; "
                "scan again without that option"
            )
        return row, text

    def kinds(self, keys: Iterable[int]) -> KnownKinds:
        """Kinds of the shared passages among passages with these ``keys`` (see ``Collection``)."""
        return known_kinds(self.passages(keys))

    def passages(self, keys: Iterable[int]) -> list[Row]:
        """The shared passages with these keys of their words."""
        return self.rows("passages", "id", [f"p-{key:016x}" for key in keys])


def known_kinds(passages: Iterable[Row]) -> KnownKinds:
    """The kinds of rows of the table ``passages``."""
    return named_kinds((row["id"], row["kind"]) for row in passages)


def open_results(path: str | os.PathLike[str]) -> Results:
    """What is in an index or in the folder of a scan.

    Raises:
        InputError: ``path`` is neither.
        IndexDamagedError: it is an index of another version or configuration.
    """
    folder = Path(path)
    if (folder / FILE).is_file():
        return IndexResults(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected an index or an output of dedup scan")
    return FolderResults(folder)


class FolderResults(Results):
    """The folder of a scan; its tables are read when the first row is asked for."""

    def __init__(self, folder: Path) -> None:
        self.place = folder
        self.tables, self.run = read_run(folder)
        self.settings = settings_from(self.run.get("settings") or {}, origin=str(folder))
        self.agencies = self.run.get("agencies")
        self._shown: dict[str, pa.Table] = {}

    def _table(self, name: str) -> pa.Table:
        """A table in the order of its key, its times as texts."""
        if name not in self._shown:
            table = with_date_strings(name, normalised(name, self.tables[name]))
            keys = [(key, "ascending") for key in KEYS.get(name, ("ref",))]
            self._shown[name] = table.take(pc.sort_indices(table, sort_keys=keys))
        return self._shown[name]

    def rows(self, table: str, column: str, values: Sequence[str]) -> list[Row]:
        """See :meth:`Results.rows`."""
        found = self._table(table)
        wanted = pa.array(sorted(set(values)), pa.string())
        chosen: list[Row] = found.filter(pc.is_in(found[column], value_set=wanted)).to_pylist()
        return chosen

    def page(self, table: str, after: str, count: int, **equal: str) -> list[Row]:
        """See :meth:`Results.page`."""
        found = self._table(table)
        (key,) = KEYS[table]
        mask = pc.greater(found[key], after)
        for name, value in equal.items():
            mask = pc.and_(mask, pc.fill_null(pc.equal(found[name], value), False))
        rows = pc.indices_nonzero(mask)[:count]
        chosen: list[Row] = found.take(rows).to_pylist()
        return chosen

    @cached_property
    def _texts(self) -> dict[str, pa.Scalar]:
        table = self.tables.get("texts")
        if table is None:
            return {}
        return dict(zip(table["digest"].to_pylist(), table["text"], strict=True))

    def texts(self, digests: Sequence[str]) -> dict[str, str]:
        """See :meth:`Results.texts`."""
        return {d: self._texts[d].as_py() for d in digests if d in self._texts}

    def counts(self) -> dict[str, int]:
        """See :meth:`Results.counts`."""
        return {name: len(table) for name, table in self.tables.items() if name != "texts"}

    def search(self, words: Sequence[str], count: int) -> list[Row]:
        """See :meth:`Results.search`."""
        found = self._table("articles")
        parts = [pc.fill_null(found[name], "") for name in ("id", "outlet", "title")]
        line = pc.binary_join_element_wise(*parts, " ")
        mask = pa.chunked_array([pa.array([True] * len(found))])
        for word in words:
            mask = pc.and_(mask, pc.match_substring(line, word, ignore_case=True))
        chosen: list[Row] = found.take(pc.indices_nonzero(mask)[:count]).to_pylist()
        return chosen

    def groups_since(self, day: str) -> list[str]:
        """See :meth:`Results.groups_since`."""
        table = self._table("articles")
        late = pc.fill_null(pc.greater_equal(table["published"], day), False)
        return sorted(set(table.filter(late)["group"].drop_null().to_pylist()))

    def largest_groups(self, count: int) -> list[str]:
        """See :meth:`Results.largest_groups`."""
        table = self._table("groups")
        size = pc.list_value_length(table["articles"])
        sized = pa.table({"id": table["id"], "size": size})
        keys = [("size", "descending"), ("id", "ascending")]
        ids: list[str] = sized.sort_by(keys)["id"][:count].to_pylist()
        return ids

    def caps(self) -> list[Row]:
        """See :meth:`Results.caps`."""
        return list(self.run.get("caps") or ())


class IndexResults(Results):
    """One index: every call reads what is committed then; within :meth:`snapshot` of the store
    that ``store`` names, all read one state."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        opened = Index.open(folder)
        self.place = folder
        self.settings = opened.settings
        self.agencies = opened.agencies
        self._store = store

    @classmethod
    def over(cls, store: Store, settings: Settings, agencies: str | None) -> IndexResults:
        """Over an open store, which the caller has checked and closes."""
        made = cls.__new__(cls)
        made.place, made.settings, made.agencies, made._store = (
            store.folder,
            settings,
            agencies,
            store,
        )
        return made

    def _query(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._store is not None:
            return self._store.rows(query, *values)
        with Store.open(self.place) as store:
            return store.rows(query, *values)

    def rows(self, table: str, column: str, values: Sequence[str]) -> list[Row]:
        """See :meth:`Results.rows`."""
        order = ", ".join(f'"{key}"' for key in KEYS[table])
        found = self._query(
            f'SELECT * FROM "{table}" WHERE "{_known(table, column)}" IN '  # noqa: S608
            f"(SELECT value FROM json_each(?)) ORDER BY {order}",
            json.dumps(list(values)),
        )
        return [_decoded(table, row) for row in found]

    def page(self, table: str, after: str, count: int, **equal: str) -> list[Row]:
        """See :meth:`Results.page`."""
        (key,) = KEYS[table]
        where = "".join(f' AND "{_known(table, name)}" = ?' for name in equal)
        found = self._query(
            f'SELECT * FROM "{table}" WHERE "{key}" > ?{where} '  # noqa: S608
            f'ORDER BY "{key}" LIMIT ?',
            after,
            *equal.values(),
            count,
        )
        return [_decoded(table, row) for row in found]

    def texts(self, digests: Sequence[str]) -> dict[str, str]:
        """See :meth:`Results.texts`."""
        plain = zstandard.ZstdDecompressor()
        found = self._query(
            "SELECT digest, content FROM texts WHERE digest IN (SELECT value FROM json_each(?))",
            json.dumps(list(digests)),
        )
        return {digest: plain.decompress(content).decode() for digest, content in found}

    def counts(self) -> dict[str, int]:
        """See :meth:`Results.counts`."""
        return {
            name: int(self._query(f'SELECT count(*) FROM "{name}"')[0][0])  # noqa: S608
            for name in KEYS
        }

    def search(self, words: Sequence[str], count: int) -> list[Row]:
        """See :meth:`Results.search`."""
        line = "id || ' ' || coalesce(outlet, '') || ' ' || coalesce(title, '')"
        # LIKE, which is faster, knows the two cases of ASCII only.
        plain, other = f"{line} LIKE ? ESCAPE '\\'", f"instr(folded({line}), ?)"
        where = " AND ".join(plain if word.isascii() else other for word in words) or "1"
        found = self._query(
            f"SELECT * FROM articles WHERE {where} ORDER BY ref LIMIT ?",  # noqa: S608
            *(f"%{_literal(word)}%" if word.isascii() else word.lower() for word in words),
            count,
        )
        return [_decoded("articles", row) for row in found]

    def groups_since(self, day: str) -> list[str]:
        """See :meth:`Results.groups_since`."""
        query = 'SELECT DISTINCT "group" FROM articles WHERE published >= ? AND "group" IS NOT NULL'
        return sorted(group for (group,) in self._query(query, day))

    def largest_groups(self, count: int) -> list[str]:
        """See :meth:`Results.largest_groups`."""
        query = "SELECT id FROM groups ORDER BY json_array_length(articles) DESC, id LIMIT ?"
        return [group for (group,) in self._query(query, count)]

    def caps(self) -> list[Row]:
        """See :meth:`Results.caps`."""
        found = self._query("SELECT about FROM runs WHERE about IS NOT NULL ORDER BY run DESC")
        return list(json.loads(found[0][0]).get("caps") or ()) if found else []


def _known(table: str, column: str) -> str:
    """A column of a table, for a query."""
    if column not in result_columns(table):
        raise UsageError(f"{table}: has no column {column!r}")
    return column


def _literal(word: str) -> str:
    """A word in a pattern of SQL's ``LIKE``."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _decoded(table: str, row: tuple[Any, ...]) -> Row:
    """A row of an index as the output contract has it."""
    stored = dict(zip(result_columns(table), row, strict=True))
    made: Row = {}
    for field in table_schemas()[table]:
        value = stored.get(field.name)
        if value is not None and pa.types.is_nested(field.type):
            value = orjson.loads(value)
        elif value is not None and pa.types.is_boolean(field.type):
            value = bool(value)
        made[field.name] = value
    return made


def explain_articles(results: Results, a: str, b: str) -> Explanation:
    """Why two articles (refs or ids) are related, or are not.

    Raises :class:`~dedup.errors.UsageError` where there is no such article, or no texts.
    """
    one, two = results.with_text(a), results.with_text(b)
    shared = results.passages(passage_keys([one[1], two[1]]))
    return explain(
        one,
        two,
        results.settings,
        kinds=known_kinds(shared),
        passages={row["id"]: row for row in shared},
        recorded=recorded_of(results, one[0], two[0]),
    )


def recorded_of(results: Results, a: Row, b: Row) -> Row:
    """What the tables say of two articles, given by their rows: ``relation``, ``near_miss`` (rows
    or ``None``), ids of the ``groups`` that hold both, and ``caps`` of the run."""
    found: Row = {}
    for name, table in (("relation", "relations"), ("near_miss", "near_misses")):
        rows = results.rows(table, "a", [a["ref"], b["ref"]])
        pair = {a["ref"], b["ref"]}
        found[name] = next((row for row in rows if {row["a"], row["b"]} == pair), None)
    named = sorted({row["group"] for row in (a, b) if row["group"]})
    found["groups"] = [
        group["id"]
        for group in results.rows("groups", "id", named)
        if {a["ref"], b["ref"]} <= set(group["articles"])
    ]
    found["caps"] = results.caps()
    return found
