"""Real corpora, where they exist: what their readers saw must come out."""

from __future__ import annotations

import io
import itertools
import json
import random

import pytest
from dumps import write_jsonl
from oracles import Writer, by_pair, components
from test_index import filled, held, scanned

import dedup

pytestmark = pytest.mark.corpus


# --- korea-china: five articles, read by people ------------------------------------------------


@pytest.fixture(scope="module")
def korea(corpora, tmp_path_factory):
    """Their ids are the names of the files without the ending."""
    folder = corpora / "korea-china"
    records = [
        {"id": path.stem, "text": path.read_bytes().decode("utf-8")}
        for path in sorted(folder.glob("*.txt"))
    ]
    assert len(records) == 5
    return dedup.scan(
        write_jsonl(tmp_path_factory.mktemp("korea") / "dump.jsonl", records), threads=1
    )


def test_the_files_themselves_can_be_read(corpora, korea):
    plain = dedup.scan(corpora / "korea-china", threads=1)
    assert [i.removesuffix(".txt") for i in plain.articles["id"].to_pylist()] == korea.articles[
        "id"
    ].to_pylist()
    for name in ("flag", "source", "digest"):
        assert plain.articles[name] == korea.articles[name]


def test_two_translations_of_one_story_are_one_group(korea):
    (group,) = korea.groups.to_pylist()
    assert group["core"] == group["articles"] == ["000", "002"]
    (relation,) = korea.relations.to_pylist()
    assert (relation["a"], relation["b"], relation["relation"]) == ("000", "002", "copy")
    assert relation["p_copied"] > 0.9


def test_its_source_is_the_associated_press_by_the_credit_of_one(korea, corpora):
    (group,) = korea.groups.to_pylist()
    source = group["source"]
    assert (source["id"], source["kind"]) == ("ap", "agency")
    credit = next(e for e in source["evidence"] if e["role"] == "credit")
    assert (credit["article"], credit["field"]) == ("002", "text")
    text = (corpora / "korea-china" / "002.txt").read_bytes().decode("utf-8")
    assert text[credit["start"] : credit["end"]] == credit["text"] == "Sumber: Associated Press"
    articles = {a["id"]: a for a in korea.articles.to_pylist()}
    assert (articles["002"]["flag"], articles["002"]["basis"]) == ("syndicated", "credit")
    assert (articles["000"]["flag"], articles["000"]["basis"]) == ("syndicated", "inferred")
    assert articles["000"]["source"] == articles["002"]["source"] == "ap"


def test_the_other_three_stand_alone(korea):
    for article in korea.articles.to_pylist():
        if article["id"] in ("001", "003", "004"):
            assert article["group"] is None
    assert {a["language"] for a in korea.articles.to_pylist()} == {"id"}


def test_who_is_cited_or_credited(korea):
    table = {s["id"]: s for s in korea.sources.to_pylist()}
    wanted = {
        "ap": ["002"],
        "xinhua": ["000", "002", "003"],
        "kcna": ["001", "002", "003", "004"],
        "reuters": ["001", "004"],
        "yonhap": ["003"],
        "thehill.com": ["001"],
    }
    wanted["ap"] = ["000", "002"]  # inferred for the first, credited by the second
    named = {k: sorted({*table[k]["articles"], *table[k]["cited_by"]}) for k in wanted}
    assert named == wanted
    assert table["ap"]["articles"] == ["000", "002"]
    assert table["ap"]["credited"] == ["002"]
    assert table["reuters"]["articles"] == table["reuters"]["credited"] == ["004"]
    assert table["reuters"]["cited_by"] == ["001"], "cited for a fact"


def test_shared_paragraphs_are_found_on_both_sides(korea):
    rows = korea.matches.to_pylist()
    relation = korea.relations.to_pylist()[0]
    assert min(relation["coverage_a"], relation["coverage_b"]) > 0.6
    texts = dict(zip(korea.texts["id"].to_pylist(), korea.texts["text"].to_pylist(), strict=True))
    shared = " ".join(texts[m["a"]][m["a_start"] : m["a_end"]] for m in rows)
    for word in ("percepatan", "1961", "Xi", "Kim"):
        assert word in shared


# --- McCormick: newswire with planted duplicates ------------------------------------------------


@pytest.mark.parametrize("size", [1000, pytest.param(2500, marks=pytest.mark.slow)])
def test_planted_duplicates_are_the_only_copies(corpora, tmp_path, size):
    folder = corpora / "mccormick"
    lines = (folder / f"articles_{size}.train").read_text("utf-8").splitlines()
    records = [dict(zip(("id", "text"), line.split(" ", 1), strict=True)) for line in lines]
    pairs = (folder / f"articles_{size}.truth").read_text("utf-8").split("\n")
    wanted = {tuple(sorted(line.split())) for line in pairs if line}
    result = dedup.scan(write_jsonl(tmp_path / "dump.jsonl", records), threads=2)
    copies = {(r["a"], r["b"]) for r in result.relations.to_pylist() if r["relation"] == "copy"}
    assert wanted - copies == set(), "missed"
    assert copies - wanted == set(), "found wrongly"


