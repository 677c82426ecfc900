"""Tables of delimited text as spreadsheets, databases and scripts write them."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.errors import UsageError
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.csvlines import LINES_AHEAD, Feed, with_newlines
from dedup.read.dialect import Dialect, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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


STRAY = {
    "at the start of a cell": b'9,"never closed,Text of nine\n',
    "at the start of the row": b'"9,never closed,Text of nine\n',
    "in the last cell": b'9,title,"Text of nine\n',
}
BEFORE = b"id,title,text\n1,One,Text of one\n2,Two,Text of two\n"
AFTER = {
    "plain rows": b"3,Three,Text of three\n4,Four,Text of four\n",
    "a quoted row next": b'3,"Three","Text of three"\n4,Four,Text of four\n',
    "quotes later": b'3,Three,Text of three\n4,"Four, with a comma","Text ""of""\nfour"\n',
}


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("stray", STRAY)
def test_a_stray_quote_costs_its_own_row_alone(tmp_path: Path, stray: str, after: str) -> None:
    (tmp_path / "a.csv").write_bytes(BEFORE + STRAY[stray] + AFTER[after])
    rows, ledger = read(tmp_path / "a.csv")
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    (reject,) = ledger.rejects
    assert reject.position == "line 4, byte 50"
    assert "closed" in reject.reason
    assert reject.sample.strip() == STRAY[stray].decode().strip()


def test_quotes_inside_of_unquoted_cells_are_characters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,text\n1,"a, b"\n2,5" of "rain" fell\n3,c\n')
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("1", "a, b"), ("2", '5" of "rain" fell'), ("3", "c")]
    assert ledger.rejects == []


def test_what_follows_a_closing_quote_belongs_to_the_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,title,text\n1,"a" b,"c\n\nd, e"\n2,f,g\n')
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("1", "c\n\nd, e"), ("2", "g")]
    assert ledger.rejects == []


def test_a_long_cell_with_a_quote_that_is_not_doubled_makes_no_articles(tmp_path: Path) -> None:
    text = "".join(f"Paragraph {n} of it, as written.\n" for n in range(20))
    damaged = f'1,t,"{text}He said "no"\nand more, of it\nend"\n'
    (tmp_path / "a.csv").write_bytes(f"id,title,text\n{damaged}2,t,after\n".encode())
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("2", "after")]
    assert ledger.rejects[0].position == "line 2, byte 14"


def test_a_stray_quote_takes_in_no_more_than_a_record_may_have(tmp_path: Path) -> None:
    many = b"".join(b"%d,Text number %d\n" % (n, n) for n in range(1000))
    (tmp_path / "a.csv").write_bytes(b'id,text\n8,"x, y"\nx,"stray\n' + many)
    rows, ledger = read(tmp_path / "a.csv", max_record_bytes=2000)
    assert [row[0] for row in rows] == ["8", *map(str, range(1000))]
    assert [reject.position for reject in ledger.rejects] == ["line 3, byte 17"]


def test_a_line_that_is_too_long_inside_of_a_stray_quote_is_a_reject_of_its_own(
    tmp_path: Path,
) -> None:
    data = b'id,text\n1,"x, y"\n2,"stray\n3,c\n4,' + b"z" * 500 + b"\n5,e\n"
    (tmp_path / "a.csv").write_bytes(data)
    rows, ledger = read(tmp_path / "a.csv", max_record_bytes=200)
    assert [row[0] for row in rows] == ["1", "3", "5"]
    assert [reject.position for reject in ledger.rejects] == ["line 3, byte 17", "line 5, byte 30"]


CELL = st.text('ab,;\n"', max_size=8).map(lambda inner: f"x{inner}x")


@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=3, max_size=12),
    place=st.integers(0, 12),
    cell=st.integers(0, 2),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
)
def test_a_stray_quote_anywhere_costs_one_row(
    tmp_path: Path, rows: list[tuple[str, str]], place: int, cell: int, quoting: Any
) -> None:
    place = min(place, len(rows))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=quoting)
    writer.writerow(("id", "title", "text"))
    # Quotes have a meaning in this file, wherever the stray one stands.
    writer.writerow(("first", "a, b", "c, d"))
    for number, row in enumerate(rows):
        if number == place:
            out.write(",".join('"' * (k == cell) + "stray" for k in range(3)) + "\n")
        writer.writerow((number, *row))
    (tmp_path / "a.csv").write_text(out.getvalue(), "utf-8", newline="")
    found, ledger = read(tmp_path / "a.csv")
    expected = [(str(n), text) for n, (_, text) in enumerate(rows)]
    assert [row for row in found if row[0] != "first"] == expected
    assert len(ledger.rejects) == int(place < len(rows))


@pytest.mark.parametrize("line", [b'a","b\n', b'"a\nb,c\n', b'1,"",2\n3,"x\n', b'"\n'])
def test_lines_are_given_again_a_bounded_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    given_bytes = 0
    usual = Feed.__next__

    def counted(feed: Feed) -> str:
        nonlocal given_bytes
        text = usual(feed)
        given_bytes += len(text)
        return text

    monkeypatch.setattr(Feed, "__next__", counted)
    data = b'id,text\nx,"y\n' + line * 5000
    (tmp_path / "a.csv").write_bytes(data)
    read(tmp_path / "a.csv")
    assert given_bytes <= (6 + LINES_AHEAD) * len(data)


def test_first_lines_are_looked_at_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_lines = 0
    usual = csv.reader

    def counted(lines: Iterable[str], **options: Any) -> Any:
        def counting() -> Iterator[str]:
            nonlocal read_lines
            for line in lines:
                read_lines += 1
                yield line

        return usual(counting(), **options)

    monkeypatch.setattr(csv, "reader", counted)
    lines = ["id,text\n", *("1,a\n", '1,a","b\n') * 500]
    sniff(lines)
    # Seven ways at most, and each line read twice whenever it is read.
    assert read_lines <= 100 * len(lines)


def test_rows_behind_very_many_open_quotes_are_read(tmp_path: Path) -> None:
    """Each of the open quotes could be closed by the next one, up to the end of the file."""
    rows = b"".join(b"%d,plain words\n" % n for n in range(10_000))
    tail = b"".join(b'g%d,good\nb%d,x","b\n' % (n, n) for n in range(20_000))
    (tmp_path / "a.csv").write_bytes(b"id,text\n" + rows + tail + b'last,"two\nlines"\n')
    found, ledger = read(tmp_path / "a.csv")
    assert len(found) == 30_000 + 1
    assert found[-1] == ("last", "two\nlines")
    assert [reject.sample[:2] for reject in ledger.rejects] == [f"b{n}"[:2] for n in range(20_000)]
    assert ledger.incomplete == []


@pytest.mark.parametrize(
    "before",
    [
        b"# exported 2024-05-06\n# by the desk, in full\n",
        b"News of the week\n\n",
        b"Export;2024\n",
        b"sep=,\n# a comment\n",
        b"News of the week,,\n",
        b"# by the desk; in full\n# from a, b, c, d\n",
    ],
)
def test_lines_before_the_header(tmp_path: Path, before: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(before + b'id,title,text\n1,T,"a\nb"\n2,U,c\n')
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("1", "a\nb"), ("2", "c")]
    assert ledger.files[0].columns == {"id": "id", "title": "title", "text": "text"}
    (note,) = ledger.files[0].notes
    assert "before the header" in note


@pytest.mark.parametrize(
    "table",
    [
        "nr,type,channel,Inhalt\n1,article,website,Der Rat tagt\n2,article,website,b\n",
        "id;Überschrift;Inhalt\n1;text;date\n2;b;c\n",
        "#nr,Art,Inhalt\n1,article,website\n",
        "nr,Inhalt\n1,article,website\n",
    ],
)
def test_a_row_is_not_taken_for_the_header(tmp_path: Path, table: str) -> None:
    """The names above it are none that are known; what is in it happens to be."""
    (tmp_path / "a.csv").write_text(table)
    with pytest.raises(UsageError, match=r"no column was recognised as the text.*, Inhalt"):
        read(tmp_path / "a.csv")


def test_the_column_that_is_asked_for_shows_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Die Woche\nnr,Titel,Inhalt\n1,T,a\n")
    rows, ledger = read(tmp_path / "a.csv", fields=(("text", "Inhalt"),))
    assert [row[1] for row in rows] == ["a"]
    assert ledger.files[0].notes == ["lines before the header are left out: 1"]


def test_a_first_line_that_names_columns_is_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"#id,text\n1,a\nid,text\n")
    rows, ledger = read(tmp_path / "a.csv")
    assert [row[1] for row in rows] == ["a", "text"]
    assert ledger.files[0].notes == []


MIXED = {
    "returns, then both": b"id,text\r1,a\r2,b\r\n3,c\r\n",
    "newlines, then returns": b"id,text\n1,a\n2,b\r3,c\r",
    "newlines, then returns, quoted": b'id,text\n1,a\n"2","b"\r"3",c\r\n',
    "both, then returns": b"id,text\r\n1,a\r\n2,b\r3,c",
    "a comment, then returns": b"# x\nid,text\r1,a\r2,b\r3,c\r",
    "comments, then returns": b"# x\r\n# y\r\nid,text\r1,a\r2,b\r3,c\r",
}


@pytest.mark.parametrize("mixed", MIXED)
def test_mixed_line_ends(tmp_path: Path, mixed: str) -> None:
    (tmp_path / "a.csv").write_bytes(MIXED[mixed])
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("1", "a"), ("2", "b"), ("3", "c")]
    assert ledger.rejects == []


def test_a_return_behind_a_field_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,text\n1,"a\nb"\r2,"c"\r3,d\n4\n5,e\n')
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("1", "a\nb"), ("2", "c"), ("3", "d"), ("5", "e")]
    assert [reject.position for reject in ledger.rejects] == ["line 6, byte 26"]


def test_a_return_in_a_table_of_one_column_is_no_line_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\na\rb\nc\n")
    rows, ledger = read(tmp_path / "a.csv")
    assert [row[1] for row in rows] == ["c"]
    assert [reject.position for reject in ledger.rejects] == ["line 2, byte 5"]


def test_only_the_last_of_several_lines_in_one_is_cut_off(tmp_path: Path) -> None:
    whole = gzip.compress(b"id,text\n1,a\n" + b"2,b\r" * 50_000)
    (tmp_path / "a.csv.gz").write_bytes(whole[:-4])
    rows, ledger = read(tmp_path / "a.csv.gz")
    assert len(rows) == 50_000
    assert [reject.position for reject in ledger.rejects] == ["line 50002, byte 200008"]
    assert ledger.incomplete


def test_positions_of_mixed_line_ends_are_distinct(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,a\r2,b\r3,c\n4\n5,e\n")
    rows, ledger = read(tmp_path / "a.csv")
    assert [row[0] for row in rows] == ["1", "2", "3", "5"]
    assert [reject.position for reject in ledger.rejects] == ["line 5, byte 20"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 100])
def test_line_ends_on_the_edge_of_two_chunks(size: int) -> None:
    """However the bytes come, both characters are one line end, and the first alone is one."""
    data = b'id,text\r\n1,"a\r\nb"\r\n2,c\r\n'
    old = b'id,text\r1,"a\rb"\r2,c\r'
    remark = b"# x\n"
    for whole, expected in (
        (data, data),
        (old, old.replace(b"\r", b"\n")),
        (remark + data, remark + data),
        (remark + old, remark + old.replace(b"\r", b"\n")),
    ):
        pieces = iter([whole[at : at + size] for at in range(0, len(whole), size)])
        assert b"".join(with_newlines(pieces)) == expected


def test_a_carriage_return_in_a_cell_without_quotes_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,a\rb c\n2,d\n")
    rows, ledger = read(tmp_path / "a.csv")
    assert rows == [("2", "d")]
    assert ledger.rejects[0].reason.endswith("a carriage return stands in a field without quotes")
