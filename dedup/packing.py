"""Analysed texts as an index keeps them: one compressed frame each, and back to a collection.

A frame holds what segmenting found and the numbers of the words; everything else follows from
these and the vocabulary, faster than it could be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from dedup.kernels import frames as kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.vocabulary import Vocabulary

LEVEL = 3
_WORD = 4


def pack(c: Collection) -> list[bytes]:
    """A compressed frame for each text of a collection."""
    sizes = kernels.frame_sizes(c.d_passage, c.p_token)
    ends = np.cumsum(sizes)
    place = ends - sizes
    words = np.zeros(int(ends[-1]) if len(ends) else 0, np.int32)
    kernels.pack(
        place,
        c.d_length,
        c.d_letters,
        c.d_passage,
        c.p_token,
        c.p_start,
        c.p_end,
        c.p_quoted,
        c.p_speech,
        c.t_word,
        c.t_start,
        c.t_length,
        words,
        words.view(np.uint16),
        words.view(np.uint8),
    )
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    # The first bytes of all words, then the second ones, …: most of the later ones are zero.
    octets = words.view(np.uint8).reshape(-1, _WORD)
    return [
        compressor.compress(octets[begin:end].T.tobytes())
        for begin, end in zip(place.tolist(), ends.tolist(), strict=True)
    ]


def unpack(frames: Sequence[bytes], vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """The arrays of a :class:`~dedup.collection.Collection` (all but those of its vocabulary)."""
    decompressor = zstandard.ZstdDecompressor()
    plain = [decompressor.decompress(frame) for frame in frames]
    ends = np.cumsum([len(frame) // _WORD for frame in plain], dtype=np.int64)
    place = np.append(0, ends)[:-1]
    octets = np.empty((int(ends[-1]) if len(ends) else 0, _WORD), np.uint8)
    for frame, begin, end in zip(plain, place.tolist(), ends.tolist(), strict=True):
        octets[begin:end] = np.frombuffer(frame, np.uint8).reshape(_WORD, -1).T
    del plain
    words = octets.view(np.int32).ravel()
    n_passages, n_tokens = kernels.counts(place, words)
    texts, passages, tokens = len(place), int(n_passages.sum()), int(n_tokens.sum())
    d_passage = np.zeros(texts + 1, np.int64)
    np.cumsum(n_passages, out=d_passage[1:])
    part: dict[str, NDArray[Any]] = {
        "d_length": np.empty(texts, np.int32),
        "d_letters": np.empty(texts, np.int32),
        "d_passage": d_passage,
        "p_token": np.empty(passages + 1, np.int64),
        "p_start": np.empty(passages, np.int32),
        "p_end": np.empty(passages, np.int32),
        "p_quoted": np.empty(passages, np.uint8),
        "p_speech": np.empty(passages, np.uint8),
        "p_article": np.empty(passages, np.int32),
        "t_word": np.empty(tokens, np.int32),
        "t_start": np.empty(tokens, np.int32),
        "t_length": np.empty(tokens, np.uint16),
    }
    kernels.unpack(place, words, words.view(np.uint16), words.view(np.uint8), *part.values())
    names = ("d_word", "w_word", "w_passages", "p_content", "c_word", "p_key", "p_information")
    found = kernels.words_of(
        d_passage, part["p_token"], part["t_word"], vocabulary.hash, vocabulary.bits
    )
    part.update(zip(names, found, strict=True))
    return part
