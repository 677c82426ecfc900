"""Inputs to records: the local readers, a task a file or a task a part of a large one."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.engines.spark.session import few_rows
from dedup.errors import InputError
from dedup.model import Ledger, article_schema
from dedup.read import read_stream
from dedup.read.discover import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from dedup.config import ReadSettings
    from dedup.engines.spark.files import Files, InputFile

SPLIT_FROM = 64 * 2**20
"""Bytes from which a plain file of JSON Lines is read in parts."""
LARGEST = 2**31 - 2**20
"""Bytes of a file that is read by one task; Spark hands a file on as one value."""
_LINES = (".jsonl", ".ndjson", ".jsonlines")
_PART_BYTES = 8 * 2**20
_LINE = re.compile(r"^line (\d+)(?:, byte (\d+))?")

_PLAIN = {
    "id": "string",
    "digest": "string",
    "file": "string",
    "position": "string",
    "outlet": "string",
    "published": "long",
    "precision": "string",
    "published_raw": "string",
    "url": "string",
    "title": "string",
    "byline": "string",
    "language": "string",
    "version": "long",
    "metadata": "string",
    "issues": "array<string>",
    "text": "string",
}
RECORD = ", ".join(f"{name} {kind}" for name, kind in _PLAIN.items())
READ = f"{RECORD}, told string"
"""Columns of what reading yields: a record, or what the ledger is told (JSON)."""


def find_files(files: Files, inputs: Sequence[str]) -> list[InputFile]:
    """All files of the inputs. Raises ``InputError`` for one that no task could read."""
    found = [file for given in inputs for file in files.find(given)]
    for file in found:
        if file.size > LARGEST and not is_split(files, file):
            raise InputError(
                f"{file.name}: {file.size / 1e9:.1f} GB in one file; a file larger than 2 GB is "
                "read only if it is plain JSON Lines in UTF-8 (.jsonl); split it"
            )
    return found


def is_split(files: Files, file: InputFile) -> bool:
    """Whether a file is read in parts: large, plain, lines of UTF-8 by its name and first bytes."""
    if file.size < SPLIT_FROM or not file.name.lower().endswith(_LINES):
        return False
    head = files.head(file.uri, 2)
    return head[:1] == b"{" and head[1:2] != b"\0"


def read_records(
    spark: SparkSession,
    files: Files,
    inputs: Sequence[InputFile],
    settings: ReadSettings,
    now: datetime,
) -> DataFrame:
    """All records of the inputs and what the ledger is told (columns: :data:`READ`)."""
    split = [file for file in inputs if is_split(files, file)]
    names = {file.uri for file in split}
    whole = [file for file in inputs if file.uri not in names]
    parts = []
    if whole:
        parts.append(_whole_files(spark, whole, settings, now))
    if split:
        parts.append(_split_files(spark, split, settings, now))
    out = parts[0]
    for part in parts[1:]:
        out = out.unionByName(part)
    return out


def _known(spark: SparkSession, files: Sequence[InputFile]) -> DataFrame:
    columns: dict[str, list[Any]] = {
        "path": [f.uri for f in files],
        "name": [f.name for f in files],
        "text_id": [f.text_id for f in files],
        "folder": [f.group for f in files],
        "size": [f.size for f in files],
    }
    return few_rows(spark, columns)


def _whole_files(
    spark: SparkSession, files: Sequence[InputFile], settings: ReadSettings, now: datetime
) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - its usual name

    content = (
        spark.read.format("binaryFile")
        .load([file.uri for file in files])
        .select("path", "content")
        .join(F.broadcast(_known(spark, files)), "path")
    )

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in range(len(batch)):
                name, text_id, folder, size = (
                    batch[key][row].as_py() for key in ("name", "text_id", "folder", "size")
                )
                content = io.BytesIO(batch["content"][row].as_buffer())
                found = Found(None, name, text_id, folder, size)
                yield from _read(found, content, settings, now)

    return content.mapInArrow(work, READ)


def _split_files(
    spark: SparkSession, files: Sequence[InputFile], settings: ReadSettings, now: datetime
) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    meta = F.col("_metadata")
    lines = (
        spark.read.option("lineSep", "\n")
        .text([file.uri for file in files])
        .select(
            F.col("value").cast("binary").alias("line"),
            F.url_decode(meta["file_path"]).alias("place"),
            meta["file_block_start"].alias("start"),
        )
    )
    # Lines and bytes before each part: what positions count from.
    order = Window.partitionBy("place").orderBy("start").rowsBetween(Window.unboundedPreceding, -1)
    before = (
        lines.groupBy("place", "start")
        .agg(F.count("*").alias("lines"), F.sum(F.length("line") + 1).alias("bytes"))
        .withColumn("lines_before", F.coalesce(F.sum("lines").over(order), F.lit(0)))
        .withColumn("bytes_before", F.coalesce(F.sum("bytes").over(order), F.lit(0)))
        .select("place", "start", "lines_before", "bytes_before")
    )
    known = _known(spark, files).withColumn("place", _without_authority(F.col("path")))
    rows = (
        lines.withColumn("place", _without_authority(F.col("place")))
        .join(
            F.broadcast(before.withColumn("place", _without_authority(F.col("place")))),
            ["place", "start"],
        )
        .join(F.broadcast(known), "place")
        .select("line", "name", "text_id", "folder", "lines_before", "bytes_before")
    )

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for where, data in _parts(batches):
            name, text_id, folder, lines_before, bytes_before = where
            found = Found(None, name, text_id, folder, len(data))
            yield from _read(found, io.BytesIO(data), settings, now, (lines_before, bytes_before))

    return rows.mapInArrow(work, READ)


def _without_authority(place: Column) -> Column:
    """``file:///a`` and ``file:/a`` are one place."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.regexp_replace(place, "^file:/+", "file:/")


