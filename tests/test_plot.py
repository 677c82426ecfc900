"""Charts for notebooks: the report's own specifications with the result's figures."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest
from report_fixture import empty_tables, make_run, make_tables

from dedup.api import Result
from dedup.errors import UsageError

ALTAIR = "needs altair (the extra plot)"


@pytest.fixture
def plot():
    pytest.importorskip("altair", reason=ALTAIR)
    return Result(make_tables(), make_run()).plot


def values(chart) -> list[dict]:
    return chart.to_dict()["data"]["values"]


def test_timeline_of_all_and_of_a_group(plot):
    rows = values(plot.timeline())
    assert sum(row["count"] for row in rows) == 6
    assert rows[0]["from"] == "2021-07-11T00:00:00Z"
    assert rows[0]["to"] == "2021-07-12T00:00:00Z"
    members = values(plot.timeline("g-harbour"))
    assert [row["ref"] for row in members] == ["ap-1", "tribune-7", "herald-3"]
    assert members[0]["time"] == "2021-07-11T18:30:12Z"


def test_matrix_by_source_and_by_outlet(plot):
    chart = plot.matrix().to_dict()
    assert {"row": "The Herald", "column": "Associated Press", "count": 1} in chart["data"][
        "values"
    ]
    assert [chart["encoding"][channel]["title"] for channel in "yx"] == ["outlet", "source"]
    assert {(r["row"], r["column"]) for r in values(plot.matrix("outlet"))} == {
        ("The Tribune", "AP News"),
        ("The Herald", "AP News"),
    }


def test_histogram(plot):
    rows = values(plot.histogram())
    assert sum(row["count"] for row in rows) == 7
    assert all(row["start"] <= 14 / 15 <= row["end"] for row in rows)


def test_nothing_is_no_error():
    pytest.importorskip("altair", reason=ALTAIR)
    plot = Result(empty_tables(), {}).plot
    for chart in (plot.timeline(), plot.matrix(), plot.matrix("outlet"), plot.histogram()):
        assert values(chart) == []


def test_what_is_wrong_is_said(plot):
    with pytest.raises(UsageError, match="no group 'x'; its ids look like 'g-harbour'"):
        plot.timeline("x")
    with pytest.raises(UsageError, match="choose 'source' or 'outlet'"):
        plot.matrix("title")


def test_without_altair_the_message_names_the_extra():
    code = (
        "import sys; sys.modules['altair'] = None\n"
        "from dedup.api import Result\nfrom dedup.model import table_schemas\n"
        "tables = {n: s.empty_table() for n, s in table_schemas().items()}\n"
        "try:\n    Result(tables, {}).plot.histogram()\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "UsageError charts need Altair: pip install 'dedup[plot]'"


def test_the_bundle_holds_the_specifications_as_they_are():
    """Their names, signals and marks; the bundle is built anew by tools/charts/build.mjs."""
    folder = files("dedup.report") / "charts"
    bundle = (folder / "charts.js").read_text(encoding="utf-8")
    names = [path.name for path in folder.iterdir() if path.name.endswith(".vl.json")]
    assert sorted(names) == [
        "histogram.vl.json",
        "matrix.vl.json",
        "spread.vl.json",
        "timeline.vl.json",
    ]
    for name in names:
        spec = json.loads((folder / name).read_text(encoding="utf-8"))
        for parameter in spec["params"]:
            assert f'name:"{parameter["name"]}",value:"{parameter["value"]}"' in bundle
