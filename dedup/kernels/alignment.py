"""Alignment of article pairs: seeds, clusters, edges, summaries, one match per shared passage.

The method follows Sanchez-Perez, Sidorov and Gelbukh (PAN 2014): passages are compared by the
cosine of their TF-ISF vectors, close pairs are seeds, seeds that lie near each other on both
sides form a cluster, clusters are validated as a whole. Added here: edges by likelihood (see
``edges``), summaries by scattered places (``summaries``), no passage matched twice by weaker
matches, and equality of words decided on the text, never by a hash.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.comparison import SIDE_A, SIDE_B, load, table_size, unload
from dedup.kernels.edges import (
    VERBATIM,
    refine,
    same_words_on,
    whole_passages,
    without_overhang,
)
from dedup.kernels.jit import leaf
from dedup.kernels.ordering import stable_order
from dedup.kernels.seeds import (
    find_seeds,
    foreign,
    index_content,
    index_keys,
    keep_best,
)
from dedup.kernels.similarity import span_likeness
from dedup.kernels.summaries import GONE, PLAIN, SUMMARY_A, SUMMARY_B, find_summaries

GAP = 3  # passages between seeds of one cluster, on either side
LOOK_BACK = 64
MOST_INSERTED_BITS = 120 * 4  # quarters of foreign matter that a match may span on one side
TAKEN = 0.5  # share of a weaker match, on either side, that stronger ones may hold already
SAME_WORD = 2.0  # nats that a token of a verbatim run is worth, as ``edges`` finds on average
REPEATED = 0.98  # similarity from which a match is a repetition rather than a weaker match


@leaf
def between(sums, p, q):
    """Foreign information strictly between passages ``p`` and ``q`` of one article."""
    low = min(p, q)
    high = max(p, q)
    return sums[high] - sums[low + 1] if high > low + 1 else 0


@leaf
def root_of(parent, i):
    """Root of a union-find tree, with path halving."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@leaf
def cluster(count, seeds, passages, cut):
    """Join strong seeds within GAP passages of each other on both sides, with foreign matter
    between them on one side at most; ``seeds.box`` of a root spans its cluster (passages)."""
    parent = seeds.parent
    for s in range(count):
        parent[s] = s
        seeds.match[s] = -1
        if not seeds.strong[s]:
            continue
        if s >= LOOK_BACK and seeds.b[s] - seeds.b[s - LOOK_BACK] <= GAP:
            cut[2] += 1
        for r in range(s - 1, max(-1, s - LOOK_BACK), -1):
            if seeds.b[s] - seeds.b[r] > GAP:
                break
            if seeds.strong[r] and abs(seeds.a[s] - seeds.a[r]) <= GAP:
                alien_a = between(passages.foreign_a, seeds.a[s], seeds.a[r])
                alien_b = between(passages.foreign_b, seeds.b[s], seeds.b[r])
                if min(alien_a, alien_b) > 0 or max(alien_a, alien_b) > MOST_INSERTED_BITS:
                    continue
                i = root_of(parent, s)
                j = root_of(parent, r)
                if i < j:
                    parent[j] = i
                else:
                    parent[i] = j
    for s in range(count):
        i = root_of(parent, s)
        seeds.label[s] = i
        box = seeds.box[i]
        if i == s:
            box[0] = box[1] = seeds.a[s]
            box[2] = box[3] = seeds.b[s]
        else:
            box[0] = min(box[0], seeds.a[s])
            box[1] = max(box[1], seeds.a[s])
            box[2] = min(box[2], seeds.b[s])
            box[3] = max(box[3], seeds.b[s])


@leaf
def same_words(a0, a1, b0, b1, t_word):
    """Whether two token spans are word for word equal."""
    if a1 - a0 != b1 - b0:
        return False
    k = 0
    while k < a1 - a0 and t_word[b0 + k] == t_word[a0 + k]:
        k += 1
    return k == a1 - a0


