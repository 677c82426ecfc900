"""Summaries: a short stretch of one text that retells much of the other.

Its passages, one after another, are like passages that stand far apart in the longer text.
(Sanchez-Perez et al., PAN 2014, cluster seeds with a wide gap for such cases; here the places
decide.)
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import leaf
from dedup.kernels.ordering import stable_order
from dedup.kernels.similarity import span_likeness

PLAIN = 0
SUMMARY_A = 1  # the stretch of a is the summary
SUMMARY_B = 2
GONE = 3

LEAST_PASSAGES = 3
MOST_TOKENS = 400
SKIP = 3  # a run goes on over two passages without a like one
RATIO = 2.0  # tokens of the retold part to those of the summary, at least
MOST_RATIO = 16.0  # and at most: a few alike sentences scattered over a long text are no summary
RUN = 2  # passages that it takes from one neighbourhood on average, at most: more are copied runs
NEAR = 3  # passages from one place to the next inside one neighbourhood
NEIGHBOURHOOD = 0.55  # share of the summary that one neighbourhood explains, at most
MOSTLY = 0.75  # the same where what stands elsewhere is clearly alike,
ELSEWHERE = 0.5  # by its mean cosine
LIKENESS = 0.4  # mean cosine at least
SAME = 0.9  # cosine of a passage that is copied rather than retold
COPIED = 0.7  # share of copied passages at most
EXPLAINED_TOKENS = 45
EXPLAINED = 0.8  # share of the summary that longer plain matches may cover
MOST = 16  # summaries on one side of a pair: bounds the work in texts of very many runs
FULL = 0.3  # share of the longer text from which all of it is retold


@leaf
def explained(lo, hi, side, count, spans, cover):
    """Share of tokens ``lo`` to ``hi`` of one side (0: a, 1: b) in longer plain matches."""
    for m in range(count):
        if spans.form[m] != PLAIN:
            continue
        at = spans.at[m]
        if min(at[1] - at[0], at[3] - at[2]) >= EXPLAINED_TOKENS:
            cover[max(lo, at[2 * side]) - lo : max(lo, min(hi, at[2 * side + 1])) - lo] = 1
    total = 0
    for t in range(hi - lo):
        total += cover[t]
        cover[t] = 0
    return total / (hi - lo)


@leaf
def retold(first, last, p0, q0, p_token, passages):
    """Whether passages ``first`` to ``last`` retell scattered passages of the other text.

    ``p0``, ``q0``: first passages of both texts; ``passages.place`` and ``likeness``: the passage
    most like each, or -1, and its cosine. Returns the first and last place, or (-1, -1).
    """
    n = np.int64(0)
    tokens = 0
    same = 0
    mean = 0.0
    place = passages.place
    likeness = passages.likeness
    places = passages.places
    sizes = passages.sizes
    order = passages.order
    for p in range(first, last + 1):
        if place[p] >= 0:
            places[n] = place[p]
            sizes[n] = p_token[p0 + p + 1] - p_token[p0 + p]
            tokens += sizes[n]
            mean += likeness[p]
            if likeness[p] >= SAME:
                same += 1
            n += 1
    if n < LEAST_PASSAGES or 2 * n < last - first + 1 or same > COPIED * n or mean < LIKENESS * n:
        return -1, -1
    stable_order(places, n, order, passages.spare)
    low = places[order[0]]
    high = places[order[n - 1]]
    own = p_token[p0 + last + 1] - p_token[p0 + first]
    other = p_token[q0 + high + 1] - p_token[q0 + low]
    if own > MOST_TOKENS or other < RATIO * own or other > MOST_RATIO * own:
        return -1, -1
    neighbourhoods = 0
    inside = 0
    begin = low
    most = 0
    largest = (low, low)
    for i in range(n):
        at = places[order[i]]
        if i == 0 or at - places[order[i - 1]] >= NEAR:
            neighbourhoods += 1
            inside = 0
            begin = at
        inside += sizes[order[i]]
        if inside > most:
            most = inside
            largest = (begin, at)
    if most > NEIGHBOURHOOD * tokens:
        elsewhere = 0
        mean = 0.0
        for p in range(first, last + 1):
            if place[p] >= 0 and not largest[0] <= place[p] <= largest[1]:
                mean += likeness[p]
                elsewhere += 1
        if most > MOSTLY * tokens or mean < ELSEWHERE * elsewhere:
            return -1, -1
    if neighbourhoods < LEAST_PASSAGES or n > RUN * neighbourhoods:
        return -1, -1
    return low, high


@leaf
def find_summaries(
    side,
    a,
    b,
    seeds_count,
    count,
    texts,
    words,
    seeds,
    spans,
    passages,
    logs,
    cover,
    least,
    least_bits,
):
    """Add the summaries that stand on one side (0: a, 1: b) to ``spans``.

    ``count`` matches of texts ``a`` and ``b`` so far; ``least``, ``least_bits``: what similarity
    and shared information must reach. Matches that lie in a summary by half or more are marked
    GONE, ``seeds.match`` of its seeds becomes its number. The first MOST are found. Returns the
    number of matches.
    """
    p_token = texts.p_token
    own_text = a if side == 0 else b
    other_text = b if side == 0 else a
    p0 = texts.d_passage[own_text]
    q0 = texts.d_passage[other_text]
    own_count = texts.d_passage[own_text + 1] - p0
    other_count = texts.d_passage[other_text + 1] - q0
    both = own_count + other_count
    place = passages.place
    likeness = passages.likeness
    for s in range(seeds_count):
        p = seeds.a[s] if side == 0 else seeds.b[s]
        q = seeds.b[s] if side == 0 else seeds.a[s]
        if place[p] < 0 or seeds.cosine[s] > likeness[p]:
            place[p] = q
            likeness[p] = seeds.cosine[s]
    p = np.int64(0)
    found = 0
    while p < own_count and found < MOST:
        if place[p] < 0:
            p += 1
            continue
        first = p
        last = p
        while p < own_count and p - last <= SKIP:
            if place[p] >= 0:
                last = p
            p += 1
        if last - first + 1 < LEAST_PASSAGES:
            continue
        low, high = retold(first, last, p0, q0, p_token, passages)
        if low < 0:
            continue
        lo, hi = p_token[p0 + first], p_token[p0 + last + 1]
        if explained(lo, hi, side, count, spans, cover) > EXPLAINED:
            continue
        begin, end = p_token[q0], p_token[q0 + other_count]
        olo, ohi = p_token[q0 + low], p_token[q0 + high + 1]
        at = spans.at[count]
        at[2 * side], at[2 * side + 1] = lo, hi
        at[2 - 2 * side], at[3 - 2 * side] = begin, end
        # What retells much of a text retells all of it, if the whole is still like it.
        similarity = 0.0
        bits = 0.0
        if ohi - olo >= FULL * (end - begin):
            similarity, bits = span_likeness(at[0], at[1], at[2], at[3], both, texts, words, logs)
        if similarity < least or bits < least_bits:
            at[2 - 2 * side], at[3 - 2 * side] = olo, ohi
            similarity, bits = span_likeness(at[0], at[1], at[2], at[3], both, texts, words, logs)
        if similarity < least or bits < least_bits:
            continue
        spans.similarity[count] = similarity
        spans.bits[count] = bits
        spans.form[count] = SUMMARY_A if side == 0 else SUMMARY_B
        spans.ratio[count] = 1e9  # before all plain matches
        for m in range(count):
            own = spans.at[m, 2 * side : 2 * side + 2]
            if spans.form[m] == PLAIN and 2 * (min(own[1], hi) - max(own[0], lo)) > own[1] - own[0]:
                spans.form[m] = GONE
        for s in range(seeds_count):
            own_place = seeds.a[s] if side == 0 else seeds.b[s]
            if first <= own_place <= last:
                seeds.match[s] = count
        count += 1
        found += 1
    for s in range(seeds_count):
        place[seeds.a[s] if side == 0 else seeds.b[s]] = -1
    return count
