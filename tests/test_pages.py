"""Web pages: what is taken from them, and workers that a page can end without harm."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("resiliparse")
pytest.importorskip("selectolax")

from web_fixture import page, paragraphs

from dedup.config import ReadSettings
from dedup.errors import MissingExtraError
from dedup.model import Ledger
from dedup.pages import pool as pools
from dedup.pages.charset import decode
from dedup.pages.extraction import Page, extract
from dedup.pages.linked_data import LinkedData
from dedup.pages.pool import Limits, PagePool
from dedup.read import read_articles

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(*inputs: Any, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    ledger = Ledger()
    rows: list[dict[str, Any]] = []
    for batch in read_articles([str(i) for i in inputs], ReadSettings(**options), ledger, now=NOW):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    assert len(ledger.rejects) == ledger.rejected
    return rows, ledger


def values(data: bytes | str, url: str | None = None) -> dict[str, Any]:
    found = extract(Page(data if isinstance(data, bytes) else data.encode(), url))
    assert found.reason is None
    return found.values


def linked(**more: Any) -> str:
    article = {"@context": "https://schema.org", "@type": "NewsArticle", **more}
    return f'<script type="application/ld+json">{json.dumps(article)}</script>'


TEXT = "\n".join(paragraphs(14))


def test_the_text_is_the_article_without_what_stands_around_it():
    before = '<div class="teaser"><p>Another story begins with this line of a teaser.</p></div>'
    body = (
        '<div class="newsletter-box"><p>Read more of this every day in our newsletter.</p></div>'
        "<figure><img src=a><figcaption>Ships before the harbour on Monday.</figcaption></figure>"
    )
    assert values(page(14, before=before, body=body))["text"] == TEXT


def test_a_summary_above_the_article_belongs_to_the_text():
    summary = "Fourteen ships wait for a pilot outside the harbour since a storm on Thursday."
    head = f'<meta name="description" content="{summary}">'
    found = values(page(14, head=head, before=f"<header><p>{summary}</p></header>"))
    assert found["text"] == f"{summary}\n{TEXT}"


def test_json_ld_states_the_metadata():
    head = linked(
        headline="Ships wait &amp; wait",
        datePublished="2024-05-06T07:08:09+02:00",
        author=[{"@type": "Person", "name": "Ada Vale"}, {"name": "Ben Moor"}],
        publisher={"@type": "Organization", "name": "Coast Daily"},
        mainEntityOfPage={"@id": "https://www.example.com/ships"},
        sourceOrganization={"name": "Reuters"},
        creditText="Reuters",
        isBasedOn="https://example.org/original",
        inLanguage="en-GB",
    )
    found = values(page(14, head=head))
    assert found == {
        "text": TEXT,
        "title": "Ships wait & wait",
        "published": "2024-05-06T07:08:09+02:00",
        "byline": "Ada Vale, Ben Moor",
        "outlet": "Coast Daily",
        "publisher": "Coast Daily",
        "url": "https://www.example.com/ships",
        "sourceOrganization": "Reuters",
        "creditText": "Reuters",
        "isBasedOn": "https://example.org/original",
        "language": "en",
    }


def test_without_json_ld_meta_elements_do():
    head = (
        '<meta property="og:title" content="Ships wait 14 | Coast Daily">'
        '<meta property="og:site_name" content="Coast Daily">'
        '<meta property="article:published_time" content="2024-05-06">'
        '<meta name="author" content="Ada Vale">'
        '<link rel="canonical" href="/ships">'
    )
    found = values(page(14, head=head), "https://www.example.com/a?b=c")
    assert found["title"] == "Ships wait 14"  # the heading confirms what is the outlet's name
    assert found["outlet"] == "Coast Daily"
    assert found["published"] == "2024-05-06"
    assert found["byline"] == "Ada Vale"
    assert found["url"] == "https://www.example.com/a?b=c"
    assert found["canonical"] == "https://www.example.com/ships"


def test_without_either_what_the_reader_sees_does():
    before = '<p class="byline">By Ada Vale</p><time datetime="2024-05-06T07:08Z">Monday</time>'
    found = values(page(14, before=before))
    assert found["title"] == "Ships wait 14"
    assert found["byline"] == "Ada Vale"
    assert found["published"] == "2024-05-06T07:08Z"
    assert found["text"] == TEXT


def test_the_canonical_address_of_a_copy_is_not_its_own():
    head = '<link rel="canonical" href="https://original.example.org/story">'
    head += '<meta property="og:url" content="https://www.example.com/story">'
    found = values(page(14, head=head))
    assert found["url"] == "https://www.example.com/story"
    assert found["canonical"] == "https://original.example.org/story"


def test_of_several_articles_in_json_ld_the_one_of_this_address_counts():
    other = linked(headline="Another", url="https://www.example.com/x", articleBody="long " * 90)
    own = linked(headline="Ours", url="https://example.com/ships/")
    found = values(page(14, head=other + own), "https://www.example.com/ships?utm=1")
    assert found["title"] == "Ours"
    assert found["text"] == TEXT


def test_authors_by_reference_in_a_graph():
    graph = {
        "@graph": [
            {"@type": "Person", "@id": "#ada", "name": "Ada Vale"},
            {"@type": "NewsArticle", "headline": "H", "author": {"@id": "#ada"}},
        ]
    }
    assert LinkedData([json.dumps(graph)]).names("author") == ["Ada Vale"]


def test_the_body_in_json_ld_counts_unless_it_is_an_excerpt():
    whole = "".join(f"<p>{p}</p>" for p in [*paragraphs(14), "One paragraph more than is shown."])
    assert values(page(14, head=linked(articleBody=whole)))["text"].endswith("than is shown.")
    assert values(page(14, head=linked(articleBody=paragraphs(14)[0])))["text"] == TEXT


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", ""), ("windows-1252", "iso-8859-1"), ("utf-16", ""), ("shift_jis", "shift_jis")],
)
def test_the_encoding_of_a_page(encoding, declared):
    words = "港で船が待っている。" if encoding == "shift_jis" else "Größe über alles, café."
    html = f'<html><head><meta charset="{declared or "utf-8"}"></head><body><article>'
    html += "".join(f"<p>{words} {words} {n}</p>" for n in range(4)) + "</article></body></html>"
    found = extract(Page(html.encode(encoding)))
    assert not found.invalid
    assert words in found.values["text"]


def test_bytes_that_are_no_characters_are_marked_or_rejected(tmp_path):
    broken = page(14, head='<meta charset="utf-8">').replace(b"freighters", b"freight\xffers")
    (tmp_path / "a.html").write_bytes(broken)
    [row], _ = read(tmp_path)
    assert list(row["issues"]) == ["invalid-utf8"]
    assert "freight\ufffders" in row["text"]
    rows, ledger = read(tmp_path, reject_invalid_utf8=True)
    assert rows == []
    assert "bytes that are no characters" in ledger.rejects[0].reason


@given(st.binary(max_size=300), st.sampled_from(["", "<p>", "<!DOCTYPE html><article><p>", "{}"]))
def test_any_bytes_end_in_a_text_or_a_reason(data, begin):
    found = extract(Page(begin.encode() + data))
    assert bool(found.values.get("text")) != bool(found.reason)
    json.dumps(found.values).encode()


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "@type",
                        "@id",
                        "name",
                        "author",
                        "url",
                        "headline",
                        "articleBody",
                        "@graph",
                        "publisher",
                        "mainEntityOfPage",
                        "isBasedOn",
                        "datePublished",
                    ]
                ),
                inner | st.just("NewsArticle"),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_ld_is_survived(value):
    script = f'<script type="application/ld+json">{json.dumps(value)}</script>'
    extract(Page(page(14, head=script)))


def test_a_folder_of_pages_is_one_entry_with_the_paths_as_ids(tmp_path):
    (tmp_path / "sub").mkdir()
    for n in range(70):  # more than wait for workers at once
        (tmp_path / "sub" / f"{n:02}.html").write_bytes(page(n))
    (tmp_path / "a.jsonl").write_text('{"id": "j", "text": "t"}\n')
    rows, ledger = read(tmp_path)
    assert [row["id"] for row in rows] == ["j", *(f"sub/{n:02}.html" for n in range(70))]
    assert [row["text"] for row in rows[1:]] == ["\n".join(paragraphs(n)) for n in range(70)]
    assert [(e.format, e.articles) for e in ledger.files] == [("jsonl", 1), ("html", 70)]


def test_recognised_by_its_beginning_and_empty_ones_are_rejected(tmp_path):
    (tmp_path / "a.dat").write_bytes(b"<!-- saved -->\n" + page(1))
    (tmp_path / "b.html").write_bytes(b"")
    (tmp_path / "c.htm").write_bytes(b"<html><body><nav>Home</nav></body></html>")
    rows, ledger = read(tmp_path)
    assert [row["id"] for row in rows] == ["a.dat"]
    reasons = {r.file.rsplit("/", 1)[1]: r.reason for r in ledger.rejects}
    assert reasons == {
        "b.html": "the file is empty",
        "c.htm": "no text of an article was found on the page",
    }


def test_the_same_path_in_two_folders_with_another_text_is_said(tmp_path):
    for n in (1, 2):
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / "a.html").write_bytes(page(n))
    _, ledger = read(tmp_path / "1", tmp_path / "2")
    [warning] = ledger.warnings
    assert "its id 'a.html' was seen before with another text" in warning


@pytest.fixture
def pool():
    made = PagePool(Limits(seconds=1, memory=2**30, workers=1))
    yield made
    made.close()


SLOW = b"<div>" * 3000 + b"<p>twenty-five letters and more of them here</p>" * 4000
"""Paragraphs under so many elements that looking at each of them takes long."""


def test_36_a_page_that_takes_too_long_is_given_up_and_the_next_is_read(pool):
    slow, good = pool.submit(SLOW), pool.submit(page(14))
    assert slow.result()["reason"] == "the page took more than page_seconds (1) and was given up"
    assert good.result()["values"]["text"] == TEXT


def test_36_a_page_that_needs_too_much_memory_is_given_up_and_the_next_is_read():
    pool = PagePool(Limits(seconds=30, memory=200 * 2**20, workers=1))
    try:
        large, good = pool.submit(b"<p>a" * 4_000_000), pool.submit(page(14))
        assert "page_memory (209715200) bytes" in large.result()["reason"]
        assert good.result()["values"]["text"] == TEXT
    finally:
        pool.close()


def test_36_a_worker_that_is_killed_costs_its_page_alone(pool, tmp_path):
    assert pool.submit(page(1)).result()["values"]
    worker = pool._workers[0]._process
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert "SIGKILL" in pool.submit(page(2)).result()["reason"]
    assert pool.submit(page(3)).result()["values"]


def test_36_the_run_names_the_page_that_hung(tmp_path):
    (tmp_path / "1.html").write_bytes(page(1))
    (tmp_path / "2.html").write_bytes(SLOW)
    (tmp_path / "3.html").write_bytes(page(3))
    rows, ledger = read(tmp_path, page_seconds=1)
    assert [row["id"] for row in rows] == ["1.html", "3.html"]
    [reject] = ledger.rejects
    assert reject.file.endswith("2.html")
    assert "page_seconds (1)" in reject.reason


def test_workers_end_at_once_when_a_run_is_left(pool):
    waiting = [pool.submit(SLOW) for _ in range(3)]
    while pool._workers[0]._process is None:
        time.sleep(0.01)
    process = pool._workers[0]._process
    pool.close()
    assert process.poll() is not None
    assert all(future.cancelled() or future.done() for future in waiting)


def test_a_missing_extra_names_its_command(tmp_path, monkeypatch):
    def missing(purpose: str, packages: tuple[str, ...] = ()) -> None:
        raise MissingExtraError("resiliparse", "web", purpose)

    monkeypatch.setattr(pools, "check_installed", missing)
    (tmp_path / "a.html").write_bytes(page(1))
    (tmp_path / "b.jsonl").write_text('{"id": "j", "text": "t"}\n')
    with pytest.raises(MissingExtraError, match=r"pip install 'dedup\[web\]'"):
        read(tmp_path / "a.html")
    rows, ledger = read(tmp_path)  # one of many: the others are read
    assert [row["id"] for row in rows] == ["j"]
    assert "pip install 'dedup[web]'" in ledger.rejects[0].reason


@pytest.mark.parametrize("stated", [None, "utf-7", "unicode-1-1-utf-7", "csUnicode11UTF7"])
def test_utf_7_is_never_decoded(stated):
    data = b'<meta charset="utf-7"><p>+ADw-script+AD4-</p>'
    assert decode(data, stated) == (data.decode("ascii"), False)


@given(
    headers=st.lists(
        st.sampled_from(
            (
                *(b"Content-Type: text/html", b"content-type:text/html; charset=ISO-8859-1"),
                *(b"Content-Type: text/html;charset=utf-8; x=y", b"Content-Length: 3", b"X-Y: z"),
                *(b"Server: a: b; charset=no", b"Content-Length: 999"),
            )
        ),
        unique_by=lambda line: line.partition(b":")[0].lower(),
    ),
    body=st.binary(max_size=60),
    status=st.sampled_from((b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/2 200 ")),
)
def test_plain_responses_are_read_as_fastwarc_reads_them(headers, body, status):
    pytest.importorskip("fastwarc")
    from dedup.pages import http

    response = b"\r\n".join([status, *headers, b"", body])
    found = http.payload(response, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "_PLAIN", re.compile(rb"\Z\A"))
        assert found == http.payload(response, 1000)
    assert found[0] == body


def test_the_charset_that_a_server_names_may_stand_in_quotes():
    pytest.importorskip("fastwarc")
    from dedup.pages import http

    response = b'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset="shift_jis"\r\n\r\n<p>'
    assert http.payload(response, 1000) == (b"<p>", "shift_jis")
    with pytest.raises(http.UnreadableResponseError, match="max_record_bytes"):
        http.payload(response, 2)