def _parts(
    batches: Iterable[pa.RecordBatch],
) -> Iterator[tuple[tuple[str, str, str, int, int], bytes]]:
    """Stretches of lines of one part of a file, each with where it begins."""
    held: list[bytes] = []
    size, now_at, before = 0, None, (0, 0)
    for batch in batches:
        columns = [batch[name].to_pylist() for name in batch.schema.names]
        for line, *place in zip(*columns, strict=True):
            if now_at != tuple(place) or size >= _PART_BYTES:
                if held and now_at is not None:
                    yield (*now_at[:3], now_at[3] + before[0], now_at[4] + before[1]), _joined(held)
                if now_at != tuple(place):
                    now_at, before = tuple(place), (0, 0)
                else:
                    before = (before[0] + len(held), before[1] + size)
                held, size = [], 0
            held.append(line)
            size += len(line) + 1
    if held and now_at is not None:
        yield (*now_at[:3], now_at[3] + before[0], now_at[4] + before[1]), _joined(held)


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def _read(
    found: Found,
    handle: io.BytesIO,
    settings: ReadSettings,
    now: datetime,
    before: tuple[int, int] | None = None,
) -> Iterator[pa.RecordBatch]:
    ledger = Ledger()
    for batch in read_stream(found, handle, settings, ledger, now=now):
        yield _rows(batch, before)
    yield _told(ledger, before)


def _moved(position: str, before: tuple[int, int] | None) -> str:
    """A position in a part as one in the whole file."""
    if before is None:
        return position

    def shifted(found: re.Match[str]) -> str:
        line = f"line {int(found[1]) + before[0]}"
        return f"{line}, byte {int(found[2]) + before[1]}" if found[2] else line

    return _LINE.sub(shifted, position, count=1)


