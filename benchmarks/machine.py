"""Where and with what figures were taken: machine, versions, commit."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("dedup", "numpy", "numba", "scikit-learn", "pyarrow", "orjson", "datasketch")


def circumstances(watched: Sequence[str], packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """The machine and the versions; ``watched`` are the folders that the commit stands for."""
    versions: dict[str, str | None] = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{processor()}, {platform.machine()}, {platform.system()}",
        "cores": os.cpu_count(),
        "memory_gib": round(memory() / 2**30, 1),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit(watched),
    }


def headline(about: dict[str, Any]) -> str:
    """The circumstances as a sentence."""
    versions = ", ".join(f"{k} {v}" for k, v in about["versions"].items() if v)
    return (
        f"Taken {about['date']} on {about['machine']}, {about['cores']} cores, "
        f"{about['memory_gib']:g} GiB, Python {about['python']}; {versions}; "
        f"commit {about['commit'] or 'unknown'}. Default settings."
    )


def processor() -> str:
    """The model of the processor, as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # Not Linux.
    return platform.processor() or "unknown processor"


def memory() -> int:
    """Bytes of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def available_memory() -> int:
    """Bytes of memory that a new process can have without swapping; all, where not known."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 2**10
    except OSError:
        pass  # Not Linux.
    return memory()


def commit(watched: Sequence[str]) -> str | None:
    """The commit that was measured, with ``+`` where the watched files differ from it."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *watched)
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
