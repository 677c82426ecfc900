"""How much a span must say: prose, a verbatim sentence, speech."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import Writer

import dedup
from dedup.coincidence import PARTLY, RUNNING, SAME, SPOKEN, VERBATIM, words_needed
from dedup.collection import as_texts, collect
from dedup.kernels.spans import content_of_spans

SENTENCE = (
    "The ferry that had been out of service since the storm of last week was towed back to its "
    "berth on the north shore by two tugs before dawn"
)


def information(text: str) -> float:
    """Bits that all words of a text hold, common ones included."""
    c = collect(as_texts([text]))
    whole = np.array([0]), np.array([len(c.t_word)])
    return float(content_of_spans(*whole, c.t_word, c.v_bits)[1][0])


def between(*middle: str) -> list[str]:
    """Long texts that have nothing in common but what stands in the middle."""
    w = Writer("between")
    return [" ".join([*w.sentences(30), text, *w.sentences(30)]) for text in middle]


@pytest.mark.parametrize(
    ("similarity", "spoken", "times"),
    [
        (0.6, 0.0, RUNNING),
        (SAME, 0.0, VERBATIM),
        (1.0, PARTLY / 2, VERBATIM),
        (0.6, PARTLY, SPOKEN),
        (1.0, 1.0, SPOKEN),
    ],
)
def test_what_is_the_same_or_said_may_be_shorter(similarity, spoken, times):
    assert words_needed(np.array([similarity]), np.array([spoken])) == [times]


def test_a_verbatim_sentence_may_be_shorter_than_a_reworded_one():
    reworded = SENTENCE.replace("towed", "hauled")
    bits = min(information(SENTENCE), information(reworded))
    settings = dedup.Settings(min_prose_information=bits / (VERBATIM + 0.01))
    (match,) = dedup.compare(*between(f"{SENTENCE}.", f"{SENTENCE}."), settings)
    assert match.similarity >= SAME
    assert dedup.compare(*between(f"{SENTENCE}.", f"{reworded}."), settings) == []
    lower = dedup.Settings(min_prose_information=bits / (RUNNING + 0.3))
    (match,) = dedup.compare(*between(f"{SENTENCE}.", f"{reworded}."), lower)
    assert match.similarity < SAME


def test_speech_may_be_shorter_where_one_article_marks_it():
    settings = dedup.Settings(min_prose_information=information(SENTENCE) / (SPOKEN + 0.3))
    assert len(dedup.compare(*between(f"“{SENTENCE}.”", f"{SENTENCE}."), settings)) == 1
    assert dedup.compare(*between(f"{SENTENCE}.", f"{SENTENCE}."), settings) == []


def test_a_short_quote_beside_prose_does_not_make_it_speech():
    w = Writer("beside")
    prose = [w.sentence(20) for _ in range(3)]
    text = " ".join([*prose, "“We never saw it.”"])
    settings = dedup.Settings(min_prose_information=information(text) / (SPOKEN + 0.3))
    assert dedup.compare(*between(text, text), settings) == []
