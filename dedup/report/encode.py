"""One table to one file and back, in the three formats; the same bytes for the same rows."""

from __future__ import annotations

import datetime as dt
import os
from typing import IO, TYPE_CHECKING, Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from dedup.model import table_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from dedup.texts import TextTable

Format = Literal["jsonl", "parquet", "csv"]
FORMATS: tuple[Format, ...] = ("jsonl", "parquet", "csv")

DECIMALS = 6
_BATCH_ROWS = 1024
_GROUP_ROWS = 65536
_GROUP_TEXTS = 4096
_NAIVE = pa.timestamp("us")
_FLOOR = {"year": "year", "month": "month", "day": "day", "minute": "minute", "second": "second"}
_DATE_LENGTH = {"year": 4, "month": 7, "day": 10, "minute": 16, "second": 19}
# Naive, as `_naive` makes the times that are compared with them.
_YEAR_ONE = dt.datetime(1, 1, 1)
_YEAR_LAST = dt.datetime(9999, 12, 31, 23, 59, 59)

# What a spreadsheet takes for a formula at the start of a cell (OWASP's list). Quotes in front
# are part of the pattern, so that escaping can be undone without guessing.
_FORMULA = r"^('*[=+\-@\t\r\n＝＋－＠])"
_ESCAPED = r"^'('*[=+\-@\t\r\n＝＋－＠])"


def normalised(name: str, table: pa.Table) -> pa.Table:
    """``table`` in the contract's column order and types, as it is written in any format.

    Floats are rounded to six places; publication times are cut to their stated precision and
    null where that is ``unknown``.
    """
    schema = table_schemas()[name]
    table = table.select(schema.names).cast(schema).replace_schema_metadata(None)
    if name == "articles":
        index = schema.get_field_index("published")
        published = _cut(table.column("published"), table.column("precision"))
        table = table.set_column(index, schema.field(index), published)
    for index, column_type in enumerate(schema.types):
        if _has_float(column_type):
            table = table.set_column(index, schema.field(index), _rounded(table.column(index)))
    return table


def write_table(path: Path, name: str, table: pa.Table, form: Format) -> None:
    """Write a :func:`normalised` table to ``path`` and force it to the disk."""
    with path.open("wb") as file:
        if form == "parquet":
            _write_parquet(file, table)
        elif form == "csv":
            _write_csv(file, name, table)
        else:
            _write_jsonl(file, name, table)
        file.flush()
        os.fsync(file.fileno())


def write_texts(path: Path, texts: TextTable, stop: Event) -> None:
    """Write ``texts.parquet``, part by part, and force it to the disk; gives up on ``stop``."""
    schema = table_schemas()["texts"]

    def parts() -> Iterator[pa.Table]:
        for part in texts.parts(_GROUP_TEXTS):
            if stop.is_set():
                return
            yield part.combine_chunks()

    with path.open("wb") as file:
        _write_row_groups(file, schema, parts(), _GROUP_TEXTS)
        file.flush()
        os.fsync(file.fileno())


def read_table(path: Path, name: str, form: Format) -> pa.Table:
    """Read back what :func:`write_table` wrote."""
    schema = table_schemas()[name]
    if form == "parquet":
        return pq.read_table(path).select(schema.names).cast(schema)
    if form == "csv":
        return _read_csv(path, schema)
    return _read_jsonl(path, schema)


# --- values ---------------------------------------------------------------------------------


