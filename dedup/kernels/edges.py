"""The edges of a match: how far the likeness of two texts reaches around a core.

Each token of a text meets the other text in one of four ways: in a long run of words that
stand side by side there, too, in a short run, alone, or not at all. Inside a match these happen
at other rates than outside; both rates are taken from the two texts themselves (with a few
tokens' weight of usual rates, for short texts), so that a verbatim copy gets sharp edges and a
reworded one soft ones. The span with the greatest log-likelihood ratio is the match (maximum
subarray, Kadane; scores as in Karlin and Altschul 1990). Every word of the other side serves
once.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import leaf
from dedup.kernels.minhash import CONTENT
from dedup.kernels.ordering import first_from, stable_order

WINDOW = 60  # tokens looked at beyond a core
FAR = 120  # tokens beyond the window from which the chance rates are taken
ROUNDS = 3
LONG = 5  # word pairs of a long run
CHANCE_WEIGHT = 30.0  # tokens that the chance rates below are worth
CHANCE_CONTENT = (0.90, 0.075, 0.02, 0.005)  # not at all, alone, in a short, in a long run
CHANCE_COMMON = (0.55, 0.345, 0.10, 0.005)
INSIDE_WEIGHT = 0.5  # tokens of each outcome added to what the core shows
VERBATIM = 0.5  # share of tokens in long runs above which edges stay where the words end
UNBROKEN = 0.85  # share of tokens in runs of any length that is as good
OVERHANG = 2  # common words beyond a passage's border that are no part of a match
PRESENT = np.int32(2**24)  # marks words that the other side's window holds, used up or not
WHOLE = 0.4  # share of its outer passages that a reworded match must reach to take them whole


@leaf
def pair_slot(v, w, size, table):
    """Slot of the word pair (v, w) in an open-addressing table (int64, 0 is empty), and its key."""
    key = (np.int64(v) << np.int64(31)) + np.int64(w) + 1
    mixed = key * np.int64(-7046029254386353131)  # 2^64 over the golden ratio (Knuth)
    j = (mixed ^ (mixed >> np.int64(32))) & (size - 1)
    while table[j] != 0 and table[j] != key:
        j = (j + 1) & (size - 1)
    return j, key


@leaf
def meet(lo, hi, t_word, left, size, table, flags, base, runs):
    """Find the runs that tokens ``lo`` to ``hi`` share with the other side. Words of long runs are
    used up at once, the longest run first (as Wise 1993 tiles two strings): where a text says
    nearly the same twice, the other side's words are those of the closer one.

    ``flags[t - base]``: 3 in a long run, 2 in a short one, 1 otherwise, 0 in a long run that finds
    its word used up. ``runs``: scratch (see ``workspace.Runs``).
    """
    start = lo
    count = 0
    here = left[t_word[lo]] > 0
    for t in range(lo, hi):
        flags[t - base] = 1
        chained = False
        if t + 1 < hi:
            there = left[t_word[t + 1]] > 0
            if here and there:
                j, key = pair_slot(np.int64(t_word[t]), np.int64(t_word[t + 1]), size, table)
                chained = table[j] == key
            here = there
        if not chained:
            if t - start >= LONG:
                runs.begin[count] = start
                runs.shortness[count] = start - t
                count += 1
            elif t > start:
                flags[start - base : t + 1 - base] = 2
            start = t + 1
    if count > 1:
        stable_order(runs.shortness, count, runs.order, runs.spare)
    else:
        runs.order[0] = 0
    for i in range(count):
        k = runs.order[i]
        for u in range(runs.begin[k], runs.begin[k] - runs.shortness[k] + 1):
            v = t_word[u]
            takes = left[v] > PRESENT
            left[v] -= takes
            flags[u - base] = 3 * takes


@leaf
def settle(t, t_word, left, flags, base):
    """The outcome of a token whose runs are known, in ``flags``; uses up its word."""
    # Without branches: which way they go cannot be foreseen.
    k = t - base
    v = t_word[t]
    waits = (flags[k] == 1) | (flags[k] == 2)
    takes = waits & (left[v] > PRESENT)
    left[v] -= takes
    flags[k] *= takes | (not waits)


@leaf
def fill(lo, hi, t_word, left, size, table):
    """Count the words of tokens ``lo`` to ``hi`` in ``left``, from PRESENT on, and note their pairs
    in ``table``."""
    before = np.int64(-1)
    for t in range(lo, hi):
        v = np.int64(t_word[t])
        left[v] = max(left[v], PRESENT) + 1
        if before >= 0:
            j, key = pair_slot(before, v, size, table)
            table[j] = key
        before = v


@leaf
def chance_rates(wlo, whi, begin, end, t_word, left, size, table, bits, used, runs, out):
    """Outcomes of stretches of text far away put in the place of the window (``out`` float64, 8:
    four of content words, four of common ones). They meet the words that the core has left, as
    the window's own tokens do."""
    for k in range(4):
        out[k] = CHANCE_WEIGHT * CHANCE_CONTENT[k]
        out[4 + k] = CHANCE_WEIGHT * CHANCE_COMMON[k]
    for part in range(2):
        low = max(begin, wlo - FAR) if part == 0 else whi
        high = wlo if part == 0 else min(end, whi + FAR)
        for block in range(low, high, WINDOW):
            stop = min(high, block + WINDOW)
            meet(block, stop, t_word, left, size, table, used, block, runs)
            for t in range(block, stop):
                settle(t, t_word, left, used, block)
                out[used[t - block] + (0 if bits[t_word[t]] & CONTENT else 4)] += 1.0
            for t in range(block, stop):
                left[t_word[t]] += used[t - block] > 0


