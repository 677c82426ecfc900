"""Where each shared passage stands, in which articles, and which of these was first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.chronology import first_of_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.pipeline import Analysis
    from dedup.tables.records import Records


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Shared passages by rank ("rows"), as flat arrays.

    Occurrences by (ref, place): ``start`` int64 (rows + 1), ``record`` int64, ``begin`` and ``end``
    int32 characters. Their articles, each once, by number: ``holder_start`` int64 (rows + 1),
    ``holder`` int64. ``first`` int64 (rows): the record observed first, or -1.
    """

    start: NDArray[np.int64]
    record: NDArray[np.int64]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    holder_start: NDArray[np.int64]
    holder: NDArray[np.int64]
    first: NDArray[np.int64]


def find_occurrences(records: Records, x: Analysis, rank: NDArray[np.int64]) -> Occurrences:
    """All occurrences of all shared passages; ``rank`` int64 is the row of each."""
    s, c, of = x.shared, x.collection, x.corpus.records
    row = np.repeat(rank, np.diff(s.start))
    node = c.p_article[s.passage].astype(np.int64)
    # Every article that has the text.
    many = of.start[node + 1] - of.start[node]
    which = np.repeat(np.arange(len(node)), many)
    number = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
    record = of.order[of.start[node[which]] + number]
    row, passage = row[which], s.passage[which]
    order = np.lexsort((c.p_start[passage], records.place[record], row))
    row, record, passage = row[order], record[order], passage[order]
    rows = np.arange(len(rank) + 1)
    key = np.unique(row * np.int64(len(records) + 1) + record)
    holder_row, holder = np.divmod(key, np.int64(len(records) + 1))
    holder_start = np.searchsorted(holder_row, rows).astype(np.int64)
    at = first_of_each(holder_start, records.intervals.take(holder))
    return Occurrences(
        np.searchsorted(row, rows).astype(np.int64),
        record,
        c.p_start[passage],
        c.p_end[passage],
        holder_start,
        holder,
        np.where(at >= 0, holder[np.maximum(at, 0)] if len(holder) else -1, -1),
    )
