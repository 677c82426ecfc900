"""Parquet: row groups one after another, only the columns that are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from dedup.read.rows import DAMAGE, rows_of, short
from dedup.read.seekable import seekable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source

_ROWS = 512


def shows(head: Head) -> bool:
    """Whether the file begins with Parquet's magic."""
    return head.data.startswith(b"PAR1")


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the rows of a Parquet file. Damage is noted by row group, and the rest is read.

    Raises :class:`~dedup.errors.UsageError` when there is no text column or a column that was
    asked for is missing.
    """
    with seekable(source) as handle:
        try:
            file = pq.ParquetFile(handle, pre_buffer=False, page_checksum_verification=True)
        except DAMAGE as error:
            intake.incomplete(f"not readable as Parquet: {short(error)}")
            return
        yield from _row_groups(file, source, intake)


def _row_groups(file: pq.ParquetFile, source: Source, intake: Intake) -> Iterator[RawRecord]:
    with file:
        names = tuple(file.schema_arrow.names)
        columns = intake.columns.of(names)
        intake.columns.check(need_text=True)
        needed = sorted({*columns.taken().values(), *(name for _, name in columns.metadata)})
        if intake.observe is not None:
            needed = sorted(set(names))
        first = 1
        for group in range(file.num_row_groups):
            yield from _row_group(file, group, first, needed, columns.text, intake)
            rows = file.metadata.row_group(group).num_rows
            first += rows
            # By rows: pyarrow aborts the process when the metadata of a column are damaged and
            # asked for, so their compressed sizes are left alone.
            if source.plain and source.size and 0 < rows <= file.metadata.num_rows:
                intake.progress.advance(source.size * rows // file.metadata.num_rows)


def _row_group(
    file: pq.ParquetFile,
    group: int,
    first: int,
    needed: list[str],
    text: str | None,
    intake: Intake,
) -> Iterator[RawRecord]:
    row = first
    try:
        # Arrow raises while a batch is fetched as well as while it is converted; a row is
        # either yielded or, with the rest of its row group, covered by the note of damage.
        for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group], columns=needed):
            for record in rows_of(batch, row, text, intake):
                row += 1
                if record is not None:
                    yield record
    except DAMAGE as error:
        intake.incomplete(f"row group {group} is damaged from row {row} on: {short(error)}")
