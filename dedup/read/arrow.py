"""Arrow: IPC files (Feather) and streams, a record batch at a time, only the columns needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.ipc as ipc

from dedup.read.rows import DAMAGE, rows_of, short
from dedup.read.seekable import seekable

if TYPE_CHECKING:
    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source

_FILE = b"ARROW1"
_STREAM = b"\xff\xff\xff\xff"
_FEATHER_1 = b"FEA1"
_ROWS = 512
_TOO_OLD = (
    "Feather version 1 is not read; write the table again as Arrow (Feather version 2) or Parquet"
)
_Numbered = tuple[int, Callable[[], pa.RecordBatch]]
"""The number of a record batch and what fetches it."""


def shows(head: Head) -> bool:
    """Whether the input begins as an Arrow file or stream does, or as Feather's first version.

    A stream begins with a length after four bytes 255, which no text does.
    """
    data = head.data
    is_stream = data.startswith(_STREAM) and data[6:8] == b"\0\0" and data[4:6] != b"\0\0"
    return is_stream or data.startswith((_FILE, _FEATHER_1))


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the rows of an Arrow file or stream. After damage, other batches of a file are read.

    Raises :class:`~dedup.errors.UsageError` when there is no text column or a column that was
    asked for is missing.
    """
    with seekable(source) as handle:
        if handle.read(4) == _FEATHER_1:
            intake.incomplete(_TOO_OLD)
            return
        handle.seek(0)
        in_file = handle.read(6) == _FILE
        opened = ipc.open_file if in_file else ipc.open_stream
        try:
            handle.seek(0)
            names = opened(handle).schema.names  # which may be no UTF-8 where they are damaged
        except DAMAGE as error:
            intake.incomplete(f"not readable as Arrow: {short(error)}")
            return
        columns = intake.columns.of(tuple(names))
        intake.columns.check(need_text=True)
        needed = {*columns.taken().values(), *(name for _, name in columns.metadata)}
        fields = [i for i, name in enumerate(names) if name in needed or intake.observe]
        handle.seek(0)
        reader = opened(handle, options=ipc.IpcReadOptions(included_fields=fields))
        batches = _of_file(reader) if in_file else _of_stream(reader)
        yield from _rows(batches, columns.text, intake)


def _rows(batches: Iterator[_Numbered], text: str | None, intake: Intake) -> Iterator[RawRecord]:
    """The rows of batches, each of which is fetched, checked and converted under one guard."""
    row = 1
    for number, fetch in batches:
        try:
            batch = _checked(fetch())
            for start in range(0, batch.num_rows, _ROWS):
                for record in rows_of(batch.slice(start, _ROWS), row, text, intake):
                    row += 1
                    if record is not None:
                        yield record
        except StopIteration:
            return
        except DAMAGE as error:
            intake.incomplete(f"record batch {number} is damaged at row {row}: {short(error)}")


def _of_file(reader: ipc.RecordBatchFileReader) -> Iterator[_Numbered]:
    for number in range(reader.num_record_batches):
        yield number, partial(reader.get_batch, number)


def _of_stream(reader: ipc.RecordBatchStreamReader) -> Iterator[_Numbered]:
    failed = False

    def fetch() -> pa.RecordBatch:
        nonlocal failed
        failed = True  # until it has come: what follows damage in a stream cannot be found
        batch = reader.read_next_batch()
        failed = False
        return batch

    for number in count():
        yield number, fetch
        if failed:
            return


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with all its offsets checked; strings that are no UTF-8 become bytes.

    Raises ``pyarrow.ArrowInvalid`` for data that Arrow could not use without reading beyond them.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        batch = pa.RecordBatch.from_arrays(
            [_as_bytes(column) for column in batch.columns], names=batch.schema.names
        )
        batch.validate(full=True)
    return batch


def _as_bytes(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return column.view(pa.binary())
    if pa.types.is_large_string(column.type):
        return column.view(pa.large_binary())
    return column
