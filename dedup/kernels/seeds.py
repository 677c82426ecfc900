"""Seeds of an alignment: pairs of like passages of two texts.

As Sanchez-Perez, Sidorov and Gelbukh (PAN 2014) compare sentences by the cosine and the Dice
coefficient of their TF-ISF vectors, but by an inverted index instead of all pairs, with
containment as a second way (one side splits what the other joins).
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.comparison import bag, weight_of
from dedup.kernels.jit import leaf
from dedup.kernels.minhash import CONTENT, QUARTERS
from dedup.kernels.ordering import first_from

SEEDS_PER_PASSAGE = 4
NEARLY = 0.85  # of the best seed's value
SUPPORT = 0.4  # share of a passage's information that the other article must hold
LEAST_SUPPORT_BITS = 15 * 4  # quarters; a passage with less is never an obstacle
WEAK = 0.8  # of the least similarity: such seeds begin no match but may belong to a summary
WEAK_BITS = 0.3  # of the least information
STRONG_BITS = 0.5
# By content words alone, what a pair of passages must show to be compared by all words: Dice
# (share of the least similarity) or containment.
LIKE = 0.7
INNER = 0.6
LIKE_WEAK = 0.5
INNER_WEAK = 0.5
POSTINGS = 96  # passages looked at for one word of one passage: bounds the work per word


@leaf
def foreign(first, passages, side, texts, held, out):
    """Running sum (int64, passages + 1; quarters of a bit) of the information in passages of one
    text, from ``first`` on, that the other one (``side`` of ``held``) does not support."""
    out[0] = 0
    for p in range(passages):
        total = 0
        supported = 0
        for i in range(texts.p_content[first + p], texts.p_content[first + p + 1]):
            bits = texts.v_bits[texts.c_word[i]] & QUARTERS
            total += bits
            if held[texts.c_word[i], side] > 0:
                supported += bits
        alien = total >= LEAST_SUPPORT_BITS and supported < SUPPORT * total
        out[p + 1] = out[p] + (total if alien else 0)


@leaf
def quarters_of(passage, p_information):
    """Information of a passage in quarters of a bit."""
    return np.int64(4.0 * p_information[passage])


@leaf
def index_keys(pa0, na, p_key, size, slot):
    """Hash table from a passage's key to its place + 1 in one text, in ``slot[:size]``."""
    slot[:size] = 0
    for p in range(na):
        j = np.int64(p_key[pa0 + p] >> np.uint64(20)) & (size - 1)
        while slot[j] != 0 and p_key[pa0 + slot[j] - 1] != p_key[pa0 + p]:
            j = (j + 1) & (size - 1)
        if slot[j] == 0:
            slot[j] = p + 1


@leaf
def index_content(pa0, na, texts, place, bags):
    """Number the content words of a text and list the passages of each; returns how many."""
    n = 0
    bags.start[0] = 0
    for i in range(texts.p_content[pa0], texts.p_content[pa0 + na]):
        w = texts.c_word[i]
        if place[w] == 0:
            n += 1
            place[w] = n
            bags.own[n] = w
            bags.start[n + 1] = 0
        bags.start[place[w] + 1] += 1
    bags.start[1] = 0
    for k in range(1, n + 1):
        bags.start[k + 1] += bags.start[k]
    for p in range(na):
        for i in range(texts.p_content[pa0 + p], texts.p_content[pa0 + p + 1]):
            k = place[texts.c_word[i]]
            bags.passage[bags.start[k]] = p
            bags.start[k] += 1
    for k in range(n, 0, -1):
        bags.start[k] = bags.start[k - 1]
    bags.start[1] = 0
    return n


