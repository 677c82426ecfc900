"""What happens to an index when its process is killed, starts twice or has no room left.

    python benchmarks/index_faults.py DUMP.jsonl[.zst] --articles 600

Fills an index with two thirds of the articles and lets the faults happen to the update with the
last third; each is followed by the same command without a fault. Processes are forked from one
that has everything loaded, so that a fault costs a second or two. Writes
``benchmarks/results/index_faults.{json,md}``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults import harness
from faults.driver import PHASES
from machine import circumstances, headline
from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = ROOT / "benchmarks" / "results"
WATCHED = ("dedup", "benchmarks/faults", "benchmarks/index_faults.py")


def parts(dump: Path, articles: int, folder: Path) -> list[Path]:
    """The first articles of a dump in three files, dealt out in turn."""
    if dump.suffix == ".zst":
        import io

        import zstandard

        raw = zstandard.ZstdDecompressor().stream_reader(dump.open("rb"))
        lines: Iterator[str] = io.TextIOWrapper(raw, encoding="utf-8")
    else:
        lines = dump.open(encoding="utf-8")
    chosen = list(itertools.islice(lines, articles))
    out = []
    for k in range(3):
        out.append(folder / f"part-{k}.jsonl")
        out[-1].write_text("".join(chosen[k::3]), encoding="utf-8")
    return out


def measure(
    case: harness.Case, counts: argparse.Namespace, r: random.Random
) -> list[dict[str, Any]]:
    """A row for each kind of fault: how often it happened, and what was wrong after it."""
    rows = []

    def row(name: str, expected: str, wrong: list[list[str]], **more: Any) -> None:
        good = sum(not some for some in wrong)
        rows.append(
            {
                "fault": name,
                "expected": expected,
                "times": len(wrong),
                "as_expected": good,
                "wrong": [line for some in wrong for line in some],
                **more,
            }
        )
        print(f"{name}: {good} of {len(wrong)}", flush=True)

    undisturbed = "index whole at once; the rerun ends with the undisturbed index and output"
    for phase in PHASES:
        wrong = [harness.killed(case, phase, r.random()) for _ in range(counts.kills)]
        row(f"kill -9 while in phase '{phase}'", undisturbed, wrong)
    for name, empty in (("an index", False), ("a folder without an index", True)):
        times = counts.starts - counts.starts // 5 if not empty else counts.starts // 5
        wrong = [harness.two_at_once(case, empty=empty) for _ in range(times)]
        row(f"two updates of {name} together", "one runs, the other exits with 4", wrong)
    for name, number in (("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM)):
        wrong, longest = [], 0.0
        for k in range(counts.signals):
            seconds, code, said, other = harness.interrupted(
                case, PHASES[k % 4], r.random(), number
            )
            longest = max(longest, seconds)
            if code != 130 or "Run the same command again to continue" not in said:
                other.append(f"ended with {code}: {said[-300:]}")
            wrong.append(other)
        row(f"{name} in the phases in turn", undisturbed, wrong, longest_seconds=round(longest, 2))
    if harness.can_mount():
        disk = case.folder / "disk"
        least, most = harness.room_needed(case, disk)
        wrong, enough = [], 0
        while len(wrong) < counts.disks:
            code, other = harness.disk_full(case, disk, r.randint(least, most))
            if code == 0 and not other:
                enough += 1  # all of it did fit
            else:
                wrong.append(other)
        row(
            f"disk full ({least / 1e6:.1f} to {most / 1e6:.1f} MB)",
            "exit 5, said so, index whole; with room again the undisturbed result",
            wrong,
            had_room_enough=enough,
        )
    else:
        print("disk full: left out, needs the right to mount a tmpfs", flush=True)
    return rows


def markdown(about: dict[str, Any], dump: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The table for people."""
    lines = [
        "# Faults of an index",
        "",
        headline(about),
        "",
        (
            f"{dump['articles']} articles in three updates; the faults happen to the last one. "
            f"Whole: `dedup index verify` finds nothing. {dump['minutes']} minutes in all."
        ),
        "",
        "| fault | times | as expected | expected |",
        "|---|---|---|---|",
    ]
    for row in rows:
        more = f"; at most {row['longest_seconds']} s" if "longest_seconds" in row else ""
        lines.append(
            f"| {row['fault']} | {row['times']} | {row['as_expected']} | {row['expected']}{more} |"
        )
    wrong = [line for row in rows for line in row["wrong"]]
    lines += ["", *(f"- {line}" for line in wrong)] if wrong else []
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dump", type=Path)
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--kills", type=int, default=20, help="in each of the five phases")
    parser.add_argument("--starts", type=int, default=50, help="of two processes together")
    parser.add_argument("--signals", type=int, default=8, help="of each of two kinds")
    parser.add_argument("--disks", type=int, default=20, help="points at which the disk is full")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    begun, about = time.monotonic(), circumstances(WATCHED)
    with tempfile.TemporaryDirectory(prefix="dedup-faults-") as name:
        folder = Path(name)
        harness.fork_from_here(ROOT / "data" / "sample" / "articles.jsonl", folder)
        case = harness.Case.prepare(folder, parts(given.dump, given.articles, folder))
        rows = measure(case, given, random.Random(given.seed))
    dump = {"articles": given.articles, "minutes": round((time.monotonic() - begun) / 60, 1)}
    given.results.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"about": about, "dump": dump, "rows": rows}, indent=1)
    (given.results / "index_faults.json").write_text(content + "\n", encoding="utf-8")
    (given.results / "index_faults.md").write_text(markdown(about, dump, rows), encoding="utf-8")
    sys.exit(any(row["wrong"] for row in rows))


if __name__ == "__main__":
    main()
