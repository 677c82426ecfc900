"""Why two articles are related, or are not: the rules say what the stages did."""

from __future__ import annotations

import html
import itertools
import json
import string

import numpy as np
import pytest
from dumps import ROOT, write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from report_fixture import HOSTILE_TITLE
from typer.testing import CliRunner

import dedup
from dedup.candidates import find_candidates
from dedup.cli import app
from dedup.collection import as_texts, collect
from dedup.errors import InputError, UsageError
from dedup.explain import explain
from dedup.kinds import KnownKinds
from dedup.nearness import nearest_pairs
from dedup.report.explained import explain_page
from dedup.report.page import marked
from dedup.results import explain_articles, open_results

SENTENCES = [
    "The harbour authority of Wexmouth closed the northern basin on Monday for eleven weeks.",
    "Divers had found that the autumn storms undercut three piers of the swing bridge.",
    "Freight worth forty million crowns a week goes by rail through the Halden tunnel.",
    "Fishermen from Orlund demanded compensation from the ministry of transport in Bergby.",
    "An orchestra of retired dentists gave its yearly concert in the botanical garden.",
    "The museum bought a clock that once belonged to the astronomer Ingrid Solheim.",
]
NOTHING = {"relation": None, "near_miss": None, "groups": [], "caps": []}


@pytest.fixture(scope="module")
def places(sample, tmp_path_factory):
    """The sample as the folder of a scan in three formats, and as an index."""
    base = tmp_path_factory.mktemp("found")
    for form in ("jsonl", "parquet", "csv"):
        sample.write(base / form, format=form, report=False)
    sample.write(base / "bare", texts=False, report=False)
    index = dedup.Index.open(base / "index", create=True)
    index.update(ROOT / "data" / "sample" / "articles.jsonl", report=False)
    return base


def pairs(sample, relation):
    rows = sample.relations.to_pylist()
    return [(r["a"], r["b"]) for r in rows if r["relation"] == relation and not r["revision"]]


def row(name, text, **more):
    empty = dict.fromkeys(("outlet", "published", "title", "byline", "url", "group"))
    return {
        **empty,
        "id": name,
        "ref": name,
        "digest": dedup.model.text_digest(text),
        "file": "",
        "position": "",
        "precision": "unknown",
        "published_raw": None,
        "language": None,
        "issues": [],
        **more,
    }


def explained(one, two, **more):
    a, b = row("a", one, **more), row("b", two, **more)
    none = KnownKinds.of([])
    return explain((a, one), (b, two), dedup.Settings(), kinds=none, passages={}, recorded=NOTHING)


@pytest.mark.parametrize("relation", ["copy", "partial", "quote"])
def test_the_rules_agree_with_what_the_run_lists(places, sample, relation):
    results = open_results(places / "jsonl")
    chosen = pairs(sample, relation)[:4]
    assert chosen
    for a, b in chosen:
        found = explain_articles(results, a, b)
        assert found.label.relation == relation
        assert f"lists them as '{relation}'" in found.verdict
        rules = {rule.asks.split(" (")[0]: rule.passed for rule in found.rules}
        assert rules["probability that anything but furniture is shared"]
        assert rules["probability that narrative was copied"] == (relation != "quote")
        copied = rules["the same for a copy"] and rules["probability that narrative was copied"]
        assert copied == (relation == "copy")
        recorded = found.recorded["relation"]
        assert found.label.p_copied == pytest.approx(recorded["p_copied"], abs=1e-6)
        assert found.label.p_shared == pytest.approx(recorded["p_shared"], abs=1e-6)


def test_folders_of_all_formats_and_an_index_say_the_same(places, sample):
    a, b = pairs(sample, "copy")[0]
    names = ("jsonl", "parquet", "csv", "index")
    found = [explain_articles(open_results(places / n), a, b).as_dict() for n in names]
    for one in found:
        one["recorded"]["relation"].pop("score")  # an index keeps none
        for side in ("a", "b"):
            one[side].pop("file")
            # Ids of groups are an index's own.
            one[side].pop("group")
        one["recorded"]["groups"] = len(one["recorded"]["groups"])
    assert all(one == found[0] for one in found)


def test_turning_the_pair_turns_the_answer(places, sample):
    results = open_results(places / "jsonl")
    a, b = pairs(sample, "partial")[0]
    one, two = explain_articles(results, a, b), explain_articles(results, b, a)
    assert one.rules == two.rules
    assert one.label.narrative_a == two.label.narrative_b
    assert one.label.coverage_a == two.label.coverage_b
    spans = [(s.a_start, s.a_end, s.b_start, s.b_end) for s in one.spans]
    turned = [(s.b_start, s.b_end, s.a_start, s.a_end) for s in two.spans]
    assert sorted(spans) == sorted(turned)


def long_texts(common):
    """Two long texts of made-up words that have one sentence in common."""
    every = itertools.product(string.ascii_lowercase, repeat=4)
    words = ["".join(letters) for letters in itertools.islice(every, 0, None, 97)]
    return [
        " ".join(f"The {' '.join(part[k : k + 9])} came." for k in range(0, 270, 9)) + f" {common}"
        for part in (words[:270], words[1000:1270])
    ]


