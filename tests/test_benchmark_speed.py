"""The speed and scale benchmarks: processes, fits, tables and generated dumps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice

import estimate
import generate
import growth
import inputs
import numpy as np
import processes
import pytest
import scale
from dumps import ROOT
from speed import environments, measure, table
from speed.contenders import CONTENDERS, Contender, Input, Run, removed
from speed.profiles import PROFILES, prepare, split

# --- processes ----------------------------------------------------------------------------------


def test_a_process_costs_time_and_memory(tmp_path):
    code = "x = bytearray(80_000_000); sum(range(10**6)); print('done')"
    output = tmp_path / "out"
    usage = processes.measure([sys.executable, "-c", code], output=output)
    assert output.read_text() == "done\n"
    assert usage.peak_mb > 76
    assert usage.cpu_seconds > 0
    assert usage.seconds > 0


def test_processor_time_of_children_counts():
    spin = "sum(range(3 * 10**6))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{spin}'])"
    alone = processes.measure([sys.executable, "-c", spin]).cpu_seconds
    assert processes.measure([sys.executable, "-c", parent]).cpu_seconds > 0.5 * alone


def test_a_failed_command_says_why():
    with pytest.raises(processes.FailedError, match=r"ended with 3:\nno such luck"):
        processes.measure(
            [
                sys.executable,
                "-c",
                "import sys; print('no such luck', file=sys.stderr); sys.exit(3)",
            ]
        )


def test_the_median_run_and_the_greatest_memory():
    runs = [processes.Usage(*cost) for cost in ((3, 6, 10), (1, 2, 30), (2, 9, 20))]
    assert processes.median(runs) == processes.Usage(2, 6, 30)


# --- growth -------------------------------------------------------------------------------------


def test_exponents_of_known_curves():
    assert growth.exponent([(n, 3 * n**1.25) for n in (10, 100, 500)]) == pytest.approx(1.25)
    assert growth.exponent([(10, 5.0), (1000, 5.0)]) == pytest.approx(0)
    assert growth.exponent([(10, 5.0), (10, 6.0)]) is None
    assert growth.exponent([(10, 5.0), (20, 0.0)]) is None
    assert growth.slope([(0, 7), (10, 27), (20, 47)]) == pytest.approx(2)
    assert growth.slope([(10, 1), (10, 2)]) is None


def measured(articles: int, corpus: str = "news", **stages: float) -> dict:
    return {
        "corpus": corpus,
        "articles": articles,
        "megabytes": articles / 100,
        "output_megabytes": articles / 50,
        "seconds": sum(stages.values()) + 2,
        "cpu_seconds": 2 * sum(stages.values()) + 1,
        "peak_mb": 350 + articles // 10,
        "stages": stages,
        "cpu": {name: 2 * seconds for name, seconds in stages.items()},
        "memory": dict.fromkeys(stages, 1.0),
        "counts": {"groups": 3},
        "work": {"pairs_aligned": 5},
        "caps": [{"name": "bucket", "count": 7}],
        "commit": "abc",
        "date": "2026-01-01",
    }


def test_growth_by_stage_leaves_out_short_ones():
    rows = [measured(4000, sketch=4.0, align=16.0, group=0.04), measured(1000, sketch=1, align=1)]
    found = growth.growth(rows)
    assert found["sketch"]["exponent"] == pytest.approx(1)
    assert found["align"]["exponent"] == pytest.approx(2)
    assert (found["group"]["seconds"], found["group"]["cpu_seconds"]) == (0.04, 0.08)
    assert found["group"]["exponent"] is found["group"]["last_step"] is None
    assert found["all stages"]["seconds"] == pytest.approx(20.04)
    assert found["whole process"]["seconds"] == pytest.approx(22.04)
    assert found["whole process"]["cpu_seconds"] == pytest.approx(41.08)


def test_the_last_step_shows_what_the_fit_hides():
    rows = [measured(10**k, align=cost) for k, cost in ((2, 1.0), (3, 10.0), (4, 1000.0))]
    assert growth.growth(rows)["align"]["exponent"] == pytest.approx(1.5)
    assert growth.growth(rows)["align"]["last_step"] == pytest.approx(2)


CIRCUMSTANCES = {"date": "d", "machine": "m", "cores": 2, "memory_gib": 4.0, "python": "3"}
CIRCUMSTANCES |= {"versions": {}, "commit": None}


def test_the_table_of_scale_holds_all_sizes_and_what_was_left_out(tmp_path):
    rows = [measured(n, c, sketch=n / 100) for c in ("story", "news", "real") for n in (100, 200)]
    growth.write(tmp_path, CIRCUMSTANCES, rows, {"news, 9 articles": "too large"})
    content = json.loads((tmp_path / "scale.json").read_text())
    assert content["growth"]["story"]["sketch"]["exponent"] == pytest.approx(1)
    text = (tmp_path / "scale.md").read_text()
    assert text.index("| real news") < text.index("| generated news") < text.index("| story")
    assert "bucket 7" in text
    assert "Memory grows by 105 kB an article." in text
    assert "Left out: news, 9 articles (too large)." in text


def test_the_plot_shows_news_and_its_stages(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib draws the plot")
    rows = [measured(n, c, sketch=n / 100) for c in ("story", "news", "real") for n in (100, 200)]
    growth.plot(rows, tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text()
    assert "generated news" in drawn
    assert "sketch (generated)" in drawn
    assert "story" not in drawn
    assert len(drawn) < 200_000


def test_a_size_that_does_not_fit_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(scale.machine, "available_memory", lambda: 4 * 2**30)
    assert scale.lacking("news", 1_000, [], tmp_path) is None
    assert "of memory wanted" in scale.lacking("news", 1_000_000, [], tmp_path)
    # 350 MiB at the start and .1 MiB an article were measured: 20,000 take 2.3 GiB, not 1.9.
    rows = [measured(1_000, sketch=1.0), measured(2_000, sketch=1.0)]
    memory, disk = scale.needed("news", 20_000, rows)
    assert memory == pytest.approx((350 + 2_000) * 2**20)
    assert disk == pytest.approx(20_000 * 0.03e6)
    monkeypatch.setattr(scale.machine, "available_memory", lambda: 10**18)
    assert "of disk wanted" in scale.lacking("news", 10**10, rows, tmp_path)


# --- estimates ----------------------------------------------------------------------------------


def test_an_estimate_follows_what_was_measured():
    rows = [measured(n, sketch=n / 100, align=n / 1000) for n in (1_000, 4_000)]
    article = estimate.basis(rows)
    # `measured`: 350 MiB and .1 MiB an article, 10 kB in, 20 kB out, linear time.
    assert article["memory"] == pytest.approx(0.1 * 2**20)
    assert article["base"] == pytest.approx(350 * 2**20)
    cost = estimate.cost(article, 40_000)
    assert cost["seconds"] == pytest.approx(10 * rows[-1]["seconds"])
    assert cost["memory"] == pytest.approx(4_350 * 2**20)
    assert (cost["input"], cost["output"]) == pytest.approx((400e6, 800e6))
    assert estimate.capacity(article, cost["memory"]) == pytest.approx(40_000, abs=1)
    assert estimate.capacity(article, 0) == 0
    assert estimate.basis(rows[:1]) is None


def test_an_estimate_lets_each_stage_grow_as_it_does():
    rows = [measured(n, sketch=n / 1000, align=n**2 / 10**6) for n in (1_000, 4_000)]
    article = estimate.basis(rows)
    # At 4,000: 4 s grow in proportion, 16 s with the square, 2 s to start and end in proportion.
    assert estimate.cost(article, 8_000)["seconds"] == pytest.approx(2 * 4 + 4 * 16 + 2 * 2)
    assert estimate.cost(article, 8_000)["cpu_seconds"] == pytest.approx(2 * 8 + 4 * 32 + 2 * 1)
    shrinking = estimate.basis([measured(n, align=50 - n / 100) for n in (1_000, 4_000)])
    assert estimate.cost(shrinking, 8_000)["seconds"] == pytest.approx(2 * 12), "no dump is free"


def test_estimates_are_written_in_units_that_read_well():
    article = estimate.basis([measured(n, align=n / 1000) for n in (1_000, 4_000)])
    text = estimate.markdown(article, 2)
    assert "| a day of the world's news | 1,000,000 | 10.0 GB | 20.0 GB | 25 minutes |" in text
    assert "10.0 TB" in text
    # (.9 * 16 GiB - 350 MiB) / .1 MiB = 143,960
    assert "| 16 GiB | 140,000 |" in text
    assert "| align | 4.00 | 8.00 | 89% | 2.000 |" in estimate.per_article(
        measured(4_000, align=4.0)
    )


# --- tables of speed ----------------------------------------------------------------------------


def profile(**more) -> dict:
    rows = [
        {"tool": "floor", "seconds": 2.0, "cpu_seconds": 2.0, "peak_mb": 20.0, "found": ""},
        {
            "tool": "dedup scan",
            "seconds": 10.0,
            "cpu_seconds": 15.0,
            "peak_mb": 900.0,
            "found": "x",
        },
        {"tool": "peer", "failed": "cannot be installed"},
    ]
    words = {"unit": "u", "verified": "v", "returns": "r", "cores": "1"}
    return {
        "about": CIRCUMSTANCES,
        "peers": {"rensa": "0.5"},
        "source": "somewhere",
        "articles": 100,
        "megabytes": 0.5,
        "runs": 3,
        "rows": [row | words for row in rows],
        "stages": [
            {"stage": "read", "seconds": 1.0, "peak_memory_mb": 300.0},
            {"stage": "align", "seconds": 3.0, "peak_memory_mb": 900.0},
        ],
        "outside_stages": 6.0,
        "signatures": {"dedup": 31.25, "peer": None},
        **more,
    }


def test_ratios_are_of_dedup_to_others():
    rows = profile()["rows"]
    assert [table.ratio(rows, row) for row in rows] == [5.0, 1.0, None]
    assert table.ratio(rows[:1], rows[0]) is None


def test_profiles_are_kept_until_measured_again(tmp_path):
    table.write(tmp_path, {"small": profile(articles=1)})
    table.write(tmp_path, {"large": profile(articles=37_554)})
    table.write(tmp_path, {"small": profile(articles=84)})
    content = json.loads((tmp_path / "speed.json").read_text())
    assert {name: part["articles"] for name, part in content.items()} == {
        "small": 84,
        "large": 37_554,
    }
    text = (tmp_path / "speed.md").read_text()
    assert "**large**: 37,554 articles" in text
    assert "| align | 3.00 | 75% | 900 |" in text
    assert "cannot be installed" in text
    assert "| peer | not measured |" in text


def test_work_on_a_share_of_the_articles_is_scaled(tmp_path):
    given = Input(tmp_path, tmp_path, 5_000, 1_000, tmp_path)
    details = {"articles": 1_000, "work_seconds": 3.0, "signing_seconds": 2.0}
    runs = [Run(processes.Usage(4.0, 3.5, 90.0), "many", details)]
    scaled = measure.row(given, runs)
    assert (scaled["seconds"], scaled["cpu_seconds"]) == (16.0, 15.5)
    assert "measured on 1,000 articles" in scaled["note"]
    whole = measure.row(given, [Run(processes.Usage(4.0, 3.5, 90.0), "many", {})])
    assert (whole["seconds"], whole["note"]) == (4.0, "")


def test_tools_run_in_turns_and_one_that_fails_is_not_asked_again(tmp_path):
    asked = []

    def tool(name, once=False, fails=False):
        def run(given, scratch):
            asked.append(name)
            if fails:
                raise environments.UnavailableError("no wheel")
            return Run(processes.Usage(1.0, 1.0, 1.0), "")

        return Contender(name, "u", "v", "r", "1", run, once)

    given = Input(tmp_path, tmp_path, 1, 1, tmp_path)
    tools = [tool("a"), tool("b", fails=True), tool("c", once=True)]
    done, failed = measure.runs_of(tools, given, 3, tmp_path)
    assert asked == ["a", "b", "c", "a", "a"]
    assert failed == {"b": "no wheel"}
    assert {name: len(runs) for name, runs in done.items()} == {"a": 3, "c": 1}
    assert not list(tmp_path.iterdir())


def test_every_contender_says_what_it_does():
    names = [c.name for c in CONTENDERS]
    assert len(set(names)) == len(names)
    assert table.DEDUP in names
    assert all(c.unit and c.verified and c.returns for c in CONTENDERS)


def test_the_log_of_text_dedup_is_read():
    log = "INFO  Saving : 0.1s timer.py:65\nINFO  Before      : 5000 x\nINFO  After   : 4981 x\n"
    assert removed(log) == 19


# --- inputs -------------------------------------------------------------------------------------


def test_the_small_profile_is_the_sample(tmp_path):
    given, source = prepare(PROFILES["small"], tmp_path / "none", tmp_path, tmp_path, 50)
    sample = (ROOT / "data" / "sample" / "articles.jsonl").read_bytes()
    assert source == "the sample articles"
    assert given.path.read_bytes() == sample
    assert given.articles == sample.count(b"\n")
    assert given.passage_articles == 50
    parts = b"".join(path.read_bytes() for path in given.parts.iterdir())
    assert sorted(parts.splitlines()) == sorted(sample.splitlines())


def test_lines_are_dealt_evenly(tmp_path):
    (tmp_path / "in").write_bytes(b"a\nb\nc\nd\ne\n")
    assert split(tmp_path / "in", tmp_path / "parts", 2) == 5
    sizes = sorted(len(p.read_bytes().splitlines()) for p in (tmp_path / "parts").iterdir())
    assert sizes == [2, 3]


def test_the_head_of_a_compressed_dump(tmp_path):
    import zstandard

    (tmp_path / "in.zst").write_bytes(zstandard.compress(b"1\n2\n3\n") + zstandard.compress(b"4\n"))
    assert inputs.head(tmp_path / "in.zst", 2, tmp_path / "out") == 2
    assert (tmp_path / "out").read_bytes() == b"1\n2\n"
    assert inputs.head(tmp_path / "in.zst", None, tmp_path / "out") == 4


# --- generated dumps ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def news() -> list[dict]:
    return list(islice(generate.news(1), 1_500))


def test_a_shorter_dump_is_the_beginning_of_a_longer_one(news, tmp_path):
    generate.write("news", 20, tmp_path / "dump.jsonl")
    lines = (tmp_path / "dump.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == news[:20]
    assert next(generate.news(2)) != news[0]


def test_generated_news_has_the_measured_statistics(news):
    letters = np.array([len(row["text"]) for row in news])
    # The real dump: median 4,980; 5 % above 12,821.
    assert 4_000 < np.median(letters) < 6_000
    assert 10_000 < np.quantile(letters, 0.95) < 16_000
    tokens = " ".join(row["text"] for row in news).lower().split()
    different = len(set(tokens[:94_000]))
    assert 8_000 < different < 18_000, "10,700 words of the real dump; here commas stick to some"
    outlets = {row["outlet"] for row in news}
    assert 60 < len(outlets) < 300
    undated = sum(row["published"] is None for row in news) / len(news)
    assert 0.08 < undated < 0.16
    assert len({row["id"] for row in news}) == len(news)


def test_generated_news_holds_copies_in_several_outlets(news):
    agency = [row for row in news if "WEXMOUTH" in row["text"].split("\n")[0]]
    assert 0.05 < len(agency) / len(news) < 0.15
    sizes = {}
    for row in agency:
        lead = row["text"].split(".")[0]
        sizes.setdefault(lead, set()).add(row["outlet"])
    assert max(map(len, sizes.values())) >= 10, "one story is carried widely"
    assert sum(len(outlets) == 1 for outlets in sizes.values()) >= 5, "others are not"


def test_the_vocabulary_holds_no_word_twice_and_grows_at_its_end():
    words = generate.vocabulary(30_000)
    assert len(set(words)) == 30_000
    assert words[:5_000] == generate.vocabulary(5_000)
    common = np.mean([len(w) for w in words[:1_000]])
    assert common < np.mean([len(w) for w in words[-1_000:]])


def test_word_shares_fall_by_the_measured_powers():
    share = generate.word_shares(100_000)
    assert share.sum() == pytest.approx(1)
    for low, high, power in ((10, 900, 0.91), (1_100, 9_900, 1.43), (11_000, 99_000, 2.35)):
        fallen = np.log(share[low] / share[high]) / np.log((high + 1) / (low + 1))
        assert fallen == pytest.approx(power, abs=0.01)
    assert (np.diff(share) < 0).all()


@pytest.mark.parametrize("kind", ["identical", "footer", "quote", "story"])
def test_hostile_dumps_are_what_they_say(kind, tmp_path):
    generate.write(kind, 60, tmp_path / "dump.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "dump.jsonl").read_text().splitlines()]
    texts = [row["text"] for row in rows]
    if kind == "identical":
        assert len(set(texts)) == 1
        return
    assert len(set(texts)) == 60
    if kind == "footer":
        assert len({text.split("\n\n")[1] for text in texts}) == 1
    elif kind == "quote":
        assert len({text.split('"')[1] for text in texts}) == 1
    else:
        assert len({row["outlet"] for row in rows}) == 60
        words = [set(text.split()) for text in texts[:2]]
        assert len(words[0] & words[1]) > 0.8 * len(words[0])


# --- scripts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script", ["speed", "scale.py", "generate.py", "import_time.py"], ids=lambda s: s
)
def test_scripts_start(script):
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout
