"""Articles out of an index whose senders canceled or withheld them, in whichever run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from dedup.indexnotes import WITHDRAWALS
from dedup.ingest import noted_withdrawals
from dedup.removal import take_out

if TYPE_CHECKING:
    from dedup.model import Ledger
    from dedup.store import Store


def retract(store: Store, run: int, ledger: Ledger) -> None:
    """Take out what the withdrawals of ``ledger`` and of earlier runs name, after a run has
    taken in its articles; what is said once holds for what comes later, too.

    The ledger's warnings say how much.
    """
    notices = noted_withdrawals(store)
    known = len(notices)
    for notice in ledger.withdrawals:
        covering = notices.get(notice.id)
        if covering is None or not covering.covers_all_of(notice):
            notices[notice.id] = notice
    if not notices:
        return
    if len(notices) > known or ledger.withdrawals:
        with store.transaction():
            listed = [[n.id, n.version, n.file, n.position, n.status] for n in notices.values()]
            store.note({WITHDRAWALS: orjson.dumps(listed).decode()})
    query = "SELECT id, digest, version FROM records WHERE id IN (SELECT value FROM json_each(?))"
    rows = store.rows(query, orjson.dumps(list(notices)).decode())
    keys = [(identity, digest) for identity, digest, v in rows if notices[identity].covers(v)]
    if not keys:
        return
    take_out(store, run, keys)
    ledger.warnings.append(
        f"articles left out of the index since their senders canceled or withheld them: {len(keys)}"
    )
