"""Faults of size, by their numbers in docs/reliability.md, met by the real command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fault_runs import jsonl, scan
from oracles import Writer
from test_scan_cli import DONE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
MEGABYTES = 500


def peak(done, stage: str = "read") -> float:
    """Peak memory of the process, in MB, when a stage ended."""
    stages = done.run["timing"]["stages"]
    return float(next(s["peak_memory_mb"] for s in stages if s["stage"] == stage))


def test_fault_10_a_line_of_a_gigabyte(tmp_path: Path) -> None:
    for name, begin, end in (("a.jsonl", b'{"text": "', b'"}'), ("b.json", b'[{"text": "', b'"}]')):
        with (tmp_path / name).open("wb") as out:
            out.write(begin)
            out.seek(2**30, os.SEEK_CUR)  # a hole: the file takes no space
            out.write(end + b"\n" + jsonl({"id": f"after {name}", "text": "A text."}))
    done = scan(tmp_path)
    assert done.code == DONE
    assert sorted(done.texts) == ["after a.jsonl", "after b.json"]
    assert [str(2**30)[:6] in r["reason"] for r in done.rejected] == [True, True]
    assert peak(done) < MEGABYTES


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_fault_18_identical_articles(tmp_path: Path, count: int) -> None:
    text = " ".join(Writer("identical").sentences(8))
    with (tmp_path / "a.jsonl").open("wb") as out:
        for i in range(count):
            out.write(jsonl({"id": str(i), "outlet": f"o{i % 1000}.example", "text": text}))
    done = scan(tmp_path, no_report=True)
    (group,) = done.rows("groups")
    assert len(group["core"]) == count
    assert done.run["work"]["pairs_aligned"] == 0
    assert peak(done, "report") < 400 + 25_000 * count / 2**20, "linear: 25 kB an article"


def test_fault_31_a_hundred_thousand_files(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"{folder:02}").mkdir()
        for i in range(1000):
            (tmp_path / f"{folder:02}" / f"{i:03}.txt").write_text(f"Text {folder} {i}.")
    done = scan(tmp_path, no_report=True)
    assert len(done.articles) == 100_000
    assert len(done.files) == 1
    assert peak(done) < MEGABYTES
