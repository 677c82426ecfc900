"""Openings and closings of passages that belong to one outlet alone."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.ordering import stable_order

LEADER, VOTES, LAST, OWN, TOTAL = range(5)
"""What is counted of a key: its only possible outlet, the votes that are left for it, the article
that was looked at last, articles of that outlet, and all articles."""


@leaf
def edge_key(one, two):
    """Hash (uint64) of two words that follow each other, by their hashes."""
    return (one * np.uint64(0x9E3779B97F4A7C15)) ^ two


@leaf
def edge_keys(p_token, t_word, v_hash, last, key):
    """Hash of the first (or last) two words of every passage into ``key`` (uint64); 0 where it has
    only one."""
    for p in range(len(key)):
        lo = p_token[p]
        hi = p_token[p + 1]
        key[p] = 0
        if hi - lo >= 2:
            one = hi - 2 if last else lo
            key[p] = edge_key(v_hash[t_word[one]], v_hash[t_word[one + 1]])


@kernel
def outlet_specific(key, article, outlet, least, share):
    """Passages (bool) whose ``key`` stands in ``least`` articles or more of one outlet, which
    are at least ``share`` of all articles with that key.

    ``key`` uint64 (0: none) and ``article`` int32 ascending (passages,); ``outlet`` int64
    (articles,), -1: none. Two passes over a hash table: the majority vote of Boyer and Moore names
    each key's only possible outlet, the second pass counts it. Linear.
    """
    n = len(key)
    size = 1024
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    # The numbers of the keys, in the order in which they come: what is counted of one lies in one
    # place, and those that come often lie together.
    number = np.zeros(size, np.int32)
    names = np.empty(n, np.uint64)
    counted = np.zeros((n, 5), np.int32)
    slot = np.empty(n, np.int32)
    keys = 0
    for p in range(n):
        slot[p] = -1
        own = outlet[article[p]]
        if key[p] == 0 or own < 0:
            continue
        j = (key[p] ^ (key[p] >> np.uint64(29))) & mask
        while number[j] != 0 and names[number[j] - 1] != key[p]:
            j = (j + np.uint64(1)) & mask
        if number[j] == 0:
            names[keys] = key[p]
            keys += 1
            number[j] = keys
            counted[keys - 1, LAST] = -1
        k = number[j] - 1
        slot[p] = k
        if counted[k, LAST] == article[p]:
            continue
        counted[k, LAST] = article[p]
        if counted[k, VOTES] == 0:
            counted[k, LEADER] = own
            counted[k, VOTES] = 1
        elif counted[k, LEADER] == own:
            counted[k, VOTES] += 1
        else:
            counted[k, VOTES] -= 1
    for k in range(keys):
        counted[k, LAST] = -1
    for p in range(n):
        k = slot[p]
        if k < 0 or counted[k, LAST] == article[p]:
            continue
        counted[k, LAST] = article[p]
        counted[k, TOTAL] += 1
        counted[k, OWN] += outlet[article[p]] == counted[k, LEADER]
    out = np.zeros(n, np.bool_)
    for p in range(n):
        k = slot[p]
        if k < 0 or counted[k, OWN] < least:
            continue
        if outlet[article[p]] == counted[k, LEADER]:
            out[p] = counted[k, OWN] >= share * counted[k, TOTAL]
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
