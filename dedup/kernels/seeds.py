"""Seeds of an alignment: pairs of like passages of two texts.

As Sanchez-Perez, Sidorov and Gelbukh (PAN 2014) compare sentences by the cosine and the Dice
coefficient of their TF-ISF vectors, but by an inverted index instead of all pairs, with
containment as a second way (one side splits what the other joins).
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS

SEEDS_PER_PASSAGE = 4
NEARLY = 0.85  # of the best seed's value
SUPPORT = 0.4  # share of a passage's information that the other article must hold
LEAST_SUPPORT_BITS = 15 * 4  # quarters; a passage with less is never an obstacle
WEAK = 0.8  # of the least similarity: such seeds begin no match but may belong to a summary
WEAK_BITS = 0.3  # of the least information
STRONG_BITS = 0.5
POSTINGS = 96  # passages looked at for one word of one passage: bounds the work per word


@kernel
def foreign(passages, start, words, found, first, w_bits, totals, held_bits, out):
    """Running sum of the information in passages that the other article does not support.

    ``start`` and ``words`` are the bags of the passages, ``found[w] >= 0`` where the other
    article has the word. ``out`` (int64, passages + 1) and ``totals`` and ``held_bits`` (int64,
    passages; what each holds, and what the other article has of it) in quarters of a bit.
    """
    out[0] = 0
    for p in range(passages):
        total = 0
        held = 0
        for i in range(start[p], start[p + 1]):
            bits = w_bits[first + words[i]]
            if bits & CONTENT:
                total += bits & QUARTERS
                if found[words[i]] >= 0:
                    held += bits & QUARTERS
        alien = total >= LEAST_SUPPORT_BITS and held < SUPPORT * total
        out[p + 1] = out[p] + (total if alien else 0)
        totals[p] = total
        held_bits[p] = held


@kernel
def index_keys(pa0, na, p_key, size, slot):
    """Hash table from a passage's key to its place + 1 in one text, in ``slot[:size]``."""
    slot[:size] = 0
    for p in range(na):
        j = np.int64(p_key[pa0 + p] >> np.uint64(20)) & (size - 1)
        while slot[j] != 0 and p_key[pa0 + slot[j] - 1] != p_key[pa0 + p]:
            j = (j + 1) & (size - 1)
        if slot[j] == 0:
            slot[j] = p + 1


@kernel
def index_postings(na, total, words_a, bags, stamp):
    """Passages of ``a`` that hold each of its words, from the bags (``total`` entries)."""
    bags.post_start[: words_a + 1] = 0
    for i in range(total):
        bags.post_start[bags.a_word[i] + 1] += 1
    for w in range(words_a):
        bags.post_start[w + 1] += bags.post_start[w]
    for w in range(words_a):
        stamp[w] = bags.post_start[w]
    for p in range(na):
        for i in range(bags.a_start[p], bags.a_start[p + 1]):
            k = stamp[bags.a_word[i]]
            bags.post_passage[k] = p
            stamp[bags.a_word[i]] = k + 1


@kernel
def collisions(q, expected, key_size, pa0, pb0, na, first_a, texts, words, bags, passages, cut):
    """Passages of ``a`` that share content words with passage ``q`` of ``b``.

    Their common information is added up in ``passages.acc``; returns how many stand in
    ``passages.touched``.
    """
    # So many passages are looked at for one word; all words count in the exact cosine.
    common = POSTINGS
    hits = 0
    for i in range(bags.b_start[q], bags.b_start[q + 1]):
        v = words.to_a[bags.b_word[i]]
        if v < 0:
            continue
        bits = texts.w_bits[first_a + v]
        if bits & CONTENT:
            begin = bags.post_start[v]
            finish = bags.post_start[v + 1]
            if finish - begin > common:
                # A word of many passages: look on from the last seed, as a reader does.
                cut[0] += 1
                begin += np.searchsorted(bags.post_passage[begin:finish], expected)
                begin = max(bags.post_start[v], min(begin, finish - common))
                finish = begin + common
            for k in range(begin, finish):
                p = bags.post_passage[k]
                if passages.acc[p] == 0:
                    passages.touched[hits] = p
                    hits += 1
                passages.acc[p] += bits & QUARTERS
    # The same passage on the other side is always looked at, wherever it stands.
    wanted = texts.p_key[pb0 + q]
    j = np.int64(wanted >> np.uint64(20)) & (key_size - 1)
    while bags.key_slot[j] != 0:
        p = bags.key_slot[j] - 1
        if texts.p_key[pa0 + p] == wanted:
            if expected < na and texts.p_key[pa0 + expected] == wanted:
                p = expected  # of equal ones, the next in order
            if passages.acc[p] == 0:
                passages.touched[hits] = p
                hits += 1
            passages.acc[p] = max(passages.acc[p], passages.total_b[q])
            break
        j = (j + 1) & (key_size - 1)
    return hits


