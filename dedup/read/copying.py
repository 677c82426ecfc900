"""Some records of the inputs, written again as they stand: all their fields, in their format.

Lines of JSON Lines and rows of CSV are copied byte for byte (decompressed, UTF-16 as UTF-8),
rows of Parquet with all their columns. Inputs are read a second time for it, so they must be
files that are still there and unchanged.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import sys
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from dedup.errors import InputError, UsageError
from dedup.model import FileLedger, Ledger
from dedup.read.delimited import with_lines
from dedup.read.discover import discover
from dedup.read.formats import CSV, FORMATS, JSONL, PARQUET, compression_for, detect, suffixes_of
from dedup.read.head import head_of
from dedup.read.intake import Intake, Progress, Source
from dedup.read.opening import open_input
from dedup.read.streams import Lines, RawInput, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dedup.config import ReadSettings
    from dedup.read.discover import Found
    from dedup.read.formats import Format

COPIED = (JSONL.name, CSV.name, PARQUET.name)
"""Names of the formats whose records can be written again."""

_INSIDE = ", "
"""What follows a line in the position of a record that stands in a part of it."""

Wanted = dict[str, set[str]]
"""Positions of the records to copy, by the name of their file."""


def copied_format(formats: Iterable[tuple[str, str]]) -> str:
    """The one format of all inputs, given as ``(file, format)``, which is that of the copy.

    Raises :class:`~dedup.errors.UsageError` when there are several, or one that is not copied.
    """
    found = {form.partition("+")[0]: file for file, form in formats if form}
    unknown = [name for name in found if name not in COPIED]
    if unknown:
        raise UsageError(
            f"{found[unknown[0]]}: records of format '{unknown[0]}' are not written again; "
            f"written are: {', '.join(COPIED)}"
        )
    if len(found) > 1:
        some = ", ".join(f"{file} is {name}" for name, file in sorted(found.items()))
        raise UsageError(f"the inputs have several formats ({some}); filter each by itself")
    return next(iter(found), JSONL.name)


def check_name(target: Path, form: str) -> None:
    """Refuse a file name that promises another format than ``form`` (``UsageError``)."""
    suffix, compression = suffixes_of(target.name)
    named = next((f.name for f in FORMATS if suffix in f.suffixes), form)
    if named != form:
        raise UsageError(
            f"{target}: is named as {named}, but records are written in the format of the inputs, "
            f"{form}"
        )
    if form == PARQUET.name and compression:
        raise UsageError(f"{target}: Parquet compresses by itself; choose a name in .parquet")


def check_own_places(places: Iterable[tuple[str, str]]) -> None:
    """Refuse records (``(file, position)``) that stand inside of others (``UsageError``)."""
    for name, position in places:
        if _INSIDE in position:
            raise UsageError(
                f"{name}, {position}: the record stands inside of another one and is not written "
                "again by itself; put such records on lines of their own first"
            )


def copy_records(
    inputs: Sequence[str], settings: ReadSettings, wanted: Wanted, target: Path, out: IO[bytes]
) -> int:
    """Write the records at the ``wanted`` positions to ``out``, in the order of the inputs.

    ``target`` is the name under which ``out`` will be found: its ending (``.gz``, ``.xz`` ...) says
    whether lines are compressed. Returns how many records were written.

    Raises :class:`~dedup.errors.InputError` when a file has changed since it was read first, and
    :class:`~dedup.errors.UsageError` when CSV or Parquet files have different columns, or a record
    stands inside of another one.
    """
    files, _ = discover(inputs, Ledger())
    writer = _Writer(out, target)
    left = {name: set(positions) for name, positions in wanted.items()}
    for name, positions in left.items():
        check_own_places((name, position) for position in sorted(positions))
    count = 0
    for found in files:
        positions = left.get(found.name, set())
        # Where no record stays, the first file still gives its columns to an output without rows.
        if not positions and (wanted or found is not files[0]):
            continue
        with open_input(found) as opened:
            source, format_ = _source(found, opened, settings)
            if format_ not in (JSONL, CSV, PARQUET):
                if not positions:
                    continue
                raise _changed(found.name)
            copy = {JSONL: _lines, CSV: _rows, PARQUET: _row_groups}[format_]
            for position in copy(source, settings, positions.__contains__, writer):
                positions.remove(position)
                count += 1
    writer.close()
    missing = sorted(name for name, positions in left.items() if positions)
    if missing:
        raise _changed(missing[0])
    return count


def _changed(name: str) -> InputError:
    return InputError(
        f"{name}: has changed since it was read; nothing was written. Run the command again when "
        "nobody writes to it"
    )


def _source(
    found: Found, opened: IO[bytes], settings: ReadSettings
) -> tuple[Source, Format | None]:
    suffix, claimed = suffixes_of(found.name)
    raw = RawInput(opened, None)
    compression = compression_for(raw, claimed)
    head = head_of(raw, found.name, suffix, compression, settings.max_ratio, settings.encoding)
    format_ = detect(head, table=bool(settings.fields))
    stream = Stream(raw, compression, settings.max_ratio, settings.encoding)
    return Source(found.name, found.local, found.text_id, suffix, raw, stream, None), format_


class _Writer:
    """Lines, perhaps compressed, or Parquet, to one output."""

    def __init__(self, out: IO[bytes], target: Path) -> None:
        self._raw = out
        _, compression = suffixes_of(target.name)
        self._lines: IO[bytes] = out
        if compression == "gzip":
            self._lines = cast("IO[bytes]", gzip.GzipFile("", "wb", fileobj=out, mtime=0))
        elif compression == "zstd":
            self._lines = zstandard.ZstdCompressor(level=6).stream_writer(out, closefd=False)
        elif compression == "bzip2":
            self._lines = cast("IO[bytes]", bz2.BZ2File(out, "wb"))
        elif compression == "xz":
            self._lines = cast("IO[bytes]", lzma.LZMAFile(out, "wb"))  # noqa: SIM115 - see close
        self.compression = compression
        self.header: bytes | None = None
        self.header_of = ""
        self.parquet: pq.ParquetWriter | None = None

    def line(self, line: bytes) -> None:
        """One line, or the lines of one row."""
        self._lines.write(line + b"\n")

    def head(self, line: bytes, name: str) -> None:
        """The header of a CSV file: written once, and the same for all."""
        if self.header is None:
            self.header, self.header_of = line, name
            self.line(line)
        elif self.header.rstrip(b"\r") != line.rstrip(b"\r"):
            raise UsageError(
                f"{name}: its columns are not those of {self.header_of}; filter each by itself"
            )

    def schema(self, schema: pa.Schema, name: str) -> pq.ParquetWriter:
        """What writes rows of a Parquet file with these columns, the same for all."""
        if self.parquet is None:
            self.header_of = name
            self.parquet = pq.ParquetWriter(self._raw, schema, compression="zstd")
        if not schema.equals(self.parquet.schema):
            raise UsageError(
                f"{name}: its columns are not those of {self.header_of}; filter each by itself"
            )
        return self.parquet

    def close(self) -> None:
        """Finish what was begun; the output itself stays open."""
        if self.parquet is not None:
            self.parquet.close()
        elif self._lines is not self._raw:
            self._lines.close()


def _lines(
    source: Source, settings: ReadSettings, wanted: Callable[[str], bool], writer: _Writer
) -> Iterator[str]:
    def too_long(_number: int, _offset: int, _length: int, _head: bytes) -> None:
        """Such a line was rejected when it was read."""

    for number, _, line in Lines(source.stream, settings.max_record_bytes, too_long):
        position = f"line {number}"
        if wanted(position):
            writer.line(line)
            yield position


def _rows(
    source: Source, settings: ReadSettings, wanted: Callable[[str], bool], writer: _Writer
) -> Iterator[str]:
    intake = Intake(source.name, FileLedger(source.name), Ledger(), settings, Progress())
    for record, lines in with_lines(source, intake):
        if record is None:
            writer.head(b"\n".join(lines), source.name)
        elif wanted(record.position):
            writer.line(b"\n".join(lines))
            yield record.position


def _row_groups(
    source: Source, _settings: ReadSettings, wanted: Callable[[str], bool], writer: _Writer
) -> Iterator[str]:
    if source.path is None:
        raise _changed(source.name)
    try:
        with pq.ParquetFile(source.path, page_checksum_verification=True) as file:
            row = 1
            output = writer.schema(file.schema_arrow, source.name)
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(batch_size=4096, row_groups=[group]):
                    positions = [f"row {n}" for n in range(row, row + batch.num_rows)]
                    row += batch.num_rows
                    mask = pa.array([wanted(position) for position in positions], pa.bool_())
                    chosen = pa.Table.from_batches([batch]).filter(mask)
                    if len(chosen):
                        output.write_table(chosen)
                    yield from filter(wanted, positions)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{source.name}: its records cannot be read with all their columns ({error}); nothing "
            "was written"
        ) from error


@contextmanager
def rereadable_stdin(inputs: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Where standard input is among the inputs, keep it in a temporary file meanwhile; yields
    what rewinds it."""
    if "-" not in inputs:
        yield lambda: None
        return
    before = sys.stdin
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(before.buffer, spool)
        spool.seek(0)
        sys.stdin = io.TextIOWrapper(spool)

        def rewind() -> None:
            spool.seek(0)

        try:
            yield rewind
        finally:
            sys.stdin.detach()
            sys.stdin = before
