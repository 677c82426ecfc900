"""How do time and memory grow with the number of articles?

    python benchmarks/scale.py [--news 10000,30000,100000] [--real 5000,10000,20000,37554]
        [--hostile identical=100000,footer=100000,quote=20000,story=20000] [--keep]

Scans generated news (``benchmarks/generate.py``), the beginnings of a real dump, and dumps made
to hurt, each in a process of its own. A size is left out, and said to be, where memory or disk
do not suffice. Fits the exponent of processor time over articles for each stage, and draws the
growth. Writes ``benchmarks/results/scale.{json,md}``; with ``--keep``, beside what they hold.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import growth
import machine
import processes
from inputs import DUMP, generate, head

NEWS = "10000,30000,100000,300000,1000000"
REAL = "5000,10000,20000,37554"
HOSTILE = "identical=1000000,footer=1000000,quote=5000,quote=10000,quote=20000,story=20000"
MEMORY_BASE = 350 * 2**20
"""Bytes that a scan takes before the first article."""
MEMORY = {"news": 80_000, "real": 80_000, "story": 80_000}
"""Bytes of memory an article, before a size of the corpus was measured; others: a quarter."""
DISK = 30_000
"""Bytes of disk an article for input and output, likewise."""
RESERVE = 2**30
"""Bytes of memory and disk to leave free."""


def sizes(text: str) -> list[int]:
    """Numbers by comma, in order."""
    return sorted(int(part) for part in text.split(",") if part)


def wanted(args: argparse.Namespace) -> list[tuple[str, int]]:
    """Corpora and numbers of articles, as asked for."""
    hostile = [part.partition("=") for part in args.hostile.split(",") if part]
    return [
        *(("real", n) for n in sizes(args.real)),
        *(("news", n) for n in sizes(args.news)),
        *((kind, int(n)) for kind, _, n in hostile),
    ]


def needed(corpus: str, articles: int, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Bytes of memory and of disk that a size will take, by the greatest one measured so far."""
    memory: float = MEMORY.get(corpus, 20_000)
    disk: float = DISK
    known = [r for r in rows if r["corpus"] == corpus and r["articles"] < articles]
    if known:
        last = max(known, key=lambda r: r["articles"])
        memory = max(0.0, last["peak_mb"] * 2**20 - MEMORY_BASE) / last["articles"]
        disk = (last["megabytes"] + last["output_megabytes"]) * 1e6 / last["articles"]
    return MEMORY_BASE + round(memory * articles), round(disk * articles)


def lacking(corpus: str, articles: int, rows: list[dict[str, Any]], scratch: Path) -> str | None:
    """Why a size cannot be measured here; ``None`` when it can."""
    memory, disk = needed(corpus, articles, rows)
    for what, need, have in (
        ("memory", memory, machine.available_memory()),
        ("disk", disk, shutil.disk_usage(scratch).free),
    ):
        if need > have - RESERVE:
            return (
                f"about {need / 2**30:.1f} GiB of {what} wanted, {have / 2**30:.1f} free "
                f"(and {RESERVE / 2**30:.0f} stays so)"
            )
    return None


def measured(source: Path, runs: int, folder: Path) -> dict[str, Any]:
    """A scan: medians of its cost; stages of the last run."""
    out = folder / "out"
    command, path = processes.dedup("scan", source, "--out", out, "--quiet", "--overwrite")
    usage = processes.median([processes.measure(command, environment=path) for _ in range(runs)])
    run = json.loads((out / "run.json").read_text())
    written = sum(p.stat().st_size for p in out.iterdir())
    shutil.rmtree(out)
    return {
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "output_megabytes": round(written / 1e6, 1),
        "seconds": round(usage.seconds, 2),
        "cpu_seconds": round(usage.cpu_seconds, 2),
        "peak_mb": round(usage.peak_mb),
        "stages": {s["stage"]: s["seconds"] for s in run["timing"]["stages"]},
        "cpu": {s["stage"]: s["cpu_seconds"] for s in run["timing"]["stages"]},
        "memory": {s["stage"]: s["peak_memory_mb"] for s in run["timing"]["stages"]},
        "counts": run["counts"],
        "work": run["work"],
        "caps": run["caps"],
    }


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--news", default=NEWS, help="articles of generated news, by comma")
    parser.add_argument("--real", default=REAL, help="articles of the real dump, by comma")
    parser.add_argument("--hostile", default=HOSTILE, help="kind=articles, by comma")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep sizes measured before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpora", type=Path, default=processes.ROOT.parent / "shared" / "data")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    parser.add_argument("--out", type=Path, default=processes.ROOT / "benchmarks" / "results")
    parser.add_argument(
        "--plot", type=Path, default=processes.ROOT / "docs" / "performance-scale.svg"
    )
    return parser.parse_args()


def main() -> None:
    args = parsed()
    stored = args.out / "scale.json"
    before = json.loads(stored.read_text()) if args.keep and stored.exists() else {}
    rows: list[dict[str, Any]] = before.get("rows", [])
    skipped: dict[str, str] = before.get("skipped", {})
    about = machine.circumstances(("dedup", "benchmarks/scale.py", "benchmarks/generate.py"))
    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        folder = Path(name)
        _warm_up(folder)
        for corpus, articles in wanted(args):
            label = f"{corpus}, {articles:,} articles"
            skipped.pop(label, None)
            reason = lacking(corpus, articles, rows, folder)
            if corpus == "real" and not (args.corpora / DUMP).exists():
                reason = f"no {DUMP} in the corpora"
            if reason:
                skipped[label] = reason
                print(f"{label}: left out, {reason}", file=sys.stderr)
                continue
            source = folder / "input.jsonl"
            if corpus == "real":
                articles = head(args.corpora / DUMP, articles, source)
            else:
                generate(corpus, articles, source, args.seed)
            row = {"corpus": corpus, "articles": articles, "commit": about["commit"]}
            row |= {"date": about["date"]} | measured(source, args.runs, folder)
            rows = [r for r in rows if (r["corpus"], r["articles"]) != (corpus, articles)] + [row]
            rows.sort(key=lambda r: (r["corpus"], r["articles"]))
            print(f"{label}: {row['seconds']:.1f} s, {row['peak_mb']:,} MiB", file=sys.stderr)
            growth.write(args.out, about, rows, skipped)
    growth.write(args.out, about, rows, skipped)
    growth.plot(rows, args.plot)
    print(growth.markdown(about, rows, skipped))


def _warm_up(folder: Path) -> None:
    """Have the kernels compiled before anything is timed."""
    sample = processes.ROOT / "data" / "sample" / "articles.jsonl"
    command, path = processes.dedup("scan", sample, "--out", folder / "warm", "--quiet")
    processes.measure(command, environment=path)


if __name__ == "__main__":
    main()
