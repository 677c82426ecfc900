"""The runs of an index: begun, continued when a process was killed, done.

A run is ``reading`` while its records come in, ``committed`` once its results are, and ``done``
when its outputs are written. Runs are numbered in the order in which they began, whatever the
clock says. There is one unfinished run at most, the last one; whoever holds the lock goes on with
it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from dedup.indexnotes import NAMING_OUTPUTS, REMOVED, RESTATED
from dedup.store import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dedup.read.drop import FileState
    from dedup.store import Store

READING, COMMITTED, DONE = "reading", "committed", "done"
UPDATE, DELETION, REBUILD = "update", "delete", "rebuild"
"""Kinds of runs: one that only takes articles out is a deletion."""
PENDING = "pending"
"""State of a notification that is still to be sent."""


@dataclass(frozen=True, slots=True)
class Started:
    """A run under way: its number and id, its state, when it began (ISO 8601, UTC), and whether
    an earlier process had begun it."""

    number: int
    id: str
    state: str
    at: str
    continued: bool


def unfinished(store: Store) -> Started | None:
    """The run that an earlier process left unfinished."""
    query = "SELECT run, id, state, started FROM runs WHERE state != ? ORDER BY run"
    for number, identity, state, at in store.rows(query, DONE):
        return Started(number, identity, state, at, continued=True)
    return None


def begin(
    store: Store, inputs: list[str], notify: Sequence[str] = (), *, kind: str = UPDATE
) -> Started:
    """Go on with the unfinished run, or begin a new one of a ``kind``.

    ``notify``: names of those who are to be told of it, which is kept until they are.
    """
    started = unfinished(store)
    with store.transaction():
        if started is None:
            identity, at = uuid.uuid4().hex, now()
            store.connection.execute(
                "INSERT INTO runs (id, kind, state, started, inputs) VALUES (?, ?, ?, ?, ?)",
                (identity, kind, READING, at, orjson.dumps(inputs).decode()),
            )
            number = int(store.value("SELECT max(run) FROM runs"))
            started = Started(number, identity, READING, at, continued=False)
            # Of the runs before only what changed is kept, not the rows that they wrote.
            store.drop_parts("delta")
            store.forget_note(NAMING_OUTPUTS)
        elif started.state == COMMITTED:
            # This process may be killed, too, with further records taken in and not compared.
            store.connection.execute(
                "UPDATE runs SET state = ? WHERE run = ?", (READING, started.number)
            )
        store.connection.executemany(
            "INSERT OR IGNORE INTO notifications (run, key, name, state, at) "
            "VALUES (?, ?, ?, ?, ?)",
            [(started.number, started.id, name, PENDING, now()) for name in notify],
        )
    return started


def finish(
    store: Store,
    started: Started,
    about: Mapping[str, Any],
    *,
    read: Mapping[str, FileState],
    gone: Iterable[str],
) -> None:
    """The run is done: its outputs are written.

    ``about``: content of ``run.json``; ``read``: files of drop folders that need not be read
    again, by absolute path; ``gone``: such files that are no longer there.
    """
    with store.transaction():
        store.connection.execute(
            "UPDATE runs SET state = ?, finished = ?, about = ? WHERE run = ?",
            (DONE, now(), orjson.dumps(about).decode(), started.number),
        )
        store.connection.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
        files = [(path, f.size, f.modified, started.number) for path, f in read.items()]
        store.insert("files", files, replace=True)


def forget(store: Store, started: Started) -> None:
    """Take back a run that was refused before it did anything, so that it is not gone on with.

    Its number goes to the next one: no row has it.
    """
    number = started.number
    did = store.value("SELECT count(*) FROM records WHERE run = ?", number)
    if started.continued or did or not {REMOVED, RESTATED}.isdisjoint(store.meta()):
        return
    with store.transaction():
        for table in ("runs", "notifications", "outputs"):
            store.connection.execute(f"DELETE FROM {table} WHERE run = ?", (number,))  # noqa: S608


def owed_outputs(store: Store, started: Started) -> list[str]:
    """Folders that processes of a run were told to write, and have not yet, or not to its end."""
    query = "SELECT DISTINCT folder FROM outputs WHERE run = ? ORDER BY rowid"
    return [folder for (folder,) in store.rows(query, started.number)]


def note_output(store: Store, started: Started, out: Path, named: Iterable[str] = ()) -> None:
    """Note a folder that a run writes, and (before it is written) the articles ``named`` in it."""
    folder = str(out.resolve())
    with store.transaction():
        store.connection.execute(
            "DELETE FROM outputs WHERE run = ? AND folder = ?", (started.number, folder)
        )
        refs = orjson.dumps(sorted(named)).decode()
        store.insert("outputs", [(started.number, folder, refs)])


def remembered_files(store: Store) -> dict[str, FileState]:
    """Files of drop folders that runs have read, by absolute path."""
    from dedup.read.drop import FileState

    rows = store.rows("SELECT path, size, modified FROM files")
    return {path: FileState(size, modified) for path, size, modified in rows}