# --- allsides: a real dump ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def allsides(corpora, tmp_path_factory):
    """The first 3,000 articles: the records and their scan."""
    import zstandard

    path = corpora / "allsides.jsonl.zst"
    with path.open("rb") as handle:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(handle), "utf-8")
        records = [json.loads(line) for line in itertools.islice(lines, 3000)]
    dump = write_jsonl(tmp_path_factory.mktemp("allsides") / "dump.jsonl", records)
    return records, dedup.scan(dump, threads=2, all_relations=True)


def test_a_real_dump_balances(allsides):
    records, result = allsides
    ledger = result.run["ledger"]
    assert ledger["read"] == len(records) == 3000
    assert ledger["read"] == ledger["articles"] + ledger["repeats"] + ledger["rejected"]
    assert result.articles.num_rows == ledger["articles"]


def test_offsets_of_a_real_dump_refer_to_the_input(allsides):
    from dedup.segment import passage_spans

    records, result = allsides
    texts = dict(
        zip(result.texts["ref"].to_pylist(), result.texts["text"].to_pylist(), strict=True)
    )
    assert set(texts.values()) <= {r["text"] for r in records}
    spans: dict[str, set] = {}
    for p in result.passages.to_pylist():
        for o in p["occurrences"]:
            ref = o["article"]
            if ref not in spans:
                spans[ref] = {(a, b) for a, b, _ in passage_spans(texts[ref])}
            assert (o["start"], o["end"]) in spans[ref]
    for m in result.matches.to_pylist():
        assert 0 <= m["a_start"] < m["a_end"] <= len(texts[m["a"]])
        assert 0 <= m["b_start"] < m["b_end"] <= len(texts[m["b"]])
        assert dedup.Settings().min_similarity <= m["similarity"] <= 1
    for a in result.articles.to_pylist():
        for e in (*a["credits"], *a["mentions"]):
            if e["field"] == "text":
                assert texts[a["ref"]][e["start"] : e["end"]] == e["text"]


def test_similarities_of_a_real_dump_hold_on_the_text(allsides):
    import random

    from oracles import tfisf_cosine

    _, result = allsides
    texts = dict(
        zip(result.texts["ref"].to_pylist(), result.texts["text"].to_pylist(), strict=True)
    )
    rows = result.matches.to_pylist()
    for m in random.Random(1).sample(rows, min(150, len(rows))):
        one, two = (m["a_start"], m["a_end"]), (m["b_start"], m["b_end"])
        found = tfisf_cosine(texts[m["a"]], one, texts[m["b"]], two)
        assert m["similarity"] == pytest.approx(found, abs=2e-6)


def test_matches_of_a_real_dump_are_listed_once(allsides):
    _, result = allsides
    rows = result.matches.to_pylist()
    keys = [tuple(m[k] for k in ("a", "b", "a_start", "a_end", "b_start", "b_end")) for m in rows]
    assert len(keys) == len(set(keys))


def test_groups_of_a_real_dump_are_joined_by_copies(allsides):
    _, result = allsides
    relations = by_pair(result.relations.to_pylist())
    copies = [pair for pair, rows in relations.items() if rows[0]["relation"] == "copy"]
    refs = result.articles["ref"].to_pylist()
    wanted = {part for part in components(refs, copies) if len(part) > 1}
    assert {frozenset(g["core"]) for g in result.groups.to_pylist()} == wanted
    assert len(wanted) >= 4


# --- one statement in very many articles ----------------------------------------------------------


@pytest.mark.slow
def test_a_quote_in_twenty_thousand_articles(tmp_path):
    """One passage with 20,000 occurrences, no group, and no k² work."""
    w = Writer("twenty thousand")
    quote = w.quote()
    records = [
        {
            "id": f"{k:05}",
            "outlet": f"outlet{k % 5000}.example",
            "published": f"2024-03-{1 + k % 20:02}",
            "text": " ".join([*w.sentences(3), f"{quote} said the mayor.", *w.sentences(2)]),
        }
        for k in range(20_000)
    ]
    result = dedup.scan(write_jsonl(tmp_path / "dump.jsonl", records), threads=2)
    (passage,) = result.passages.to_pylist()
    assert passage["kind"] == "quote"
    assert passage["text"] == quote.strip("“,”")
    assert {o["article"] for o in passage["occurrences"]} == {r["id"] for r in records}
    assert len(passage["occurrences"]) == 20_000
    assert result.groups.num_rows == 0
    assert set(result.articles["flag"].to_pylist()) == {"unique"}
    assert result.run["work"]["pairs_aligned"] <= dedup.Settings().representatives * 20_000
    assert [cap["name"] for cap in result.run["caps"]] == ["max_partners"], "and it is said"


def test_an_index_filled_in_shuffled_parts_holds_what_a_scan_finds(corpora, tmp_path):
    """3,000 articles in ten parts: full buckets, furniture and quotes as real outlets have them."""
    import zstandard

    with (corpora / "allsides.jsonl.zst").open("rb") as handle:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(handle), "utf-8")
        records = [json.loads(line) for line in itertools.islice(lines, 0, 30_000, 10)]
    random.Random(11).shuffle(records)
    files = [write_jsonl(tmp_path / f"{k}.jsonl", records[k::10]) for k in range(10)]
    assert len(records) == 3000
    filled(tmp_path / "ix", files)
    now, expected = held(tmp_path / "ix"), scanned(files)
    for name, rows in expected.items():
        assert now[name] == rows, name
