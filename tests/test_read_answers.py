"""Answers of services: records inside of an object, however deep, empty, or cut off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from read_rows import read_rows

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


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ENVELOPES)
def test_records_before_the_cut_are_read(tmp_path: Path, name: str, indent: int | None) -> None:
    whole = json.dumps(ENVELOPES[name], indent=indent)
    at = whole.index('"r2"') + 10  # in the third record
    for ending in (".json", ".jsonl"):
        path = tmp_path / f"a{ending}"
        path.write_text(whole[:at])
        rows, ledger = read_rows(path)
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
        rows, ledger = read_rows(path)
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
        rows, ledger = read_rows(path)
        assert [row["id"] for row in rows][:2] == ["r0", "r1"]
        assert "r2" not in [row["id"] for row in rows]
        assert ledger.rejected >= 1
        assert ledger.incomplete


def test_lines_after_a_damaged_answer_are_read(tmp_path: Path) -> None:
    lines = [json.dumps(ENVELOPES["articles"]) for _ in range(2)]
    lines[0] = lines[0].replace('"r1"', '"r1')
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, '{"id": "x", "text": "A."}', ""]))
    rows, ledger = read_rows(tmp_path / "a.jsonl")
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
    rows, ledger = read_rows(path)
    assert [row["id"] for row in rows] == ["a"]
    assert [reject.position for reject in ledger.rejects] == ["line 2, byte 26"]


@pytest.mark.parametrize("known", ["id", "date", "url", "author", "rubric"])
def test_the_comments_of_an_article_that_is_cut_off_are_none(tmp_path: Path, known: str) -> None:
    path = tmp_path / "a.jsonl"
    whole = json.dumps({known: "x", "title": "T", "comments": RECORDS, "text": "A. " * 9})
    path.write_text(whole[:-9])
    rows, ledger = read_rows(path)
    assert (rows, ledger.rejected) == ([], 1)


def test_an_array_without_its_end_is_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": "a", "text": "A."},\n{"id": "b", "text": "B."}')
    rows, ledger = read_rows(path)
    assert len(rows) == 2
    assert "not closed" in (ledger.files[0].incomplete or "")
    path.write_text('[{"id": "a", "text": "A."},\n{"id": "b", "text": "B."}]')
    assert read_rows(path)[1].incomplete == []


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_answer_is_an_empty_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(EMPTY[name]))
    rows, ledger = read_rows(path)
    assert (rows, ledger.rejected, ledger.incomplete) == ([], 0, [])
    assert ledger.warnings == [f"{path}: no records found"]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 5, "title": "No text", "items": []},
        {"tags": [], "rubric": "x"},
        {"articles": [], "errors": [{"code": 1}]},
        {"items": [], "contents": "A text whose column has a name that nobody knows. " * 5},
        {"outlet": "Coastal", "body": None, "entries": [], "lang": "en"},
        {"key": "k", "copy": "Short brief", "news": []},
        {"error": "rate-limit", "articles": []},
        {"meta": {"errors": {"code": 429}}, "articles": []},
    ],
)
def test_a_record_without_a_text_is_no_empty_answer(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record))
    assert read_rows(path)[1].rejected == 1


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
        rows, ledger = read_rows(path)
        assert ledger.rejected == 0, list(ledger.rejects)
        assert [(r["id"], r["title"], r["text"]) for r in rows] == [("7", "T", "Rain fell.")], name
    (row,) = read_rows(tmp_path / "fields.json")[0]
    assert (row["url"], row["published_raw"]) == ("https://x.example/7", "2024-05-06T07:08:09Z")


def test_what_is_said_about_an_answer_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": {"text": "About it."}, "articles": RECORDS}))
    assert [row["id"] for row in read_rows(path)[0]] == ["r0", "r1", "r2", "r3"]
    one = {"id": "7", "attributes": {"text": "Main.", "comments": RECORDS}}
    path.write_text(json.dumps(one))
    assert [row["text"] for row in read_rows(path)[0]] == ["Main."]


def test_the_caption_of_a_picture_is_not_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, "title": "T", "image": {"url": "u", "text": "A dog."}}))
    rows, ledger = read_rows(path)
    assert (rows, ledger.rejected) == ([], 1)


def test_two_objects_that_could_be_the_record_are_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, "article": {"text": "A."}, "story": {"text": "B."}}))
    rows, ledger = read_rows(path)
    assert (rows, ledger.rejected) == ([], 1)


def answer(*numbers: int, **more: Any) -> dict[str, Any]:
    """An answer with these records."""
    return {"status": "ok", "articles": [RECORDS[n] for n in numbers], **more}


def test_answers_behind_one_that_is_cut_off_are_read(tmp_path: Path) -> None:
    """A fetch that broke off in the middle of a file, without and with an array around."""
    path = tmp_path / "a.json"
    for indent in (None, 1):
        first, second, third = (json.dumps(answer(n, n + 1), indent=indent) for n in range(3))
        second = second[: second.rindex("]")]
        for whole in (f"{first}\n{second}\n{third}\n", f"[{first},\n{second},\n{third}]"):
            path.write_text(whole)
            rows, ledger = read_rows(path)
            assert [row["id"] for row in rows] == ["r0", "r1", "r1", "r2", "r2", "r3"]
            assert " 2: the answer is damaged" in (ledger.files[0].incomplete or "")


def test_records_behind_a_damaged_one_are_read_once(tmp_path: Path) -> None:
    """Where the answer begins as its records do, each record is found by itself."""
    records = [{"type": "article", **record} for record in RECORDS]
    whole = json.dumps({"type": "feed", "items": records}, indent=1)
    (tmp_path / "a.json").write_text(whole.replace('"Text, 2 ', '"Text,\n2 '))
    rows, ledger = read_rows(tmp_path / "a.json")
    assert [row["id"] for row in rows] == ["r0", "r1", "r3"]
    assert not any("ends early" in reject.reason for reject in ledger.rejects)
    assert ledger.incomplete == []


def test_damage_in_the_middle_is_not_said_to_be_the_end(tmp_path: Path) -> None:
    whole = json.dumps(answer(0, 1, 2), indent=1).replace('"Text, 1 ', '"Text,\n1 ')
    (tmp_path / "a.json").write_text(whole)
    rows, ledger = read_rows(tmp_path / "a.json")
    assert [row["id"] for row in rows] == ["r0"]
    (reject,) = ledger.rejects
    assert "ends early" not in reject.reason
    assert "damaged" in (ledger.files[0].incomplete or "")


@pytest.mark.parametrize("text", ['{"id": 2, "text": "b\nc"}', '{"id": 2, "text": "b}'])
def test_an_array_is_closed_behind_a_broken_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text('[\n{"id": 1, "text": "a"},\n' + text + "\n]\n")
    rows, ledger = read_rows(tmp_path / "a.json")
    assert [row["text"] for row in rows] == ["a"]
    assert (ledger.rejected, ledger.incomplete) == (1, [])


@pytest.mark.parametrize(
    "line",
    [
        '{"title":"Q","comments":[{"text":"x"},{"text":"y"}],"te',
        '{"lang":"en","comments":[{"text":"x"},{"text":"y"}],"te',
        '{"title":"Q","items":[{"text":"x"},{"text":"y"}],"te',
    ],
)
def test_an_article_that_is_cut_off_behind_a_list_is_a_reject(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line)
    rows, ledger = read_rows(tmp_path / "a.jsonl")
    assert (rows, ledger.rejected) == ([], 1)


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_what_is_cut_off_behind_articles_is_an_article(tmp_path: Path, ending: str) -> None:
    lines = ['{"id": 1, "text": "a"}', '{"related":{"articles":[{"text":"x"},{"text":"y"}]},"te']
    whole = "\n".join(lines) if ending == ".jsonl" else f"[\n{lines[0]},\n{lines[1]}"
    (tmp_path / f"a{ending}").write_text(whole)
    rows, ledger = read_rows(tmp_path / f"a{ending}")
    assert [row["text"] for row in rows] == ["a"]
    assert ledger.rejected == 1


@pytest.mark.parametrize(
    "around",
    [
        {"data": {"story": "Ferry strike", "articles": RECORDS}},
        {"response": {"content": "article", "results": RECORDS}},
        {"data": {"title": "News", "text": "The latest news", "records": RECORDS}},
        {"data": {"text": "The latest news", "stripes": RECORDS}},
        {"articles": RECORDS, "sections": [{"id": 1, "data": {"content": "About sport"}}]},
    ],
)
def test_what_stands_beside_the_records_is_no_record(tmp_path: Path, around: Any) -> None:
    (tmp_path / "a.json").write_text(json.dumps(around))
    rows, ledger = read_rows(tmp_path / "a.json")
    assert [row["id"] for row in rows] == ["r0", "r1", "r2", "r3"]
    assert ledger.rejected == 0


def test_of_two_columns_for_a_field_the_inner_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"id": 0, "text": null, "maintext": null, "data": {"body": "Rain fell."}}')
    (row,) = read_rows(path)[0]
    assert (row["id"], row["text"]) == ("0", "Rain fell.")
    path.write_text(
        '{"title": "Feed", "id": 7, "article": {"id": null, "headline": "T", "body": "Rain fell."}}'
    )
    (row,) = read_rows(path)[0]
    assert (row["id"], row["title"], row["text"]) == ("7", "T", "Rain fell.")


def test_empty_answers_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"articles": []}\n{"articles": [], "status": "ok"}\n')
    assert read_rows(tmp_path / "a.jsonl")[1].files[0].notes == ["answers that hold no records: 2"]
