"""Sorting and searching inside kernels; what numba has for it is dear to compile."""

from __future__ import annotations

from dedup.kernels.jit import leaf


@leaf
def stable_order(keys, count, order, spare):
    """Places of the first ``count`` keys by ascending key, into ``order`` (int64); equal keys keep
    their order. ``spare`` (int64, as long) is scratch. A merge sort from runs of one upwards."""
    for i in range(count):
        order[i] = i
    width = 1
    while width < count:
        for lo in range(0, count, 2 * width):
            middle = min(lo + width, count)
            hi = min(lo + 2 * width, count)
            i = lo
            j = middle
            for k in range(lo, hi):
                if i < middle and (j == hi or keys[order[i]] <= keys[order[j]]):
                    spare[k] = order[i]
                    i += 1
                else:
                    spare[k] = order[j]
                    j += 1
        for k in range(count):
            order[k] = spare[k]
        width *= 2


@leaf
def first_from(ascending, lo, hi, least):
    """First place from ``lo`` on whose value is ``least`` or more; ``hi`` where there is none."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if ascending[middle] < least:
            lo = middle + 1
        else:
            hi = middle
    return lo
