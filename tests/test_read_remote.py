"""Inputs at addresses: the same files give the same articles, wherever they lie."""

from __future__ import annotations

import functools
import gzip
import http.server
import io
import threading
import zipfile
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.config import ReadSettings
from dedup.errors import InputError, MissingExtraError, UsageError
from dedup.model import Ledger
from dedup.read import read_articles, remote

fsspec = pytest.importorskip("fsspec")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINES = b"".join(b'{"id": "%d", "text": "text %d"}\n' % (n, n) for n in range(500))


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("in.jsonl", b'{"id": "z", "text": "zip"}\n')
    return sink.getvalue()


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["p"], "text": ["parquet"]}), sink)
    return sink.getvalue()


FILES = {
    "news/a.jsonl": LINES,
    "news/b.jsonl.gz": gzip.compress(b'{"id": "b", "text": "packed"}\n'),
    "news/c.parquet": parquet(),
    "news/sub/d.zip": zipped(),
    "news/sub/e.txt": b"a text",
    "news/.hidden/f.txt": b"no",
}
IDS = {str(n) for n in range(500)} | {"b", "p", "z", "sub/e.txt"}


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger, now=NOW):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return rows, ledger


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    for name, data in FILES.items():
        files.pipe(f"/{name}", data)
    yield files
    files.rm("/news", recursive=True)


@pytest.fixture
def web(tmp_path):
    """A server of files on this machine; requests for ``/slow`` break off."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if not self.path.startswith("/broken"):
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(LINES)))
            self.end_headers()
            self.wfile.write(LINES[:5000])

        def do_HEAD(self) -> None:
            if not self.path.startswith("/broken"):
                super().do_HEAD()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(LINES)))
            self.end_headers()

    handler = functools.partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_folder(memory):
    rows, ledger = read("memory://news")
    assert {row["id"] for row in rows} == IDS
    assert rows[0]["file"] == "memory:///news/a.jsonl"
    assert {entry.file for entry in ledger.files if entry.format == "text"} == {"memory://news"}
    assert any("hidden files or folders left out: 1" in e.notes for e in ledger.files)


def test_a_pattern_and_a_file(memory):
    rows, _ = read("memory://news/*.jsonl.gz", "memory://news/sub/d.zip")
    assert [row["id"] for row in rows] == ["b", "z"]
    assert rows[1]["file"] == "memory://news/sub/d.zip!in.jsonl"


def test_nothing_there(memory):
    with pytest.raises(InputError, match=r"memory://news/x\.jsonl: no such file"):
        read("memory://news/x.jsonl")
    rows, ledger = read("memory://news/*.nothing")
    assert rows == []
    assert ledger.warnings == ["memory://news/*.nothing: there are no files to read"]


def test_progress_knows_the_bytes_in_all(memory):
    told: list[tuple[int, int]] = []
    for _ in read_articles(
        ["memory://news/a.jsonl"], ReadSettings(), Ledger(), on_bytes=lambda *t: told.append(t)
    ):
        pass
    assert told[-1] == (len(LINES), len(LINES))


def test_https_is_read_by_address(web):
    pytest.importorskip("aiohttp")
    names = ("a.jsonl", "b.jsonl.gz", "c.parquet", "sub/d.zip")
    rows, ledger = read(*(f"{web}/news/{name}" for name in names))
    assert {row["id"] for row in rows} == IDS - {"sub/e.txt"}
    assert all(entry.incomplete is None for entry in ledger.files)
    with pytest.raises(InputError, match=r"nothing\.jsonl"):
        read(f"{web}/news/nothing.jsonl")


def test_01_a_connection_that_breaks_off_is_incomplete(web):
    pytest.importorskip("aiohttp")
    rows, ledger = read(f"{web}/broken.jsonl")
    assert len(rows) < 500
    assert ledger.files[0].incomplete


def test_what_signs_an_address_is_not_stored(web):
    pytest.importorskip("aiohttp")
    rows, ledger = read(f"{web}/news/a.jsonl?X-Amz-Signature=secret1&token=secret2&part=3")
    assert len(rows) == 500
    assert "secret" not in repr(rows[0]) + repr(ledger)
    assert rows[0]["file"].endswith("/news/a.jsonl?X-Amz-Signature=...&token=...&part=3")
    with pytest.raises(InputError) as caught:
        read(f"{web}/nothing.jsonl?sig=secret3")
    assert "secret3" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://user:pw@host/a.jsonl", "s3://key:secret@bucket/a"])
def test_credentials_in_an_address_are_refused_and_not_repeated(address):
    with pytest.raises(UsageError, match="environment") as caught:
        read(address)
    assert "pw" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_chains_and_unknown_kinds_are_refused():
    with pytest.raises(UsageError, match="chains of file systems"):
        read("memory://news::memory://x")
    with pytest.raises(UsageError, match="nosuch"):
        read("nosuch://bucket/a.jsonl")


def test_a_missing_extra_names_its_command(monkeypatch):
    real = remote.importlib.util.find_spec
    monkeypatch.setattr(
        remote.importlib.util, "find_spec", lambda name: None if name == "s3fs" else real(name)
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'dedup\[cloud\]'"):
        read("s3://bucket/a.jsonl")


def test_records_of_remote_files_are_copied(memory, tmp_path):
    dedup.filter("memory://news/a.jsonl").write(tmp_path / "kept.jsonl")
    assert (tmp_path / "kept.jsonl").read_bytes() == LINES


@pytest.fixture
def s3(monkeypatch):
    """A server that speaks S3 on this machine, with a bucket of the files."""
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir("bucket")
    for name, data in FILES.items():
        files.pipe(f"bucket/{name}", data)
    yield "s3://bucket"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.mark.slow
def test_s3_with_credentials_from_the_environment(s3):
    rows, ledger = read(f"{s3}/news")
    assert {row["id"] for row in rows} == IDS
    assert all(entry.incomplete is None for entry in ledger.files)
    rows, _ = read(f"{s3}/news/*.gz")
    assert [row["id"] for row in rows] == ["b"]
    with pytest.raises(InputError, match="no such file"):
        read(f"{s3}/news/nothing.jsonl")
    with pytest.raises(InputError, match="s3://nobucket"):
        read("s3://nobucket/x.jsonl")
