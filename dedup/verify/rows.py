"""Rows of the tables of results against the digests that the last run left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.changes import as_table, digests_of, known_digests
from dedup.indextables import KEYS, RESULTS, result_columns
from dedup.rowdigests import known_rows
from dedup.store import UNREADABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.store import Store
    from dedup.verify import Verified

ROWS_AT_ONCE = 5000
TOLD = 3
"""Rows of a table that are named; of others there is a count."""


def check_rows(store: Store, found: Verified) -> None:
    """No row is other than the last run left it, none was added, none is missing.

    An index that was brought forward has no digests until its next update.
    """
    digests = known_digests(store)
    for name in RESULTS:
        if name in digests:
            _check_table(store, name, digests[name], found)


def _check_table(store: Store, name: str, known: NDArray[np.uint64], found: Verified) -> None:
    columns = result_columns(name)
    cursor = store.connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
    at = [columns.index(key) for key in KEYS[name]]
    named: list[str] = []
    count = other = 0
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        count += len(rows)
        try:
            same = known_rows(digests_of(name, as_table(name, rows)), known)
        except (*UNREADABLE, TypeError, pa.ArrowException) as error:
            found.problems.append(f"{name}: rows cannot be read: {error}")
            continue
        wrong = np.flatnonzero(~same).tolist()
        other += len(wrong)
        named += [str([rows[i][k] for k in at]) for i in wrong[: TOLD - len(named)]]
    if other:
        more = f" and {other - TOLD:,} more" if other > TOLD else ""
        found.problems.append(f"{name}: not as the last run left them: {', '.join(named)}{more}")
    if count != len(known):
        found.problems.append(f"{name}: {count:,} rows, the last run left {len(known):,}")
