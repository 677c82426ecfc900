"""Memory of the process: how much it took, and handing back what is free."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def peak_memory_mb() -> float:
    """Greatest resident memory of the process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def release_memory() -> None:
    """Hand freed memory back to the system.

    glibc keeps what many threads have freed in many pieces, Arrow keeps it in its pool; over a
    large dump that is a third of the peak. Elsewhere than on glibc only Arrow's part is done.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


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
def _malloc_trim() -> Callable[[int], Any] | None:
    try:
        found: Callable[[int], Any] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return found
