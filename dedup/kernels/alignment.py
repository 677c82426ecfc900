"""Alignment of article pairs: seeds, clusters, word-level edges, similarity.

The method follows Sanchez-Perez, Sidorov and Gelbukh (PAN 2014): passages are compared by the
cosine of their TF-ISF vectors, close pairs are seeds, seeds that lie near each other on both
sides form a cluster, clusters are validated as a whole. Added here: an inverted index instead
of all pairs, containment as a second way to a seed (one side splits what the other joins),
edges to the word, and equality of words decided on the text, never by a hash.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.comparison import (
    bag_passages,
    grown,
    index_words,
    logarithms,
    map_words,
    span_cosine,
    table_size,
    weigh,
)
from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS

GAP = 3  # passages between seeds of one cluster, on either side
SEEDS_PER_PASSAGE = 4
LOOK_BACK = 64
NEARLY = 0.85  # of the best seed's similarity
SUPPORT = 0.4  # share of a passage's information that the other article must hold
LEAST_SUPPORT_BITS = 15 * 4  # quarters; a passage with less is never an obstacle
MOST_INSERTED_BITS = 120 * 4  # quarters of foreign matter that a match may span on one side


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
def between(sums, p, q):
    """Foreign information strictly between passages ``p`` and ``q`` of one article."""
    low = min(p, q)
    high = max(p, q)
    return sums[high] - sums[low + 1] if high > low + 1 else 0


@kernel
def trim(lo, hi, head, tail, t_word, present, translate, use_translate, w_bits, first):
    """Cut the outer passages of a span to where its words stand on the other side.

    Matched words count for, others against; the span with the greatest sum is kept, its start
    in the first passage (before ``head``) and its end in the last (after ``tail``). Where both
    are one passage this is Kadane's maximum subarray.
    """
    total = 0.0
    low = 0.0
    low_at = lo
    top = -1e300
    start = lo
    end = hi
    single = head >= hi
    for t in range(lo, hi):
        w = t_word[t]
        v = translate[w] if use_translate else w
        found = v >= 0 and present[v] > 0
        value = 1.0 if w_bits[first + w] & CONTENT else 0.25
        total += value if found else -value
        if single:
            if total - low > top:
                top = total - low
                start = low_at
                end = t + 1
        elif t >= tail and total > top:
            top = total
            end = t + 1
        if t < head and (total < low or (total == low and not found)):
            low = total
            low_at = t + 1
    if not single:
        start = low_at
    return start, end


@kernel
def align_pairs(
    pair_a,
    pair_b,
    data,
    d_byte,
    d_passage,
    p_token,
    p_key,
    t_word,
    d_word,
    w_hash,
    w_passages,
    w_byte,
    w_chars,
    w_bits,
    kind,
    fold,
    min_similarity,
    min_information,
):
    """Align pairs of articles (int64 ``pair_a`` sorted, ``pair_b``).

    Returns two groups of flat arrays. Matches: ``m_pair`` (int32), token spans ``m_a0, m_a1,
    m_b0, m_b1`` (int64), ``m_similarity``, ``m_bits`` (float64). Links, the passages that
    carry a match: ``l_match`` (int32), ``l_a``, ``l_b`` (int64 passages), ``l_cosine``
    (float32).

    ``cut`` (int64, 3) counts what limits left out: words looked up near the last seed only, seeds
    beyond SEEDS_PER_PASSAGE, seeds joined to the LOOK_BACK before them only.
    """
    pairs = len(pair_a)
    most_words = 1
    most_tokens = 1
    most_passages = 1
    for x in range(pairs):
        for d in (pair_a[x], pair_b[x]):
            most_words = max(most_words, d_word[d + 1] - d_word[d])
            most_passages = max(most_passages, d_passage[d + 1] - d_passage[d])
            most_tokens = max(most_tokens, p_token[d_passage[d + 1]] - p_token[d_passage[d]])
    slot = np.zeros(table_size(most_words), np.int32)
    to_a = np.empty(most_words, np.int64)
    weight_a = np.empty(most_words, np.float64)
    weight_b = np.empty(most_words, np.float64)
    count_a = np.zeros(most_words, np.int32)
    count_b = np.zeros(most_words, np.int32)
    stamp = np.empty(most_words, np.int64)
    a_start = np.empty(most_passages + 1, np.int64)
    a_word = np.empty(most_tokens, np.int32)
    a_tf = np.empty(most_tokens, np.int32)
    b_start = np.empty(most_passages + 1, np.int64)
    b_word = np.empty(most_tokens, np.int32)
    b_tf = np.empty(most_tokens, np.int32)
    post_start = np.empty(most_words + 2, np.int64)
    post_passage = np.empty(most_tokens, np.int32)
    foreign_a = np.empty(most_passages + 1, np.int64)
    foreign_b = np.empty(most_passages + 1, np.int64)
    from_a = np.empty(most_words, np.int64)
    key_slot = np.zeros(table_size(most_passages), np.int64)
    key_size = 64
    norm_a = np.empty(most_passages, np.float64)
    sum_a = np.empty(most_passages, np.float64)
    best_of_a = np.empty(most_passages, np.float64)
    held = np.empty(most_passages, np.int64)
    total_a = np.empty(most_passages, np.int64)
    total_b = np.empty(most_passages, np.int64)
    acc = np.zeros(most_passages, np.int64)
    touched = np.empty(most_passages, np.int64)
    best_p = np.empty(SEEDS_PER_PASSAGE, np.int64)
    best_c = np.empty(SEEDS_PER_PASSAGE, np.float64)
    best_s = np.empty(SEEDS_PER_PASSAGE, np.float64)
    seed_a = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    seed_b = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    seed_c = np.empty(most_passages * SEEDS_PER_PASSAGE, np.float64)
    seed_s = np.empty(most_passages * SEEDS_PER_PASSAGE, np.float64)
    parent = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    label = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_match = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_last = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_a_lo = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_a_hi = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_b_lo = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)
    box_b_hi = np.empty(most_passages * SEEDS_PER_PASSAGE, np.int64)

    m_pair = np.empty(1024, np.int32)
    m_a0 = np.empty(1024, np.int64)
    m_a1 = np.empty(1024, np.int64)
    m_b0 = np.empty(1024, np.int64)
    m_b1 = np.empty(1024, np.int64)
    m_similarity = np.empty(1024, np.float64)
    m_bits = np.empty(1024, np.float64)
    l_match = np.empty(1024, np.int32)
    l_a = np.empty(1024, np.int64)
    l_b = np.empty(1024, np.int64)
    l_cosine = np.empty(1024, np.float32)
    cut = np.zeros(3, np.int64)
    matches = 0
    links = 0
    previous = np.int64(-1)
    size = 64
    logs = logarithms(2 * most_passages)
    least_bits = 0.5 * min_information * 4  # quarters; half a passage may seed a match

    for x in range(pairs):
        a = pair_a[x]
        b = pair_b[x]
        pa0 = d_passage[a]
        pb0 = d_passage[b]
        na = d_passage[a + 1] - pa0
        nb = d_passage[b + 1] - pb0
        first_a = d_word[a]
        first_b = d_word[b]
        words_a = d_word[a + 1] - first_a
        words_b = d_word[b + 1] - first_b
        if a != previous:
            previous = a
            size = table_size(words_a)
            index_words(first_a, words_a, w_hash, size, slot)
            key_size = table_size(na)
            key_slot[:key_size] = 0
            for p in range(na):
                j = np.int64(p_key[pa0 + p] >> np.uint64(20)) & (key_size - 1)
                while key_slot[j] != 0 and p_key[pa0 + key_slot[j] - 1] != p_key[pa0 + p]:
                    j = (j + 1) & (key_size - 1)
                if key_slot[j] == 0:
                    key_slot[j] = p + 1
            total = bag_passages(
                pa0, d_passage[a + 1], p_token, t_word, words_a, stamp, a_start, a_word, a_tf
            )
            post_start[: words_a + 1] = 0
            for i in range(total):
                post_start[a_word[i] + 1] += 1
            for w in range(words_a):
                post_start[w + 1] += post_start[w]
            for w in range(words_a):
                stamp[w] = post_start[w]
            for p in range(na):
                for i in range(a_start[p], a_start[p + 1]):
                    k = stamp[a_word[i]]
                    post_passage[k] = p
                    stamp[a_word[i]] = k + 1
        map_words(a, b, size, slot, to_a, data, d_byte, d_word, w_hash, w_byte, w_chars, kind, fold)
        weigh(a, b, to_a, na + nb, d_word, w_passages, logs, stamp, weight_a, weight_b)
        bag_passages(pb0, d_passage[b + 1], p_token, t_word, words_b, stamp, b_start, b_word, b_tf)
        from_a[:words_a] = -1
        for w in range(words_b):
            if to_a[w] >= 0:
                from_a[to_a[w]] = w
        foreign(na, a_start, a_word, from_a, first_a, w_bits, total_a, held, foreign_a)
        foreign(nb, b_start, b_word, to_a, first_b, w_bits, total_b, held, foreign_b)
        norm_a[:na] = -1.0
        # So many passages are looked at for one word; all words count in the exact cosine.
        common = 64 + na // 256
        seeds = 0
        expected = 0
        best_of_a[:na] = 0.0
        for q in range(nb):
            if held[q] < least_bits:
                continue
            hits = 0
            for i in range(b_start[q], b_start[q + 1]):
                v = to_a[b_word[i]]
                if v < 0:
                    continue
                bits = w_bits[first_a + v]
                if bits & CONTENT:
                    begin = post_start[v]
                    finish = post_start[v + 1]
                    if finish - begin > common:
                        # A word of many passages: look on from the last seed, as a reader does.
                        cut[0] += 1
                        begin += np.searchsorted(post_passage[begin:finish], expected)
                        begin = max(post_start[v], min(begin, finish - common))
                        finish = begin + common
                    for k in range(begin, finish):
                        p = post_passage[k]
                        if acc[p] == 0:
                            touched[hits] = p
                            hits += 1
                        acc[p] += bits & QUARTERS
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
                    acc[p] = max(acc[p], total_b[q])
                    break
                j = (j + 1) & (key_size - 1)
            if hits == 0:
                continue
            squares = 0.0
            plain = 0.0
            for i in range(b_start[q], b_start[q + 1]):
                value = b_tf[i] * weight_b[b_word[i]]
                squares += value * value
                plain += value
            norm_b = np.sqrt(squares)
            kept = 0
            loaded = False
            for h in range(hits):
                p = touched[h]
                # Somewhat below what a seed needs, for the common words left out: enough shared
                # information, in proportion to both passages or to the lesser of them.
                if acc[p] >= 0.8 * least_bits and (
                    10 * acc[p] >= total_a[p] + total_b[q]
                    or 2 * acc[p] >= min(total_a[p], total_b[q])
                ):
                    if norm_a[p] < 0.0:
                        squares = 0.0
                        weight = 0.0
                        for i in range(a_start[p], a_start[p + 1]):
                            value = a_tf[i] * weight_a[a_word[i]]
                            squares += value * value
                            weight += value
                        norm_a[p] = np.sqrt(squares)
                        sum_a[p] = weight
                    if not loaded:
                        for i in range(b_start[q], b_start[q + 1]):
                            if to_a[b_word[i]] >= 0:
                                count_a[to_a[b_word[i]]] = b_tf[i]
                        loaded = True
                    dot = 0.0
                    overlap = 0.0
                    shared = 0
                    for i in range(a_start[p], a_start[p + 1]):
                        v = a_word[i]
                        n = count_a[v]
                        if n > 0:
                            dot += a_tf[i] * n * weight_a[v] * weight_a[v]
                            overlap += min(a_tf[i], n) * weight_a[v]
                            if w_bits[first_a + v] & CONTENT:
                                shared += w_bits[first_a + v] & QUARTERS
                    cosine = dot / (norm_a[p] * norm_b)
                    inside = overlap / min(sum_a[p], plain)
                    dice = 2.0 * overlap / (sum_a[p] + plain)
                    bits_shared = shared / 4.0
                    if shared >= least_bits and (
                        (cosine >= min_similarity and dice >= 0.8 * min_similarity)
                        or (inside >= 0.75 and bits_shared >= min_information)
                    ):
                        value = max(cosine, 0.9 * inside if bits_shared >= min_information else 0.0)
                        if p == expected:
                            value *= 1.0 + 1e-9  # of equal ones, the next in order
                        if kept == SEEDS_PER_PASSAGE:
                            cut[1] += 1
                        k = min(kept, SEEDS_PER_PASSAGE - 1)
                        if kept < SEEDS_PER_PASSAGE or value > best_c[k]:
                            while k > 0 and best_c[k - 1] < value:
                                best_s[k] = best_s[k - 1]
                                best_c[k] = best_c[k - 1]
                                best_p[k] = best_p[k - 1]
                                k -= 1
                            best_s[k] = cosine
                            best_c[k] = value
                            best_p[k] = p
                            kept = min(kept + 1, SEEDS_PER_PASSAGE)
            for h in range(hits):
                acc[touched[h]] = 0
            if loaded:
                for i in range(b_start[q], b_start[q + 1]):
                    if to_a[b_word[i]] >= 0:
                        count_a[to_a[b_word[i]]] = 0
            if kept > 0:
                expected = best_p[0] + 1
            for k in range(kept):
                seed_a[seeds] = best_p[k]
                seed_b[seeds] = q
                seed_c[seeds] = best_c[k]
                seed_s[seeds] = best_s[k]
                best_of_a[best_p[k]] = max(best_of_a[best_p[k]], best_c[k])
                seeds += 1
        # A seed stays that is nearly the best of its passage, on either side: what one text
        # splits the other may join.
        kept = 0
        top = 0.0
        for s in range(seeds):
            if s == 0 or seed_b[s] != seed_b[s - 1]:
                top = seed_c[s]
            if seed_c[s] >= NEARLY * min(top, best_of_a[seed_a[s]]):
                seed_a[kept] = seed_a[s]
                seed_b[kept] = seed_b[s]
                seed_c[kept] = seed_c[s]
                seed_s[kept] = seed_s[s]
                kept += 1
        seeds = kept
        if seeds == 0:
            continue
        # Clusters: seeds within GAP passages of each other on both sides, with foreign matter
        # between them on one side at most.
        for s in range(seeds):
            parent[s] = s
            if s >= LOOK_BACK and seed_b[s] - seed_b[s - LOOK_BACK] <= GAP:
                cut[2] += 1
            for r in range(s - 1, max(-1, s - LOOK_BACK), -1):
                if seed_b[s] - seed_b[r] > GAP:
                    break
                if abs(seed_a[s] - seed_a[r]) <= GAP:
                    alien_a = between(foreign_a, seed_a[s], seed_a[r])
                    alien_b = between(foreign_b, seed_b[s], seed_b[r])
                    if min(alien_a, alien_b) > 0 or max(alien_a, alien_b) > MOST_INSERTED_BITS:
                        continue
                    i = s
                    while parent[i] != i:
                        i = parent[i]
                    j = r
                    while parent[j] != j:
                        parent[j] = parent[parent[j]]
                        j = parent[j]
                    if i < j:
                        parent[j] = i
                    else:
                        parent[i] = j
        for s in range(seeds):
            i = s
            while parent[i] != i:
                i = parent[i]
            label[s] = i
            box_match[s] = -1
            box_last[s] = -1
            box_a_lo[s] = na
            box_a_hi[s] = -1
            box_b_lo[s] = nb
            box_b_hi[s] = -1
        for s in range(seeds):
            i = label[s]
            box_a_lo[i] = min(box_a_lo[i], seed_a[s])
            box_a_hi[i] = max(box_a_hi[i], seed_a[s])
            box_b_lo[i] = min(box_b_lo[i], seed_b[s])
            box_b_hi[i] = max(box_b_hi[i], seed_b[s])
        for root in range(seeds):
            if parent[root] != root:
                continue
            a_lo = box_a_lo[root]
            a_hi = box_a_hi[root]
            b_lo = box_b_lo[root]
            b_hi = box_b_hi[root]
            ta0 = p_token[pa0 + a_lo]
            ta1 = p_token[pa0 + a_hi + 1]
            tb0 = p_token[pb0 + b_lo]
            tb1 = p_token[pb0 + b_hi + 1]
            last = matches - 1
            follows = matches > 0 and m_pair[last] == x
            if (
                follows
                and m_a0[last] <= ta0
                and ta1 <= m_a1[last]
                and m_b0[last] <= tb0
                and tb1 <= m_b1[last]
            ):
                box_match[root] = last  # a run of equal words has led over it already
                continue
            for t in range(tb0, tb1):
                if to_a[t_word[t]] >= 0:
                    count_a[to_a[t_word[t]]] += 1
            head = p_token[pa0 + a_lo + 1]
            tail = p_token[pa0 + a_hi]
            na0, na1 = trim(
                ta0, ta1, head, max(tail, ta0), t_word, count_a, to_a, False, w_bits, first_a
            )
            for t in range(tb0, tb1):
                if to_a[t_word[t]] >= 0:
                    count_a[to_a[t_word[t]]] = 0
            for t in range(ta0, ta1):
                count_a[t_word[t]] += 1
            head = p_token[pb0 + b_lo + 1]
            tail = p_token[pb0 + b_hi]
            nb0, nb1 = trim(
                tb0, tb1, head, max(tail, tb0), t_word, count_a, to_a, True, w_bits, first_b
            )
            for t in range(ta0, ta1):
                count_a[t_word[t]] = 0
            if na0 >= na1 or nb0 >= nb1:
                continue
            ta0, ta1, tb0, tb1 = na0, na1, nb0, nb1
            # Copy that begins or ends inside a sentence: go on while the words are the same.
            a_first = p_token[pa0]
            b_first = p_token[pb0]
            a_last = p_token[d_passage[a + 1]]
            b_last = p_token[d_passage[b + 1]]
            if to_a[t_word[tb0]] == t_word[ta0]:
                while ta0 > a_first and tb0 > b_first and to_a[t_word[tb0 - 1]] == t_word[ta0 - 1]:
                    ta0 -= 1
                    tb0 -= 1
            if to_a[t_word[tb1 - 1]] == t_word[ta1 - 1]:
                while ta1 < a_last and tb1 < b_last and to_a[t_word[tb1]] == t_word[ta1]:
                    ta1 += 1
                    tb1 += 1
            joins = (
                follows
                and ta0 < m_a1[last]
                and ta1 > m_a0[last]
                and tb0 < m_b1[last]
                and tb1 > m_b0[last]
            )
            if joins:
                ta0 = min(ta0, m_a0[last])
                ta1 = max(ta1, m_a1[last])
                tb0 = min(tb0, m_b0[last])
                tb1 = max(tb1, m_b1[last])
            similarity, bits = span_cosine(
                ta0,
                ta1,
                tb0,
                tb1,
                t_word,
                to_a,
                weight_a,
                weight_b,
                count_a,
                count_b,
                w_bits,
                first_a,
            )
            if similarity < min_similarity or bits < min_information:
                continue
            if joins:
                matches -= 1
            if matches == len(m_pair):
                m_pair = grown(m_pair, 2 * matches)
                m_a0 = grown(m_a0, 2 * matches)
                m_a1 = grown(m_a1, 2 * matches)
                m_b0 = grown(m_b0, 2 * matches)
                m_b1 = grown(m_b1, 2 * matches)
                m_similarity = grown(m_similarity, 2 * matches)
                m_bits = grown(m_bits, 2 * matches)
            m_pair[matches] = x
            m_a0[matches] = ta0
            m_a1[matches] = ta1
            m_b0[matches] = tb0
            m_b1[matches] = tb1
            m_similarity[matches] = similarity
            m_bits[matches] = bits
            box_match[root] = matches
            matches += 1
        for s in range(seeds):
            i = label[s]
            # The first seed of a passage is its best.
            if box_match[i] < 0 or box_last[i] == seed_b[s]:
                continue
            box_last[i] = seed_b[s]
            if links == len(l_match):
                l_match = grown(l_match, 2 * links)
                l_a = grown(l_a, 2 * links)
                l_b = grown(l_b, 2 * links)
                l_cosine = grown(l_cosine, 2 * links)
            l_match[links] = box_match[i]
            l_a[links] = pa0 + seed_a[s]
            l_b[links] = pb0 + seed_b[s]
            l_cosine[links] = seed_s[s]
            links += 1
    return (
        m_pair[:matches].copy(),
        m_a0[:matches].copy(),
        m_a1[:matches].copy(),
        m_b0[:matches].copy(),
        m_b1[:matches].copy(),
        m_similarity[:matches].copy(),
        m_bits[:matches].copy(),
        l_match[:links].copy(),
        l_a[:links].copy(),
        l_b[:links].copy(),
        l_cosine[:links].copy(),
        cut,
    )
