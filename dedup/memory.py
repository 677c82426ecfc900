"""Memory of the process: how much it took, and handing back what is free."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def peak_memory_mb() -> float:
    """Greatest resident memory of the process so far, in MiB.

    ``getrusage`` also counts what the process was before it became this program: the greater one
    that forked it. Linux tells its own.
    """
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 2**10, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


class Resident(NamedTuple):
    """Bytes of the process in memory: its own, and those of files that it has mapped."""

    private: int
    mapped: int


def resident_memory() -> Resident | None:
    """Resident memory now; ``None`` where the system does not tell (it is read from ``/proc``)."""
    try:
        fields = Path("/proc/self/statm").read_bytes().split()
    except OSError:
        return None
    page = resource.getpagesize()
    resident, mapped = int(fields[1]) * page, int(fields[2]) * page
    return Resident(resident - mapped, mapped)


_GROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory() -> int:
    """Bytes of memory of the machine, or of the control group (a container) if that has less."""
    least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _GROUP_LIMITS:
        try:
            limit = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdigit():  # else "max"
            least = min(least, int(limit))
    return least


RELEASE_SECONDS = 0.2
_released = 0.0


def release_memory() -> None:
    """Hand freed memory back to the system, unless that was done RELEASE_SECONDS ago: it takes
    milliseconds, as long as a stage over a few texts.

    glibc keeps what many threads have freed in many pieces, Arrow keeps it in its pool; over a
    large dump that is a third of the peak. Elsewhere than on glibc only Arrow's part is done.
    """
    global _released
    import pyarrow as pa

    if time.monotonic() < _released + RELEASE_SECONDS:
        return
    _released = time.monotonic()
    pa.default_memory_pool().release_unused()
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


LARGE_BLOCK = 2**18
_M_MMAP_THRESHOLD = -3


def return_large_blocks() -> None:
    """Have freed blocks of LARGE_BLOCK bytes and more handed back at once, for this process.

    glibc raises that threshold as it goes, and keeps what threads have freed: in a large run a
    quarter of the peak. Elsewhere this does nothing.
    """
    tune = _of_libc("mallopt")
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, LARGE_BLOCK)


NEW_OBJECTS = 200_000


def collect_rarely() -> None:
    """Have the cyclic garbage collector of this process look only after NEW_OBJECTS new objects.

    By default it does so after some hundreds, while modules load a million objects that stay.
    """
    gc.set_threshold(NEW_OBJECTS)


def end_without_collection() -> None:
    """Leave what the process holds to the system when it ends.

    The interpreter would walk all objects for cyclic garbage first, for most of a second after
    the smallest scan. Everything else of an orderly end takes place as ever.
    """
    gc.freeze()


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector, which walks millions of rows again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _of_libc(name: str) -> Callable[..., Any] | None:
    try:
        found: Callable[..., Any] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    return found
