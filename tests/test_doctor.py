"""``dedup doctor``: the real command says what an input is before anybody scans it."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracles import Writer
from test_scan_cli import DONE, INCOMPLETE, USAGE, run
from test_wire_text import IPTC_7901, MAIL, NINJS, NINJS_3
from test_wire_xml import RSS
from web_fixture import packed, page, records

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = "The council said on Monday that the harbour would be closed because of the storm."
GERMAN = "Der Rat teilte am Montag mit, dass der Hafen wegen des Sturms geschlossen werden muss."


def doctor(*arguments: Any, stdin: bytes = b"") -> dict[str, Any]:
    done = run("doctor", *arguments, "--json", stdin=stdin)
    assert done.returncode == DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    sample = found["sample"]
    assert sample["read"] == sample["articles"] + sample["repeats"] + sample["rejected"]
    return found


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    return path


def test_columns_languages_ids_and_rejects(tmp_path: Path) -> None:
    records = [
        {"guid": f"g{i}", "body": (ENGLISH if i % 4 else GERMAN) * 3 + str(i), "site": "x.example"}
        | {"summary": "s", "date": "2021-03-04" if i % 2 else "sometime", "colour": "red"}
        for i in range(40)
    ]
    records += [records[0], {**records[1], "body": "another text"}, {"guid": "none"}]
    found = doctor(write(tmp_path / "a.jsonl", records))
    (entry,) = found["formats"]
    assert (entry["format"], entry["encoding"]) == ("jsonl", "utf-8")
    assert entry["columns"] == {
        "id": "guid",
        "outlet": "site",
        "published": "date",
        "text": "body",
    }
    assert entry["unused"] == ["summary", "colour"]
    assert entry["filled"]["body"] == 42
    assert [x["language"] for x in found["languages"]] == ["en", "de", None]
    assert found["missing"]["title"]["share"] == 1
    assert found["missing"]["published"]["articles"] == 21
    assert found["ids"]["repeated_with_same_text"] == 1
    assert found["ids"]["with_several_texts"] == 1
    assert found["ids"]["examples"] == ["g1"]
    (reject,) = found["rejected"]
    assert reject["position"] == "line 43"
    assert reject["reason"].startswith("no text field")
    assert found["estimate"]["complete"]
    assert found["estimate"]["articles"] == 42


def test_a_table_without_a_known_text_column_is_told_which_it_could_be(tmp_path: Path) -> None:
    rows = [{"nr": str(i), "inhalt": GERMAN * 2 + str(i), "kopf": "Sturm"} for i in range(5)]
    with (tmp_path / "a.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "b.parquet")
    found = doctor(tmp_path)
    for entry in found["formats"]:
        assert entry["could_be"] == {"text": ["inhalt"]}
        assert entry["rejected"] == 5
    assert any("--field text=inhalt" in line for line in found["advice"])
    cured = doctor(tmp_path, "--field", "text=inhalt")
    assert cured["sample"]["rejected"] == 0
    assert doctor(tmp_path / "a.csv", "--field", "text=inhalt")["sample"]["articles"] == 5


def test_other_candidates_for_a_field_are_named(tmp_path: Path) -> None:
    found = doctor(write(tmp_path / "a.jsonl", [{"text": "a", "body": "b", "content": "c"}]))
    assert found["formats"][0]["could_be"]["text"] == ["body", "content"]


def test_a_large_input_is_looked_at_in_part_and_estimated(tmp_path: Path) -> None:
    writer = Writer("large")
    records = [{"id": i, "text": " ".join(writer.sentences(8))} for i in range(3000)]
    lines = "".join(json.dumps(r) + "\n" for r in records).encode()
    text = sum(len(r["text"]) for r in records)
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines))
    for name in ("a.jsonl", "b.jsonl.gz"):
        found = doctor(tmp_path / name, "--records", 2000)
        assert found["sample"]["read"] == 2000
        assert not found["sample"]["complete"]
        assert 0.5 < found["estimate"]["articles"] / 3000 < 1.5
        assert 0.5 < found["estimate"]["text_bytes"] / text < 1.5


def test_a_file_of_rejects_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n" * 5000)
    found = doctor(tmp_path / "a.jsonl", "--records", 50)
    assert found["sample"]["rejected"] == 50
    assert found["rejected"][0]["records"] == 50


def test_many_files_are_looked_at_evenly(tmp_path: Path) -> None:
    for i in range(60):
        (tmp_path / f"{i:03}.txt").write_text(ENGLISH + str(i))
    found = doctor(tmp_path, "--files", 10)
    assert found["files"] == {"found": 60, "looked_at": 10, "bytes": 60 * len(ENGLISH) + 110}
    assert found["formats"][0]["format"] == "text"
    assert 50 <= found["estimate"]["articles"] <= 70


def test_another_encoding_is_noticed_and_cured(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n1,Façade à l’œuvre\n".encode("windows-1252"))
    found = doctor(tmp_path / "a.csv")
    assert found["issues"] == {"invalid-utf8": 1}
    assert any("--encoding" in line for line in found["advice"])
    cured = doctor(tmp_path / "a.csv", "--encoding", "windows-1252")
    assert cured["issues"] == {}
    assert cured["formats"][0]["encoding"] == "cp1252"


def test_incomplete_skipped_and_unknown_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "x"}\n' * 99)[:-5])
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "up").symlink_to(tmp_path)
    found = doctor(tmp_path)
    assert "cut off" in found["formats"][0]["incomplete"]
    assert found["rejected"][-1]["reason"].startswith("the format was not recognised")
    assert found["skipped"][0]["file"].endswith("up")


def test_wire_formats_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "1").write_text(IPTC_7901)
    (tmp_path / "2.txt").write_text(MAIL)
    (tmp_path / "3.json").write_text(json.dumps([NINJS, NINJS_3 | {"uri": "2"}], indent=1))
    (tmp_path / "4.dump").write_text(RSS.format(wordpress=""))
    (tmp_path / "5.xml").write_text("<?xml version='1.0'?><a><id>1</id><text>Rain</text></a>")
    found = doctor(tmp_path)
    told = [(entry["format"], entry["articles"]) for entry in found["formats"]]
    assert told == [("iptc-7901", 1), ("mail", 1), ("json", 2), ("rss", 2), ("xml", 1)]
    assert found["formats"][4]["columns"] == {"id": "id", "text": "text"}
    assert not any("text" in sentence for sentence in found["advice"])


def test_pages_crawls_and_archives(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.html").write_bytes(page(n))
    (tmp_path / "crawl.warc.gz").write_bytes(packed(records(2)))
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("a/feed.xml", RSS.format(wordpress=""))
    found = doctor(tmp_path)
    told = {entry["format"]: entry["articles"] for entry in found["formats"]}
    assert told == {"html": 3, "warc+gzip": 2, "zip": 0, "rss": 2}
    assert found["rejected"][0]["reason"] == "the item holds no text"  # the third of the feed


def test_standard_input() -> None:
    found = doctor("-", stdin=b'{"text": "one"}\n{"text": "two"}\n')
    assert found["sample"]["articles"] == 2
    assert found["ids"]["derived"] == 2


def test_nothing_there(tmp_path: Path) -> None:
    found = doctor(tmp_path)
    assert found["sample"]["read"] == 0
    assert found["languages"] == []
    assert "no files to read" in found["warnings"][0]


def test_the_view_for_people_is_harmless_and_complete(tmp_path: Path) -> None:
    records = [{"text": ENGLISH, "evil\x1b[31m": "[bold]x[/bold]", "outlet": "\x1b]0;x\x07"}]
    write(tmp_path / "a.jsonl", [*records, {"[red]no": "\x1b[2J"}])
    done = run("doctor", tmp_path / "a.jsonl")
    assert done.returncode == DONE
    assert "\x1b" not in done.stdout
    for expected in ("jsonl", "text", "evil", "Would be rejected", "[red]no", "A scan: about"):
        assert expected in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nowhere.jsonl"], INCOMPLETE, "no such file"),
        (["-", "--field", "txt=a"], USAGE, "no article field"),
        (["-", "--encoding", "klingon"], USAGE, "encoding"),
        (["-", "--limit", "speed=1"], USAGE, "max_record_bytes"),
        (["-", "--limit", "max_ratio=many"], USAGE, "whole number"),
        (["-", "--records", "0"], USAGE, "--records"),
    ],
)
def test_wrong_calls(arguments: list[str], code: int, word: str) -> None:
    done = run("doctor", *arguments)
    assert done.returncode == code
    assert word in done.stderr
