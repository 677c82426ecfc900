"""What holds of every result, whatever was read (the invariants), on many small made-up dumps."""

from __future__ import annotations

import re

import pytest
from oracles import by_pair, components, newsroom, tfisf_cosine

from dedup.config import Settings
from dedup.model import table_schemas
from dedup.outlets import outlet_identity
from dedup.segment import passage_spans

SEEDS = range(100, 112)


@pytest.fixture(scope="module", params=SEEDS)
def result(request, tmp_path_factory):
    from dumps import write_jsonl

    import dedup

    path = tmp_path_factory.mktemp("invariants") / "dump.jsonl"
    records = newsroom(request.param, stories=5)
    return dedup.scan(write_jsonl(path, records), threads=1, all_relations=True)


@pytest.fixture(scope="module")
def texts(result) -> dict[str, str]:
    return dict(zip(result.texts["ref"].to_pylist(), result.texts["text"].to_pylist(), strict=True))


def test_tables_follow_the_contract(result):
    for name, schema in table_schemas().items():
        assert result.tables[name].schema.equals(schema), name


def test_every_match_holds_on_the_text(result, texts):
    """Invariant 2: its spans, cut from the input, reach the similarity that it states."""
    rows = result.matches.to_pylist()
    assert rows
    for m in rows:
        one, two = (m["a_start"], m["a_end"]), (m["b_start"], m["b_end"])
        assert 0 <= one[0] < one[1] <= len(texts[m["a"]])
        assert 0 <= two[0] < two[1] <= len(texts[m["b"]])
        found = tfisf_cosine(texts[m["a"]], one, texts[m["b"]], two)
        assert m["similarity"] == pytest.approx(found, abs=2e-6)
        assert m["similarity"] >= Settings().min_similarity - 1e-6


def test_no_match_is_listed_twice_and_pairs_are_in_order(result):
    rows = result.matches.to_pylist()
    keys = [(m["a"], m["b"], m["a_start"], m["a_end"], m["b_start"], m["b_end"]) for m in rows]
    assert len(keys) == len(set(keys))
    assert all(m["a"] < m["b"] for m in rows)
    relations = [(r["a"], r["b"]) for r in result.relations.to_pylist()]
    assert relations == sorted(set(relations))
    assert all(a < b for a, b in relations)
    assert {(m["a"], m["b"]) for m in rows} == set(relations), "every relation has its matches"


def test_occurrences_are_passages_of_their_text(result, texts):
    spans = {ref: {(a, b) for a, b, _ in passage_spans(text)} for ref, text in texts.items()}
    for p in result.passages.to_pylist():
        assert all((o["start"], o["end"]) in spans[o["article"]] for o in p["occurrences"])


def test_shares_are_shares(result):
    for r in result.relations.to_pylist():
        assert all(
            0 <= r[name] <= 1 for name in ("p_shared", "p_copied", "coverage_a", "coverage_b")
        )
        assert r["p_shared"] >= r["p_copied"]
        assert r["score"] >= 0
    for a in result.articles.to_pylist():
        assert 0 <= a["share_copied"] <= 1
        assert 0 <= a["confidence"] <= 1


def test_cores_are_connected_by_copies_alone(result, texts):
    """Invariant 6, against connected components of the lines of ``relations``."""
    relations = result.relations.to_pylist()
    copies = [(r["a"], r["b"]) for r in relations if r["relation"] == "copy"]
    same: dict[str, list[str]] = {}
    for ref, text in texts.items():
        same.setdefault(text, []).append(ref)
    edges = copies + [(refs[0], ref) for refs in same.values() for ref in refs[1:]]
    wanted = {part for part in components(texts, edges) if len(part) > 1}
    groups = result.groups.to_pylist()
    assert {frozenset(g["core"]) for g in groups} == wanted
    kinds = {pair: rows[0]["relation"] for pair, rows in by_pair(relations).items()}
    for g in groups:
        attached = set(g["articles"]) - set(g["core"])
        near = {
            other
            for (a, b), kind in kinds.items()
            if kind == "partial"
            for core, other in ((a, b), (b, a))
            if core in g["core"] and other not in g["core"]
        }
        assert attached == near
        assert g["articles"][: len(g["core"])] == g["core"]


def test_unlisted_pairs_of_a_core_are_no_contradiction(result):
    """Quotes and furniture never join: whoever only shares those is in no group with the other."""
    together: dict[str, set[str]] = {}
    for g in result.groups.to_pylist():
        for ref in g["core"]:
            together.setdefault(ref, set()).add(g["id"])
    grouped = {ref for g in result.groups.to_pylist() for ref in g["articles"]}
    strong = {
        ref
        for r in result.relations.to_pylist()
        if r["relation"] in ("copy", "partial")
        for ref in (r["a"], r["b"])
    }
    assert grouped <= strong
    assert all(len(ids) == 1 for ids in together.values()), "a core article has one group"


def test_references_point_to_what_there_is(result):
    refs = set(result.articles["ref"].to_pylist())
    passages = set(result.passages["id"].to_pylist())
    groups = {g["id"]: g for g in result.groups.to_pylist()}
    sources = {s["id"] for s in result.sources.to_pylist()}
    for a in result.articles.to_pylist():
        assert (a["group"] is None) == (not any(a["ref"] in g["articles"] for g in groups.values()))
        assert a["group"] is None or a["ref"] in groups[a["group"]]["articles"]
        assert a["best_match"] is None or a["best_match"] in refs - {a["ref"]}
        assert a["source"] is None or a["source"] in sources
    for g in groups.values():
        assert set(g["passages"]) <= passages
        assert g["first_observed"] is None or g["first_observed"] in g["articles"]
        assert re.fullmatch("[0-9a-f]{32}", g["key"])
    for m in result.matches.to_pylist():
        assert m["passage"] is None or m["passage"] in passages


def test_flags_agree_with_the_rest(result):
    for a in result.articles.to_pylist():
        if a["flag"] == "unique":
            assert a["group"] is None
        if a["flag"] in ("earliest", "shared", "partial"):
            assert a["group"] is not None
        assert (a["basis"] is not None) == (a["flag"] == "syndicated")
        assert a["why"]


def test_evidence_is_cut_from_its_field(result, texts):
    fields = {a["ref"]: a for a in result.articles.to_pylist()}
    evidence = [e for a in fields.values() for e in (*a["credits"], *a["mentions"])]
    evidence += [e for g in result.groups.to_pylist() for e in g["source"]["evidence"]]
    assert any(e["role"] == "credit" for e in evidence)
    for e in evidence:
        if e["role"] in ("credit", "mention"):
            where = (
                texts[e["article"]] if e["field"] == "text" else fields[e["article"]][e["field"]]
            )
            assert where[e["start"] : e["end"]] == e["text"]


def test_revisions_are_of_one_outlet_or_id(result):
    of = {a["ref"]: a for a in result.articles.to_pylist()}
    revisions = [r for r in result.relations.to_pylist() if r["revision"]]
    assert revisions
    for r in revisions:
        a, b = of[r["a"]], of[r["b"]]
        assert a["id"] == b["id"] or outlet_identity(a["outlet"], None) == outlet_identity(
            b["outlet"], None
        )
        assert r["relation"] == "copy"


def test_made_up_stories_are_told_apart(result):
    """The dump's own truth: articles of one id stem from one story; furniture joins nobody."""
    kinds = result.run["counts"]["passages"]
    assert kinds.get("prose", 0) > 10
    assert kinds.get("boilerplate", 0) >= 1
    assert kinds.get("quote", 0) >= 1
    assert {"copy", "partial"} <= set(result.run["counts"]["relations"])
