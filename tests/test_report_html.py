"""The page: one file, a strict policy with true hashes, other people's text inert."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from itertools import pairwise

import pyarrow as pa
import pytest
from report_fixture import HOSTILE_ID, HOSTILE_TITLE, TEXTS, empty_tables, make_run, make_tables
from report_page import Page, strings

from dedup.errors import UsageError
from dedup.report import view_group, view_groups
from dedup.report.chunks import ReportData
from dedup.report.html import (
    content_policy,
    folder_files,
    render_group,
    render_html,
    render_live,
    render_page,
)
from dedup.report.safe import island, one_line, safe_url, visible

CALLS = (
    *("XMLHttpRequest", "innerHTML", "outerHTML", "insertAdjacent", "eval(", "new Function"),
    *("document.write", 'setTimeout("', "srcdoc"),
)
"""What the page's own program must not do."""


@pytest.fixture(scope="module")
def source() -> str:
    return render_html(make_tables(), make_run())


@pytest.fixture(scope="module")
def page(source) -> Page:
    return Page(source)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def group(page: Page, identity: str) -> dict:
    found = [g for g in page.chunk("group-0")["groups"] if g["id"] == identity]
    assert len(found) == 1
    return found[0]


# --- the policy ---------------------------------------------------------------------------------


def test_policy_hashes_match(page):
    policy = next(a for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    content = policy["content"]
    assert content.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest(page.style)}'" in content
    program, charts = digest(page.program), digest(page.unpacked("program-of-charts"))
    assert f"script-src 'sha256-{program}' 'sha256-{charts}';" in content
    assert "base-uri 'none'; form-action 'none'" in content
    assert "unsafe" not in content
    assert "connect-src" not in content, "a page that was opened from a disk asks for nothing"
    assert content == content_policy()


def test_policies_of_the_folder_and_of_the_service_allow_one_thing_more():
    page, folder, service = (content_policy(m) for m in ("embedded", "files", "service"))
    assert folder.replace(" 'strict-dynamic'", "") == page
    assert service.replace("; connect-src 'self'", "") == page
    assert len({page, folder, service}) == 3


def test_loads_nothing(page):
    for tag, attributes in page.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form", "video", "audio"}
        assert "src" not in attributes
        assert "style" not in attributes, "the policy forbids inline styles"
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert "url(" not in page.style
    assert "@import" not in page.style
    for call in CALLS:
        assert call not in page.program
    assert page.program.count("fetch(") == 1, "for the service alone"


# --- texts of others ----------------------------------------------------------------------------


def test_hostile_texts_are_inert(source, page):
    scripts = [a for t, a in page.tags if t == "script"]
    assert [a for a in scripts if "type" not in a] == [{}], "one program"
    assert {a.get("type") for a in scripts} == {None, "application/json", "text/plain"}
    for text in page.packed.values():
        assert re.fullmatch(r"[A-Za-z0-9+/]+=*", text), "nothing that could end the element"
    assert "<script>alert" not in source
    assert "<img" not in source
    for mark in ("\x00", "\x1b", "\u202e"):
        assert mark not in source
    every = [t for n in page.packed if n != "program-of-charts" for t in strings(page.chunk(n))]
    assert any("onerror=alert(2)" in text for text in every), "shown as text"
    assert any("<script>alert(3)</script>" in text for text in every)
    for mark in ("\x00", "\x1b", "\u202e"):
        assert not any(mark in text for text in every)


def test_addresses_are_of_the_web_or_none(page):
    columns = page.chunk("group-0")["articles"]
    urls = dict(zip(columns["ref"], columns["url"], strict=True))
    assert urls["ap-1"] == "https://ap.example/harbour?a=1&b=2"
    assert urls["herald-3"] is None, "javascript:"
    assert urls[HOSTILE_ID] is None, "data:"
    links = [a["href"] for t, a in page.tags if t == "a"]
    assert links
    assert all(href.startswith("#") for href in links)


# --- what it says -------------------------------------------------------------------------------


def test_the_answer_comes_first(page):
    text = page.words
    assert "62.5 % of 8 articles are somebody else’s text or a repost" in text
    assert "10 records read = 8 articles + 1 repeat + 1 rejected , from 1 file." in text
    assert "max_partners (2): passages compared by representatives only" in text
    assert "dump.jsonl: grew while it was read" in text
    assert "pipe: skipped, a FIFO" in text
    assert text.index("62.5 %", text.index("What these")) < text.index("Groups", 100)


def test_no_timing_and_the_same_bytes_again(source):
    later = make_run()
    later["timing"] = {"stages": [], "total_seconds": 999.0, "peak_memory_mb": 1.0}
    chunked = {
        n: pa.concat_tables([t.slice(i, 1) for i in range(len(t))]) if len(t) else t
        for n, t in make_tables().items()
    }
    assert render_html(chunked, later) == source


