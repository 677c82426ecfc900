"""MinHash signatures, band keys and their comparison, over flat arrays.

Scheme ``affine32`` of datasketch 2.0: ``min over tokens of a_k * fmix32(h) + b_k mod 2^32``.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel

EMPTY = np.uint64(0)
CONTENT = np.uint8(0x80)
QUARTERS = np.uint8(0x7F)


@kernel
def hash_table(keys, bits, size):
    """Open-addressing table of the background: (uint64 slots, uint8 quarters of a bit)."""
    mask = np.uint64(size - 1)
    slots = np.zeros(size, np.uint64)
    values = np.zeros(size, np.uint8)
    for i in range(len(keys)):
        j = (keys[i] ^ (keys[i] >> np.uint64(29))) & mask
        while slots[j] != EMPTY:
            j = (j + np.uint64(1)) & mask
        slots[j] = keys[i]
        values[j] = bits[i]
    return slots, values


@kernel
def token_bits(t_hash, t_start, t_end, t_chars, slots, values, default, least, out):
    """Information of every token from the background table (uint8).

    The low seven bits hold quarters of a bit; the high bit marks content, a token that carries
    ``least`` quarters or more. Tokens that overlap their successor (Han pairs, Thai triples)
    count in proportion to the characters they add.
    """
    mask = np.uint64(len(slots) - 1)
    for i in range(len(t_hash)):
        h = t_hash[i]
        j = (h ^ (h >> np.uint64(29))) & mask
        found = default
        while slots[j] != EMPTY:
            if slots[j] == h:
                found = values[j]
                break
            j = (j + np.uint64(1)) & mask
        content = found >= least
        if i + 1 < len(t_hash) and t_start[i] < t_start[i + 1] < t_end[i]:
            found = np.uint8(found // t_chars[i])
        out[i] = found | CONTENT if content else found


@kernel
def fmix32(h):
    """MurmurHash3's finaliser (Appleby), uint32.

    Every product is cut back to 32 bits at once: numba widens uint32 arithmetic.
    """
    h = np.uint32(h)
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@kernel
def fold32(h):
    """64-bit FNV-1a folded to 32 bits by XOR, as its authors describe."""
    return np.uint32(h ^ (h >> np.uint64(32)))


@kernel
def sign(hashes, n, a, b, out):
    """MinHash of ``n`` token hashes (uint32): ``out[k] = min(a[k] * fmix32(h) + b[k])``."""
    perms = len(a)
    for k in range(perms):
        out[k] = np.uint32(0xFFFFFFFF)
    for i in range(n):
        h = fmix32(hashes[i])
        for k in range(perms):
            value = np.uint32(a[k] * h + b[k])
            out[k] = min(out[k], value)


@kernel
def signatures(t_hash, p_token, a, b):
    """Signatures (uint32, passages x permutations) of all tokens of each passage."""
    passages = len(p_token) - 1
    out = np.empty((passages, len(a)), np.uint32)
    longest = 0
    for p in range(passages):
        longest = max(longest, p_token[p + 1] - p_token[p])
    scratch = np.empty(longest + 1, np.uint32)
    for p in range(passages):
        n = 0
        for t in range(p_token[p], p_token[p + 1]):
            scratch[n] = fold32(t_hash[t])
            n += 1
        sign(scratch, n, a, b, out[p])
    return out


@kernel
def describe(t_hash, bits, p_token, key, information, content):
    """Per passage: a 64-bit key of its token sequence, its information in bits over distinct
    content tokens, and how many those are.
    """
    passages = len(p_token) - 1
    size = 1024
    seen = np.zeros(size, np.uint64)
    stamp = np.zeros(size, np.int64)
    for p in range(passages):
        h = np.uint64(0x9E3779B97F4A7C15)
        total = 0
        count = 0
        for t in range(p_token[p], p_token[p + 1]):
            w = t_hash[t]
            h = (h ^ w) * np.uint64(0xFF51AFD7ED558CCD)
            h ^= h >> np.uint64(32)
            if bits[t] & CONTENT:
                j = np.int64(w >> np.uint64(20)) & (size - 1)
                new = True
                while stamp[j] == p + 1:
                    if seen[j] == w:
                        new = False
                        break
                    j = (j + 1) & (size - 1)
                if new:
                    stamp[j] = p + 1
                    seen[j] = w
                    total += bits[t] & QUARTERS
                    count += 1
        key[p] = h
        information[p] = np.float32(total / 4.0)
        content[p] = count


@kernel
def sketch_passages(t_hash, bits, p_token, chosen, a, b, bands, rows, keys, check):
    """Band keys (uint32, chosen x bands) and check slots (uint8, chosen x permutations).

    A band key hashes ``rows`` consecutive values of the signature over the content tokens; a
    check slot is the low byte of one value, enough to estimate Jaccard to a few hundredths.
    """
    perms = len(a)
    scratch = np.empty(4096, np.uint32)
    signature = np.empty(perms, np.uint32)
    for i in range(len(chosen)):
        p = chosen[i]
        n = 0
        for t in range(p_token[p], p_token[p + 1]):
            if bits[t] & CONTENT:
                scratch[n] = fold32(t_hash[t])
                n += 1
        sign(scratch, n, a, b, signature)
        for k in range(perms):
            check[i, k] = np.uint8(signature[k])
        for band in range(bands):
            h = np.uint32(0x811C9DC5)
            for r in range(rows):
                h = fmix32(h ^ signature[band * rows + r])
                h = np.uint32(h * np.uint32(5) + np.uint32(0xE6546B64))
            keys[i, band] = h


@kernel
def agreement(check, u, v):
    """How many check slots of two passages agree."""
    same = 0
    for k in range(check.shape[1]):
        if check[u, k] == check[v, k]:
            same += 1
    return same


@kernel
def join_band(entries, order_key, check, least, cap, representatives, out_u, out_v):
    """Pairs of passages that share a key of one band and agree in ``least`` slots or more.

    ``entries`` (uint64, sorted): key in the high 32 bits, passage in the low. A bucket of up to
    ``cap`` passages is compared all with all; in a greater one every passage is compared with
    the ``representatives`` that have the smallest ``order_key`` only.

    Writes pairs ``u < v`` as far as there is room; returns ``(pairs,
    capped buckets)``. When the pairs exceed the room the caller repeats with more.
    """
    n = len(entries)
    room = len(out_u)
    end = 0
    capped = 0
    i = 0
    low = np.uint64(0xFFFFFFFF)
    best = np.empty(representatives, np.int64)
    while i < n:
        j = i + 1
        key = entries[i] >> np.uint64(32)
        while j < n and entries[j] >> np.uint64(32) == key:
            j += 1
        size = j - i
        if size > 1:
            if size <= cap:
                for x in range(i, j):
                    u = np.int64(entries[x] & low)
                    for y in range(x + 1, j):
                        v = np.int64(entries[y] & low)
                        if agreement(check, u, v) >= least:
                            if end < room:
                                out_u[end] = min(u, v)
                                out_v[end] = max(u, v)
                            end += 1
            else:
                capped += 1
                have = 0
                for x in range(i, j):
                    u = np.int64(entries[x] & low)
                    k = have
                    while k > 0 and order_key[best[k - 1]] > order_key[u]:
                        if k < representatives:
                            best[k] = best[k - 1]
                        k -= 1
                    if k < representatives:
                        best[k] = u
                        have = min(have + 1, representatives)
                for x in range(i, j):
                    u = np.int64(entries[x] & low)
                    for y in range(have):
                        v = best[y]
                        if u == v:
                            continue
                        is_rep = False
                        for z in range(y):
                            if best[z] == u:
                                is_rep = True
                        if is_rep:
                            continue  # written once, from the other side
                        if agreement(check, u, v) >= least:
                            if end < room:
                                out_u[end] = min(u, v)
                                out_v[end] = max(u, v)
                            end += 1
        i = j
    return end, capped
