"""The page's view of the sources: agency, its groups, their articles, and who says so."""

from __future__ import annotations

import re

import pytest
from oracles import Writer

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
def page(scan_records) -> str:
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
    return render_html(result.tables, result.run)


def source(page: str, identity: str) -> str:
    found = re.search(rf'<details class="source" id="source-{identity}">.*?</details>', page, re.S)
    assert found is not None
    return found[0]


def test_a_source_lists_its_groups_and_their_articles(page):
    shown = source(page, "reuters")
    assert "3 articles: 1 credited to it, 2 not" in shown
    assert re.search(r'href="#group-g-[0-9a-f]+"><bdi dir="auto">Title of a</bdi>', shown)
    roles = re.findall(r'class="role how-(?:yes|no)"><bdi dir="auto">(.*?)</bdi>', shown)
    assert roles == ["credited", "credited to Associated Press", "inferred", "credited"]
    assert "<mark>OSLO (Reuters) -</mark>" in shown


def test_evidence_of_an_inference_is_the_text_that_is_shared(page):
    inferred = source(page, "reuters").split("inferred</bdi>")[1].split("</li>")[0]
    assert "Title of b" in inferred
    assert len(re.findall(r"<mark>([^<]{60,240})</mark>", inferred)) == 1


def test_disagreement_is_said_at_the_source_and_at_the_group(page):
    assert 'others credit <bdi dir="auto">Associated Press</bdi>' in source(page, "reuters")
    assert "Its articles disagree: others credit" in page


def test_articles_without_a_group_stand_under_the_source_that_they_credit(page):
    shown = source(page, "reuters")
    alone = shown.split("In no group of this source")[1]
    assert "Title of d" in alone
    assert "<b>" not in alone, "texts of others are inert"


def test_a_run_without_corrections_shows_none(page):
    assert 'id="corrections"' not in page
