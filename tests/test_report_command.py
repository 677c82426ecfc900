"""``dedup report``: the report again, of all or of a part, in three formats."""

from __future__ import annotations

import shutil
import stat

import pytest
from dumps import ROOT
from report_fixture import HOSTILE_ID, HOSTILE_TITLE, make_run, make_tables
from report_page import shown_texts
from typer.testing import CliRunner

import dedup
from dedup.cli import app
from dedup.excerpt import excerpt, whole
from dedup.report.encode import normalised
from dedup.report.group import group_html, group_markdown, plain
from dedup.report.tables import write_run
from dedup.results import open_results
from dedup.texts import Tables


@pytest.fixture(scope="module")
def places(sample, tmp_path_factory):
    base = tmp_path_factory.mktemp("found")
    for form in ("jsonl", "parquet", "csv"):
        sample.write(base / form, format=form)
    sample.write(base / "bare", texts=False, report=False)
    index = dedup.Index.open(base / "index", create=True)
    index.update(ROOT / "data" / "sample" / "articles.jsonl", report=False)
    return base


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run whose every field is hostile somewhere."""
    out = tmp_path_factory.mktemp("hostile") / "run"
    write_run(out, Tables.of(make_tables()), make_run(), texts=True)
    return open_results(out)


def invoke(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_the_page_of_a_folder_is_the_one_that_scan_wrote(places, form, tmp_path):
    out = tmp_path / "again.html"
    done = invoke(places / form, "--out", out)
    assert done.exit_code == 0, done.output
    assert out.read_text() == (places / form / "report.html").read_text()


def test_the_page_of_an_index_has_its_groups(places, sample, tmp_path):
    out = tmp_path / "index.html"
    assert invoke(places / "index", "--out", out).exit_code == 0
    grouped = [r["title"] for r in sample.articles.to_pylist() if r["group"] and r["title"]]
    assert set(grouped) <= set(shown_texts(out.read_text()))


@pytest.mark.parametrize("place", ["jsonl", "index"])
def test_one_group_in_each_format(places, place, tmp_path):
    results = open_results(places / place)
    group = results.page("groups", "", 1)[0]
    page, text = tmp_path / "g.html", tmp_path / "g.md"
    assert invoke(places / place, "--group", group["id"], "--out", page).exit_code == 0
    assert invoke(places / place, "--group", group["id"], "--out", text).exit_code == 0
    written = text.read_text()
    shown = shown_texts(page.read_text())
    titles = {r["ref"]: r["title"] for r in results.rows("articles", "ref", group["articles"])}
    for ref in group["articles"]:
        assert plain(ref) in written
        assert titles[ref] in shown
    assert written.startswith("# ")


def test_an_excerpt_holds_all_of_a_group_and_nothing_else(places):
    for place in ("jsonl", "index"):
        results = open_results(places / place)
        group = results.page("groups", "", 3)[-1]
        tables, _ = excerpt(results, [group["id"]])
        members = set(group["articles"])
        assert set(tables["articles"]["ref"].to_pylist()) == members
        assert set(tables["passages"]["id"].to_pylist()) == set(group["passages"])
        assert len(tables["texts"]) == len(members)
        every, _ = whole(results)
        wanted = [r for r in every["relations"].to_pylist() if {r["a"], r["b"]} <= members]
        pairs = {(r["a"], r["b"]) for r in wanted}
        assert {(r["a"], r["b"]) for r in tables["relations"].to_pylist()} == pairs
        for name in tables:
            assert tables[name].schema == normalised(name, tables[name]).schema


def test_since_takes_groups_with_a_late_article(places, sample):
    late = "2025-03-01"
    rows = sample.articles.to_pylist()
    wanted = {
        r["group"]
        for r in rows
        if r["group"] and r["published"] and r["published"].date().isoformat() >= late
    }
    assert 0 < len(wanted) < len(sample.groups)
    assert set(open_results(places / "jsonl").groups_since(late)) == wanted
    assert len(open_results(places / "index").groups_since(late)) == len(wanted)


def test_since_and_top_narrow_the_page(places, tmp_path):
    out = tmp_path / "part.html"
    assert invoke(places / "jsonl", "--since", "2025-03", "--top", "2", "--out", out).exit_code == 0
    assert len(out.read_bytes()) < len((places / "jsonl" / "report.html").read_bytes())


def test_a_page_without_texts_says_so(places, tmp_path):
    out = tmp_path / "bare.html"
    assert invoke(places / "bare", "--out", out).exit_code == 0
    assert "--no-texts" in out.read_text() or "without" in out.read_text()


def test_nothing_is_overwritten_unasked(places, tmp_path):
    (out := tmp_path / "a.html").write_text("mine")
    done = invoke(places / "jsonl", "--out", out)
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "a.doc"], "expected an ending"),
        (["--out", "a.md"], "give its id by --group"),
        (["--out", "a.html", "--group", "nobody"], "holds no group 'nobody'"),
        (["--out", "a.md", "--group", ""], "holds no group ''"),
        (["--out", "a.html", "--since", "yesterday"], "expected a date such as"),
        (["--out", "a.html", "--since", "2025-13"], "expected a date such as"),
        (["--out", "a.html", "--since", "2025-02-30"], "expected a date such as"),
    ],
)
def test_errors(places, arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(places / "jsonl", *arguments)
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert list(tmp_path.iterdir()) == []


def test_hostile_texts_are_inert(hostile):
    for group in hostile.page("groups", "", 100):
        tables, _ = excerpt(hostile, [group["id"]])
        page, text = group_html(tables), group_markdown(tables)
        assert "<script" not in page
        assert "<img" not in page
        assert "javascript:" not in page.replace("&#34;", '"').split("<main>")[0]
        assert 'href="javascript' not in page
        assert "\u202e" not in page + text
        assert "\x00" not in page + text
        assert "\x1b" not in page + text
        assert "<script" not in text.replace("\\<", "")
        assert "<img" not in text.replace("\\<", "")
    assert HOSTILE_ID in {r["ref"] for r in hostile.search((), 100)}
    assert HOSTILE_TITLE in {r["title"] for r in hostile.search((), 100)}


def test_markdown_means_nothing_in_other_peoples_texts():
    assert plain("# [a](b) <i> *c* | d\n- e") == r"\# \[a\]\(b\) \<i\> \*c\* \| d \- e"
    assert plain("1. a") == r"1\. a"


def test_a_pdf_needs_a_browser_and_says_which(places, tmp_path, monkeypatch):
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    done = invoke(places / "jsonl", "--group", "g", "--out", tmp_path / "a.pdf")
    assert done.exit_code == 2
    assert "apt install chromium" in " ".join(done.output.split())


def test_a_browser_that_prints_nothing_is_an_error(places, tmp_path, monkeypatch):
    (fake := tmp_path / "chromium").write_text("#!/bin/sh\necho no display >&2\nexit 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CHROMIUM", str(fake))
    group = open_results(places / "jsonl").page("groups", "", 1)[0]["id"]
    done = invoke(places / "jsonl", "--group", group, "--out", tmp_path / "a.pdf")
    assert done.exit_code == 5
    assert "no display" in done.output
    assert not (tmp_path / "a.pdf").exists()


@pytest.mark.browser
def test_a_pdf_is_printed(places, tmp_path):
    if not any(shutil.which(name) for name in ("chromium", "google-chrome", "chrome")):
        pytest.skip("no Chromium")
    group = open_results(places / "jsonl").page("groups", "", 1)[0]["id"]
    out = tmp_path / "a.pdf"
    done = invoke(places / "jsonl", "--group", group, "--out", out)
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF-")


def test_one_group_is_no_list_to_be_cut(places, tmp_path):
    done = invoke(places / "jsonl", "--group", "g", "--top", "2", "--out", tmp_path / "g.html")
    assert done.exit_code == 2
    assert "--top" in done.output
