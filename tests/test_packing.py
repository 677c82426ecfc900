"""Frames hold what segmenting found; words and passages follow from them."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.collection import as_texts, collect, restore
from dedup.packing import pack
from dedup.vocabulary import Vocabulary

WORDS = ["Feuer", "fire", "火災", "ไฟ", "пожар", "”", "“", ". ", "\n\n", " said ", "ß", "🔥", "  "]
TEXTS = st.lists(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map("".join)), max_size=6)


@given(TEXTS, st.integers(1, 4))
@hypothesis_settings(max_examples=80, deadline=None)
def test_a_collection_comes_back_as_it_was(texts, size):
    vocabulary = Vocabulary()
    c = collect(as_texts(texts), vocabulary=vocabulary)
    frames = pack(c)
    assert len(frames) == len(texts)
    again = Vocabulary.of(**vocabulary.since(0))
    parts = [frames[i : i + size] for i in range(0, len(frames), size)]
    back = restore(parts, again, threads=2)
    for field in dataclasses.fields(c):
        was, now = getattr(c, field.name), getattr(back, field.name)
        assert was.dtype == now.dtype, field.name
        assert np.array_equal(was, now), field.name


@given(TEXTS, TEXTS)
@hypothesis_settings(max_examples=40, deadline=None)
def test_words_keep_their_numbers_when_others_come(first, second):
    vocabulary = Vocabulary()
    one = pack(collect(as_texts(first), vocabulary=vocabulary))
    known = len(vocabulary)
    two = pack(collect(as_texts(second), vocabulary=vocabulary))
    parts = [Vocabulary.of(**vocabulary.since(0)).since(0), vocabulary.since(known)]
    assert len(parts[1]["v_hash"]) == len(vocabulary) - known
    whole = collect(as_texts([*first, *second]))
    back = restore([[*one, *two]], vocabulary) if first or second else None
    if back is not None:
        assert np.array_equal(whole.p_key, back.p_key)
        assert np.array_equal(whole.t_start, back.t_start)
        assert np.array_equal(whole.v_hash[whole.t_word], back.v_hash[back.t_word])
