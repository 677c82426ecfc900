"""Indexes of earlier versions, brought forward: one step from each schema to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.indexnotes import PARTS
from dedup.lock import Lock
from dedup.store import FILE, SCHEMA, Store, digest_of, no_index, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def bring_forward(folder: Path) -> bool:
    """Bring the index in ``folder`` to the present schema, if a known one is older; returns whether
    it was. One transaction: it is wholly done, or not at all.

    Raises:
        IndexMissingError: there is no index.
        IndexWriteError: it cannot be written.
        LockedError: another process is changing it.
    """
    if not (folder / FILE).is_file():
        raise no_index(folder)
    if schema_of(folder) not in STEPS:
        return False
    lock = Lock(folder)
    lock.take()
    try:
        schema = schema_of(folder)  # another process may have done it since
        if schema in STEPS:
            with Store.open(folder, writing=True, schema=schema) as store, store.transaction():
                for number in range(schema, SCHEMA):
                    STEPS[number](store)
                store.connection.execute(f"PRAGMA user_version = {SCHEMA}")
    finally:
        lock.release()
    return True


def _digests_of_parts(store: Store) -> None:
    """Parts have digests, and changes no reason, which never was stated."""
    store.connection.execute("ALTER TABLE changes DROP COLUMN reason")
    store.connection.execute("ALTER TABLE parts ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
    for part, data in store.connection.execute("SELECT part, data FROM parts").fetchall():
        store.connection.execute(
            "UPDATE parts SET digest = ? WHERE part = ?", (digest_of(data), part)
        )
    store.note({PARTS: store.digest_of_parts()})


STEPS: dict[int, Callable[[Store], None]] = {1: _digests_of_parts}
"""By the schema from which each leads to the next."""
