"""Golden test: the sample corpus against what its author wrote about it."""

from __future__ import annotations

import json

import pytest
from dumps import ROOT
from oracles import by_pair, tfisf_cosine

from dedup import tokens

FOLDER = ROOT / "data" / "sample"
TRUTH = [json.loads(line) for line in (FOLDER / "truth.jsonl").read_text("utf-8").splitlines()]


def truth(kind: str) -> list[dict]:
    return [t for t in TRUTH if t["type"] == kind]


def core(group: dict) -> tuple[str, ...]:
    return tuple(sorted(group["core"]))


@pytest.fixture(scope="module")
def articles(sample) -> dict[str, dict]:
    return {a["ref"]: a for a in sample.articles.to_pylist()}


@pytest.fixture(scope="module")
def texts(sample) -> dict[str, str]:
    return dict(zip(sample.texts["ref"].to_pylist(), sample.texts["text"].to_pylist(), strict=True))


def test_everything_is_read(sample):
    assert sample.articles.num_rows == len(truth("article")) == 84
    assert sample.run["ledger"]["rejected"] == 0


# --- groups ---------------------------------------------------------------------------------------


def test_there_are_no_other_groups(sample):
    assert {core(g) for g in sample.groups.to_pylist()} == {core(t) for t in truth("group")}


@pytest.mark.parametrize("wanted", truth("group"), ids=lambda t: "+".join(core(t)))
def test_group(sample, wanted):
    found = {core(g): g for g in sample.groups.to_pylist()}[core(wanted)]
    assert sorted(set(found["articles"]) - set(found["core"])) == sorted(wanted["attached"])
    source = found["source"]
    assert source["id"] == (wanted["source"] or "unknown")
    assert source["kind"] == wanted["source_kind"]
    assert source["confidence"] > 0 or wanted["source"] is None


# --- relations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", truth("relation"), ids=lambda t: f"{t['a']}+{t['b']}")
def test_relation(sample, wanted):
    (found,) = by_pair(sample.relations.to_pylist())[wanted["a"], wanted["b"]]
    assert (found["relation"], found["revision"]) == (wanted["relation"], wanted["revision"])


def test_no_other_pair_shares_more_than_furniture(sample):
    known = {(t["a"], t["b"]) for t in truth("relation")}
    other = {
        pair: rows[0]["relation"]
        for pair, rows in by_pair(sample.relations.to_pylist()).items()
        if pair not in known
    }
    assert {pair: name for pair, name in other.items() if name != "boilerplate"} == {}


def test_furniture_is_listed_only_when_asked_for(sample):
    import dedup

    plain = dedup.scan(FOLDER / "articles.jsonl", threads=2)
    rows = sample.relations.to_pylist()
    assert plain.relations.to_pylist() == [r for r in rows if r["relation"] != "boilerplate"]
    for name in ("articles", "groups", "sources", "passages"):
        assert plain.tables[name].equals(sample.tables[name])


# --- articles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", truth("article"), ids=lambda t: t["id"])
def test_article(articles, wanted):
    found = articles[wanted["id"]]
    for name in ("flag", "basis", "source", "language"):
        assert found[name] == wanted[name], f"{name}: {found['why']}"
    for name in ("credits", "mentions"):
        assert sorted({e["source"] for e in found[name]}) == sorted(wanted[name]), name


def test_evidence_is_cut_from_the_text(articles, texts):
    for article in articles.values():
        for e in (*article["credits"], *article["mentions"]):
            where = texts[e["article"]] if e["field"] == "text" else article[e["field"]]
            assert where[e["start"] : e["end"]] == e["text"]


# --- matches and passages -------------------------------------------------------------------------


def test_every_match_holds_on_the_text(sample, texts):
    for m in sample.matches.to_pylist():
        one, two = (m["a_start"], m["a_end"]), (m["b_start"], m["b_end"])
        found = tfisf_cosine(texts[m["a"]], one, texts[m["b"]], two)
        assert m["similarity"] == pytest.approx(found, abs=2e-6)


def is_found(sample, texts, wanted: dict) -> bool:
    """Whether a passage of the right kind and of exactly these articles says the same words."""
    words = set(tokens(wanted["text"]))
    for p in sample.passages.to_pylist():
        holders = {o["article"] for o in p["occurrences"]}
        if p["kind"] == wanted["kind"] and holders == set(wanted["articles"]):
            for o in p["occurrences"]:
                said = set(tokens(texts[o["article"]][o["start"] : o["end"]]))
                # The truth's passage may be several sentences, ours a part of it, or reversed.
                if len(said & words) >= 0.8 * min(len(said), len(words)):
                    return True
    return False


@pytest.mark.parametrize(
    "wanted", [t for t in truth("passage") if t["kind"] == "quote"], ids=lambda t: t["articles"][0]
)
def test_quote(sample, texts, wanted):
    assert is_found(sample, texts, wanted)


def test_every_quote_of_several_outlets_is_known(sample):
    known = [set(tokens(t["text"])) for t in truth("passage") if t["kind"] == "quote"]
    for p in sample.passages.to_pylist():
        if p["kind"] == "quote" and len({o["article"] for o in p["occurrences"]}) > 2:
            assert any(
                len(set(tokens(p["text"])) & k) >= 0.8 * len(set(tokens(p["text"]))) for k in known
            )


@pytest.mark.parametrize("kind", ["boilerplate", "prose"])
def test_most_other_passages(sample, texts, kind):
    rows = [t for t in truth("passage") if t["kind"] == kind]
    missed = [t["text"][:50] for t in rows if not is_found(sample, texts, t)]
    found = len(rows) - len(missed)
    assert found >= 0.8 * len(rows), f"{found} of {len(rows)} {kind} passages; missed: {missed}"
