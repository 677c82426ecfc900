"""Notifications that are still to be sent: rows of the index, written with the run itself.

The rows of a run come into being with it (:func:`dedup.runs.begin`) and are due when it is done,
so that no kill can lose one; they are settled when they were delivered. A kill between the two
repeats a delivery, under the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from dedup.runs import DONE, PENDING
from dedup.store import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dedup.store import Store

SENT, UNWANTED, DROPPED = "sent", "unwanted", "dropped"
"""Other states: delivered; of a run that its recipient does not want to hear of; of a recipient
whom the job no longer names."""


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to send: of which run, under which key, to whom (as the index calls it), and
    what it says where that was fixed at once, as it is for a failure."""

    run: int
    key: str
    name: str
    message: dict[str, Any] | None


def name_of(job: str, recipient: str) -> str:
    """How the index calls the recipient of a job; several jobs may share an index."""
    return f"{job}/{recipient}"


def due(store: Store, job: str) -> list[Due]:
    """What a job has to send, in the order of its runs."""
    query = (
        "SELECT run, key, name, message FROM notifications WHERE state = ? AND (message NOT NULL "
        "OR run IN (SELECT run FROM runs WHERE state = ?)) ORDER BY run, at, key, name"
    )
    return [
        Due(run, key, name, None if message is None else orjson.loads(message))
        for run, key, name, message in store.rows(query, PENDING, DONE)
        if name.startswith(name_of(job, ""))
    ]


def add(store: Store, run: int, message: Mapping[str, Any], names: Iterable[str]) -> None:
    """Keep a message that is due at once."""
    text = orjson.dumps(message).decode()
    with store.transaction():
        rows = [(run, message["key"], name, PENDING, text, now(), None) for name in names]
        store.insert("notifications", rows, replace=True)


def settle(store: Store, one: Due, state: str, error: str | None = None) -> None:
    """Note what became of a notification; one that stays ``pending`` is tried again."""
    with store.transaction():
        store.connection.execute(
            "UPDATE notifications SET state = ?, error = ? WHERE run = ? AND key = ? AND name = ?",
            (state, error, one.run, one.key, one.name),
        )