@leaf
def collisions(q, n, expected, key_size, pa0, pb0, na, texts, bags, passages, cut):
    """Passages of ``a`` that share content words with passage ``q`` of ``b``.

    The ``n`` words stand in ``passages.shared``. The common information is added up in
    ``passages.acc``; returns how many stand in ``passages.touched``.
    """
    v_bits = texts.v_bits
    p_key = texts.p_key
    own = bags.own
    starts = bags.start
    holder = bags.passage
    key_slot = bags.key_slot
    acc = passages.acc
    touched = passages.touched
    both = passages.shared
    # So many passages are looked at for one word; all words count in the exact cosine.
    common = POSTINGS
    hits = 0
    for i in range(n):
        k = both[i]
        bits = np.int64(v_bits[own[k]] & QUARTERS)
        begin = starts[k]
        finish = starts[k + 1]
        if finish - begin > common:
            # A word of many passages: look on from the last seed, as a reader does.
            cut[0] += 1
            begin = first_from(holder, begin, finish, expected)
            begin = max(starts[k], min(begin, finish - common))
            finish = begin + common
        for j in range(begin, finish):
            p = holder[j]
            touched[hits] = p
            hits += acc[p] == 0
            acc[p] += bits
    # The same passage on the other side is always looked at, wherever it stands.
    wanted = p_key[pb0 + q]
    j = np.int64(wanted >> np.uint64(20)) & (key_size - 1)
    while key_slot[j] != 0:
        p = key_slot[j] - 1
        if p_key[pa0 + p] == wanted:
            if expected < na and p_key[pa0 + expected] == wanted:
                p = expected  # of equal ones, the next in order
            if acc[p] == 0:
                touched[hits] = p
                hits += 1
            acc[p] = max(acc[p], quarters_of(pb0 + q, texts.p_information))
            break
        j = (j + 1) & (key_size - 1)
    return hits


@leaf
def copy_seed(seeds, i, j):
    """Put seed ``i`` in the place of seed ``j``."""
    seeds.a[j] = seeds.a[i]
    seeds.b[j] = seeds.b[i]
    seeds.value[j] = seeds.value[i]
    seeds.cosine[j] = seeds.cosine[i]
    seeds.strong[j] = seeds.strong[i]


