"""The articles of a run as flat arrays: what every later stage reads.

One row a distinct text ("node"), in the order of the digests, so that nothing depends on the
order in which records were read. Built batch by batch on threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.kernels import vocabulary as kernels
from dedup.memory import release_memory
from dedup.segment import segment
from dedup.speech import signs_of_speech
from dedup.vocabulary import Vocabulary, Words, number_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

BATCH_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Collection:
    """Flat arrays over nodes (``d_``), passages (``p_``), tokens (``t_``) and words (``v_``).

    ``d_length`` int32 characters, ``d_letters`` int32 letters and digits, ``d_passage`` int64
    (nodes + 1). ``p_start``, ``p_end`` int32 characters, ``p_quoted`` uint8, ``p_speech`` uint8
    (see ``speech.signs_of_speech``), ``p_token`` int64 (passages + 1), ``p_key`` uint64,
    ``p_information`` float32 bits, ``p_article`` int32. ``t_word``, ``t_start`` int32 and
    ``t_length`` uint16 characters.
    ``v_hash`` uint64, ``v_bits`` uint8 (see ``kernels.minhash.word_bits``): the vocabulary.

    Distinct words of each node: ``d_word`` int64 (nodes + 1), ``w_word`` int32, ``w_passages``
    uint16 passages that hold it. Distinct content words of each passage: ``p_content`` int64
    (passages + 1), ``c_word`` int32 ascending.
    """

    d_length: NDArray[np.int32]
    d_letters: NDArray[np.int32]
    d_passage: NDArray[np.int64]
    d_word: NDArray[np.int64]
    p_start: NDArray[np.int32]
    p_end: NDArray[np.int32]
    p_quoted: NDArray[np.uint8]
    p_speech: NDArray[np.uint8]
    p_token: NDArray[np.int64]
    p_content: NDArray[np.int64]
    p_key: NDArray[np.uint64]
    p_information: NDArray[np.float32]
    p_article: NDArray[np.int32]
    t_word: NDArray[np.int32]
    t_start: NDArray[np.int32]
    t_length: NDArray[np.uint16]
    w_word: NDArray[np.int32]
    w_passages: NDArray[np.uint16]
    c_word: NDArray[np.int32]
    v_hash: NDArray[np.uint64]
    v_bits: NDArray[np.uint8]

    @property
    def nodes(self) -> int:
        """Number of distinct texts."""
        return len(self.d_length)

    def end_of(self, tokens: Any) -> Any:
        """The character after each of ``tokens`` (their numbers, or one number)."""
        return self.t_start[tokens] + self.t_length[tokens]


@dataclass(frozen=True, slots=True)
class RecordArrays:
    """The articles as classification sees them: one row a record.

    ``node`` int64, ``outlet`` int64 (-1 unknown), ``day`` int64 days since 1970 (-1 unknown).
    ``start`` int64 (nodes + 1) and ``order`` int64: the records of each node.
    """

    node: NDArray[np.int64]
    outlet: NDArray[np.int64]
    day: NDArray[np.int64]
    start: NDArray[np.int64]
    order: NDArray[np.int64]


def batches(lengths: Sequence[int], limit: int = BATCH_BYTES) -> list[tuple[int, int]]:
    """Ranges of texts of about ``limit`` bytes each."""
    out: list[tuple[int, int]] = []
    start, total = 0, 0
    for i, n in enumerate(lengths):
        total += n
        if total >= limit:
            out.append((start, i + 1))
            start, total = i + 1, 0
    if start < len(lengths):
        out.append((start, len(lengths)))
    return out


def utf8(texts: pa.LargeStringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The UTF-8 bytes of an Arrow array of texts and their offsets, without a copy."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    buffer = texts.buffers()[2]
    data = np.frombuffer(buffer, np.uint8) if buffer is not None else np.empty(0, np.uint8)
    if not len(offsets):
        offsets = np.zeros(1, np.int64)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def _process(
    data: NDArray[np.uint8], d_byte: NDArray[np.int64]
) -> tuple[dict[str, NDArray[Any]], Words]:
    texts = len(d_byte) - 1
    s = segment(data, d_byte)
    d_passage = np.zeros(texts + 1, np.int64)
    np.cumsum(np.bincount(s.p_text, minlength=texts), out=d_passage[1:])
    words = number_words(s, d_passage)
    # Longer ones are no words: one of 65,535 characters ends there.
    t_length = np.minimum(s.t_end - s.t_start, np.iinfo(np.uint16).max).astype(np.uint16)
    return (
        {
            "d_length": s.lengths,
            "d_letters": kernels.letters(d_passage, s.p_token, s.t_start, t_length),
            "d_passage": d_passage,
            "d_word": words.d_word,
            "p_start": s.p_start,
            "p_end": s.p_end,
            "p_quoted": s.p_quoted,
            "p_speech": signs_of_speech(data, d_byte, s, d_passage),
            "p_token": s.p_token,
            "p_content": words.p_content,
            "p_key": words.p_key,
            "p_information": words.p_information,
            "p_article": s.p_text,
            "t_word": words.t_word,
            "t_start": s.t_start,
            "t_length": t_length,
            "w_word": words.w_word,
            "w_passages": words.w_passages,
            "c_word": words.c_word,
        },
        words,
    )


def _renumber(part: dict[str, NDArray[Any]], number: NDArray[np.int32]) -> None:
    """Put the numbers of the vocabulary in place of a batch's own."""
    for name in ("t_word", "w_word"):
        np.take(number, part[name], out=part[name])
    kernels.renumber_sets(number, part["p_content"], part["c_word"])


