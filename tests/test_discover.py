"""Which paths an input stands for, so that no command writes what it reads."""

from __future__ import annotations

# ruff: noqa: PTH207 - what patterns mean to glob
import glob
import os

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from dedup.cli.options import check_apart
from dedup.errors import UsageError
from dedup.model import Ledger
from dedup.read.discover import claims, discover
from dedup.read.patterns import takes_in


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        ("day/a.jsonl", "day/a.jsonl", True),
        ("day/a.jsonl", "day/b.jsonl", False),
        ("day", "day/new.jsonl", True),
        ("day", "days.jsonl", False),
        ("day/*.jsonl", "day/a.jsonl", True),
        ("day/*.jsonl", "day/new.jsonl", True),
        ("day/*.jsonl", "day/new.csv", False),
        ("day/*.jsonl", "new.jsonl", False),
        ("d*", "day/new.csv", True),
        ("*/*.jsonl", "day/new.jsonl", True),
        ("**/*.jsonl", "day/deep/new.jsonl", True),
        ("day/**", "day/deep/new.jsonl", True),
        ("day/**", "new.jsonl", False),
        ("-", "day/a.jsonl", False),
        ("day/none.jsonl", "day/none.jsonl", False),
    ],
)
def test_what_an_input_takes_in(tmp_path, monkeypatch, given, path, expected):
    (tmp_path / "day" / "deep").mkdir(parents=True)
    (tmp_path / "day" / "a.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    assert claims(given, str(tmp_path.resolve() / path)) is expected


def test_a_former_run_is_not_read_as_input(tmp_path):
    (tmp_path / "a.jsonl").touch()
    out = tmp_path / "found"
    check_apart([f"{tmp_path}/*"], out)
    out.mkdir()
    (out / "articles.jsonl").touch()
    for given in (tmp_path, f"{tmp_path}/*", f"{tmp_path}/**", out, f"{out}/*.jsonl"):
        with pytest.raises(UsageError, match=r"read as input|lies in the output folder"):
            check_apart([str(given)], out)


@pytest.fixture
def looped(tmp_path, monkeypatch):
    """Folders with links that lead back, and to elsewhere, twice."""
    for name in (
        "in/a.jsonl",
        "in/deep/b.jsonl",
        "in/deep/c.csv",
        "in/.hidden/d.jsonl",
        "out/e.jsonl",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for n in range(6):  # glob follows 40 of them down: 6 to the power of 40 paths
        (tmp_path / "in" / f"up{n}").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "x").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "y").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "self.jsonl").symlink_to(tmp_path / "in" / "self.jsonl")
    os.mkfifo(tmp_path / "in" / "pipe.jsonl")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("in/**", ["a.jsonl", "deep/b.jsonl", "deep/c.csv", "x/e.jsonl"]),
        ("in/**/*.jsonl", ["a.jsonl", "deep/b.jsonl", "x/e.jsonl"]),
        ("in/**/deep/*.jsonl", ["deep/b.jsonl"]),
        ("in/**/d*p", ["deep/b.jsonl", "deep/c.csv"]),
        ("i*/**/*.csv", ["in/deep/c.csv"]),
        ("**/b.jsonl", ["in/deep/b.jsonl"]),
        ("in/**/.hidden/*", [".hidden/d.jsonl"]),
    ],
)
def test_30_patterns_of_any_depth_pass_over_loops_and_pipes(looped, given, expected):
    ledger = Ledger()
    files, _ = discover([given], ledger)
    assert [found.text_id for found in files] == expected
    assert {found.group for found in files} == {given}
    skipped = {reject.file.rpartition("/")[2]: reject.reason for reject in ledger.skipped}
    assert {f"up{n}" for n in range(6)} | {"y", "self.jsonl", "pipe.jsonl"} <= set(skipped)
    assert "FIFO" in skipped["pipe.jsonl"]


def test_a_folder_reached_in_two_ways_is_read_once(looped):
    (looped / "in2").symlink_to(looped / "in")
    ledger = Ledger()
    files, _ = discover(["in*/**/*.csv"], ledger)
    assert [found.text_id for found in files] == ["in/deep/c.csv"]
    assert any(reject.file == "in2" for reject in ledger.skipped)


def test_a_pattern_that_matches_nothing_is_said(looped):
    ledger = Ledger()
    assert discover(["in/**/*.parquet"], ledger)[0] == []
    assert ledger.warnings == ["in/**/*.parquet: no file matches the pattern"]


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        ("in/**", "in/deep/new.jsonl", True),
        ("in/**/*.jsonl", "in/deep/new.jsonl", True),
        ("in/**/*.jsonl", "in/deep/new.csv", False),
        ("in/**/*.jsonl", "out/e.jsonl", True),  # through a link
    ],
)
def test_what_a_pattern_of_any_depth_claims(looped, given, path, expected):
    assert claims(given, str(looped.resolve() / path)) is expected


NAMES = st.sampled_from(("a", "b", "bc", ".h"))
PARTS = st.sampled_from(("**", "*", "a", "b*", ".h"))


@examples(
    st.lists(PARTS, max_size=3),
    st.sampled_from(("*", "a", "b*", ".h")),
    st.lists(NAMES, min_size=1, max_size=4),
)
def test_patterns_mean_what_they_mean_to_glob(tmp_path_factory, parts, last, path):
    root = tmp_path_factory.mktemp("tree")
    folder = root.joinpath(*path[:-1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path[-1]).touch()
    pattern = ("**", *parts, last)
    matched = glob.glob("/".join(pattern), root_dir=root, recursive=True)
    # A folder that matches takes in what lies in it.
    expected = any(path[: len(found)] == found for found in (m.split("/") for m in matched))
    assert takes_in(pattern, path) is expected
