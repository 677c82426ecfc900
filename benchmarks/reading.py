"""How fast inputs are read, with their fields mapped, and how much memory reading alone takes.

    python benchmarks/reading.py [--corpora DIR] [--runs 5] [--large]

Speed: the same articles as JSON Lines, as an indented array, CSV, Parquet and Arrow, plain and
packed; only ``dedup.read.read_articles`` runs, in one process after another. ``--large`` adds the
peak memory of reading a file of 5 GB, a line of 1 GB and 100,000 files (needs 6 GB of disk).
Writes ``benchmarks/results/reading.{json,md}``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
import orjson
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import zstandard
from inputs import DUMP, generate, head
from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

READ = """
import json, sys, time
from pathlib import Path
import pyarrow as pa
from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles
pa.array([0])  # imports pandas where that is installed, at the first array that pyarrow makes
ledger = Ledger()
wall, cpu = time.perf_counter(), time.process_time()
for batch in read_articles([sys.argv[1]], ReadSettings(), ledger):
    del batch
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0])  # the resource module counts the parent's, too
print(json.dumps({
    "seconds": time.perf_counter() - wall,
    "cpu_seconds": time.process_time() - cpu,
    "peak_mb": peak / 1024,
    "articles": ledger.articles, "repeats": ledger.repeats, "rejected": ledger.rejected,
}))
"""
"""Reading alone, in a process of its own; what it imports is not timed."""
FIVE_GB = 5_000_000_000


def read(path: Path) -> dict[str, Any]:
    """Read a path in a new process; seconds, processor seconds, peak MiB, the ledger's sums."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def dresses(lines: Path, folder: Path) -> dict[str, Path]:
    """The same articles in several formats."""
    records = [orjson.loads(line) for line in lines.read_bytes().splitlines()]
    names = list(dict.fromkeys(name for record in records for name in record))
    table = pa.table({n: pa.array([r.get(n) for r in records]) for n in names})
    found = {"JSON Lines": lines}
    writers: dict[str, tuple[str, Callable[[Path], None]]] = {
        "JSON Lines, zstd": (
            "a.jsonl.zst",
            lambda p: p.write_bytes(zstandard.compress(lines.read_bytes())),
        ),
        "JSON Lines, gzip": (
            "a.jsonl.gz",
            lambda p: p.write_bytes(gzip.compress(lines.read_bytes(), 6)),
        ),
        "JSON array, indented": ("a.json", lambda p: p.write_text(json.dumps(records, indent=1))),
        "CSV": ("a.csv", lambda p: _csv(records, names, p)),
        "Parquet": ("a.parquet", lambda p: pq.write_table(table, p, compression="zstd")),
        "Arrow": ("a.arrow", lambda p: pyarrow.feather.write_feather(table, p)),
    }
    for label, (name, write) in writers.items():
        write(folder / name)
        found[label] = folder / name
    return found


