"""Stories of many copies cost what they have copies; what review once found stays mended."""

from __future__ import annotations

import random

import pytest
from oracles import Writer

from dedup import compare


def story(copies: int, seed: int) -> list[dict]:
    """One story, every sentence of every copy with a word of its own."""
    w = Writer(f"story {seed}")
    sentences = [w.sentence(14).rstrip(".").split() for _ in range(8)]
    rng = random.Random(seed)
    rows = []
    for i in range(copies):
        text = []
        for words in sentences:
            changed = list(words)
            changed[rng.randrange(len(changed))] = f"xq{i}z{rng.randrange(10**6)}"
            text.append(" ".join(changed) + ".")
        rows.append({"id": f"a{i:05}", "text": " ".join(text), "outlet": f"outlet {i % 40}"})
    return rows


@pytest.mark.parametrize("copies", [200, 400, 800])
def test_pairs_of_a_story_grow_with_its_copies(scan_records, copies):
    result = scan_records(story(copies, 1))
    assert len(result.groups) == 1
    assert len(result.groups["core"][0]) == copies
    assert result.run["work"]["pairs_aligned"] <= 70 * copies


def test_a_verbatim_story_in_many_outlets_is_prose(scan_records):
    text = " ".join(Writer("verbatim").sentences(8))
    rows = [{"id": f"a{i}", "text": text, "outlet": f"o{i}"} for i in range(6)]
    result = scan_records(rows)
    assert set(result.passages["kind"].to_pylist()) == {"prose"}
    assert result.groups["passages"][0].as_py()


def test_an_outlet_that_posts_a_text_often_does_not_make_it_furniture(scan_records):
    text = " ".join(Writer("reposts").sentences(8))
    rows = [
        {"id": f"a{i}", "text": text, "outlet": "one", "published": f"2026-03-{i + 1:02}"}
        for i in range(6)
    ]
    result = scan_records(rows)
    assert set(result.passages["kind"].to_pylist()) == {"prose"}
    flags = dict(
        zip(result.articles["ref"].to_pylist(), result.articles["flag"].to_pylist(), strict=True)
    )
    assert flags == {"a0": "earliest"} | {f"a{i}": "duplicate" for i in range(1, 6)}


@pytest.mark.parametrize("first", ["a1", "z1"])
def test_a_repost_is_one_whatever_the_ids_of_others(scan_records, first):
    text = " ".join(Writer("other ids").sentences(8))
    rows = [
        {"id": first, "text": text, "outlet": "Alpha", "published": "2026-03-01"},
        {"id": "m1", "text": text, "outlet": "Beta", "published": "2026-03-02"},
        {"id": "m2", "text": text, "outlet": "Beta", "published": "2026-03-03"},
    ]
    result = scan_records(rows)
    flags = dict(
        zip(result.articles["ref"].to_pylist(), result.articles["flag"].to_pylist(), strict=True)
    )
    assert flags["m2"] == "duplicate"
    assert flags["m1"] == "syndicated"


def test_a_footer_in_many_outlets_is_furniture(scan_records):
    footer = Writer("footer").sentence(24)
    rows = [
        {
            "id": f"a{i:03}",
            "text": " ".join(Writer(f"own {i}").sentences(7)) + "\n\n" + footer,
            "outlet": f"outlet {i % 12}",
            "published": f"2026-03-{1 + i % 20:02}",
        }
        for i in range(60)
    ]
    result = scan_records(rows)
    (passage,) = result.passages.to_pylist()
    assert passage["kind"] == "boilerplate"
    assert len(result.relations) == 0


def test_two_sites_of_one_host_are_two_outlets_and_an_aggregator_is_none(scan_records):
    text = " ".join(Writer("hosts").sentences(8))
    urls = ("https://alice.github.io/1", "https://bob.github.io/1", "https://news.google.com/1")
    rows = [{"id": f"a{i}", "text": text, "url": url} for i, url in enumerate(urls)]
    result = scan_records(rows)
    assert not any(result.relations["revision"].to_pylist())
    assert "duplicate" not in result.articles["flag"].to_pylist()


@pytest.mark.parametrize("rows", [300, 600, 1000])
@pytest.mark.parametrize("swap", [False, True])
def test_the_second_half_of_a_long_list_is_found(rows, swap):
    """Rows of one template with two words of their own; the copy begins far down."""
    w = Writer(f"list {rows}")
    lines = [
        f"Precinct {w.word()} {w.word()} counted its ballots under the harbour charter rules."
        for _ in range(rows)
    ]
    a, b = "\n".join(lines), "\n".join(lines[rows // 2 :])
    if swap:
        a, b = "A\n" + a, "B\n" + b
    else:
        a, b = "B\n" + a, "A\n" + b
    covered = sum(m.b_end - m.b_start for m in compare(a, b))
    assert covered >= 0.95 * len(b)
