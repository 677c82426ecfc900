"""The summary and the comparison in a terminal and in a pipe."""

from __future__ import annotations

import io
from pathlib import Path

from report_fixture import TEXTS, empty_tables, make_run, make_tables
from rich.console import Console

from dedup.model import Match
from dedup.report.terminal import compare_view, summary


def shown(view, *, terminal: bool = False, width: int = 100) -> str:
    file = io.StringIO()
    Console(file=file, force_terminal=terminal, width=width, highlight=False).print(
        view, crop=False
    )
    return file.getvalue()


def test_summary_answers_first():
    lines = shown(summary(make_tables(), make_run(incomplete="gzip ends early"), Path("/x/out")))
    first, *rest = lines.splitlines()
    assert first == "8 articles; 3 (37.5 %) are syndicated, 1 partial, 1 duplicate; 3 groups."
    rest = "\n".join(rest)
    assert "Associated Press  agency" in rest
    assert "Port Lindqvist harbour to close" in rest
    assert "incomplete: dump.jsonl: gzip ends early" in rest
    assert "1 record was rejected" in rest
    assert "Written to: /x/out" in rest


def test_summary_names_the_report(tmp_path):
    (tmp_path / "report.html").write_text("")
    text = shown(summary(make_tables(), make_run(), tmp_path), width=20)
    assert f"Report: {tmp_path}/report.html" in text, "one line, to be copied"


def test_a_narrow_terminal_cuts_names_only():
    text = shown(summary(make_tables(), make_run(), None), width=44)
    assert "articles  group" in text
    assert "Port Lin" in text


def test_groups_without_a_title_are_known_by_their_passage():
    tables = make_tables()
    index = tables["articles"].schema.get_field_index("title")
    tables["articles"] = tables["articles"].set_column(
        index, "title", tables["articles"].column("byline")
    )
    assert "The harbour of Port Lindqvist will close" in shown(summary(tables, make_run(), None))


def test_summary_of_nothing():
    assert "No articles were read." in shown(summary(empty_tables(), {}, None))


def test_hostile_titles_cannot_steer_the_terminal():
    tables = make_tables()
    titles = tables["articles"].column("title").to_pylist()
    titles[0] = "[bold red]x[/]\x1b]0;owned\x07[link=http://evil]y"
    index = tables["articles"].schema.get_field_index("title")
    tables["articles"] = tables["articles"].set_column(index, "title", [titles])
    text = shown(summary(tables, make_run(), None), width=200)
    assert "[bold red]x[/]␛]0;owned␇" in text
    assert "\x1b" not in text
    assert "\x07" not in text


MATCHES = [
    Match(0, 19, 0, 10, 0.91234, "prose"),
    Match(20, 60, 10, 30, 0.5, "quote"),
]


def test_compare_in_a_pipe_is_plain():
    text = shown(compare_view(TEXTS["ap-1"], TEXTS["tribune-7"], MATCHES, ("a.txt", "b.txt")))
    assert text.startswith("a.txt and b.txt share 1 prose passage and 1 quote passage.\n")
    assert "prose, similarity 0.91\na.txt [0:19]: PORT LINDQVIST (AP)\n" in text
    assert not any(c in text for c in "─│━┃\x1b")


def test_compare_in_a_terminal_is_side_by_side():
    view = compare_view(TEXTS["ap-1"], TEXTS["tribune-7"], MATCHES, ("a.txt", "b.txt"))
    text = shown(view, terminal=True)
    assert "0.91" in text
    assert any("LINDQVIST" in line and "🌊" in line for line in text.splitlines())


def test_compare_nothing():
    assert shown(compare_view("a", "b", [], ("a.txt", "[b].txt"))) == (
        "a.txt and [b].txt share nothing.\n"
    )
