"""Looking the passages of one text up among the distinct passages of many."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.minhash import QUARTERS


@leaf
def first_entry(entries, low):
    """Place of the first of the sorted ``entries`` (uint64) that is not less than ``low``."""
    begin = 0
    end = len(entries)
    while begin < end:
        middle = (begin + end) >> 1
        if entries[middle] < low:
            begin = middle + 1
        else:
            end = middle
    return begin


@leaf
def common(i, end_i, one, j, end_j, other, v_bits):
    """Words that two sets have in common (ranges of ``one`` and ``other``, ascending): how many,
    and their information in quarters of a bit."""
    n = 0
    shared = 0
    while i < end_i and j < end_j:
        x = one[i]
        y = other[j]
        if x == y:
            n += 1
            shared += v_bits[x] & QUARTERS
        i += x <= y
        j += y <= x
    return n, shared


@kernel
def look_up(
    keys,
    o_content,
    o_word,
    o_size,
    o_quarters,
    entries,
    u_content,
    u_word,
    u_quarters,
    v_bits,
    most,
    jaccard,
    least,
    dice,
    inside,
):
    """Passages that share a band key with one of ours and prove alike, as ``bands.join_bands``
    has it: ``(ours, theirs, shared)``, int64, the last in quarters of a bit.

    Ours: ``keys`` (uint32, passages x bands), ``o_content`` int64 (passages + 1) and ``o_word``
    int32: those of the content words that are known, ascending; ``o_size``, ``o_quarters`` int64
    how many there are in all, and their information. Theirs: ``entries`` (uint64, bands x
    passages; key high, number low; sorted), ``u_content``, ``u_word`` and ``u_quarters`` (int32)
    likewise. ``v_bits`` uint8 (words). Of each bucket ``most`` passages are looked at.
    """
    rows = np.empty(256, np.int64)
    theirs = np.empty(256, np.int64)
    bits = np.empty(256, np.int64)
    count = 0
    near = np.empty(keys.shape[1] * most, np.int64)
    low = np.uint64(0xFFFFFFFF)
    for i in range(keys.shape[0]):
        met = 0
        for band in range(keys.shape[1]):
            bucket = entries[band]
            key = np.uint64(keys[i, band])
            at = first_entry(bucket, key << np.uint64(32))
            last = min(len(bucket), at + most)
            while at < last and bucket[at] >> np.uint64(32) == key:
                near[met] = np.int64(bucket[at] & low)
                met += 1
                at += 1
        near[:met].sort()
        before = -1
        for k in range(met):
            u = near[k]
            if u == before:
                continue
            before = u
            n, shared = common(
                o_content[i],
                o_content[i + 1],
                o_word,
                u_content[u],
                u_content[u + 1],
                u_word,
                v_bits,
            )
            size = o_size[i] + u_content[u + 1] - u_content[u]
            if shared < least or n < jaccard * (size - n):
                continue
            a = o_quarters[i]
            b = u_quarters[u]
            if 2 * shared < dice * (a + b) and shared < inside * min(a, b):
                continue
            if count == len(rows):
                rows = np.append(rows, rows)
                theirs = np.append(theirs, theirs)
                bits = np.append(bits, bits)
            rows[count] = i
            theirs[count] = u
            bits[count] = shared
            count += 1
    return rows[:count].copy(), theirs[:count].copy(), bits[:count].copy()
