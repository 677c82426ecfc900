"""Sessions, clusters and sentences for the tests of the Spark engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent
CONF = (
    "spark.sql.shuffle.partitions=4",
    "spark.ui.enabled=false",
    "spark.driver.host=127.0.0.1",
    "spark.driver.bindAddress=127.0.0.1",
)
TABLES = (
    *("articles", "passages", "matches", "relations", "groups", "sources", "near_misses"),
    *("rejected", "texts"),
)


def need_spark():
    """Skip where there is no Spark or no Java."""
    pytest.importorskip("pyspark", reason="needs the extra spark")
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and Path(home, "bin", "java").exists()):
        pytest.skip("needs a Java runtime (tools/java.sh)")


def sentences(seed, count, words):
    """``count`` sentences of nine words out of so many, which are all much alike."""
    rng = np.random.default_rng(seed)
    names = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("lor", "nim", "stet", "vux")]
    return [
        " ".join(["Zorbat", *(names[i] for i in rng.integers(0, words, 9))]) + "."
        for _ in range(count)
    ]


def environment():
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONWARNINGS": "ignore",
        "COLUMNS": "200",
    }


def command(inputs, out, *options, master="local[2]", conf=CONF):
    """The command line of a scan on Spark."""
    conf = [word for text in conf for word in ("--conf", text)]
    return [
        *(sys.executable, "-m", "dedup", "scan", *map(str, inputs), "--out", str(out)),
        *("--engine", "spark", "--master", master, *conf, *options),
    ]


def scan(inputs, out, *options, master="local[2]"):
    """Run a scan on Spark to its end."""
    done = subprocess.run(
        command(inputs, out, *options, master=master),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def table(folder, name):
    """A table of a run, of one file or of Spark's several."""
    path = Path(folder, f"{name}.parquet")
    if not path.is_dir():
        return pq.read_table(path).to_pylist()
    return pa.concat_tables([pq.read_table(p) for p in sorted(path.glob("part-*"))]).to_pylist()


def assert_same(spark, local):
    """Two runs have the same rows, in the same order."""
    for name in TABLES:
        assert table(spark, name) == table(local, name), name


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def descendants(pid):
    """Processes that a process has started, and theirs: ``{pid: command line}`` (Linux)."""
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat[stat.rindex(")") + 2 :].split()[1])
                lines[int(entry.name)] = (entry / "cmdline").read_bytes().decode()
    found = {pid}
    while fresh := {child for child, parent in parents.items() if parent in found} - found:
        found |= fresh
    return {child: lines[child] for child in found - {pid} if child in lines}


def kill_as_for_memory(worker, which):
    """End what runs tasks on a worker's behalf as the kernel does when memory is short.

    ``which``: ``executor``, the JVM and its Python processes, or ``python``, the latter's workers
    alone. Returns the processes that were killed.
    """
    below = descendants(worker)
    python = [pid for pid, line in below.items() if "pyspark.worker" in line]
    workers = [pid for pid in python if not descendants(pid)]
    jvms = [pid for pid, line in below.items() if "CoarseGrainedExecutorBackend" in line]
    killed = workers if which == "python" else [*jvms, *python]
    for pid in killed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return killed


@contextlib.contextmanager
def cluster(folder, workers=2, memory="2g"):
    """A standalone cluster on this machine: ``(master's URL, processes of the workers)``."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    env = environment() | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(folder / "workers"),
    }
    processes = []

    def start(name, *arguments):
        log = (folder / f"{name}.log").open("wb")
        processes.append(
            subprocess.Popen(
                [str(home / "bin" / "spark-class"), *arguments],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )
        return processes[-1]

    def add_worker(number):
        return start(
            f"worker{number}",
            "org.apache.spark.deploy.worker.Worker",
            *("--cores", "1", "--memory", memory, "--host", "127.0.0.1"),
            *("--webui-port", "0", url),
        )

    start(
        "master",
        "org.apache.spark.deploy.master.Master",
        *("--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"),
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.5)
    try:
        yield url, [add_worker(number) for number in range(workers)]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()