@leaf
def best_edges(lo, hi, begin, end, olo, ohi, t_word, bits, left, tokens, side):
    """The span around ``lo`` to ``hi`` with the greatest log-likelihood ratio.

    ``begin`` to ``end`` is the text, ``olo`` to ``ohi`` the window of the other text, ``bits``
    the information of the vocabulary; the chance rates are those of ``side`` (0: a, 1: b) in
    ``tokens.rates``, taken anew where they begin with 0. Returns start, end, the ratio (nats) and
    the share of tokens of the core that stand in long runs (1 where nearly all stand in some run).
    """
    size = 64
    while size < 2 * (ohi - olo):
        size *= 2
    table = tokens.table
    flags = tokens.flags
    fill(olo, ohi, t_word, left, size, table)
    wlo = max(begin, lo - WINDOW)
    whi = min(end, hi + WINDOW)
    meet(wlo, whi, t_word, left, size, table, flags, wlo, tokens.runs)
    chance = tokens.rates[side]
    inside = tokens.rates[2]
    score = tokens.rates[3]
    inside[:] = INSIDE_WEIGHT
    for t in range(lo, hi):
        settle(t, t_word, left, flags, wlo)
        inside[flags[t - wlo] + (0 if bits[t_word[t]] & CONTENT else 4)] += 1.0
    if chance[0] == 0.0:
        chance_rates(
            wlo,
            whi,
            begin,
            end,
            t_word,
            left,
            size,
            table,
            bits,
            tokens.used,
            tokens.runs,
            chance,
        )
    for k in range(WINDOW):
        if hi + k < whi:
            settle(hi + k, t_word, left, flags, wlo)
        if lo - 1 - k >= wlo:
            settle(lo - 1 - k, t_word, left, flags, wlo)
    for t in range(olo, ohi):
        left[t_word[t]] = 0
    table[:size] = 0
    for base in (0, 4):
        p = inside[base] + inside[base + 1] + inside[base + 2] + inside[base + 3]
        q = chance[base] + chance[base + 1] + chance[base + 2] + chance[base + 3]
        for k in range(base, base + 4):
            score[k] = np.log((inside[k] / p) / (chance[k] / q))
    total = 0.0
    lowest = 0.0
    low_at = wlo
    top = 0.0
    start = lo
    stop = lo
    for t in range(wlo, whi):
        total += score[flags[t - wlo] + (0 if bits[t_word[t]] & CONTENT else 4)]
        if total - lowest > top:
            top = total - lowest
            start = low_at
            stop = t + 1
        if total <= lowest:
            lowest = total
            low_at = t + 1
    same = inside[3] + inside[7] - 2 * INSIDE_WEIGHT
    if same + inside[2] + inside[6] - 2 * INSIDE_WEIGHT >= UNBROKEN * (hi - lo):
        return start, stop, top, 1.0
    return start, stop, top, same / (hi - lo)


@leaf
def refine(a0, a1, b0, b1, a, b, texts, words, tokens):
    """Move the edges of a core (token spans of texts ``a``, ``b``) to where the likeness ends.

    Returns the spans, the log-likelihood ratio (nats) of both sides, and the greater share of
    tokens in long runs; empty spans where nothing is left.
    """
    t_word = texts.t_word
    a_first = texts.p_token[texts.d_passage[a]]
    a_last = texts.p_token[texts.d_passage[a + 1]]
    b_first = texts.p_token[texts.d_passage[b]]
    b_last = texts.p_token[texts.d_passage[b + 1]]
    tokens.rates[0, 0] = 0.0
    tokens.rates[1, 0] = 0.0
    score = 0.0
    verbatim = 0.0
    for _ in range(ROUNDS):
        before = (a0, a1, b0, b1)
        lo, hi, one, run_a = best_edges(
            a0,
            a1,
            a_first,
            a_last,
            max(b_first, b0 - WINDOW),
            min(b_last, b1 + WINDOW),
            t_word,
            texts.v_bits,
            words.left,
            tokens,
            np.int64(0),
        )
        if lo >= hi:
            return a0, a0, b0, b0, 0.0, 0.0
        a0, a1 = lo, hi
        lo, hi, two, run_b = best_edges(
            b0,
            b1,
            b_first,
            b_last,
            max(a_first, a0 - WINDOW),
            min(a_last, a1 + WINDOW),
            t_word,
            texts.v_bits,
            words.left,
            tokens,
            np.int64(1),
        )
        if lo >= hi:
            return a0, a0, b0, b0, 0.0, 0.0
        b0, b1 = lo, hi
        score = one + two
        verbatim = max(run_a, run_b)
        if before == (a0, a1, b0, b1):
            break
    return a0, a1, b0, b1, score, verbatim


@leaf
def whole_passages(lo, hi, first, last, p_token):
    """Move a span's edges to the borders of its outer passages, outwards where it reaches WHOLE
    of them, else inwards. ``first`` to ``last`` are the passages of the text."""
    i = first_from(p_token, first, last + 1, lo + 1) - 1
    j = first_from(p_token, first, last + 1, hi) - 1
    if i == j and hi - lo < WHOLE * (p_token[i + 1] - p_token[i]):
        return lo, hi
    start = p_token[i]
    if i < j and p_token[i + 1] - lo < WHOLE * (p_token[i + 1] - p_token[i]):
        start = p_token[i + 1]
    stop = p_token[j + 1]
    if i < j and hi - p_token[j] < WHOLE * (p_token[j + 1] - p_token[j]):
        stop = p_token[j]
    if start < stop:
        return start, stop
    return lo, hi


@leaf
def same_words_on(a0, a1, b0, b1, a, b, texts):
    """Copy that begins or ends inside a sentence: go on while the words are the same."""
    t_word = texts.t_word
    a_first = texts.p_token[texts.d_passage[a]]
    a_last = texts.p_token[texts.d_passage[a + 1]]
    b_first = texts.p_token[texts.d_passage[b]]
    b_last = texts.p_token[texts.d_passage[b + 1]]
    if t_word[b0] == t_word[a0]:
        while a0 > a_first and b0 > b_first and t_word[b0 - 1] == t_word[a0 - 1]:
            a0 -= 1
            b0 -= 1
    if t_word[b1 - 1] == t_word[a1 - 1]:
        while a1 < a_last and b1 < b_last and t_word[b1] == t_word[a1]:
            a1 += 1
            b1 += 1
    return a0, a1, b0, b1


@leaf
def without_overhang(lo, hi, first, last, p_token, t_word, bits):
    """Take back an edge that reaches OVERHANG common words at most into another passage: such
    words stand everywhere. ``first`` to ``last`` are the passages of the text, ``bits`` the
    information of its words."""
    j = first_from(p_token, first, last + 1, hi) - 1
    if lo < p_token[j] and hi < p_token[j + 1] and hi - p_token[j] <= OVERHANG:
        common = True
        for t in range(p_token[j], hi):
            common = common and not bits[t_word[t]] & CONTENT
        if common:
            hi = p_token[j]
    i = first_from(p_token, first, last + 1, lo + 1) - 1
    if p_token[i] < lo and p_token[i + 1] < hi and p_token[i + 1] - lo <= OVERHANG:
        common = True
        for t in range(lo, p_token[i + 1]):
            common = common and not bits[t_word[t]] & CONTENT
        if common:
            lo = p_token[i + 1]
    return lo, hi
