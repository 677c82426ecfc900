"""The output folder: round trips, identical bytes, escaping, refusals, replacement in one step."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from report_fixture import FORMULA, TEXTS, empty_tables, make_run, make_tables

from dedup.errors import InputError, OutputNotEmptyError, OutputNotWritableError, UsageError
from dedup.model import table_schemas
from dedup.report import folder
from dedup.report.encode import FORMATS, normalised, with_date_strings
from dedup.report.tables import prepare_output, read_run, read_texts, write_run


def rows(path: Path) -> list[dict]:
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n") if line]


def names(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


def contents(path: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(path.iterdir())}


@pytest.mark.parametrize("form", FORMATS)
def test_round_trip(tmp_path, form):
    tables, run = make_tables(), make_run()
    written = write_run(tmp_path / "out", tables, run, format=form, all_relations=True, html="<p>")
    back, run_back = read_run(tmp_path / "out")
    assert run_back == run
    assert set(back) == set(tables)
    for name, table in tables.items():
        assert back[name].equals(normalised(name, table)), name
    assert sorted(p.name for p in written) == (names(tmp_path / "out"))
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("form", FORMATS)
def test_empty_tables_round_trip(tmp_path, form):
    write_run(tmp_path / "out", empty_tables(), make_run(), format=form)
    back, _ = read_run(tmp_path / "out")
    assert all(len(t) == 0 and t.schema.equals(table_schemas()[n]) for n, t in back.items())


@pytest.mark.parametrize("form", FORMATS)
def test_same_bytes_however_the_tables_are_chunked(tmp_path, form):
    tables = make_tables()
    chunked = {
        n: pa.concat_tables([t.slice(i, 1) for i in range(len(t))]) for n, t in tables.items()
    }
    write_run(tmp_path / "a", tables, make_run(), format=form)
    write_run(tmp_path / "b", chunked, make_run(), format=form)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_json_lines_follow_the_contract(tmp_path):
    write_run(tmp_path, make_tables(), make_run())
    articles = {a["ref"]: a for a in rows(tmp_path / "articles.jsonl")}
    for name, schema in table_schemas().items():
        if name != "texts":
            assert all(list(r) == schema.names for r in rows(tmp_path / f"{name}.jsonl"))
    assert articles["ap-1"]["published"] == "2021-07-11T18:30:12Z"
    assert articles["tribune-7"]["published"] == "2021-07-12T05:02Z"
    assert articles["herald-3"]["published"] == "2021-07-13"
    assert articles["zh/../1"]["published"] == "2021-07"
    assert articles["<script>alert(1)</script>"]["published"] is None
    assert articles["ap-1"]["share_copied"] == 0.712346
    assert articles["herald-3"]["title"] == FORMULA, "JSON stays as it is"
    assert "🌊" in (tmp_path / "articles.jsonl").read_text("utf-8"), "UTF-8, not escapes"
    assert {r["relation"] for r in rows(tmp_path / "relations.jsonl")} == {
        "copy",
        "partial",
        "quote",
    }


def test_run_json_is_pretty_and_sorted(tmp_path):
    write_run(tmp_path, make_tables(), make_run())
    text = (tmp_path / "run.json").read_text()
    assert json.dumps(make_run(), indent=2, sort_keys=True) + "\n" == text


def test_offsets_cut_the_written_texts(tmp_path):
    write_run(tmp_path, make_tables(), make_run())
    tables, _ = read_run(tmp_path)
    texts = dict(
        zip(*(tables["texts"].column(c).to_pylist() for c in ("ref", "text")), strict=True)
    )
    assert texts == TEXTS
    for passage in tables["passages"].to_pylist():
        for spot in passage["occurrences"]:
            assert texts[spot["article"]][spot["start"] : spot["end"]] == passage["text"]


def test_csv_escapes_formulas_and_undoes_it(tmp_path):
    tables = make_tables()
    titles = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "'plain"]
    column = pa.array(titles, pa.string())
    index = tables["articles"].schema.get_field_index("title")
    tables["articles"] = tables["articles"].set_column(index, "title", column)
    write_run(tmp_path, tables, make_run(), format="csv")
    with (tmp_path / "articles.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["title"] for row in csv.DictReader(file)]
    assert cells[:6] == ["'" + t for t in titles[:6]]
    assert not any(c[0] in "=+-@\t\r" for c in cells)
    assert read_run(tmp_path)[0]["articles"].column("title").to_pylist() == titles
    with (tmp_path / "articles.csv").open(newline="", encoding="utf-8") as file:
        assert json.loads(next(csv.DictReader(file))["credits"])[0]["source"] == "ap"


def test_csv_tells_null_from_empty(tmp_path):
    tables = make_tables()
    index = tables["articles"].schema.get_field_index("byline")
    column = pa.array(["", None] * 4, pa.string())
    tables["articles"] = tables["articles"].set_column(index, "byline", column)
    write_run(tmp_path, tables, make_run(), format="csv")
    assert read_run(tmp_path)[0]["articles"].column("byline").to_pylist() == ["", None] * 4


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("year", "0987"), ("month", "0987-02"), ("day", "0987-02-03"), ("minute", "0987-02-03T04:05Z"),
     ("second", "0987-02-03T04:05:06Z"), ("unknown", None), (None, None)],
)  # fmt: skip
def test_dates_are_cut_to_their_precision(precision, expected):
    when = dt.datetime(987, 2, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
    columns = {"published": [when, None], "precision": [precision] * 2}
    schema = pa.schema([("published", pa.timestamp("us", tz="UTC")), ("precision", pa.string())])
    table = with_date_strings("articles", pa.table(columns, schema=schema))
    assert table["published"].to_pylist() == [expected, None]


def test_negative_zero_and_impossible_years_are_normalised():
    tables = make_tables()
    published = pa.array([2**62, -(2**62), 0] + [None] * 5, pa.int64()).view(
        pa.timestamp("us", tz="UTC")
    )
    articles = tables["articles"]
    articles = articles.set_column(
        articles.schema.get_field_index("published"), "published", published
    )
    column = pa.array([-0.0] * 8, pa.float64())
    articles = articles.set_column(
        articles.schema.get_field_index("confidence"), "confidence", column
    )
    result = normalised("articles", articles)
    assert str(result.column("confidence")[0]) == "0.0"
    assert result.column("published").is_null().to_pylist() == [True, True, False] + [True] * 5


# --- refusals -------------------------------------------------------------------------------


def test_no_texts(tmp_path):
    write_run(tmp_path, make_tables(), make_run(), texts=False)
    assert not (tmp_path / "texts.parquet").exists()
    assert "texts" not in read_run(tmp_path)[0]
    with pytest.raises(UsageError, match="--no-texts"):
        read_texts(tmp_path, ("ap-1", "blog-9"))


def test_read_texts_by_ref(tmp_path):
    write_run(tmp_path, make_tables(), make_run())
    texts, run = read_texts(tmp_path, ("zh/../1", "blog-9"))
    assert texts == [TEXTS["zh/../1"], TEXTS["blog-9"]]
    assert run == make_run()
    with pytest.raises(UsageError, match="no article 'nix'"):
        read_texts(tmp_path, ("nix", "blog-9"))


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite, message in ((False, "--overwrite"), (True, "notes.txt")):
        with pytest.raises(OutputNotEmptyError, match=message):
            prepare_output(tmp_path, overwrite)
        with pytest.raises(OutputNotEmptyError, match=message):
            write_run(tmp_path, make_tables(), make_run(), overwrite=overwrite)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_folder_of_the_users_own_tables_is_no_former_run(tmp_path):
    (tmp_path / "articles.jsonl").write_text("{}")
    with pytest.raises(OutputNotEmptyError, match=r"run\.json"):
        prepare_output(tmp_path, True)
    assert contents(tmp_path) == {"articles.jsonl": b"{}"}


def test_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputNotWritableError, match="is a file"):
        prepare_output(tmp_path / "out", True)
    with pytest.raises(OutputNotWritableError):
        prepare_output(tmp_path / "out" / "below", False)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_not_writable_is_said_before(tmp_path):
    with pytest.raises(OutputNotWritableError, match="/proc/dedup-out"):
        prepare_output(Path("/proc/dedup-out"), False)


def test_prepare_creates_parents_only(tmp_path):
    prepare_output(tmp_path / "a" / "b" / "out", False)
    assert names(tmp_path / "a" / "b") == []


def test_reading_what_is_no_run(tmp_path):
    for path in (tmp_path, tmp_path / "nix"):
        with pytest.raises(InputError):
            read_run(path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="no articles table"):
        read_run(tmp_path)
    (tmp_path / "articles.jsonl").write_text("no json\n")
    with pytest.raises(InputError, match=r"articles\.jsonl"):
        read_run(tmp_path)


# --- replacement ----------------------------------------------------------------------------


@pytest.mark.parametrize("exchange", [True, False])
def test_overwrite_replaces_the_whole_run(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(folder, "_exchange", lambda a, b: False)
    out = tmp_path / "out"
    write_run(out, make_tables(), make_run(), format="csv", html="<p>")
    write_run(out, make_tables(), make_run(), format="parquet", texts=False, overwrite=True)
    assert set(names(out)) == {f"{t}.parquet" for t in folder.TABLES} | {"run.json"}
    assert names(tmp_path) == ["out"]


def test_the_working_directory_is_written_in_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for form, overwrite in (("csv", False), ("jsonl", True)):
        prepare_output(Path(), overwrite)
        write_run(Path(), make_tables(), make_run(), format=form, overwrite=overwrite)
    assert {p.name for p in Path().iterdir()} == {
        *(f"{t}.jsonl" for t in folder.TABLES), "texts.parquet", "run.json",
    }  # fmt: skip


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_run(tmp_path / "link", make_tables(), make_run())
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "run.json").is_file()


@pytest.mark.parametrize("place", ["fsync", "rename"])
def test_a_full_disk_leaves_the_former_run(tmp_path, monkeypatch, place):
    out = tmp_path / "out"
    write_run(out, make_tables(), make_run(), html="old")
    before = contents(out)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(folder, "_exchange", full)
    with pytest.raises(OutputNotWritableError, match="disk is full"):
        write_run(out, make_tables(), make_run(), html="new", overwrite=True)
    assert contents(out) == before
    assert names(tmp_path) == ["out"]


def test_a_failed_second_rename_puts_the_former_run_back(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_run(out, make_tables(), make_run())
    before = contents(out)
    monkeypatch.setattr(folder, "_exchange", lambda a, b: False)
    real = Path.rename

    def rename(self, target):
        if self.name.startswith(".dedup-new-"):
            raise OSError(errno.EIO, "I/O error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OutputNotWritableError):
        write_run(out, make_tables(), make_run(), overwrite=True)
    assert contents(out) == before
    assert names(tmp_path) == ["out"]


KILLED = """
import os, signal, sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from report_fixture import make_run, make_tables
from dedup.report import folder, tables
{patch}
tables.write_run(Path(sys.argv[1]), make_tables(), make_run(), html="new", overwrite=True)
"""
# Where the system knows no exchange of two folders.
BETWEEN_RENAMES = """
folder._exchange = lambda a, b: False
real = Path.rename
def rename(self, target):
    if self.name.startswith(".dedup-new-"):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.rename = rename
"""
KILL = "lambda *a: os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    "patch",
    [
        f"tables.write_bytes = {KILL}",
        f"tables.commit = {KILL}",
        BETWEEN_RENAMES,
    ],
)
def test_killed_at_any_moment(tmp_path, patch):
    out = tmp_path / "out"
    write_run(out, make_tables(), make_run(), html="old")
    before = contents(out)
    tests = Path(__file__).parent
    code = KILLED.format(root=str(tests.parent), tests=str(tests), patch=patch)
    done = subprocess.run([sys.executable, "-c", code, str(out)], check=False)
    assert done.returncode == -9
    prepare_output(out, True)
    assert contents(out) == before
    assert names(tmp_path) == ["out"], "what the killed run left is gone"


def test_a_live_neighbour_keeps_its_staging_folder(tmp_path):
    out = tmp_path / "out"
    with folder.staging(out) as live:
        prepare_output(out, False)
        assert live.is_dir()
    assert names(tmp_path) == []


def test_ids_never_become_paths(tmp_path):
    write_run(tmp_path / "out", make_tables(), make_run(), html="x")
    assert all(p.name in folder.OUTPUTS for p in (tmp_path / "out").iterdir())
