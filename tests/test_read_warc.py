"""WARC and ARC files: whole ones are read whole, damaged ones as far as they can be, and said."""

from __future__ import annotations

import gzip
import io
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("resiliparse")
pytest.importorskip("fastwarc")

from web_fixture import address, arc, http, packed, page, paragraphs, record, records

from dedup.config import ReadSettings
from dedup.errors import IncompleteInputError
from dedup.model import Ledger
from dedup.pages.pool import Limits, PagePool
from dedup.read import arc as arc_reader
from dedup.read import pagequeue, read_articles
from dedup.read.window import Window

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger, now=NOW):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert len(rows) == ledger.articles + ledger.repeats
    assert len(ledger.rejects) == ledger.rejected
    return rows, ledger


def texts(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["id"]: row["text"] for row in rows}


EXPECTED = {address(n): "\n".join(paragraphs(n)) for n in range(5)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.warc", b"".join(records(5))),
        ("a.warc.gz", packed(records(5))),
        ("one-member.warc.gz", gzip.compress(b"".join(records(5)))),
        ("named-wrongly.dat", b"".join(records(5))),
        ("a.arc", arc(5)),
        ("a.arc.gz", gzip.compress(arc(5))),
    ],
)
def test_whole_files_are_read_whole(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    rows, ledger = read(tmp_path / name)
    assert texts(rows) == EXPECTED
    [entry] = ledger.files
    assert entry.incomplete is None
    assert entry.rejected == 0
    assert {row["outlet"] for row in rows} == {"example.com"}


def test_position_version_and_what_was_passed_over_are_said(tmp_path):
    parts = records(1)
    parts.append(record("response", http(b"\x89PNG", kind="image/png"), address(8)))
    parts.append(record("response", http(b"gone", status="404 Not Found"), address(9)))
    parts.append(record("response", b"\x00\x01", "dns:coast.example", "text/dns"))
    parts.append(record("revisit", http(b""), address(1)))
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    [row], ledger = read(tmp_path / "a.warc")
    start = len(parts[0]) + len(parts[1])
    assert row["position"] == f"record 3, byte {start}"
    assert row["version"] == 20240506070809
    [note] = ledger.files[0].notes
    for counted in ("1 image/png", "1 HTTP 404", "1 revisit", "1 request", "1 response from dns"):
        assert counted in note


def test_a_page_fetched_again_is_a_repeat_or_a_revision(tmp_path):
    same, later = http(page(1)), http(page(2))
    parts = [record("response", block, address(1)) for block in (same, same, later)]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc")
    assert len(rows) == 3
    assert (ledger.files[0].articles, ledger.files[0].repeats) == (2, 1)
    assert ledger.files[0].notes == ["ids seen before with another text (revisions): 1"]


def test_texts_of_a_wet_file_are_articles_as_they_are(tmp_path):
    parts = [
        record("warcinfo", b"", content="application/warc-fields"),
        record("conversion", "Größe\nzwei".encode(), address(1), "text/plain"),
        record("conversion", b"caf\xe9", address(2), "text/plain"),
    ]
    (tmp_path / "a.warc.wet.gz").write_bytes(packed(parts))
    rows, _ = read(tmp_path / "a.warc.wet.gz")
    assert texts(rows) == {address(1): "Größe\nzwei", address(2): "caf\ufffd"}
    assert [list(row["issues"]) for row in rows] == [[], ["invalid-utf8"]]


def test_bodies_in_chunks_and_packed_ones_are_unpacked(tmp_path):
    body = gzip.compress(page(0))
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    more = "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
    unpacked_already = http(page(1), more=more)
    parts = [
        record("response", http(chunked, more=more), address(0)),
        record("response", unpacked_already, address(1)),
    ]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc")
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in (0, 1)}
    assert ledger.rejects == []


def test_a_body_that_unpacks_to_too_much_is_rejected(tmp_path):
    bomb = gzip.compress(b"<p>" + b"a" * 3_000_000)
    block = http(bomb, more="Content-Encoding: gzip\r\n")
    (tmp_path / "a.warc").write_bytes(record("response", block, address(0)))
    rows, ledger = read(tmp_path / "a.warc", max_record_bytes=1_000_000)
    assert rows == []
    assert "more than max_record_bytes (1000000) bytes when unpacked" in ledger.rejects[0].reason