@leaf
def plain_matches(
    count, a, b, texts, words, seeds, spans, tokens, logs, min_similarity, min_information
):
    """The matches of all clusters of a pair, in the order of their roots; returns how many.

    ``seeds.match`` of a root is the number of its match, or -1.
    """
    pa0 = texts.d_passage[a]
    pb0 = texts.d_passage[b]
    p_token = texts.p_token
    t_word = texts.t_word
    bits = texts.v_bits
    last_a = texts.d_passage[a + 1]
    last_b = texts.d_passage[b + 1]
    passages = last_a - pa0 + last_b - pb0
    found = 0
    for root in range(count):
        if seeds.parent[root] != root or not seeds.strong[root]:
            continue
        box = seeds.box[root]
        a0 = p_token[pa0 + box[0]]
        a1 = p_token[pa0 + box[1] + 1]
        b0 = p_token[pb0 + box[2]]
        b1 = p_token[pb0 + box[3] + 1]
        last = found - 1
        if found > 0:
            at = spans.at[last]
            if at[0] <= a0 and a1 <= at[1] and at[2] <= b0 and b1 <= at[3]:
                seeds.match[root] = last  # a match has led over it already
                continue
        if same_words(a0, a1, b0, b1, t_word):
            # Equal passages one after another: the words themselves say where it ends.
            ratio = SAME_WORD * (a1 - a0 + b1 - b0)
            verbatim = 1.0
        else:
            a0, a1, b0, b1, ratio, verbatim = refine(a0, a1, b0, b1, a, b, texts, words, tokens)
            if a0 >= a1 or b0 >= b1:
                continue
        if verbatim < VERBATIM:
            a0, a1 = whole_passages(a0, a1, pa0, last_a, p_token)
            b0, b1 = whole_passages(b0, b1, pb0, last_b, p_token)
        a0, a1, b0, b1 = same_words_on(a0, a1, b0, b1, a, b, texts)
        a0, a1 = without_overhang(a0, a1, pa0, last_a, p_token, t_word, bits)
        b0, b1 = without_overhang(b0, b1, pb0, last_b, p_token, t_word, bits)
        joins = False
        if found > 0:
            at = spans.at[last]
            joins = a0 < at[1] and a1 > at[0] and b0 < at[3] and b1 > at[2]
            if joins:
                a0, a1 = min(a0, at[0]), max(a1, at[1])
                b0, b1 = min(b0, at[2]), max(b1, at[3])
                ratio = max(ratio, spans.ratio[last])
        similarity, shared = span_likeness(a0, a1, b0, b1, passages, texts, words, logs)
        if similarity < min_similarity or shared < min_information:
            continue
        if joins:
            found -= 1
        at = spans.at[found]
        at[0], at[1], at[2], at[3] = a0, a1, b0, b1
        spans.similarity[found] = similarity
        spans.bits[found] = shared
        spans.ratio[found] = ratio
        spans.form[found] = PLAIN
        seeds.match[root] = found
        found += 1
    for s in range(count):
        seeds.match[s] = seeds.match[seeds.label[s]]
    return found


@leaf
def drop_repeated(found, a_first, b_first, spans, tokens):
    """Drop matches whose text stronger matches hold already, on either side.

    ``a_first``, ``b_first``: first tokens of the texts. A summary takes its own side only. A
    repetition of equal words elsewhere stays. ``spans.number`` of a match that is dropped
    becomes the one that holds it on both sides, where that is one, or -1.
    """
    for m in range(found):
        spans.strength[m] = -spans.ratio[m] * spans.similarity[m]
        spans.number[m] = -1
    stable_order(spans.strength, found, spans.order, spans.spare)
    for i in range(found):
        m = spans.order[i]
        if spans.form[m] == GONE:
            continue
        a0, a1 = spans.at[m, 0] - a_first, spans.at[m, 1] - a_first
        b0, b1 = spans.at[m, 2] - b_first, spans.at[m, 3] - b_first
        if spans.form[m] == PLAIN:
            held_a = 0
            holder = -1
            for t in range(a0, a1):
                if tokens.cover_a[t] > 0:
                    held_a += 1
                    holder = tokens.cover_a[t] - 1
            held_b = 0
            other = -1
            for t in range(b0, b1):
                if tokens.cover_b[t] > 0:
                    held_b += 1
                    other = tokens.cover_b[t] - 1
            in_a = held_a >= TAKEN * (a1 - a0)
            in_b = held_b >= TAKEN * (b1 - b0)
            if (in_a and in_b) or ((in_a or in_b) and spans.similarity[m] < REPEATED):
                spans.form[m] = GONE
                if holder == other:
                    spans.number[m] = holder
                continue
        if spans.form[m] != SUMMARY_B:
            tokens.cover_a[a0:a1] = m + 1
        if spans.form[m] != SUMMARY_A:
            tokens.cover_b[b0:b1] = m + 1
    for m in range(found):
        tokens.cover_a[spans.at[m, 0] - a_first : spans.at[m, 1] - a_first] = 0
        tokens.cover_b[spans.at[m, 2] - b_first : spans.at[m, 3] - b_first] = 0


