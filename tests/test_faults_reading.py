"""Faults of input, by their numbers in docs/reliability.md, met by the real command."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import zstandard
from fault_runs import jsonl, scan
from report_page import shown_texts
from test_scan_cli import DONE, INCOMPLETE, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PACK = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor(write_checksum=True).compress}


def dump(count: int, *, seed: int = 1) -> bytes:
    """JSON Lines that do not compress to nothing."""
    rng = random.Random(seed)
    return jsonl(*({"id": f"{seed}-{i}", "text": rng.randbytes(300).hex()} for i in range(count)))


def test_fault_01_truncated_files(tmp_path: Path) -> None:
    for kind, pack in PACK.items():
        packed = pack(dump(1500, seed=len(kind)))
        (tmp_path / f"{kind}.jsonl.{kind}").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / "z.jsonl").write_bytes(jsonl({"id": "after", "text": "A text."}))
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    for kind in PACK:
        kept = [a for a in done.articles if a["file"].endswith(kind)]
        assert 500 < len(kept) < 1200
        assert f"{kind}.jsonl.{kind}: incomplete input" in done.stderr
    assert "after" in done.texts
    assert [f["incomplete"] is not None for f in done.files] == [True, False, True]
    before = (done.out / "run.json").read_bytes()
    strict = scan(tmp_path, strict=True)
    assert strict.code == INCOMPLETE
    assert "run without --strict" in strict.stderr
    assert (strict.out / "run.json").read_bytes() == before, "nothing was written"


def test_fault_01_answers_that_are_cut_off(tmp_path: Path) -> None:
    records = [{"id": f"{n}", "title": "T", "text": f"Text {n}."} for n in range(4)]
    answer = json.dumps({"status": "ok", "articles": records})
    (tmp_path / "answer.json").write_text(answer[: answer.index('"3"')])
    (tmp_path / "array.json").write_text(json.dumps([{"id": "x", "text": "A text."}])[:-1])
    (tmp_path / "empty.json").write_text('{"status": "ok", "articles": []}')
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    assert sorted(done.texts) == ["0", "1", "2", "x"]
    assert [f["incomplete"] is not None for f in done.files] == [True, True, False]
    assert [r["file"].rpartition("/")[2] for r in done.rejected] == ["answer.json"]


def test_fault_02_damage_in_the_middle(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(dump(1500)))
    packed[len(packed) // 2 : len(packed) // 2 + 300] = b"\xff" * 300
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    lines = dump(4, seed=2).splitlines(keepends=True)
    lines[2] = b'{"id": "broken", \xfe\xff\n'
    (tmp_path / "b.jsonl").write_bytes(b"".join(lines))
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    assert "damaged near byte" in done.files[0]["incomplete"]
    assert sum(a["file"].endswith("gz") for a in done.articles) > 400
    assert [a["id"] for a in done.articles if a["file"].endswith("b.jsonl")] == [
        "2-0",
        "2-1",
        "2-3",
    ]
    reject = next(r for r in done.rejected if r["file"].endswith("b.jsonl"))
    assert reject["position"] == f"line 3, byte {len(lines[0] + lines[1])}"


def test_fault_03_members_and_frames(tmp_path: Path) -> None:
    for kind, pack in PACK.items():
        lines = dump(50, seed=len(kind)).splitlines(keepends=True)
        (tmp_path / f"a.jsonl.{kind}").write_bytes(b"".join(map(pack, lines)))
    done = scan(tmp_path)
    assert (done.code, len(done.articles)) == (DONE, 100)


def test_fault_04_decompression_bombs(tmp_path: Path) -> None:
    first = jsonl({"id": "before", "text": "A text."})
    bomb = zstandard.ZstdCompressor().compress(first + bytes(200 * 2**20))
    (tmp_path / "a.jsonl.zst").write_bytes(bomb)
    assert len(bomb) < 2**16
    done = scan(tmp_path)
    assert done.code == INCOMPLETE
    assert "max_ratio" in done.stderr
    assert [a["id"] for a in done.articles] == ["before"]
    (tmp_path / "a.jsonl.zst").unlink()
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(first + b" " * 90 * 2**20))
    assert "max_ratio" in scan(tmp_path, limit="max_ratio=200").stderr


def test_fault_05_invalid_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "x", "text": "caf\xe9"}\n')
    (tmp_path / "b.csv").write_bytes(b"id,text\ny,caf\xe9\n")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9")
    (tmp_path / "d.json").write_bytes(b'[{"id": "z", "text": "caf\xe9"}]')
    done = scan(tmp_path)
    assert set(done.texts.values()) == {"caf\ufffd"}
    assert all("invalid-utf8" in a["issues"] for a in done.articles)
    assert len(done.articles) == 4
    rejecting = scan(tmp_path, reject_invalid_utf8=True)
    assert (len(rejecting.articles), len(rejecting.rejected)) == (0, 4)
    assert all("invalid UTF-8" in r["reason"] for r in rejecting.rejected)


def test_fault_06_lone_surrogates(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(rb'{"id": "a", "text": "a\ud800b \ud83d\ude00"}')
    done = scan(tmp_path)
    assert done.texts == {"a": "a\ufffdb \U0001f600"}
    assert done.articles[0]["issues"] == ["lone-surrogate"]


def test_fault_07_control_characters(tmp_path: Path) -> None:
    record = {"id": "a\x00b", "title": "t\x1b[31m", "outlet": "o\x07", "text": "x\x00\x1b]0;y\x07"}
    (tmp_path / "a.jsonl").write_bytes(jsonl(record) + b'{"id": "\x00\x1b[2J\n')
    done = scan(tmp_path)
    assert done.code == DONE
    page = (done.out / "report.html").read_text("utf-8")
    for output in (page, *shown_texts(page), done.stdout, done.stderr):
        assert not any(c < " " and c not in "\n\t" for c in output)
    assert done.texts == {"a\x00b": record["text"]}, "texts are kept as they are"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_fault_08_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"id": "a", "text": "naïve 😀"}\n'.encode(encoding))
    (tmp_path / "b.csv").write_bytes("id,text\nb,naïve 😀\n".encode(encoding))
    (tmp_path / "c.json").write_bytes('[{"id": "c", "text": "naïve 😀"}]'.encode(encoding))
    done = scan(tmp_path)
    assert done.texts == dict.fromkeys("abc", "naïve 😀")
    assert [a["issues"] for a in done.articles] == [[], [], []]


def test_fault_09_line_ends(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\x0bfour"
    line = json.dumps({"id": "a", "text": text}, ensure_ascii=False).encode()
    (tmp_path / "a.jsonl").write_bytes(line + b"\r\n\r\n" + line.replace(b'"a"', b'"b"') + b"\r\n")
    done = scan(tmp_path)
    assert done.texts == {"a": text, "b": text}
    assert done.rejected == []


def test_fault_10_a_line_that_is_too_long(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as out:
        out.write(b'{"id": "giant", "text": "')
        out.seek(200 * 2**20, os.SEEK_CUR)  # a hole: the file takes no space
        out.write(b'"}\n' + jsonl({"id": "after", "text": "A text."}))
    done = scan(tmp_path)
    assert [a["id"] for a in done.articles] == ["after"]
    assert "max_record_bytes" in done.rejected[0]["reason"]
    assert done.rejected[0]["position"] == "line 1, byte 0"
    assert done.rejected[0]["sample"].startswith('{"id": "giant"')
    reading = next(s for s in done.run["timing"]["stages"] if s["stage"] == "read")
    assert reading["peak_memory_mb"] < 500


def test_fault_11_deep_nesting(tmp_path: Path) -> None:
    deep = b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    after = b'{"id": "%s", "text": "x"}'
    (tmp_path / "a.jsonl").write_bytes(deep + b"\n" + after % b"a")
    (tmp_path / "b.json").write_bytes(
        b"[" + after % b"c" + b"," + deep + b"," + after % b"b" + b"]"
    )
    done = scan(tmp_path)
    assert sorted(done.texts) == ["a", "b", "c"]
    assert ["nested too deeply" in r["reason"] for r in done.rejected] == [True, True]


def test_fault_12_large_and_quoted_fields(tmp_path: Path) -> None:
    big = "word " * 60_000
    (tmp_path / "a.csv").write_text(
        f'id,text\na,"{big}"\nb,"say ""hi"",\r\nthere"\nc\nd,e,f\ng,"open'
    )
    done = scan(tmp_path)
    assert done.texts == {"a": big, "b": 'say "hi",\r\nthere'}
    assert [r["position"].split(",")[0] for r in done.rejected] == ["line 5", "line 6", "line 7"]


def test_fault_12_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    rows = [f'{n},"Title {n}, quoted",Text number {n}.\n' for n in range(40)]
    rows.insert(20, 'x,"never closed,Its text.\n')
    (tmp_path / "a.csv").write_text("id,title,text\n" + "".join(rows))
    done = scan(tmp_path)
    assert done.code == DONE
    assert sorted(map(int, done.texts)) == list(range(40))
    assert [r["position"].partition(",")[0] for r in done.rejected] == ["line 22"]


def test_fault_12_very_many_quotes_that_are_never_closed(tmp_path: Path) -> None:
    rows = "".join(f'g{n},good {n}\nb{n},x","b\n' for n in range(4000))
    (tmp_path / "a.csv").write_text("Export of the desk\nid,text\n" + rows + "last,one\r")
    done = scan(tmp_path)
    assert done.code == DONE
    assert len(done.texts) == 4001
    assert len(done.rejected) == 4000


def test_fault_13_records_that_stand_deeper(tmp_path: Path) -> None:
    inner = "".join(f"<a id='{n}' date='2024-05-06'><text>Text {n}.</text></a>" for n in "12")
    (tmp_path / "a.xml").write_text(f"<?xml version='1.0'?><all><list>{inner}</list></all>")
    (tmp_path / "b.xml").write_text(
        "<?xml version='1.0'?><articles><article>One.</article><article>Two.</article></articles>"
    )
    fields = {"id": "3", "fields": {"headline": "T", "body": "Text 3."}}
    (tmp_path / "c.json").write_text(json.dumps({"response": {"results": [fields]}}))
    done = scan(tmp_path)
    assert sorted(done.texts.values()) == ["One.", "Text 1.", "Text 2.", "Text 3.", "Two."]
    assert done.rejected == []


def test_fault_13_missing_fields(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        jsonl({"id": "a", "summary": "s"}, {"id": "b", "text": None})
    )
    done = scan(tmp_path)
    assert [r["reason"] for r in done.rejected] == [
        "no text field; the record has: id, summary; name the right one with --field text=NAME",
        "the text (field 'text') is null",
    ]
    told = run("doctor", tmp_path, "--json")
    assert json.loads(told.stdout)["formats"][0]["columns"] == {"id": "id", "text": "text"}


def test_fault_14_ids(tmp_path: Path) -> None:
    records = [
        {"url": "https://x.example/1", "text": "The same text in two places."},
        {"url": "https://y.example/1", "text": "The same text in two places."},
        {"id": "a", "text": "First."},
        {"id": "a", "text": "First."},
        {"id": "a", "text": "Second."},
    ]
    (tmp_path / "a.jsonl").write_bytes(jsonl(*records))
    done = scan(tmp_path)
    derived = sorted(a["id"] for a in done.articles if "id-derived" in a["issues"])
    assert len(set(derived)) == 2
    assert (done.run["ledger"]["repeats"], len(done.articles)) == (1, 4)
    assert "revisions): 1" in done.files[0]["notes"][0]
    (tmp_path / "a.jsonl").write_bytes(jsonl(*records[::-1]))
    again = scan(tmp_path)
    assert sorted(a["id"] for a in again.articles if "id-derived" in a["issues"]) == derived


def test_fault_28_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = dump(30_000).splitlines(keepends=True)
    path.write_bytes(b"".join(lines))
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as out:
            while not stop.wait(0.001):
                out.write(lines[0].replace(b"1-0", b"later"))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        done = scan(tmp_path)
    finally:
        stop.set()
        writer.join()
    assert done.code == DONE
    (entry,) = done.files
    assert f"grew while it was read; the {entry['bytes']} bytes" in entry["notes"][0]
    with path.open("rb") as file:
        assert entry["read"] == file.read(entry["bytes"]).count(b"\n")


@pytest.mark.parametrize("given", ["empty.jsonl", "empty", "none-*.jsonl", "-"])
def test_fault_29_nothing_to_read(tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").touch()
    done = scan(tmp_path, given if given == "-" else tmp_path / given)
    assert done.code == DONE
    assert "no articles were read" in done.stderr
    assert (done.articles, done.rows("groups")) == ([], [])
    assert (done.out / "report.html").stat().st_size > 1000


def test_fault_30_loops_pipes_and_devices(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A text.")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    os.mkfifo(tmp_path / "pipe.jsonl")
    done = scan(tmp_path, tmp_path, "/dev/null")
    assert (done.code, list(done.texts)) == (DONE, ["a.txt"])
    skipped = {s["file"].rpartition("/")[2]: s["reason"] for s in done.run["ledger"]["skipped"]}
    assert sorted(skipped) == ["null", "pipe.jsonl", "self", "up"]
    assert "FIFO" in skipped["pipe.jsonl"]
    assert "pipe.jsonl" in done.stdout, "the summary says so"


def test_fault_30_loops_below_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("A text.")
    for n in range(5):
        (tmp_path / f"up{n}").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "deep" / "pipe.txt")
    done = scan(tmp_path, tmp_path / "**" / "*.txt")
    assert (done.code, list(done.texts)) == (DONE, ["deep/a.txt"])
    skipped = {s["file"].rpartition("/")[2] for s in done.run["ledger"]["skipped"]}
    assert skipped == {"pipe.txt", *(f"up{n}" for n in range(5))}


def test_fault_31_many_files_few_handles(tmp_path: Path) -> None:
    for i in range(2000):
        (tmp_path / f"{i:04}.txt").write_text(f"Text {i}.")
    out = tmp_path.parent / "few-handles"
    command = f"ulimit -n 48; exec {sys.executable} -m dedup scan {tmp_path} --out {out} -q"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=120, check=False)
    assert done.returncode == DONE, done.stderr
    assert json.loads((out / "run.json").read_text())["ledger"]["articles"] == 2000


ENTITIES = "".join(
    f'<!ENTITY {name} "{f"&{former};" * 10}">'
    for former, name in zip("abcdefghi", "bcdefghij", strict=True)
)
ENTITY_BOMB = (
    f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "boom">{ENTITIES}]>'
    "<rss version='2.0'><channel><item><title>t</title><description>&j;</description></item>"
    "</channel></rss>"
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://SECRET-PATH">]>'
    "<rss version='2.0'><channel><item><title>t</title><description>&x;</description></item>"
    "</channel></rss>"
)


@pytest.mark.parametrize("xml", [ENTITY_BOMB, EXTERNAL], ids=["bomb", "external entity"])
def test_fault_32_xml_entities(tmp_path: Path, xml: str) -> None:
    secret = tmp_path / ".secret"
    secret.write_text("what nobody may read")
    (tmp_path / "feed.xml").write_text(xml.replace("SECRET-PATH", str(secret)))
    (tmp_path / "a.txt").write_text("A text.")
    done = scan(tmp_path)
    assert list(done.texts) == ["a.txt"]
    assert any(r["file"].endswith("feed.xml") for r in done.rejected) or any(
        "feed.xml" in (f["incomplete"] or "") for f in done.files
    )
    for output in done.out.iterdir():
        assert b"what nobody may read" not in output.read_bytes()
