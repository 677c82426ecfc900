"""What a run of an index added, changed and removed, table by table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from dedup.errors import IndexDamagedError
from dedup.indexnotes import COMPARE_ANEW, UNUSED_WORDS
from dedup.indextables import KEYS, RESULTS, UNRANKED, result_columns
from dedup.model import table_schemas
from dedup.report.encode import parsed_date, with_date_strings
from dedup.rowdigests import known_rows, row_digests
from dedup.store import UNREADABLE, unpack_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from dedup.store import Store

Row = tuple[Any, ...]
DIGESTS = "digests"
"""The kind of the part that holds the digests of the rows of every table."""
MOST_LOOKED_UP = 10_000
"""Rows that are looked up one by one; to find more of them, all are read."""


@dataclass(frozen=True, slots=True)
class TableChanges:
    """Differences between a table of an index and the same table now.

    ``rows`` those that are new or other, as the index keeps them now, by their numbers; ``added``
    the numbers of those that are new, ``changed`` the former row of each that is other, and
    ``removed`` the keys of rows that are gone. ``digests`` of all rows
    (:func:`dedup.rowdigests.row_digests`).
    """

    rows: dict[int, Row]
    added: list[int]
    changed: dict[int, Row]
    removed: list[Row]
    digests: NDArray[np.uint64]


def table_rows(name: str, table: pa.Table) -> list[Row]:
    """The rows of a table of results as the index keeps them; nested values as JSON."""
    table = with_date_strings(name, table)
    columns = []
    for column in result_columns(name):
        values = table[column].to_pylist()
        if pa.types.is_nested(table.schema.field(column).type):
            if (name, column) in UNRANKED:
                values = [sorted(v) for v in values]
            values = [None if v is None else orjson.dumps(v).decode() for v in values]
        elif pa.types.is_boolean(table.schema.field(column).type):
            values = [None if v is None else int(v) for v in values]
        columns.append(values)
    return list(zip(*columns, strict=True))


def compare_tables(
    store: Store,
    tables: Mapping[str, pa.Table],
    formerly: Mapping[str, Sequence[Row]] | None = None,
) -> dict[str, TableChanges]:
    """How the tables of results differ from what the index holds of them.

    ``formerly``: where ``tables`` hold the rows only that may be other ones, the keys of all rows
    that may be gone, for each table that is not whole.
    """
    if formerly is not None:
        known = known_digests(store)
        return {
            name: compare_table(store, name, tables[name], known[name], formerly.get(name))
            for name in RESULTS
        }
    meta = store.meta()
    # Articles that were taken out must be out of every row, whatever its digest says.
    known = {} if COMPARE_ANEW in meta or UNUSED_WORDS in meta else known_digests(store)
    return {name: compare_table(store, name, tables[name], known.get(name)) for name in RESULTS}


def known_digests(store: Store) -> Mapping[str, NDArray[np.uint64]]:
    """Digests of the rows of the tables of results, as the last run left them.

    Empty where there are none, or where they cannot be read: nothing rests on them.
    """
    try:
        parts = store.parts(DIGESTS)
    except IndexDamagedError:
        return {}
    return parts[0] if parts else {}


def digests_of(name: str, table: pa.Table) -> NDArray[np.uint64]:
    """Digests of the rows of a table of results, by what the index keeps of them."""
    unordered = {column for of, column in UNRANKED if of == name}
    return row_digests(with_date_strings(name, table), result_columns(name), unordered)


def tell_all_rows(store: Store) -> bool:
    """Whether there are digests of as many rows of all tables of results as the index holds."""
    known = known_digests(store)
    return all(
        name in known and len(known[name]) == int(store.value(f'SELECT count(*) FROM "{name}"'))  # noqa: S608
        for name in RESULTS
    )


def compare_table(
    store: Store,
    name: str,
    table: pa.Table,
    known: NDArray[np.uint64] | None,
    formerly: Sequence[Row] | None = None,
) -> TableChanges:
    """How a table differs from what the index holds of it.

    ``known``: digests of the rows that the index holds. Most rows are as they were: those whose
    digest is not among them are looked at, and one by one. Without them, or where the index does
    not hold as many rows, all are looked at.

    ``formerly``: ``table`` does not hold rows that stand as they are; of the rows with these keys
    those are gone that it does not hold either. There are digests of all rows.
    """
    digests = digests_of(name, table)
    held = int(store.value(f'SELECT count(*) FROM "{name}"'))  # noqa: S608
    if formerly is None and known is not None and len(known) != held:
        known = None
    same = np.zeros(len(table), bool) if known is None else known_rows(digests, known)
    other = np.flatnonzero(~same)
    rows = dict(zip(other.tolist(), table_rows(name, table.take(pa.array(other))), strict=True))
    at = _key_places(name)
    former = _rows_of(store, name, [_key(row, at) for row in rows.values()])
    added: list[int] = []
    changed: dict[int, Row] = {}
    for number, row in list(rows.items()):
        before = former.get(_key(row, at))
        if before is None:
            added.append(number)
        elif before == row:
            del rows[number]
        else:
            changed[number] = before
    removed: list[Row] = []
    if formerly is not None and known is not None:
        now = set(zip(*(table[key].to_pylist() for key in KEYS[name]), strict=True))
        gone = _rows_of(store, name, [key for key in formerly if key not in now])
        removed = list(gone)
        past = digests_of(name, as_table(name, [*former.values(), *gone.values()]))
        digests = np.concatenate([known[~known_rows(known, past)], digests[other]])
    elif known is None or held != len(table) - len(added):
        names = ", ".join(f'"{key}"' for key in KEYS[name])
        stored = store.connection.execute(f'SELECT {names} FROM "{name}"')  # noqa: S608
        now = set(zip(*(table[key].to_pylist() for key in KEYS[name]), strict=True))
        removed = [key for key in stored if key not in now]
    return TableChanges(rows, added, changed, removed, digests)


def _rows_of(store: Store, name: str, keys: Sequence[Row]) -> dict[Row, Row]:
    """The rows with some keys that the index holds, by key."""
    if len(keys) > MOST_LOOKED_UP:
        at, wanted = _key_places(name), set(keys)
        rows = store.connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
        return {key: row for row in rows if (key := _key(row, at)) in wanted}
    where = " AND ".join(f'"{key}" = ?' for key in KEYS[name])
    query = f'SELECT * FROM "{name}" WHERE {where}'  # noqa: S608
    found = (store.connection.execute(query, key).fetchone() for key in keys)
    return {key: row for key, row in zip(keys, found, strict=True) if row is not None}


def keep_digests(store: Store, run: int, found: Mapping[str, TableChanges]) -> None:
    """Keep the digests of all rows, for the next comparison."""
    store.replace_parts(DIGESTS, run, {name: found[name].digests for name in RESULTS})


def store_changes(store: Store, run: int, found: Mapping[str, TableChanges]) -> dict[str, set[Row]]:
    """Bring the tables of the index up to date, and note what changed under ``run``.

    Returns the keys that the same run had noted before, when it was killed in between.
    """
    former = {
        name: {
            tuple(orjson.loads(key))
            for (key,) in store.rows(
                'SELECT key FROM changes WHERE run = ? AND "table" = ?', run, name
            )
        }
        for name in RESULTS
    }
    number = int(store.value("SELECT coalesce(max(number), 0) FROM changes WHERE run = ?", run))
    notes: list[Row] = []
    for name in RESULTS:
        changes = found[name]
        at, columns = _key_places(name), result_columns(name)
        where = " AND ".join(f'"{key}" = ?' for key in KEYS[name])
        query = f'DELETE FROM "{name}" WHERE {where}'  # noqa: S608
        store.connection.executemany(query, changes.removed)
        current = [changes.rows[i] for i in (*changes.added, *changes.changed)]
        store.insert(name, current, replace=True)
        told: list[tuple[Row, str, Row | None, Row | None]] = []
        told += [(_key(changes.rows[i], at), "added", None, None) for i in changes.added]
        for i, before in changes.changed.items():
            told.append((_key(before, at), "changed", before, changes.rows[i]))
        told += [(key, "removed", None, None) for key in changes.removed]
        for key, change, was, after in sorted(told, key=lambda note: _sortable(note[0])):
            values: Row = (None, None, None)
            if was is not None and after is not None:
                other = [i for i in range(len(columns)) if was[i] != after[i]]
                values = (
                    _text([columns[i] for i in other]),
                    _text({columns[i]: was[i] for i in other}),
                    _text({columns[i]: after[i] for i in other}),
                )
            number += 1
            notes.append((run, number, name, change, _text(list(key)), *values))
    store.insert("changes", notes)
    return former


def delta_tables(
    tables: Mapping[str, pa.Table],
    found: Mapping[str, TableChanges],
    former: Mapping[str, set[Row]],
) -> dict[str, pa.Table]:
    """The rows of every table of results that a run added or changed.

    ``former`` keys were changed by the same run already.
    """
    out = {}
    for name in RESULTS:
        chosen = {*found[name].added, *found[name].changed}
        if former[name]:
            keys = zip(*(tables[name][key].to_pylist() for key in KEYS[name]), strict=True)
            chosen.update(i for i, key in enumerate(keys) if key in former[name])
        out[name] = tables[name].take(pa.array(sorted(chosen), pa.int64()))
    return out


def keep_delta(store: Store, run: int, delta: Mapping[str, pa.Table]) -> None:
    """Keep the rows until they are written, which another process may have to do."""
    packed = {}
    for name, table in delta.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        packed[name] = np.frombuffer(sink.getvalue(), np.uint8)
    store.replace_parts("delta", run, packed)


def kept_delta(store: Store, run: int) -> dict[str, pa.Table]:
    """What :func:`keep_delta` kept of a run; nothing if that run committed nothing.

    Raises :class:`~dedup.errors.IndexDamagedError` where it cannot be read.
    """
    query = "SELECT part, data FROM parts WHERE kind = 'delta' AND run = ?"
    for part, data in store.rows(query, run):
        try:
            packed = unpack_arrays(data)
            return {name: pa.ipc.open_stream(a).read_all() for name, a in packed.items()}
        except (*UNREADABLE, pa.ArrowException) as error:
            raise store.damaged_part(part, "delta", f"cannot be unpacked: {error}") from error
    return {}


def changes_of(store: Store, run: int) -> list[dict[str, Any]]:
    """What a run changed, as the lines of ``changes.jsonl``: rows by table, then groups."""
    query = (
        'SELECT "table", change, key, fields, "before", "after" FROM changes WHERE run = ? '
        "ORDER BY number"
    )
    lines: list[dict[str, Any]] = []
    for table, change, key, fields, before, after in store.rows(query, run):
        line = {"table": table, "change": change, "key": orjson.loads(key)}
        if fields is not None:
            line["fields"] = orjson.loads(fields)
            line["before"] = None if before is None else _stated(table, orjson.loads(before))
            line["after"] = _stated(table, orjson.loads(after))
        lines.append(line)
    query = 'SELECT "group", event, others, reason FROM group_history WHERE run = ? ORDER BY rowid'
    for group, event, others, reason in store.rows(query, run):
        lines.append(
            {
                "table": "groups",
                "change": event,
                "key": [group],
                "others": orjson.loads(others),
                "reason": reason,
            }
        )
    return lines


def _stated(table: str, values: dict[str, Any]) -> dict[str, Any]:
    """Values of some columns as the output contract has them, not as the index keeps them."""
    schema = table_schemas()[table]
    for name, value in values.items():
        kind = schema.field(name).type
        if value is not None and pa.types.is_nested(kind):
            values[name] = orjson.loads(value)
        elif value is not None and pa.types.is_boolean(kind):
            values[name] = bool(value)
    return values


def stored_rows(store: Store, name: str, keys: Iterable[Row]) -> pa.Table:
    """Rows of a table of results by their keys, as the output contract has them but for scores."""
    where = " AND ".join(f'"{key}" = ?' for key in KEYS[name])
    query = f'SELECT * FROM "{name}" WHERE {where}'  # noqa: S608
    return as_table(name, [row for key in keys for row in store.rows(query, *key)])


def as_table(name: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as the index keeps them, as the output contract has them but for scores."""
    schema = table_schemas()[name]
    columns = result_columns(name)
    arrays = []
    for field in schema:
        if field.name not in columns:
            arrays.append(pa.nulls(len(rows), field.type))
            continue
        values = [row[columns.index(field.name)] for row in rows]
        if pa.types.is_nested(field.type):
            values = [None if v is None else orjson.loads(v) for v in values]
        elif pa.types.is_timestamp(field.type):
            values = [parsed_date(v) for v in values]
        elif pa.types.is_boolean(field.type):
            values = [None if v is None else bool(v) for v in values]
        arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema)


def _key_places(name: str) -> list[int]:
    columns = result_columns(name)
    return [columns.index(key) for key in KEYS[name]]


def _key(row: Row, at: list[int]) -> Row:
    return tuple(row[i] for i in at)


def _sortable(key: Row) -> Row:
    return tuple((value is None, value) for value in key)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
