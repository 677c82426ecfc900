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
def word_bits(h, slots, values, default, least):
    """Information of a word (uint8) by its hash, from the background table.

    The low seven bits hold quarters of a bit, ``default`` for words that the table does not
    list; the high bit marks content, a word that carries ``least`` quarters or more.
    """
    mask = np.uint64(len(slots) - 1)
    j = (h ^ (h >> np.uint64(29))) & mask
    found = default
    while slots[j] != EMPTY:
        if slots[j] == h:
            found = values[j]
            break
        j = (j + np.uint64(1)) & mask
    return found | CONTENT if found >= least else found


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
