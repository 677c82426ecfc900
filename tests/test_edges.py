"""Edges of matches against a slow oracle, and what they lead over."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from oracles import Writer, placed_tokens

from dedup import compare
from dedup.kernels import edges
from dedup.kernels.minhash import CONTENT
from dedup.kernels.workspace import make_tokens, make_words

# --- the best span, word by word ------------------------------------------------------------------


def outcomes(own: list[int], left: Counter[int], pairs: set[tuple[int, int]]) -> list[int]:
    """How each token meets the other side, before single words are used up: 3 in a long run,
    2 in a short one, 1 alone. Words of long runs are taken from ``left``, the longest run first
    (of equal ones, the first); 0 where none is."""
    out = [1] * len(own)
    long_runs: list[range] = []
    k = 0
    while k < len(own):
        n = 1
        while k + n < len(own) and (own[k + n - 1], own[k + n]) in pairs:
            n += 1
        if n - 1 >= edges.LONG:
            long_runs.append(range(k, k + n))
        elif n > 1:
            out[k : k + n] = [2] * n
        k += n
    for run in sorted(long_runs, key=len, reverse=True):
        for i in run:
            out[i] = 3 if left[own[i]] > 0 else 0
            left[own[i]] -= out[i] == 3
    return out


def use_up(own: list[int], found: list[int], left: Counter[int], order: range | list[int]) -> None:
    for k in order:
        if found[k] in (1, 2):
            if left[own[k]] > 0:
                left[own[k]] -= 1
            else:
                found[k] = 0


def spans_by_brute_force(own, content, core, other, chance):
    """``{(start, end): log-likelihood ratio}`` of all spans of the window, and the share of the
    core in long runs. ``own`` and ``other`` are words of both sides (-1: unknown to the other),
    ``other`` only its window; ``chance`` rates of outcomes, or None to take them from ``own``."""
    pairs = {p for p in itertools.pairwise(other) if -1 not in p}
    left = Counter(w for w in other if w >= 0)
    lo, hi = core
    begin, end = max(0, lo - edges.WINDOW), min(len(own), hi + edges.WINDOW)
    window = own[begin:end]
    found = outcomes(window, left, pairs)
    use_up(window, found, left, range(lo - begin, hi - begin))
    inside = Counter((content[t], found[t - begin]) for t in range(lo, hi))
    if chance is None:
        counted: Counter[tuple[bool, int]] = Counter()
        for start, stop in ((max(0, begin - edges.FAR), begin), (end, end + edges.FAR)):
            for block in range(start, min(stop, len(own)), edges.WINDOW):
                part = own[block : min(block + edges.WINDOW, stop)]
                rest = left.copy()
                seen = outcomes(part, rest, pairs)
                use_up(part, seen, rest, range(len(part)))
                counted.update(zip(content[block : block + len(part)], seen, strict=True))
        chance = {
            (c, k): counted[c, k] + edges.CHANCE_WEIGHT * rates[k]
            for c, rates in ((True, edges.CHANCE_CONTENT), (False, edges.CHANCE_COMMON))
            for k in range(4)
        }
    nearest = sorted(
        [t for t in range(begin, end) if not lo <= t < hi],
        key=lambda t: (t - hi, 0) if t >= hi else (lo - 1 - t, 1),
    )
    use_up(window, found, left, [t - begin for t in nearest])
    score = {}
    for c in (True, False):
        core_size = sum(inside[c, k] + edges.INSIDE_WEIGHT for k in range(4))
        chance_size = sum(chance[c, k] for k in range(4))
        for k in range(4):
            p = (inside[c, k] + edges.INSIDE_WEIGHT) / core_size
            score[c, k] = math.log(p / (chance[c, k] / chance_size))
    spans = {}
    for i in range(begin, end):
        total = 0.0
        for j in range(i, end):
            total += score[content[j], found[j - begin]]
            spans[i, j + 1] = total
    in_runs = {k: sum(n for (_, kind), n in inside.items() if kind == k) for k in (2, 3)}
    unbroken = in_runs[2] + in_runs[3] >= edges.UNBROKEN * (hi - lo)
    return spans, 1.0 if unbroken else in_runs[3] / (hi - lo)


def related_words(r: random.Random) -> tuple[list[int], list[int]]:
    """Two texts over a small vocabulary; the second copies stretches of the first, with errors."""
    size = r.choice([12, 60, 400])
    one = [r.randrange(size) for _ in range(r.randint(20, 420))]
    two = [r.randrange(size) for _ in range(r.randint(5, 60))]
    for _ in range(r.randint(1, 3)):
        start = r.randrange(len(one))
        part = one[start : start + r.randint(3, 60)]
        loss = r.choice([0.0, 0.1, 0.4])
        two += [r.randrange(size) if r.random() < loss else w for w in part]
        two += [r.randrange(size) for _ in range(r.randint(0, 30))]
    return one, two


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("given_rates", [False, True])
def test_the_best_span_against_brute_force(seed, side, given_rates):
    r = random.Random(f"edges {seed}")
    own, other = related_words(r)
    size = 400
    first, second = (other, own) if side else (own, other)
    t_word = np.array(first + second, np.int32)
    begin = len(first) if side else 0
    obegin = 0 if side else len(first)
    bits = np.array([r.choice([20, 68 | CONTENT]) for _ in range(size)], np.uint8)
    lo = r.randrange(len(own))
    hi = r.randint(lo + 1, min(len(own), lo + 40))
    olo = r.randrange(len(other))
    ohi = r.randint(olo + 1, len(other))
    rates = [r.uniform(0.5, 9) for _ in range(8)]
    expected, same = spans_by_brute_force(
        own,
        [bool(bits[w] & CONTENT) for w in own],
        (lo, hi),
        other[olo:ohi],
        {(k < 4, k % 4): x for k, x in enumerate(rates)} if given_rates else None,
    )

    words, tokens = make_words(size), make_tokens(len(t_word), edges.WINDOW)
    tokens.rates[side] = rates if given_rates else 0.0
    start, stop, ratio, verbatim = edges.best_edges(
        begin + lo,
        begin + hi,
        begin,
        begin + len(own),
        obegin + olo,
        obegin + ohi,
        t_word,
        bits,
        words.left,
        tokens,
        side,
    )
    best = max(expected.values())
    if best > 0:
        assert ratio == pytest.approx(best)
        assert expected[start - begin, stop - begin] == pytest.approx(best)
    else:
        assert (start, ratio) == (stop, 0)
    assert verbatim == pytest.approx(same)
    assert not words.left.any(), "left as it was found"
    assert not tokens.table.any(), "left as it was found"


@pytest.mark.parametrize("copy_first", [False, True])
def test_the_longest_run_has_the_words_that_runs_compete_for(copy_first):
    """Words 0-11 stand once in the other text: they serve the copy, not what resembles it."""
    copy, alike = list(range(12)), [*range(2, 9), 20, 21]
    own = [*copy, 30, *alike] if copy_first else [*alike, 30, *copy]
    words, tokens = make_words(40), make_tokens(len(own), edges.WINDOW)
    size = len(tokens.table)
    edges.fill(0, 12, np.arange(12, dtype=np.int32), words.left, size, tokens.table)
    edges.meet(
        0,
        len(own),
        np.array(own, np.int32),
        words.left,
        size,
        tokens.table,
        tokens.flags,
        0,
        tokens.runs,
    )
    alone = [1, *[0] * 7, 1, 1] if copy_first else [*[0] * 7, 1, 1, 1]
    expected = [*[3] * 12, *alone] if copy_first else [*alone, *[3] * 12]
    assert tokens.flags[: len(own)].tolist() == expected
    assert (words.left[:12] == edges.PRESENT).all(), "each word served once"
    assert not words.left[12:].any()


# --- what a match leads over ----------------------------------------------------------------------


def reworded(w: Writer, sentence: str, every: int) -> str:
    """The sentence with every so many words replaced by invented ones."""
    words = sentence.rstrip(".").split()
    changed = [w.word() if k % every == every - 1 else word for k, word in enumerate(words)]
    return " ".join(changed).capitalize() + "."


def mangled(w: Writer, r: random.Random, sentence: str) -> str:
    """Two words of three replaced, and all in another order."""
    words = [word.lower() for word in sentence.rstrip(".").split()]
    words = [word if k % 3 == 1 else w.word() for k, word in enumerate(words)]
    r.shuffle(words)
    return " ".join(words).capitalize() + "."


def around(w: Writer, middle: str) -> str:
    return " ".join([*w.sentences(4), middle, *w.sentences(4)])


def words_of(text: str, start: int, end: int) -> list[str]:
    return [word for word, lo, hi, _ in placed_tokens(text) if start <= lo and hi <= end]


def test_a_reworded_copy_leads_over_a_mangled_sentence():
    """Alone, the sentence in the middle is like nothing; between two others it is their third."""
    exact = 0
    for seed in range(20):
        w, r = Writer(f"mangled {seed}"), random.Random(seed)
        one, two, three = (w.sentence(16) for _ in range(3))
        lost = mangled(w, r, two)
        assert compare(around(w, two), around(w, lost)) == []
        mine = " ".join((one, two, three))
        yours = " ".join((reworded(w, one, 4), lost, reworded(w, three, 4)))
        a, b = around(w, mine), around(w, yours)
        (m,) = compare(a, b)
        found = a[m.a_start : m.a_end], b[m.b_start : m.b_end]
        wanted = mine.rstrip("."), yours.rstrip(".")
        assert wanted[0] in found[0]
        assert wanted[1] in found[1]
        exact += found == wanted
    # Chance may make a neighbouring sentence look like a mangled one.
    assert exact >= 18


@pytest.mark.parametrize("seed", range(20))
def test_a_sharp_edge_stays_where_the_copy_ends(seed):
    """A verbatim copy that stops inside a sentence does not take the rest of it."""
    w = Writer(f"sharp {seed}")
    copied, half = " ".join(w.sentences(2)), w.sentence(8).rstrip(".")
    tails = [" ".join(w.word() for _ in range(9)) + "." for _ in range(2)]
    a, b = (around(w, f"{copied} {half} {tail}") for tail in tails)
    (m,) = compare(a, b)
    shared = f"{copied} {half}"
    assert words_of(a, m.a_start, m.a_end) == words_of(shared, 0, len(shared))
    assert words_of(b, m.b_start, m.b_end) == words_of(shared, 0, len(shared))


# --- one match per shared passage -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("swap", [False, True])
def test_a_reworded_passage_that_stands_twice_is_matched_once(seed, swap):
    w = Writer(f"twice {seed}")
    passage = w.sentences(3)
    once = around(w, " ".join(passage))
    nearer, farther = (" ".join(reworded(w, s, k) for s in passage) for k in (5, 3))
    twice = around(w, f"{farther} {' '.join(w.sentences(6))} {nearer}")
    (m,) = compare(twice, once) if swap else compare(once, twice)
    start, end = (m.a_start, m.a_end) if swap else (m.b_start, m.b_end)
    at = twice.index(nearer)
    assert min(end, at + len(nearer)) - max(start, at) >= 0.9 * len(nearer), "the nearer one"


@pytest.mark.parametrize("seed", range(10))
def test_a_verbatim_passage_that_stands_twice_is_matched_twice(seed):
    w = Writer(f"repeated {seed}")
    passage = " ".join(w.sentences(3))
    once = around(w, passage)
    twice = around(w, f"{passage} {' '.join(w.sentences(6))} {passage}")
    one, two = compare(once, twice)
    assert once[one.a_start : one.a_end] == once[two.a_start : two.a_end] == passage.rstrip(".")
    assert twice[one.b_start : one.b_end] == twice[two.b_start : two.b_end] == passage.rstrip(".")
    assert one.b_end < two.b_start
