"""The page in a browser: opened from a file, used by hand, silent on the network."""

from __future__ import annotations

import pytest
from report_fixture import ARABIC, CHINESE, P1, P2, QUOTE, make_run, make_tables

from dedup.report.html import render_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(make_tables(), make_run()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    troubles: list[str] = []
    requests: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("dialog", lambda d: (troubles.append(f"dialog {d.message}"), d.dismiss()))
    page.on("request", lambda r: requests.append(r.url))
    page.goto(address)
    yield page
    assert troubles == [], "no console error, no dialog, nothing that the policy blocked"
    assert [r for r in requests if not r.startswith(("file:", "data:"))] == []
    context.close()


def opened(page, anchor: str):
    group = page.locator(f'[id="{anchor}"]')
    group.locator("summary").first.click()
    group.locator(".side").first.wait_for()
    return group


def marked(group, side: int) -> list[tuple[str, str]]:
    """``(class, text)`` of each mark of one side."""
    marks = group.locator(".side").nth(side).locator("mark.m").all()
    return [(m.get_attribute("class"), m.text_content()) for m in marks]


def test_spans_are_true_with_emoji(page):
    group = opened(page, "group-g-harbour")
    expected = [("m c0", P1), ("m c1", P2), ("m quote", QUOTE)]
    assert marked(group, 0) == expected
    assert marked(group, 1) == expected, "behind emoji, that is after surrogate pairs"
    assert "🌊🌊 Storm special 👩‍👩‍👧‍👦" in group.locator(".side").nth(1).text_content()


def test_passages_divide_a_long_match(chromium, tmp_path):
    tables = make_tables()
    matches = tables["matches"].to_pylist()
    matches[0] |= {"a_end": matches[1]["a_end"] + 1, "b_end": matches[1]["b_end"] + 1}
    del matches[1]
    tables["matches"] = tables["matches"].from_pylist(matches, schema=tables["matches"].schema)
    path = tmp_path / "report.html"
    path.write_text(render_html(tables, make_run()), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    group = opened(page, "group-g-harbour")
    expected = [("m c0", P1), ("m prose", " "), ("m c1", P2), ("m prose", "\n"), ("m quote", QUOTE)]
    assert marked(group, 0) == expected
    assert marked(group, 1) == expected
    assert group.locator(".side").first.locator("button.n").all_text_contents() == ["1", "2", "3"]
    page.close()


def test_a_source_opens_by_its_link_and_leads_to_its_group(page):
    page.locator("#sources table a").first.click()
    source = page.locator("details.source[open]")
    assert source.count() == 1
    assert "Associated Press" in source.locator("summary").text_content()
    assert source.locator("mark").first.is_visible()
    source.locator('a[href="#group-g-harbour"]').first.click()
    page.locator('[id="group-g-harbour"] .side').first.wait_for()


def test_other_scripts(page):
    arabic = opened(page, "group-g-arabic")
    assert [text for _, text in marked(arabic, 0)] == [ARABIC]
    assert [text for _, text in marked(arabic, 1)] == [ARABIC]
    direction = "e => getComputedStyle(e.querySelector('.words')).direction"
    assert arabic.locator(".side").first.evaluate(direction) == "rtl"
    chinese = opened(page, "group-g-.3c.zh.3e.")
    for side in (0, 1):
        assert [text for _, text in marked(chinese, side)] == [CHINESE], "by passages alone"


def test_hostile_texts_are_shown_not_run(page):
    group = opened(page, "group-g-arabic")
    text = group.locator(".side").nth(1).text_content()
    assert "<script>alert(3)</script> ␦ " in text
    assert "␀ &amp;" in text
    assert page.locator("img, iframe").count() == 0
    assert page.locator('a[href^="javascript"], a[href^="data"]').count() == 0


def test_a_click_finds_the_counterpart(page):
    group = opened(page, "group-g-harbour")
    group.locator(".side").first.locator("button.n").nth(1).click()
    assert group.locator(".side").nth(0).locator("mark.on").text_content() == P2
    assert group.locator(".side").nth(1).locator("mark.on").text_content() == P2
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "Shared prose 2, similarity 93 %: go to it on the left"


def test_the_counterpart_scrolls_into_view(page):
    page.set_viewport_size({"width": 390, "height": 500})
    group = opened(page, "group-g-harbour")
    right = group.locator(".side").nth(1)
    assert right.evaluate("e => e.scrollTop") == 0
    group.locator(".side").first.locator("button.n").nth(2).press("Enter")
    page.wait_for_timeout(800)
    assert right.evaluate("e => e.scrollTop") > 0
    mark = right.locator("mark.on").bounding_box()
    box = right.bounding_box()
    assert box["y"] <= mark["y"] < box["y"] + box["height"]


def test_choosing_other_articles(page):
    group = opened(page, "group-g-harbour")
    group.get_by_label("Left article").select_option("2")
    assert marked(group, 0) == [
        ("m boilerplate", "Sign up for our newsletter and never miss a story again.")
    ]
    group.get_by_role("button", name="Swap").click()
    assert group.get_by_label("Left article").input_value() == "1"
    assert group.get_by_label("Right article").input_value() == "2"
    group.get_by_label("Left article").select_option("2")
    assert "choose two" in group.locator(".key").text_content()
    group.get_by_text("Pairs and their coverage").click()
    group.get_by_role("button", name="Compare").nth(1).click()
    assert marked(group, 0) == [("m c0", P2)]
    assert group.get_by_label("Right article").input_value() == "2"


def test_groups_are_searched_filtered_sorted(page):
    shown = "[...document.querySelectorAll('.group')].filter(g => !g.hidden).map(g => g.id)"
    every = ["group-g-harbour", "group-g-arabic", "group-g-.3c.zh.3e."]
    assert page.evaluate(shown) == every
    page.get_by_label("Search groups").fill("tribune ＨＡＲＢＯＵＲ")
    assert page.evaluate(shown) == every[:1]
    assert page.locator("#group-count").text_content() == "1 of 3 groups"
    page.get_by_label("Search groups").fill("")
    page.locator("#group-source").select_option("xinhua")
    assert page.evaluate(shown) == every[2:]
    page.locator("#group-source").select_option("")
    page.locator("#group-flag").select_option("shared")
    assert page.evaluate(shown) == every[1:2]
    page.locator("#group-flag").select_option("")
    page.locator("#group-sort").select_option("date")
    assert page.evaluate(shown) == [every[2], every[0], every[1]]
    page.locator("#group-sort").select_option("size")
    assert page.evaluate(shown)[0] == every[0]


def test_passages_are_searched(page):
    page.get_by_label("Search passages").fill("harbour lindqvist")
    assert page.locator("#passage-count").text_content() == "1 of 4 stories"
    assert page.locator("#passage-list > li:visible").count() == 1
    page.get_by_label("Search passages").fill("")
    page.locator("#passage-kind").select_option("boilerplate")
    assert page.locator("#passage-list > li:visible").count() == 1


def test_long_lists_show_their_first(chromium, tmp_path):
    tables = make_tables()
    groups = tables["groups"].to_pylist()
    passages = tables["passages"].to_pylist()
    many = [{**groups[0], "id": f"g{n:02}", "passages": [f"p-{n}"]} for n in range(60)]
    each = [{**passages[0], "id": f"p-{n}"} for n in range(60)]
    tables["groups"] = tables["groups"].from_pylist(many, schema=tables["groups"].schema)
    tables["passages"] = tables["passages"].from_pylist(each, schema=tables["passages"].schema)
    path = tmp_path / "report.html"
    path.write_text(render_html(tables, make_run()), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    for name, items, first in (("passage", "#passage-list > li", 25), ("group", ".group", 50)):
        visible = page.locator(f"{items}:visible")
        assert visible.count() == first
        page.get_by_label(f"Search {name}s").fill("harbour")
        assert visible.count() == 60
        page.get_by_label(f"Search {name}s").fill("")
        assert visible.count() == first
        page.locator(f"#{name}-all").click()
        assert visible.count() == 60
        assert page.locator(f"#{name}-all").is_hidden()
    page.goto(f"{path.as_uri()}#group-g59")
    page.reload()
    assert page.locator('[id="group-g59"] .side').first.is_visible(), "beyond the first 50"
    page.close()


def test_permalink_opens_a_group_even_when_filtered(page, address):
    page.goto(f"{address}#group-g-.3c.zh.3e.")
    page.reload()
    chinese = page.locator('[id="group-g-.3c.zh.3e."]')
    assert chinese.get_attribute("open") is not None
    assert len(marked(chinese, 0)) == 1
    page.get_by_label("Search groups").fill("tribune")
    page.evaluate("location.hash = '#group-g-arabic'")
    page.locator('[id="group-g-arabic"] .side').first.wait_for()
    assert page.get_by_label("Search groups").input_value() == ""


@pytest.mark.parametrize("width", [320, 390, 820, 1600])
def test_no_sideways_scrolling(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, "group-g-harbour")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page, scheme):
    """WCAG AA: 4.5 to 1 for every visible text, computed on what the browser shows."""
    page.emulate_media(color_scheme=scheme)
    opened(page, "group-g-harbour")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate("document.querySelectorAll('.group').forEach(g => g.open = true)")
    assert page.evaluate(CONTRAST) == []


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
    if (e.closest('script, .sr, .skip')) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...bad];
}"""


def test_every_control_has_a_name_and_takes_the_keyboard(page):
    opened(page, "group-g-harbour")
    nameless = page.evaluate(
        "[...document.querySelectorAll('input, select, button')].filter(e => !(e.labels?.length"
        " || e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert nameless == 0
    summary = page.locator('[id="group-g-arabic"] > summary')
    summary.focus()
    page.keyboard.press("Enter")
    page.locator('[id="group-g-arabic"] .side').first.wait_for()