def test_offsets_cut_the_texts(page):
    texts = page.chunk("group-texts-0")
    text = dict(zip(texts["ref"], texts["text"], strict=True))
    refs = page.chunk("group-0")["articles"]["ref"]
    harbour = group(page, "g-harbour")
    assert harbour["pair"] == [0, 1]
    assert len(harbour["matches"]) == 5
    for a, b, a_start, a_end, b_start, b_end, *_ in harbour["matches"]:
        left, right = (text[refs[harbour["articles"][n]]] for n in (a, b))
        assert left[a_start:a_end] == right[b_start:b_end]
    chinese = group(page, "g-<zh>")
    assert chinese["matches"] == []
    assert chinese["pair"] == [0, 1], "falls back on passages"
    assert len(chinese["occurrences"][0][1]) == 2
    assert {len(t) for t in texts["text"]} <= {len(t) for t in TEXTS.values()}


def test_evidence_stands_in_its_sentence_and_at_its_place(page):
    (claim,) = group(page, "g-harbour")["evidence"]
    assert claim["text"] == "PORT LINDQVIST (AP)"
    assert claim["after"].startswith(" — The harbour of Port Lindqvist")
    assert TEXTS["ap-1"][claim["start"] : claim["end"]] == claim["text"]
    credit, mention = group(page, "g-<zh>")["evidence"]
    assert (credit["role"], credit["text"]) == ("credit", "【新华社】")
    assert mention["text"] == "交通部表示"


def test_links_lead_to_views(page):
    ids = {a["id"] for _, a in page.tags if a.get("id")}
    fragments = {a["href"][1:].partition("?")[0] for t, a in page.tags if t == "a"}
    assert {"overview", "groups", "passages", "sources", "outlets", "quotes", "run"} <= fragments
    for fragment in fragments - {"main", "rejected"}:
        assert f"view-{fragment}" in ids
    assert {"main", "rejected"} <= ids


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
    assert json.loads(page.about)["quotes"]["total"] == 1
    (pair,) = page.chunk("quotes")["pairs"]
    assert "Nobody will stand on that bridge" in pair["shared"]
    (near,) = page.chunk("near-misses")["pairs"]
    assert near["missed_by"] == "min_information 47 < 50"
    refs = page.chunk("near-misses")["articles"]["ref"]
    assert (refs[near["a"]], refs[near["b"]]) == ("herald-3", "blog-9")


def test_passages_with_their_outlets_and_times(page):
    cards = page.chunk("passages")
    assert cards["stories"] == 4
    first = cards["cards"][0]
    assert first["text"].startswith("The harbour of Port Lindqvist")
    labels = [cards["articles"]["outlet"][n] for n in first["places"]]
    assert labels == ["AP News", "The Tribune"], "in order of time"
    assert first["group"] == "g-harbour"
    assert [m["kind"] for m in first["more"]] == ["prose", "quote"]


def test_charts_are_counted(page):
    charts = page.chunk("charts")
    assert sum(row["count"] for row in charts["timeline"]["rows"]) == 6
    assert charts["timeline"]["undated"] == 2, "one has no time, one the month only"
    assert sum(row["count"] for row in charts["histogram"]) == 7
    pairs = {(c["row"], c["column"]): c["count"] for c in charts["outlets"]["rows"]}
    assert pairs == {("The Tribune", "AP News"): 1, ("The Herald", "AP News"): 1}
    sources = {(c["row"], c["column"]) for c in charts["sources"]["rows"]}
    assert ("The Herald", "Associated Press") in sources


def test_incomplete_input_is_said_first():
    page = Page(render_html(make_tables(), make_run(incomplete="gzip ends early")))
    text = page.words
    assert "Incomplete input." in text
    assert text.index("gzip ends early") < text.index("62.5 %", text.index("What these"))


# --- what is cut --------------------------------------------------------------------------------


def test_cuts_are_said():
    page = Page(render_html(make_tables(), make_run(), top_groups=1, top_passages=1))
    assert "Listed are 1 of 3 groups" in page.words
    assert len(page.chunk("groups-0")["id"]) == 1
    assert len(page.chunk("group-0")["groups"]) == 1
    passages = page.chunk("passages")
    assert (len(passages["cards"]), passages["stories"]) == (1, 4)


def test_a_page_that_is_full_lists_the_rest(monkeypatch):
    monkeypatch.setattr(view_groups, "BLOCK", 1)
    monkeypatch.setattr("dedup.report.html.BLOCK", 1)
    data = ReportData(make_tables(), make_run())
    whole = render_page(data)
    assert "listed only" not in Page(whole).words
    limit = len(whole.encode()) - 100
    short = render_page(data, limit=limit)
    assert len(short.encode()) <= limit
    page = Page(short)
    held = [name for name in page.packed if re.fullmatch(r"group-\d+", name)]
    assert held
    assert len(held) < 3
    assert len(page.chunk("groups-0")["id"]) == 3, "all are listed"
    assert f"The texts of the first {len(held)} by rank are in this page" in page.words
    assert json.loads(page.about)["blocks"] == len(held)


