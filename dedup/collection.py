"""The articles of a run as flat arrays: what every later stage reads.

One row a distinct text ("node"), in the order of the digests, so that nothing depends on the
order in which records were read. Built batch by batch on threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.config import Settings
from dedup.kernels import vocabulary as kernels
from dedup.segment import pack_texts, segment
from dedup.sketch import sketch, token_information

BATCH_CHARACTERS = 8_000_000


@dataclass(frozen=True, slots=True)
class Collection:
    """Flat arrays over nodes (``d_``), passages (``p_``), tokens (``t_``) and words (``w_``).

    ``data`` uint8, ``d_byte`` int64 (nodes + 1): UTF-8 texts. ``d_length`` int32 characters,
    ``d_letters`` int32 letters and digits, ``d_passage``, ``d_word`` int64 (nodes + 1).
    ``p_start``, ``p_end`` int32 characters, ``p_quoted`` uint8, ``p_token`` int64
    (passages + 1), ``p_key`` uint64, ``p_information`` float32 bits, ``p_article`` int32.
    ``t_word``, ``t_start``, ``t_end`` int32. Words are local to their node: ``w_hash`` uint64,
    ``w_passages`` int32, ``w_byte``, ``w_chars`` int32, ``w_bits`` uint8. Indexed passages:
    ``s_passage`` int64, ``s_bands`` uint32 (indexed, bands), ``s_check`` uint8 (indexed, 128).
    """

    data: NDArray[np.uint8]
    d_byte: NDArray[np.int64]
    d_length: NDArray[np.int32]
    d_letters: NDArray[np.int32]
    d_passage: NDArray[np.int64]
    d_word: NDArray[np.int64]
    p_start: NDArray[np.int32]
    p_end: NDArray[np.int32]
    p_quoted: NDArray[np.uint8]
    p_token: NDArray[np.int64]
    p_key: NDArray[np.uint64]
    p_information: NDArray[np.float32]
    p_article: NDArray[np.int32]
    t_word: NDArray[np.int32]
    t_start: NDArray[np.int32]
    t_end: NDArray[np.int32]
    w_hash: NDArray[np.uint64]
    w_passages: NDArray[np.int32]
    w_byte: NDArray[np.int32]
    w_chars: NDArray[np.int32]
    w_bits: NDArray[np.uint8]
    s_passage: NDArray[np.int64]
    s_bands: NDArray[np.uint32]
    s_check: NDArray[np.uint8]

    @property
    def nodes(self) -> int:
        """Number of distinct texts."""
        return len(self.d_byte) - 1


def batches(lengths: Sequence[int], limit: int = BATCH_CHARACTERS) -> list[tuple[int, int]]:
    """Ranges of texts of about ``limit`` characters each."""
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


def _process(texts: Sequence[str], settings: Settings) -> dict[str, NDArray[Any]]:
    data, d_byte = pack_texts(texts)
    s = segment(data, d_byte)
    k = sketch(s, settings)
    counts = np.bincount(s.p_text, minlength=len(texts)) if len(s.p_text) else np.zeros(
        len(texts), np.int64
    )
    d_passage = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(counts, out=d_passage[1:])
    bits = token_information(s)
    t_word, d_word, w_hash, w_passages, w_byte, w_chars, w_bits = kernels.vocabularies(
        d_passage, s.p_token, s.t_hash, s.t_start, s.t_end, s.t_byte, bits
    )
    letters = kernels.letters(d_passage, s.p_token, s.t_start, s.t_end)
    return {
        "data": data,
        "d_byte": d_byte,
        "d_length": s.lengths,
        "d_letters": letters,
        "d_passage": d_passage,
        "d_word": d_word,
        "p_start": s.p_start,
        "p_end": s.p_end,
        "p_quoted": s.p_quoted,
        "p_token": s.p_token,
        "p_key": k.key,
        "p_information": k.information,
        "p_article": s.p_text,
        "t_word": t_word,
        "t_start": s.t_start,
        "t_end": s.t_end,
        "w_hash": w_hash,
        "w_passages": w_passages,
        "w_byte": w_byte,
        "w_chars": w_chars,
        "w_bits": w_bits,
        "s_passage": k.chosen,
        "s_bands": k.bands,
        "s_check": k.check,
    }


_POINTERS = {"d_byte": "data", "d_passage": "p_start", "d_word": "w_hash", "p_token": "t_word"}
_SHIFTED = {"p_article": "d_length", "s_passage": "p_start"}


def collect(
    texts: Sequence[str],
    settings: Settings,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Collection:
    """Segment, sketch and number the words of all texts, on ``threads`` threads."""
    lengths = [len(t) for t in texts]
    ranges = batches(lengths)
    total = sum(lengths)
    done = 0
    parts: list[dict[str, NDArray[Any]]] = []
    with ThreadPoolExecutor(max(1, threads)) as pool:
        work = pool.map(lambda r: _process(texts[r[0] : r[1]], settings), ranges)
        for (lo, hi), part in zip(ranges, work, strict=True):
            parts.append(part)
            done += sum(lengths[lo:hi])
            if progress:
                progress(done, total)
    if not parts:
        parts = [_process([], settings)]
    return _join(parts)


def _join(parts: list[dict[str, NDArray[Any]]]) -> Collection:
    """Concatenate batches, shifting pointers; frees each batch's arrays as it goes."""
    sizes = {
        name: np.cumsum([0, *(len(p[name]) for p in parts)])
        for name in ("data", "p_start", "w_hash", "t_word", "d_length")
    }
    out: dict[str, NDArray[Any]] = {}
    for f in fields(Collection):
        arrays = [p.pop(f.name) for p in parts]
        if f.name in _POINTERS:
            shift = sizes[_POINTERS[f.name]]
            arrays = [
                a[: None if i == len(parts) - 1 else -1] + shift[i] for i, a in enumerate(arrays)
            ]
        elif f.name in _SHIFTED:
            shift = sizes[_SHIFTED[f.name]]
            arrays = [a + a.dtype.type(shift[i]) for i, a in enumerate(arrays)]
        out[f.name] = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
    return Collection(**out)
