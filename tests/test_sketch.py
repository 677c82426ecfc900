"""Signatures against datasketch, hashes against known vectors (invariant 1)."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import hash32, jaccard

import dedup
from dedup.config import Settings
from dedup.segment import fnv64, pack_texts, segment
from dedup.sketch import CONTENT_BITS, PERMUTATIONS, background, scheme, sketch, token_information

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


def test_background_tells_content_from_function_words():
    texts = ["the of and to Lindqvist harbour undercut", "yang dan di pelabuhan", "的 在 港口"]
    s = segment(*pack_texts(texts))
    bits = token_information(s)
    word = {
        dedup.tokens(t)[k]: bits[s.t_byte.tolist().index(0) + k]
        for t in texts[:1]
        for k in range(7)
    }
    for name in ("the", "of", "and", "to"):
        assert not word[name] & 0x80
    for name in ("lindqvist", "harbour", "undercut"):
        assert word[name] & 0x80
        assert (word[name] & 0x7F) / 4 >= CONTENT_BITS
    assert 0 not in background().slots[background().values > 0]


def test_only_informative_passages_are_indexed():
    s = segment(
        *pack_texts(
            ["He did it.", "Yes. No. The one that was in it.", "Lindqvist undercut Halden piers."]
        )
    )
    k = sketch(s, Settings())
    assert s.p_text[k.chosen].tolist() == [2]
    assert k.bands.shape == (1, scheme(Settings()).bands)
    assert k.check.shape == (1, PERMUTATIONS)


def test_information_counts_distinct_content_words_only():
    s = segment(
        *pack_texts(
            [
                "Lindqvist undercut Halden piers.",
                "The Lindqvist of Lindqvist undercut and undercut Halden, Halden piers.",
            ]
        )
    )
    k = sketch(s, Settings())
    assert k.content.tolist() == [4, 4]
    assert k.information[0] == k.information[1]


def test_key_is_a_matter_of_the_token_sequence_alone():
    s = segment(
        *pack_texts(
            ["The PIER of Halden, fell!", "“The pier of halden fell”", "Halden pier fell of the"]
        )
    )
    key = sketch(s, Settings()).key
    assert key[0] == key[1] != key[2]
