"""One corpus written as every supported format gives one result."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
import zstandard
from fault_runs import scan
from oracles import newsroom

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Records = list[dict[str, Any]]
FIELDS = ("id", "outlet", "url", "title", "published", "byline", "text")


def as_lines(records: Records) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()


def as_csv(records: Records, **dialect: Any) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(FIELDS)
    writer.writerows([r[f] for f in FIELDS] for r in records)
    return out.getvalue().encode()


def as_table(records: Records) -> pa.Table:
    return pa.table({f: pa.array([r[f] for r in records], pa.string()) for f in FIELDS})


def sunk(write: Callable[[io.BytesIO], object]) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def as_stream(records: Records) -> bytes:
    table = as_table(records)

    def write(sink: io.BytesIO) -> None:
        with ipc.new_stream(sink, table.schema) as out:
            out.write_table(table, max_chunksize=100)

    return sunk(write)


FORMATS: dict[str, Callable[[Records], bytes]] = {
    "a.jsonl": as_lines,
    "a.jsonl.gz": lambda r: gzip.compress(as_lines(r), 1),
    "a.jsonl.zst": lambda r: zstandard.compress(as_lines(r)),
    "utf16.jsonl": lambda r: as_lines(r).decode().encode("utf-16"),
    "array.json": lambda r: json.dumps(r).encode(),
    "indented.json": lambda r: json.dumps(r, indent=2, ensure_ascii=False).encode(),
    "concatenated.json": lambda r: "".join(map(json.dumps, r)).encode(),
    "answer.json": lambda r: json.dumps({"status": "ok", "articles": r}).encode(),
    "search.jsonl": lambda r: as_lines([{"_id": x["id"], "_source": x} for x in r]),
    "a.csv": as_csv,
    "semicolons.csv": lambda r: b"sep=;\r\n" + as_csv(r, delimiter=";"),
    "a.tsv": lambda r: as_csv(r, delimiter="\t", quoting=csv.QUOTE_ALL),
    "escaped.csv": lambda r: as_csv(r, doublequote=False, escapechar="\\"),
    "a.parquet": lambda r: sunk(lambda sink: pq.write_table(as_table(r), sink)),
    "a.parquet.zst": lambda r: zstandard.compress(FORMATS["a.parquet"](r)),
    "a.feather": lambda r: sunk(lambda sink: pyarrow.feather.write_feather(as_table(r), sink)),
    "a.arrows": as_stream,
}
"""Every format and packing that keeps all fields."""
TABLES = ("relations", "groups", "matches", "passages", "sources")


def outcome(done: Any) -> dict[str, bytes]:
    return {name: (done.out / f"{name}.jsonl").read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def made_up() -> Records:
    records = newsroom(3, stories=3, loners=4)
    for record in records:
        for name in FIELDS:
            record.setdefault(name, None)
        for name, value in record.items():
            record[name] = None if value is None else str(value)
    assert any('"' in r["text"] or "“" in r["text"] for r in records)
    # Two records of one id and different texts would be told apart by their positions alone.
    return list({r["id"]: {f: r[f] for f in FIELDS} for r in records}.values())


def same_from_all(records: Records, tmp_path: Path, formats: Any) -> None:
    found: dict[str, dict[str, bytes]] = {}
    for name in formats:
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_bytes(FORMATS[name](records))
        done = scan(folder, no_report=True)
        assert done.run["ledger"]["rejected"] == 0, name
        assert len(done.articles) == len(records), name
        found[name] = outcome(done)
    first = next(iter(found.values()))
    assert first["groups"]
    assert first["relations"]
    for (name, tables), table in itertools.product(found.items(), TABLES):
        assert tables[table] == first[table], f"{table} from {name}"


def test_the_same_from_every_format(made_up: Records, tmp_path: Path) -> None:
    same_from_all(made_up, tmp_path, ("a.jsonl", "indented.json", "semicolons.csv", "a.arrows"))


@pytest.mark.slow
def test_the_same_from_every_format_and_packing(made_up: Records, tmp_path: Path) -> None:
    same_from_all(made_up, tmp_path, FORMATS)


def real(corpora: Path, count: int = 2000) -> Records:
    """The first articles of the real dump."""
    data = (corpora / "allsides.jsonl.zst").open("rb")
    with data, zstandard.ZstdDecompressor().stream_reader(data) as lines:
        head = itertools.islice(io.TextIOWrapper(lines, "utf-8", newline="\n"), count)
        records = [json.loads(line) for line in head]
    return [{f: r.get(f) for f in FIELDS} for r in records]


@pytest.mark.corpus
def test_real_news_is_read_the_same_from_every_format(corpora: Path, tmp_path: Path) -> None:
    """All that a result depends on (invariant 3): the records, whatever they came from."""
    records = real(corpora)
    found: dict[str, pa.Table] = {}
    for name, write in FORMATS.items():
        (tmp_path / name).write_bytes(write(records))
        ledger = Ledger()
        table = pa.Table.from_batches(
            list(read_articles([str(tmp_path / name)], ReadSettings(), ledger))
        )
        assert (ledger.articles, ledger.rejected) == (len(records), 0), name
        found[name] = table.drop_columns(["file", "position"])
    first = found["a.jsonl"]
    assert first["text"].to_pylist() == [r["text"] for r in records]
    for name, table in found.items():
        for column in first.column_names:
            assert table[column].to_pylist() == first[column].to_pylist(), f"{column} from {name}"


@pytest.mark.slow
@pytest.mark.corpus
def test_real_news_is_the_same_from_every_format(corpora: Path, tmp_path: Path) -> None:
    same_from_all(real(corpora), tmp_path, FORMATS)
