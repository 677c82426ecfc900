"""Tables of delimited text as spreadsheets, databases and scripts write them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.dialect import Dialect, sniff

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, **options: Any) -> tuple[list[tuple[str, str]], Ledger]:
    ledger = Ledger()
    rows: list[tuple[str, str]] = []
    for batch in read_articles([str(path)], ReadSettings(**options), ledger):
        rows += zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True)
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return rows, ledger


DIALECTS = {
    "as spreadsheets state it": b"sep=;\r\nid;text\r\n1;a, b\r\n2;c\r\n",
    "stated, with a mark": b"\xef\xbb\xbfsep=;\nid;text\n1;a, b\n2;c\n",
    "backslash escapes": b'id,text\n1,"a, b"\n2,"c"\n3,"say \\"hi\\", he said"\n',
    "single quotes": b"'id','text'\n'1','a, b'\n'2','c'\n",
    "spaces after commas": b'id, text\n1, "a, b"\n2, "c"\n',
    "old line ends": b'id,text\r1,"a, b"\r2,c\r',
    "quotes without meaning": b'id\ttext\n1\ta, b\n2\tc\n3\t"Yes" he said\n4\t5" of rain\n',
    "quotes all over": b'"id"\t"text"\n"1"\t"a, b"\n"2"\t"c"\n',
    "nulls of databases": b'id,text,url\n1,"a, b",\\N\n2,c,\\N\n',
    "blank lines": b'\n\nid,text\n\n1,"a, b"\n\n2,c\n\n',
    "UTF-16 without a mark": 'id,text\n1,"a, b"\n2,c\n'.encode("utf-16-le"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(tmp_path: Path, dialect: str) -> None:
    (tmp_path / "a.csv").write_bytes(DIALECTS[dialect])
    rows, ledger = read(tmp_path / "a.csv")
    assert rows[:2] == [("1", "a, b"), ("2", "c")]
    assert ledger.rejects == []
    more = {
        "backslash escapes": [("3", 'say "hi", he said')],
        "quotes without meaning": [("3", '"Yes" he said'), ("4", '5" of rain')],
    }
    assert rows[2:] == more.get(dialect, [])


def test_a_null_text_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,\\N\n2,x\n")
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("2", "x")]
    assert ledger.rejects[0].reason == "the text (field 'text') is null"


def test_one_bad_row_does_not_change_the_dialect(tmp_path: Path) -> None:
    body = "".join(f'"{i}","text, {i}"\n' for i in range(20))
    (tmp_path / "a.csv").write_text('"id","text"\n' + body + '"x" y,"bad" row"\n' + body)
    rows, _ = read(tmp_path / "a.csv")
    assert rows[0] == ("0", "text, 0")
    assert rows[-1] == ("19", "text, 19")


def test_positions_are_lines_of_the_file_whatever_the_dialect(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"sep=;\rid;text\r1;a\rbad\r2;b\r")
    rows, ledger = read(tmp_path / "a.csv")
    assert [r[0] for r in rows] == ["1", "2"]
    assert ledger.rejects[0].position == "line 4, byte 18"


@pytest.mark.parametrize("encoding", ["windows-1252", "cp1251", "gb18030", "shift_jis", "utf-16"])
def test_encodings_by_name(tmp_path: Path, encoding: str) -> None:
    text = {"cp1251": "Пожар", "gb18030": "新闻", "shift_jis": "ニュース"}.get(encoding, "café")
    (tmp_path / "a.csv").write_bytes(f"id,text\n1,{text}\n".encode(encoding))
    rows, _ = read(tmp_path / "a.csv", encoding=encoding)
    assert rows == [("1", text)]


def test_what_the_encoding_does_not_know_is_flagged(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,a\x81b\n2,good\n")
    rows, _ = read(tmp_path / "a.csv", encoding="windows-1252")
    assert rows == [("1", "a\ufffdb"), ("2", "good")]
    _, ledger = read(tmp_path / "a.csv", encoding="windows-1252", reject_invalid_utf8=True)
    assert ledger.rejected == 1


FIELD = st.text(st.sampled_from("ab ,;\t|\"'\n\\é"), max_size=12)


@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_quoted_is_read_again(rows: Any, delimiter: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["id", "text"])
    writer.writerows(rows)
    lines = out.getvalue().splitlines(keepends=True)
    dialect = sniff(lines)
    assert dialect.delimiter == delimiter
    if dialect == Dialect(delimiter):
        assert list(csv.reader(lines, **dialect.options()))[1:] == [list(row) for row in rows]
    else:  # only where backslashes make both ways possible
        assert "\\" in out.getvalue()