@leaf
def find_seeds(
    na,
    nb,
    pa0,
    pb0,
    key_size,
    texts,
    words,
    bags,
    passages,
    seeds,
    logs,
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
    like = (LIKE_WEAK if weak_too else LIKE) * min_similarity
    inner = INNER_WEAK if weak_too else INNER
    passages.norm_a[:na] = -1.0
    passages.best_of_a[:na] = 0.0
    seed_a = seeds.a
    seed_value = seeds.value
    acc = passages.acc
    touched = passages.touched
    norm_a = passages.norm_a
    sum_a = passages.sum_a
    both = passages.shared
    place = words.place
    held_by = words.held
    c_word = texts.c_word
    p_content = texts.p_content
    p_information = texts.p_information
    v_bits = texts.v_bits
    size_of = bags.size
    bag_word = bags.word
    bag_times = bags.times
    b_word = bags.b_word
    b_times = bags.b_times
    p_token = texts.p_token
    t_word = texts.t_word
    count_b = words.count_b
    first = p_token[pa0]
    count = np.int64(0)
    expected = np.int64(0)
    for q in range(nb):
        total_b = quarters_of(pb0 + q, p_information)
        if total_b < weak_bits:
            continue
        common = np.int64(0)
        held = 0
        for i in range(p_content[pb0 + q], p_content[pb0 + q + 1]):
            w = c_word[i]
            # Without a branch: which words are common cannot be foreseen. One that says nothing
            # adds nothing, and ``collisions`` would take its passages for new ones again and again.
            k = place[w]
            bits = np.int64(v_bits[w] & QUARTERS)
            both[common] = k
            common += (k > 0) & (bits > 0)
            held += bits * (k > 0)
        if held < weak_bits:
            continue
        left_out = cut[0]
        hits = collisions(q, common, expected, key_size, pa0, pb0, na, texts, bags, passages, cut)
        # Content words that are common are all counted, unless some were looked up in part.
        least = weak_bits if cut[0] == left_out else 0.8 * weak_bits
        norm_b = 0.0
        plain = 0.0
        kept = np.int64(0)
        size_b = -1
        for h in range(hits):
            p = touched[h]
            if acc[p] < least:
                continue
            # Below what a seed needs, for the common words left out: enough shared information,
            # in proportion to both passages or to the lesser of them.
            total_a = quarters_of(pa0 + p, p_information)
            if 2 * acc[p] < like * (total_a + total_b) and acc[p] < inner * min(total_a, total_b):
                continue
            at = p_token[pa0 + p] - first
            if size_of[p] < 0:
                size_of[p] = bag(
                    p_token[pa0 + p],
                    p_token[pa0 + p + 1],
                    t_word,
                    words.count_a,
                    bag_word,
                    bag_times,
                    at,
                )
            if norm_a[p] < 0.0:
                squares = 0.0
                weight = 0.0
                for i in range(at, at + size_of[p]):
                    value = bag_times[i] * weight_of(bag_word[i], held_by, logs, na + nb)
                    squares += value * value
                    weight += value
                norm_a[p] = np.sqrt(squares)
                sum_a[p] = weight
            if size_b < 0:
                size_b = bag(
                    p_token[pb0 + q],
                    p_token[pb0 + q + 1],
                    t_word,
                    words.count_a,
                    b_word,
                    b_times,
                    np.int64(0),
                )
                squares = 0.0
                for i in range(size_b):
                    w = b_word[i]
                    value = b_times[i] * weight_of(w, held_by, logs, na + nb)
                    squares += value * value
                    plain += value
                    count_b[w] = b_times[i]
                norm_b = np.sqrt(squares)
            dot = 0.0
            overlap = 0.0
            shared = 0
            for i in range(at, at + size_of[p]):
                w = bag_word[i]
                n = count_b[w]
                if n > 0:
                    weight = weight_of(w, held_by, logs, na + nb)
                    dot += bag_times[i] * n * weight * weight
                    overlap += min(bag_times[i], n) * weight
                    if v_bits[w] & CONTENT:
                        shared += v_bits[w] & QUARTERS
            cosine = dot / (norm_a[p] * norm_b)
            inside = overlap / min(sum_a[p], plain)
            dice = 2.0 * overlap / (sum_a[p] + plain)
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
            k = kept
            while k > 0 and (
                seed_value[count + k - 1] < value
                or (seed_value[count + k - 1] == value and seed_a[count + k - 1] > p)
            ):
                if k < SEEDS_PER_PASSAGE:
                    copy_seed(seeds, count + k - 1, count + k)
                k -= 1
            if k < SEEDS_PER_PASSAGE:
                seed_a[count + k] = p
                seeds.b[count + k] = q
                seed_value[count + k] = value
                seeds.cosine[count + k] = cosine
                seeds.strong[count + k] = strong
                kept = min(kept + 1, SEEDS_PER_PASSAGE)
        for h in range(hits):
            acc[touched[h]] = 0
        for i in range(size_b):
            count_b[b_word[i]] = 0
        if kept > 0 and seeds.strong[count]:
            expected = seed_a[count] + 1
        for k in range(count, count + kept):
            p = seed_a[k]
            passages.best_of_a[p] = max(passages.best_of_a[p], seed_value[k])
        count += kept
    return count


@leaf
def keep_best(count, seeds, best_of_a):
    """Keep the seeds that are nearly the best of their passage, on either side: what one text
    splits the other may join. Returns how many are left."""
    kept = np.int64(0)
    top = 0.0
    for s in range(count):
        if s == 0 or seeds.b[s] != seeds.b[s - 1]:
            top = seeds.value[s]
        if seeds.value[s] >= NEARLY * min(top, best_of_a[seeds.a[s]]):
            copy_seed(seeds, s, kept)
            kept += 1
    return kept
