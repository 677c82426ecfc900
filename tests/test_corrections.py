"""The user's judgements: families of outlets, pairs, sources, words; checked, honoured, shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dumps import write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from oracles import Writer
from test_group import EDGES, N, relations
from test_scan_cli import run

import dedup
from dedup.agencies import load
from dedup.corrections import load_corrections
from dedup.errors import SettingsError
from dedup.families import load_families
from dedup.group import group_nodes


def article(identity: str, sentences: list[str], outlet: str | None = None, **more) -> dict:
    text = "\n\n".join(sentences)
    return {"id": identity, "outlet": outlet or f"{identity}.example", "text": text, **more}


@pytest.fixture
def scan_with(scan_records, tmp_path):
    """Scan records under corrections given as TOML."""

    def scan(records, toml: str):
        (tmp_path / "mine.toml").write_text(toml, encoding="utf-8")
        return scan_records(records, threads=1, corrections=tmp_path / "mine.toml")

    return scan


def entries(result) -> list[dict]:
    return result.run["corrections"]["entries"]


# --- the files ----------------------------------------------------------------------------------

GOOD = """
[[pair]]
a = "one"
b = "two"
same = true
note = "seen both"

[[source]]
article = "one"
source = "ap"

[[family]]
id = "house"
outlets = ["a.example", "Harian Nusa"]

