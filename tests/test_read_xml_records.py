"""XML of no known vocabulary: which elements are the records, and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from read_rows import read_rows

from dedup.read.xmlitems import Items

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dedup.model import Ledger


def read(path: Path, xml: str, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    path.write_text("<?xml version='1.0'?>" + xml)
    return read_rows(path, **options)


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["text"] for row in rows]


def one(number: int, name: str = "article") -> str:
    return f"<{name}><id>{number}</id><title>T</title><text>Text {number}.</text></{name}>\n"


@pytest.mark.parametrize(
    "xml",
    [
        "<articles><article>One.</article><article>Two.</article></articles>",
        "<export><article>One.</article><article>Two.</article></export>",
        "<articles><article><p>One.</p></article><article><p>Two.</p></article></articles>",
        "<texts><text>One.</text><text>Two.</text></texts>",
        "<stories><story>One.</story><story>Two.</story></stories>",
        "<export><articles><article>One.</article><article>Two.</article></articles></export>",
    ],
)
def test_articles_that_are_texts_alone(tmp_path: Path, xml: str) -> None:
    rows, ledger = read(tmp_path / "a.xml", xml)
    assert texts(rows) == ["One.", "Two."]
    assert ledger.rejected == 0


def test_texts_of_one_record_are_its_paragraphs_and_that_is_said(tmp_path: Path) -> None:
    rows, ledger = read(tmp_path / "a.xml", "<story><text>One.</text><text>Two.</text></story>")
    assert texts(rows) == ["One.\nTwo."]
    assert ledger.files[0].notes == ["the root is taken for one article, its 2 'text' for its text"]
    rows, ledger = read(
        tmp_path / "a.xml", "<story><id>1</id><text>One.</text><text>Two.</text></story>"
    )
    assert texts(rows) == ["One.\nTwo."]
    assert ledger.files[0].notes == []


def test_very_many_articles_that_are_texts_alone_are_read_as_they_come(tmp_path: Path) -> None:
    body = "".join(f"<article>Text {n}. {'x' * 90}</article>" for n in range(2000))
    rows, ledger = read(tmp_path / "a.xml", f"<articles>{body}</articles>", max_record_bytes=20_000)
    assert (len(rows), ledger.rejected, ledger.incomplete) == (2000, 0, [])


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_records_in_wrappers(tmp_path: Path, depth: int, count: int) -> None:
    """Also in several wrappers, which stand beside other things."""
    names = ["export", "section", "items"][:depth]
    inner = "".join(one(n) for n in range(count))
    last = one(count)
    for name in reversed(names[1:]):
        inner, last = f"<{name}>{inner}</{name}>", f"<{name}>{last}</{name}>"
    rows, ledger = read(
        tmp_path / "a.xml", f"<export><made>today</made>{inner}<log>x</log>{last}</export>"
    )
    assert [row["id"] for row in rows] == [str(n) for n in range(count + 1)]
    assert (ledger.rejected, ledger.incomplete) == (0, [])
    assert ledger.files[0].notes == ["elements that are no records: 2 (made, log)"]


def test_records_in_wrappers_of_a_large_document(tmp_path: Path) -> None:
    body = "".join(one(n) for n in range(3000))
    xml = f"<export><title>All</title><articles>{body}</articles></export>"
    rows, ledger = read(tmp_path / "a.xml", xml, max_record_bytes=20_000)
    assert [row["id"] for row in rows] == [str(n) for n in range(3000)]
    assert (ledger.rejected, ledger.incomplete) == (0, [])
    rows, ledger = read(tmp_path / "a.xml", xml[: xml.index("<id>2000")], max_record_bytes=20_000)
    assert [row["id"] for row in rows] == [str(n) for n in range(2000)]
    assert ledger.rejected == 1
    assert ledger.incomplete


def test_articles_that_belong_to_an_article_are_not_the_records(tmp_path: Path) -> None:
    related = f"<related>{one(8)}{one(9)}</related>"
    inside = f"<id>1</id><title>T</title>{related}<text>Main.</text>"
    rows, _ = read(tmp_path / "a.xml", f"<article>{inside}</article>")
    assert texts(rows) == ["Main."]
    rows, _ = read(tmp_path / "a.xml", f"<all><article>{inside}</article></all>")
    assert texts(rows) == ["Main."]
    rows, _ = read(tmp_path / "a.xml", f"<all><article>{inside}</article>{one(2)}</all>")
    assert texts(rows) == ["Main.", "Text 2."]


@pytest.mark.parametrize(
    "xml",
    [
        "<all>{}{}</all>".format(
            *(
                f"<article id='{n}' date='2024-05-06' xml:lang='en'><title>T</title>"
                f"<text>Text {n}.</text></article>"
                for n in (7, 8)
            )
        ),
        "<all>{}{}</all>".format(
            *(
                f"<article id='{n}' date='2024-05-06' title='T' lang='en'>Text {n}.</article>"
                for n in (7, 8)
            )
        ),
        "<rows>{}{}</rows>".format(
            *(
                f"<row Id='{n}' Date='2024-05-06' Title='T' lang='en' Body='Text {n}.'/>"
                for n in (7, 8)
            )
        ),
    ],
)
def test_attributes_are_fields(tmp_path: Path, xml: str) -> None:
    rows, ledger = read(tmp_path / "a.xml", xml)
    assert ledger.rejected == 0
    found = [
        (row["id"], row["title"], row["published_raw"], row["language"], row["text"])
        for row in rows
    ]
    assert found == [(f"{n}", "T", "2024-05-06", "en", f"Text {n}.") for n in (7, 8)]


def test_a_child_goes_before_an_attribute(tmp_path: Path) -> None:
    xml = (
        "<article id='x' title='no'><id>1</id><text id='t' title='no'>A.</text>"
        "<title>T</title></article>"
    )
    rows, _ = read(tmp_path / "a.xml", xml)
    assert [(row["id"], row["title"], row["text"]) for row in rows] == [("1", "T", "A.")]


ARTICLE = "<article><id>{0}</id><headline>T{0}</headline><body>Text {0}.</body></article>"
COMMENT = "<comment><author>J</author><text>Nice.</text></comment>"
LATE = "<id>7</id><headline>T</headline><body>Text 7.</body>"


def feeds(path: Path, xml: str, patch: pytest.MonkeyPatch, size: int) -> list[tuple[Any, ...]]:
    """The articles of a document that is given to the parser in pieces of some size."""
    usual = Items._text_checked

    def in_pieces(self: Items) -> Iterator[str]:
        for text in usual(self):
            yield from (text[at : at + size] for at in range(0, len(text), size))

    patch.setattr(Items, "_text_checked", in_pieces)
    rows, ledger = read(path, xml)
    patch.undo()
    assert (ledger.rejected, ledger.incomplete) == (0, [])
    return [(row["id"], row["title"], row["text"]) for row in rows]


@pytest.mark.parametrize("size", [1, 7, 100, 2**20])
@pytest.mark.parametrize(
    ("xml", "ids"),
    [
        (
            (
                f"<all><item><lead/><comments>{COMMENT * 30}</comments>{LATE}</item>"
                f"<item><id>8</id><body>Text 8.</body></item></all>"
            ),
            ["7", "8"],
        ),
        (f"<article><comments>{COMMENT * 2}</comments>{'<x/>' * 20}{LATE}</article>", ["7"]),
        (
            (
                "<export><article id='7' date='2025-01-01' headline='T'><text id='p1'>First.</text>"
                "<text id='p2'>Second.</text></article></export>"
            ),
            ["7"],
        ),
        ("<doc id='7'><date/><body id='b0'>A.</body><body id='b1'>B.</body></doc>", ["7"]),
        (
            (
                f"<paper><date/><section>{ARTICLE.format(1)}{ARTICLE.format(2)}</section>"
                f"{ARTICLE.format(3)}{ARTICLE.format(4)}</paper>"
            ),
            ["1", "2", "3", "4"],
        ),
        (
            (
                f"<paper>{ARTICLE.format(0)}<section name='Sport'>{ARTICLE.format(1)}"
                f"{ARTICLE.format(2)}</section></paper>"
            ),
            ["0", "1", "2"],
        ),
    ],
)
def test_what_is_read_does_not_depend_on_what_is_parsed_at_once(
    tmp_path: Path, xml: str, ids: list[str], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = feeds(tmp_path / "a.xml", xml, monkeypatch, size)
    assert [row[0] for row in rows] == ids


def test_comments_before_a_text_are_not_the_records(tmp_path: Path) -> None:
    article = f"<item><comments>{COMMENT * 2}</comments><text>Main {{}}.</text></item>"
    rows, _ = read(
        tmp_path / "a.xml", f"<all><title>E</title>{article.format(1)}{article.format(2)}</all>"
    )
    assert texts(rows) == ["Main 1.", "Main 2."]


@pytest.mark.parametrize(
    "xml",
    [
        "<story><content id='p0'>One.</content><content id='p1'>Two.</content></story>",
        "<corpus><text id='a'>One.</text><text id='b'>Two.</text></corpus>",
        "<text_export><text>One.</text><text>Two.</text></text_export>",
    ],
)
def test_texts_with_ids_and_names_that_are_no_plurals_are_paragraphs(
    tmp_path: Path, xml: str
) -> None:
    rows, _ = read(tmp_path / "a.xml", xml)
    assert texts(rows) == ["One.\nTwo."]


@pytest.mark.parametrize(
    ("begin", "text", "id_"),
    [
        ("item body='full'", "content", "G"),
        ("doc content='premium'", "story", "G"),
        ("post article='12' id='0'", "body", "G"),
    ],
)
def test_attributes_never_replace_a_child(tmp_path: Path, begin: str, text: str, id_: str) -> None:
    record = f"<{begin}><guid>{id_}{{0}}</guid><{text}>Text {{0}}.</{text}></{begin.split()[0]}>"
    rows, _ = read(tmp_path / "a.xml", f"<all>{record.format(1)}{record.format(2)}</all>")
    assert [(row["id"], row["text"]) for row in rows] == [("G1", "Text 1."), ("G2", "Text 2.")]


def test_very_many_wrappers_with_one_record_each(tmp_path: Path) -> None:
    body = "".join(f"<record><header/>{ARTICLE.format(n)}</record>" for n in range(10_500))
    rows, ledger = read(tmp_path / "a.xml", f"<all>{body}</all>")
    assert [row["id"] for row in rows] == [str(n) for n in range(10_500)]
    assert (ledger.rejected, ledger.incomplete) == (0, [])


@pytest.mark.parametrize(
    "xml",
    [
        "<all><a>{0}</a><b>{0}</b></all>",
        "<all><a>{0}</a>" + ARTICLE.format("x") + "<b><c/>{0}</b></all>",
        "<all><a><b>{0}</b></a></all>",
    ],
)
def test_lists_that_are_longer_than_a_record_may_be(tmp_path: Path, xml: str) -> None:
    body = "".join(ARTICLE.format(n) for n in range(12_000))
    rows, ledger = read(tmp_path / "a.xml", xml.format(body), max_record_bytes=20_000)
    assert {row["id"] for row in rows} >= {str(n) for n in range(12_000)}
    assert ledger.files[0].read == xml.count("{0}") * 12_000 + xml.count("<article>")
    assert (ledger.rejected, ledger.incomplete) == (0, [])


def test_a_feed_that_is_not_of_atom_is_read_by_the_names_of_its_elements(tmp_path: Path) -> None:
    items = one(1, "item") + one(2, "item")
    rows, ledger = read(tmp_path / "a.xml", f"<feed><title>Norburg Daily</title>{items}</feed>")
    assert texts(rows) == ["Text 1.", "Text 2."]
    assert ledger.rejected == 0


def test_a_feed_of_atom_without_its_namespace_is_one(tmp_path: Path) -> None:
    entry = "<entry><id>7</id><title>T</title><content>Text 7.</content></entry>"
    rows, _ = read(tmp_path / "a.xml", f"<feed><title>Norburg Daily</title>{entry}</feed>")
    assert [(row["id"], row["outlet"]) for row in rows] == [("7", "Norburg Daily")]