@leaf
def align_pairs(
    first, pair_a, pair_b, texts, words, room, found_in, min_similarity, min_information, summaries
):
    """Align pairs of articles (int64 ``pair_a`` sorted, ``pair_b``), from pair ``first`` on.

    Returns ``(end, matches, links)``: how many of either stand in ``found_in`` (a
    :class:`~dedup.kernels.workspace.Found`). It stops before the pair ``end`` where what that
    pair may add might not fit.

    ``words``: scratch for the vocabulary, left zeroed; ``room``: scratch for texts of these
    sizes. ``summaries``: whether to look for them, too (see ``summaries``).
    """
    pairs = len(pair_a)
    d_passage = texts.d_passage
    d_word = texts.d_word
    p_token = texts.p_token
    bags = room.bags
    passages = room.passages
    seeds = room.seeds
    spans = room.spans
    tokens = room.tokens
    logs = room.logs
    cut = found_in.cut
    match = found_in.match
    value = found_in.value
    link = found_in.link
    cosine = found_in.cosine
    matches = 0
    links = 0
    end = pairs
    previous = np.int64(-1)
    key_size = 64
    content = 0
    for x in range(first, pairs):
        if matches + len(spans.form) > len(match) or links + len(seeds.a) > len(link):
            end = x
            break
        a = pair_a[x]
        b = pair_b[x]
        pa0 = d_passage[a]
        pb0 = d_passage[b]
        na = d_passage[a + 1] - pa0
        nb = d_passage[b + 1] - pb0
        if a != previous:
            if previous >= 0:
                unload(previous, SIDE_A, d_word, texts.w_word, words.held)
                for k in range(1, content + 1):
                    words.place[bags.own[k]] = 0
            previous = a
            load(a, SIDE_A, d_word, texts.w_word, texts.w_passages, words.held)
            content = index_content(pa0, na, texts, words.place, bags)
            key_size = table_size(na)
            index_keys(pa0, na, texts.p_key, key_size, bags.key_slot)
            bags.size[:na] = -1
        load(b, SIDE_B, d_word, texts.w_word, texts.w_passages, words.held)
        count = find_seeds(
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
            summaries,
        )
        count = keep_best(count, seeds, passages.best_of_a)
        found = 0
        if count > 0:
            if count > 1:
                foreign(pa0, na, SIDE_B, texts, words.held, passages.foreign_a)
                foreign(pb0, nb, SIDE_A, texts, words.held, passages.foreign_b)
            cluster(count, seeds, passages, cut)
            found = plain_matches(
                count,
                a,
                b,
                texts,
                words,
                seeds,
                spans,
                tokens,
                logs,
                min_similarity,
                min_information,
            )
            for side in range(2 if summaries else 0):
                found = find_summaries(
                    side,
                    a,
                    b,
                    count,
                    found,
                    texts,
                    words,
                    seeds,
                    spans,
                    passages,
                    logs,
                    tokens.cover_a if side == 0 else tokens.cover_b,
                    min_similarity,
                    min_information,
                )
        unload(b, SIDE_B, d_word, texts.w_word, words.held)
        if found == 0:
            continue
        drop_repeated(found, p_token[pa0], p_token[pb0], spans, tokens)
        for m in range(found):
            if spans.form[m] == GONE:
                continue
            match[matches, 0] = x
            for k in range(4):
                match[matches, 1 + k] = spans.at[m, k]
            value[matches, 0] = spans.similarity[m]
            value[matches, 1] = spans.bits[m]
            spans.number[m] = matches
            matches += 1
        previous_b = np.int64(-1)
        previous_match = np.int64(-1)
        for s in range(count):
            k = seeds.match[s]
            if k >= 0 and spans.form[k] == GONE:
                k = spans.number[k]
            k = spans.number[k] if k >= 0 and spans.form[k] != GONE else np.int64(-1)
            # The first seed of a passage is its best.
            if k < 0 or (previous_b == seeds.b[s] and previous_match == k):
                continue
            previous_b = seeds.b[s]
            previous_match = k
            link[links, 0] = k
            link[links, 1] = pa0 + seeds.a[s]
            link[links, 2] = pb0 + seeds.b[s]
            cosine[links] = seeds.cosine[s]
            links += 1
    if previous >= 0:
        unload(previous, SIDE_A, d_word, texts.w_word, words.held)
        for k in range(1, content + 1):
            words.place[bags.own[k]] = 0
    return end, matches, links
