"""What a scan on Spark takes, beside the local engine, and how even its tasks are.

    python benchmarks/spark.py [--real 5000,37554] [--news 25000,50000,100000]
        [--hostile story=100000,footer=100000] [--cluster] [--partitions 16] [--keep]

Scans the beginnings of a real dump, generated news (``benchmarks/generate.py``) and dumps made to
hurt, with `dedup scan --engine spark` on two cores: a local master, or (``--cluster``) a standalone
master with two workers of one core. Processor seconds are those of all processes of the run, JVMs
and Python workers included, as they were half a second before each ended. Of tasks that had rows,
the event log says how much longer than the median the longest of a stage took. ``--partitions``
sets the partitions of a shuffle, so that skew can show. Writes
``benchmarks/results/spark.{json,md}``; with ``--keep``, beside what they hold.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import machine
import processes
import spark_events
from inputs import DUMP, generate, head

sys.path.insert(0, str(processes.ROOT / "tests"))
import spark_fixture

PACKAGES = (*machine.PACKAGES, "pyspark")
BECOME_SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` of Linux: whose parents end become children of this process, so that
they are known until they end."""


class Watch:
    """What all processes below this one take, twice a second: ``seconds`` of the processor of each
    (by its number), and the greatest resident memory (``driver_mb``, MiB) of the driver's JVM.

    Spark's daemon lets its workers go unread, so that no parent is ever told what they took.
    """

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        self.driver_mb = 0.0
        self._ticks = os.sysconf("SC_CLK_TCK")

    def look(self) -> None:
        """Note what each process has taken so far."""
        for pid, line in spark_fixture.descendants(os.getpid()).items():
            # Processes end while they are looked at.
            with contextlib.suppress(OSError, StopIteration):
                stat = Path(f"/proc/{pid}/stat").read_text()
                fields = stat[stat.rindex(")") + 2 :].split()
                self.seconds[pid] = (int(fields[11]) + int(fields[12])) / self._ticks
                if "SparkSubmit" in line:
                    status = Path(f"/proc/{pid}/status").read_text().splitlines()
                    peak = next(line for line in status if line.startswith("VmHWM:"))
                    self.driver_mb = max(self.driver_mb, int(peak.split()[1]) / 2**10)

    def until(self, over: threading.Event) -> None:
        """Look twice a second until told."""
        while not over.wait(0.5):
            self.look()


def run(command: list[str], cluster: bool) -> dict[str, float]:
    """Run a command with all that it starts: wall and processor seconds, memory of the driver."""
    watch, over = Watch(), threading.Event()
    watch.look()
    before = sum(watch.seconds.values())  # a cluster's processes
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=spark_fixture.environment(), stdout=log, stderr=log)
        thread = threading.Thread(target=watch.until, args=(over,))
        thread.start()
        code = process.wait()
        seconds = time.perf_counter() - begun
        over.set()
        thread.join()
        if code:
            log.seek(0)
            raise SystemExit(log.read().decode()[-3000:])
    with contextlib.suppress(ChildProcessError):
        while not cluster:  # its masters and workers go on
            os.wait()
    found = {"seconds": seconds, "cpu_seconds": sum(watch.seconds.values()) - before}
    if watch.driver_mb:
        found["driver_mb"] = watch.driver_mb
    return {name: round(value, 1) for name, value in found.items()}


def stage_bytes(work: Path) -> dict[str, int]:
    """Bytes of each stage that the run kept."""
    folder = next(iter(work.iterdir()))
    return {
        stage.name: sum(file.stat().st_size for file in stage.rglob("*.parquet"))
        for stage in sorted(folder.iterdir())
        if stage.is_dir()
    }


def measured(source: Path, folder: Path, url: str, asked: argparse.Namespace) -> dict[str, Any]:
    """A scan by the local engine, and one on Spark."""
    command, _ = processes.dedup("scan", source, "--out", folder / "local", "--quiet")
    local = run(command, asked.cluster)
    logs = folder / "events"
    logs.mkdir()
    options = ["-q", "--keep-work"]
    conf = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": logs.as_uri(),
        "spark.driver.memory": asked.driver_memory,
        "spark.executor.memory": asked.executor_memory,
    }
    if asked.partitions:
        conf["spark.sql.shuffle.partitions"] = str(asked.partitions)
    options += [word for name in conf for word in ("--conf", f"{name}={conf[name]}")]
    out = folder / "spark"
    own = [part for part in spark_fixture.CONF if not part.startswith("spark.sql.")]
    done = run(spark_fixture.command([source], out, *options, master=url, conf=own), asked.cluster)
    whole = json.loads((out / "run.json").read_text())
    found = spark_events.events(logs)
    for path in (folder / "local", out, logs):
        shutil.rmtree(path)
    sizes = stage_bytes(Path(f"{out}.work"))
    shutil.rmtree(f"{out}.work")
    return {
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "local": local,
        "spark": done,
        "stages": {stage["stage"]: stage["seconds"] for stage in whole["timing"]["stages"]},
        "counts": whole["counts"],
        "stage_bytes": sizes,
        "shuffled_bytes": spark_events.shuffled(found),
        "spent": spark_events.spent(found),
        "uneven": spark_events.uneven(spark_events.stages_of(found))[:5],
    }


