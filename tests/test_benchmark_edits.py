"""The controlled edits of the benchmark: exact shares, true spans, and the same every time."""

from __future__ import annotations

import json
import sys
from collections import Counter
from random import Random

import pytest
from dumps import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from quality import edit_operations as ops
from quality import edits, unrelated
from quality.edit_texts import INVENTED, LEAST_WORDS, MOST_WORDS, Article, articles

TEXTS = {
    "English": (
        "Mr. Harrow closed the mill at Penwick on Monday. Forty looms had stood idle since March! "
        "“We could not pay,” he said.\n\nThe council offered a loan. Nobody took it up?"
    ),
    "Chinese": "十四艘货轮仍在港外等候。风暴折断了三根系缆！“先修码头，”他说。居民没有撤离？",
    "Indonesian": "Dermaga ditutup mulai Senin. Kapal penumpang dialihkan. Warga mengeluh.",
    "Arabic": "أغلق الرصيف يوم الاثنين. هل تنتظر السفن في البحر؟ يشكو التجار من القرار.",
}


@pytest.mark.parametrize("language", ops.SCRIPTS)
def test_sentences_make_the_text_again(language):
    parts = ops.sentences(ops.SCRIPTS[language], TEXTS[language])
    assert ops.running(ops.untouched(parts)) == TEXTS[language]
    assert len(parts) == {"English": 5, "Chinese": 4, "Indonesian": 3, "Arabic": 3}[language]


@pytest.mark.parametrize("language", ops.SCRIPTS)
@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_the_stated_share_of_words_is_another_word(language, share):
    script = ops.SCRIPTS[language]
    parts = ops.sentences(script, TEXTS[language])
    words = ["qqqq", "zzzz"] if script.separator else ["囧囧"]
    edited = ops.replace_words(ops.untouched(parts), share, script, words, Random(1))
    changed = sum(
        before[a:b] != after.text[c:d]
        for before, after in zip(parts, edited, strict=True)
        for (a, b), (c, d) in zip(script.words(before), script.words(after.text), strict=False)
    )
    if script.separator:  # Chinese pieces shift with the length of what replaces them
        assert changed == round(share * script.count(parts))
    assert "囧" in ops.running(edited) or changed or share < 0.1


def test_a_capital_stays_and_the_word_differs():
    script = ops.SCRIPTS["English"]
    pieces = [ops.Piece("Harbour lights ", 0)]
    edited = ops.replace_words(pieces, 1.0, script, ["harbour", "lights", "storm"], Random(3))
    first, second = edited[0].text.split()
    assert first[0].isupper()
    assert first.casefold() != "harbour"
    assert second != "lights"


@pytest.mark.parametrize("language", ops.SCRIPTS)
@pytest.mark.parametrize("edit", ops.EDITS)
def test_true_spans_are_the_sentences_themselves(language, edit):
    script = ops.SCRIPTS[language]
    parts = ops.sentences(script, TEXTS[language])
    foreign = [script.ended("囧囧囧。" if not script.separator else "Foreign matter.")] * 3
    words = ops.vocabulary(script, [parts])
    host = ops.sentences(script, TEXTS[language])
    context = ops.Context(script, words, foreign)
    pieces = ops.embed(ops.EDITS[edit](ops.untouched(parts), context, Random(2)), host, Random(5))
    text = ops.running(pieces)
    original = ops.running(ops.untouched(parts))
    spans = ops.true_spans(parts, pieces)
    assert len(spans) == len([p for p in pieces if p.origin is not None]) > 0
    own = (p for p in pieces if p.origin is not None)
    for (a, b, c, d), piece in zip(spans, own, strict=True):
        assert original[a:b] == parts[piece.origin].rstrip()
        assert text[c:d] == piece.text.rstrip()
        if "words" not in edit:
            assert original[a:b] == text[c:d]


def test_sentences_dropped_reordered_and_inserted():
    pieces = ops.untouched([f"Sentence number {i}. " for i in range(9)])
    origins = [p.origin for p in ops.drop_sentences(pieces, 1 / 3, Random(1))]
    assert len(origins) == 6
    assert origins == sorted(origins)
    shuffled = [p.origin for p in ops.reorder_sentences(pieces, Random(1))]
    assert shuffled != sorted(shuffled)
    assert sorted(shuffled) == list(range(9))
    grown = ops.insert_sentences(pieces, 1 / 3, ["A. ", "B. ", "C. ", "D. "], Random(1))
    assert Counter(p.origin is None for p in grown) == {False: 9, True: 3}
    assert grown[0].origin == 0


def test_letters_covered_counts_letters_only():
    assert edits.letters_covered("ab, cd ef", [(0, 6)], [(4, 9)]) == (4, 2, 2)


@pytest.mark.parametrize("part", edits.PARTS)
def test_rounds_depend_on_the_seed_alone_and_hold_unrelated_pairs(part):
    script = ops.SCRIPTS["Indonesian"]
    pool = articles("Indonesian", INVENTED, most=40, seed=1)
    name = "10 % of words replaced"
    once = edits.rounds(script, pool, part, name, pairs=30, seed=1)
    assert once == edits.rounds(script, pool, part, name, pairs=30, seed=1)
    assert once != edits.rounds(script, pool, part, name, pairs=30, seed=2)
    assert [len(r) for r in once] == [20, 10]
    assert len({c.original for c in once[0]}) == 20


@pytest.mark.parametrize("language", ["indonesian", "arabic"])
def test_invented_articles_are_many_and_of_one_size(language):
    path = INVENTED / f"{language}.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(records) >= 40
    assert len({r["text"] for r in records}) == len({r["id"] for r in records}) == len(records)
    assert all(LEAST_WORDS <= len(r["text"].split()) <= MOST_WORDS for r in records)


def test_pairs_that_share_a_run_of_words_are_known():
    script = ops.SCRIPTS["English"]
    run = "the quick brown fox jumps over a dog"
    texts = [f"First {run} today", f"Second {run}", "the quick brown fox sleeps"]
    assert unrelated.sharing(script, texts) == {(0, 1)}


def test_random_texts_have_the_words_of_the_articles():
    script = ops.SCRIPTS["Arabic"]
    pool = articles("Arabic", INVENTED, most=5, seed=1)
    texts = unrelated.random_texts(script, pool, count=3, rng=Random(1))
    words = set(ops.vocabulary(script, [a.sentences for a in pool]))
    assert {t[a:b] for t in texts for a, b in script.words(t)} <= words
    assert texts == unrelated.random_texts(script, pool, count=3, rng=Random(1))


def test_sampled_pairs_are_allowed_and_distinct():
    allowed = unrelated.far_apart([Article((str(i),), f"o{i % 2}", None) for i in range(6)])
    assert allowed == [[]] * 6  # undated articles are never far apart
    allowed = [[1, 2, 3], [2, 3], [], []]
    drawn = list(unrelated._sampled(allowed, 4, Random(1)))
    assert len(set(drawn)) == 4
    assert all(j in allowed[i] for i, j in drawn)
    assert sorted(unrelated._sampled(allowed, 9, Random(1))) == [
        (i, j) for i, row in enumerate(allowed) for j in row
    ]
