"""Outlet identities, and the lists of agencies and outlets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.agencies import Strictness, load
from dedup.errors import SettingsError
from dedup.outlets import host_of, outlet_identity

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("outlet", "url", "expected"),
    [
        # The address decides: the field is often a section or a columnist.
        ("Ezra Klein", "http://www.npr.org/blogs/x", ("npr.org", "NPR")),
        (
            "New York Times - News",
            "https://www.nytimes.com/a",
            ("nytimes.com", "The New York Times"),
        ),
        (None, "https://regional.kompas.com/read/1", ("kompas.com", "Kompas.com")),
        (None, "http://www.bbc.co.uk/news", ("bbc.com", "BBC")),
        (None, "https://abcnews.go.com/Politics", ("abcnews.go.com", "ABC News")),
        (None, "https://apnews.com/article/1", ("apnews.com", "Associated Press")),
        (None, "https://www.smh.com.au/a", ("smh.com.au", "smh.com.au")),
        (None, "https://someone.substack.com/p/1", ("someone.substack.com",) * 2),
        (None, "http://10.0.0.1/x", ("10.0.0.1",) * 2),
        (None, "www.kompas.com/read", ("kompas.com", "Kompas.com")),
        # Aggregators and reserved names say nothing.
        ("The Hill", "https://news.google.com/articles/1", ("thehill.com", "The Hill")),
        ("Site A", "https://example.com/1", ("site-a", "Site A")),
        (None, "https://t.co/abc", None),
        # The name alone.
        ("kompas.com", None, ("kompas.com", "Kompas.com")),
        ("Reuters", None, ("reuters.com", "Reuters")),
        ("The  Daily   Planet!", None, ("the-daily-planet", "The Daily Planet!")),
        ("조선 신문", None, ("조선-신문", "조선 신문")),
        ("हिन्दी समाचार", None, ("हिन्दी-समाचार", "हिन्दी समाचार")),
        ("—", None, None),
        (None, None, None),
        ("", "", None),
        ("Planet", "http://[broken", ("planet", "Planet")),
        ("Planet", "not an address", ("planet", "Planet")),
    ],
)
def test_outlet_identity(
    outlet: str | None, url: str | None, expected: tuple[str, str] | None
) -> None:
    assert outlet_identity(outlet, url) == expected


def test_packaged_lists() -> None:
    agencies = load()
    kinds = {kind: sum(a.kind == kind for a in agencies) for kind in ("agency", "press-release")}
    assert kinds["agency"] >= 120
    assert kinds["press-release"] >= 10
    assert agencies.name("ap") == "Associated Press"
    assert agencies.kind("prnewswire") == "press-release"
    assert agencies.kind("planet.example") == "outlet"
    assert agencies.kind("unknown") == "unknown"
    assert agencies.own_sources("apnews.com") == {"apnews.com", "ap"}
    assert agencies.own_sources("planet.example") == {"planet.example"}
    assert agencies.own_sources(None) == frozenset()
    assert all(a.aliases or a.cased or a.ambiguous for a in agencies)


def test_entries_that_bundled_several_agencies_are_split() -> None:
    ids = {a.id for a in load()}
    assert {"fars", "tasnim", "mehr", "isna", "unian", "unn", "sita", "mediafax"} <= ids
    assert {"beta_rs", "fonet", "estadao", "folhapress", "dha", "iha"} <= ids


def test_common_words_are_no_distinctive_names() -> None:
    strictness = {alias.text: alias.strictness for alias in load().aliases}
    for word in ("Antara", "Hina", "PA", "MAP", "Petra", "TT", "共同", "時事", "时事", "The Hill"):
        assert strictness[word] is Strictness.AMBIGUOUS


def test_a_user_file_adds_and_replaces(tmp_path: Path) -> None:
    extra = tmp_path / "mine.toml"
    extra.write_text(
        '[[agency]]\nid = "xyz"\nname = "XYZ Wire"\naliases = ["XYZ Wire"]\n'
        '[[outlet]]\nid = "thehill.com"\nname = "Hill"\n',
        encoding="utf-8",
    )
    agencies = load(extra)
    assert agencies.kind("xyz") == "agency"
    assert agencies.name("thehill.com") == "Hill"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[agency]\n", "mine.toml: not valid TOML"),
        ("[[firm]]\n", "mine.toml: unknown table 'firm'"),
        ("agency = 3\n", "mine.toml: 'agency' must be a list"),
        ('[[agency]]\nname = "X"\n', "mine.toml: agency 1 ('no id'): 'id'"),
        ('[[agency]]\nid = "x"\nname = "X"\nalias = []\n', "agency 1 ('x'): unknown key 'alias'"),
        ('[[agency]]\nid = "x"\nname = "X"\naliases = "X"\n', "agency 1 ('x'): 'aliases'"),
        (
            '[[agency]]\nid = "x"\nname = "X"\naliases = ["X"]\n',
            "agency 1 ('x'): 'X' in 'aliases' is too short",
        ),
        ('[[agency]]\nid = "x"\nname = "X"\nkind = "blog"\n', "agency 1 ('x'): kind 'blog'"),
        ('[[agency]]\nid = "x"\nname = "X"\n' * 2, "agency 2 ('x'): id occurs twice"),
    ],
)
def test_a_broken_entry_is_named(tmp_path: Path, text: str, message: str) -> None:
    extra = tmp_path / "mine.toml"
    extra.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(extra)
    assert message in str(caught.value)


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    extra = tmp_path / "mine.toml"
    extra.write_text('[[agency]]\nid = "x"\nname = "X"\naliases = ["Reuters"]\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"mine\.toml.*'x'.*'Reuters'.*'reuters'"):
        load(extra)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "missing.toml")


@given(st.from_regex(r"(?i)https?://[a-z0-9.:@\[\]é\t\n %-]{0,12}([/?#].{0,4})?", fullmatch=True))
def test_the_usual_address_is_read_as_the_parser_reads_it(url):
    try:
        parsed = (urlsplit(url.strip()).hostname or "").rstrip(".").lower()
    except ValueError:
        parsed = ""
    assert host_of(url) == parsed