@pytest.mark.parametrize("kind", ["warc", "warc.gz", "arc"])
def test_01_a_file_cut_off_is_read_to_its_last_whole_record(tmp_path, kind):
    data = {
        "warc": b"".join(records(5)),
        "warc.gz": packed(records(5)),
        "arc": arc(5),
    }[kind]
    (tmp_path / f"a.{kind}").write_bytes(data[:-40])
    rows, ledger = read(tmp_path / f"a.{kind}")
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in range(4)}
    assert ledger.files[0].incomplete
    assert [reject.reason for reject in ledger.rejects] == ["the record is damaged or cut off"]
    with pytest.raises(IncompleteInputError):
        read(tmp_path / f"a.{kind}", strict=True)


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_02_after_a_damaged_gzip_member_the_others_are_read(tmp_path, at):
    members = [gzip.compress(part, mtime=0) for part in records(5)]
    hurt = 2 * int(at * 5)  # a response
    spoiled = bytearray(members[hurt])
    spoiled[len(spoiled) // 2] ^= 0xFF
    members[hurt] = bytes(spoiled)
    (tmp_path / "a.warc.gz").write_bytes(b"".join(members))
    rows, ledger = read(tmp_path / "a.warc.gz")
    lost = address(hurt // 2 - 1)
    assert texts(rows) == {url: text for url, text in EXPECTED.items() if url != lost}
    assert "gzip member is damaged near byte" in (ledger.files[0].incomplete or "")


def test_02_after_a_wrong_length_reading_goes_on_at_the_next_record(tmp_path):
    parts = records(5)
    parts[4] = parts[4].replace(
        b"\r\nContent-Length: ", b"\r\nContent-Length: 9", 1
    )  # the header's
    parts[8] = parts[8].replace(b"WARC/1.0", b"WRAC/1.0")
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc")
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in (0, 2, 4)}
    reason = ledger.files[0].incomplete or ""
    start = sum(map(len, parts[:4]))
    assert f"record 5, byte {start}" in reason
    assert "are no WARC record" in reason


def test_02_after_a_wrong_length_in_an_arc_file_reading_goes_on(tmp_path):
    good = arc(5)
    line = f"{address(2)} 192.0.2.1 20040506070809 text/html ".encode()
    (tmp_path / "a.arc").write_bytes(good.replace(line, line + b"1"))
    rows, ledger = read(tmp_path / "a.arc")
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in (0, 1, 3, 4)}
    assert "is damaged or cut off" in (ledger.files[0].incomplete or "")


@pytest.mark.parametrize("stated", [900_000, 10**9])
def test_02_false_lengths_cost_their_own_records_alone(tmp_path, stated):
    parts = records(5)
    for n in (2, 6):  # two of the responses
        head, length, rest = parts[n].partition(b"\r\nContent-Length: ")
        parts[n] = head + length + b"%d" % stated + rest[rest.index(b"\r\n") :]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc", max_record_bytes=2**20)
    assert texts(rows) == {n: t for n, t in EXPECTED.items() if n not in (address(0), address(2))}
    assert [r.position.partition(",")[0] for r in ledger.rejects] == ["record 3", "record 7"]
    assert f"{stated} bytes" in (ledger.files[0].incomplete or "")


def test_02_a_header_without_an_end_costs_itself_alone(tmp_path):
    parts = records(3)
    parts[3] = b"WARC/1.0\r\nWARC-Type: response\r\n" * 3 + b"\r\n".join(
        parts[3].split(b"\r\n")[:2]
    )
    (tmp_path / "a.warc").write_bytes(b"".join([*parts[:3], parts[3] + b"\r\n", *parts[4:]]))
    rows, ledger = read(tmp_path / "a.warc")
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in range(3)}
    assert "states no length" in (ledger.files[0].incomplete or "")


_BEGUN = b"WARC/1.0\r\nWARC-Type: response\r\n"
LYING = {
    "lengths within the limit": _BEGUN + b"Content-Length: 900000\r\n\r\n",
    "lengths over the limit": _BEGUN + b"Content-Length: 9000000\r\n\r\n",
    "headers without an end": _BEGUN,
    "lines of a version": b"WARC/1.0\r\n",
    "newlines": b"\r\n",
}


