"""Answers of services: records inside of an object, however deep, empty, or cut off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [
    {"id": f"r{i}", "title": f'"Title" [{i}', "authors": [{"name": "A"}], "text": f"Text, {i} }}]."}
    for i in range(4)
]
ENVELOPES: dict[str, Any] = {
    "articles": {"status": "ok", "articles": RECORDS},
    "docs": {"response": {"meta": {"tags": ["a", {"b": 1}]}, "docs": RECORDS}},
    "hits": {
        "took": 3,
        "hits": {"total": 4, "hits": [{"_id": "x", "_source": r} for r in RECORDS]},
    },
}
EMPTY: dict[str, Any] = {
    "articles": {"articles": []},
    "counted": {"status": "ok", "totalResults": 0, "articles": []},
    "results": {"response": {"status": "ok", "total": 0, "results": []}},
    "hits": {"took": 3, "hits": {"total": {"value": 0}, "hits": []}},
    "array": [],
}


def read(path: Path, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger, rows = Ledger(), []
    for batch in read_articles([str(path)], ReadSettings(**options), ledger):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return rows, ledger


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ENVELOPES)
def test_records_before_the_cut_are_read(tmp_path: Path, name: str, indent: int | None) -> None:
    whole = json.dumps(ENVELOPES[name], indent=indent)
    at = whole.index('"r2"') + 10  # in the third record
    for ending in (".json", ".jsonl"):
        path = tmp_path / f"a{ending}"
        path.write_text(whole[:at])
        rows, ledger = read(path)
        assert [row["text"] for row in rows] == [r["text"] for r in RECORDS[:2]]
        assert [row["id"] for row in rows] == ["r0", "r1"]
        (reject,) = ledger.rejects
        assert "cut off" in reject.reason
        assert '"r2"' in reject.sample
        assert "cut off" in (ledger.files[0].incomplete or "")


@pytest.mark.parametrize("name", ENVELOPES)
def test_every_cut_of_an_answer_keeps_what_was_whole(tmp_path: Path, name: str) -> None:
    whole = json.dumps({**ENVELOPES[name], "next": {"pages": [{"page": 2}]}})
    ends = [whole.index(json.dumps(r)) + len(json.dumps(r)) + (name == "hits") for r in RECORDS]
    path = tmp_path / "a.json"
    for at in range(1, len(whole)):
        path.write_text(whole[:at])
        rows, ledger = read(path)
        assert len(rows) == sum(end <= at for end in ends), whole[:at]
        assert ledger.rejected <= 1
        if rows:
            assert ledger.incomplete, whole[:at]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("damage", ['"id": "r2', '"title": "\\"Title\\" [2'])
def test_records_before_damage_are_read(tmp_path: Path, damage: str, indent: int | None) -> None:
    """A quote too many, or a word out of place."""
    whole = json.dumps({**ENVELOPES["articles"], "é": "ü"}, indent=indent, ensure_ascii=False)
    assert whole.count(damage) == 1
    path = tmp_path / "a.json"
    for broken in (damage + '"', "bare " + damage):
        path.write_text(whole.replace(damage, broken), "utf-8")
        rows, ledger = read(path)
        assert [row["id"] for row in rows][:2] == ["r0", "r1"]
        assert "r2" not in [row["id"] for row in rows]
        assert ledger.rejected >= 1
        assert ledger.incomplete


def test_lines_after_a_damaged_answer_are_read(tmp_path: Path) -> None:
    lines = [json.dumps(ENVELOPES["articles"]) for _ in range(2)]
    lines[0] = lines[0].replace('"r1"', '"r1')
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, '{"id": "x", "text": "A."}', ""]))
    rows, ledger = read(tmp_path / "a.jsonl")
    assert [row["id"] for row in rows] == ["r0", "r0", "r1", "r2", "r3", "x"]
    (reject,) = ledger.rejects
    assert reject.position.startswith("line 1, byte ")
    assert "damaged" in (ledger.files[0].incomplete or "")


def test_a_record_that_is_cut_off_is_none(tmp_path: Path) -> None:
    """An article whose list of pictures is cut off is no answer, and not an article either."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id": "a", "text": "A."}\n{"id": "b", "text": "B.", "pictures": [{"url": "u"}, {"'
    )
    rows, ledger = read(path)
    assert [row["id"] for row in rows] == ["a"]
    assert [reject.position for reject in ledger.rejects] == ["line 2, byte 26"]


@pytest.mark.parametrize("known", ["id", "date", "url", "author"])
def test_the_comments_of_an_article_that_is_cut_off_are_none(tmp_path: Path, known: str) -> None:
    path = tmp_path / "a.jsonl"
    whole = json.dumps({known: "x", "title": "T", "comments": RECORDS, "text": "A. " * 9})
    path.write_text(whole[:-9])
    rows, ledger = read(path)
    assert (rows, ledger.rejected) == ([], 1)


def test_an_array_without_its_end_is_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": "a", "text": "A."},\n{"id": "b", "text": "B."}')
    rows, ledger = read(path)
    assert len(rows) == 2
    assert "not closed" in (ledger.files[0].incomplete or "")
    path.write_text('[{"id": "a", "text": "A."},\n{"id": "b", "text": "B."}]')
    assert read(path)[1].incomplete == []


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_answer_is_an_empty_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(EMPTY[name]))
    rows, ledger = read(path)
    assert (rows, ledger.rejected, ledger.incomplete) == ([], 0, [])
    assert ledger.warnings == [f"{path}: no records found"]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 5, "title": "No text", "items": []},
        {"tags": [], "rubric": "x"},
        {"articles": [], "errors": [{"code": 1}]},
        {"items": [], "contents": "A text whose column has a name that nobody knows. " * 5},
    ],
)
def test_a_record_without_a_text_is_no_empty_answer(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record))
    assert read(path)[1].rejected == 1


