"""The main job as a user runs it: whole processes, wall time and peak memory.

    python benchmarks/main_job.py [--runs 3] [--corpora ../shared/data]

Measures ``dedup scan`` on a real dump (``allsides.jsonl.zst``) and on generated dumps in which
every article holds one and the same quote, in one run with two peers on the same file: parsing
it and encoding its texts once (the floor of any tool), and a datasketch loop that hashes the
documents' words into MinHashLSH (documents only, nothing verified, on a sample of articles and
scaled to all, since the loop is linear). Writes ``benchmarks/results/main_job.{json,md}``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
import zstandard

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SAMPLE = 1500
QUOTE = (
    "We will not rest until every harbour on this coast has been rebuilt and every family has "
    "come home, whatever the winter brings"
)


def timed(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak resident MiB of one process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def scan(source: Path, runs: int) -> dict:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "dedup", "scan", str(source), "--out", str(out)]
        for _ in range(runs):
            figures.append(timed([*command, "--overwrite", "--quiet"]))
            run = json.loads((out / "run.json").read_text())
    return {
        "seconds": round(statistics.median(f[0] for f in figures), 2),
        "all_seconds": [round(f[0], 2) for f in figures],
        "peak_memory_mb": round(max(f[1] for f in figures)),
        "counts": run["counts"],
        "work": run["work"],
        "stages": {s["stage"]: s["seconds"] for s in run["timing"]["stages"]},
    }


def records(source: Path) -> list[dict]:
    with source.open("rb") as handle:
        data = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True).read()
    return [orjson.loads(line) for line in data.split(b"\n") if line.strip()]


def floor(source: Path) -> float:
    begun = time.perf_counter()
    for record in records(source):
        record["text"].encode()
    return time.perf_counter() - begun


def datasketch_documents(texts: list[str]) -> float:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(0.5, 128)
    begun = time.perf_counter()
    for number, text in enumerate(texts):
        signature = MinHash(128)
        signature.update_batch([w.encode() for w in set(text.lower().split())])
        index.query(signature)
        index.insert(number, signature)
    return time.perf_counter() - begun


def one_quote(path: Path, articles: int) -> Path:
    """Articles of words of their own that share nothing but one quote."""
    rng = random.Random(3)
    parts = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]

    def sentence() -> str:
        words = (
            "".join(rng.choices(parts, k=rng.randint(2, 4))) for _ in range(rng.randint(8, 20))
        )
        return " ".join(words).capitalize() + "."

    with path.open("w") as handle:
        for i in range(articles):
            text = [sentence() for _ in range(10)]
            text.insert(rng.randint(1, 9), f'"{QUOTE}," {sentence()}')
            row = {
                "id": f"a{i}",
                "outlet": f"outlet {i % 700}",
                "published": f"2026-01-{1 + i % 28:02}",
                "text": " ".join(text),
            }
            handle.write(json.dumps(row) + "\n")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "data")
    args = parser.parse_args()
    result: dict = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(terse=True),
        }
    }
    # A child's peak includes what this process had when it forked: load nothing before.
    with tempfile.TemporaryDirectory() as folder:
        result["one_quote"] = {
            str(n): scan(one_quote(Path(folder) / f"{n}.jsonl", n), 1)
            for n in (5_000, 10_000, 20_000)
        }
    dump = args.corpora / "allsides.jsonl.zst"
    if dump.exists():
        result["allsides"] = scan(dump, args.runs)
        result["floor_seconds"] = round(statistics.median(floor(dump) for _ in range(3)), 2)
        texts = [r["text"] for r in records(dump)]
        sample = datasketch_documents(texts[:SAMPLE])
        result["datasketch_documents_seconds"] = round(sample * len(texts) / SAMPLE, 1)
    else:
        print(f"no corpora at {args.corpora}: the real dump is left out")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "main_job.json").write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "main_job.md").write_text(table(result))
    print(table(result))


def table(result: dict) -> str:
    machine = result["machine"]
    lines = [
        f"{machine['cores']} cores, Python {machine['python']}; medians of whole processes.",
        "",
        "| what | seconds | peak MiB | found |",
        "|---|---|---|---|",
    ]
    if "allsides" in result:
        job = result["allsides"]
        relations = ", ".join(f"{v} {k}" for k, v in job["counts"]["relations"].items())
        lines += [
            (
                f"| `dedup scan`, allsides | {job['seconds']} | {job['peak_memory_mb']} | "
                f"{job['counts']['groups']} groups; {relations} |"
            ),
            (
                f"| parse and encode (floor) | {result['floor_seconds']} | | ratio "
                f"{job['seconds'] / result['floor_seconds']:.0f} |"
            ),
            (
                f"| datasketch, documents only, from {SAMPLE} articles | "
                f"{result['datasketch_documents_seconds']} | | ratio "
                f"{job['seconds'] / result['datasketch_documents_seconds']:.2f} |"
            ),
        ]
    for n, job in result["one_quote"].items():
        passages = sum(job["counts"]["passages"].values())
        lines.append(
            f"| `dedup scan`, {n} articles with one quote | {job['seconds']} | "
            f"{job['peak_memory_mb']} | {passages} passage, {job['counts']['groups']} groups |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
