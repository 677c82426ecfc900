"""Articles that their senders took back: canceled or withheld items and their earlier versions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.model import Reject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.model import FileLedger, Ledger, Withdrawal


def withdrawn_rows(
    table: pa.Table, reading: NDArray[np.int64], ledger: Ledger
) -> NDArray[np.bool_]:
    """Which rows of articles are withdrawn (bool, rows); they become rejects of ``ledger``.

    ``table`` has the columns ``id``, ``digest``, ``version``, ``file`` and ``position``;
    ``reading`` int64 (rows,) is the order in which the rows were read. A notice holds for what
    was read before and after it. Rows after those that the ledger counts (articles of a former
    run) are left out, too, and not counted.
    """
    covered = np.zeros(len(table), bool)
    if not ledger.withdrawals:
        return covered
    notices: dict[str, list[Withdrawal]] = defaultdict(list)
    for notice in ledger.withdrawals:
        notices[notice.id].append(notice)
    named = pc.is_in(table["id"], value_set=pa.array(sorted(notices), pa.string()))
    rows = np.flatnonzero(np.asarray(named))
    if not len(rows):
        return covered
    records = table.take(pa.array(rows)).select(["id", "digest", "version", "file", "position"])
    entries = {entry.file: entry for entry in ledger.files}
    read = ledger.articles + ledger.repeats
    groups: dict[tuple[str, str], list[tuple[int, FileLedger | None, bool]]] = defaultdict(list)
    for row, record in zip(rows.tolist(), records.to_pylist(), strict=True):
        entry = entries.get(record["file"]) if reading[row] < read else None
        by = next((n for n in notices[record["id"]] if n.covers(record["version"])), None)
        groups[record["id"], record["digest"]].append((row, entry, by is not None))
        if by is None:
            continue
        covered[row] = True
        if entry is not None:
            reason = f"withdrawn: the item is {by.status} by its sender in {_place(by)}"
            ledger.rejects.append(Reject(record["file"], record["position"], reason))
    for group in groups.values():
        _settle(sorted(group, key=lambda member: int(reading[member[0]])))
    return covered


def _settle(group: list[tuple[int, FileLedger | None, bool]]) -> None:
    """Balance the records of one id and text, in reading order, of which some are withdrawn.

    The first was counted as the article and the others as repeats; now the first that stays is.
    """
    stays = next((row for row, _, gone in group if not gone), None)
    for number, (row, entry, gone) in enumerate(group):
        if entry is None:
            continue
        if number == 0:
            entry.articles -= 1
        else:
            entry.repeats -= 1
        if gone:
            entry.rejected += 1
        elif row == stays:
            entry.articles += 1
        else:
            entry.repeats += 1


def _place(notice: Withdrawal) -> str:
    return f"{notice.file}, {notice.position}" if notice.position else notice.file