def test_two_that_were_never_compared_are_told_by_the_filter():
    found = explained(" ".join(SENTENCES[:3]), " ".join(SENTENCES[3:]))
    assert not found.compared
    assert "never compared" in found.verdict
    assert "bands of MinHash" in found.verdict
    assert found.label.relation == "none"


def test_too_little_in_common_is_told_with_the_number():
    # One short sentence of two long texts holds less information than a pair of articles needs.
    common = "Fishermen from Orlund demanded compensation."
    one, two = long_texts(common)
    found = explained(one, two)
    assert not found.compared
    rule = next(r for r in found.rules if r.unit == "bits")
    assert 0 < rule.value < rule.threshold
    assert "information of all alike passages" in found.verdict


def test_short_passages_are_never_looked_for():
    found = explained("He said no. She said yes.", "He said no. They went home.")
    assert found.rules[0].value == 0
    assert not found.rules[0].passed
    assert not found.compared


def test_one_text_needs_no_comparison():
    found = explained(SENTENCES[0], SENTENCES[0])
    assert found.same_text
    assert "exactly the same text" in found.verdict


def test_a_span_left_out_says_why():
    # Names that everybody strings together alike.
    one, two = long_texts("Orlund Bergby Wexmouth Halden Solheim.")
    dropped = [s.dropped_by for s in explained(one, two).spans if s.kind is None]
    assert dropped
    assert all("min_" in reason for reason in dropped)


def test_terms_add_up_to_the_probability(places, sample):
    a, b = pairs(sample, "partial")[0]
    label = explain_articles(open_results(places / "jsonl"), a, b).label
    total = sum(label.terms["p_copied"].values())
    assert 1 / (1 + np.exp(-total)) == pytest.approx(label.p_copied, abs=1e-3)


def test_the_furniture_of_the_corpus_is_known(places, sample):
    found = [
        explain_articles(open_results(places / "jsonl"), a, b)
        for a, b in pairs(sample, "boilerplate")[:5]
    ]
    assert found
    kinds = {span.kind for one in found for span in one.spans}
    assert "boilerplate" in kinds
    assert any(s.articles and s.articles > 2 for one in found for s in one.spans)


@given(st.lists(st.sampled_from(SENTENCES), max_size=6), st.lists(st.sampled_from(SENTENCES)))
def test_alike_passages_are_those_that_the_run_finds(one, two):
    c = collect(as_texts([" ".join(one), " ".join(two)]))
    settings = dedup.Settings()
    near = nearest_pairs(c, settings)
    bare = find_candidates(c, dedup.Settings(min_prose_information=0.0))
    assert (near.alike > 0) == (len(bare.a) > 0)
    assert all(0 <= p.jaccard <= 1 and 0 <= p.dice <= 1 for p in near.pairs)
    assert all((p.stopped_by is None) <= (p.bands > 0) for p in near.pairs)


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70), st.sampled_from("xyz"))),
)
def test_marks_cover_their_spans_and_lose_no_character(text, spans):
    spans = [(min(s), max(s), name) for *s, name in spans]
    pieces = marked(text, spans)
    assert len("".join(piece for piece, _ in pieces)) == len(text)
    marks = [name for piece, name in pieces for _ in piece]
    for at, mark in enumerate(marks):
        holding = [name for begin, end, name in spans if begin <= at < end]
        assert mark == (holding[-1] if holding else "")


def test_hostile_texts_are_inert_on_the_page():
    hostile = "<script>alert(1)</script> javascript:alert(2) \u202e\x00"
    text = f"{' '.join(SENTENCES)} {hostile}"
    found = explained(
        text, text + "!", title=HOSTILE_TITLE, url="javascript:alert(3)", outlet=hostile
    )
    page = explain_page(found, (text, text + "!"))
    assert "<script" not in page
    assert "<img" not in page
    assert "href" not in page
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "default-src 'none'" in html.unescape(page)


def invoke(*arguments):
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_command(places, sample, tmp_path):
    a, b = pairs(sample, "copy")[0]
    done = invoke(places / "parquet", a, b)
    assert done.exit_code == 0, done.output
    assert "lists them as 'copy'" in " ".join(done.output.split())
    page = tmp_path / "why.html"
    assert invoke(places / "parquet", a, b, "--html", page).exit_code == 0
    assert "<h1>Why these two" in page.read_text()
    assert invoke(places / "parquet", a, b, "--html", page).exit_code == 2
    found = json.loads(invoke(places / "index", a, b, "--json").stdout)
    assert found["label"]["relation"] == "copy"


def test_errors_say_what_to_do(places, tmp_path):
    with pytest.raises(UsageError, match="no article 'nobody'"):
        explain_articles(open_results(places / "jsonl"), "nobody", "nobody")
    bare = open_results(places / "bare")
    refs = [r["ref"] for r in bare.search((), 2)]
    with pytest.raises(UsageError, match="--no-texts"):
        explain_articles(bare, *refs)
    with pytest.raises(InputError, match="no such folder"):
        open_results(tmp_path / "nowhere")
    write_jsonl(tmp_path / "a.jsonl", [])
    with pytest.raises(InputError, match=r"has no run\.json"):
        open_results(tmp_path)
