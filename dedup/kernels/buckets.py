"""LSH buckets by themselves: the pairs that one band's buckets compare, and pairs compared alone.

``bands.join_bands`` has all passages in memory and knows each word by a number. Where passages lie
on many machines, a bucket has what it was sent: words known by their hashes, or keys and bitmaps
alone. The rules are the same.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.bands import (
    are_alike,
    first_word,
    may_be_alike,
    smallest_first,
    sorted_entries,
)
from dedup.kernels.jit import kernel, leaf
from dedup.kernels.minhash import QUARTERS
from dedup.kernels.vocabulary import widened


@kernel
def bucket_pairs(keys, passage, p_key, card, jaccard, cap, representatives):
    """Pairs of passages that share a key (uint32, entries) of one band and whose bitmaps leave
    room for ``jaccard``.

    ``passage`` int64 (entries): whose key it is. ``p_key`` uint64 (passages), ``card`` uint64
    (passages, 3 at least): see ``bands.cards``.
    A bucket of up to ``cap`` passages is compared all with all, a greater one with its
    ``representatives`` of the smallest keys (``bands.join_bands``).

    Returns ``(one, two, full)``: numbers of passages (int64), and how many buckets were greater.
    """
    entries = sorted_entries(keys, np.empty((2, len(keys)), np.uint64))
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
            smallest_first(entries[i:j], representatives, passage, p_key)
        for x in range(i + 1, j):
            v = passage[np.int64(entries[x] & low)]
            last = x if j - i <= cap else min(x, i + representatives)
            for y in range(i, last):
                u = passage[np.int64(entries[y] & low)]
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


@leaf
def shared_by_hash(u, v, card, c_hash, c_bits, jaccard, least, dice, inside):
    """``bands.shared_information`` of passages whose words are known by their hashes.

    ``c_hash`` uint64, ascending in each passage, and ``c_bits`` uint8 of every word of every
    passage.
    """
    i = first_word(card[u])
    j = first_word(card[v])
    end_i = i + np.int64(card[u, 2] >> np.uint64(56))
    end_j = j + np.int64(card[v, 2] >> np.uint64(56))
    n = 0
    shared = 0
    while i < end_i and j < end_j:
        x = c_hash[i]
        y = c_hash[j]
        if x == y:
            n += 1
            shared += c_bits[i] & QUARTERS
        i += x <= y
        j += y <= x
    return shared if are_alike(u, v, card, n, shared, jaccard, least, dice, inside) else 0


@kernel
def compared(u, v, card, c_hash, c_bits, jaccard, least, dice, inside):
    """What pairs of passages ``u``, ``v`` (int64) share, in quarters of a bit (int32): see
    ``shared_by_hash``."""
    out = np.empty(len(u), np.int32)
    for i in range(len(u)):
        out[i] = shared_by_hash(u[i], v[i], card, c_hash, c_bits, jaccard, least, dice, inside)
    return out


@kernel
def places_among(hashes, known):
    """Where each of ``hashes`` (uint64) stands among the ``known`` ones (uint64, ascending, once
    each; int32). All are known."""
    # Hashes are even: those that begin with the same bits are few.
    bits = 1
    while (1 << bits) < len(known):
        bits += 1
    shift = np.uint64(64 - bits)
    first = np.zeros((1 << bits) + 1, np.int32)
    for k in known:
        first[np.int64(k >> shift) + 1] += 1
    for i in range(1 << bits):
        first[i + 1] += first[i]
    out = np.empty(len(hashes), np.int32)
    for i in range(len(hashes)):
        part = np.int64(hashes[i] >> shift)
        lo = first[part]
        hi = first[part + 1]
        while hi - lo > 1:
            middle = (lo + hi) // 2
            if known[middle] <= hashes[i]:
                lo = middle
            else:
                hi = middle
        out[i] = lo
    return out


@kernel
def words_by_hash(p_content, c_word, v_hash, v_bits, hashes, bits):
    """The content words of passages (``p_content`` int64, passages + 1; ``c_word`` int32), those of
    each in the order of their hashes: into ``hashes`` (uint64) and ``bits`` (uint8)."""
    for p in range(len(p_content) - 1):
        for j in range(p_content[p], p_content[p + 1]):
            h = v_hash[c_word[j]]
            k = j
            while k > p_content[p] and hashes[k - 1] > h:
                hashes[k] = hashes[k - 1]
                bits[k] = bits[k - 1]
                k -= 1
            hashes[k] = h
            bits[k] = v_bits[c_word[j]]
