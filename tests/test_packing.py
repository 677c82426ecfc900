"""Frames hold what segmenting found; words and passages follow from them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.arena import Arena
from dedup.collection import as_texts, collect, restore, surveyed
from dedup.errors import IndexDamagedError
from dedup.kernels.counting import document_frequencies
from dedup.packing import in_order, lay_out, pack, sizes_of
from dedup.template import edge_keys
from dedup.vocabulary import Vocabulary

WORDS = ["Feuer", "fire", "火災", "ไฟ", "пожар", "”", "“", ". ", "\n\n", " said ", "ß", "🔥", "  "]
TEXTS = st.lists(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map("".join)), max_size=6)


def batches_of(frames, size, turned):
    """Batches of frames; ``turned``: from the last one to the first."""
    parts = [frames[i : i + size] for i in range(0, len(frames), size)]
    batches = list(in_order(parts))
    return [(node[::-1].copy(), part[::-1]) for node, part in batches[::-1]] if turned else batches


@given(TEXTS, st.integers(1, 4), st.booleans())
@hypothesis_settings(max_examples=80, deadline=None)
def test_a_collection_comes_back_as_it_was(texts, size, turned):
    vocabulary = Vocabulary()
    c = collect(as_texts(texts), vocabulary=vocabulary)
    frames = pack(c)
    assert len(frames) == len(texts)
    again = Vocabulary.of(**vocabulary.since(0))
    back = restore(batches_of(frames, size, turned), sizes_of(c), again, threads=2)
    for field in dataclasses.fields(c):
        was, now = getattr(c, field.name), getattr(back, field.name)
        assert was.dtype == now.dtype, field.name
        assert np.array_equal(was, now), field.name


@given(TEXTS, st.lists(st.sets(st.integers(0, 5)), max_size=3), st.integers(1, 3), st.booleans())
@hypothesis_settings(max_examples=80, deadline=None)
def test_texts_are_surveyed_and_laid_out_when_asked(texts, asked, size, turned):
    vocabulary = Vocabulary()
    c = collect(as_texts(texts), vocabulary=vocabulary)
    frames = pack(c)
    copies = 1 + np.arange(len(texts), dtype=np.int64) % 3
    batches = batches_of(frames, size, turned)
    back, articles, edges = surveyed(batches, sizes_of(c), vocabulary, copies, threads=2)
    assert np.array_equal(
        articles, document_frequencies(c.d_word, c.w_word, copies, len(vocabulary))
    )
    assert np.array_equal(edges, [edge_keys(c, last=False), edge_keys(c, last=True)])
    there = np.zeros(len(texts), bool)
    for nodes in asked:
        node = np.array([n for n in nodes if n < len(texts) and not there[n]], np.int64)
        lay_out(back, [(node[i : i + 1], [frames[node[i]]]) for i in range(len(node))], threads=2)
        there[node] = True
    of_token = there[np.repeat(np.arange(len(texts)), np.diff(c.p_token[c.d_passage]))]
    of_word = there[np.repeat(np.arange(len(texts)), np.diff(c.d_word))]
    for field in dataclasses.fields(c):
        was, now = getattr(c, field.name), getattr(back, field.name)
        if field.name[0] in "tw":
            was = was * (of_token if field.name[0] == "t" else of_word)
        assert was.dtype == now.dtype, field.name
        assert np.array_equal(was, now), field.name


@given(TEXTS, TEXTS)
@hypothesis_settings(max_examples=40, deadline=None)
def test_words_keep_their_numbers_when_others_come(first, second):
    vocabulary = Vocabulary()
    one = collect(as_texts(first), vocabulary=vocabulary)
    known = len(vocabulary)
    two = collect(as_texts(second), vocabulary=vocabulary)
    parts = [Vocabulary.of(**vocabulary.since(0)).since(0), vocabulary.since(known)]
    assert len(parts[1]["v_hash"]) == len(vocabulary) - known
    whole = collect(as_texts([*first, *second]))
    sizes = np.concatenate([sizes_of(one), sizes_of(two)])
    back = (
        restore(in_order([[*pack(one), *pack(two)]]), sizes, vocabulary)
        if first or second
        else None
    )
    if back is not None:
        assert np.array_equal(whole.p_key, back.p_key)
        assert np.array_equal(whole.t_start, back.t_start)
        assert np.array_equal(whole.v_hash[whole.t_word], back.v_hash[back.t_word])


@pytest.mark.parametrize(
    "change",
    [
        lambda frames, sizes: sizes.__setitem__((1, 0), sizes[1, 0] + 1),
        lambda frames, sizes: sizes.__setitem__((0, 1), sizes[0, 1] - 1),
        lambda frames, sizes: sizes.__setitem__((1, 2), sizes[1, 2] - 1),
        lambda frames, sizes: sizes.__setitem__((0, 3), sizes[0, 3] + 1),
        lambda frames, sizes: frames.reverse(),
    ],
)
def test_frames_of_other_sizes_are_refused(change):
    vocabulary = Vocabulary()
    c = collect(as_texts(["Three freighters wait off Wexmouth.", "No."]), vocabulary=vocabulary)
    frames, sizes = pack(c), sizes_of(c)
    assert restore(in_order([frames]), sizes, vocabulary).nodes == 2
    change(frames, sizes)
    with pytest.raises(IndexDamagedError, match="not of its size"):
        restore(in_order([frames]), sizes, vocabulary)


def test_frames_with_words_that_there_are_not_are_refused():
    vocabulary = Vocabulary()
    c = collect(as_texts(["Three freighters wait off Wexmouth."]), vocabulary=vocabulary)
    with pytest.raises(IndexDamagedError):
        restore(in_order([pack(c)]), sizes_of(c), Vocabulary())


def test_what_the_budget_has_no_room_for_is_in_temporary_files():
    vocabulary = Vocabulary()
    c = collect(as_texts(["Three freighters wait off Wexmouth.", "", "No."]), vocabulary=vocabulary)
    arena = Arena(budget=1)
    back = restore(in_order([pack(c)]), sizes_of(c), vocabulary, arena=arena)
    assert arena.spilled > 0
    for field in dataclasses.fields(c):
        assert np.array_equal(getattr(c, field.name), getattr(back, field.name)), field.name
    roomy = Arena(budget=2**33)
    restore(in_order([pack(c)]), sizes_of(c), vocabulary, arena=roomy)
    assert roomy.spilled == 0
