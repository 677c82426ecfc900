"""The measures of the quality benchmark, on examples worked by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from dumps import ROOT
from quality import measures, pairs, pan_dump, pan_pairs, peers, plagdet, table
from quality.dumps import Scan
from quality.part import PARTS, MissingError, Options, Outcome, Row

CASE = (0, 100, 1000, 1100)


def measure(true, seen):
    return plagdet.measure({"p": true}, {"p": seen})


# --- plagdet ------------------------------------------------------------------------------------


def test_two_detections_of_one_case_cost_granularity():
    scored = measure([CASE], [(0, 40, 1000, 1040), (60, 100, 1050, 1090)])
    assert scored.recall == pytest.approx(0.8), "160 of the 200 characters of both sides"
    assert scored.precision == 1
    assert scored.granularity == 2
    assert scored.plagdet == pytest.approx(2 * 0.8 / 1.8 / math.log2(3))


def test_a_detection_that_overshoots_costs_precision():
    scored = measure([CASE], [(50, 150, 1000, 1100)])
    assert (scored.precision, scored.recall) == (0.75, 0.75)
    assert (scored.granularity, scored.plagdet) == (1, 0.75)


def test_characters_that_two_detections_cover_count_once():
    scored = measure([CASE], [(0, 60, 1000, 1060), (40, 80, 1040, 1080)])
    assert scored.recall == pytest.approx(0.8)


def test_a_detection_must_overlap_on_both_sides():
    scored = measure([CASE], [(0, 100, 2000, 2100), (100, 200, 1000, 1100)])
    assert (scored.precision, scored.recall, scored.plagdet) == (0, 0, 0)
    assert (scored.cases, scored.detections) == (1, 2)


def test_cases_and_detections_count_alike_whatever_their_length():
    short = (5000, 5010, 9000, 9010)
    scored = measure([CASE, short], [CASE])
    assert (scored.precision, scored.recall) == (1, 0.5)


def test_a_detection_in_a_pair_without_cases_costs_precision():
    scored = plagdet.measure({"p": [CASE], "q": []}, {"p": [CASE], "q": [CASE]})
    assert (scored.precision, scored.recall) == (0.5, 1)


def test_the_interval_of_equal_pairs_is_a_point_and_of_others_holds_the_figure():
    equal = np.array([plagdet.sums([CASE], [CASE])] * 5)
    assert plagdet.interval(equal, 50, 1) == (1, 1)
    mixed = np.array([plagdet.sums([CASE], [CASE] if k % 2 else []) for k in range(20)])
    low, high = plagdet.interval(mixed, 200, 1)
    assert low < plagdet.score(mixed.sum(axis=0)).plagdet < high


# --- statistics ---------------------------------------------------------------------------------


def test_clusters_are_drawn_whole():
    seen = []

    def figure(picked):
        seen.append(np.bincount(picked, minlength=5).tolist())
        return float(len(picked))

    measures.resampled(figure, [np.array([0, 3]), np.array([1, 2, 4])], 50, 1)
    assert all(n[0] == n[3] and n[1] == n[2] == n[4] and n[0] + n[1] == 2 for n in seen)
    assert len({tuple(n) for n in seen}) > 1


def test_calibration_error_and_brier():
    positive = np.array([True, False, True, True])
    scores = np.array([0.75, 0.75, 0.95, 1.0])
    ones = np.ones(4)
    # Two bins of two: |.75 - .5| and |.975 - 1|.
    assert measures.calibration_error(positive, scores, ones) == pytest.approx(0.1375)
    assert measures.brier(positive, scores, ones) == pytest.approx(
        (0.0625 + 0.5625 + 0.0025 + 0) / 4
    )
    heavy = np.array([1, 0, 1, 1])
    assert measures.brier(positive, scores, heavy) == pytest.approx(0.065 / 3)


def test_recall_at_a_precision():
    positive = np.array([True, True, False, True])
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert measures.recall_at_precision(positive, scores, 1.0) == pytest.approx(2 / 3)
    assert measures.recall_at_precision(positive, scores, 0.75) == 1
    assert measures.recall_at_precision(~positive, scores, 0.9) == 0


# --- labelled pairs -----------------------------------------------------------------------------


@pytest.fixture
def labelled():
    return pairs.Labelled(
        pairs=[("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")],
        relation=np.array(["copy", "none", "partial", "quote"]),
        sure=np.array([True, True, True, False]),
        weight=np.array([1.0, 3.0, 1.0, 1.0]),
        story=np.array([0, 1, 0, 2]),
        articles={},
    )


def test_average_precision_of_both_tasks(labelled):
    scores = np.array([0.9, 0.8, 0.3, 0.2])
    options = Options(resamples=20)
    plain, weighted = pairs.precision_rows("dedup", labelled, "copied", scores, options)
    assert plain.figure == pytest.approx((1 + 2 / 3) / 2), "copy first, partial third"
    assert weighted.figure == pytest.approx((1 + 2 / 5) / 2), "the pair between stands for three"
    assert (plain.goal, weighted.goal) == (0.95, None)
    plain, _ = pairs.precision_rows("dedup", labelled, "shared", scores, options)
    assert plain.figure == pytest.approx((1 + 2 / 3 + 3 / 4) / 3), "a quote is shared as well"


def test_a_pair_without_a_line_counts_by_the_cores(labelled):
    line = {"relation": "boilerplate", "p_copied": 0.1, "p_shared": 0.2}
    scan = Scan({}, {("c", "d"): line}, {"a": "g1", "b": "g1", "e": "g1", "f": "g2"})
    copied, shared, relation = pairs.judged(labelled, scan)
    assert copied.tolist() == [1, 0.1, 0, 0]
    assert shared.tolist() == [1, 0.2, 0, 0]
    assert relation.tolist() == ["copy", "boilerplate", "none", "none"]


def test_relations_are_judged_on_sure_pairs_only(labelled):
    found = np.array(["copy", "boilerplate", "partial", "none"])
    rows, details = pairs.relation_rows(labelled, found, Options(resamples=20))
    figures = {row.task.rsplit(": ", 1)[1]: row.figure for row in rows}
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["accuracy, weighted"] == pytest.approx(2 / 5)
    assert figures["macro-F1"] == pytest.approx((1 + 0 + 1) / 3), "of the relations labelled"
    (matrix,) = (v for k, v in details.items() if k.startswith("confusion"))
    assert matrix[0] == [0, 1, 0, 0, 0]
    assert sum(map(sum, matrix)) == 3


def test_a_story_joins_articles_alike_and_near_in_time():
    def article(day, text):
        return {"title": text, "text": text, "published": day}

    storm = "Storm tears buoys from their chains at Wexmouth harbour"
    articles = {
        "a": article("2024-01-01", storm),
        "b": article("2024-01-05T08:00:00Z", storm + " overnight"),
        "c": article("2024-02-01", storm),
        "d": article("2024-01-02", "Parliament debates pensions reform again"),
        "e": article(None, storm),
    }
    assert pairs.same_story(articles) == [("a", "b")]


# --- PAN ----------------------------------------------------------------------------------------


def test_no_text_stands_in_both_halves():
    listed = [f"suspicious-{k}|source-{k // 2}" for k in range(40)]
    listed += [f"suspicious-{k}|source-{k // 2 + 1}" for k in range(0, 40, 8)]
    half = pan_pairs.halves(listed)
    assert set(half) == set(listed)
    for name in {n for pair in listed for n in pair.split("|")}:
        assert len({half[pair] for pair in listed if name in pair.split("|")}) == 1
    assert set(half.values()) == set(pan_pairs.HALVES)
    assert pan_pairs.halves(reversed(listed)) == half


def matches(count):
    return [
        {"a": f"x{k}", "b": "y", "a_start": 0, "a_end": 50 + k, "b_start": 9, "b_end": 900}
        | {"kind": "prose", "similarity": 0.5}
        for k in range(count)
    ]


def test_a_draw_takes_as_many_of_each_stratum_of_length():
    drawn = pan_dump.draw(matches(500), 1)
    strata = [(pan_dump.length(m) - 50) // 100 for m in drawn]
    assert sorted(strata) == sorted([*range(5)] * 10)
    assert pan_dump.key(drawn) == pan_dump.key(pan_dump.draw(matches(500)[::-1], 1))
    assert pan_dump.key(drawn) != pan_dump.key(pan_dump.draw(matches(500), 2))
    assert len(pan_dump.draw(matches(7), 1)) == 7


def test_verdicts_count_for_the_sheet_that_was_read_only(tmp_path):
    texts = {"y": "y" * 1000, **{f"x{k}": "x" * 1000 for k in range(60)}}
    corpus = pan_pairs.pan.Corpus(texts, {})
    drawn = pan_dump.draw(matches(60), 1)
    sheet, verdicts = tmp_path / "sheet.md", tmp_path / "verdicts.json"
    sheet.write_text(pan_dump.sheet(drawn, corpus), "utf-8")
    verdicts.write_text(json.dumps([True] * 45 + [False] * 5), "utf-8")
    row = pan_dump.judged(drawn, sheet, verdicts)
    assert row.figure == 0.9
    assert row.interval == pytest.approx((0.786, 0.957), abs=0.001)
    with pytest.raises(MissingError, match="another draw"):
        pan_dump.judged(pan_dump.draw(matches(60), 2), sheet, verdicts)
    verdicts.write_text("[true]", "utf-8")
    with pytest.raises(MissingError, match="not 50 booleans"):
        pan_dump.judged(drawn, sheet, verdicts)


# --- peers --------------------------------------------------------------------------------------


def test_containment_and_minhash_of_documents():
    run = "one two three four five six seven eight nine"
    texts = {"a": run, "b": f"before it {run} and after", "c": "one two three", "d": run.upper()}
    wanted = [("a", "b"), ("b", "a"), ("a", "c"), ("a", "d")]
    assert peers.containment(texts, wanted).tolist() == [1, 1, 0, 1]
    jaccard = peers.minhash(1)(texts, wanted)
    assert jaccard[3] == 1
    assert jaccard[2] == pytest.approx(3 / 9, abs=0.15)


def test_the_sentence_aligner_gives_the_shared_sentences():
    shared = (
        "The harbour authority said on Monday that 14 freighters had been waiting for a pilot. "
        "The storm tore three mooring buoys from their chains and sank a tug near the pier. "
    )
    a = "Parliament debates pensions again this week in the capital. " + shared
    b = shared + "Farmers in the valley expect a poor harvest of late plums."
    start = len(a) - len(shared)
    (span,) = peers.sentence_cosine((a, b))
    assert span == (start, len(a) - 1, 0, len(shared) - 1)
    assert peers.sentence_cosine((a, "Nothing of that kind.")) == []
    assert peers.sentence_cosine((a, "")) == []


# --- the table ----------------------------------------------------------------------------------


def test_a_goal_is_a_floor_or_a_ceiling():
    assert Row("t", 0.9, goal=0.9).met is True
    assert Row("t", 0.9, goal=0.95).met is False
    assert Row("t", 9.0, goal=10, at_most=True).met is True
    assert Row("t", 11.0, goal=10, at_most=True).met is False
    assert Row("t", None, goal=1).met is None


def test_tools_on_one_task_stand_together():
    about = {"date": "d", "machine": "m", "cores": 2, "python": "3", "versions": {}, "commit": None}
    outcomes = {
        "one": Outcome([Row("task", 0.5, goal=0.4), Row("other", math.nan)]),
        "two": Outcome([Row("task", 0.25, tool="peer")]),
    }
    lines = table.markdown(about, outcomes, {"three": "no corpus"}).splitlines()
    assert lines[4] == "| task | dedup | 0.500 |  |  | ≥ 0.4 | yes |  |"
    assert lines[5].startswith("| task | peer | 0.250 |")
    assert lines[6].startswith("| other | dedup | – |")
    assert lines[-1] == "Left out: three (no corpus)."


def test_without_corpora_every_part_is_left_out_and_said_so(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "quality")]
    command += ["--corpora", str(tmp_path / "none"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "quality.json").read_text("utf-8"))
    assert set(content["left_out"]) == set(PARTS)
    assert content["parts"] == {}
    assert "Left out: pairs" in (tmp_path / "quality.md").read_text("utf-8")
    assert str(tmp_path) not in (tmp_path / "quality.json").read_text("utf-8")
