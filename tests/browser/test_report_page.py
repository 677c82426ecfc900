"""The page in a browser: opened from a file, used by hand, silent on the network."""

from __future__ import annotations

import csv
import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from report_fixture import ARABIC, CHINESE, HOSTILE_ID, P1, P2, QUOTE, make_run, make_tables

from dedup.api import Result
from dedup.report.chunks import ReportData
from dedup.report.html import render_group, render_html, render_live

pytestmark = pytest.mark.browser

VIEWS = (
    *(
        "overview",
        "groups",
        "group/g-harbour",
        "group/g-arabic",
        "passages",
        "sources",
        "source/ap",
    ),
    *("outlets", "quotes", "quotes/ap-1/blog-9", "near-misses", "run", "rejected"),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(make_tables(), make_run()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opener(chromium):
    """Opens pages, and sees to it that none of them complained or asked the network."""
    troubles: list[str] = []
    requests: list[str] = []
    contexts = []

    def open_page(url: str, **options):
        context = chromium.new_context(viewport={"width": 1200, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("dialog", lambda d: (troubles.append(f"dialog {d.message}"), d.dismiss()))
        page.on("request", lambda r: requests.append(r.url))
        page.goto(url)
        return page

    yield open_page
    assert troubles == [], "no console error, no dialog, nothing that the policy blocked"
    assert [r for r in requests if not r.startswith(("file:", "data:", "blob:"))] == []
    for context in contexts:
        context.close()


@pytest.fixture
def page(opener, address):
    return opener(address)


def go(page, view: str):
    """Another view, when it is drawn."""
    page.evaluate("hash => { location.hash = hash }", view)
    name = view.partition("/")[0].partition("?")[0]
    section = page.locator(f"#view-{'run' if name == 'rejected' else name}")
    section.wait_for(state="visible")
    section.locator("h1, .walk, .controls").first.wait_for()
    return section


def opened(page, identity: str):
    group = go(page, f"group/{identity}")
    group.locator(".side").first.wait_for()
    return group


def marked(group, side: int) -> list[tuple[str, str]]:
    """``(class, text)`` of each mark of one side."""
    marks = group.locator(".side").nth(side).locator("mark.m").all()
    return [(m.get_attribute("class"), m.text_content()) for m in marks]


def titles(page) -> list[str]:
    return page.locator("#view-groups .card h2").all_text_contents()


def hash_of(page) -> str:
    return page.evaluate("location.hash")


# --- every view ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_and_keeps_its_address(page, address, view):
    section = go(page, view)
    assert page.locator(".view:visible").count() == 1
    assert "could not be shown" not in section.text_content()
    text = section.inner_text()
    page.goto("about:blank")
    page.goto(f"{address}#{view}")
    section.locator("h1, .walk, .controls").first.wait_for()
    page.wait_for_function(
        "([id, text]) => document.getElementById(id).innerText === text",
        arg=[section.get_attribute("id"), text],
    )


def test_an_address_that_leads_nowhere_says_so(page):
    assert "lists no group g-none" in go(page, "group/g-none").text_content()
    assert "lists no source x" in go(page, "source/x").text_content()
    assert "no such pair" in go(page, "quotes/a/b").text_content()
    page.evaluate("location.hash = '#%E0%A4%A'")
    page.locator("#view-overview").wait_for(state="visible")


def test_the_charts_are_drawn(page):
    page.locator("#timeline-host svg .mark-rect path").first.wait_for()
    go(page, "outlets")
    cell = page.locator('#view-outlets svg [aria-roledescription="text mark"]').first
    cell.wait_for()
    cell.click()
    page.locator("#view-groups").wait_for(state="visible")
    assert "outlet=" in hash_of(page)
    run = go(page, "run")
    run.locator("#histogram-host svg .mark-rect path").first.wait_for()
    run.get_by_text("The figures as a table").click()
    cells = run.locator(".figures tbody td.r:last-child").all_text_contents()
    assert sum(map(int, cells)) == 7


def test_the_folder_works_from_the_disk(opener, tmp_path):
    Result(make_tables(), make_run()).write(tmp_path / "out", report="full")
    page = opener((tmp_path / "out" / "report" / "index.html").as_uri())
    page.locator("#timeline-host svg").first.wait_for()
    assert len(marked(opened(page, "g-harbour"), 0)) == 3
    for view in VIEWS:
        assert "could not be shown" not in go(page, view).text_content()


class Service(BaseHTTPRequestHandler):
    """A service as :func:`dedup.report.html.render_live` wants it."""

    data: ReportData
    busy: frozenset[str] = frozenset()

    def do_GET(self):
        name = self.path.removeprefix("/report/data/").removesuffix(".json")
        if name in self.busy:
            self.send_error(503)
            return
        try:
            page = render_live(self.data).encode() if self.path == "/report/" else None
            body = page or self.data.chunk(name)
        except KeyError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if page else "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


def test_a_service_gives_the_data(chromium):
    handler = type("OneRun", (Service,), {"data": ReportData(make_tables(), make_run())})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    troubles: list[str] = []
    page = chromium.new_page()
    page.on("console", lambda m: troubles.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/report/")
        page.locator("#timeline-host svg").first.wait_for()
        assert len(marked(opened(page, "g-harbour"), 0)) == 3
        for view in VIEWS:
            assert "could not be shown" not in go(page, view).text_content()
    finally:
        page.close()
        server.shutdown()
        server.server_close()
    assert troubles == []


def test_what_a_busy_service_refused_is_asked_for_again(chromium):
    values = {"data": ReportData(make_tables(), make_run()), "busy": frozenset({"groups-0"})}
    handler = type("BusyRun", (Service,), values)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.new_page()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/report/#groups")
        page.get_by_text("the service answers 503").wait_for()
        handler.busy = frozenset()
        go(page, "overview")
        go(page, "groups")
        page.locator("#view-groups li.card").first.wait_for()
    finally:
        page.close()
        server.shutdown()
        server.server_close()


def test_one_group_as_a_page(opener, tmp_path):
    path = tmp_path / "group.html"
    path.write_text(render_group(make_tables(), make_run(), "g-<zh>"), encoding="utf-8")
    page = opener(path.as_uri())
    page.locator(".side").first.wait_for()
    assert "港口关闭十一周" in page.locator("#view-group h1").text_content()
    assert page.locator("nav.top").count() == 0


# --- two texts side by side ---------------------------------------------------------------------


def test_spans_are_true_with_emoji(page):
    group = opened(page, "g-harbour")
    expected = [("m c0", P1), ("m c1", P2), ("m quote", QUOTE)]
    assert marked(group, 0) == expected
    assert marked(group, 1) == expected, "behind emoji, that is after surrogate pairs"
    assert "🌊🌊 Storm special 👩‍👩‍👧‍👦" in group.locator(".side").nth(1).text_content()
    assert group.locator(".side .claim").all_text_contents() == ["PORT LINDQVIST (AP)"]


def test_passages_divide_a_long_match(opener, tmp_path):
    tables = make_tables()
    matches = tables["matches"].to_pylist()
    matches[0] |= {"a_end": matches[1]["a_end"] + 1, "b_end": matches[1]["b_end"] + 1}
    del matches[1]
    tables["matches"] = tables["matches"].from_pylist(matches, schema=tables["matches"].schema)
    path = tmp_path / "report.html"
    path.write_text(render_html(tables, make_run()), encoding="utf-8")
    group = opened(opener(path.as_uri()), "g-harbour")
    expected = [("m c0", P1), ("m prose", " "), ("m c1", P2), ("m prose", "\n"), ("m quote", QUOTE)]
    assert marked(group, 0) == expected
    assert marked(group, 1) == expected
    assert group.locator(".side").first.locator("button.n").all_text_contents() == ["1", "2", "3"]


def test_other_scripts(page):
    arabic = opened(page, "g-arabic")
    assert [text for _, text in marked(arabic, 0)] == [ARABIC]
    assert [text for _, text in marked(arabic, 1)] == [ARABIC]
    direction = "e => getComputedStyle(e.querySelector('.words')).direction"
    assert arabic.locator(".side").first.evaluate(direction) == "rtl"
    chinese = opened(page, "g-<zh>")
    for side in (0, 1):
        # By passages alone; what is evidence, too, is a piece of its own.
        assert "".join(text for _, text in marked(chinese, side)) == CHINESE


def test_hostile_texts_are_shown_not_run(page):
    group = opened(page, "g-arabic")
    text = group.locator(".side").nth(1).text_content()
    assert "<script>alert(3)</script> ␦ " in text
    assert "␀ &amp;" in text
    assert "onerror=alert(2)>␦gnp.exe␀␛[31m" in group.locator(".moved").text_content()
    for view in VIEWS:
        go(page, view)
        assert page.locator("img, iframe").count() == 0
        assert page.locator('a[href^="javascript"], a[href^="data"]').count() == 0


def test_a_click_finds_the_counterpart(page):
    group = opened(page, "g-harbour")
    group.locator(".side").first.locator("button.n").nth(1).click()
    assert group.locator(".side").nth(0).locator("mark.on").text_content() == P2
    assert group.locator(".side").nth(1).locator("mark.on").text_content() == P2
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "Shared prose 2, similarity 93 %: go to it on the left"


def test_both_sides_scroll_to_what_was_chosen(page):
    page.set_viewport_size({"width": 390, "height": 500})
    group = opened(page, "g-harbour")
    sides = [group.locator(".side").nth(n) for n in (0, 1)]
    assert [side.evaluate("e => e.scrollTop") for side in sides] == [0, 0]
    sides[0].locator("button.n").nth(2).press("Enter")
    page.wait_for_timeout(300)
    for side in sides:
        assert side.evaluate("e => e.scrollTop") > 0
        mark = side.locator("mark.on").bounding_box()
        box = side.bounding_box()
        assert box["y"] <= mark["y"] < box["y"] + box["height"]


def test_choosing_other_articles(page, address):
    group = opened(page, "g-harbour")
    group.get_by_label("Left article").select_option("2")
    assert marked(group, 0) == [
        ("m boilerplate ignored", "Sign up for our newsletter and never miss a story again.")
    ]
    group.get_by_role("button", name="Swap").click()
    assert group.get_by_label("Left article").input_value() == "1"
    assert group.get_by_label("Right article").input_value() == "2"
    page.goto("about:blank")
    page.goto(f"{address}#group/g-harbour?left=tribune-7&right=herald-3")
    group.locator(".side").first.wait_for()
    assert group.get_by_label("Left article").input_value() == "1"
    group.get_by_label("Left article").select_option("2")
    assert "choose two" in group.locator(".key").text_content()
    group.get_by_text("Pairs and their coverage").click()
    group.get_by_role("button", name="Compare").nth(1).click()
    assert marked(group, 0) == [("m c0", P2)]
    assert group.get_by_label("Right article").input_value() == "2"


def shares(group) -> list[int]:
    return [int(text.split(" %")[0]) for text in group.locator(".share").all_text_contents()]


def letters(*texts: str) -> int:
    return sum(c.isalnum() for text in texts for c in text)


def test_the_switches_count_the_shares_anew(page):
    from report_fixture import FURNITURE, TEXTS

    group = opened(page, "g-harbour")
    whole = [letters(TEXTS[ref]) for ref in ("ap-1", "tribune-7")]
    assert shares(group) == [round(100 * letters(P1, P2, QUOTE) / w) for w in whole]
    group.get_by_label("quotes").uncheck()
    assert shares(group) == [round(100 * letters(P1, P2) / w) for w in whole]
    assert [look for look, _ in marked(group, 0)] == ["m c0", "m c1", "m quote ignored"]
    assert "quotes=0" in hash_of(page)
    group.get_by_label("Left article").select_option("2")
    assert shares(group) == [0, 0], "furniture alone is not counted"
    group.get_by_label("site furniture").check()
    assert shares(group)[1] == round(100 * letters(FURNITURE) / whole[1])
    assert "furniture=1" in hash_of(page)


# --- lists --------------------------------------------------------------------------------------


def test_groups_are_searched_filtered_sorted(page):
    groups = go(page, "groups")
    groups.locator(".card").first.wait_for()
    harbour, arabic, chinese = every = titles(page)
    groups.get_by_label("Search groups").fill("tribune ＨＡＲＢＯＵＲ")
    assert titles(page) == [harbour]
    assert groups.locator(".controls output").text_content() == "1 of 3 groups"
    groups.get_by_label("Search groups").fill("")
    for name, value, expected in (
        ("source", "新华社", [chinese]),
        ("outlet", "The Herald", [harbour]),
        ("flag", "shared", [arabic]),
        ("share", "0.75", [arabic, chinese]),
    ):
        groups.locator(f"[name={name}]").select_option(value)
        assert titles(page) == expected, name
        assert value in page.evaluate("decodeURIComponent(location.hash)")
        groups.locator(f"[name={name}]").select_option("")
    assert titles(page) == every
    groups.locator("[name=since]").fill("2021-07-13")
    assert titles(page) == [harbour, chinese]
    groups.locator("[name=until]").fill("2021-07-05")
    assert titles(page) == [chinese]
    groups.locator("[name=since]").fill("")
    groups.locator("[name=until]").fill("")
    groups.get_by_label("Sort by").select_option("oldest")
    assert titles(page) == [chinese, harbour, arabic]
    groups.get_by_label("Sort by").select_option("size")
    assert titles(page)[0] == harbour


def test_a_filter_stands_in_the_address(page, address):
    go(page, "groups")
    page.get_by_label("Search groups").fill("tribune")
    page.get_by_label("Sort by").select_option("size")
    assert hash_of(page) == "#groups?q=tribune&sort=size"
    page.goto("about:blank")
    page.goto(f"{address}#groups?q=tribune&sort=size")
    page.locator(".card").first.wait_for()
    assert len(titles(page)) == 1
    assert page.get_by_label("Sort by").input_value() == "size"
    page.get_by_label("Search groups").fill("nothing of the kind")
    page.get_by_role("button", name="Clear the filters").click()
    assert len(titles(page)) == 3
    page.locator(".card a").first.click()
    page.locator("#view-group h1").wait_for()
    page.go_back()
    page.locator(".card").first.wait_for()
    assert len(titles(page)) == 3


@pytest.mark.parametrize("kind", ["CSV", "JSON"])
def test_what_is_filtered_is_exported(page, kind):
    groups = go(page, "groups")
    groups.get_by_label("Holds").select_option("partial")
    with page.expect_download() as waiting:
        groups.get_by_role("button", name=kind).click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text))) if kind == "CSV" else json.loads(text)
    assert [row["id"] for row in rows] == ["g-harbour"]
    assert int(rows[0]["partial"]) == 1
    go(page, "near-misses")
    with page.expect_download() as waiting:
        page.locator("#view-near-misses").get_by_role("button", name=kind).click()
    assert waiting.value.suggested_filename == f"near-misses.{kind.lower()}"


def test_a_formula_is_no_formula_in_the_csv(opener, tmp_path):
    tables = make_tables()
    rows = tables["articles"].to_pylist()
    rows[0]["title"] = '=HYPERLINK("http://evil.example","win")'
    tables["articles"] = tables["articles"].from_pylist(rows, schema=tables["articles"].schema)
    path = tmp_path / "report.html"
    path.write_text(render_html(tables, make_run()), encoding="utf-8")
    page = opener(path.as_uri())
    groups = go(page, "groups")
    with page.expect_download() as waiting:
        groups.get_by_role("button", name="CSV").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in [row["title"][:11] for row in csv.DictReader(io.StringIO(text))]


def test_passages_are_searched(page):
    passages = go(page, "passages")
    passages.get_by_label("Search passages").fill("harbour lindqvist")
    assert passages.locator(".controls output").text_content() == "1 of 4 stories"
    assert passages.locator(".passages > li:visible").count() == 1
    passages.get_by_label("Search passages").fill("")
    passages.get_by_label("Kind").select_option("boilerplate")
    assert passages.locator(".passages > li:visible").count() == 1
    passages.get_by_text("Where and when").click()
    assert passages.locator(".places li").count() == 2


def test_a_source_leads_to_its_group(page):
    sources = go(page, "sources")
    sources.get_by_role("link", name="Associated Press").click()
    source = page.locator("#view-source")
    source.locator("mark").first.wait_for()
    assert "Associated Press" in source.locator("h1").text_content()
    source.get_by_role("link", name="Port Lindqvist harbour to close").first.click()
    page.locator("#view-group .side").first.wait_for()


def test_a_pair_outside_the_groups_side_by_side(page):
    quotes = go(page, "quotes")
    quotes.get_by_role("link", name="Compare").click()
    quotes.locator(".side").first.wait_for()
    assert hash_of(page) == "#quotes/ap-1/blog-9"
    assert marked(quotes, 0) == [("m quote", QUOTE)] == marked(quotes, 1)


def test_long_lists_are_paged(opener, tmp_path):
    tables = make_tables()
    groups = tables["groups"].to_pylist()
    passages = tables["passages"].to_pylist()
    many = [{**groups[0], "id": f"g{n:02}", "passages": [f"p-{n}"]} for n in range(60)]
    each = [{**passages[0], "id": f"p-{n}"} for n in range(60)]
    tables["groups"] = tables["groups"].from_pylist(many, schema=tables["groups"].schema)
    tables["passages"] = tables["passages"].from_pylist(each, schema=tables["passages"].schema)
    path = tmp_path / "report.html"
    path.write_text(render_html(tables, make_run()), encoding="utf-8")
    page = opener(path.as_uri())
    for view, items, size in (("passages", ".passages > li", 25), ("groups", ".card", 50)):
        section = go(page, view)
        section.locator(items).first.wait_for()
        assert section.locator(items).count() == size
        section.get_by_role("button", name="Next").click()
        assert section.locator(items).count() == min(size, 60 - size)
        assert hash_of(page) == f"#{view}?page=2"
    page.goto("about:blank")
    page.goto(f"{path.as_uri()}#group/g59")
    page.locator("#view-group .side").first.wait_for()
    page.get_by_role("link", name="Previous").click()
    page.wait_for_function("() => location.hash === '#group/g58'")


def test_a_view_that_is_overtaken_leaves_no_trace(page):
    page.evaluate(
        "for (const h of ['groups', 'group/g-harbour', 'group/g-arabic']) location.hash = h"
    )
    page.locator("#view-group .side").first.wait_for()
    page.wait_for_timeout(300)
    assert hash_of(page) == "#group/g-arabic"
    assert "إغلاق" in page.locator("#view-group h1").text_content()
    assert page.locator("#view-group h1").count() == 1


# --- for everybody ------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 390, 820, 1600])
def test_no_sideways_scrolling(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for view in VIEWS:
        section = go(page, view)
        section.evaluate("e => e.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page, scheme):
    """WCAG AA: 4.5 to 1 for every visible text, computed on what the browser shows."""
    page.emulate_media(color_scheme=scheme)
    for view in VIEWS:
        section = go(page, view)
        section.evaluate("e => e.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(150)
        assert page.evaluate(CONTRAST) == [], view


CONTRAST = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return [...m, 1].slice(0, 4); };
  const linear = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c[3] > .99) return c;
    }
    return [255, 255, 255, 1];
  };
  const bad = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.getClientRects().length) continue;
    if (e.closest('script, svg, .sr, .skip, :disabled')) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...bad];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
    ).Axe()
    page.emulate_media(color_scheme=scheme)
    for view in VIEWS:
        section = go(page, view)
        section.evaluate("e => e.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(150)
        found = [
            (v["id"], [node["html"][:200] for node in v["nodes"]])
            for v in axe.run(page).response["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert found == [], view


def test_every_control_has_a_name(page):
    for view in VIEWS:
        go(page, view)
        nameless = page.evaluate(
            "[...document.querySelectorAll('input, select, button')].filter(e => !("
            "e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())).length"
        )
        assert nameless == 0, view


def test_the_keyboard(page):
    go(page, "groups")
    page.locator(".card").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("gj")
    assert page.get_by_label("Search groups").input_value() == "gj", "letters are letters there"
    page.get_by_label("Search groups").fill("")
    page.locator("#main").focus()
    for key in "jjk":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.locator("#view-group .side").first.wait_for()
    assert hash_of(page) == "#group/g-harbour"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator(".side mark.on").first.text_content() == P2
    page.keyboard.press("]")
    page.wait_for_function("() => location.hash === '#group/g-arabic'")
    page.keyboard.press("o")
    page.locator("#view-overview").wait_for(state="visible")
    page.get_by_role("button", name="Turn keys off").click()
    page.keyboard.press("g")
    assert page.locator("#view-overview").is_visible()


def test_without_javascript_the_answer_and_the_run_are_there(opener, address):
    page = opener(address, java_script_enabled=False)
    text = page.locator("body").inner_text()
    assert "62.5 %" in text
    assert "Without JavaScript" in text
    assert "Settings and versions" in text
    assert page.locator("#view-groups").is_hidden()


def test_it_prints_one_view(page):
    opened(page, "g-harbour")
    page.emulate_media(media="print")
    assert page.locator("nav.top").is_hidden()
    assert page.locator("#view-overview").is_hidden()
    side = page.locator(".side").first
    assert side.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "nothing is cut off"


def test_ids_of_others_are_safe_in_addresses(page):
    go(page, f"group/g-arabic?left={quote(HOSTILE_ID, safe='')}")
    page.locator("#view-group .side").first.wait_for()
    assert page.get_by_label("Left article").input_value() == "1"