def test_fields_of_a_record_in_an_object_of_its_own(tmp_path: Path) -> None:
    """As JSON:API has them, and services that keep what was asked for apart."""
    answers = {
        "attributes": {
            "data": {"items": [{"id": "7", "attributes": {"title": "T", "body": "Rain fell."}}]}
        },
        "fields": {
            "response": {
                "results": [
                    {
                        "id": "7",
                        "webTitle": "T",
                        "webPublicationDate": "2024-05-06T07:08:09Z",
                        "webUrl": "https://x.example/7",
                        "tags": [{"id": "t"}],
                        "fields": {"body": "<p>Rain fell.</p>"},
                    }
                ]
            }
        },
        "one": {
            "data": {
                "type": "article",
                "id": "7",
                "attributes": {"title": "T", "text": "Rain fell."},
            }
        },
        "named": {"article": {"id": "7", "headline": "T", "body": "Rain fell."}},
    }
    for name, answer in answers.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(answer))
        rows, ledger = read(path)
        assert ledger.rejected == 0, list(ledger.rejects)
        assert [(r["id"], r["title"], r["text"]) for r in rows] == [("7", "T", "Rain fell.")], name
    (row,) = read(tmp_path / "fields.json")[0]
    assert (row["url"], row["published_raw"]) == ("https://x.example/7", "2024-05-06T07:08:09Z")


def test_what_is_said_about_an_answer_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": {"text": "About it."}, "articles": RECORDS}))
    assert [row["id"] for row in read(path)[0]] == ["r0", "r1", "r2", "r3"]
    one = {"id": "7", "attributes": {"text": "Main.", "comments": RECORDS}}
    path.write_text(json.dumps(one))
    assert [row["text"] for row in read(path)[0]] == ["Main."]


def test_the_caption_of_a_picture_is_not_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, "title": "T", "image": {"url": "u", "text": "A dog."}}))
    rows, ledger = read(path)
    assert (rows, ledger.rejected) == ([], 1)


def test_two_objects_that_could_be_the_record_are_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, "article": {"text": "A."}, "story": {"text": "B."}}))
    rows, ledger = read(path)
    assert (rows, ledger.rejected) == ([], 1)
