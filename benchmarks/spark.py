"""What a scan on Spark takes: wall and processor seconds, memory, bytes of each stage.

    python benchmarks/spark.py ../shared/data/allsides.jsonl.zst --articles 2500 5000

Each size is the first so many articles, scanned with `dedup scan --engine spark` on a local master
(or `--cluster`: a standalone master and two workers of one core) and by the local engine, each a
process of its own. Processor seconds are those of all processes of the run, the JVMs and the Python
workers included, looked at twice a second.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zstandard

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TICK = os.sysconf("SC_CLK_TCK")
sys.path.insert(0, str(ROOT / "tests"))


def cut(source, count, target):
    with source.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        lines = io.TextIOWrapper(plain, encoding="utf-8", newline="\n")
        with target.open("w", encoding="utf-8") as out:
            for _, line in zip(range(count), lines, strict=False):
                out.write(line)


def usage(sessions, seen):
    """Note the processor seconds and memory of every process of some sessions."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            text = (entry / "stat").read_text()
            fields = text[text.rindex(")") + 2 :].split()
            if int(fields[3]) in sessions:
                seen[int(entry.name)] = (int(fields[11]) + int(fields[12])) / TICK
                peak = seen.setdefault(f"memory {fields[3]} {entry.name}", 0.0)
                pages = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
                seen[f"memory {fields[3]} {entry.name}"] = max(peak, pages)


def run(command, env, others=()):
    """Run a command; returns wall and processor seconds and the greatest memory of its driver."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        seen = {}
        while process.poll() is None:
            usage({process.pid, *others}, seen)
            time.sleep(0.5)
        if process.returncode:
            log.seek(0)
            raise SystemExit(log.read().decode()[-3000:])
    memory = [v for k, v in seen.items() if str(k).startswith(f"memory {process.pid} ")]
    return {
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(sum(v for k, v in seen.items() if isinstance(k, int)), 1),
        "largest_process_mb": round(max(memory, default=0.0)),
    }


def stage_bytes(work):
    """Bytes of each stage that the run kept."""
    folder = next(iter(work.iterdir()))
    return {
        stage.name: sum(file.stat().st_size for file in stage.rglob("*.parquet"))
        for stage in sorted(folder.iterdir())
        if stage.is_dir()
    }


def measure(source, count, folder, url, others):
    import spark_fixture

    spark_fixture_env = spark_fixture.environment()
    articles = folder / f"{count}.jsonl"
    cut(source, count, articles)
    local = run(
        [
            sys.executable,
            "-m",
            "dedup",
            "scan",
            str(articles),
            "-o",
            str(folder / f"l{count}"),
            "-q",
        ],
        spark_fixture_env,
    )
    out = folder / f"s{count}"
    options = ["-q"] if url.startswith("local") else ["-q", "--conf", "spark.executor.memory=1500m"]
    command = spark_fixture.command([articles], out, *options, master=url)
    # The stages are deleted in the end: they are looked at in a run that keeps them.
    done = run([*command, "--keep-work"], spark_fixture_env, others)
    stages = json.loads((out / "run.json").read_text())["timing"]["stages"]
    return {
        "articles": count,
        "local": local,
        "spark": done,
        "stages": {stage["stage"]: stage["seconds"] for stage in stages},
        "stage_bytes": stage_bytes(Path(f"{out}.work")),
    }


def table(results):
    lines = [
        "| articles | local: s (CPU s) | Spark: s (CPU s) | largest process, MB | stages, MB |",
        "|---|---|---|---|---|",
    ]
    for row in results["runs"]:
        one, two = row["local"], row["spark"]
        size = sum(row["stage_bytes"].values()) / 1e6
        lines.append(
            f"| {row['articles']:,} | {one['seconds']} ({one['cpu_seconds']}) | {two['seconds']} "
            f"({two['cpu_seconds']}) | {two['largest_process_mb']:,} | {size:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--articles", type=int, nargs="+", default=[2500, 5000])
    parser.add_argument("--cluster", action="store_true")
    asked = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        url, others = "local[2]", ()
        if asked.cluster:
            import spark_fixture

            url, workers = stack.enter_context(spark_fixture.cluster(Path(name)))
            others = [worker.pid for worker in workers]
        for count in asked.articles:
            runs.append(measure(asked.source, count, Path(name), url, others))
            print(json.dumps({k: runs[-1][k] for k in ("articles", "local", "spark")}))
    load = os.getloadavg()[2]
    results = {"master": url.split(":")[0], "cores": os.cpu_count(), "load": load, "runs": runs}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "spark.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "spark.md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