@kernel
def find_seeds(
    na,
    nb,
    pa0,
    pb0,
    first_a,
    key_size,
    texts,
    words,
    bags,
    passages,
    seeds,
    cut,
    min_similarity,
    min_information,
    weak_too,
):
    """Like passages of two texts (``na``, ``nb`` passages), in the order of ``b``.

    Fills ``seeds`` and returns their number; ``weak_too`` keeps those that begin no match, too.
    ``cut[0]`` counts words looked up near the last seed only, ``cut[1]`` seeds beyond
    SEEDS_PER_PASSAGE.
    """
    strong_bits = STRONG_BITS * min_information * 4
    weak_bits = WEAK_BITS * min_information * 4 if weak_too else strong_bits
    best_p = np.empty(SEEDS_PER_PASSAGE, np.int64)
    best_v = np.empty(SEEDS_PER_PASSAGE, np.float64)
    best_c = np.empty(SEEDS_PER_PASSAGE, np.float64)
    best_s = np.empty(SEEDS_PER_PASSAGE, np.uint8)
    passages.norm_a[:na] = -1.0
    passages.best_of_a[:na] = 0.0
    acc = passages.acc
    a_start = bags.a_start
    b_start = bags.b_start
    count = 0
    expected = 0
    for q in range(nb):
        if passages.held[q] < weak_bits:
            continue
        hits = collisions(
            q, expected, key_size, pa0, pb0, na, first_a, texts, words, bags, passages, cut
        )
        norm_b = 0.0
        plain = 0.0
        kept = 0
        loaded = False
        for h in range(hits):
            p = passages.touched[h]
            lesser = min(passages.total_a[p], passages.total_b[q])
            # Somewhat below what a seed needs, for the common words left out: enough shared
            # information, in proportion to both passages or to the lesser of them.
            if acc[p] < 0.8 * weak_bits or (
                10 * acc[p] < passages.total_a[p] + passages.total_b[q] and 2 * acc[p] < lesser
            ):
                continue
            if passages.norm_a[p] < 0.0:
                squares = 0.0
                weight = 0.0
                for i in range(a_start[p], a_start[p + 1]):
                    value = bags.a_tf[i] * words.weight_a[bags.a_word[i]]
                    squares += value * value
                    weight += value
                passages.norm_a[p] = np.sqrt(squares)
                passages.sum_a[p] = weight
            if not loaded:
                squares = 0.0
                for i in range(b_start[q], b_start[q + 1]):
                    value = bags.b_tf[i] * words.weight_b[bags.b_word[i]]
                    squares += value * value
                    plain += value
                    if words.to_a[bags.b_word[i]] >= 0:
                        words.count_a[words.to_a[bags.b_word[i]]] = bags.b_tf[i]
                norm_b = np.sqrt(squares)
                loaded = True
            dot = 0.0
            overlap = 0.0
            shared = 0
            for i in range(a_start[p], a_start[p + 1]):
                v = bags.a_word[i]
                n = words.count_a[v]
                if n > 0:
                    dot += bags.a_tf[i] * n * words.weight_a[v] * words.weight_a[v]
                    overlap += min(bags.a_tf[i], n) * words.weight_a[v]
                    if texts.w_bits[first_a + v] & CONTENT:
                        shared += texts.w_bits[first_a + v] & QUARTERS
            cosine = dot / (passages.norm_a[p] * norm_b)
            inside = overlap / min(passages.sum_a[p], plain)
            dice = 2.0 * overlap / (passages.sum_a[p] + plain)
            enough = shared / 4.0 >= min_information
            strong = shared >= strong_bits and (
                (cosine >= min_similarity and dice >= 0.8 * min_similarity)
                or (inside >= 0.75 and enough)
            )
            if not strong and (
                not weak_too
                or shared < weak_bits
                or cosine < WEAK * min_similarity
                or dice < 0.6 * WEAK * min_similarity
            ):
                continue
            value = max(cosine, 0.9 * inside if enough else 0.0)
            if p == expected:
                value *= 1.0 + 1e-9  # of equal ones, the next in order
            if kept == SEEDS_PER_PASSAGE:
                cut[1] += 1
            k = min(kept, SEEDS_PER_PASSAGE - 1)
            if kept < SEEDS_PER_PASSAGE or value > best_v[k]:
                while k > 0 and best_v[k - 1] < value:
                    best_s[k] = best_s[k - 1]
                    best_c[k] = best_c[k - 1]
                    best_v[k] = best_v[k - 1]
                    best_p[k] = best_p[k - 1]
                    k -= 1
                best_s[k] = strong
                best_c[k] = cosine
                best_v[k] = value
                best_p[k] = p
                kept = min(kept + 1, SEEDS_PER_PASSAGE)
        for h in range(hits):
            acc[passages.touched[h]] = 0
        if loaded:
            for i in range(b_start[q], b_start[q + 1]):
                if words.to_a[bags.b_word[i]] >= 0:
                    words.count_a[words.to_a[bags.b_word[i]]] = 0
        if kept > 0 and best_s[0]:
            expected = best_p[0] + 1
        for k in range(kept):
            seeds.a[count] = best_p[k]
            seeds.b[count] = q
            seeds.value[count] = best_v[k]
            seeds.cosine[count] = best_c[k]
            seeds.strong[count] = best_s[k]
            p = best_p[k]
            passages.best_of_a[p] = max(passages.best_of_a[p], best_v[k])
            count += 1
    return count


@kernel
def keep_best(count, seeds, best_of_a):
    """Keep the seeds that are nearly the best of their passage, on either side: what one text
    splits the other may join. Returns how many are left."""
    kept = 0
    top = 0.0
    for s in range(count):
        if s == 0 or seeds.b[s] != seeds.b[s - 1]:
            top = seeds.value[s]
        if seeds.value[s] >= NEARLY * min(top, best_of_a[seeds.a[s]]):
            seeds.a[kept] = seeds.a[s]
            seeds.b[kept] = seeds.b[s]
            seeds.value[kept] = seeds.value[s]
            seeds.cosine[kept] = seeds.cosine[s]
            seeds.strong[kept] = seeds.strong[s]
            kept += 1
    return kept
