"""ZIP and TAR: members are read like the files of a folder, and never become files."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.errors import InputError, UsageError
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.read.copying import copied_format
from dedup.read.zipmembers import ZipMember

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger, now=NOW):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert len(ledger.rejects) == ledger.rejected
    return rows, ledger


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["p"], "text": ["drei"]}), sink)
    return sink.getvalue()


FILES = {
    "news/a.jsonl": b'{"id": "1", "text": "eins"}\n{"id": "2", "text": "zwei"}\n',
    "news/b.csv.gz": gzip.compress(b"id,text\n3,vier\n"),
    "c.parquet": parquet(),
    "d.txt": b"ein Text",
    ".hidden.jsonl": b'{"text": "no"}\n',
    "__MACOSX/._d.txt": b"no",
}
EXPECTED = {"1": "eins", "2": "zwei", "3": "vier", "p": "drei", "d.txt": "ein Text"}


def zipped(files: dict[str, bytes] = FILES) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def tarred(files: dict[str, bytes] = FILES) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


ARCHIVES = {
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tgz": lambda: gzip.compress(tarred()),
    "a.tar.zst": lambda: zstandard.compress(tarred()),
    "a.tar.bz2": lambda: bz2.compress(tarred()),
    "a.tar.xz": lambda: lzma.compress(tarred()),
    "a.zip.gz": lambda: gzip.compress(zipped()),
    "no-ending": zipped,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_members_are_read_like_the_files_of_a_folder(tmp_path, name):
    (tmp_path / name).write_bytes(ARCHIVES[name]())
    rows, ledger = read(tmp_path / name)
    assert {row["id"]: row["text"] for row in rows} == EXPECTED
    assert ledger.files[0].notes == ["hidden files or folders left out: 2"]
    assert all(entry.incomplete is None for entry in ledger.files)
    assert rows[0]["file"] == f"{tmp_path / name}!news/a.jsonl"
    assert rows[0]["position"] == "line 1"


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_through_a_pipe(monkeypatch, pack):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pack())))
    rows, _ = read("-")
    assert {row["id"]: row["text"] for row in rows} == EXPECTED


def test_ids_tell_the_archives_of_a_folder_apart(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"x.txt": b"one"}))
    (tmp_path / "b.zip").write_bytes(zipped({"x.txt": b"two"}))
    rows, ledger = read(tmp_path)
    assert [row["id"] for row in rows] == ["a.zip!x.txt", "b.zip!x.txt"]
    assert ledger.warnings == []


def nested(depth: int) -> bytes:
    data = FILES["news/a.jsonl"]
    name = "a.jsonl"
    for n in range(depth):
        data = (zipped if n % 2 else tarred)({name: data})
        name = f"{n}.{'zip' if n % 2 else 'tar'}"
    return data


def test_archives_inside_of_archives_are_read_to_a_depth(tmp_path):
    (tmp_path / "3").write_bytes(nested(3))
    rows, _ = read(tmp_path / "3")
    assert [row["text"] for row in rows] == ["eins", "zwei"]
    assert rows[0]["file"].endswith("3!1.zip!0.tar!a.jsonl")
    (tmp_path / "4").write_bytes(nested(4))
    rows, ledger = read(tmp_path / "4")
    assert rows == []
    assert ledger.rejects[0].reason == "an archive inside of 3 archives is not read"


def test_35_names_of_members_are_never_paths(tmp_path):
    names = ["../../evil.txt", "/etc/evil.txt", "C:\\evil.txt", "a\n\x07b.txt", "x" * 5000 + ".txt"]
    (tmp_path / "in").mkdir()
    for kind, pack in (("zip", zipped), ("tar", tarred)):
        (tmp_path / "in" / f"a.{kind}").write_bytes(pack(dict.fromkeys(names, b"text")))
    before = sorted(Path(tmp_path).rglob("*"))
    rows, _ = read(tmp_path / "in")
    assert len(rows) == 2 * len(names)
    assert sorted(Path(tmp_path).rglob("*")) == before
    assert not Path("/etc/evil.txt").exists()


def test_links_and_devices_in_an_archive_are_left_out(tmp_path):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("a.txt")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    (tmp_path / "a.tar").write_bytes(sink.getvalue())
    rows, ledger = read(tmp_path / "a.tar")
    assert rows == []
    assert ledger.files[0].notes == ["links and devices in the archive left out: 4"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_01_a_tar_cut_off_keeps_what_is_whole(tmp_path, pack):
    random = Random(1)
    files = {
        f"{n}.jsonl": b"".join(
            b'{"id": "%d-%d", "text": "%s"}\n' % (n, k, random.randbytes(40).hex().encode())
            for k in range(1000)
        )
        for n in range(5)
    }
    data = pack(tarred(files))
    (tmp_path / "a.tar").write_bytes(data[: len(data) * 7 // 10])
    rows, ledger = read(tmp_path / "a.tar")
    assert 2000 < len(rows) < 4000
    assert "damaged or cut off" in (ledger.files[0].incomplete or "")
    assert "cut off" in ledger.rejects[0].reason  # the line that the cut goes through


def test_01_a_tar_that_ends_between_members_is_incomplete(tmp_path):
    whole = tarred({"a.txt": b"one", "b.txt": b"two"})
    (tmp_path / "a.tar").write_bytes(whole[:1024])  # header and content of the first
    rows, ledger = read(tmp_path / "a.tar")
    assert [row["text"] for row in rows] == ["one"]
    assert ledger.files[0].incomplete == "the archive is damaged or cut off (it has no end mark)"


def test_01_a_zip_cut_off_has_no_table_of_contents(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped()[:-60])
    rows, ledger = read(tmp_path / "a.zip")
    assert rows == []
    assert "damaged or cut off" in (ledger.files[0].incomplete or "")


def test_02_a_damaged_member_of_a_zip_costs_itself_alone(tmp_path):
    lines = b"".join(
        b'{"id": "%d", "text": "%s"}\n' % (n, os.urandom(40).hex().encode()) for n in range(2000)
    )
    data = bytearray(zipped({"a.jsonl": lines, "b.txt": b"whole"}))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    rows, ledger = read(tmp_path / "a.zip")
    assert rows[-1]["text"] == "whole"
    [entry] = [entry for entry in ledger.files if entry.file.endswith("!a.jsonl")]
    assert "the member of the archive is damaged" in (entry.incomplete or "")


def test_04_a_bomb_is_stopped(tmp_path):
    zeros = {f"{n}.jsonl": bytes(40 * 2**20) for n in range(4)}
    (tmp_path / "a.zip").write_bytes(zipped(zeros))
    rows, ledger = read(tmp_path / "a.zip", max_ratio=10, max_record_bytes=2**20)
    assert rows == []
    assert "setting max_ratio" in (ledger.files[0].incomplete or "")
    assert len(ledger.files) < 4  # the last member was not looked at


def test_04_a_bomb_inside_of_an_archive_counts_against_the_outermost(tmp_path):
    inner = zipped({"a.jsonl": bytes(40 * 2**20), "b.jsonl": bytes(40 * 2**20)})
    (tmp_path / "a.zip").write_bytes(zipped({"x.zip": inner, "y.zip": inner, "z.txt": b"t"}))
    _, ledger = read(tmp_path / "a.zip", max_ratio=10, max_record_bytes=2**20)
    assert "setting max_ratio" in (ledger.files[0].incomplete or "")
    assert not any("y.zip!" in entry.file for entry in ledger.files)


METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


def one_member(data: bytes, method: int) -> zipfile.ZipFile:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        archive.writestr("a", data)
    return zipfile.ZipFile(sink)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.binary(max_size=3000), copies=st.integers(0, 200), count=st.integers(1, 2**16))
@settings(max_examples=30)
def test_members_are_unpacked_in_steps_to_what_was_packed(method, data, copies, count):
    with one_member(data * copies, METHODS[method]) as archive:
        parts = []
        with ZipMember(archive, archive.infolist()[0]) as member:
            while part := member.read(count):
                parts.append(part)
    assert b"".join(parts) == data * copies
    assert all(len(part) <= count for part in parts)


@pytest.mark.parametrize("method", ["deflate", "bzip2", "lzma"])
def test_04_a_member_is_never_held_as_a_whole(method):
    archive = one_member(bytes(100 * 2**20), METHODS[method])
    assert archive.infolist()[0].compress_size < 2**18
    size = 0
    tracemalloc.start()
    try:
        with ZipMember(archive, archive.infolist()[0]) as member:
            while part := member.read(2**16):
                size += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 100 * 2**20
    assert peak < 16 * 2**20


@pytest.mark.parametrize("method", METHODS)
def test_04_the_reason_is_said_once(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", METHODS[method]) as archive:
        archive.writestr("a.jsonl", b'{"id": "1", "text": "before"}\n' + bytes(80 * 2**20))
        archive.writestr("b.txt", b"after")
    rows, ledger = read(tmp_path / "a.zip", max_ratio=1, max_record_bytes=2**20)
    if method == "stored":
        assert [row["text"] for row in rows] == ["before", "after"]
        return
    assert [row["text"] for row in rows] == ["before"]
    reasons = [entry.incomplete or "" for entry in ledger.files]
    assert sum("max_ratio" in reason for reason in reasons) == 1
    assert all("unpacking" in reason for reason in reasons)


def test_a_member_packed_by_an_unknown_method_is_rejected_by_name(tmp_path):
    data = bytearray(zipped({"a.txt": b"unknown", "b.txt": b"known"}))
    for sign, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(sign) + offset] = 9
    (tmp_path / "a.zip").write_bytes(data)
    rows, ledger = read(tmp_path / "a.zip")
    assert [row["text"] for row in rows] == ["known"]
    [reject] = ledger.rejects
    assert reject.position == "a.txt"
    assert "deflate64" in reject.reason


def test_a_member_with_a_password_is_rejected_by_name(tmp_path):
    data = bytearray(zipped({"a.txt": b"secret", "b.txt": b"open"}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + offset] |= 1  # the flag of encryption
    (tmp_path / "a.zip").write_bytes(data)
    rows, ledger = read(tmp_path / "a.zip")
    assert [row["text"] for row in rows] == ["open"]
    [reject] = ledger.rejects
    assert reject.position == "a.txt"
    assert "password" in reject.reason


def test_documents_in_zip_files_are_no_archives(tmp_path):
    (tmp_path / "a.docx").write_bytes(zipped({"[Content_Types].xml": b"<x/>", "word/d.xml": b""}))
    (tmp_path / "b.jsonl").write_bytes(FILES["news/a.jsonl"])
    rows, ledger = read(tmp_path)
    assert len(rows) == 2
    assert ledger.rejects[0].reason.startswith("the format was not recognised")


def test_empty_archives_are_said(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({}))
    (tmp_path / "b.tar").write_bytes(tarred({}))
    rows, ledger = read(tmp_path)
    assert rows == []
    assert [w.rsplit(": ", 1)[1] for w in ledger.warnings] == [
        "the archive holds no files to read",
        "the archive holds no files to read",
    ]


def test_a_name_of_a_gigabyte_in_a_tar_is_refused(tmp_path):
    info = tarfile.TarInfo("a.txt")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**30
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    _, ledger = read(tmp_path / "a.tar")
    assert "a name or header of 1073741824 bytes" in (ledger.files[0].incomplete or "")


def test_records_of_archives_are_not_written_again(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped())
    _, ledger = read(tmp_path / "a.zip")
    with pytest.raises(UsageError, match="records of format 'zip' are not written again"):
        copied_format((entry.file, entry.format) for entry in ledger.files)


@settings(max_examples=80)
@given(
    pack=st.sampled_from([zipped, tarred]),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
    keep=st.integers(0, 10_000),
)
def test_any_damage_ends_in_articles_rejects_or_a_note(tmp_path_factory, pack, edits, keep):
    data = bytearray(pack({"a.jsonl": FILES["news/a.jsonl"], "d.txt": b"ein Text"}))
    for at, value in edits:
        data[at % len(data)] = value
    path = tmp_path_factory.mktemp("archive") / "a.bin"
    path.write_bytes(data[: keep % len(data) + 1])
    with contextlib.suppress(InputError):  # damaged beyond recognition, which it says
        read(path, max_ratio=100)