_POINTERS = {"d_passage": "p_start", "d_word": "w_word", "p_token": "t_word", "p_content": "c_word"}
_SHIFTED = {"p_article": "d_length"}


def collect(
    texts: pa.LargeStringArray,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Collection:
    """Segment all texts and number their words, on ``threads`` threads."""
    data, d_byte = utf8(texts)
    ranges = batches(np.diff(d_byte).tolist()) or [(0, 0)]

    def work(span: tuple[int, int]) -> tuple[dict[str, NDArray[Any]], Words]:
        lo, hi = span
        begin = d_byte[lo]
        return _process(data[begin : d_byte[hi]], d_byte[lo : hi + 1] - begin)

    vocabulary = Vocabulary()
    parts: list[dict[str, NDArray[Any]]] = []
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for (_, hi), (part, words) in zip(ranges, pool.map(work, ranges), strict=True):
            _renumber(part, vocabulary.add(words))
            parts.append(part)
            if progress:
                progress(int(d_byte[hi]), len(data))
    del part, words
    return Collection(v_hash=vocabulary.hash, v_bits=vocabulary.bits, **_join(parts))


def _join(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Concatenate batches, shifting pointers; frees each batch's arrays as it goes."""
    sizes = {
        name: np.cumsum([0, *(len(p[name]) for p in parts)])
        for name in ("p_start", "w_word", "t_word", "c_word", "d_length")
    }
    out: dict[str, NDArray[Any]] = {}
    for name in list(parts[0]):
        arrays = [p.pop(name) for p in parts]
        if name in _POINTERS:
            shift = sizes[_POINTERS[name]]
            arrays = [
                a[: None if i == len(parts) - 1 else -1] + shift[i] for i, a in enumerate(arrays)
            ]
        elif name in _SHIFTED:
            shift = sizes[_SHIFTED[name]]
            arrays = [a + a.dtype.type(shift[i]) for i, a in enumerate(arrays)]
        out[name] = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
        del arrays
        release_memory()
    return out


def as_texts(texts: Sequence[str]) -> pa.LargeStringArray:
    """Python strings as an Arrow array; lone surrogates become ``?``."""
    return pa.array([t.encode("utf-8", "replace").decode() for t in texts], pa.large_string())
