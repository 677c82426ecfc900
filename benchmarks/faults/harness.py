"""Indexes to which something happens, and whether they come out of it as if nothing had."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from processes import ROOT

import dedup
from dedup.indextables import RESULTS
from dedup.store import unpack_arrays
from faults.forked import Forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).parent
LEFT_OUT = {
    "records": {"first_seen"},
    "runs": {"id", "started", "finished", "inputs", "about"},
    "outputs": {"folder"},
    "erased": {"at"},
    "files": {"modified"},
}
"""Columns that say when and where, which two runs never have in common."""
DELTA = (*(f"{name}.jsonl" for name in (*RESULTS, "rejected")), "changes.jsonl", "texts.parquet")


def command(*arguments: str | Path, plan: dict[str, Any] | None = None) -> list[str]:
    """``dedup``, or with ``plan`` the driver of it."""
    start = ["-m", "dedup"] if plan is None else [str(HERE / "driver.py"), json.dumps(plan)]
    return [sys.executable, *start, *map(str, arguments)]


def environment() -> dict[str, str]:
    """That of a process of this repository's ``dedup``."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])}


class Processes:
    """How processes are started: ``forked`` from this one, or by themselves."""

    forked = False


def fork_from_here(sample: Path, folder: Path) -> None:
    """From now on, fork processes from this one, in which everything has been loaded once."""
    index = dedup.Index.open(folder / "warm", create=True)
    index.update(sample, out=folder / "warm-out", threads=1)
    index.verify(threads=1)
    Processes.forked = True


