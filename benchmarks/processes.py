"""Commands timed as a user runs them: whole processes, started and ended.

Keep what imports this light: a child's peak memory is at least what its parent had when it
started the child.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
"""The repository."""


class FailedError(Exception):
    """A measured command ended with an error; the message ends with what it said."""


@dataclass(frozen=True)
class Usage:
    """What a process cost: seconds on the clock and of processors, with those of its children.

    ``peak_mb`` is the greatest resident memory, in MiB, of the process or of one of its children:
    processes at work together are not added up.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> Usage:
    """Run a command in ``folder``, with ``environment`` on top of the present one.

    ``output`` takes what it prints; errors are shown only when it fails. Raises ``FailedError``.
    """
    words = [str(word) for word in command]
    kept = Path(os.devnull) if output is None else output
    with kept.open("wb") as out, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip() or "no reason given"
            raise FailedError(f"{' '.join(words)} ended with {process.returncode}:\n{said[-2000:]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def median(runs: Sequence[Usage]) -> Usage:
    """Medians of seconds, and the greatest memory."""
    return Usage(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        max(run.peak_mb for run in runs),
    )


def dedup(*arguments: str | Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment of ``dedup`` as it stands in this repository."""
    before = os.environ.get("PYTHONPATH")
    path = f"{ROOT}{os.pathsep}{before}" if before else str(ROOT)
    return [sys.executable, "-m", "dedup", *map(str, arguments)], {"PYTHONPATH": path}