def _csv(records: list[dict[str, Any]], names: list[str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        writer.writerows(records)


def speeds(lines: Path, folder: Path, runs: int) -> list[dict[str, Any]]:
    """Medians of reading, by format; a first run that fills the system's cache is left out."""
    rows = []
    bytes_of_lines = lines.stat().st_size
    for label, path in dresses(lines, folder).items():
        found = [read(path) for _ in range(runs + 1)][1:]
        row = {"format": label, "articles": found[0]["articles"], "stored": path.stat().st_size}
        for key in ("seconds", "cpu_seconds"):
            row[key] = round(statistics.median(f[key] for f in found), 3)
        row["least_cpu_seconds"] = round(min(f["cpu_seconds"] for f in found), 3)
        row["least_seconds"] = round(min(f["seconds"] for f in found), 3)
        row["lines_bytes"] = bytes_of_lines
        rows.append(row)
    return rows


def large(lines: Path, folder: Path) -> list[dict[str, Any]]:
    """Peak memory of reading what is large."""
    rows = []
    for label, make in (
        ("a file of 5 GB", _five_gigabytes),
        ("a line of 1 GB", _giant_line),
        ("100,000 files", _many_files),
    ):
        path = make(lines, folder)
        rows.append({"input": label, **read(path)})
        if path.is_file():
            path.unlink()
    return rows


def _five_gigabytes(lines: Path, folder: Path) -> Path:
    path = folder / "five.jsonl"
    records = lines.read_bytes().splitlines()
    written = copy = 0
    with path.open("wb") as out:
        while written < FIVE_GB:
            # Every copy has ids of its own, as a dump has: ids are what reading remembers.
            for record in records:
                own = record.replace(b'"id": "', b'"id": "%d-' % copy, 1)
                written += out.write(own + b"\n")
            copy += 1
    return path


def _giant_line(_: Path, folder: Path) -> Path:
    path = folder / "line.jsonl"
    with path.open("wb") as out:
        out.write(b'{"text": "')
        out.seek(10**9, os.SEEK_CUR)
        out.write(b'"}\n{"text": "after"}\n')
    return path


def _many_files(_: Path, folder: Path) -> Path:
    root = folder / "many"
    for part in range(100):
        (root / f"{part:02}").mkdir(parents=True)
        for number in range(1000):
            (root / f"{part:02}" / f"{number:03}.txt").write_text(f"Text {part} {number}.")
    return root


def markdown(about: dict[str, Any], rows: list[dict[str, Any]], sizes: list[dict[str, Any]]) -> str:
    """Circumstances and tables."""
    out = [
        "# Reading",
        "",
        f"{machine.headline(about)} Load of the machine when it began: {about['load']}.",
        "",
        (
            "The same articles in each format. MB are those of the JSON Lines, whatever is stored: "
            "so formats can be compared. Each run is a process of its own; fields are mapped, "
            "dates read, texts hashed, batches made. Medians, and the best run in brackets: other "
            "programs on the machine make every figure worse."
        ),
        "",
        (
            "| format | articles | stored MB | processor s | MB a processor second | seconds "
            "| MB a second |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mb = row["lines_bytes"] / 1e6
        out.append(
            f"| {row['format']} | {row['articles']:,} | {row['stored'] / 1e6:.0f} "
            f"| {row['cpu_seconds']:.2f} ({row['least_cpu_seconds']:.2f}) "
            f"| {mb / row['cpu_seconds']:.0f} ({mb / row['least_cpu_seconds']:.0f}) "
            f"| {row['seconds']:.2f} ({row['least_seconds']:.2f}) "
            f"| {mb / row['seconds']:.0f} ({mb / row['least_seconds']:.0f}) |"
        )
    if sizes:
        out += [
            "",
            "Memory of reading alone, batches dropped as they come:",
            "",
            "| input | articles | rejected | processor s | peak MiB |",
            "|---|---|---|---|---|",
        ]
        out += [
            f"| {row['input']} | {row['articles']:,} | {row['rejected']} "
            f"| {row['cpu_seconds']:.1f} | {row['peak_mb']:.0f} |"
            for row in sizes
        ]
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    corpora = os.environ.get("DEDUP_CORPORA") or ROOT.parent / "shared" / "data"
    parser.add_argument("--corpora", type=Path, default=Path(corpora))
    parser.add_argument("--articles", type=int, default=None, help="of the dump [default: all]")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    args = parser.parse_args()
    about = machine.circumstances(("dedup", "benchmarks/reading.py"))
    about["load"] = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    with tempfile.TemporaryDirectory(prefix="dedup-reading-") as name:
        folder = Path(name)
        lines = folder / "a.jsonl"
        if (args.corpora / DUMP).exists():
            head(args.corpora / DUMP, args.articles, lines)
            about["corpus"] = "allsides (real news)"
        else:
            generate("news", args.articles or 20_000, lines)
            about["corpus"] = "generated news"
        rows = speeds(lines, folder, args.runs)
        sizes = large(lines, folder) if args.large else []
    text = markdown(about, rows, sizes)
    content = json.dumps({"about": about, "formats": rows, "large": sizes}, indent=1)
    (args.out / "reading.json").write_text(content + "\n", "utf-8")
    (args.out / "reading.md").write_text(text, "utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
