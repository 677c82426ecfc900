"""Parquet: row groups one after another, only the columns that are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import INVALID_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head

_ROWS = 512
_TOO_LARGE = "the record has {size} bytes of text, more than max_record_bytes allows ({limit})"


def shows(head: Head) -> bool:
    """Whether the file begins with Parquet's magic."""
    return head.data.startswith(b"PAR1")


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the rows of a Parquet file. Damage is noted by row group, and the rest is read.

    Raises :class:`~dedup.errors.UsageError` when there is no text column or a column that was
    asked for is missing.
    """
    if source.path is None or source.stream.compression:
        intake.incomplete("Parquet is read from a plain file only; unpack it first")
        return
    try:
        file = pq.ParquetFile(source.path, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        intake.incomplete(f"not readable as Parquet: {_short(error)}")
        return
    with file:
        names = tuple(file.schema_arrow.names)
        columns = intake.columns.of(names)
        intake.columns.check(need_text=True)
        needed = sorted({*columns.taken().values(), *(name for _, name in columns.metadata)})
        first = 1
        for group in range(file.num_row_groups):
            yield from _row_group(file, group, first, needed, columns.text, intake)
            rows = file.metadata.row_group(group).num_rows
            first += rows
            # By rows: pyarrow aborts the process when the metadata of a column are damaged and
            # asked for, so their compressed sizes are left alone.
            if source.size and 0 < rows <= file.metadata.num_rows:
                intake.progress.advance(source.size * rows // file.metadata.num_rows)


def _row_group(
    file: pq.ParquetFile,
    group: int,
    first: int,
    needed: list[str],
    text: str | None,
    intake: Intake,
) -> Iterator[RawRecord]:
    limit = intake.settings.max_record_bytes
    row = first
    try:
        # Arrow raises while a batch is fetched as well as while it is converted; a row is
        # either yielded or, with the rest of its row group, covered by the note of damage.
        for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group], columns=needed):
            issues, values = _python_columns(batch)
            # Backwards, so that of two columns of one name the first is used.
            columns = list(zip(batch.schema.names, values, strict=True))[::-1]
            for i in range(batch.num_rows):
                record = {name: column[i] for name, column in columns}
                found = tuple(issues[i]) if i in issues else ()
                body = record.get(text) if text is not None else None
                if isinstance(body, str) and len(body) > limit:
                    reason = _TOO_LARGE.format(size=len(body), limit=limit)
                    intake.reject(f"row {row}", reason, body)
                elif found and intake.settings.reject_invalid_utf8:
                    intake.reject(f"row {row}", "invalid UTF-8")
                else:
                    yield RawRecord(f"row {row}", record, found)
                row += 1
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        intake.incomplete(f"row group {group} is damaged from row {row} on: {_short(error)}")


def _python_columns(batch: pa.RecordBatch) -> tuple[dict[int, set[str]], list[list[Any]]]:
    """The columns of a batch as Python values, and the rows whose text was not valid UTF-8."""
    issues: dict[int, set[str]] = {}
    values = []
    for column in batch.columns:
        try:
            found = _plain(column).to_pylist()
        except UnicodeDecodeError:
            found = _plain(column).cast(pa.large_binary()).to_pylist()
        except (ValueError, OverflowError):  # a time that Python cannot express
            found = [_scalar(value) for value in _plain(column)]
        for i, value in enumerate(found):
            if isinstance(value, bytes):
                text = value.decode("utf-8", "replace")
                if text.encode() != value:
                    issues.setdefault(i, set()).add(INVALID_UTF8)
                found[i] = text
        values.append(found)
    return issues, values


def _scalar(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return str(value.cast(pa.int64()).as_py())


def _plain(column: pa.Array) -> pa.Array:
    """Nanoseconds are dropped: Python's datetimes have microseconds."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    return column


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
