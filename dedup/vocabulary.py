"""The words of all texts: one number each, equal for two tokens just if their texts are equal.

Batches of texts number their words by themselves, on threads; their vocabularies are merged one
after another. Numbers carry no meaning and reach no output: results rest on equality alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.kernels import vocabulary as kernels
from dedup.segment import Segments, character_tables
from dedup.sketch import CONTENT_BITS, UNKNOWN_BITS, background

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch of texts, see :func:`dedup.kernels.vocabulary.number_words`.

    ``t_word`` int32 (tokens,); ``d_word`` int64 (texts + 1,), ``w_word`` int32 and ``w_passages``
    uint16 (distinct words of each text,); ``p_content`` int64 (passages + 1,), ``c_word`` int32
    (distinct content words of each passage,), ``p_key`` uint64 and ``p_information`` float32
    (passages,);
    ``v_hash`` uint64, ``v_bits`` uint8, ``v_byte`` int64 and ``v_chars`` int32 (words of the
    batch,), spelled in ``v_text`` uint8.
    """

    t_word: NDArray[np.int32]
    d_word: NDArray[np.int64]
    w_word: NDArray[np.int32]
    w_passages: NDArray[np.uint16]
    p_content: NDArray[np.int64]
    c_word: NDArray[np.int32]
    p_key: NDArray[np.uint64]
    p_information: NDArray[np.float32]
    v_hash: NDArray[np.uint64]
    v_bits: NDArray[np.uint8]
    v_byte: NDArray[np.int64]
    v_chars: NDArray[np.int32]
    v_text: NDArray[np.uint8]


def number_words(s: Segments, d_passage: NDArray[np.int64]) -> Words:
    """Number the words of a batch; ``d_passage`` (texts + 1) says which passages a text has."""
    kind, _, _, fold = character_tables()
    table = background()
    tokens, passages = len(s.t_hash), len(s.p_text)
    # Made here: arrays of numpy are in large pages of memory, those of kernels are not.
    t_word = np.empty(tokens, np.int32)
    d_word = np.empty(len(d_passage), np.int64)
    w_word = np.empty(tokens, np.int32)
    w_passages = np.empty(tokens, np.uint16)
    p_content = np.empty(passages + 1, np.int64)
    c_word = np.empty(tokens, np.int32)
    p_key = np.empty(passages, np.uint64)
    p_information = np.empty(passages, np.float32)
    spelled = kernels.number_words(
        s.data,
        s.offsets,
        d_passage,
        s.p_token,
        s.t_hash,
        s.t_chars,
        s.t_byte,
        kind,
        fold,
        table.slots,
        table.values,
        np.uint8(UNKNOWN_BITS * 4),
        np.uint8(CONTENT_BITS * 4),
        t_word,
        d_word,
        w_word,
        w_passages,
        p_content,
        c_word,
        p_key,
        p_information,
    )
    of_articles, of_passages = d_word[-1], p_content[-1]
    return Words(
        t_word,
        d_word,
        w_word[:of_articles].copy(),
        w_passages[:of_articles].copy(),
        p_content,
        c_word[:of_passages].copy(),
        p_key,
        p_information,
        *spelled,
    )


class Vocabulary:
    """The words of all batches so far: ``hash`` uint64 and ``bits`` uint8 (words,)."""

    def __init__(self) -> None:
        self._count = self._used = 0
        self._hash = np.empty(0, np.uint64)
        self._bits = np.empty(0, np.uint8)
        self._byte = np.empty(0, np.int64)
        self._chars = np.empty(0, np.int32)
        self._text = np.empty(0, np.uint8)
        self._slot = np.zeros(64, np.int32)

    @classmethod
    def of(
        cls,
        v_hash: NDArray[np.uint64],
        v_bits: NDArray[np.uint8],
        v_chars: NDArray[np.int32],
        v_bytes: NDArray[np.int32],
        text: NDArray[np.uint8],
    ) -> Vocabulary:
        """A vocabulary as :meth:`since` gave it from its first word on."""
        own = cls()
        own._count, own._used = len(v_hash), len(text)
        own._hash, own._bits, own._chars, own._text = v_hash, v_bits, v_chars, text
        ends = np.cumsum(v_bytes, dtype=np.int64)
        own._byte = ends - v_bytes
        size = len(own._slot)
        while size < 2 * own._count:
            size *= 2
        own._slot = kernels.rehashed(own._hash, own._count, size)
        return own

    def __len__(self) -> int:
        return self._count

    def since(self, first: int) -> dict[str, NDArray[Any]]:
        """The words from number ``first`` on, as :meth:`of` takes them: ``v_hash`` uint64,
        ``v_bits`` uint8, ``v_chars`` and ``v_bytes`` int32 (length of each), ``text`` uint8."""
        begin = int(self._byte[first]) if first < self._count else self._used
        byte = np.append(self._byte[first : self._count], self._used)
        return {
            "v_hash": self._hash[first : self._count],
            "v_bits": self._bits[first : self._count],
            "v_chars": self._chars[first : self._count],
            "v_bytes": np.diff(byte).astype(np.int32),
            "text": self._text[begin : self._used],
        }

    @property
    def hash(self) -> NDArray[np.uint64]:
        """64-bit FNV-1a hash of each word's folded text."""
        return self._hash[: self._count]

    @property
    def bits(self) -> NDArray[np.uint8]:
        """Information of each word, see :func:`dedup.kernels.minhash.word_bits`."""
        return self._bits[: self._count]

    def add(self, words: Words) -> NDArray[np.int32]:
        """Take in the words of a batch; returns their numbers (int32)."""
        most = self._count + len(words.v_hash)
        self._hash = _with_room(self._hash, most)
        self._bits = _with_room(self._bits, most)
        self._byte = _with_room(self._byte, most)
        self._chars = _with_room(self._chars, most)
        self._text = _with_room(self._text, self._used + len(words.v_text))
        size = len(self._slot)
        while size < 2 * most:
            size *= 2
        if size > len(self._slot):
            self._slot = kernels.rehashed(self._hash, self._count, size)
        kind, _, _, fold = character_tables()
        number = np.empty(len(words.v_hash), np.int32)
        self._count, self._used = kernels.merge_words(
            self._slot,
            self._hash,
            self._byte,
            self._chars,
            self._text,
            self._count,
            self._used,
            words.v_text,
            words.v_hash,
            words.v_byte,
            words.v_chars,
            kind,
            fold,
            number,
        )
        self._bits[number] = words.v_bits
        return number


def _with_room(array: NDArray[Any], size: int) -> NDArray[Any]:
    """``array``, or a copy of at least twice its length if it holds fewer than ``size`` items."""
    if size <= len(array):
        return array
    out = np.empty(max(size, 2 * len(array)), array.dtype)
    out[: len(array)] = array
    return out
