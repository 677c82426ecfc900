"""From passages that collide to pairs of articles worth aligning."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.ordering import stable_order


@kernel
def emit(x, y, bits, keys, weights, n):
    """Write one pair of articles if there is room; returns the number of pairs so far."""
    if x != y:
        if n < len(keys):
            keys[n] = (np.uint64(min(x, y)) << np.uint64(32)) | np.uint64(max(x, y))
            weights[n] = bits
        n += 1
    return n


@kernel
def article_pairs(start, article, eighths, edge_u, edge_v, edge_eighths, cap, reps, keys, weights):
    """Pairs of articles that hold the same passage or two similar ones.

    ``start`` (int64, passages + 1) and ``article`` (int32, ascending inside a passage): who
    holds what; ``eighths`` (int32) information; ``edge_u, edge_v`` similar passages with what
    they have in common (``edge_eighths``, int32). Up to ``cap`` holders are paired all
    with all; beyond it each is paired with the first ``reps`` of the passage only, so that k
    holders cost k, not k^2.

    Writes ``keys`` (uint64: smaller article high, greater low) and ``weights`` (int32 eighths
    of a bit) as far as there is room; returns ``(pairs, capped passages)``.
    """
    n = np.int64(0)
    capped = 0
    for u in range(len(start) - 1):
        lo = start[u]
        hi = start[u + 1]
        if hi - lo < 2:
            continue
        bits = eighths[u]
        if hi - lo <= cap:
            for i in range(lo, hi):
                for j in range(i + 1, hi):
                    n = emit(article[i], article[j], bits, keys, weights, n)
        else:
            capped += 1
            for i in range(lo, hi):
                for j in range(lo, min(lo + reps, i)):
                    n = emit(article[i], article[j], bits, keys, weights, n)
    for e in range(len(edge_u)):
        u = edge_u[e]
        v = edge_v[e]
        bits = edge_eighths[e]
        nu = start[u + 1] - start[u]
        nv = start[v + 1] - start[v]
        if nu + nv <= cap:
            for i in range(start[u], start[u + 1]):
                for j in range(start[v], start[v + 1]):
                    n = emit(article[i], article[j], bits, keys, weights, n)
        else:
            # Holders of one passage are joined to its first ones above: here those of the rarer
            # one meet the first of the other.
            capped += 1
            if nu > nv:
                u, v = v, u
                nu, nv = nv, nu
            for i in range(start[u], start[u + 1]):
                for j in range(start[v], start[v] + min(nv, reps)):
                    n = emit(article[i], article[j], bits, keys, weights, n)
    return n, capped


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


@kernel
def bounded_edges(u, v, weight, nodes, cap, few, strongest):
    """Which edges (bool) stay when every node keeps a bounded number of them.

    A node with up to ``cap`` edges keeps all. Another keeps the ``few`` that lead to its
    smallest neighbours, so that all members of a cluster share their representatives, and
    its ``strongest`` by ``weight`` (int64). An edge stays that either end keeps: k nodes cost
    k, whatever they have in common. ``u < v`` ascending in (u, v).
    """
    degree = np.zeros(nodes + 1, np.int64)
    for e in range(len(u)):
        degree[u[e] + 1] += 1
        degree[v[e] + 1] += 1
    for i in range(nodes):
        degree[i + 1] += degree[i]
    place = degree[:nodes].copy()
    edge = np.empty(2 * len(u), np.int64)
    # Smaller neighbours first: edges come in the order of u, which is v's neighbour.
    for e in range(len(u)):
        edge[place[v[e]]] = e
        place[v[e]] += 1
    for e in range(len(u)):
        edge[place[u[e]]] = e
        place[u[e]] += 1
    most = 0
    for i in range(nodes):
        most = max(most, degree[i + 1] - degree[i])
    lightness = np.empty(most, np.int64)
    ranked = np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
    keep = np.zeros(len(u), np.bool_)
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
                lightness[k] = -weight[edge[lo + k]]
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
