"""Every format, read as a user meets it: records in, article rows and a ledger out."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import time
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from dedup.config import ReadSettings
from dedup.errors import InputError, UsageError
from dedup.model import Ledger, article_schema
from dedup.read import read_articles
from dedup.read.formats import detect
from dedup.read.head import head_of
from dedup.read.streams import RawInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHARED = Path(__file__).parents[2] / "shared" / "data"


def read(*inputs: Any, **settings: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**settings), ledger, now=NOW):
        batch.validate(full=True)
        assert batch.schema == article_schema()
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert len(rows) == ledger.articles
    assert len(ledger.rejects) == ledger.rejected
    return rows, ledger


RECORDS = [
    {"id": 1, "outlet": "Daily", "title": "A", "published": "2021-03-04", "text": "Ein Text: é"},
    {"id": "b", "outlet": "Weekly", "title": None, "published": None, "text": 'Zwei, "mit"\nZeile'},
]


def as_jsonl() -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in RECORDS).encode()


def as_csv(delimiter: str = ",") -> bytes:
    names = list(RECORDS[0])
    lines = [delimiter.join(names)]
    lines += [
        delimiter.join('"{}"'.format(str(r[n] or "").replace('"', '""')) for n in names)
        for r in RECORDS
    ]
    return "\r\n".join(lines).encode()


def as_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**r, "id": str(r["id"])} for r in RECORDS]), sink)
    return sink.getvalue()


PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", as_jsonl()),
        ("a.csv", as_csv()),
        ("a.csv", as_csv(";")),
        ("a.csv", as_csv("|")),
        ("a.tsv", as_csv("\t")),
        ("a.jsonl", b"\xef\xbb\xbf" + as_jsonl()),
        ("a.jsonl", as_jsonl().decode().encode("utf-16")),
        ("a.csv", as_csv().decode().encode("utf-16")),
        ("without-ending", as_jsonl()),
        ("without-ending", as_csv()),
        ("a.csv", as_jsonl()),  # content wins over the name
    ],
)
def test_one_article_in_every_dress(tmp_path: Path, name: str, data: bytes, packed: str) -> None:
    file = tmp_path / (name + packed)
    file.write_bytes(PACKERS[packed](data))
    rows, ledger = read(file)
    assert [r["text"] for r in rows] == [r["text"] for r in RECORDS]
    assert [r["id"] for r in rows] == ["1", "b"]
    assert rows[0]["outlet"] == "Daily"
    assert rows[0]["published"] == datetime(2021, 3, 4, tzinfo=UTC)
    assert (rows[0]["precision"], rows[1]["precision"]) == ("day", "unknown")
    assert rows[0]["digest"] == hashlib.blake2b(b"Ein Text: \xc3\xa9", digest_size=16).hexdigest()
    assert rows[1]["title"] is None
    assert (ledger.files[0].columns["text"], ledger.incomplete) == ("text", [])


def test_parquet_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet())
    (tmp_path / "a.jsonl").write_bytes(as_jsonl())
    rows, _ = read(tmp_path / "a.parquet")
    same, _ = read(tmp_path / "a.jsonl")
    assert [r["position"] for r in rows] == ["row 1", "row 2"]
    for row, other in zip(rows, same, strict=True):
        assert {**row, "file": 0, "position": 0} == {**other, "file": 0, "position": 0}


def test_parquet_types_and_row_groups(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([float(i) for i in range(5)]),
            "text": pa.array([b"a", b"b\xff", b"c", b"d", b"e"], pa.binary()),
            "date": pa.array(
                [1_600_000_000_000_000_001] * 4 + [None], pa.timestamp("ns", tz="UTC")
            ),
            "authors": pa.array([["A", "B"], [], None, ["C"], ["D"]]),
            "source": pa.array(["x"] * 5).dictionary_encode(),
            "unused": pa.array(range(5)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    rows, ledger = read(tmp_path / "a.parquet")
    assert [r["id"] for r in rows] == ["0", "1", "2", "3", "4"]
    assert [r["byline"] for r in rows] == ["A, B", None, None, "C", "D"]
    assert (rows[1]["text"], rows[1]["issues"]) == ("b\ufffd", ["invalid-utf8"])
    assert rows[0]["published"] == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert rows[4]["position"] == "row 5"
    assert "unused" not in ledger.files[0].columns.values()


def test_parquet_dates_and_naive_midnights_are_days(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", "b"],
            "date": pa.array([datetime(2021, 3, 4), datetime(2021, 3, 4, 5)]),
            "id": ["1", "2"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    rows, _ = read(tmp_path / "a.parquet")
    assert [(r["precision"], r["issues"]) for r in rows] == [
        ("day", []),
        ("second", ["date-without-zone"]),
    ]
    pq.write_table(table.set_column(1, "date", [[date(2021, 3, 4)] * 2]), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[0][0]["precision"] == "day"


def test_folder_mixes_text_files_and_other_formats(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.txt").write_bytes(b"two\r\nlines")
    (tmp_path / "a.txt").write_text("\ufeffone")
    (tmp_path / "c.jsonl").write_bytes(as_jsonl())
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    rows, ledger = read(tmp_path)
    assert [r["id"] for r in rows] == ["a.txt", "b/2.txt", "1", "b"]
    assert [r["text"] for r in rows[:2]] == ["one", "two\r\nlines"]
    assert rows[1]["file"].endswith("b/2.txt")
    folder, dump, unknown = ledger.files
    assert (folder.file, folder.articles, dump.articles) == (str(tmp_path), 2, 2)
    assert (unknown.file, unknown.format, unknown.rejected) == (str(tmp_path), "unknown", 1)
    assert folder.notes == ["hidden files or folders left out: 1"]
    (reject,) = ledger.rejects
    assert Path(reject.file).name == "photo.jpg"
    assert reject.reason.startswith("the format was not recognised; read are: ")


def test_single_text_file_and_pattern(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt", "x.md"):
        (tmp_path / name).write_text(name)
    rows, _ = read(tmp_path / "one.txt")
    assert [(r["id"], r["outlet"]) for r in rows] == [("one.txt", None)]
    rows, _ = read(tmp_path / "*.txt", default_outlet="Local")
    assert [(r["id"], r["outlet"]) for r in rows] == [("one.txt", "Local"), ("two.txt", "Local")]


@pytest.mark.parametrize("data", [as_jsonl(), b"\n " + as_jsonl(), as_csv()])
@pytest.mark.parametrize("pack", PACKERS.values())
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes, pack: Any) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pack(data))))
    rows, ledger = read("-")
    assert [r["text"] for r in rows] == [r["text"] for r in RECORDS]
    assert ledger.files[0].file == "-"


def test_missing_and_unknown_inputs_are_named_before_reading(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: no such file"):
        read(tmp_path / "nowhere.jsonl")
    (tmp_path / "page.dvi").write_text("not yet")
    with pytest.raises(InputError, match=r"page\.dvi: the format was not recognised"):
        read(tmp_path / "page.dvi")


def test_csv_without_text_column_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,headline\n1,x\n")
    with pytest.raises(UsageError, match=r"a\.csv.*id, headline.*--field text=COLUMN"):
        read(tmp_path / "a.csv")
    with pytest.raises(UsageError, match=r"no column 'body'.*--field text=body.*id, headline"):
        read(tmp_path / "a.csv", fields=(("text", "body"),))
    rows, _ = read(tmp_path / "a.csv", fields=(("text", "headline"),))
    assert (rows[0]["text"], rows[0]["title"]) == ("x", None)


def test_jsonl_override_must_occur_in_some_record(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id":1,"text":"x"}\n{"id":2,"Main":"y","text":"z"}\n')
    rows, ledger = read(tmp_path / "a.jsonl", fields=(("text", "main"),))
    assert [r["text"] for r in rows] == ["y"]
    assert "id, text" in ledger.rejects[0].reason
    with pytest.raises(UsageError, match=r"no column 'body'.*id, text, Main"):
        read(tmp_path / "a.jsonl", fields=(("text", "body"),))
    with pytest.raises(UsageError, match="no article field 'txt'"):
        read(tmp_path / "a.jsonl", fields=(("txt", "body"),))


def table(path: Path, header: str, *rows: str) -> None:
    path.write_text("".join(f"{line}\n" for line in (header, *rows)))


def test_a_table_without_a_text_column_costs_itself_alone_among_others(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", "id,text", "1,one")
    table(tmp_path / "b.csv", "id,headline", "2,two", "3,three")
    pq.write_table(pa.table({"id": [4], "when": ["today"]}), tmp_path / "c.parquet")
    table(tmp_path / "d.csv", "id,text", "5,five")
    for given in (tmp_path, tmp_path / "*"):
        rows, ledger = read(given)
        assert [row["id"] for row in rows] == ["1", "5"]
        assert [(Path(r.file).name, r.position) for r in ledger.rejects] == [
            ("b.csv", ""),
            ("c.parquet", ""),
        ]
        reason = ledger.rejects[0].reason
        assert "columns are: id, headline" in reason
        assert "--field text=COLUMN" in reason


def test_a_table_without_a_text_column_in_an_archive_costs_itself_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "id,headline\n1,one\n")
        archive.writestr("b.csv", "id,text\n2,two\n")
    rows, ledger = read(tmp_path / "a.zip")
    assert [row["id"] for row in rows] == ["2"]
    assert [reject.file for reject in ledger.rejects] == [f"{tmp_path}/a.zip!a.csv"]


def test_a_column_asked_for_must_be_in_one_of_the_files(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", "id,main", "1,one")
    table(tmp_path / "b.csv", "id,text", "2,two")
    (tmp_path / "c.jsonl").write_text('{"id": "3", "text": "three"}\n')
    rows, ledger = read(tmp_path, fields=(("text", "main"),))
    assert [row["id"] for row in rows] == ["1"]
    assert [Path(r.file).name for r in ledger.rejects] == ["b.csv", "c.jsonl"]
    with pytest.raises(UsageError, match=r"no column 'body'.*--field text=body"):
        read(tmp_path, fields=(("text", "body"),))
    with pytest.raises(UsageError, match=r"no column 'paper'.*--field outlet=paper"):
        read(tmp_path, fields=(("outlet", "paper"),))
    with pytest.raises(UsageError, match="no column 'main'"):
        read(tmp_path / "b.csv", fields=(("text", "main"),))


def test_progress_counts_stored_bytes_to_the_total(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(as_jsonl()))
    (tmp_path / "b.parquet").write_bytes(as_parquet())
    (tmp_path / "c.txt").write_text("c")
    told: list[tuple[int, int]] = []
    settings = ReadSettings()
    for _ in read_articles([str(tmp_path)], settings, Ledger(), on_bytes=lambda *p: told.append(p)):
        pass
    total = sum(f.stat().st_size for f in tmp_path.iterdir())
    assert told[-1] == (total, total)
    assert [d for d, _ in told] == sorted(d for d, _ in told)


def test_batches_are_bounded_and_nothing_changes_with_their_size(tmp_path: Path) -> None:
    lines = [json.dumps({"id": i, "text": f"{i} " * 50}) for i in range(100)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    settings = ReadSettings()
    small = list(read_articles([str(tmp_path)], settings, Ledger(), batch_bytes=1000))
    (large,) = read_articles([str(tmp_path)], settings, Ledger())
    assert len(small) > 5
    assert pa.Table.from_batches(small).equals(pa.Table.from_batches([large]))


@pytest.mark.corpus
def test_allsides_is_read_whole_and_fast() -> None:
    file = SHARED / "allsides.jsonl.zst"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    ledger = Ledger()
    start = time.perf_counter()
    rows = size = 0
    for batch in read_articles([str(file)], ReadSettings(), ledger, now=NOW):
        rows += batch.num_rows
        size += batch.column("text").nbytes
    assert (rows, ledger.rejected, ledger.files[0].repeats) == (37554, 0, 0)
    assert size > 225_000_000
    assert time.perf_counter() - start < 30  # about 2 s on two idle cores


@pytest.mark.corpus
def test_korea_china_folder() -> None:
    if not (SHARED / "korea-china").exists():
        pytest.skip("../shared/data/korea-china is not there")
    rows, _ = read(SHARED / "korea-china")
    assert [r["id"] for r in rows] == [f"00{i}.txt" for i in range(5)]


@pytest.mark.parametrize(
    ("name", "beginning", "form"),
    [
        ("a.xml", "<!doctype html><html>", "html"),
        ("a.xml", '<?xml version="1.0"?><!DOCTYPE html PUBLIC "a" "b"><html>', "html"),
        ("a", '<?xml version="1.0"?><?xml-stylesheet href="a"?><html>', "html"),
        ("a.html", '<rss version="2.0">', "rss"),
        ("a.txt", '<!-- c --><feed xmlns="a">', "atom"),
        ("a.txt", '<?xml version="1.0"?><article>', "xml"),
        ("a.xml", "<article>", "xml"),
        ("a.txt", "<p>A text may begin with a tag.", "text"),
        ("a.csv", "From: a\nTo: b\nSubject: c\nDate: d\n\nText.", "mail"),
        ("a.md", "---\ntitle: a\ndate: b\n---\nText.", "markdown"),
        ("a.json", '[\n{"uri": "u", "headline": "a"}]', "json"),
        ("a.ninjs", '{"uri": "u", "headline": "a"}\n', "jsonl"),
        ("a.txt", "WARC/1.0\r\nWARC-Type: response\r\n", "warc"),
        ("a", "<b>A page without a beginning.</b>", None),
    ],
)
def test_what_a_file_begins_with_decides_before_its_name(
    name: str, beginning: str, form: str | None
) -> None:
    raw = RawInput(io.BytesIO(beginning.encode()), None)
    found = detect(head_of(raw, name, Path(name).suffix, "", 1000, None))
    assert (found and found.name) == form
