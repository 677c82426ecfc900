"""Openings and closings of passages that belong to one outlet alone."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.ordering import stable_order


@kernel
def outlet_specific(key, article, outlet, least, share):
    """Passages (bool) whose ``key`` stands in ``least`` articles or more of one outlet, which
    are at least ``share`` of all articles with that key.

    ``key`` uint64 (0: none), ``article`` int32 ascending, ``outlet`` int64 (-1: none), all
    (passages,). Two passes over a hash table: the majority vote of Boyer and Moore names each
    key's only possible outlet, the second pass counts it. Linear.
    """
    n = len(key)
    size = 1024
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    names = np.zeros(size, np.uint64)
    leader = np.empty(size, np.int64)
    leader[:] = -1
    votes = np.zeros(size, np.int32)
    last = np.empty(size, np.int32)
    last[:] = -1
    own = np.zeros(size, np.int32)
    total = np.zeros(size, np.int32)
    slot = np.empty(n, np.int64)
    slot[:] = -1
    for p in range(n):
        if key[p] == 0 or outlet[p] < 0:
            continue
        j = (key[p] ^ (key[p] >> np.uint64(29))) & mask
        while names[j] != 0 and names[j] != key[p]:
            j = (j + np.uint64(1)) & mask
        names[j] = key[p]
        slot[p] = j
        if last[j] == article[p]:
            continue
        last[j] = article[p]
        if votes[j] == 0:
            leader[j] = outlet[p]
            votes[j] = 1
        elif leader[j] == outlet[p]:
            votes[j] += 1
        else:
            votes[j] -= 1
    last[:] = -1
    for p in range(n):
        j = slot[p]
        if j < 0 or last[j] == article[p]:
            continue
        last[j] = article[p]
        total[j] += 1
        if outlet[p] == leader[j]:
            own[j] += 1
    out = np.zeros(n, np.bool_)
    for p in range(n):
        j = slot[p]
        if j >= 0 and outlet[p] == leader[j] and own[j] >= least:
            out[p] = own[j] >= share * total[j]
    return out


@kernel
def repeated_inside(d_passage, key):
    """Passages (bool) whose ``key`` (uint64) stands twice or more in their own article."""
    out = np.zeros(len(key), np.bool_)
    most = 0
    for d in range(len(d_passage) - 1):
        most = max(most, d_passage[d + 1] - d_passage[d])
    own = np.empty(most, np.int64)
    order = np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
    for d in range(len(d_passage) - 1):
        lo = d_passage[d]
        size = d_passage[d + 1] - lo
        for i in range(size):
            own[i] = np.int64(key[lo + i])
        stable_order(own, size, order, spare)
        for i in range(1, size):
            if key[lo + order[i]] == key[lo + order[i - 1]]:
                out[lo + order[i]] = True
                out[lo + order[i - 1]] = True
    return out
