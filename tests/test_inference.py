"""Sources go along copies: against a slow oracle, and in scans of made-up stories."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import Writer

from dedup.inference import CREDIT, LEAST_SUPPORT, Link, infer, supports

N = 5
LINKS = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda e: e[0] < e[1]),
    st.tuples(*[st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])] * 2),
)
CLAIMS = st.dictionaries(
    st.sampled_from(["ap", "reuters", "x.com"]),
    st.dictionaries(st.integers(0, N - 1), st.sampled_from([0.5, 1.0]), min_size=1, max_size=3),
)


def best_way(credited: dict[int, float], links: dict, text: int) -> float:
    """Of all ways from a text that credits the source to ``text``, the greatest product."""
    share = {}
    for (a, b), (share_a, share_b) in links.items():
        share[b, a], share[a, b] = share_a, share_b
    best = credited.get(text, 0.0)
    for length in range(1, N):
        for way in permutations(range(N), length + 1):
            if way[-1] == text and way[0] in credited:
                product = credited[way[0]]
                for step in pairwise(way):
                    product *= share.get(step, 0.0)
                best = max(best, product)
    return best


@given(CLAIMS, LINKS)
def test_the_best_way_counts(claims, links):
    found = supports(claims, [Link(a, b, *shares) for (a, b), shares in links.items()])
    for source, credited in claims.items():
        for text in range(N):
            wanted = best_way(credited, links, text)
            share = found.get(text, {}).get(source)
            if wanted >= LEAST_SUPPORT:
                assert share is not None
                assert share.share == pytest.approx(wanted)
                assert share.origin in credited
            else:
                assert share is None


def test_confidence_falls_with_the_share_and_with_every_step():
    chain = [Link(0, 1, 1.0, 0.8), Link(1, 2, 1.0, 0.8)]
    found = supports({"ap": {0: 1.0}}, chain)
    one, two = infer(found[1], ["ap"]), infer(found[2], ["ap"])
    assert one is not None
    assert two is not None
    assert one.support.share == pytest.approx(0.8)
    assert (two.support.share, two.support.origin, two.support.giver) == (pytest.approx(0.64), 0, 1)
    assert one.confidence == pytest.approx(CREDIT * 0.9)
    assert two.confidence < one.confidence


def test_agencies_go_before_outlets_and_contradictions_cost_confidence():
    found = supports({"ap": {0: 1.0}, "x.com": {1: 1.0}}, [Link(0, 2, 1, 0.6), Link(1, 2, 1, 1.0)])
    agency = infer(found[2], ["ap"])
    assert agency is not None
    assert (agency.source, agency.rivals) == ("ap", ())
    both = infer(found[2], ["ap", "x.com"])
    assert both is not None
    assert (both.source, [name for name, _ in both.rivals]) == ("x.com", ["ap"])
    assert both.confidence == pytest.approx(CREDIT / 1.6, abs=1e-6)
    assert infer({}, ["ap"]) is None


# --- in a scan ----------------------------------------------------------------------------------


def article(identity: str, sentences: list[str], **more) -> dict:
    return {"id": identity, "outlet": f"{identity}.example", "text": " ".join(sentences), **more}


def test_a_source_goes_from_copy_to_copy(scan_records):
    """b copies a, which credits Reuters; c copies what b has and a has not, and a little of a."""
    w = Writer("chain")
    wire, more = w.sentences(12), w.sentences(9)
    result = scan_records(
        [
            article("a", ["OSLO (Reuters) - " + wire[0], *wire[1:]]),
            article("b", wire + more),
            article("c", wire[:1] + more),
        ],
        threads=1,
    )
    rows = {a["id"]: a for a in result.articles.to_pylist()}
    assert (rows["b"]["flag"], rows["b"]["basis"], rows["b"]["source"]) == (
        "syndicated",
        "inferred",
        "reuters",
    )
    assert rows["c"]["source"] == "reuters"
    assert rows["c"]["confidence"] < rows["b"]["confidence"], "less sure with every step"
    assert "by way of b, which" not in rows["b"]["why"]
    (group,) = result.groups.to_pylist()
    texts = dict(
        zip(result.texts["ref"].to_pylist(), result.texts["text"].to_pylist(), strict=True)
    )
    inferred = [e for e in group["source"]["evidence"] if e["role"] == "inferred"]
    assert {e["article"] for e in inferred} == {"b", "c"}
    for e in inferred:
        assert texts[e["article"]][e["start"] : e["end"]] == e["text"] != ""


def test_quotes_and_furniture_hand_on_nothing(scan_records):
    w = Writer("quotes only")
    quote, footer = " ".join(w.quote() + " said the mayor." for _ in range(4)), w.sentences(2)
    records = [
        article("a", ["OSLO (Reuters) - " + w.sentence(), *w.sentences(5), quote]),
        article("b", [*w.sentences(6), quote]),
    ]
    records += [
        {**article(f"f{k}", [*w.sentences(8), *footer]), "outlet": "house.example"}
        for k in range(6)
    ]
    records[2]["text"] = "OSLO (Reuters) - " + records[2]["text"]
    rows = {a["id"]: a for a in scan_records(records, threads=1).articles.to_pylist()}
    assert (rows["a"]["source"], rows["f0"]["source"]) == ("reuters", "reuters")
    for name in ("b", "f1", "f2", "f5"):
        assert (rows[name]["flag"], rows[name]["source"]) == ("unique", None)


def test_conflicting_credits_are_both_shown(scan_records):
    w = Writer("conflict")
    wire = w.sentences(10)
    result = scan_records(
        [
            article("a", ["OSLO (Reuters) - " + wire[0], *wire[1:]]),
            article("b", ["OSLO (AP) — " + wire[0], *wire[1:]]),
            article("c", wire),
        ],
        threads=1,
    )
    rows = {a["id"]: a for a in result.articles.to_pylist()}
    assert (rows["a"]["source"], rows["b"]["source"]) == ("reuters", "ap"), "its own word stands"
    assert "credit different sources" in rows["a"]["why"]
    assert "Others with this text credit" in rows["c"]["why"]
    assert rows["c"]["confidence"] < 0.5
    (group,) = result.groups.to_pylist()
    assert {e["source"] for e in group["source"]["evidence"] if e["role"] == "credit"} == {
        "ap",
        "reuters",
    }


def test_an_article_that_credits_an_agency_is_syndicated_without_any_copy(scan_records):
    w = Writer("own word")
    text = [*w.sentences(8), "Sumber: Reuters"]
    (row,) = scan_records([article("a", text)], threads=1).articles.to_pylist()
    assert (row["flag"], row["basis"], row["source"]) == ("syndicated", "credit", "reuters")
    assert row["share_copied"] == 0.0