@pytest.mark.parametrize("kind", LYING)
def test_bytes_of_a_warc_are_looked_at_a_bounded_number_of_times(monkeypatch, tmp_path, kind):
    copied = 0

    class Counted(bytearray):
        """Counts the bytes that are copied out of it."""

        def __getitem__(self, part):
            nonlocal copied
            found = super().__getitem__(part)
            copied += len(found)
            return found

    usual = Window.__init__

    def counting(window, chunks):
        usual(window, chunks)
        window._held = Counted()

    monkeypatch.setattr(Window, "__init__", counting)
    data = records(1)[0] + LYING[kind] * (2**20 // len(LYING[kind]))
    (tmp_path / "a.warc").write_bytes(data)
    read(tmp_path / "a.warc", max_record_bytes=2**20)
    assert copied <= 200 * len(data)


def test_10_a_record_that_is_too_large_is_passed_over(tmp_path):
    parts = records(3)
    parts[4] = record("response", http(page(1) + b" " * 50_000), address(1))
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc", max_record_bytes=20_000)
    assert texts(rows) == {address(n): EXPECTED[address(n)] for n in (0, 2)}
    assert ledger.files[0].incomplete is None
    assert "more than max_record_bytes (20000)" in ledger.rejects[0].reason


def test_a_response_without_header_or_text_is_rejected_with_its_place(tmp_path):
    parts = [
        record("response", b"", address(0)),
        record("response", http(b"<html><body></body></html>"), address(1)),
        record("response", http(b"\x1f\x8bxx", more="Content-Encoding: gzip\r\n"), address(2)),
    ]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    rows, ledger = read(tmp_path / "a.warc")
    assert rows == []
    assert [reject.position.split(",")[0] for reject in ledger.rejects] == [
        "record 1",
        "record 2",
        "record 3",
    ]
    reasons = [reject.reason for reject in ledger.rejects]
    assert reasons[0] == "the HTTP response has no header"
    assert reasons[1] == "no text of an article was found on the page"
    assert reasons[2].startswith("the HTTP response cannot be read")


WHOLE = b"".join(records(2))


@pytest.fixture(scope="module")
def shared_pool():
    """Workers that outlive a run: starting some for each example would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        pool = PagePool(Limits(10, 2**30, 1))
        patch.setattr(pagequeue, "PagePool", lambda limits: pool)
        patch.setattr(pagequeue.PageQueue, "close", lambda self: None)
        yield
    pool.close()


@settings(max_examples=60)
@given(
    cut=st.integers(0, len(WHOLE)),
    noise=st.binary(max_size=60),
    at=st.integers(0, len(WHOLE)),
)
def test_any_damage_ends_in_articles_rejects_and_a_note(
    shared_pool, tmp_path_factory, cut, noise, at
):
    data = WHOLE[:at] + noise + WHOLE[at:]
    data = data[: len(data) - cut]
    path = tmp_path_factory.mktemp("warc") / "a.warc"
    path.write_bytes(data)
    rows, ledger = read(path)
    entry = ledger.files[0] if ledger.files else None
    if entry is not None and len(rows) < 2 and cut < len(WHOLE) // 3 and noise:
        # What is missing is said somewhere.
        assert entry.incomplete or entry.rejected or entry.notes


@given(st.binary(max_size=400), st.lists(st.integers(0, 90), max_size=12), st.integers(1, 50))
def test_a_window_gives_every_byte_once(data, steps, chunk):
    source = io.BytesIO(data)
    window = Window(iter(lambda: source.read(chunk), b""))
    got = b""
    for step in steps:
        assert window.position == len(got)
        assert window.peek(step) == data[len(got) : len(got) + step]
        if step % 3:
            got += window.take(step)
        else:
            skipped = window.skip(step)
            got += data[len(got) : len(got) + skipped]
    got += window.take(len(data) + 1)
    assert got == data


@pytest.mark.corpus
def test_the_corpus_of_good_and_broken_files(corpora, tmp_path):
    tarfile = pytest.importorskip("tarfile")
    zstandard = pytest.importorskip("zstandard")
    packed_files = (corpora / "formats.tar.zst").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed_files).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        members = [m for m in archive.getmembers() if m.name.lstrip("./").startswith("warc/")]
        archive.extractall(tmp_path, members, filter="data")
    rows, ledger = read(tmp_path / "warc")
    entries = {entry.file.rsplit("/", 1)[1]: entry for entry in ledger.files}
    assert len(entries) == 16
    broken = {"bad.arc", "example-trunc.warc", "example-space-in-url.arc"}
    assert {name for name, entry in entries.items() if entry.incomplete} == broken
    assert all(entry.rejected == 0 for name, entry in entries.items() if name not in broken)
    found = json.dumps([[row["file"].rsplit("/", 1)[1], row["id"]] for row in rows])
    assert found.count("example.com") == 9
    assert found.count("iana.org/") == 1


def test_the_next_arc_record_is_found_in_linear_time() -> None:
    line = b"http:x" + b" 12345678" * 400 + b" " + b"a" * 300 + b"\n"
    good = b"http://a.example/ 10.0.0.1 20250101000000 text/html 12\n"
    began = time.process_time()
    window = Window(iter((b"x\n" + line * 128 + good,)))
    window.find(arc_reader._NEXT)
    assert window.peek(len(good)) == good
    assert time.process_time() - began < 2