def markdown(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The table of all runs."""
    columns = (
        *("corpus", "articles", "MB", "local: s (CPU s)", "Spark: s (CPU s)", "driver, MiB"),
        *("on disk, MB", "shuffled, MB", "longest task, in medians"),
    )
    lines = [machine.headline(about), "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        one, two = row["local"], row["spark"]
        sizes = sum(row["stage_bytes"].values()) / 1e6
        worst = row["uneven"][0] if row["uneven"] else None
        said = "–"
        if worst:
            said = (
                f"{worst['times']:g} ({worst['stage']}, {worst['longest']:g} s, "
                f"{worst['most_bytes']:g} times the bytes)"
            )
        lines.append(
            f"| {row['corpus']}, {row['master']} | {row['articles']:,} | {row['megabytes']:,.0f} "
            f"| {one['seconds']} ({one['cpu_seconds']}) | {two['seconds']} ({two['cpu_seconds']}) "
            f"| {two.get('driver_mb', 0):,.0f} | {sizes:,.0f} "
            f"| {row['shuffled_bytes'] / 1e6:,.0f} | {said} |"
        )
    lines += ["", "Load of the machine (15 minutes) at the end of each run: "]
    lines[-1] += ", ".join(f"{row['load']:.1f}" for row in rows) + "."
    return "\n".join(lines) + "\n"


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", default="5000,37554", help="articles of the real dump, by comma")
    parser.add_argument("--news", default="25000,50000,100000", help="of generated news")
    parser.add_argument("--hostile", default="story=100000,footer=100000", help="kind=articles")
    parser.add_argument("--cluster", action="store_true", help="a standalone cluster")
    parser.add_argument("--partitions", type=int, help="of a shuffle")
    parser.add_argument("--driver-memory", default="2g")
    parser.add_argument("--executor-memory", default="1500m")
    parser.add_argument("--keep", action="store_true", help="keep what was measured before")
    parser.add_argument("--corpora", type=Path, default=processes.ROOT.parent / "shared" / "data")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    parser.add_argument("--out", type=Path, default=processes.ROOT / "benchmarks" / "results")
    return parser.parse_args()


def wanted(asked: argparse.Namespace) -> list[tuple[str, int]]:
    """Corpora and numbers of articles, as asked for."""
    listed = [("real", asked.real), ("news", asked.news)]
    plain = [(kind, int(n)) for kind, text in listed for n in text.split(",") if n]
    hostile = (part.partition("=") for part in asked.hostile.split(",") if part)
    return [*plain, *((kind, int(n)) for kind, _, n in hostile)]


def main() -> None:
    asked = parsed()
    ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)
    stored = asked.out / "spark.json"
    before = json.loads(stored.read_text()) if asked.keep and stored.exists() else {}
    rows: list[dict[str, Any]] = before.get("rows", [])
    about = machine.circumstances(("dedup", "benchmarks"), PACKAGES)
    with tempfile.TemporaryDirectory(dir=asked.scratch) as name, contextlib.ExitStack() as stack:
        url = "local[2]"
        if asked.cluster:
            (Path(name) / "cluster").mkdir()
            url, _ = stack.enter_context(spark_fixture.cluster(Path(name) / "cluster"))
        master = url.split(":")[0] if asked.cluster else url
        for corpus, articles in wanted(asked):
            source = Path(name) / "input.jsonl"
            if corpus == "real":
                articles = head(asked.corpora / DUMP, articles, source)
            else:
                generate(corpus, articles, source)
            row = {"corpus": corpus, "articles": articles, "master": master}
            row |= {"commit": about["commit"], **measured(source, Path(name), url, asked)}
            row["load"] = round(os.getloadavg()[2], 1)
            key = ("corpus", "articles", "master")
            rows = [r for r in rows if any(r[k] != row[k] for k in key)] + [row]
            rows.sort(key=lambda r: tuple(r[k] for k in key))
            asked.out.mkdir(exist_ok=True)
            stored.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
            (asked.out / "spark.md").write_text(markdown(about, rows))
            print(f"{corpus}, {articles:,}: {row['spark']}, local {row['local']}", flush=True)
    print(markdown(about, rows))


if __name__ == "__main__":
    main()
