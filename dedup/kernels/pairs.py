"""From passages that collide to pairs of articles worth aligning."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.machine import fetch
from dedup.kernels.ordering import stable_order

LOW = np.uint64(0xFFFFFFFF)
NEAR = 16  # edges ahead at which holders are prefetched; where these stand at twice that


@leaf
def high_of(pair):
    """The first number of a pair (uint64: two numbers, 32 bits each)."""
    return np.int64(pair >> np.uint64(32))


@leaf
def low_of(pair):
    """The second number of a pair."""
    return np.int64(pair & LOW)


@leaf
def fetch_holders(edges, e, start, article):
    """Ask for what will be read at the edges behind ``e``: their second passages lie anywhere."""
    if e + 2 * NEAR < len(edges):
        fetch(start, low_of(edges[e + 2 * NEAR]))
        fetch(article, start[low_of(edges[e + NEAR])])


@leaf
def emit(x, y, bits, first, end, keys, weights, n):
    """Write one pair of articles if its lesser one is of those from ``first`` to ``end``; returns
    the number of pairs so far."""
    if x != y and first <= min(x, y) < end:
        keys[n] = (np.uint64(min(x, y)) << np.uint64(32)) | np.uint64(max(x, y))
        weights[n] = bits
        n += 1
    return n


@leaf
def article_pairs(
    start, article, eighths, edges, edge_eighths, cap, reps, first, end, keys, weights
):
    """Pairs of articles that hold the same passage or two similar ones, as far as their lesser one
    is of those from ``first`` to ``end``.

    ``start`` (int64, passages + 1) and ``article`` (int32, ascending inside a passage): who
    holds what; ``eighths`` (int32) information; ``edges`` (uint64 pairs) similar passages with what
    they have in common (``edge_eighths``, int32). Up to ``cap`` holders are paired all
    with all; beyond it each is paired with the first ``reps`` of the passage only, so that k
    holders cost k, not k^2.

    Writes ``keys`` (uint64: smaller article high, greater low) and ``weights`` (int32 eighths
    of a bit), which have room for all (``count_article_pairs``); returns how many.
    """
    n = np.int64(0)
    for u in range(len(start) - 1):
        lo = start[u]
        hi = start[u + 1]
        bits = eighths[u]
        if hi - lo < 2 or article[lo] >= end:
            continue
        if hi - lo <= cap:
            for i in range(lo, hi):
                if first <= article[i] < end:
                    for j in range(i + 1, hi):
                        n = emit(article[i], article[j], bits, first, end, keys, weights, n)
        else:
            for i in range(lo, hi):
                for j in range(lo, min(lo + reps, i)):
                    n = emit(article[i], article[j], bits, first, end, keys, weights, n)
    for e in range(len(edges)):
        fetch_holders(edges, e, start, article)
        u = high_of(edges[e])
        v = low_of(edges[e])
        bits = edge_eighths[e]
        nu = start[u + 1] - start[u]
        nv = start[v + 1] - start[v]
        if nu + nv <= cap:
            for i in range(start[u], start[u + 1]):
                for j in range(start[v], start[v + 1]):
                    n = emit(article[i], article[j], bits, first, end, keys, weights, n)
        else:
            # Holders of one passage are joined to its first ones above: here those of the rarer
            # one meet the first of the other.
            if nu > nv:
                u, v = v, u
                nu, nv = nv, nu
            for i in range(start[u], start[u + 1]):
                for j in range(start[v], start[v] + min(nv, reps)):
                    n = emit(article[i], article[j], bits, first, end, keys, weights, n)
    return n


@leaf
def count_article_pairs(start, article, edges, cap, reps, counts):
    """How many pairs ``article_pairs`` gives for each lesser article (``counts`` int64, articles,
    zeros); returns how many passages have too many holders."""
    capped = np.int64(0)
    for u in range(len(start) - 1):
        lo = start[u]
        hi = start[u + 1]
        if hi - lo < 2:
            continue
        if hi - lo <= cap:
            for i in range(lo, hi):
                counts[article[i]] += hi - i - 1
        else:
            capped += 1
            for i in range(lo, hi):
                for j in range(lo, min(lo + reps, i)):
                    counts[article[j]] += 1
    for e in range(len(edges)):
        fetch_holders(edges, e, start, article)
        u = high_of(edges[e])
        v = low_of(edges[e])
        nu = start[u + 1] - start[u]
        nv = start[v + 1] - start[v]
        if nu + nv > cap:
            capped += 1
            if nu > nv:
                u, v = v, u
                nu, nv = nv, nu
            nv = min(nv, reps)
        for i in range(start[u], start[u + 1]):
            for j in range(start[v], start[v] + nv):
                if article[i] != article[j]:
                    counts[min(article[i], article[j])] += 1
    return capped


@leaf
def put_in_order(pairs, values, place, moved, carried):
    """Bring pairs (uint64: two numbers, 32 bits each) and their ``values`` (int32) into order.

    Sorted by counting, the low number first: linear. ``place`` (int64, one more than there are
    numbers), ``moved`` and ``carried`` (as long as ``pairs``) are scratch.
    """
    numbers = len(place) - 1
    for shift in (np.uint64(0), np.uint64(32)):
        place[:] = 0
        for e in range(len(pairs)):
            place[((pairs[e] >> shift) & np.uint64(0xFFFFFFFF)) + np.uint64(1)] += 1
        for i in range(numbers):
            place[i + 1] += place[i]
        for e in range(len(pairs)):
            i = (pairs[e] >> shift) & np.uint64(0xFFFFFFFF)
            moved[place[i]] = pairs[e]
            carried[place[i]] = values[e]
            place[i] += 1
        pairs, moved = moved, pairs
        values, carried = carried, values


@leaf
def distinct_pairs(pairs, shared, place, moved, carried):
    """Pairs once each, in order, with what they have in common (``shared`` int32), brought to the
    front; returns how many. For ``place`` and the rest see ``put_in_order``."""
    put_in_order(pairs, shared, place, moved, carried)
    n = 0
    for e in range(len(pairs)):
        if n == 0 or pairs[n - 1] != pairs[e]:
            pairs[n] = pairs[e]
            shared[n] = shared[e]
            n += 1
    return n


@leaf
def summed_pairs(pairs, weights, place, moved, carried, total):
    """Pairs once each, in order, brought to the front, with the sum of their ``weights`` (int32) in
    ``total`` (int64, as long as ``pairs``); returns how many. For ``place`` and the rest see
    ``put_in_order``."""
    put_in_order(pairs, weights, place, moved, carried)
    n = 0
    for e in range(len(pairs)):
        if n == 0 or pairs[n - 1] != pairs[e]:
            pairs[n] = pairs[e]
            total[n] = 0
            n += 1
        total[n - 1] += weights[e]
    return n


@leaf
def renamed_pairs(pairs, name):
    """Put other numbers (``name`` int64) in place of those of ``pairs`` (uint64), the lesser one
    first."""
    for e in range(len(pairs)):
        u = name[high_of(pairs[e])]
        v = name[low_of(pairs[e])]
        pairs[e] = (np.uint64(min(u, v)) << np.uint64(32)) | np.uint64(max(u, v))


@leaf
def merged_pairs(one, of_one, two, of_two, out, of_out):
    """Two lists of pairs (uint64, ascending) as one, those in both once, each with its value
    (int32); ``out`` and ``of_out`` are as long as both together. Returns how many."""
    n = 0
    i = 0
    j = 0
    while i < len(one) or j < len(two):
        if j == len(two) or (i < len(one) and one[i] <= two[j]):
            j += j < len(two) and one[i] == two[j]
            out[n] = one[i]
            of_out[n] = of_one[i]
            i += 1
        else:
            out[n] = two[j]
            of_out[n] = of_two[j]
            j += 1
        n += 1
    return n


@kernel
def bounded_edges(pairs, weight, nodes, cap, few, strongest):
    """Which edges (bool) stay when every node keeps a bounded number of them.

    A node with up to ``cap`` edges keeps all. Another keeps the ``few`` that lead to its
    smallest neighbours, so that all members of a cluster share their representatives, and
    its ``strongest`` by ``weight`` (int32). An edge stays that either end keeps: k nodes cost
    k, whatever they have in common. ``pairs`` (uint64: lesser node high, greater low) ascending.
    """
    degree = np.zeros(nodes + 1, np.int64)
    for e in range(len(pairs)):
        degree[high_of(pairs[e]) + 1] += 1
        degree[low_of(pairs[e]) + 1] += 1
    most = np.int64(0)
    for i in range(nodes):
        most = max(most, degree[i + 1])
        degree[i + 1] += degree[i]
    place = degree[:nodes].copy()
    # By the lesser and then by the greater neighbour: those before a node, then those behind it.
    edge = np.empty(2 * len(pairs), np.uint32)
    for e in range(len(pairs)):
        v = low_of(pairs[e])
        edge[place[v]] = e
        place[v] += 1
    for e in range(len(pairs)):
        u = high_of(pairs[e])
        edge[place[u]] = e
        place[u] += 1
    lightness = np.empty(most, np.int64)
    ranked = np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
    keep = np.zeros(len(pairs), np.bool_)
    for i in range(nodes):
        lo = degree[i]
        hi = degree[i + 1]
        if hi - lo <= cap:
            for k in range(lo, hi):
                keep[edge[k]] = True
            continue
        for k in range(lo, min(hi, lo + few)):
            keep[edge[k]] = True
        if strongest > 0:
            size = hi - lo
            for k in range(size):
                lightness[k] = -np.int64(weight[edge[lo + k]])
            stable_order(lightness, size, ranked, spare)
            for k in range(min(strongest, size)):
                keep[edge[lo + ranked[k]]] = True
    return keep


@kernel
def equal_passages(left, right, p_token, t_word, out):
    """Whether passages ``left[i]`` and ``right[i]`` are word for word equal (uint8)."""
    for i in range(len(left)):
        p = p_token[left[i]]
        q = p_token[right[i]]
        n = p_token[left[i] + 1] - p
        same = n == p_token[right[i] + 1] - q
        k = 0
        while same and k < n:
            same = t_word[p + k] == t_word[q + k]
            k += 1
        out[i] = 1 if same else 0


@kernel
def star_clusters(order, start, neighbour, out):
    """Greedy star clustering: in ``order`` each free node takes its free neighbours.

    ``start`` (nodes + 1) and ``neighbour`` are the adjacency; ``out`` (int64) receives the
    centre of each node. Every member is directly linked to its centre, so clusters cannot
    drift along chains.
    """
    for i in range(len(out)):
        out[i] = -1
    for i in range(len(order)):
        u = order[i]
        if out[u] >= 0:
            continue
        out[u] = u
        for k in range(start[u], start[u + 1]):
            if out[neighbour[k]] < 0:
                out[neighbour[k]] = u
