"""Bad inputs (the numbers are those of the list of faults) and what becomes of them."""

from __future__ import annotations

import bz2
import codecs
import functools
import gzip
import json
import lzma
import os
import random
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.errors import DedupError, IncompleteInputError, InputError
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.charsets import control_share

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger, now=NOW):
        batch.validate(full=True)
        rows += batch.to_pylist()
    balanced(ledger)
    assert len(rows) == ledger.articles + ledger.repeats
    return rows, ledger


def balanced(ledger: Ledger) -> None:
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert len(ledger.rejects) == ledger.rejected


def dump(count: int, *, seed: int = 1) -> bytes:
    """JSON Lines that do not compress to nothing."""
    rng = random.Random(seed)
    return b"".join(
        b'{"id": "%d", "text": "%s"}\n' % (i, rng.randbytes(400).hex().encode())
        for i in range(count)
    )


PACK = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": functools.partial(bz2.compress, compresslevel=1),  # small blocks
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("count", [3, 3000])
def test_01_truncated_stream_keeps_its_prefix(tmp_path: Path, kind: str, count: int) -> None:
    packed = PACK[kind](dump(count))
    (tmp_path / f"a.jsonl.{kind}").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / "b.jsonl").write_bytes(b'{"id": "after", "text": "x"}\n')
    rows, ledger = read(tmp_path)
    assert rows[-1]["id"] == "after"
    reason = ledger.files[0].incomplete
    assert reason is not None
    assert f"the file ends at byte {len(packed) * 2 // 3}" in reason
    if count == 3000:
        assert len(rows) > 1500
        assert "cut off" in ledger.rejects[0].reason
    with pytest.raises(IncompleteInputError, match=r"a\.jsonl.*run without --strict"):
        read(tmp_path, strict=True)


def test_01_last_line_of_a_truncated_stream_counts_if_it_parses(tmp_path: Path) -> None:
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(b'{"id": 1, "text": "whole"}')
    (tmp_path / "a.jsonl.zst").write_bytes(frame[:-4])  # all of the data, but no checksum
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == ["whole"]
    assert ledger.incomplete


def test_01_truncated_csv_row_and_text_are_rejected(tmp_path: Path) -> None:
    body = "id,text\n1,whole\n2,perhaps cut"
    for name, data in (("a.csv.gz", body), ("b.txt.gz", "some text")):
        (tmp_path / name).write_bytes(gzip.compress(data.encode())[:-8])
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == ["whole"]
    assert all("cut off" in r.reason for r in ledger.rejects)
    assert len(ledger.incomplete) == 2


@pytest.mark.parametrize("kind", PACK)
def test_02_corrupt_middle_keeps_what_came_before(tmp_path: Path, kind: str) -> None:
    packed = bytearray(PACK[kind](dump(3000)))
    packed[len(packed) // 2 : len(packed) // 2 + 300] = b"\xff" * 300
    (tmp_path / f"a.jsonl.{kind}").write_bytes(packed)
    rows, ledger = read(tmp_path)
    assert len(rows) > 1000
    assert "damaged near byte" in (ledger.files[0].incomplete or "")


def test_02_bad_lines_are_rejected_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id":1,"text":"x"}\n{"id":2,\n\n[1]\n{"text":"y"}\n')
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == ["x", "y"]
    assert [r.position for r in ledger.rejects] == ["line 2, byte 20", "line 4, byte 30"]
    assert rows[1]["position"] == "line 5"


def test_02_damaged_parquet(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    table = pa.table({"id": range(400), "text": [os.urandom(40).hex() for _ in range(400)]})
    pq.write_table(table, file, row_group_size=100, compression="none", use_dictionary=False)
    whole = file.read_bytes()
    start = pq.ParquetFile(file).metadata.row_group(1).column(1).data_page_offset
    file.write_bytes(whole[:start] + b"\xff" * 60 + whole[start + 60 :])
    rows, ledger = read(file)
    assert len(rows) == 300  # the other row groups
    assert "row group 1 is damaged from row 101" in (ledger.files[0].incomplete or "")
    file.write_bytes(whole[:-100])
    assert "not readable as Parquet" in (read(file)[1].files[0].incomplete or "")


def test_02_flipped_bytes_in_parquet_never_end_the_process(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    table = pa.table({"id": [str(i) for i in range(60)], "text": ["hello " * i for i in range(60)]})
    pq.write_table(table.append_column("authors", [[["a"]] * 60]), file, row_group_size=20)
    whole = file.read_bytes()
    rng = random.Random(3)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] = rng.randrange(256)
        file.write_bytes(damaged)
        ledger = Ledger()
        try:
            for batch in read_articles([str(file)], ReadSettings(), ledger, now=NOW):
                batch.validate(full=True)
        except DedupError as error:
            balanced(ledger)
            assert "a.parquet" in str(error)  # noqa: PT017
        balanced(ledger)


@pytest.mark.parametrize("kind", PACK)
def test_03_all_members_and_frames_are_read(tmp_path: Path, kind: str) -> None:
    lines = dump(200).splitlines(keepends=True)
    (tmp_path / f"a.jsonl.{kind}").write_bytes(b"".join(map(PACK[kind], lines)))
    rows, ledger = read(tmp_path)
    assert len(rows) == 200
    assert not ledger.incomplete


def test_03_padding_and_skippable_frames_are_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(dump(1)) + bytes(1000))
    skippable = b"\x50\x2a\x4d\x18\x05\0\0\0hello"
    (tmp_path / "b.jsonl.zst").write_bytes(skippable + zstandard.compress(dump(1, seed=2)))
    rows, ledger = read(tmp_path)
    assert (len(rows), ledger.incomplete) == (2, [])
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(dump(1)) + b"rubbish")
    assert read(tmp_path)[1].incomplete


