"""The page: one file, a strict policy with true hashes, other people's text inert."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pyarrow as pa
import pytest
from report_fixture import HOSTILE_TITLE, TEXTS, empty_tables, make_run, make_tables

from dedup.report import view_groups
from dedup.report.html import render_html
from dedup.report.safe import anchor, island, one_line, safe_url, visible


class Page(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self._inside = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in self.raw else ""

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside:
            self.raw[self._inside].append(data)
        else:
            self.text.append(data)


@pytest.fixture(scope="module")
def source() -> str:
    return render_html(make_tables(), make_run())


@pytest.fixture(scope="module")
def page(source) -> Page:
    return Page(source)


def data(page: Page) -> dict:
    return json.loads(page.raw["script"][0])


def words(page: Page) -> str:
    return " ".join(" ".join(page.text).split())


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_policy_hashes_match(page):
    policy = next(a for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    content = policy["content"]
    assert content.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest(page.raw['style'][0])}'" in content
    assert f"script-src 'sha256-{digest(page.raw['script'][-1])}'" in content
    assert "base-uri 'none'; form-action 'none'" in content
    assert "unsafe" not in content


def test_loads_nothing(page):
    for tag, attributes in page.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form", "video", "audio"}
        assert "src" not in attributes
        assert "style" not in attributes, "the policy forbids inline styles"
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert "url(" not in page.raw["style"][0]
    assert "@import" not in page.raw["style"][0]
    for call in ("fetch(", "XMLHttpRequest", "innerHTML", "outerHTML", "insertAdjacent", "eval("):
        assert call not in page.raw["script"][-1]


def test_hostile_texts_are_inert(source, page):
    assert len(page.raw["script"]) == 2, "the data and the program"
    assert "<script>alert" not in source
    assert "<img" not in source
    assert "onerror=alert(2)" in words(page), "shown as text"
    assert "\x00" not in source
    assert "\x1b" not in source
    assert "\u202e" not in source
    links = [a for t, a in page.tags if t == "a" and not a["href"].startswith("#")]
    assert links
    for attributes in links:
        assert attributes["href"].startswith(("http://", "https://"))
        assert attributes["rel"] == "noopener noreferrer"


def test_the_answer_comes_first(page):
    text = words(page)
    assert "62.5 % of 8 articles are somebody else’s text or a repost" in text
    assert "10 records read = 8 articles + 1 repeat + 1 rejected , from 1 file." in text
    assert "max_partners (2): passages compared by representatives only" in text
    assert "dump.jsonl: grew while it was read" in text
    assert "pipe: skipped, a FIFO" in text


def test_no_timing_and_the_same_bytes_again(source):
    later = make_run()
    later["timing"] = {"stages": [], "total_seconds": 999.0, "peak_memory_mb": 1.0}
    chunked = {
        n: pa.concat_tables([t.slice(i, 1) for i in range(len(t))]) if len(t) else t
        for n, t in make_tables().items()
    }
    assert render_html(chunked, later) == source


def test_island_offsets_cut_the_texts(page):
    island = data(page)
    by_title = {g["anchor"]: g for g in island["groups"]}
    harbour = by_title["group-g-harbour"]
    assert harbour["pair"] == [0, 1]
    for a, b, a_start, a_end, b_start, b_end, *_ in harbour["matches"]:
        left, right = (island["texts"][harbour["choices"][n]["text"]] for n in (a, b))
        assert left[a_start:a_end] == right[b_start:b_end]
    chinese = by_title["group-g-.3c.zh.3e."]
    assert chinese["matches"] == []
    assert chinese["pair"] == [0, 1], "falls back on passages"
    assert len(chinese["passages"][0][1]) == 2
    assert {len(t) for t in island["texts"]} <= {len(t) for t in TEXTS.values()}


def test_evidence_stands_in_its_sentence(source):
    assert "<mark>PORT LINDQVIST (AP)</mark> — The harbour of Port Lindqvist" in source
    assert "<mark>【新华社】</mark>" in source


def test_permalinks(page):
    ids = {a["id"] for _, a in page.tags if a.get("id")}
    assert {"sources", "passages", "groups", "group-g-harbour", "group-g-.3c.zh.3e."} <= ids
    fragments = {a["href"][1:] for t, a in page.tags if t == "a" and a["href"].startswith("#")}
    assert fragments <= ids


def test_ids_are_unique_and_labels_complete(page):
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    headings = [int(t[1]) for t, _ in page.tags if re.fullmatch("h[1-6]", t)]
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    for tag, attributes in page.tags:
        if tag == "svg":
            assert "aria-hidden" in attributes or attributes.get("role") == "img"
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")


def test_quotes_outside_groups_and_near_misses(page):
    text = words(page)
    assert "1 pair of articles share quoted words but no narrative" in text
    assert "Nobody will stand on that bridge" in text
    assert "min_information 47 < 50" in text


def test_cuts_are_said():
    page = Page(render_html(make_tables(), make_run(), top_groups=1, top_passages=1))
    text = words(page)
    assert "Showing 1 of 3 groups" in text
    assert "Showing 1 of 4 stories" in text
    assert len(data(page)["groups"]) == 1


def test_text_budget(monkeypatch):
    monkeypatch.setattr(view_groups, "TEXT_BUDGET", 700)
    page = Page(render_html(make_tables(), make_run()))
    assert sum(map(len, data(page)["texts"])) <= 700
    assert "texts of this group are not in this page" in words(page)


def test_a_long_text_is_cut(monkeypatch):
    monkeypatch.setattr(view_groups, "TEXT_LENGTH", 100)
    island = data(Page(render_html(make_tables(), make_run())))
    assert island["cut"]
    assert max(map(len, island["texts"])) == 100
    assert all(max(m[2], m[4]) < 100 for g in island["groups"] for m in g["matches"])


def test_without_texts():
    tables = make_tables()
    del tables["texts"]
    page = Page(render_html(tables, make_run()))
    assert "without texts (--no-texts)" in words(page)
    assert data(page)["texts"] == []
    assert "Freight worth about 40 million" in words(page), "passages are there"


def test_empty_run_and_bare_run_json():
    page = Page(render_html(empty_tables(), {}))
    assert "No articles were read" in words(page)
    assert data(page)["groups"] == []


def test_incomplete_input_is_said_first():
    page = Page(render_html(make_tables(), make_run(incomplete="gzip ends early")))
    text = words(page)
    assert "Incomplete input." in text
    assert text.index("gzip ends early") < text.index("62.5 %", text.index("What these"))


def test_groups_without_a_title_are_known_by_their_passage():
    tables = make_tables()
    articles = tables["articles"]
    index = articles.schema.get_field_index("title")
    tables["articles"] = articles.set_column(index, "title", articles.column("byline"))
    source = render_html(tables, make_run())
    assert '<h3><bdi dir="auto">The harbour of Port Lindqvist will close' in source


def test_best_ranked_and_largest_groups_are_chosen():
    # Rows by rank: 0 is the best ranked, 3 the largest.
    assert view_groups._chosen([0, 1, 2, 3], [2, 2, 2, 9], 2) == [(1, 0), (4, 3)]
    assert view_groups._chosen([2, 0, 1], [1, 1, 1], 9) == [(1, 2), (2, 0), (3, 1)]


def test_visible_keeps_every_character_in_its_place():
    text = "a\x00b\x1b[31m\r\nc\rd\x85\x9f\u202e\u2067\x7f\ud800🌊"
    shown = visible(text)
    assert len(shown) == len(text)
    assert shown == "a␀b␛[31m \nc\nd\n␦␦␦␡\ufffd🌊"
    assert visible(HOSTILE_TITLE).isprintable()
    assert one_line("x" * 10, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://a.example/x?y=1&z=%20", True),
        ("http://a.example", True),
        ("HTTPS://A.EXAMPLE", True),
        ("https://例え.example/ü", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//a.example", False),
        ("https:/a", False),
        ("http://[", False),
        ('https://a.example/" onclick="x', False),
        ("https://a.example/\u202egpj", False),
        ("file:///etc/passwd", False),
        ("", False),
        (None, False),
    ],
)
def test_safe_url(url, good):
    assert safe_url(url) == (url if good else None)


def test_anchor_and_island():
    assert anchor("a b/<ü>") == "a.20.b.2f..3c..fc..3e."
    text = island({"x": "</script>\u2028&\u2029<!--"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"x": "</script>\u2028&\u2029<!--"}
