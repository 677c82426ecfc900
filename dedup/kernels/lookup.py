"""Looking the passages of one text up among the distinct passages of many."""

from __future__ import annotations

import numpy as np

from dedup.kernels.bands import NEAR, are_alike, first_word, may_be_alike
from dedup.kernels.jit import kernel, leaf
from dedup.kernels.machine import fetch
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
    o_card,
    entries,
    card,
    c_word,
    v_bits,
    most,
    jaccard,
    least,
    dice,
    inside,
):
    """Passages that share a band key with one of ours and prove alike, as ``bands.join_band``
    has it: ``(ours, theirs, shared)``, int64, the last in quarters of a bit.

    Ours: ``keys`` (uint32, passages x bands), ``o_content`` int64 (passages + 1) and ``o_word``
    int32: those of the content words that are known, ascending; ``o_card`` (uint64, (passages, 4)):
    ``bands.cards`` of all their words. Theirs: ``entries`` (uint64, bands x passages; key high,
    number low; sorted), ``card`` and ``c_word`` (int32) likewise. ``v_bits`` uint8 (words). Of each
    bucket ``most`` passages are looked at.
    """
    rows = np.empty(256, np.int64)
    theirs = np.empty(256, np.int64)
    bits = np.empty(256, np.int64)
    count = 0
    near = np.empty(keys.shape[1] * most, np.int64)
    both = np.empty((2, 4), np.uint64)
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
        both[0] = o_card[i]
        before = -1
        for k in range(met):
            # They lie anywhere: what will be looked at is asked for before.
            if k + 2 * NEAR < met:
                fetch(card, near[k + 2 * NEAR])
            if k + NEAR < met:
                fetch(c_word, first_word(card[near[k + NEAR]]))
            u = near[k]
            if u == before:
                continue
            before = u
            both[1] = card[u]
            if not may_be_alike(0, 1, both, jaccard):
                continue
            begin = first_word(both[1])
            end = begin + np.int64(both[1, 2] >> np.uint64(56))
            n, shared = common(o_content[i], o_content[i + 1], o_word, begin, end, c_word, v_bits)
            if not are_alike(0, 1, both, n, shared, jaccard, least, dice, inside):
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
