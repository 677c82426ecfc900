"""Which column is taken for what, ids, outlets, metadata, and publication times."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import ReadSettings
from dedup.errors import SettingsError
from dedup.model import PRECISIONS, Ledger
from dedup.read import read_articles
from dedup.read.columns import resolve
from dedup.read.dates import DateReader, current_time

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read_records(folder: Path, *records: dict[str, Any]) -> tuple[list[dict[str, Any]], Ledger]:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    ledger = Ledger()
    batches = read_articles([str(folder / "a.jsonl")], ReadSettings(), ledger, now=NOW)
    return [row for batch in batches for row in batch.to_pylist()], ledger


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "identifier headline articleBody datePublished author publisher url inLanguage",
            (
                "id=identifier outlet=publisher published=datePublished url=url title=headline "
                "byline=author language=inLanguage text=articleBody"
            ),
        ),
        (
            "title text domain date description url image_url",
            "outlet=domain published=date url=url title=title text=text",
        ),
        (
            "maintext title date_publish authors source_domain url language date_download",
            (
                "outlet=source_domain published=date_publish url=url title=title byline=authors "
                "language=language text=maintext"
            ),
        ),
        (
            "title author hostname date fingerprint id raw_text text source source-hostname",
            "id=id outlet=hostname published=date title=title byline=author text=text",
        ),
        (
            "id text series date title",
            "id=id outlet=series published=date title=title text=text",
        ),
        (
            "Doc_ID Newspaper Pub_Date Permalink Headline Article_Text Lang",
            (
                "id=Doc_ID outlet=Newspaper published=Pub_Date url=Permalink title=Headline "
                "language=Lang text=Article_Text"
            ),
        ),
        (
            "guid link source body version",
            "id=guid outlet=source url=link version=version text=body",
        ),
    ],
)
def test_usual_names_are_recognised(names: str, expected: str) -> None:
    taken = resolve(names.split()).taken()
    assert taken == dict(pair.split("=") for pair in expected.split())


def test_a_fingerprint_is_no_id() -> None:
    # trafilatura's is the same for near-duplicates: copies would look like one record
    assert resolve(["fingerprint", "text"]).id is None


def test_nested_values(tmp_path: Path) -> None:
    rows, _ = read_records(
        tmp_path,
        {"id": 7, "text": "a", "author": [{"name": "A"}, "B"], "publisher": {"name": "P"}},
        {"id": [8], "text": "b", "author": {"@type": "Person", "name": "A"}, "publisher": "Q"},
    )
    assert [(r["id"], r["byline"], r["outlet"]) for r in rows] == [
        ("7", "A, B", "P"),
        ("8", "A", "Q"),
    ]


def test_what_can_name_a_source_is_kept_as_metadata(tmp_path: Path) -> None:
    rows, _ = read_records(
        tmp_path,
        {"id": 1, "text": "a", "outlet": "O", "source": "AP", "copyrightholder": {"name": "dpa"}},
        {"id": 2, "text": "b", "source": "Only outlet"},
        {"id": 3, "text": "c", "outlet": "O", "agency": None, "version": "3"},
    )
    assert rows[0]["metadata"] == '{"copyrightHolder": "dpa", "source": "AP"}'
    assert (rows[1]["outlet"], rows[1]["metadata"]) == ("Only outlet", None)
    assert (rows[2]["metadata"], rows[2]["version"]) == (None, 3)


def test_outlet_falls_back_to_the_registrable_domain(tmp_path: Path) -> None:
    rows, _ = read_records(
        tmp_path,
        {"id": 1, "text": "a", "url": "https://www.bbc.co.uk/news"},
        {"id": 2, "text": "b", "url": "http://127.0.0.1/x"},
        {"id": 3, "text": "c", "url": "http://[broken"},
        {"id": 4, "text": "d", "source": "https://edition.cnn.com/x"},
        {"id": 5, "text": "e", "url": "https://one.blogspot.com/x"},
        {"id": 6, "text": "f", "hostname": "cnn.com", "source": "https://cnn.com/y"},
    )
    assert [r["outlet"] for r in rows] == [
        "bbc.co.uk",
        None,
        None,
        "cnn.com",
        "one.blogspot.com",
        "cnn.com",
    ]
    assert [r["url"] for r in rows[3::2]] == ["https://edition.cnn.com/x", "https://cnn.com/y"]


def test_repeats_and_revisions(tmp_path: Path) -> None:
    rows, ledger = read_records(
        tmp_path,
        {"id": "x", "text": "one"},
        {"id": "x", "text": "two"},
        {"id": "x", "text": "one"},
        {"id": "x", "text": "two"},
        {"id": "y", "text": "one"},
    )
    # Repeats are handed on: which record stands for the article is not the reader's to say.
    assert [r["text"] for r in rows] == ["one", "two", "one", "two", "one"]
    assert (ledger.read, ledger.articles, ledger.repeats) == (5, 3, 2)
    assert ledger.files[0].notes == ["ids seen before with another text (revisions): 1"]


def test_derived_ids_are_stable_and_tell_outlets_apart(tmp_path: Path) -> None:
    records = [
        {"text": "same"},
        {"text": "same"},
        {"text": "same", "outlet": "A"},
        {"text": "same", "outlet": "B"},
    ]
    rows, ledger = read_records(tmp_path, *records)
    assert rows[0]["id"] == "d-" + rows[0]["digest"][:16]
    assert rows[0]["issues"] == ["id-derived"]
    assert len({r["id"] for r in rows}) == 3
    assert ledger.repeats == 1
    again, _ = read_records(tmp_path, *records[::-1])
    assert {r["id"] for r in again} == {r["id"] for r in rows}


def test_ids_that_identify_nothing_are_derived(tmp_path: Path) -> None:
    ids = [None, " ", True, 1.5, 12345678901234567890123, []]
    rows, _ = read_records(tmp_path, *({"id": v, "text": f"{i}"} for i, v in enumerate(ids)))
    assert all(r["issues"] == ["id-derived"] for r in rows)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("raw", "when", "precision", "issue"),
    [
        ("2021", utc(2021, 1, 1), "year", None),
        ("2021-03", utc(2021, 3, 1), "month", None),
        ("March 2021", utc(2021, 3, 1), "month", None),
        ("2021-03-04", utc(2021, 3, 4), "day", None),
        ("20210304", utc(2021, 3, 4), "day", None),
        ("2021/3/4", utc(2021, 3, 4), "day", None),
        ("March 4, 2021", utc(2021, 3, 4), "day", None),
        ("2021-03-04 00:00:00", utc(2021, 3, 4), "day", None),
        ("2021-03-04T00:00:00Z", utc(2021, 3, 4), "second", None),
        ("2021-03-04T10:30", utc(2021, 3, 4, 10, 30), "minute", "date-without-zone"),
        ("2021-03-04 10:30:00", utc(2021, 3, 4, 10, 30), "second", "date-without-zone"),
        ("2021-03-04T10:30:05+02:00", utc(2021, 3, 4, 8, 30, 5), "second", None),
        ("Thu, 04 Mar 2021 10:30:05 GMT", utc(2021, 3, 4, 10, 30, 5), "second", None),
        ("4 Mar 21 10:30 EST", utc(2021, 3, 4, 15, 30), "minute", None),
        ("Mar 4, 2021 10:30 PM EST", utc(2021, 3, 5, 3, 30), "minute", None),
        (1614853805, utc(2021, 3, 4, 10, 30, 5), "second", None),
        ("1614853805000", utc(2021, 3, 4, 10, 30, 5), "second", None),
        ("13/04/2021", utc(2021, 4, 13), "day", None),
        ("04/13/2021 10:30", utc(2021, 4, 13, 10, 30), "minute", "date-without-zone"),
        (date(2021, 3, 4), utc(2021, 3, 4), "day", None),
        ("03/04/2021", None, "unknown", "date-ambiguous"),
        ("03.04.21", None, "unknown", "date-ambiguous"),
        ("2021/13/04", None, "unknown", "date-unreadable"),
        ("4 March", None, "unknown", "date-unreadable"),
        ("Tuesday 10:30", None, "unknown", "date-unreadable"),
        ("yesterday", None, "unknown", "date-unreadable"),
        ("9" * 5000, None, "unknown", "date-unreadable"),
        ("1599-12-31", None, "unknown", "date-unreadable"),
        ("0001-01-01T00:00:00+10:00", None, "unknown", "date-unreadable"),
        ("2026-01-03", None, "unknown", "date-in-future"),
        ("2026-01-02", utc(2026, 1, 2), "day", None),
        ("", None, "unknown", None),
        (None, None, "unknown", None),
        (True, None, "unknown", "date-unreadable"),
    ],
)
def test_dates_say_no_more_than_is_stated(
    raw: Any, when: datetime | None, precision: str, issue: str | None
) -> None:
    found = DateReader(NOW)(raw)
    micros = None if when is None else int(when.timestamp()) * 1_000_000
    assert found == (micros, precision, () if issue is None else (issue,))


def test_the_raw_date_is_always_kept(tmp_path: Path) -> None:
    rows, _ = read_records(
        tmp_path, {"id": 1, "text": "a", "date": "someday"}, {"id": 2, "text": "b", "date": 12}
    )
    assert [(r["published"], r["published_raw"]) for r in rows] == [(None, "someday"), (None, "12")]
    assert rows[0]["issues"] == ["date-unreadable"]


def test_source_date_epoch_is_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert current_time() == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(SettingsError, match="soon"):
        current_time()


@given(
    st.one_of(
        st.text(max_size=40),
        st.text("0123456789/-:. TZ+aMprch", max_size=30),
        st.floats(),
        st.integers(),
        st.datetimes(),
    )
)
def test_no_date_raises_and_none_is_in_the_future(raw: Any) -> None:
    micros, precision, issues = DateReader(NOW)(raw)
    assert precision in PRECISIONS
    assert (micros is None) == (precision == "unknown")
    assert micros is None or micros <= (NOW.timestamp() + 86400) * 1e6
    assert len(issues) <= 1