@pytest.mark.parametrize("kind", PACK)
def test_04_decompression_bomb_is_stopped(tmp_path: Path, kind: str) -> None:
    bomb = PACK[kind](b'{"id": 1, "text": "x"}\n' + bytes(80 * 2**20))
    (tmp_path / f"a.jsonl.{kind}").write_bytes(bomb)
    rows, ledger = read(tmp_path, max_ratio=200, max_record_bytes=2**20)
    assert len(rows) == 1
    assert "max_ratio" in (ledger.files[0].incomplete or "")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_05_invalid_utf8_is_replaced_or_rejected(tmp_path: Path, name: str) -> None:
    bodies = {
        "a.jsonl": b'{"text": "caf\xe9"}',
        "a.csv": b"text,n\ncaf\xe9,1\n",
        "a.txt": b"caf\xe9",
    }
    (tmp_path / name).write_bytes(bodies[name])
    rows, _ = read(tmp_path)
    assert rows[0]["text"] == "caf\ufffd"
    assert "invalid-utf8" in rows[0]["issues"]
    rows, ledger = read(tmp_path, reject_invalid_utf8=True)
    assert rows == []
    assert "invalid UTF-8" in ledger.rejects[0].reason


def test_06_lone_surrogates_become_replacement_characters(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        rb'{"id": 1, "text": "a\ud800b \ud83d\ude00", "author": ["\udfff"], "n": NaN}'
    )
    rows, _ = read(tmp_path)
    assert (rows[0]["text"], rows[0]["byline"]) == ("a\ufffdb \U0001f600", "\ufffd")
    assert rows[0]["issues"] == ["lone-surrogate"]


