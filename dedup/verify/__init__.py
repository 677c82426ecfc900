"""Is an index whole? Everything in it is read, and what follows from something else found anew.

Texts come first: they are what all the rest can be made of again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dedup.arena import Arena
from dedup.indexnotes import ERASURE_KEY
from dedup.ingest import erasure_mark
from dedup.verify.findings import check_findings
from dedup.verify.kept import check_kept
from dedup.verify.references import check_references
from dedup.verify.rows import check_rows
from dedup.verify.texts import check_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from dedup.config import Settings
    from dedup.store import Store

    Check = Callable[[Store, "Verified"], None]


@dataclass(slots=True)
class Verified:
    """What was looked at, and what is wrong with it.

    ``problems``: one line each, empty for a whole index. ``unfinished``: the id of a run that was
    ended before it was done and that the next update continues, or ``None``; that is no problem.
    ``left_over``: kept comparisons of texts that were taken out since, which nothing uses.
    """

    articles: int = 0
    texts: int = 0
    passages: int = 0
    matches: int = 0
    comparisons: int = 0
    left_over: int = 0
    unfinished: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_store(
    store: Store,
    settings: Settings,
    *,
    arena: Arena | None = None,
    threads: int = 1,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Verified:
    """Look at everything that an open index holds, as of what was committed last.

    ``settings`` are those of the index; ``arena`` has the memory for its words. What cannot be read
    is a problem like others, and the rest is looked at all the same.
    """
    found = Verified()

    def tick(name: str, done: int, total: int | None) -> None:
        if progress:
            progress(name, done, total)

    with store.snapshot():
        tick("database", 0, None)
        _checked(found, "the database", lambda: _check_database(store, found))
        _checked(found, "the table 'runs'", lambda: _check_runs(store, found))
        texts = None
        tick("texts", 0, None)
        try:
            texts = check_texts(store, settings, found, threads=threads, progress=progress)
        except sqlite3.DatabaseError as error:
            found.problems.append(f"texts: cannot be read: {error}")
        tick("references", 0, None)
        lengths = {} if texts is None else texts.lengths
        _checked(found, "references", lambda: check_references(store, found, lengths))
        _checked(found, "rows of results", lambda: check_rows(store, found))
        _checked(found, "erased texts", lambda: _check_erased(store, found))
        if texts is not None:
            tick("matches", 0, None)
            whole = texts
            _checked(
                found,
                "matches",
                lambda: check_findings(store, settings, found, whole, progress=progress),
            )
            tick("passages", 0, None)
            room = arena or Arena()
            _checked(
                found,
                "similar passages",
                lambda: check_kept(store, settings, found, whole, arena=room, threads=threads),
            )
    return found


def _checked(found: Verified, what: str, check: Callable[[], None]) -> None:
    try:
        check()
    except sqlite3.DatabaseError as error:
        found.problems.append(f"{what}: cannot be read: {error}")


def _check_database(store: Store, found: Verified) -> None:
    for (line,) in store.connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            found.problems.append(f"database: {line}")
    for table, row, parent, _ in store.connection.execute("PRAGMA foreign_key_check"):
        found.problems.append(f"{table}: row {row} refers to none of {parent}")


def _check_runs(store: Store, found: Verified) -> None:
    left = store.rows("SELECT id, state FROM runs WHERE state != 'done' ORDER BY run")
    for identity, state in left:
        if state not in ("reading", "committed"):
            found.problems.append(f"runs: run {identity} has the unknown state '{state}'")
    if len(left) > 1:
        found.problems.append(f"runs: {len(left)} runs are unfinished, there can be one")
    if left:
        found.unfinished = left[0][0]


def _check_erased(store: Store, found: Verified) -> None:
    marks = {mark for (mark,) in store.rows("SELECT mark FROM erased")}
    if not marks:
        return
    key = store.meta()[ERASURE_KEY]
    for (digest,) in store.connection.execute("SELECT digest FROM texts"):
        if erasure_mark(key, digest) in marks:
            found.problems.append(f"texts: {digest} is here, though it was erased")
