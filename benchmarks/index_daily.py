"""One day's articles into a large index: time and memory, and a check of one article on it.

    python benchmarks/index_daily.py [--held 300000] [--new 10000] [--checks 200] [--fill 100000]

The articles are generated (``benchmarks/generate.py``); the index is filled by so many at a time.
The update is a process of its own, kernels compiled before; checks are made in one warm process,
of articles that the index holds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import machine
import processes
from inputs import generate

RESULTS = Path(__file__).parent / "results"


def cut(source: Path, folder: Path, sizes: list[int]) -> list[Path]:
    """The beginnings of a file of lines, one after another, as files of so many lines."""
    out = []
    with source.open("rb") as handle:
        for number, size in enumerate(sizes):
            path = folder / f"part-{number}.jsonl"
            with path.open("wb") as part:
                part.writelines(islice(handle, size))
            out.append(path)
    return out


def checks(index: Path, articles: list[dict[str, Any]]) -> dict[str, float]:
    """Milliseconds of checks in this process."""
    import dedup

    opened = dedup.Index.open(index)
    begun = time.perf_counter()
    opened.check("Nothing of the kind was ever written.")
    first = time.perf_counter() - begun
    took = []
    for article in articles:
        begun = time.perf_counter()
        opened.check(article["text"], title=article.get("title"), outlet=article.get("outlet"))
        took.append(1000 * (time.perf_counter() - begun))
    took.sort()
    middle, late = took[len(took) // 2], took[int(len(took) * 0.95)]
    return {"checks": len(took), "first_seconds": first, "p50_ms": middle, "p95_ms": late}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--held", type=int, default=300_000)
    parser.add_argument("--new", type=int, default=10_000)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--fill", type=int, default=100_000)
    options = parser.parse_args()
    found: dict[str, Any] = {
        **machine.circumstances(["dedup"]),
        "held": options.held,
        "new": options.new,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate("news", options.held + options.new, folder / "news.jsonl")
        fill = [options.fill] * (options.held // options.fill)
        if rest := options.held - sum(fill):
            fill.append(rest)
        parts = cut(folder / "news.jsonl", folder, [*fill, options.new])
        held = sum(part.stat().st_size for part in parts[:-1])
        usages = []
        for part in parts:
            command, path = processes.dedup("update", folder / "index", part, "--quiet")
            usages.append(processes.measure(command, environment=path))
            print(part.name, usages[-1], file=sys.stderr, flush=True)
        last = usages[-1]
        found["input_bytes"] = held
        found["filling"] = [vars(usage) for usage in usages[:-1]]
        found["update"] = vars(last)
        found["index_bytes"] = (folder / "index" / "index.sqlite").stat().st_size
        with parts[0].open(encoding="utf-8") as handle:
            some = [json.loads(line) for line in handle]
        found["check"] = checks(folder / "index", random.Random(7).sample(some, options.checks))
    text = table(found)
    print(text)
    (RESULTS / "index_daily.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "index_daily.md").write_text(text)


def table(found: dict[str, Any]) -> str:
    last, c = found["update"], found["check"]
    return "\n".join(
        [
            machine.headline(found),
            "",
            f"{found['new']:,} new articles into an index of {found['held']:,} (generated news)",
            "",
            "| | |",
            "|---|---|",
            f"| update, s (CPU) | {last['seconds']:.1f} ({last['cpu_seconds']:.1f}) |",
            f"| its peak memory, MiB | {last['peak_mb']:.0f} |",
            f"| index / input | {found['index_bytes'] / found['input_bytes']:.2f} |",
            f"| first check, s | {c['first_seconds']:.1f} |",
            f"| check, p50 and p95 of {c['checks']}, ms | {c['p50_ms']:.0f}, {c['p95_ms']:.0f} |",
            "",
        ]
    )


if __name__ == "__main__":
    main()
