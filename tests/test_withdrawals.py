"""Items that their senders take back, and items under an embargo."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_wire_text import NINJS
from test_wire_xml import NITF, g2, newsml_1, read

import dedup
from dedup.corpus import build_corpus
from dedup.model import FileLedger, Ledger, Withdrawal, article_schema
from dedup.recall import recall
from dedup.withdrawals import withdrawn_rows

TEXTS = {
    number: f"Version {number}: rain flooded the market square of Riverton on Tuesday, the mayor "
    f"said, and {number} ducks were pleased with it in the town hall."
    for number in (1, 2, 3)
}


def versions(*statuses: tuple[int, str]) -> str:
    """Lines of ninjs: versions of one item, each with its status."""
    items = [
        NINJS | {"version": str(n), "pubstatus": status, "body_text": TEXTS[n], "body_html": None}
        for n, status in statuses
    ]
    return "".join(json.dumps(item) + "\n" for item in items)


def kept(result: Any) -> list[int]:
    texts = result.texts["text"].to_pylist()
    return sorted(number for number, text in TEXTS.items() if text in texts)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([(1, "usable"), (2, "usable"), (3, "canceled")], []),
        ([(3, "canceled"), (1, "usable"), (2, "usable")], []),  # in any order
        ([(1, "usable"), (2, "withheld"), (3, "usable")], [3]),  # given free again
        ([(1, "usable"), (2, "usable")], [1, 2]),
    ],
)
def test_a_canceled_item_takes_back_its_earlier_versions(tmp_path, statuses, expected):
    other = NINJS | {"uri": "other", "body_html": None}
    path = tmp_path / "feed.jsonl"
    path.write_text(versions(*statuses) + json.dumps(other) + "\n", encoding="utf-8")
    result = dedup.scan(path, threads=1)
    assert kept(result) == expected
    ledger = result.run["ledger"]
    assert ledger["read"] == len(statuses) + 1
    assert ledger["articles"] == len(result.articles) == len(expected) + 1
    assert ledger["rejected"] == len(statuses) - len(expected)
    reasons = result.rejected["reason"].to_pylist()
    assert len(reasons) == len(statuses) - len(expected)
    for reason in reasons:
        assert "by its sender" in reason


def test_the_reject_says_where_the_notice_stands(tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text(versions((1, "usable"), (2, "canceled")), encoding="utf-8")
    rejected = dedup.scan(path, threads=1).rejected.to_pylist()
    found = {r["position"]: r["reason"] for r in rejected}
    assert found == {
        "line 2": "the item is canceled by its sender",
        "line 1": f"withdrawn: the item is canceled by its sender in {path}, line 2",
    }


TOMBSTONE = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">'
    '<at:deleted-entry ref="tag:a" when="2025-03-04T10:00:00Z"/></feed>'
)


def test_filter_lists_a_withdrawn_article_once(tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text(versions((1, "usable"), (3, "usable"), (2, "canceled")), encoding="utf-8")
    result = dedup.filter(path, threads=1)
    assert result.kept["position"].to_pylist() == ["line 2"]
    assert sorted(result.dropped["position"].to_pylist()) == ["line 1", "line 3"]


@pytest.mark.parametrize(
    "content",
    [
        g2(status="canceled"),
        g2(status="withheld"),
        newsml_1(status="Canceled"),
        NITF.replace('"usable"', '"canceled"'),
        json.dumps(NINJS | {"pubstatus": "canceled"}),
        json.dumps(NINJS | {"pubstatus": "withheld"}),
        TOMBSTONE,
    ],
)
def test_every_standard_has_a_word_for_it(tmp_path, content):
    rows, ledger = read(tmp_path / "item", content)
    assert rows == []
    assert "by its sender" in ledger.rejects[0].reason
    assert len(ledger.withdrawals) >= 1


@pytest.mark.parametrize(
    ("until", "issue"),
    [
        ("2025-03-05T10:00:00Z", "embargoed"),
        ("2026-01-01T01:00:00Z", "under-embargo"),  # an hour after "now"
        ("2027-03-05T10:00:00Z", "under-embargo"),
    ],
)
def test_embargoed_items_are_read_and_marked(tmp_path, until, issue):
    contents = [
        g2(embargoed=f"<embargoed>{until}</embargoed>"),
        json.dumps(NINJS | {"embargoed": until}),
        newsml_1(
            status="Embargoed",
            change='<StatusWillChange><FutureStatus FormalName="Usable"/>'
            f"<DateAndTime>{until}</DateAndTime></StatusWillChange>",
        ),
        NITF.replace("YYYYMMDD000000", until).replace("20250304T100000+0100", "2025-03-04"),
    ]
    for content in contents:
        (row,), ledger = read(tmp_path / "item", content)
        assert issue in row["issues"]
        notes = [note for note in ledger.files[0].notes if "embargo" in note]
        assert len(notes) == (issue == "under-embargo")


def test_an_embargo_without_an_end_is_not_over(tmp_path):
    (row,), _ = read(tmp_path / "item", newsml_1(status="Embargoed"))
    assert "under-embargo" in row["issues"]


def test_an_empty_embargo_is_none(tmp_path):
    (row,), _ = read(tmp_path / "item", g2(embargoed="<embargoed></embargoed>"))
    assert row["issues"] == []


# --- the balance, whatever is withdrawn ---------------------------------------------------------

records = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from("xyz"),
        st.none() | st.integers(1, 3),
        st.sampled_from(["one", "two"]),
    ),
    max_size=12,
)
notices = st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(1, 3)), max_size=3)


def tallied(rows: list[tuple[str, str, int | None, str]]) -> dict[str, list[int]]:
    """Articles and repeats of each file, as reading counts them: the oracle."""
    seen: set[tuple[str, str]] = set()
    counts = {"one": [0, 0], "two": [0, 0]}
    for identity, text, _, file in rows:
        counts[file][(identity, text) in seen] += 1
        seen.add((identity, text))
    return counts


@given(records, notices)
def test_what_stays_is_counted_as_if_the_rest_had_been_rejected_at_once(rows, withdrawn):
    ledger = Ledger(withdrawals=[Withdrawal(i, v, "n", "line 1", "canceled") for i, v in withdrawn])
    for name, (articles, repeats) in tallied(rows).items():
        ledger.files.append(
            FileLedger(name, articles=articles, repeats=repeats, read=articles + repeats)
        )
    table = pa.Table.from_pylist(
        [
            {"id": i, "digest": t, "version": v, "file": f, "position": f"line {n}"}
            for n, (i, t, v, f) in enumerate(rows)
        ],
        pa.schema([f for f in article_schema() if f.name in _COLUMNS]),
    )
    reading = np.arange(len(rows), dtype=np.int64)
    gone = withdrawn_rows(table, reading, ledger)
    covered = [
        any(i == n and (v is None or w is None or v <= w) for n, w in withdrawn)
        for i, _, v, _ in rows
    ]
    assert gone.tolist() == covered
    left = [row for row, is_gone in zip(rows, covered, strict=True) if not is_gone]
    assert {e.file: [e.articles, e.repeats] for e in ledger.files} == tallied(left)
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert ledger.rejected == len(ledger.rejects) == sum(covered)


_COLUMNS = ("id", "digest", "version", "file", "position")


def test_articles_of_a_former_run_are_withdrawn_and_not_counted():
    row = dict.fromkeys(article_schema().names)
    row |= {"id": "a", "digest": "0" * 32, "file": "feed", "position": "line 1", "text": "Rain"}
    row |= {"precision": "unknown", "issues": []}
    ledger = Ledger(
        files=[FileLedger("feed", read=1, rejected=1)],
        withdrawals=[Withdrawal("a", None, "feed", "line 1", "canceled")],
    )
    corpus = build_corpus([pa.RecordBatch.from_pylist([row], article_schema())], ledger=ledger)
    assert len(corpus) == 0
    assert (ledger.articles, ledger.rejected) == (0, 1)


# --- in an index, over several runs -------------------------------------------------------------


@pytest.mark.parametrize(
    "days",
    [
        [[(1, "usable")], [(2, "canceled")]],
        [[(2, "canceled")], [(1, "usable")]],  # the notice came before the article
        [[(1, "usable")], [(2, "withheld")], [(3, "usable"), (1, "usable")]],
        [[(1, "usable"), (2, "usable"), (3, "canceled")]],
    ],
)
def test_updates_leave_what_a_scan_of_all_leaves(tmp_path, days):
    index = dedup.Index.open(tmp_path / "index", create=True)
    files = []
    for number, day in enumerate([[], *days]):
        other = json.dumps(NINJS | {"uri": f"other-{number}", "body_html": None}) + "\n"
        files.append(tmp_path / f"{number}.jsonl")
        files[-1].write_text(versions(*day) + other, encoding="utf-8")
        index.update(files[-1], threads=1)
    scanned = dedup.scan(files, threads=1)
    database = sqlite3.connect(tmp_path / "index" / "index.sqlite")
    refs = sorted(ref for (ref,) in database.execute("SELECT ref FROM articles"))
    database.close()
    assert refs == sorted(scanned.articles["ref"].to_pylist())


def test_an_update_says_how_many_articles_were_taken_back(tmp_path):
    path = tmp_path / "feed.jsonl"
    index = dedup.Index.open(tmp_path / "index", create=True)
    other = json.dumps(NINJS | {"uri": "other", "body_html": None}) + "\n"
    path.write_text(versions((1, "usable"), (2, "usable")) + other, encoding="utf-8")
    index.update(path, threads=1)
    path.write_text(versions((3, "canceled")), encoding="utf-8")
    ledger = index.update(path, threads=1).run["ledger"]
    assert [w for w in ledger["warnings"] if w.endswith("canceled or withheld them: 2")]


def test_what_is_canceled_already_lets_nothing_be_compared_anew(tmp_path, monkeypatch):
    path = tmp_path / "feed.jsonl"
    index = dedup.Index.open(tmp_path / "index", create=True)
    other = json.dumps(NINJS | {"uri": "other", "body_html": None}) + "\n"
    path.write_text(versions((2, "canceled")) + other, encoding="utf-8")
    index.update(path, threads=1)
    seen = []

    def noted(*arguments, compare_anew, **named):
        seen.append(compare_anew)
        return recall(*arguments, compare_anew=compare_anew, **named)

    monkeypatch.setattr("dedup.updating.recall", noted)
    path.write_text(versions((1, "usable")), encoding="utf-8")  # delivered once more
    update = index.update(path, threads=1)
    told = update.run["run"]
    assert [told[name] for name in ("new", "withdrawn", "removed")] == [0, 1, 0]
    assert not update.changed
    assert seen == []
    assert any("earlier notices" in warning for warning in update.run["ledger"]["warnings"])


def test_the_broadest_notice_counts():
    every = Withdrawal("a", None, "f", "", "canceled")
    third = Withdrawal("a", 3, "f", "", "canceled")
    second = Withdrawal("a", 2, "f", "", "canceled")
    assert every.covers_all_of(third)
    assert third.covers_all_of(second)
    assert not second.covers_all_of(third)
    assert not third.covers_all_of(every)
