"""Candidates against brute force, and what a popular passage costs."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from oracles import Writer, jaccard

from dedup import candidates as module
from dedup.candidates import SameWords, article_pairs, find_candidates
from dedup.collection import as_texts, collect
from dedup.config import Settings
from dedup.formerpairs import Crowd, KnownPassages, Similar
from dedup.reuse import nothing_known


def candidates(texts, settings=None, threads=1):
    settings = settings or Settings()
    return find_candidates(collect(as_texts(texts)), settings, threads=threads)


def pairs(found):
    return list(zip(found.a.tolist(), found.b.tolist(), strict=True))


def variants(seed: int, families: int = 40, size: int = 4) -> list[list[str]]:
    """Sentences of content words: families of which each member lost and gained some words."""
    w, r = Writer(seed), random.Random(seed)
    out = []
    for _ in range(families):
        parent = [w.word() for _ in range(16)]
        for _ in range(size):
            child = list(parent)
            for k in r.sample(range(16), r.randint(0, 4)):
                child[k] = w.word()
            r.shuffle(child)
            out.append(child)
    r.shuffle(out)
    return out


def test_similar_passages_are_found():
    """Of pairs from Jaccard .6 on, 98.8 % collide at .6 itself and all but all above .7."""
    similar = lost = surely_similar = surely_lost = 0
    for seed in range(6):
        sentences = variants(seed)
        found = set(pairs(candidates([" ".join(s) + "." for s in sentences])))
        for (i, one), (j, two) in itertools.combinations(enumerate(sentences), 2):
            overlap = jaccard(one, two)
            if overlap >= 0.6:
                similar += 1
                lost += (i, j) not in found
            if overlap >= 0.75:
                surely_similar += 1
                surely_lost += (i, j) not in found
    assert similar > 500
    assert surely_similar > 200
    assert lost <= 0.02 * similar
    assert surely_lost == 0


def test_unrelated_articles_are_no_candidates():
    w = Writer(7)
    texts = [" ".join(w.sentences(8)) for _ in range(400)]
    assert len(candidates(texts).a) == 0


def test_pairs_are_listed_once_in_order():
    texts = [" ".join(s) + "." for s in variants(3)]
    found = pairs(candidates(texts))
    assert all(a < b for a, b in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_nothing(threads):
    texts = [" ".join(s) + "." for s in variants(4)]
    one, many = candidates(texts), candidates(texts, threads=threads)
    for name in ("a", "b", "weight", "u_start", "u_passage"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))


def test_little_information_is_no_candidate():
    w = Writer(1)
    shared = "He said it would be in the news again."
    assert len(candidates([f"{w.sentence()} {shared}" for _ in range(20)]).a) == 0


def test_a_sentence_in_five_thousand_articles_costs_five_thousand():
    w = Writer(2)
    shared = w.sentence(14)
    settings = Settings()
    found = candidates([f"{w.sentence(12)} {shared}" for _ in range(5000)])
    assert 4999 <= len(found.a) <= settings.representatives * 5000
    assert found.capped["passages"] == 1
    assert set(found.a.tolist()) == set(range(settings.representatives)), "the smallest nodes"
    assert set(found.b.tolist()) == set(range(1, 5000)), "every holder is compared"


def test_many_versions_of_a_sentence_cost_little():
    """3,000 different but similar sentences: the buckets are capped, the pairs stay linear."""
    w, r = Writer(5), random.Random(5)
    shared = [w.word() for _ in range(16)]
    texts = []
    for _ in range(3000):
        words = list(shared)
        words[r.randrange(16)] = w.word()
        texts.append(" ".join(words) + ".")
    found = candidates(texts)
    assert found.capped["buckets"] > 0
    assert len(found.a) < 100 * len(texts), "not 4.5 million"
    assert set(found.a.tolist()) | set(found.b.tolist()) == set(range(3000))


def test_twenty_holders_are_compared_all_with_all():
    w = Writer(6)
    shared = w.sentence(16)
    found = candidates([f"{w.sentence(12)} {shared}" for _ in range(20)])
    assert len(found.a) == 190
    assert found.capped["passages"] == 0


def test_equal_passages_are_grouped_on_the_text_not_on_the_key():
    """Two passages whose keys collide stay apart."""
    w = Writer(8)
    one, two = w.sentence(14), w.sentence(14)
    settings = Settings()
    collection = collect(as_texts([one, two, one + " "]))
    collection.p_key[:] = 7
    found = find_candidates(collection, settings)
    sizes = np.diff(found.u_start)
    groups = [
        found.u_passage[lo : lo + n].tolist() for lo, n in zip(found.u_start, sizes, strict=False)
    ]
    assert sorted(map(sorted, groups)) == [[0, 2], [1]]
    assert pairs(found) == [(0, 2)]


def test_passages_built_to_collide_stay_apart():
    words = json.loads((Path(__file__).parent / "golden" / "colliding_words.json").read_text())
    texts = [" ".join(side) + "." for side in zip(*words, strict=True)]
    found = candidates(texts)
    assert np.diff(found.u_start).tolist() == [1, 1]


@pytest.mark.parametrize("texts", [[], [""], ["", "."], ["word"], ["!"] * 3])
def test_nothing_to_find(texts):
    found = candidates(texts)
    assert pairs(found) == []
    assert found.u_start.tolist() == [0]


def names(w: Writer, count: int) -> str:
    """Invented words of three syllables or more: each carries 17 bits."""
    found: list[str] = []
    while len(found) < count:
        if len(word := w.word()) >= 8:
            found.append(word.capitalize())
    return " ".join(found)


def in_long_articles(w: Writer, one: str, two: str) -> list[str]:
    """The passages in articles so long that neither is a tenth of its article."""
    return [" ".join([*w.sentences(12), passage, *w.sentences(12)]) for passage in (one, two)]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_quoted_counts_twice(seed):
    """Five words are 85 bits, less than an article pair needs; quoted they are 170."""
    w = Writer(f"quoted {seed}")
    said = names(w, 5)
    plain = in_long_articles(w, f"{said}.", f"{said}.")
    assert pairs(candidates(plain)) == []
    quoted = in_long_articles(w, f"“{said},” she added.", f"“{said},” he wrote.")
    assert pairs(candidates(quoted)) == [(0, 1)]


@pytest.mark.parametrize("seed", range(5))
def test_names_alone_make_no_candidate(seed):
    """Six names are 102 bits, a seventh makes a pair; short articles are measured by themselves."""
    w = Writer(f"names {seed}")
    six, seven = names(w, 6), names(w, 7)
    assert pairs(candidates(in_long_articles(w, f"{six}.", f"{six}."))) == []
    assert pairs(candidates(in_long_articles(w, f"{seven}.", f"{seven}."))) == [(0, 1)]
    short = [f"{w.sentence()} {six}. {w.sentence()}" for _ in range(2)]
    assert pairs(candidates(short)) == [(0, 1)]


@pytest.mark.parametrize("seed", range(5))
def test_names_in_other_sentences_make_no_candidate(seed):
    """Two reports of one event name the same people in sentences of their own."""
    w = Writer(f"report {seed}")
    people = [names(w, 2) for _ in range(3)]
    reports = []
    for _ in range(2):
        told = [f"{w.sentence(7, '')} {one} {w.sentence(6).lower()}" for one in people]
        reports.append(" ".join([*w.sentences(3), *told, *w.sentences(3)]))
    assert pairs(candidates(reports)) == []


def test_more_representatives_than_partners_are_all_there_are():
    """A passage of many near-copies keeps at most the neighbours that it has."""
    from dedup.kernels.pairs import bounded_edges

    u, v = np.triu_indices(6, 1)
    pairs = ((u << 32) | v).astype(np.uint64)
    kept = bounded_edges(pairs, np.ones(len(u), np.int32), 6, 2, 50, 2)
    assert kept.all()


def crowded(seed: int, families: int, size: int) -> list[str]:
    """Families of sentences that differ in few words, so many that buckets become full."""
    w, r = Writer(seed), random.Random(seed)
    texts = []
    for _ in range(families):
        parent = [w.word() for _ in range(14)]
        for _ in range(size):
            child = list(parent)
            child[r.randrange(14)] = w.word()
            texts.append(" ".join(child) + ".")
    r.shuffle(texts)
    return texts


def role_rows(crowd, texts):
    """Texts of one passage with their roles in full buckets."""
    columns = (crowd.passage.tolist(), crowd.member, crowd.represents)
    return [(texts[p], m.tobytes(), r.tobytes()) for p, m, r in zip(*columns, strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_what_earlier_runs_found_saves_work_and_changes_nothing(seed):
    """Texts come in parts; buckets become full and representatives are displaced on the way."""
    r = random.Random(seed)
    texts = crowded(seed, 6, r.choice([30, 90, 150]))
    cuts = [*sorted(r.sample(range(1, len(texts)), 3)), len(texts)]
    settings = Settings()
    digests = {t: hashlib.blake2b(t.encode()).digest() for t in texts}
    found = None
    # As an index keeps it: by texts, one passage each, what one run adds after another.
    pairs: list[tuple[str, str, int]] = []
    roles: list[tuple[str, bytes, bytes]] = []
    full = 0
    before: set[str] = set()
    for cut in cuts:
        now = sorted(texts[:cut], key=digests.__getitem__)
        c = collect(as_texts(now))
        assert c.d_passage.tolist() == list(range(len(now) + 1))
        node_of = {t: n for n, t in enumerate(now)}
        known = KnownPassages(
            np.array([text in before for text in now]),
            Similar(
                np.array([node_of[a] for a, _, _ in pairs], np.int64),
                np.array([node_of[b] for _, b, _ in pairs], np.int64),
                np.array([shared for *_, shared in pairs], np.int32),
                np.zeros(len(pairs), bool),
            ),
            Crowd(
                np.array([node_of[t] for t, _, _ in roles], np.int64),
                *(
                    np.frombuffer(b"".join(row[k] for row in roles), np.uint8).reshape(
                        len(roles), -1 if roles else 0
                    )
                    for k in (1, 2)
                ),
            ),
        )
        found = find_candidates(c, settings, earlier=known)
        alone = find_candidates(c, settings, earlier=nothing_known(c, []).passages)
        scanned = find_candidates(c, settings)
        for name in ("a", "b", "weight"):
            assert np.array_equal(getattr(found, name), getattr(alone, name)), name
            assert np.array_equal(getattr(found, name), getattr(scanned, name)), name
        assert not len(scanned.similar.u) + len(scanned.crowd.passage), "a scan hands nothing on"
        standing = found.similar.shared > 0
        for name in ("u", "v", "shared"):
            kept = getattr(found.similar, name)[standing]
            assert np.array_equal(kept, getattr(alone.similar, name)), name
        new = [array[found.similar.fresh].tolist() for array in (found.similar.u, found.similar.v)]
        shared = found.similar.shared[found.similar.fresh].tolist()
        pairs += [(now[u], now[v], bits) for u, v, bits in zip(*new, shared, strict=True)]
        roles += role_rows(found.crowd, now)
        crowds = [
            {text: bits for text, *bits in rows} for rows in (roles, role_rows(alone.crowd, now))
        ]
        assert crowds[0] == crowds[1]
        full += len(crowds[0])
        before = set(now)
    assert full > 0 or len(texts) < 200


@pytest.mark.parametrize("follows", [False, True])
def test_pairs_are_the_same_however_little_is_looked_at_at_once(follows, monkeypatch):
    c = collect(as_texts(sorted(crowded(1, 6, 150))))
    earlier = nothing_known(c, []).passages if follows else None
    once = find_candidates(c, Settings(), earlier=earlier)
    for name, at_once in (("PAIRS_AT_ONCE", 50), ("PORTIONS", 99), ("ARTICLES_AT_ONCE", 3)):
        monkeypatch.setattr(f"dedup.candidates.{name}", at_once)
    for name, at_once in (("PART", 64), ("PARTS", 9)):
        monkeypatch.setattr(f"dedup.joining.{name}", at_once)
    often = find_candidates(c, Settings(), earlier=earlier)
    assert len(once.a)
    for name in ("a", "b", "weight"):
        assert np.array_equal(getattr(once, name), getattr(often, name)), name
    for name in ("u", "v", "shared"):
        assert np.array_equal(getattr(once.similar, name), getattr(often.similar, name)), name
    assert once.capped == often.capped


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 30), st.integers(1, 200))
def test_pairs_of_articles_are_those_of_plain_loops_however_many_at_once(
    seed, passages, articles, at_once
):
    """With few partners allowed, so that caps cut."""
    rng, cap, few = np.random.default_rng(seed), 8, 3
    held = [
        sorted(rng.choice(articles, rng.integers(1, articles + 1), False).tolist())
        for _ in range(passages)
    ]
    eighths = rng.integers(0, 900, passages).astype(np.int32)
    ends = np.sort(rng.integers(0, passages, (60, 2)), axis=1)
    links = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0).tolist()
    common = rng.integers(1, 900, len(links)).astype(np.int32)

    expected, cut = {}, 0

    def add(one, two, weight):
        if one != two:
            pair = min(one, two), max(one, two)
            expected[pair] = expected.get(pair, 0) + weight

    for holders, weight in zip(held, eighths.tolist(), strict=True):
        crowded = len(holders) > cap
        cut += crowded
        for j, i in itertools.combinations(range(len(holders)), 2):
            if not crowded or j < few:
                add(holders[i], holders[j], weight)
    for (u, v), weight in zip(links, common.tolist(), strict=True):
        rare, other = sorted((held[u], held[v]), key=len)
        if len(rare) + len(other) > cap:
            cut += 1
            other = other[:few]
        for one, two in itertools.product(rare, other):
            add(one, two, weight)

    start = np.cumsum([0, *map(len, held)])
    pairs = np.array([(u << 32) | v for u, v in links], np.uint64)
    plain = Settings(max_partners=cap, representatives=few)
    before = module.PAIRS_AT_ONCE, module.PORTIONS
    module.PAIRS_AT_ONCE, module.PORTIONS = at_once, 1_000
    try:
        (keys, weights), looked_at, capped = article_pairs(
            start,
            np.array(list(itertools.chain(*held)), np.int32),
            eighths,
            (pairs, common),
            np.zeros(articles),
            plain,
            threads=2,
        )
    finally:
        module.PAIRS_AT_ONCE, module.PORTIONS = before
    enough = {p: w for p, w in expected.items() if w >= 8 * plain.min_information}
    assert keys.tolist() == [(a << 32) | b for a, b in sorted(enough)]
    assert weights.tolist() == [enough[pair] for pair in sorted(enough)]
    assert (looked_at, capped) == (len(expected), cut)


KEYED = st.lists(
    st.tuples(st.sampled_from("ab"), st.booleans(), st.sampled_from(["tide", "pier", "quay"])),
    min_size=2,
    max_size=7,
)
"""Texts of one word each: its key, whether an earlier run knew it, and the word."""


@given(KEYED)
def test_only_new_passages_are_looked_at_where_known_ones_were_found_to_differ_by_key(texts):
    c = collect(as_texts([word for _, _, word in texts]))
    key = np.array([ord(key) for key, _, _ in texts])
    known = np.array([known for _, known, _ in texts])
    order = np.argsort(key, kind="stable")
    new = np.append(True, key[order][1:] != key[order][:-1])
    leader = order[np.flatnonzero(new)][np.cumsum(new) - 1][~new]
    other = order[~new]
    word = c.t_word[c.p_token[:-1]]
    apart = all(
        len({word[i] for i in range(len(texts)) if known[i] and key[i] == k}) <= 1 for k in key
    )
    asked: set[int] = set()
    same = SameWords(c, known, apart, lambda nodes: asked.update(nodes.tolist()))
    found = same.of(leader, other)
    assert found.tolist() == (word[leader] == word[other]).tolist()
    assert same.apart == bool(found.all())
    if apart and same.apart:
        # Of those known only one that a new one is compared with, for each key.
        assert sum(known[i] for i in asked) <= 2
        assert asked <= {i for i in range(len(texts)) if (~known & (key == key[i])).any()}