def run(
    *arguments: str | Path,
    plan: dict[str, Any] | None = None,
    limit: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``dedup`` to its end, in a process; ``limit`` is called in it first."""
    if Processes.forked:
        words = [str(word) for word in arguments]
        process = Forked(words, plan or {}, limit)
        out, said = process.communicate(timeout=600)
        return subprocess.CompletedProcess(words, process.returncode or 0, out, said)
    return subprocess.run(
        command(*arguments, plan=plan),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=limit,
        check=False,
    )


def start(
    *arguments: str | Path, plan: dict[str, Any] | None = None
) -> subprocess.Popen[str] | Forked:
    """Start ``dedup`` in a process, with pipes."""
    if Processes.forked:
        return Forked([str(word) for word in arguments], plan or {})
    return subprocess.Popen(
        command(*arguments, plan=plan),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- what is compared -----------------------------------------------------------------------


def content(index: Path) -> dict[str, str]:
    """A digest of each table of an index, of what two runs with the same outcome share."""
    out: dict[str, str] = {}
    with contextlib.closing(sqlite3.connect(index / "index.sqlite")) as database:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (name,) in database.execute(names).fetchall():
            if name in ("parts", "meta"):
                continue
            every = [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')]
            kept = ", ".join(f'"{c}"' for c in every if c not in LEFT_OUT.get(name, ()))
            rows = sorted(map(repr, database.execute(f'SELECT {kept} FROM "{name}"')))
            out[name] = _digest("\n".join(rows).encode())
        own = "('created', 'erasure_key', 'committed', 'parts')"
        meta = f"SELECT name, value FROM meta WHERE name NOT IN {own} ORDER BY name"
        out["meta"] = _digest(repr(database.execute(meta).fetchall()).encode())
        for kind in ("vocabulary", "similar", "crowd", "alignment", "delta"):
            query = "SELECT data FROM parts WHERE kind = ? ORDER BY part"
            out[kind] = _parts(
                [unpack_arrays(data) for (data,) in database.execute(query, (kind,))]
            )
    return out


def _parts(parts: list[dict[str, np.ndarray]]) -> str:
    """Parts of one kind, however many they are."""
    if not parts:
        return ""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return _digest(b"".join(name.encode() + columns[name].tobytes() for name in sorted(columns)))


def results(index: Path) -> dict[str, str]:
    """The same of the tables of results alone."""
    every = content(index)
    return {name: every[name] for name in RESULTS}


def delta(folder: Path) -> dict[str, str]:
    """A digest of each file of an output folder, without ``run.json`` and the report, in which
    the run's id and its times stand."""
    return {name: _digest((folder / name).read_bytes()) for name in DELTA}


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Names under which two such dictionaries differ."""
    return sorted(
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    )


def problems(index: Path) -> list[str]:
    """What ``dedup index verify`` finds."""
    return dedup.Index.open(index).verify(threads=1).problems


def unfinished(index: Path) -> str | None:
    """The state of the run that is not done, if there is one."""
    with contextlib.closing(sqlite3.connect(index / "index.sqlite")) as database:
        row = database.execute("SELECT state FROM runs WHERE state != 'done'").fetchone()
    return row[0] if row else None


# --- kills ----------------------------------------------------------------------------------


@dataclass
class Case:
    """An index of all parts of a dump but the last, and what the last one makes of it."""

    folder: Path
    last: Path
    base: Path
    content: dict[str, str]
    before: dict[str, str]
    delta: dict[str, str]
    seconds: dict[str, float]
    number: int = field(default=0)

    @classmethod
    def prepare(cls, folder: Path, parts: Sequence[Path]) -> Case:
        """Fill the index, and run the last part undisturbed."""
        base, whole, log = folder / "base", folder / "whole", folder / "seconds.json"
        for part in parts[:-1]:
            expect(run("update", base, part, "--quiet", "--threads", "1"), 0)
        shutil.copytree(base, whole)
        plan = {"log": str(log)}
        expect(run(*arguments(whole, parts[-1], folder / "out"), plan=plan), 0)
        return cls(
            folder,
            parts[-1],
            base,
            content(whole),
            results(base),
            delta(folder / "out"),
            json.loads(log.read_text()),
        )

    def fresh(self, inside: Path | None = None) -> tuple[Path, Path]:
        """A copy of the index, and a folder for output that does not exist yet."""
        self.number += 1
        place = (inside or self.folder) / f"case-{self.number}"
        place.mkdir()
        shutil.copytree(self.base, place / "index")
        return place / "index", place / "out"


def arguments(index: Path, part: Path, out: Path) -> list[str | Path]:
    """The update that everything happens to."""
    return ["update", index, part, "--out", out, "--quiet", "--threads", "1"]


def expect(done: subprocess.CompletedProcess[str], code: int) -> None:
    """Raise an error unless a process ended with ``code``."""
    if done.returncode != code:
        raise AssertionError(f"ended with {done.returncode}, not {code}: {done.stderr[-2000:]}")


def killed(case: Case, phase: str, share: float) -> list[str]:
    """Kill an update at ``share`` (0-1) of a phase, and run it again; returns what is wrong."""
    index, out = case.fresh()
    plan = {"phase": phase, "kill": share * case.seconds[phase]}
    done = run(*arguments(index, case.last, out), plan=plan)
    if done.returncode != -signal.SIGKILL:
        return [f"{phase}: ended with {done.returncode}: {done.stderr[-500:]}"]
    wrong = [f"after the kill: {problem}" for problem in problems(index)]
    wrong += again(case, index, out)
    shutil.rmtree(index.parent)
    return wrong


def again(case: Case, index: Path, out: Path) -> list[str]:
    """Run an interrupted update again; returns how its outcome differs from the undisturbed one.

    Where the run was done already, its folder is whole: the same command then changes nothing.
    """
    finished = unfinished(index) is None and out.is_dir()
    redone = run(*arguments(index, case.last, out.with_name("none") if finished else out))
    if redone.returncode != 0:
        return [f"the rerun ended with {redone.returncode}: {redone.stderr[-500:]}"]
    wrong = [f"after the rerun: {problem}" for problem in problems(index)]
    found, expected = content(index), dict(case.content)
    if finished:
        # A further run is noted, and the rows that the one before wrote are given up.
        for name in ("runs", "outputs", "delta"):
            found.pop(name), expected.pop(name)
    wrong += [f"table {name} differs" for name in differences(found, expected)]
    wrong += [f"{name} differs" for name in differences(delta(out), case.delta)]
    left = [p.name for p in out.parent.iterdir() if p.name.startswith(".dedup")]
    return wrong + [f"{name} was left behind" for name in left]


# --- signals --------------------------------------------------------------------------------


def interrupted(
    case: Case, phase: str, share: float, number: int
) -> tuple[float, int, str, list[str]]:
    """Send a signal in a phase; returns the seconds that it took to end, its exit code, what it
    said, and what was wrong after it was run again."""
    index, out = case.fresh()
    process = start(*arguments(index, case.last, out), plan={"phase": phase, "announce": True})
    assert process.stdout is not None
    assert process.stdout.readline().strip() == phase
    time.sleep(share * case.seconds[phase])
    begun = time.perf_counter()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    seconds = time.perf_counter() - begun
    wrong = [f"after the signal: {problem}" for problem in problems(index)]
    wrong += again(case, index, out)
    shutil.rmtree(index.parent)
    return seconds, process.returncode, said, wrong


# --- two at once ----------------------------------------------------------------------------


def two_at_once(case: Case, *, empty: bool) -> list[str]:
    """Start two updates of an index (``empty``: of one that is not there yet) together; returns
    what is wrong with how they end."""
    index, out = case.fresh()
    if empty:
        shutil.rmtree(index)
    plan = {"phase": "read", "hold": True}
    both = [
        start(*arguments(index, case.last, out.with_name(f"out-{k}")), plan=plan) for k in range(2)
    ]
    ended: list[subprocess.Popen[str] | Forked] = []
    deadline = time.monotonic() + 300
    while not ended and time.monotonic() < deadline:
        ended = [process for process in both if process.poll() is not None]
        time.sleep(0.01)
    wrong = []
    if len(ended) != 1:
        wrong.append(f"{len(ended)} of two ended while one was at work")
    codes = []
    for process in both:
        _, said = process.communicate(timeout=300)  # closes stdin, which lets the holder go on
        codes.append(process.returncode)
        if process.returncode == 4 and "another job is changing this index" not in said:
            wrong.append(f"the lock is not named: {said[-300:]}")
        elif process.returncode not in (0, 4):
            wrong.append(said[-500:])
    if sorted(codes) != [0, 4]:
        wrong.append(f"exit codes {codes}")
    if (index / "index.sqlite").exists():
        wrong += problems(index)
    if not empty:
        found = content(index)
        wrong += [f"table {name} differs" for name in differences(found, case.content)]
    shutil.rmtree(index.parent)
    return wrong


# --- full disks -----------------------------------------------------------------------------


def can_mount() -> bool:
    """Whether this process may mount file systems."""
    if os.geteuid() != 0 or shutil.which("mount") is None or sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as probe:
        try:
            with small_disk(Path(probe), 2**20):
                return True
        except subprocess.CalledProcessError:
            return False


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system in memory of ``size`` bytes at ``folder``."""
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def resize(folder: Path, size: int) -> None:
    """Make such a file system larger."""
    words = ["mount", "-o", f"remount,size={size}", str(folder)]
    subprocess.run(words, check=True, capture_output=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """``folder`` cannot be written: mounted so for root, whom permissions do not stop."""
    if os.geteuid() != 0:
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True, capture_output=True)
    try:
        words = ["mount", "-o", "remount,ro,bind", str(folder)]
        subprocess.run(words, check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def used(folder: Path) -> int:
    """Bytes in use of the file system at ``folder``."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def room_needed(case: Case, disk: Path) -> tuple[int, int]:
    """Bytes in use on a disk with the index before an update, and at most during it."""
    most = 0
    stop = threading.Event()

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.005):
            most = max(most, used(disk))

    with small_disk(disk, 2**30):
        index, out = case.fresh(disk)
        before = used(disk)
        watcher = threading.Thread(target=watch)
        watcher.start()
        expect(run(*arguments(index, case.last, out)), 0)
        stop.set()
        watcher.join()
    return before, most


def disk_full(case: Case, disk: Path, size: int) -> tuple[int, list[str]]:
    """Update an index on a disk of ``size`` bytes; returns the exit code and what is wrong.

    Afterwards the disk is made larger and the update run again.
    """
    with small_disk(disk, 2**30):
        index, out = case.fresh(disk)
        resize(disk, max(size, used(disk) + 4096))
        done = run(*arguments(index, case.last, out))
        wrong = []
        if done.returncode == 0:
            return 0, []
        if done.returncode != 5 or "full" not in done.stderr or "internal" in done.stderr:
            wrong.append(f"ended with {done.returncode}: {done.stderr[-500:]}")
        resize(disk, 2**30)
        wrong += [f"after the full disk: {problem}" for problem in problems(index)]
        if unfinished(index) == "reading" and results(index) != case.before:
            wrong.append("tables changed, though nothing was committed")
        wrong += again(case, index, out)
    return done.returncode, wrong


def size_limit(limit: int) -> Callable[[], None]:
    """For :func:`run`: no file of the process may be larger than ``limit`` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