[[never_boilerplate]]
text = "Our correspondent reports."
"""


def test_a_good_file(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    found = load_corrections(tmp_path / "mine.toml", load())
    assert (found.pairs[0].a, found.pairs[0].same, found.pairs[0].note) == (
        "one",
        True,
        "seen both",
    )
    assert found.pairs[0].place == f"{tmp_path / 'mine.toml'}, line 2: pair 1"
    assert found.sources[0].place.endswith("line 8: source 1")
    assert found.families.entries[0].outlets == ("a.example", "harian-nusa")
    assert found.families.entries[0].name == "house"
    assert len(found.digest) == 16


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[[pairs]]\n", "unknown table 'pairs'; known are: pair, source, family"),
        ("pair = 3\n", r"'pair' must be a list of tables, \[\[pair\]\]"),
        ("\n[[pair]]\na='x'\nb='y'\n", r"line 2: pair 1: 'same' must be true"),
        ("[[pair]]\na='x'\nb='x'\nsame=true\n", "are the same article, 'x'; name two"),
        ("[[pair]]\na='x'\nb=1\nsame=true\n", "'b' must be a text"),
        ("[[pair]]\na='x'\nb='y'\nsame=true\nwhy='z'\n", "unknown key 'why'; known are: a, b"),
        (
            "[[pair]]\na='x'\nb='y'\nsame=true\n[[pair]]\na='y'\nb='x'\nsame=false\n",
            r"line 5: pair 2: the pair 'x' and 'y' was judged before .*line 1: pair 1",
        ),
        (
            "".join(
                f"[[pair]]\na='{a}'\nb='{b}'\nsame={same}\n"
                for a, b, same in (("x", "y", "true"), ("y", "z", "true"), ("z", "x", "false"))
            ),
            "line 9: pair 3: 'z' and 'x' are said to be not the same, but other entries",
        ),
        ("[[source]]\narticle='x'\nsource='Reuters'\n", "takes an id; that of 'Reuters' is 'reut"),
        ("[[source]]\narticle='x'\nsource='Some Paper!'\n", "must be the id of an agency"),
        ("[[source]]\nsource='ap'\n", "'article' must be a text that is not empty"),
        ("[[never_boilerplate]]\ntext='…'\n", "holds no letter or digit"),
        ("[[family]]\nid='a'\noutlets=['v.com']\n", "must name two outlets or more"),
        ("[[family]]\nid='a'\noutlets='v.com'\n", "must be a list of names or domains"),
        ("[[family]]\nid='a'\noutlets=['v.com', 'google.com']\n", "'google.com' names no outlet"),
        ("[[pair]\n", "not valid TOML"),
        ("pair = " + 5000 * "[", "not valid TOML"),
    ],
)
def test_bad_files_are_refused_with_their_place(tmp_path, toml, message):
    path = tmp_path / "mine.toml"
    path.write_text(toml)
    with pytest.raises(SettingsError, match=message) as error:
        load_corrections(path, load())
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_corrections(tmp_path / "none.toml", load())


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("reuters", "'reuters' is the id of Reuters; choose another"),
        ("unknown", "'id' must be lower case"),
        ("The House", "'id' must be lower case"),
    ],
)
def test_a_family_has_an_id_of_its_own(tmp_path, identity, message):
    path = tmp_path / "families.toml"
    path.write_text(f'[[family]]\nid = "{identity}"\noutlets = ["a.example", "b.example"]\n')
    with pytest.raises(SettingsError, match=message):
        load_families(path, load())


def test_an_outlet_has_one_family(tmp_path):
    path = tmp_path / "families.toml"
    path.write_text(
        "[[family]]\nid='a'\noutlets=['v.com','y.com']\n"
        "[[family]]\nid='b'\noutlets=['www.y.com','z.com']\n"
    )
    with pytest.raises(SettingsError, match=r"'b': outlet 'y\.com' belongs to family 'a' already"):
        load_families(path, load())
    path.write_text("[[pair]]\n")
    with pytest.raises(SettingsError, match="unknown table 'pair'; known is: family"):
        load_families(path, load())


# --- pairs --------------------------------------------------------------------------------------


def test_a_pair_that_nothing_would_join_is_one_group(scan_with):
    w = Writer("same")
    records = [article(name, w.sentences(8)) for name in ("one", "two", "three")]
    result = scan_with(records, '[[pair]]\na = "two"\nb = "one"\nsame = true\n')
    (group,) = result.groups.to_pylist()
    assert group["core"] == ["one", "two"]
    (relation,) = result.relations.to_pylist()
    assert (relation["relation"], relation["p_copied"], relation["coverage_a"]) == ("copy", 1, 0)
    (entry,) = entries(result)
    assert (entry["applied"], entry["effect"]) == (True, "related by copy")


def test_a_pair_that_is_not_the_same_is_kept_apart(scan_with, scan_records):
    """b stands between a and c; the weaker of its two copies gives way."""
    w = Writer("apart")
    body = w.sentences(12)
    records = [
        article("a", body),
        article("b", [*body[:11], w.sentence()]),
        article("c", [*body[:8], *w.sentences(5)]),
    ]
    (group,) = scan_records(records, threads=1).groups.to_pylist()
    assert group["core"] == ["a", "b", "c"]
    result = scan_with(records, '[[pair]]\na = "a"\nb = "c"\nsame = false\n')
    assert [g["articles"] for g in result.groups.to_pylist()] == [["a", "b"]]
    pairs = {(r["a"], r["b"]) for r in result.relations.to_pylist()}
    assert pairs == {("a", "b"), ("b", "c")}, "only what was judged is no relation"
    assert not [m for m in result.matches.to_pylist() if (m["a"], m["b"]) == ("a", "c")]


def test_equal_texts_cannot_be_told_apart(scan_with):
    body = Writer("equal").sentences(8)
    toml = '[[pair]]\na = "a"\nb = "b"\nsame = false\n'
    result = scan_with([article("a", body), article("b", body)], toml)
    assert result.groups.num_rows == 1
    (entry,) = entries(result)
    assert (entry["applied"], "their texts are equal" in entry["effect"]) == (False, True)


PAIRS = st.sets(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda e: e[0] < e[1]),
    max_size=4,
)


@given(EDGES, PAIRS)
def test_no_group_holds_a_pair_that_is_kept_apart(edges, apart):
    edges = {e: kind for e, kind in edges.items() if e not in apart}
    pairs = np.array(sorted(apart), np.int64).reshape(-1, 2)
    groups = group_nodes(
        N, relations(edges), np.ones(N, int), np.ones(N, bool), None, pairs if apart else None
    )
    before = group_nodes(N, relations(edges), np.ones(N, int), np.ones(N, bool))
    whole = [set(g.core) for g in before]
    for group in groups:
        inside = {*group.core, *group.attached}
        for u, v in apart:
            assert not (u in group.core and v in inside)
            assert not (v in group.core and u in inside)
        assert any(set(group.core) <= core for core in whole), "nothing is joined anew"
    untouched = [core for core in whole if not any(u in core and v in core for u, v in apart)]
    assert all(any(set(g.core) == core for g in groups) for core in untouched)


# --- sources, families, words -------------------------------------------------------------------


def test_the_source_of_a_group(scan_with):
    w = Writer("source")
    wire = w.sentences(9)
    records = [
        article("a", ["OSLO (AP) — " + wire[0], *wire[1:]]),
        article("b", wire),
        article("z", w.sentences(9)),
    ]
    toml = (
        '[[source]]\narticle = "b"\nsource = "reuters"\n'
        '[[source]]\narticle = "a"\nsource = "dpa"\n'
        '[[source]]\narticle = "z"\nsource = "dpa"\n'
        '[[source]]\narticle = "gone"\nsource = "dpa"\n'
    )
    result = scan_with(records, toml)
    (group,) = result.groups.to_pylist()
    assert group["source"]["id"] == "dpa", "of two the first article of the core counts"
    assert group["source"]["confidence"] == 1.0
    assert {e["source"] for e in group["source"]["evidence"]} == {"ap"}, "claims are still shown"
    rows = {a["id"]: a for a in result.articles.to_pylist()}
    assert rows["a"]["source"] == rows["b"]["source"] == "dpa"
    assert "by your correction" in rows["b"]["why"]
    said = {e["says"]: (e["applied"], e["effect"]) for e in entries(result)}
    assert [applied for applied, _ in said.values()] == [False, True, False, False]
    assert "in the core of no group" in said["the source of the group of z is dpa"][1]
    assert "no article gone" in said["the source of the group of gone is dpa"][1]


FAMILY = '[[family]]\nid = "house"\nname = "The House"\noutlets = ["a.example", "b.example"]\n'


def test_sister_papers_repost_and_do_not_syndicate(scan_records, scan_with, tmp_path):
    body = Writer("sisters").sentences(9)
    records = [
        article("a", body, published="2024-03-01"),
        article("b", body, published="2024-03-04"),
        article("c", body, published="2024-03-08"),
    ]
    plain = {a["id"]: a for a in scan_records(records, threads=1).articles.to_pylist()}
    assert plain["b"]["flag"] == plain["c"]["flag"] == "syndicated"
    (tmp_path / "families.toml").write_text(FAMILY)
    declared = scan_records(records, threads=1, families=tmp_path / "families.toml")
    rows = {a["id"]: a for a in declared.articles.to_pylist()}
    assert [rows[n]["flag"] for n in "abc"] == ["earliest", "duplicate", "syndicated"]
    revisions = {(r["a"], r["b"]): r["revision"] for r in declared.relations.to_pylist()}
    assert revisions[("a", "b")] is True
    assert declared.run["families"][0]["outlets"] == ["a.example", "b.example"]
    corrected = scan_with(records, FAMILY)
    same = [table.articles.drop_columns(["file"]) for table in (corrected, declared)]
    assert same[0].equals(same[1])
    assert entries(corrected)[0]["effect"] == "all of its 2 outlets are in this run"
    assert corrected.run["fingerprint"] == declared.run["fingerprint"]
    assert declared.run["fingerprint"] != dedup.Settings().fingerprint()


def test_a_family_says_which_of_its_outlets_are_not_there(scan_with):
    texts = Writer("absent").sentences(3)
    records = [
        article("a", texts[:1], "Valley News", url="https://www.valley.example/1"),
        article("b", texts[1:2], "Harbour News"),
    ]
    toml = (
        '[[family]]\nid = "one"\noutlets = ["Valley News", "Harbour News"]\nnote = "a note"\n'
        '[[family]]\nid = "two"\noutlets = ["c.example", "d.example"]\n'
    )
    one, two = entries(scan_with(records, toml))
    assert one["effect"] == (
        "not in this run: valley-news (articles with an address are known by its domain: name "
        "valley.example for valley-news)"
    )
    assert (one["applied"], one["note"]) == (True, "a note")
    assert one["place"].endswith("mine.toml, line 1: family 1")
    assert (two["applied"], two["effect"]) == (False, "none of its outlets is in this run")


def test_two_texts_are_judged_once(scan_with):
    w = Writer("twice")
    one, other = w.sentences(9), w.sentences(9)
    records = [article("a", one), article("a2", one), article("b", other)]
    toml = '[[pair]]\na = "a"\nb = "b"\nsame = false\n[[pair]]\na = "b"\nb = "a2"\nsame = true\n'
    result = scan_with(records, toml)
    first, second = entries(result)
    assert (first["applied"], second["applied"]) == (True, False)
    assert second["effect"].startswith("the same two texts are judged otherwise before (")
    assert [g["articles"] for g in result.groups.to_pylist()] == [["a", "a2"]]


def test_a_group_of_sister_papers_has_the_house_as_its_source(scan_with):
    body = Writer("house").sentences(9)
    result = scan_with([article("a", body), article("b", body)], FAMILY)
    (group,) = result.groups.to_pylist()
    assert (group["source"]["id"], group["source"]["name"]) == ("house", "The House")
    assert {s["id"]: s["name"] for s in result.sources.to_pylist()} == {"house": "The House"}


def test_the_furniture_of_a_house_is_known_in_all_its_papers(scan_records, scan_with):
    w = Writer("house furniture")
    footer = w.sentence(16)
    records = [
        article(f"n{k}", [*w.sentences(8), footer], outlet=f"{'ab'[k % 2]}.example")
        for k in range(4)
    ]
    for result, kind in (
        (scan_records(records, threads=1), False),
        (scan_with(records, FAMILY), True),
    ):
        (passage,) = [p for p in result.passages.to_pylist() if p["text"] == footer.rstrip(".")]
        assert (passage["kind"] == "boilerplate") is kind
    assert passage["source"]["id"] == "house"


def test_words_that_are_never_boilerplate(scan_records, scan_with):
    w = Writer("never")
    footer = w.sentence(16)
    records = [article(f"n{k}", [*w.sentences(8), footer], outlet="a.example") for k in range(6)]
    toml = f'[[never_boilerplate]]\ntext = "{footer}"\n[[never_boilerplate]]\ntext = "Not there."\n'
    kinds = [
        {p["text"] + ".": p["kind"] for p in result.passages.to_pylist()}[footer]
        for result in (scan_records(records, threads=1), scan_with(records, toml))
    ]
    assert kinds == ["boilerplate", "prose"]
    found = scan_with(records, toml)
    assert [e["applied"] for e in entries(found)] == [True, False]
    assert entries(found)[0]["effect"] == "stands in 6 texts"


def test_corrections_are_shown_and_honoured_by_every_command(tmp_path):
    w = Writer("shown")
    path = write_jsonl(tmp_path / "d.jsonl", [article(n, w.sentences(8)) for n in ("one", "two")])
    (tmp_path / "mine.toml").write_text(
        '[[pair]]\na = "one"\nb = "two"\nsame = true\nnote = "<b>by eye</b>"\n'
        '[[pair]]\na = "one"\nb = "three"\nsame = true\n'
    )
    given = ("--corrections", tmp_path / "mine.toml")
    done = run("scan", path, "--out", tmp_path / "out", *given)
    assert done.returncode == 0
    assert "Corrections: 1 of 2 applied" in done.stdout
    assert "there is no article three in this run" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "one and two are the same" in page
    assert "&lt;b&gt;by eye&lt;/b&gt;" in page
    assert "there is no article three in this run" in page
    flagged = run("flag", path, "--format", "jsonl", *given)
    assert {json.loads(line)["flag"] for line in flagged.stdout.splitlines()} == {"shared"}
    assert "correction not applied: one and three are the same" in flagged.stderr
    filtered = run("filter", path, "--out", tmp_path / "kept.jsonl", *given)
    assert "correction not applied: one and three are the same" in filtered.stderr
    assert filtered.stdout.startswith("2 of 2 records kept."), "neither holds the other's text"
    assert run("flag", path, "--corrections", tmp_path / "none.toml").returncode == 2