def _naive(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC times without their zone: the same instants, but no zone database is needed."""
    return pa.chunked_array([chunk.view(_NAIVE) for chunk in column.chunks], type=_NAIVE)


def _cut(published: pa.ChunkedArray, precision: pa.ChunkedArray) -> pa.ChunkedArray:
    times = _naive(published)
    sane = pc.and_(
        pc.greater_equal(times, pa.scalar(_YEAR_ONE, _NAIVE)),
        pc.less_equal(times, pa.scalar(_YEAR_LAST, _NAIVE)),
    )
    # Python has no year 0 or 10000; such a time is no publication time anyway.
    times = pc.if_else(sane, times, pa.scalar(None, _NAIVE))
    result = pa.chunked_array([pa.nulls(len(times), _NAIVE)])
    for name, unit in _FLOOR.items():
        chosen = pc.fill_null(pc.equal(precision, name), False)
        result = pc.if_else(chosen, pc.floor_temporal(times, unit=unit), result)
    zoned = pa.timestamp("us", tz="UTC")
    return pa.chunked_array([chunk.view(zoned) for chunk in result.chunks], type=zoned)


def _has_float(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_has_float(kind.field(i).type) for i in range(kind.num_fields))
    return bool(pa.types.is_floating(kind))


def _rounded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([_rounded_array(c) for c in column.chunks], type=column.type)


def _rounded_array(array: pa.Array) -> pa.Array:
    if pa.types.is_floating(array.type):
        # Adding zero turns -0.0 into 0.0: equal values must be equal bytes.
        return pc.add(pc.round(array, ndigits=DECIMALS), 0.0)
    if pa.types.is_struct(array.type) and _has_float(array.type):
        fields = [array.type.field(i) for i in range(array.type.num_fields)]
        children = [_rounded_array(child) for child in array.flatten()]
        return pa.StructArray.from_arrays(children, fields=fields, mask=array.is_null())
    return array


def _date_strings(table: pa.Table) -> pa.ChunkedArray:
    """ISO 8601 cut to the precision: ``2021-07-12`` for a day, ``…T05:02:00Z`` for a second."""
    times = _naive(table.column("published")).cast(pa.string())
    result = pa.chunked_array([pa.nulls(len(table), pa.string())])
    for name, length in _DATE_LENGTH.items():
        text = pc.utf8_slice_codeunits(times, 0, length)
        if length > _DATE_LENGTH["day"]:
            text = pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")
        chosen = pc.fill_null(pc.equal(table.column("precision"), name), False)
        result = pc.if_else(chosen, text, result)
    return result


def parsed_date(text: str | None) -> dt.datetime | None:
    """The time that :func:`with_date_strings` wrote."""
    if text is None:
        return None
    bare = text.rstrip("Z")
    return dt.datetime.fromisoformat(bare + "0001-01-01T00:00:00"[len(bare) :]).replace(
        tzinfo=dt.UTC
    )


def with_date_strings(name: str, table: pa.Table) -> pa.Table:
    """``table`` with ``published`` of articles as ISO 8601 texts cut to their precision."""
    if name != "articles":
        return table
    index = table.schema.get_field_index("published")
    return table.set_column(index, "published", _date_strings(table))


# --- JSON Lines -----------------------------------------------------------------------------


def _write_jsonl(file: IO[bytes], name: str, table: pa.Table) -> None:
    table = with_date_strings(name, table)
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist()]
        file.write(b"".join(lines))


def _read_jsonl(path: Path, schema: pa.Schema) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            row = orjson.loads(line)
            if "published" in row:
                row["published"] = parsed_date(row["published"])
            rows.append(row)
            if len(rows) == _BATCH_ROWS:
                batches.append(pa.RecordBatch.from_pylist(rows, schema=schema))
                rows = []
    if rows:
        batches.append(pa.RecordBatch.from_pylist(rows, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


# --- Parquet --------------------------------------------------------------------------------


def _write_parquet(file: IO[bytes], table: pa.Table) -> None:
    # Row groups of a fixed size, so that the bytes do not depend on how the table is chunked.
    rows = _GROUP_ROWS
    parts = (table.slice(start, rows).combine_chunks() for start in range(0, len(table), rows))
    _write_row_groups(file, table.schema, parts, rows)


def _write_row_groups(
    file: IO[bytes], schema: pa.Schema, parts: Iterable[pa.Table], rows: int
) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part, row_group_size=rows)


# --- CSV ------------------------------------------------------------------------------------


def _nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind))


def _write_csv(file: IO[bytes], name: str, table: pa.Table) -> None:
    write_csv(file, with_date_strings(name, table))


def write_csv(file: IO[bytes], table: pa.Table) -> None:
    """Write a table whose times are texts already; cells that look like formulas are escaped."""
    # The null value is an empty cell, the empty string is `""`; Arrow's writer and reader keep
    # the two apart, Python's csv module of 3.11 does not.
    options = pa.csv.WriteOptions(quoting_style="needed")
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if _nested(field.type):
            cells = [None if v is None else orjson.dumps(v).decode() for v in column.to_pylist()]
            columns[field.name] = pa.chunked_array([pa.array(cells, pa.string())])
        elif pa.types.is_string(field.type):
            columns[field.name] = pc.replace_substring_regex(column, _FORMULA, r"'\1")
        else:
            columns[field.name] = column
    pa.csv.write_csv(pa.table(columns), file, options)


def _read_csv(path: Path, schema: pa.Schema) -> pa.Table:
    text = pa.string()
    types = {
        f.name: text if _nested(f.type) or pa.types.is_timestamp(f.type) else f.type for f in schema
    }
    raw = pa.csv.read_csv(
        path,
        # A block must hold a whole row; a passage can be as long as its article.
        read_options=pa.csv.ReadOptions(block_size=min(2**30, path.stat().st_size + 1)),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns = []
    for field in schema:
        column = raw.column(field.name)
        if _nested(field.type):
            values = [None if v is None else orjson.loads(v) for v in column.to_pylist()]
            columns.append(pa.array(values, field.type))
        elif pa.types.is_timestamp(field.type):
            columns.append(pa.array([parsed_date(v) for v in column.to_pylist()], field.type))
        elif pa.types.is_string(field.type):
            columns.append(pc.replace_substring_regex(column, _ESCAPED, r"\1"))
        else:
            columns.append(column)
    return pa.table(columns, schema=schema)
