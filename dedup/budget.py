"""How much memory a run may take: what users write, and what follows from it."""

from __future__ import annotations

import re

from dedup.errors import UsageError
from dedup.memory import machine_memory

UNITS = {
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
LEAST = 500_000_000
"""Less is no use: the program, its tables and the batches under way take as much."""
SHARE_OF_MACHINE = 0.5
OVERHEAD = 400_000_000
"""Bytes that a run takes whatever it reads."""
NEED = 6
"""Bytes of memory that a byte of text takes in a run that spills nothing: 5.4 on 20,000 articles of
real news, 5.7 on 100,000 generated ones."""

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)B?\s*", re.IGNORECASE)


def memory_budget(memory: str | int | None) -> int:
    """A budget in bytes: ``"4GB"`` (1000³), ``"512MiB"`` (1024²), a number of bytes.

    ``None`` stands for half of the machine's memory, or of what its control group allows.

    Raises :class:`~dedup.errors.UsageError` for anything else and for less than ``LEAST``.
    """
    if memory is None:
        return max(LEAST, int(SHARE_OF_MACHINE * machine_memory()))
    size = _bytes(memory)
    if size is None:
        raise UsageError(f"memory: expected a size such as 4GB or 512MiB, got {memory!r}")
    if size < LEAST:
        raise UsageError(
            f"memory: {memory!r} is too little; the least that is of use is {LEAST // 10**6}MB"
        )
    return size


def _bytes(memory: str | int) -> int | None:
    if not isinstance(memory, str):
        return memory if isinstance(memory, int) and not isinstance(memory, bool) else None
    found = _SIZE.fullmatch(memory)
    if found is None:
        return None
    units = {unit.lower(): size for unit, size in UNITS.items()}
    return int(float(found[1]) * units[found[2].lower() + "b"])


def text_limit(budget: int) -> int:
    """Bytes of text up to which a run stays below ``budget`` bytes with everything in memory."""
    return max(0, budget - OVERHEAD) // NEED
