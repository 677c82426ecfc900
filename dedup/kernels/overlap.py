"""What two passages have in common, word by word: the check of a collision of signatures."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS


@kernel
def content_sets(passage, p_article, p_token, t_word, d_word, w_hash, w_bits, start, words, bits):
    """The distinct content words of passages, in order of their hashes.

    ``start`` (int64, passages + 1) receives where each set begins, ``words`` (uint32 folded
    hashes) and ``bits`` (uint8 quarters of a bit) the sets; both need room for all tokens of the
    passages. Returns the number of words in all.
    """
    n = 0
    for i in range(len(passage)):
        p = passage[i]
        first = d_word[p_article[p]]
        start[i] = n
        for t in range(p_token[p], p_token[p + 1]):
            w = first + t_word[t]
            if not w_bits[w] & CONTENT:
                continue
            h = np.uint32(w_hash[w] ^ (w_hash[w] >> np.uint64(32)))
            k = n
            while k > start[i] and words[k - 1] > h:
                k -= 1
            if k > start[i] and words[k - 1] == h:
                continue
            for j in range(n, k, -1):
                words[j] = words[j - 1]
                bits[j] = bits[j - 1]
            words[k] = h
            bits[k] = w_bits[w] & QUARTERS
            n += 1
    start[len(passage)] = n
    return n


@kernel
def overlaps(u, v, start, words, bits, total, least, dice, inside, out):
    """Information that passages ``u[i]`` and ``v[i]`` share (int32 quarters of a bit), 0 where it
    is less than ``least``, or less than ``dice`` of both and ``inside`` of the lesser together.

    ``total`` (int32) is what each passage holds.
    """
    for e in range(len(u)):
        i = start[u[e]]
        j = start[v[e]]
        end_i = start[u[e] + 1]
        end_j = start[v[e] + 1]
        shared = 0
        while i < end_i and j < end_j:
            if words[i] == words[j]:
                shared += bits[i]
                i += 1
                j += 1
            elif words[i] < words[j]:
                i += 1
            else:
                j += 1
        a = total[u[e]]
        b = total[v[e]]
        enough = 2 * shared >= dice * (a + b) or shared >= inside * min(a, b)
        out[e] = shared if shared >= least and enough else 0


@kernel
def totals(start, bits, out):
    """Information of each set (int32 quarters of a bit)."""
    for i in range(len(out)):
        n = 0
        for k in range(start[i], start[i + 1]):
            n += bits[k]
        out[i] = n
