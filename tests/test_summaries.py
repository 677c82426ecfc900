"""Summaries: a short stretch that retells scattered passages, in ``compare`` and nowhere else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from oracles import Writer

import dedup
from dedup import compare
from dedup.align import align
from dedup.collection import as_texts, collect
from dedup.config import Settings

RETOLD = (2, 6, 10, 14, 18, 22)
SENTENCES = 25


def shortened(sentence: str) -> str:
    """Two words of three."""
    words = [word.lower() for k, word in enumerate(sentence.rstrip(".").split()) if k % 3 != 2]
    return " ".join(words).capitalize() + "."


def report_and_summary(seed: int, places: tuple[int, ...] = RETOLD) -> tuple[str, str, str]:
    """A long report, a text that holds a summary of it, and the summary."""
    w = Writer(f"summary {seed}")
    report = [w.sentence(18) for _ in range(SENTENCES)]
    summary = " ".join(shortened(report[p]) for p in places)
    text = " ".join([*(w.sentence(15) for _ in range(5)), summary])
    return " ".join(report), f"{text} {' '.join(w.sentence(15) for _ in range(5))}", summary


def aligned(a: str, b: str, *, summaries: bool):
    settings = Settings()
    c = collect(as_texts([a, b]))
    return align(c, np.array([0]), np.array([1]), settings, summaries=summaries)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("swap", [False, True])
def test_a_summary_is_one_match_with_all_that_it_retells(seed, swap):
    report, text, summary = report_and_summary(seed)
    if swap:
        (m,) = compare(text, report)
        at, told = (m.a_start, m.a_end), (m.b_start, m.b_end)
    else:
        (m,) = compare(report, text)
        at, told = (m.b_start, m.b_end), (m.a_start, m.a_end)
    assert text[slice(*at)] == summary.rstrip(".")
    # It retells more than a third, from beginning to end: the report as a whole.
    assert told == (0, len(report) - 1)


@pytest.mark.parametrize("seed", range(10))
def test_a_summary_of_a_small_part_spans_that_part(seed):
    """Three passages near the beginning of a long report: the match ends where they end."""
    w = Writer(f"part {seed}")
    report, text, summary = report_and_summary(seed, (2, 6, 10))
    rest = " ".join(w.sentence(18) for _ in range(60))
    (m,) = compare(f"{report} {rest}", text)
    assert text[m.b_start : m.b_end] == summary.rstrip(".")
    sentences = report.split(". ")
    assert report[m.a_start : m.a_end] == ". ".join(sentences[2:11])


@pytest.mark.parametrize("seed", range(10))
def test_without_the_search_it_is_short_matches(seed):
    report, text, _ = report_and_summary(seed)
    (one,) = aligned(report, text, summaries=True).pair
    assert one == 0
    found = aligned(report, text, summaries=False)
    assert len(found.pair) >= 2
    assert (found.a1 - found.a0).max() < 40, "two sentences at most"


@pytest.mark.parametrize("seed", range(10))
def test_a_shortened_copy_is_no_summary(seed):
    """Passages one after another: each match is as long as what it was made of."""
    report, text, _ = report_and_summary(seed, (10, 11, 12, 13, 14))
    with_search, without = (aligned(report, text, summaries=s) for s in (True, False))
    for name in ("a0", "a1", "b0", "b1"):
        np.testing.assert_array_equal(getattr(with_search, name), getattr(without, name))


@pytest.mark.parametrize("seed", range(10))
def test_sentences_copied_here_and_there_are_no_summary(seed):
    """What is taken over word for word is matched sentence by sentence."""
    w = Writer(f"verbatim {seed}")
    report = [w.sentence(18) for _ in range(SENTENCES)]
    text = " ".join(report[p] for p in RETOLD)
    found = compare(" ".join(report), f"{w.sentence()} {text} {w.sentence()}")
    copied = {" ".join(report)[m.a_start : m.a_end] + "." for m in found}
    assert copied <= {report[p] for p in RETOLD}
    assert len(copied) >= len(RETOLD) - 1, "one may say too little by itself"


def test_a_scan_takes_no_summary_for_a_copy(tmp_path):
    """The lead of one report of an event looks like it: a scan finds the short matches only."""
    records = []
    for seed in range(5):
        report, text, _ = report_and_summary(seed)
        for kind, body in (("report", report), ("text", text)):
            name = f"{kind}-{seed}"
            records.append({"id": name, "outlet": f"{name}.example", "title": name, "text": body})
    records.append({**records[0], "id": "again", "outlet": "again.example"})
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    single = dedup.Settings(min_prose_information=60.0)  # a sentence alone is enough
    result = dedup.scan(path, threads=1, settings=single)
    copies = {
        frozenset((r["a"], r["b"])) for r in result.relations.to_pylist() if r["relation"] == "copy"
    }
    assert copies == {frozenset(("report-0", "again"))}
    short = [m for m in result.matches.to_pylist() if {m["a"], m["b"]} != {"report-0", "again"}]
    assert short
    longest = max(max(m["a_end"] - m["a_start"], m["b_end"] - m["b_start"]) for m in short)
    assert longest < len(records[0]["text"]) / 10
