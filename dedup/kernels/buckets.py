"""LSH buckets by themselves: the pairs that one band's buckets compare, and pairs compared alone.

``bands.join_bands`` has all passages in memory, and looks at a pair as soon as a bucket shows it.
Where passages lie on many machines, buckets are built of keys and bitmaps alone, and the words of
a pair are fetched later, once for all bands. The rules are the same.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.bands import (
    may_be_alike,
    shared_information,
    smallest_first,
    sorted_entries,
)
from dedup.kernels.jit import kernel
from dedup.kernels.vocabulary import widened


@kernel
def bucket_pairs(keys, p_key, card, jaccard, cap, representatives):
    """Pairs of passages that share a key (uint32, passages) of one band and whose bitmaps leave
    room for ``jaccard``.

    ``p_key`` uint64 (passages), ``card`` uint64 (passages, 2 at least): see ``bands.cards``.
    A bucket of up to ``cap`` passages is compared all with all, a greater one with its
    ``representatives`` of the smallest keys (``bands.join_bands``).

    Returns ``(one, two, full)``: numbers of passages (int64), and how many buckets were greater.
    """
    entries = sorted_entries(keys)
    everyone = np.arange(len(keys))
    low = np.uint64(0xFFFFFFFF)
    one = np.empty(1024, np.int64)
    two = np.empty(1024, np.int64)
    count = 0
    full = 0
    i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and (entries[j] ^ entries[i]) <= low:
            j += 1
        if j - i > cap:
            full += 1
            smallest_first(entries[i:j], representatives, everyone, p_key)
        for x in range(i + 1, j):
            v = np.int64(entries[x] & low)
            last = x if j - i <= cap else min(x, i + representatives)
            for y in range(i, last):
                u = np.int64(entries[y] & low)
                if not may_be_alike(u, v, card, jaccard):
                    continue
                if count == len(one):
                    one = widened(one, 2 * count)
                    two = widened(two, 2 * count)
                one[count] = u
                two[count] = v
                count += 1
        i = j
    return one[:count].copy(), two[:count].copy(), full


@kernel
def compared(u, v, card, c_word, v_bits, jaccard, least, dice, inside):
    """What pairs of passages ``u``, ``v`` (int64) share, in quarters of a bit (int32): see
    ``bands.shared_information``."""
    out = np.empty(len(u), np.int32)
    for i in range(len(u)):
        out[i] = shared_information(u[i], v[i], card, c_word, v_bits, jaccard, least, dice, inside)
    return out
