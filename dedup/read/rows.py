"""Rows of Arrow batches as records: what Parquet and Arrow files have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.read.intake import Intake, RawRecord
from dedup.read.jsontext import INVALID_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator

DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
"""What Arrow raises for damaged data; a damaged length asks for more memory than there is."""

_TOO_LARGE = "the record has {size} bytes of text, more than max_record_bytes allows ({limit})"


def rows_of(
    batch: pa.RecordBatch, first: int, text: str | None, intake: Intake
) -> Iterator[RawRecord | None]:
    """Yield each row of a batch, ``None`` for one that was rejected.

    ``first`` is the number of the first row in the file, ``text`` the column of the text. Raises
    Arrow's errors and ``ValueError`` for damaged data.
    """
    limit = intake.settings.max_record_bytes
    issues, values = _python_columns(batch)
    # Backwards, so that of two columns of one name the first is used.
    columns = list(zip(batch.schema.names, values, strict=True))[::-1]
    for i in range(batch.num_rows):
        record = {name: column[i] for name, column in columns}
        found = tuple(sorted(issues[i])) if i in issues else ()
        body = record.get(text) if text is not None else None
        position = f"row {first + i}"
        if isinstance(body, str) and len(body) > limit:
            intake.reject(position, _TOO_LARGE.format(size=len(body), limit=limit), body)
            yield None
        elif found and intake.settings.reject_invalid_utf8:
            intake.reject(position, "invalid UTF-8")
            yield None
        else:
            yield RawRecord(position, record, found)


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


def short(error: Exception) -> str:
    """What Arrow says of a file, in one line."""
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
