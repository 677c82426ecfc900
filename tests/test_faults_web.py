"""Faults of pages, crawls and archives, by their numbers in docs/reliability.md, met by the real
command."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("resiliparse")
pytest.importorskip("fastwarc")

from fault_runs import scan
from web_fixture import address, packed, page, records

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

INCOMPLETE = 3
SLOW = b"<html>" + b"<div>" * 3000 + b"<p>twenty-five letters and more of them here</p>" * 4000
"""Paragraphs under so many elements that looking at each of them takes long."""


def zipped(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def test_fault_01_truncated_warc(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(packed(records(5))[:-40])
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    assert {a["id"] for a in done.articles} == {address(n) for n in range(4)}
    assert "a.warc.gz: incomplete input" in done.stderr


def test_fault_02_damaged_warc(tmp_path: Path) -> None:
    data = bytearray(packed(records(5)))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.warc.gz").write_bytes(data)
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    assert len(done.articles) >= 4
    assert "is damaged near byte" in done.files[0]["incomplete"]


def test_fault_04_archive_bombs(tmp_path: Path) -> None:
    inner = zipped({f"{n}.jsonl": bytes(40 * 2**20) for n in range(2)})
    (tmp_path / "a.zip").write_bytes(zipped({"x.zip": inner, "y.zip": inner}))
    (tmp_path / "b.txt").write_text("after")
    done = scan(tmp_path, limit=["max_ratio=10", "max_record_bytes=1048576"])
    assert done.code == INCOMPLETE
    assert [a["id"] for a in done.articles] == ["b.txt"]
    assert "max_ratio" in done.files[0]["incomplete"]


def test_fault_35_names_in_archives(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped({"../../up.txt": b"one", "/etc/up.txt": b"two"}))
    done = scan(tmp_path / "in")
    assert done.code == 0
    assert [a["id"] for a in done.articles] == ["a.zip!../../up.txt", "a.zip!/etc/up.txt"]
    assert not list(tmp_path.parent.rglob("up.txt"))


def test_fault_36_a_page_that_ends_its_worker(tmp_path: Path) -> None:
    (tmp_path / "1.html").write_bytes(page(1))
    (tmp_path / "2.html").write_bytes(SLOW)
    (tmp_path / "3.html").write_bytes(page(3))
    done = scan(tmp_path, limit=["page_seconds=1"])
    assert done.code == 0
    assert [a["id"] for a in done.articles] == ["1.html", "3.html"]
    [reject] = done.rejected
    assert reject["file"].endswith("2.html")
    assert "page_seconds (1)" in reject["reason"]