def test_a_long_text_is_cut(monkeypatch):
    monkeypatch.setattr(view_group, "TEXT_LENGTH", 100)
    page = Page(render_html(make_tables(), make_run()))
    texts = page.chunk("group-texts-0")
    assert max(texts["cut"]) == 1
    assert max(map(len, texts["text"])) == 100
    matches = [m for g in page.chunk("group-0")["groups"] for m in g["matches"]]
    assert matches
    assert all(max(m[2], m[4]) < 100 for m in matches)


def test_without_texts():
    tables = make_tables()
    del tables["texts"]
    page = Page(render_html(tables, make_run()))
    assert "without texts (--no-texts)" in page.words
    assert not [name for name in page.packed if "texts" in name]
    assert all(g["compared"] == [] for g in page.chunk("group-0")["groups"])
    passages = [text for text, _, _ in group(page, "g-harbour")["passages"]]
    assert any("Freight worth about 40 million" in text for text in passages), "they are there"


def test_empty_run_and_bare_run_json():
    page = Page(render_html(empty_tables(), {}))
    assert "No articles were read" in page.words
    assert page.chunk("groups-0")["id"] == []
    assert page.chunk("charts")["timeline"]["rows"] == []


def test_groups_without_a_title_are_known_by_their_passage():
    tables = make_tables()
    articles = tables["articles"]
    index = articles.schema.get_field_index("title")
    tables["articles"] = articles.set_column(index, "title", articles.column("byline"))
    titles = Page(render_html(tables, make_run())).chunk("groups-0")["title"]
    assert titles[0].startswith("The harbour of Port Lindqvist will close")


# --- other pages --------------------------------------------------------------------------------


def test_the_index_of_groups_by_columns(page):
    index = page.chunk("groups-0")
    assert index["id"] == ["g-harbour", "g-arabic", "g-<zh>"]
    assert index["size"] == [3, 2, 2]
    assert [index["source_names"][n] for n in index["source"]][:2] == [
        "Associated Press",
        "Unknown source",
    ]
    names = [[index["outlet_names"][n] for n in own] for own in index["outlets"]]
    assert sorted(names[0]) == ["AP News", "The Herald", "The Tribune"]
    assert index["since"] == ["2021-07-11", "2021-07-12", "2021-07"]
    assert index["flags"][0] == [2, 1, 0, 0, 0, 0]


def test_one_group_as_a_page():
    page = Page(render_group(make_tables(), make_run(), "g-<zh>"))
    assert set(page.packed) == {"program-of-charts", "groups-0", "group-0", "group-texts-0"}
    assert page.chunk("groups-0")["id"] == ["g-<zh>"]
    assert json.loads(page.about)["single"] == "g-<zh>"
    assert "harbour" not in page.words
    with pytest.raises(UsageError, match="no group 'x'; its ids look like 'g-harbour'"):
        render_group(make_tables(), make_run(), "x")


def test_the_live_page_holds_no_data_and_names_where_it_is():
    data = ReportData(make_tables(), make_run())
    page = Page(render_live(data, base="report/data/"))
    assert set(page.packed) == {"program-of-charts"}
    about = json.loads(page.about)
    assert (about["mode"], about["base"]) == ("service", "report/data/")
    for name in ("groups-0", "group-0", "group-texts-0", "charts", "sources-0"):
        assert json.loads(data.chunk(name))
    for name in ("group-1", "group-00", "group--1", "x", "", "groups-٣", "../texts"):
        with pytest.raises(KeyError):
            data.chunk(name)


def test_the_folder_holds_every_chunk():
    data = ReportData(make_tables(), make_run())
    files = dict(folder_files(data))
    page = Page(files.pop("index.html").decode())
    assert json.loads(page.about)["mode"] == "files"
    names = {*data.names_of_views(), *data.names_of_pairs(), "group-0", "group-texts-0"}
    assert set(files) == {f"data/{name}.js" for name in names}
    for path, content in files.items():
        name = path.removeprefix("data/").removesuffix(".js")
        text = re.fullmatch(rf'dedupChunk\("{name}","([A-Za-z0-9+/=]+)"\);\n', content.decode())
        assert gzip.decompress(base64.b64decode(text[1])) == data.chunk(name)


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


def test_island():
    text = island({"x": "</script>\u2028&\u2029<!--"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"x": "</script>\u2028&\u2029<!--"}
