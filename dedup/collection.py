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
from dedup.segment import character_tables, segment
from dedup.sketch import sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dedup.config import Settings

BATCH_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Collection:
    """Flat arrays over nodes (``d_``), passages (``p_``), tokens (``t_``) and words (``w_``).

    ``data`` uint8, ``d_byte`` int64 (nodes + 1): UTF-8 texts. ``d_length`` int32 characters,
    ``d_letters`` int32 letters and digits, ``d_passage``, ``d_word`` int64 (nodes + 1).
    ``p_start``, ``p_end`` int32 characters, ``p_quoted`` uint8, ``p_token`` int64
    (passages + 1), ``p_key`` uint64, ``p_information`` float32 bits, ``p_article`` int32.
    ``t_word``, ``t_start``, ``t_end`` int32. Words are local to their node: ``w_hash`` uint64,
    ``w_passages`` int32, ``w_byte``, ``w_chars`` int32, ``w_bits`` uint8 (see
    ``kernels.minhash.token_bits``).
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

    @property
    def nodes(self) -> int:
        """Number of distinct texts."""
        return len(self.d_byte) - 1


@dataclass(frozen=True, slots=True)
class SketchIndex:
    """The indexed passages: ``passage`` int64, ``bands`` uint32 (bands, indexed), ``check``
    uint8 (indexed, permutations). Needed by the candidate stage only."""

    passage: NDArray[np.int64]
    bands: NDArray[np.uint32]
    check: NDArray[np.uint8]


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
    data: NDArray[np.uint8], d_byte: NDArray[np.int64], settings: Settings
) -> dict[str, NDArray[Any]]:
    texts = len(d_byte) - 1
    s = segment(data, d_byte)
    k = sketch(s, settings)
    d_passage = np.zeros(texts + 1, np.int64)
    np.cumsum(np.bincount(s.p_text, minlength=texts), out=d_passage[1:])
    kind, _, _, fold = character_tables()
    t_word, d_word, w_hash, w_passages, w_byte, w_chars, w_bits = kernels.vocabularies(
        s.data,
        s.offsets,
        d_passage,
        s.p_token,
        s.t_hash,
        s.t_chars,
        s.t_byte,
        k.bits,
        kind,
        fold,
    )
    letters = kernels.letters(d_passage, s.p_token, s.t_start, s.t_end)
    return {
        "data": s.data,
        "d_bytes": np.diff(s.offsets),
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
        "passage": k.chosen,
        "bands": k.bands,
        "check": k.check,
    }


_POINTERS = {"d_passage": "p_start", "d_word": "w_hash", "p_token": "t_word"}
_SHIFTED = {"p_article": "d_length", "passage": "p_start"}


def collect(
    texts: pa.LargeStringArray,
    settings: Settings,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Collection, SketchIndex]:
    """Segment, sketch and number the words of all texts, on ``threads`` threads."""
    data, d_byte = utf8(texts)
    ranges = batches(np.diff(d_byte).tolist()) or [(0, 0)]

    def work(span: tuple[int, int]) -> dict[str, NDArray[Any]]:
        lo, hi = span
        begin = d_byte[lo]
        return _process(data[begin : d_byte[hi]], d_byte[lo : hi + 1] - begin, settings)

    parts: list[dict[str, NDArray[Any]]] = []
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for (_, hi), part in zip(ranges, pool.map(work, ranges), strict=True):
            parts.append(part)
            if progress:
                progress(int(d_byte[hi]), len(data))
    spelled, sizes = [p.pop("data") for p in parts], [p.pop("d_bytes") for p in parts]
    if not all(np.shares_memory(part, data) for part in spelled if len(part)):
        data = np.concatenate(spelled)
        d_byte = np.append(0, np.cumsum(np.concatenate(sizes)))
    joined = _join(parts)
    bands = np.concatenate([p.pop("bands").T for p in parts], axis=1)
    index = SketchIndex(joined.pop("passage"), bands, joined.pop("check"))
    return Collection(data=data, d_byte=d_byte, **joined), index


def _join(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Concatenate batches, shifting pointers; frees each batch's arrays as it goes."""
    sizes = {
        name: np.cumsum([0, *(len(p[name]) for p in parts)])
        for name in ("p_start", "w_hash", "t_word", "d_length")
    }
    out: dict[str, NDArray[Any]] = {}
    for name in [n for n in parts[0] if n != "bands"]:
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
