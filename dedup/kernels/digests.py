"""Digests of rows: two 64-bit hashes of each value, and of what values are put together in.

Multiplicative mixing with the constants of MurmurHash3's finaliser (Appleby 2011).
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf

ONE = np.uint64(0xFF51AFD7ED558CCD)
TWO = np.uint64(0xC4CEB9FE1A85EC53)
START = np.uint64(0x9E3779B97F4A7C15)
SHIFT_ONE, SHIFT_TWO = np.uint64(32), np.uint64(29)


@leaf
def mixed(h, x, factor, shift):
    """A hash after one more value."""
    h = (h ^ x) * factor
    return h ^ (h >> shift)


@kernel
def of_texts(data, offsets, out):
    """Digests of strings: ``data`` uint8 from ``offsets`` (int64, strings + 1) on; ``out`` uint64
    (strings, 2)."""
    for i in range(len(out)):
        size = np.uint64(offsets[i + 1] - offsets[i])
        one = START ^ size
        two = START + size
        for j in range(offsets[i], offsets[i + 1]):
            x = np.uint64(data[j])
            one = mixed(one, x, ONE, SHIFT_ONE)
            two = mixed(two, x, TWO, SHIFT_TWO)
        out[i, 0] = one
        out[i, 1] = two


@kernel
def of_numbers(values, out):
    """Digests of numbers: ``values`` uint64, ``out`` uint64 (numbers, 2)."""
    for i in range(len(out)):
        out[i, 0] = mixed(START, values[i], ONE, SHIFT_ONE)
        out[i, 1] = mixed(START, values[i], TWO, SHIFT_TWO)


@kernel
def of_lists(offsets, items, ordered, out):
    """Digests of lists, from those of their ``items`` (uint64, (items, 2)): ``offsets`` int64
    (lists + 1), ``out`` uint64 (lists, 2). Unless ``ordered``, lists of the same items in another
    order have the same digest."""
    for i in range(len(out)):
        size = np.uint64(offsets[i + 1] - offsets[i])
        one = START ^ size
        two = START + size
        for j in range(offsets[i], offsets[i + 1]):
            if ordered:
                one = mixed(one, items[j, 0], ONE, SHIFT_ONE)
                two = mixed(two, items[j, 1], TWO, SHIFT_TWO)
            else:
                one += mixed(START, items[j, 0], ONE, SHIFT_ONE)
                two += mixed(START, items[j, 1], TWO, SHIFT_TWO)
        out[i, 0] = mixed(one, size, ONE, SHIFT_ONE)
        out[i, 1] = mixed(two, size, TWO, SHIFT_TWO)


@kernel
def join(out, column):
    """Add a column to the digests of rows (uint64, (rows, 2)), in place."""
    for i in range(len(out)):
        out[i, 0] = mixed(out[i, 0], column[i, 0], ONE, SHIFT_ONE)
        out[i, 1] = mixed(out[i, 1], column[i, 1], TWO, SHIFT_TWO)
