"""Which paths an input stands for, so that no command writes what it reads."""

from __future__ import annotations

import pytest

from dedup.cli.options import check_apart
from dedup.errors import UsageError
from dedup.read.discover import claims


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
