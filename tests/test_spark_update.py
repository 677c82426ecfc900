"""Updates of an index on Spark: the tables of a scan of all articles, whatever came when."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spark_fixture as fixture

import dedup
from dedup.config import ReadSettings, Settings
from dedup.errors import IndexDamagedError
from dedup.indextables import KEYS

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample" / "articles.jsonl"
PLACE = {"file", "position"}

long = pytest.mark.long


def command(index, inputs, *options):
    conf = [word for text in fixture.CONF for word in ("--conf", text)]
    return [
        *(sys.executable, "-m", "dedup", "update", str(index), *map(str, inputs)),
        *("--engine", "spark", "--master", "local[2]", *conf, *map(str, options)),
    ]


def update(index, inputs, *options):
    """Run an update to its end; returns what it said."""
    done = subprocess.run(
        command(index, inputs, *options),
        env=fixture.environment(),
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def update_here(index, inputs, out=None, **options):
    """An update in the session of this process; returns the content of ``run.json``."""
    from dedup import agencies
    from dedup.engines import spark
    from dedup.families import NO_FAMILIES

    request = spark.UpdateRequest(
        str(index),
        [str(path) for path in inputs],
        options.pop("settings", None),
        ReadSettings(),
        agencies.load(None),
        NO_FAMILIES,
        out=None if out is None else str(out),
        conf=fixture.CONF,
        master="local[2]",
        **options,
    )
    return spark.update(request)


def results(index, name, version=None):
    """The rows of a table of results by key, as any reader of Delta tables sees them."""
    import deltalake

    path = str(Path(index, "results", name))
    table = deltalake.DeltaTable(path, version=version).to_pyarrow_table()
    rows = table.drop_columns(["date", "run"]).to_pylist()
    return {tuple(row[key] for key in KEYS[name]): row for row in rows}


def without(row, names):
    return {name: value for name, value in row.items() if name not in names}


def assert_holds(index, local, left_out=frozenset()):
    """The index holds the rows of a scan."""
    for name in KEYS:
        theirs = {tuple(row[k] for k in KEYS[name]): row for row in fixture.table(local, name)}
        mine = results(index, name)
        assert mine.keys() == theirs.keys(), name
        for key, row in theirs.items():
            assert without(mine[key], left_out) == without(row, left_out), (name, key)


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def need_spark():
    fixture.need_spark()
    pytest.importorskip("deltalake", reason="needs the extra spark")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "spark", "--threads", "2"], "--threads: is not for --engine spark"),
        (["--engine", "spark", "--format", "csv"], "--format: is not for --engine spark"),
        (["--engine", "spark", "--corrections", "x.toml"], "--corrections: is not for"),
        (["--conf", "spark.a=b"], "belong to --engine spark"),
    ],
)
def test_options_of_the_other_engine_are_refused(tmp_path, options, says):
    done = subprocess.run(
        [sys.executable, "-m", "dedup", "update", str(tmp_path / "x"), str(SAMPLE), *options],
        capture_output=True,
        text=True,
        timeout=120,
        env=fixture.environment(),
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert not (tmp_path / "x").exists()


def test_without_deltalake_the_command_names_the_extra(tmp_path):
    fixture.need_spark()
    code = (
        "import sys\n"
        "sys.modules['deltalake'] = None\n"
        f"sys.argv = {command(tmp_path / 'x', [SAMPLE])[2:]!r}\n"
        "from dedup.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env=fixture.environment(),
    )
    assert done.returncode == 2
    assert "pip install 'dedup[spark]'" in done.stderr


@pytest.fixture(scope="module")
def session():
    need_spark()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from dedup.engines.spark.session import make_session, options_of

    spark = make_session("local[2]", options_of(fixture.CONF))
    yield spark
    spark.stop()


@long
@pytest.mark.usefixtures("session")
def test_three_updates_in_any_order_hold_what_one_scan_finds(tmp_path):
    rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    random.Random(7).shuffle(rows)
    folder = tmp_path / "in"
    folder.mkdir()
    revised = [{**row, "text": row["text"] + " Ende."} for row in rows[:3]]
    # Of two that state other things under one id and text, the first in order stands for both.
    restated = [{**row, "title": "A " + str(row["title"])} for row in rows[3:6]]
    restated += [{**row, "title": "z " + str(row["title"])} for row in rows[6:9]]
    again = [{**row, "id": f"again-{i}"} for i, row in enumerate(rows[9:20])]
    parts = [
        write(folder / "c.jsonl", rows[:30]),
        write(folder / "a.jsonl", [*rows[25:60], *revised[:2], *again[:5]]),
        write(folder / "b.jsonl", [*rows[60:], *revised[2:], *restated, *again[5:]]),
    ]
    index = tmp_path / "index"
    for part in parts[:2]:
        update_here(index, [part])
    former = {name: results(index, name) for name in KEYS}
    update_here(index, [parts[2]], tmp_path / "out")
    dedup.scan(str(folder)).write(tmp_path / "local", format="parquet", report=False)
    # Of a record that comes twice the place is that where it was read first.
    assert_holds(index, tmp_path / "local", PLACE)
    for name in fixture.TABLES:
        mine, theirs = (
            [without(row, PLACE) for row in fixture.table(tmp_path / side, name)]
            for side in ("out", "local")
        )
        assert mine == theirs, name

    changes = fixture.table(tmp_path / "out", "changes")
    for name in KEYS:
        now = results(index, name)
        told = {
            (row["change"], tuple(json.loads(row["key"])))
            for row in changes
            if row["table"] == name
        }
        expected = {("added", key) for key in now.keys() - former[name].keys()}
        expected |= {("removed", key) for key in former[name].keys() - now.keys()}
        for key in now.keys() & former[name].keys():
            rows_ = [without(side[key], {"score"}) for side in (now, former[name])]
            if name == "groups":
                rows_ = [{**row, "passages": sorted(row["passages"])} for row in rows_]
            if rows_[0] != rows_[1]:
                expected.add(("changed", key))
        assert told == expected, name
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["run"]["number"] == 3
    # In this order of rows: a title that is not stated comes last, and 'z' before other scripts.
    first = [
        row["title"] is None or other["title"] < row["title"]
        for row, other in zip(rows[3:9], restated, strict=True)
    ]
    assert (run["run"]["restated"], run["run"]["revisions"]) == (sum(first), 1)
    assert 3 <= sum(first) < 6
    assert not (tmp_path / "index.work").exists()

    # The same again changes nothing, and says so.
    done = update_here(index, [parts[2]], tmp_path / "twice")
    assert done["changes"] == {}
    assert done["run"]["new"] == 0
    assert fixture.table(tmp_path / "twice", "changes") == []
    for name in fixture.TABLES:
        assert fixture.table(tmp_path / "twice", name) == fixture.table(tmp_path / "out", name)
    import deltalake

    assert deltalake.DeltaTable(str(index / "runs")).to_pyarrow_table().num_rows == 3
    other = Settings(max_partners=7)
    with pytest.raises(IndexDamagedError, match="was made with max_partners"):
        update_here(index, [parts[2]], settings=other)


def begun(tmp_path, index, inputs, stage):
    """An update that has finished ``stage`` and goes on."""
    process = subprocess.Popen(
        command(index, inputs),
        env=fixture.environment(),
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "stderr").open("wb"),
        start_new_session=True,
    )
    wait_for(tmp_path, index, process, stage)
    return process


def wait_for(tmp_path, index, process, stage):
    deadline = time.monotonic() + 900
    while not list(Path(f"{index}.work").glob(f"*/{stage}.done.json")):
        assert process.poll() is None, (tmp_path / "stderr").read_text()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.2)


@long
def test_a_killed_update_changes_nothing_and_goes_on(tmp_path):
    need_spark()
    rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    folder = tmp_path / "in"
    folder.mkdir()
    one, two = (write(folder / f"{n}.jsonl", rows[n::2]) for n in range(2))
    index = tmp_path / "index"
    assert "42 new articles" in update(index, [one])
    before = {name: results(index, name) for name in KEYS}
    process = begun(tmp_path, index, [two], "read")
    # Meanwhile nobody else can change the index.
    other = subprocess.run(
        command(index, [SAMPLE], "--work", tmp_path / "other"),
        env=fixture.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    wait_for(tmp_path, index, process, "pairs")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert other.returncode == 4, other.stderr[-3000:]
    assert "another run is changing this index" in other.stderr
    assert {name: results(index, name) for name in KEYS} == before

    update(index, [two], "--out", tmp_path / "out", "--keep-work")
    stages = json.loads((tmp_path / "out" / "run.json").read_text())["timing"]["stages"]
    resumed = [stage["stage"] for stage in stages if stage["resumed"]]
    assert {"read", "added/keys", "pairs"} <= set(resumed)
    dedup.scan(str(folder)).write(tmp_path / "local", format="parquet", report=False)
    assert_holds(index, tmp_path / "local")
    fixture.assert_same(tmp_path / "out", tmp_path / "local")

    # Killed between its commit and its outputs: the same command writes these, and what changed.
    (tmp_path / "out").rename(tmp_path / "written")
    said = update(index, [two], "--out", tmp_path / "out")
    assert "42 new articles" in said
    fixture.assert_same(tmp_path / "out", tmp_path / "local")
    changes = [fixture.table(tmp_path / side, "changes") for side in ("out", "written")]
    assert changes[0] == changes[1] != []