def _rows(batch: pa.RecordBatch, before: tuple[int, int] | None) -> pa.RecordBatch:
    columns: dict[str, Any] = {name: batch[name] for name in article_schema().names}
    columns["published"] = columns["published"].cast(pa.int64())
    columns["text"] = columns["text"].cast(pa.string())
    if before is not None:
        places = [_moved(place, before) for place in batch["position"].to_pylist()]
        columns["position"] = pa.array(places, pa.string())
    columns["told"] = pa.nulls(len(batch), pa.string())
    return pa.RecordBatch.from_pydict(columns)


def _told(ledger: Ledger, before: tuple[int, int] | None) -> pa.RecordBatch:
    """What a task tells the ledger, a row each: files, rejects, withdrawals, warnings."""
    told: list[dict[str, Any]] = [{"entry": dataclasses.asdict(entry)} for entry in ledger.files]
    for kind, rejects in (("reject", ledger.rejects), ("skipped", ledger.skipped)):
        for reject in rejects:
            row = dataclasses.asdict(reject)
            told.append({kind: {**row, "position": _moved(row["position"], before)}})
    told += [{"warning": warning} for warning in ledger.warnings]
    told += [{"withdrawal": dataclasses.asdict(notice)} for notice in ledger.withdrawals]
    schema = _arrow_schema()
    columns: list[pa.Array] = [pa.nulls(len(told), field.type) for field in list(schema)[:-1]]
    columns.append(pa.array([json.dumps(row) for row in told], pa.string()))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrow_schema() -> pa.Schema:
    kinds = {"string": pa.string(), "long": pa.int64(), "array<string>": pa.list_(pa.string())}
    fields = [pa.field(name, kinds[kind]) for name, kind in _PLAIN.items()]
    return pa.schema([*fields, pa.field("told", pa.string())])


def distinct_records(read: DataFrame) -> DataFrame:
    """One record for every id and text: the first when all that they say is sorted."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    from dedup.corpus import ORDER

    records = read.where("told IS NULL").drop("told")
    order = [F.col(name).asc_nulls_last() for name in ORDER]
    first = F.row_number().over(Window.partitionBy("id", "digest").orderBy(*order))
    return records.withColumn("nth", first).where("nth = 1").drop("nth")


def with_refs(records: DataFrame) -> DataFrame:
    """Records with the column ``ref``: the id, or ``id@digest8`` for a superseded revision.

    See :func:`dedup.corpus.references`; only ids with several texts are looked at there.
    """
    from pyspark.sql import functions as F  # noqa: N812

    from dedup.corpus import references

    few = records.select("id", "digest", "version", "published")
    several = few.groupBy("id").agg(F.count("*").alias("texts")).where("texts > 1").select("id")
    revised = few.join(several, "id")
    # Names that a revision could be given and that are an article's own id.
    lengths = F.sequence(F.lit(8), F.lit(32))
    names = revised.select(
        "id",
        F.explode(
            F.transform(
                lengths, lambda n: F.concat("id", F.lit("@"), F.col("digest").substr(F.lit(1), n))
            )
        ).alias("name"),
    )
    taken = (
        names.join(records.select(F.col("id").alias("name")).distinct(), "name")
        .groupBy("id")
        .agg(F.collect_set("name").alias("taken"))
    )
    rows = revised.join(taken, "id", "left")

    def work(table: pa.Table) -> pa.Table:
        table = table.sort_by("digest")
        found = references(
            table["id"].to_pylist(),
            table["digest"].to_pylist(),
            table["version"].to_pylist(),
            table["published"].to_pylist(),
            set(table["taken"][0].as_py() or ()),
        )
        return pa.table(
            {
                "id": table["id"],
                "digest": table["digest"],
                "ref": pa.array(found, pa.string()),
            }
        )

    renamed = rows.groupBy("id").applyInArrow(work, "id string, digest string, ref string")
    joined = records.join(renamed, ["id", "digest"], "left")
    return joined.withColumn("ref", F.coalesce("ref", "id"))


def present() -> datetime:
    """The time that dates are held against, one for all tasks."""
    from dedup.read.dates import current_time

    return current_time().astimezone(UTC)
