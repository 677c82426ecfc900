"""TF-IDF weights against the textbook formula, and the order that follows."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import Writer

from dedup import rank, tokens
from dedup.collection import as_texts, collect
from dedup.kernels.counting import document_frequencies
from dedup.rank import Spans, tfidf_weights, weights_of, weights_of_few
from dedup.segment import fnv64

WORDS = [
    "harbour",
    "bridge",
    "storm",
    "tunnel",
    "freight",
    "Lindqvist",
    "Halden",
    "der",
    "die",
    "das",
    "港口",
    "закрыт",
]
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(TEXTS, st.lists(st.integers(1, 4), min_size=6, max_size=6))
def test_weights_equal_the_formula(texts, many):
    """``(1 + ln tf) (ln((1 + n) / (1 + df)) + 1)``, summed; a text counts for all its copies."""
    c = collect(as_texts(texts))
    copies = np.array(many[: len(texts)], np.int64)
    frequency: Counter[str] = Counter()
    for text, n in zip(texts, many, strict=False):
        frequency.update(dict.fromkeys(set(tokens(text)), n))
    total = int(copies.sum())
    lo, hi = c.p_token[c.d_passage[:-1]], c.p_token[c.d_passage[1:]]
    spans = Spans(lo, hi)
    # Sets of spans are weighed as if each were alone.
    found, again, none = tfidf_weights(c, copies, spans, spans, Spans(lo[:0], hi[:0]))
    assert found.tolist() == again.tolist()
    assert none.shape == (0,)
    for text, weight in zip(texts, found, strict=True):
        wanted = sum(
            (1 + math.log(tf)) * (math.log((1 + total) / (1 + frequency[word])) + 1)
            for word, tf in Counter(tokens(text)).items()
        )
        assert math.isclose(weight, wanted, rel_tol=1e-9)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(0, 600), st.integers(1, 900))
def test_few_words_weigh_the_same_without_scikit_learn(seed, rows, longest, words):
    """To the last bit, so that weights do not hang on how much is weighed at once."""
    random = np.random.default_rng(seed)
    sizes = random.integers(0, longest + 1, rows)
    column = random.integers(0, words, sizes.sum())
    idf = random.random(words) * 10 + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rank, "FEW", -1)
        of_many = weights_of(sizes, column, idf)
    assert weights_of_few(sizes, column, idf).tolist() == of_many.tolist()


@given(TEXTS, st.lists(st.integers(1, 4), min_size=6, max_size=6))
def test_frequencies_are_counted_over_articles(texts, many):
    c = collect(as_texts(texts))
    copies = np.array(many[: len(texts)], np.int64)
    counts = document_frequencies(c.d_word, c.w_word, copies, len(c.v_hash))
    found = dict(zip(c.v_hash.tolist(), counts.tolist(), strict=True))
    for word in {t for text in texts for t in tokens(text)}:
        wanted = sum(n for text, n in zip(texts, many, strict=False) if word in tokens(text))
        assert found[fnv64(word.encode())] == wanted


def test_nothing_weighs_nothing():
    c = collect(as_texts(["a word"]))
    none = np.empty(0, np.int64)
    (found,) = tfidf_weights(c, np.ones(1, np.int64), Spans(none, none))
    assert found.shape == (0,)


def test_portions_do_not_change_a_weight(monkeypatch):
    c = collect(as_texts(["harbour bridge harbour", "storm bridge", "tunnel"]))
    copies = np.ones(3, np.int64)
    spans = Spans(c.p_token[c.d_passage[:-1]], c.p_token[c.d_passage[1:]])
    (whole,) = tfidf_weights(c, copies, spans)
    monkeypatch.setattr("dedup.rank.PORTION", 1)
    (parts,) = tfidf_weights(c, copies, spans)
    assert parts.tolist() == whole.tolist()


def test_rare_and_long_and_widespread_ranks_first(scan_records):
    w = Writer("rank")
    wide, narrow, short = w.sentence(18), w.sentence(18), w.sentence(9)
    records = [
        {"id": f"{k}", "outlet": f"o{k}.example", "text": " ".join([w.sentence(), s, w.sentence()])}
        for k, s in enumerate([wide] * 4 + [narrow] * 2 + [short] * 2)
    ]
    rows = scan_records(records).passages.to_pylist()
    assert [p["text"] + "." for p in rows] == [wide, narrow, short]


def test_furniture_ranks_behind_what_was_written(scan_records):
    w = Writer("furniture")
    signature, copied = w.sentence(20), w.sentence(9)
    records = [
        {
            "id": f"{k}",
            "outlet": "one.example" if k < 6 else f"o{k}.example",
            "published": f"2024-01-{k + 1:02}",
            "text": " ".join([*w.sentences(6), signature]) if k < 6 else f"{w.sentence()} {copied}",
        }
        for k in range(8)
    ]
    rows = scan_records(records).passages.to_pylist()
    assert [p["kind"] for p in rows] == ["prose", "boilerplate"]
    assert rows[1]["text"] + "." == signature
    assert rows[1]["source"]["id"] == "one.example"
