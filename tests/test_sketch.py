"""Signatures against datasketch, hashes against known vectors (invariant 1)."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import hash32, jaccard

import dedup
from dedup.candidates import indexed_passages
from dedup.collection import as_texts, collect
from dedup.config import Settings
from dedup.segment import fnv64, pack_texts, segment
from dedup.sketch import (
    CONTENT_BITS,
    PERMUTATIONS,
    UNKNOWN_BITS,
    background,
    from_datasketch,
    scheme,
)
from dedup.vocabulary import Vocabulary, Words, number_words

TEXT = st.text(max_size=200) | st.text("aéßжΣ中文字กขคا한😀𠮷 .\n’\u0301\u200b", max_size=200)


def reference(text: str, seed: int = 1) -> MinHash:
    m = MinHash(PERMUTATIONS, seed=seed, scheme="affine32", hashfunc=dedup.hash32)
    for token in dedup.tokens(text):
        m.update(token.encode())
    return m


@given(TEXT)
@example("")
@example("中" * 500)
@example("word " * 500)
def test_signatures_equal_datasketch(text):
    text = text.encode("utf-8", "replace").decode()
    np.testing.assert_array_equal(dedup.signature(text), reference(text).hashvalues)


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, 2**31 - 1])
def test_signatures_equal_datasketch_with_any_seed(seed):
    text = "The harbour of Port Lindqvist will close for eleven weeks. 港口将关闭十一周。"
    np.testing.assert_array_equal(
        dedup.signature(text, seed=seed), reference(text, seed).hashvalues
    )


def test_signatures_estimate_jaccard_and_ignore_order_case_and_width():
    one, two = "alpha beta gamma delta epsilon zeta", "Zeta, EPSILON. ＤＥＬＴＡ gamma beta alpha"
    assert (dedup.signature(one) == dedup.signature(two)).all()
    words = [f"w{n}" for n in range(400)]
    one, two = " ".join(words[:300]), " ".join(words[100:])
    estimate = (dedup.signature(one) == dedup.signature(two)).mean()
    assert abs(estimate - jaccard(words[:300], words[100:])) < 0.13  # three standard errors


@pytest.mark.parametrize(
    ("data", "known"),
    # Vectors of the reference implementation (isthe.com/chongo/tech/comp/fnv), 64-bit FNV-1a.
    [
        (b"", 0xCBF29CE484222325),
        (b"a", 0xAF63DC4C8601EC8C),
        (b"b", 0xAF63DF4C8601F1A5),
        (b"foobar", 0x85944171F73967E8),
        (b"chongo was here!\n", 0x46810940EFF5F915),
    ],
)
def test_hash_is_fnv_1a_folded(data, known):
    assert fnv64(data) == known
    assert dedup.hash32(data) == (known >> 32) ^ (known & 0xFFFFFFFF)


@given(st.binary(max_size=40))
def test_hash_equals_the_oracle(data):
    assert dedup.hash32(data) == hash32(data)


def words_of(texts: list[str]) -> tuple[list[str], Words]:
    """The tokens of the texts, and the words of the batch."""
    s = segment(*pack_texts(texts))
    passages = np.searchsorted(s.p_text, np.arange(len(texts) + 1))
    return [t for text in texts for t in dedup.tokens(text)], number_words(s, passages)


def test_background_tells_content_from_function_words():
    tokens, words = words_of(["the of and to Lindqvist harbour undercut"])
    bits = dict(zip(tokens, words.v_bits[words.t_word].tolist(), strict=True))
    for name in ("the", "of", "and", "to"):
        assert not bits[name] & 0x80
    for name in ("lindqvist", "harbour", "undercut"):
        assert bits[name] & 0x80
        assert (bits[name] & 0x7F) / 4 >= CONTENT_BITS
    assert 0 not in background().slots[background().values > 0]


def test_overlapping_pairs_count_for_the_character_they_add():
    """A Han pair is worth half of what its table says; the same word has one value everywhere."""
    _, words = words_of(["港口關閉。港口", "港口"])
    unknown = int(UNKNOWN_BITS * 4)
    assert set((words.v_bits & 0x7F).tolist()) <= set(range(unknown // 2 + 1))
    assert len(words.v_bits) == len(set(dedup.tokens("港口關閉。港口")))


@pytest.mark.parametrize("word", ["港口", "ภาษาไทย"])
def test_ignored_characters_take_nothing_from_a_word(word):
    """Whichever spelling comes first, with characters without width or without."""
    spaced = "\u200b".join(word)
    values = [
        dict(zip(tokens, (words.v_bits[words.t_word]).tolist(), strict=True))
        for tokens, words in (words_of(texts) for texts in ([word, spaced], [spaced, word]))
    ]
    assert values[0] == values[1]
    assert all(bits & 0x7F > 0 for bits in values[0].values())


@given(st.lists(TEXT, min_size=1, max_size=5), st.data())
def test_words_are_numbered_by_their_text_in_any_batches(texts, data):
    """Two tokens have the same number exactly if they are equal, whatever batch they came in."""
    vocabulary = Vocabulary()
    cut = data.draw(st.integers(0, len(texts)))
    named: dict[int, str] = {}
    for batch in (texts[:cut], texts[cut:]):
        if not batch:
            continue
        s = segment(*pack_texts(batch))
        passages = np.searchsorted(s.p_text, np.arange(len(batch) + 1))
        words = number_words(s, passages)
        number = vocabulary.add(words)[words.t_word].tolist()
        tokens = [t for text in batch for t in dedup.tokens(text)]
        for n, token in zip(number, tokens, strict=True):
            assert named.setdefault(n, token) == token
            assert vocabulary.hash[n] == fnv64(token.encode())
    assert len(set(named.values())) == len(named) == len(vocabulary.bits)


def test_only_informative_passages_are_indexed():
    texts = ["He did it.", "Yes. No. The one that was in it.", "Lindqvist undercut Halden piers."]
    c = collect(as_texts(texts))
    assert c.p_article[indexed_passages(c, Settings())].tolist() == [2]


def test_information_counts_distinct_content_words_only():
    c = collect(
        as_texts(
            [
                "Lindqvist undercut Halden piers.",
                "The Lindqvist of Lindqvist undercut and undercut Halden, Halden piers.",
            ]
        )
    )
    assert np.diff(c.p_content).tolist() == [4, 4]
    assert c.p_information[0] == c.p_information[1]


def test_key_is_a_matter_of_the_token_sequence_alone():
    texts = ["The PIER of Halden, fell!", "“The pier of halden fell”", "Halden pier fell of the"]
    key = collect(as_texts(texts)).p_key
    assert key[0] == key[1] != key[2]


def test_the_scheme_that_is_shipped_is_that_of_datasketch():
    shipped, asked = scheme(Settings()), from_datasketch(Settings())
    assert np.array_equal(shipped.a, asked.a)
    assert np.array_equal(shipped.b, asked.b)
    assert (shipped.bands, shipped.rows) == (asked.bands, asked.rows)


@pytest.mark.parametrize("settings", [Settings(seed=2), Settings(sensitivity=0.5)])
def test_other_settings_have_another_scheme(settings):
    one, other = scheme(Settings()), scheme(settings)
    assert (one.bands, one.rows) != (other.bands, other.rows) or not np.array_equal(one.a, other.a)
