"""The page's view of the sources: agency, its groups, their articles, and who says so."""

from __future__ import annotations

from typing import Any

import pytest
from oracles import Writer
from report_page import Page

from dedup.report.html import render_html


def article(identity: str, sentences: list[str], **more) -> dict:
    return {
        "id": identity,
        "outlet": f"{identity}.example",
        "title": f"Title of {identity}",
        "text": "\n\n".join(sentences),
        **more,
    }


@pytest.fixture
def page(scan_records) -> Page:
    w = Writer("source view")
    wire, other = w.sentences(9), w.sentences(9)
    result = scan_records(
        [
            article("a", ["OSLO (Reuters) - " + wire[0], *wire[1:]]),
            article("b", wire),
            article("c", ["OSLO (AP) — " + wire[0], *wire[1:7], *w.sentences(3)]),
            article("d", ["OSLO (Reuters) - <b>" + other[0], *other[1:]]),
        ],
        threads=1,
    )
    return Page(render_html(result.tables, result.run))


def source(page: Page, identity: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """A source as it is listed, its details, and the titles of the articles in them."""
    listed = page.chunk("sources")
    (place,) = [n for n, row in enumerate(listed) if row["id"] == identity]
    block = page.chunk("sources-0")
    return listed[place], block["sources"][place], block["articles"]["title"]


def test_a_source_lists_its_groups_and_their_articles(page):
    listed, details, titles = source(page, "reuters")
    assert (listed["articles"], listed["groups"]) == (3, 1)
    (group,) = details["groups"]
    assert (group["size"], group["credited"], group["uncredited"]) == (3, 1, 2)
    assert group["id"].startswith("g-")
    assert group["title"] == "Title of a"
    hows = [a["how"] for a in [*group["articles"], *details["alone"]]]
    assert hows == ["credited", "credited to Associated Press", "inferred", "credited"]
    first = group["articles"][0]
    assert titles[first["article"]] == "Title of a"
    assert first["evidence"]["text"] == "OSLO (Reuters) -"


def test_evidence_of_an_inference_is_the_text_that_is_shared(page):
    _, details, titles = source(page, "reuters")
    (inferred,) = [a for a in details["groups"][0]["articles"] if a["how"] == "inferred"]
    assert titles[inferred["article"]] == "Title of b"
    assert 60 <= len(inferred["evidence"]["text"]) <= 240


def test_disagreement_is_said_at_the_source_and_at_the_group(page):
    _, details, _ = source(page, "reuters")
    assert details["groups"][0]["disputed"] == ["Associated Press"]
    assert page.chunk("group-0")["groups"][0]["disputed"] == ["Associated Press"]


def test_articles_without_a_group_stand_under_the_source_that_they_credit(page):
    _, details, titles = source(page, "reuters")
    (alone,) = details["alone"]
    assert titles[alone["article"]] == "Title of d"
    assert alone["evidence"]["after"].startswith(" <b>"), "a text, which the page shows as such"


def test_a_run_without_corrections_shows_none(page):
    assert not any(attributes.get("id") == "corrections" for _, attributes in page.tags)
