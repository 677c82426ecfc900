"""JSON arrays, concatenated and indented JSON: every value found, a broken one costs itself."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import jsonvalues, read_articles
from dedup.read.jsonvalues import Frames

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, **options: Any) -> tuple[list[str], Ledger]:
    ledger = Ledger()
    texts: list[str] = []
    for batch in read_articles([str(path)], ReadSettings(**options), ledger):
        texts += batch.column("text").to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return texts, ledger


RECORDS = [
    {"id": i, "text": f'text {i} "quoted" [ }} \\', "tags": [{"a": [1, "]"]}, None, 1.5]}
    for i in range(5)
]
TEXTS = [r["text"] for r in RECORDS]


class InChunks:
    """A stream of given chunks."""

    skipped = 0

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size

    def chunks(self):
        for at in range(0, len(self._data), self._size):
            yield self._data[at : at + self._size]


def frames(data: bytes, size: int = 2**20, limit: int = 2**20) -> list[Any]:
    return list(Frames(InChunks(data, size), limit))


DRESSES = {
    "array": json.dumps(RECORDS),
    "indented array": json.dumps(RECORDS, indent=2),
    "array, a record a line": "[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]\n",
    "concatenated": "".join(map(json.dumps, RECORDS)),
    "concatenated, indented": "\n".join(json.dumps(r, indent=1) for r in RECORDS),
    "JSON text sequence": "".join("\x1e" + json.dumps(r) + "\n" for r in RECORDS),
    "two arrays": json.dumps(RECORDS[:2]) + json.dumps(RECORDS[2:]),
    "windows": json.dumps(RECORDS, indent="\t").replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a", "a.txt", "a.json.gz"])
@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_and_name(tmp_path: Path, dress: str, name: str) -> None:
    data = DRESSES[dress].encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    texts, ledger = read(tmp_path / name)
    assert texts == TEXTS
    assert ledger.files[0].format.startswith("json")
    assert ledger.rejects == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("dress", DRESSES)
def test_chunks_change_nothing(dress: str, size: int) -> None:
    data = DRESSES[dress].encode()
    found = frames(data, size)
    assert [json.loads(f.data) for f in found] == RECORDS
    assert [data[f.offset : f.offset + len(f.data)] for f in found] == [f.data for f in found]


@pytest.mark.parametrize(
    "broken",
    [
        '{"id": 9, "text": "bracket", "tags": [}',
        '{"id": 9, "text": "no end',
        '{"id": 9, "text": no quote"}',
        '{"id": 9, "text": "comma",}',
        '{"id": 9, "text": "escape \\q"}',
        '{"id": 9, "text": "two" "values"}',
    ],
)
@pytest.mark.parametrize("between", [",\n", ",\n  "])
def test_a_broken_record_costs_itself_alone(tmp_path: Path, broken: str, between: str) -> None:
    parts = [json.dumps(r) for r in RECORDS]
    data = "[" + between.join([*parts[:2], broken, *parts[2:]]) + "]"
    (tmp_path / "a.json").write_text(data)
    texts, ledger = read(tmp_path / "a.json")
    assert texts == TEXTS
    (reject,) = ledger.rejects
    assert reject.position == f"record 3, byte {data.index(broken)}"
    assert "JSON" in reject.reason
    assert reject.sample.startswith(broken[:20])


def test_other_values_are_rejected_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '[{"text": "x"}, 12, null, "text", [1, [2]], true]} {"text":"y"}'
    )
    texts, ledger = read(tmp_path / "a.json")
    assert texts == ["x", "y"]
    assert [(r.position.split(",")[0], r.reason.split(" but ")[-1]) for r in ledger.rejects] == [
        ("record 2", "a number"),
        ("record 3", "null"),
        ("record 4", "a string"),
        ("record 5", "an array"),
        ("record 6", "a boolean"),
        ("record 7", "a bracket that closes nothing"),
    ]


def test_a_giant_record_is_rejected_in_bounded_memory(tmp_path: Path) -> None:
    giant = {"id": 0, "text": "x" * 9_000_000, "n": [{"text": "inner"}]}
    (tmp_path / "a.json").write_text(json.dumps([RECORDS[0], giant, RECORDS[1]]))
    texts, ledger = read(tmp_path / "a.json", max_record_bytes=2_000_000)
    assert texts == TEXTS[:2]
    assert f"has {len(json.dumps(giant))} bytes" in ledger.rejects[0].reason


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(RECORDS)[:-30])
    texts, ledger = read(tmp_path / "a.json")
    assert texts == TEXTS[:-1]
    assert "ends early" in ledger.rejects[0].reason


def test_depth_is_no_danger(tmp_path: Path) -> None:
    deep = '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"
    (tmp_path / "a.json").write_text(f'[{{"text": "x"}}, {deep}, {{"text": "y"}}]')
    texts, ledger = read(tmp_path / "a.json")
    assert texts == ["x", "y"]
    assert "nested too deeply" in ledger.rejects[0].reason


def test_text_that_only_looks_like_json_stays_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("[Update] The harbour is closed.")
    assert read(tmp_path / "a.txt")[0] == ["[Update] The harbour is closed."]


ARTICLES = [{"headline": f"h{i}", "body": f"text {i}"} for i in range(3)]


@pytest.mark.parametrize(
    "wrapped",
    [
        {"status": "ok", "articles": ARTICLES},
        {"response": {"total": 3, "docs": ARTICLES}, "facets": [{"name": "x"}]},
        {"hits": {"hits": [{"_id": i, "_source": a} for i, a in enumerate(ARTICLES)]}},
        {"content": ARTICLES, "page": {"number": 1}},
        {"items": ARTICLES, "total": 3},
        {"articles": [{"headline": "a picture", "body": None}, *ARTICLES]},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_records_inside_of_an_answer(tmp_path: Path, wrapped: Any, indent: int | None) -> None:
    (tmp_path / "a.json").write_text(json.dumps(wrapped, indent=indent))
    texts, ledger = read(tmp_path / "a.json")
    assert texts == ["text 0", "text 1", "text 2"]
    pictures = sum("a picture" in str(value) for value in wrapped.values())
    assert [reject.reason for reject in ledger.rejects] == [
        "the text (field 'body') is null"
    ] * pictures


def test_the_parts_of_one_article_are_no_articles(tmp_path: Path) -> None:
    parts = [{"id": "p1", "text": "One."}, {"id": "p2", "text": "Two."}]
    for article in ({"id": "a", "content": parts}, {"content": [{"text": "One."}]}):
        (tmp_path / "a.json").write_text(json.dumps(article))
        texts, ledger = read(tmp_path / "a.json")
        assert texts == []
        assert "the text (field 'content') is not a string but list" in ledger.rejects[0].reason


POST = {
    "id": 7,
    "date": "2024-01-02T06:04:05",
    "date_gmt": "2024-01-02T03:04:05",
    "link": "https://valley.example/rain",
    "title": {"rendered": "Rain &#038; hail"},
    "content": {"rendered": "<p>It rained.</p>\n<p>It <b>hailed</b>.</p>", "protected": False},
    "author": 3,
    "_embedded": {"author": [{"id": 3, "name": "Ann Wex"}]},
}


@pytest.mark.parametrize("wrapped", [POST, [POST], {"posts": [POST]}])
def test_posts_of_wordpress(tmp_path: Path, wrapped: Any) -> None:
    (tmp_path / "a.json").write_text(json.dumps(wrapped))
    (batch,) = read_articles([str(tmp_path)], ReadSettings(), Ledger())
    (row,) = batch.to_pylist()
    assert (row["id"], row["title"], row["byline"]) == ("7", "Rain & hail", "Ann Wex")
    assert row["text"] == "It rained.\nIt hailed."
    assert row["published"].isoformat() == "2024-01-02T03:04:05+00:00"
    assert row["url"] == "https://valley.example/rain"


def test_an_export_of_a_search_engine(tmp_path: Path) -> None:
    lines = [
        json.dumps({"_index": "news", "_id": f"n{i}", "_source": a}) for i, a in enumerate(ARTICLES)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    ledger = Ledger()
    (batch,) = read_articles([str(tmp_path)], ReadSettings(), ledger)
    assert batch.column("id").to_pylist() == ["n0", "n1", "n2"]
    assert batch.column("position").to_pylist()[1] == "line 2"
    assert ledger.articles == ledger.read == 3


def test_two_lists_of_texts_are_no_guess(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"news": ARTICLES, "letters": ARTICLES}))
    texts, ledger = read(tmp_path / "a.json")
    assert texts == []
    assert "several lists of records (news, letters)" in ledger.rejects[0].reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=5),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.integers(1, 40),
)
def test_any_objects_are_framed(values: Any, indent: int | None, array: bool, size: int) -> None:
    parts = [json.dumps(v, indent=indent) for v in values]
    data = ("[" + ",".join(parts) + "]" if array else "".join(parts)).encode()
    assert [f.data for f in frames(data, size)] == [p.encode() for p in parts]


ALPHABET = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b" ", b"a", b'{"a":', b"1"]


@given(st.lists(st.sampled_from(ALPHABET), max_size=40).map(b"".join), st.integers(1, 9))
def test_any_brackets_end_and_nothing_is_invented(data: bytes, size: int) -> None:
    found = frames(data, size, limit=16)
    assert [f.number for f in found] == list(range(1, len(found) + 1))
    for frame in found:
        assert data[frame.offset : frame.offset + len(frame.data)] == frame.data
    for frame, after in itertools.pairwise(found):
        if frame.reason is None:
            assert frame.offset + len(frame.data) <= after.offset


@pytest.mark.parametrize("piece", [b'{"a":', b'{"', b'{"a":[}', b"[{", b'\\"', b'{"a":"\n'])
def test_brackets_built_to_go_back_cost_linear_work(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned = 0
    follow = jsonvalues._Value.follow

    def counted(self: Any, data: bytes, at: int) -> int:
        nonlocal scanned
        try:
            end = follow(self, data, at)
        except jsonvalues._MismatchError as mismatch:
            scanned += mismatch.at - at
            raise
        scanned += (len(data) if end < 0 else end) - at
        return end

    monkeypatch.setattr(jsonvalues._Value, "follow", counted)
    data = piece * 20_000
    assert len(frames(data, 4096)) > 0
    assert scanned <= 4 * len(data)