def test_07_control_characters_are_kept_in_texts_and_not_in_samples(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,a\0b\x1b[0m\n2,c\0\x1b,x\n")
    rows, ledger = read(tmp_path)
    assert rows[0]["text"] == "a\0b\x1b[0m"
    assert ledger.rejects[0].sample == "2,c\ufffd\ufffd,x"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_08_byte_order_marks(tmp_path: Path, name: str, encoding: str) -> None:
    text = {"a.jsonl": '{"text": "naïve 😀"}\n', "a.csv": "text\nnaïve 😀\n", "a.txt": "naïve 😀"}[
        name
    ]
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / name).write_bytes((mark + text).encode(encoding))
    rows, _ = read(tmp_path)
    assert [r["text"] for r in rows] == ["naïve 😀"]


def test_08_half_a_character_of_utf16_is_flagged(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("ab".encode("utf-16") + b"\x00")
    rows, _ = read(tmp_path)
    assert (rows[0]["text"], rows[0]["issues"]) == ("ab\ufffd", ["invalid-utf8"])


def test_09_records_end_at_newlines_alone(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\x0bfour"
    line = json.dumps({"id": 1, "text": text}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_bytes(f"{line}\r\n\r\n{line}\r\n".encode())
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == [text, text]
    assert (ledger.repeats, ledger.rejected) == (1, 0)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.txt.gz"])
def test_10_a_giant_line_is_rejected_in_bounded_memory(tmp_path: Path, name: str) -> None:
    head, tail = {"a.j": (b"", b'{"text": "after"}\n'), "a.c": (b"text\n", b"after\n")}.get(
        name[:3], (b"", b"")
    )
    big = os.urandom(2**16).hex().encode() * 200 + b"\n"  # 26 MB
    (tmp_path / name).write_bytes(gzip.compress(head + big + big + tail, 1))
    tracemalloc.start()
    rows, ledger = read(tmp_path, max_record_bytes=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20
    assert [r["text"] for r in rows] == (["after"] if tail else [])
    assert len(ledger.rejects) == (2 if tail else 1)
    assert "max_record_bytes" in ledger.rejects[0].reason
    if name.startswith("a.j"):
        assert ledger.rejects[1].position == f"line 2, byte {len(big)}"


def test_11_deep_nesting_is_rejected(tmp_path: Path) -> None:
    deep = b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    (tmp_path / "a.jsonl").write_bytes(deep + b'{"text": "after"}\n')
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == ["after"]
    assert "nested too deeply" in ledger.rejects[0].reason


def test_12_large_and_quoted_csv_fields(tmp_path: Path) -> None:
    big = "x" * 300_000
    (tmp_path / "a.csv").write_text(
        f'id,text\n1,"{big}"\n2,"say ""hi"",\r\nthere"\n3\n4,d,e\n5,"open'
    )
    rows, ledger = read(tmp_path)
    assert [r["text"] for r in rows] == [big, 'say "hi",\r\nthere']
    assert [r.position.split(",")[0] for r in ledger.rejects] == ["line 5", "line 6", "line 7"]
    assert "has 1 fields, the header has 2" in ledger.rejects[0].reason
    assert "not closed" in ledger.rejects[2].reason


def test_12_a_csv_record_over_many_lines_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,text\n1,"' + "line\n" * 1000 + "2,after\n")
    rows, ledger = read(tmp_path, max_record_bytes=1000)
    assert "exceeds max_record_bytes" in ledger.rejects[0].reason
    assert [r["text"] for r in rows] == ["after"]


def test_13_missing_text_is_rejected_naming_the_fields(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"id": 1, "summary": "x"}\n{"id": 2, "text": null}\n{"id": 3, "text": ["x"]}\n'
    )
    rows, ledger = read(tmp_path)
    assert rows == []
    assert [r.reason for r in ledger.rejects] == [
        "no text field; the record has: id, summary; name the right one with --field text=NAME",
        "the text (field 'text') is null",
        "the text (field 'text') is not a string but list",
    ]


def test_15_blank_text_is_an_article(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": ""}\n{"id": 2, "text": " \\n"}\n')
    assert [r["text"] for r in read(tmp_path)[0]] == ["", " \n"]


def test_28_a_growing_file_is_read_to_its_size_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(dump(3))
    ledger = Ledger()
    batches = read_articles([str(file)], ReadSettings(), ledger, now=NOW, batch_bytes=1)
    rows = next(batches).num_rows
    with file.open("ab") as more:
        more.write(dump(5))
    rows += sum(batch.num_rows for batch in batches)
    assert rows == 3
    assert "grew while it was read" in ledger.files[0].notes[0]


def test_29_nothing_to_read_is_a_warning(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    inputs = [tmp_path / n for n in ("a.jsonl", "b.csv", "c.txt", "empty", "*.parquet")]
    rows, ledger = read(*inputs)
    assert [r["text"] for r in rows] == [""]  # the blank text file
    assert [w.split(": ")[1] for w in ledger.warnings] == [
        "the folder holds no files to read",
        "no file matches the pattern",
        "the file is empty",
        "the file is empty",
        "the file is empty",
    ]


def test_30_loops_pipes_and_devices_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.jsonl")
    rows, ledger = read(tmp_path, tmp_path / "pipe.jsonl", "/dev/null", tmp_path / "self")
    assert [r["id"] for r in rows] == ["a.txt"]
    reasons = {Path(s.file).name: s.reason for s in ledger.skipped}
    assert sorted(reasons) == ["gone", "null", "pipe.jsonl", "self", "up"]
    assert "FIFO" in reasons["pipe.jsonl"]
    assert "leads back to itself" in reasons["self"]


def test_30_folders_behind_links_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("a")
    (tmp_path / "out" / "back").symlink_to(tmp_path / "in")
    for name in ("one", "two"):
        (tmp_path / "in" / name).symlink_to(tmp_path / "out")
    rows, ledger = read(tmp_path / "in")
    assert [r["id"] for r in rows] == ["one/a.txt"]
    assert sorted(Path(s.file).name for s in ledger.skipped) == ["back", "two"]


def test_31_many_small_files_share_one_entry(tmp_path: Path) -> None:
    for i in range(1500):
        (tmp_path / f"{i:04}.txt").write_text(str(i))
    rows, ledger = read(tmp_path)
    assert (len(rows), len(ledger.files)) == (1500, 1)


def test_35_file_names_that_are_no_unicode(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_text("x")
    rows, _ = read(tmp_path)
    assert rows[0]["id"] == "caf\\udce9.txt"


def test_unreadable_file_in_a_folder_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(dump(1))
    (tmp_path / "a.jsonl").chmod(0)
    if os.access(tmp_path / "a.jsonl", os.R_OK):
        pytest.skip("runs as a user who may read everything")
    assert "cannot be opened" in (read(tmp_path)[1].files[0].incomplete or "")


def test_strict_stops_at_the_first_reject(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "x"}\n{"id": 2}\n')
    with pytest.raises(IncompleteInputError, match=r"a\.jsonl, line 2: .*no text field.*strict"):
        read(tmp_path, strict=True)


def test_names_with_nul_do_not_exist() -> None:
    with pytest.raises(InputError):
        read("a\0*b")


PROPERTY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = (
    b'{"text":"a"}\n',
    b"id,text\n1,x\n",
    b'"',
    b"\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"PAR1",
    b"\0",
    b'[{"text":"a"},',
    b'{"text":{"a":[',
    b"]}",
    b"ARROW1\0\0",
    b"\xff\xff\xff\xff",
    b"sep=;\n",
    b"---\ntitle: a\n",
    b"\xff\xfe\0\0",
)


@pytest.mark.parametrize(
    "name",
    [
        *("a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.md", "a.parquet", "a.arrow"),
        *("a.jsonl.gz", "a.csv.zst", "a.feather.gz", "a"),
    ],
)
@PROPERTY
@given(
    st.lists(st.one_of(st.sampled_from(SEEDS), st.binary(max_size=20)), max_size=12).map(b"".join),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
    st.integers(0, 300),
    st.booleans(),
)
@example(b'id,text\n1,x\n2,"y', gzip.compress, 25, False)
def test_any_bytes_end_in_articles_rejects_or_our_errors(
    tmp_path: Path, name: str, data: bytes, pack: Any, cut: int, strict: bool
) -> None:
    file = tmp_path / name
    packed = pack(data)
    file.write_bytes(packed[: cut or len(packed)])
    for inputs in ([str(file)], [str(tmp_path)]):
        ledger = Ledger()
        rows = 0
        options = ReadSettings(max_record_bytes=60, strict=strict)
        stopped = False
        try:
            for batch in read_articles(inputs, options, ledger, now=NOW, batch_bytes=1):
                batch.validate(full=True)
                rows += batch.num_rows
        except DedupError:
            stopped = True
        assert stopped or rows == ledger.articles + ledger.repeats
        balanced(ledger)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts handles in /proc")
def test_31_one_handle_at_a_time(tmp_path: Path) -> None:
    for i in range(50):
        (tmp_path / f"{i:02}.txt").write_text(str(i))
    handles = Path("/proc/self/fd")
    before = len(list(handles.iterdir()))
    batches = read_articles([str(tmp_path)], ReadSettings(), Ledger(), now=NOW, batch_bytes=1)
    assert max(len(list(handles.iterdir())) for _ in batches) <= before + 2


def test_half_a_character_in_a_page_or_mail_stops_nothing(tmp_path):
    """JSON inside of a page is not read as JSON Lines are."""
    pytest.importorskip("resiliparse")
    body = "<p>The council of Wexmouth voted on Monday to repair the old harbour wall.</p>" * 5
    data = '{"@type":"NewsArticle","headline":"x \\ud83d y"}'
    head = f'<title>Wall</title><script type="application/ld+json">{data}</script>'
    page = f"<html><head>{head}</head><body><article>{body}</article></body></html>"
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "good.html").write_text(page.replace("\\ud83d", "and"))
    ledger = Ledger()
    batches = list(read_articles([str(tmp_path)], ReadSettings(), ledger))
    assert sum(len(batch) for batch in batches) == 2
    assert ledger.rejected == 0


@pytest.mark.parametrize("root", ["articles", "stories"])
def test_records_named_as_a_text_is_are_records(tmp_path, root):
    inner = {"articles": "article", "stories": "story"}[root]
    items = "".join(
        f"<{inner}><id>{n}</id><title>T{n}</title><text>Text number {n}.</text></{inner}>"
        for n in range(50)
    )
    (tmp_path / "all.xml").write_text(f"<?xml version='1.0'?><{root}>{items}</{root}>")
    ledger = Ledger()
    batches = list(read_articles([str(tmp_path / "all.xml")], ReadSettings(), ledger))
    assert [i for batch in batches for i in batch["id"].to_pylist()] == [str(n) for n in range(50)]


@pytest.mark.parametrize(
    ("name", "data", "position"),
    [
        ("a.jsonl", b'{"id": "1", "text": "a"}\nnone\n', "line 2, byte 28"),
        ("a.json", b'[{"id": "1", "text": "a"},\n7]', "record 2, byte 30"),
        ("a.csv", b'id,text\n1,a\n"2,b\n', "line 3, byte 15"),
    ],
)
def test_08_positions_count_the_bytes_of_a_mark(
    tmp_path: Path, name: str, data: bytes, position: str
) -> None:
    (tmp_path / name).write_bytes(codecs.BOM_UTF8 + data)
    rows, ledger = read(tmp_path / name)
    assert [row["id"] for row in rows] == ["1"]
    assert [reject.position for reject in ledger.rejects] == [position]
    at = int(position.rpartition(" ")[2])
    assert (tmp_path / name).read_bytes()[at:].strip() in (b"none", b"7]", b'"2,b')


BINARY = {
    "zeros": bytes(1000),
    "packed": gzip.compress(bytes(range(256)) * 400, mtime=0) * 20,
    "16 bits": ("\u4e2d\u6587" + "Wexmouth harbour").encode("utf-16-be"),
}


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_text_file_that_is_binary_is_a_reject(tmp_path: Path, name: str, kind: str) -> None:
    data = b"\x89PNG\r\n\x1a\n" + BINARY[kind] if kind != "16 bits" else BINARY[kind]
    (tmp_path / name).write_bytes(data)
    rows, ledger = read(tmp_path / name)
    assert rows == []
    assert "is binary" in ledger.rejects[0].reason


@given(st.text(min_size=1))
def test_texts_of_any_script_are_no_binary_data(text: str) -> None:
    printable = "".join(c for c in text if c >= " ")
    for encoding in ("utf-8", "cp1251", "shift-jis", "iso2022_jp", "gb18030"):
        assert control_share(printable.encode(encoding, "replace")) == 0.0


def test_a_mailbox_cut_off_in_a_line_that_is_too_long_is_a_reject(tmp_path: Path) -> None:
    mail = b"From a@b Mon Jan  1 00:00:00 2024\n" + b"x" * 5000
    packed = gzip.compress(b"From: a\nTo: b\nDate: c\nSubject: d\n\nText\n\n" + mail)
    (tmp_path / "a.mbox.gz").write_bytes(packed[:-9])
    _, ledger = read(tmp_path / "a.mbox.gz", max_record_bytes=1000)
    assert ledger.files[0].incomplete
    assert "the mail" in ledger.rejects[-1].reason
