"""The articles of a run as flat arrays: what every later stage reads.

One row a distinct text ("node"), in the order of the digests, so that nothing depends on the
order in which records were read. Built batch by batch on threads.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from dedup.arena import Arena
from dedup.column import Column
from dedup.kernels import vocabulary as kernels
from dedup.memory import release_memory
from dedup.packing import DTYPES, survey, unpack
from dedup.segment import segment
from dedup.speech import signs_of_speech
from dedup.vocabulary import Vocabulary, Words, number_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from dedup.packing import Batch

    LayOut = Callable[[NDArray[np.int64]], None]
    """Makes sure that the tokens and distinct words of some nodes are there: see
    :func:`surveyed`."""

BATCH_BYTES = 8_000_000
LARGE = 2**22
"""Bytes of an array from which it is worth asking the system to take freed memory back."""

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class Collection:
    """Flat arrays over nodes (``d_``), passages (``p_``), tokens (``t_``) and words (``v_``).

    ``d_length`` int32 characters, ``d_letters`` int32 letters and digits, ``d_passage`` int64
    (nodes + 1). ``p_start``, ``p_end`` int32 characters, ``p_quoted`` uint8, ``p_speech`` uint8
    (see ``speech.signs_of_speech``), ``p_token`` int64 (passages + 1), ``p_key`` uint64,
    ``p_information`` float32 bits, ``p_letters`` int32 letters and digits, ``p_article`` int32.
    ``t_word``, ``t_start`` int32 and ``t_length`` uint16 characters.
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
    p_letters: NDArray[np.int32]
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
            "d_letters": kernels.letters(s.p_token[d_passage], s.t_start, t_length),
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
            "p_letters": kernels.letters(s.p_token, s.t_start, t_length),
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
        kernels.renumber(number, part[name])
    kernels.renumber_sets(number, part["p_content"], part["c_word"])


_POINTERS = {"d_passage": "p_start", "d_word": "w_word", "p_token": "t_word", "p_content": "c_word"}
_ROOM = 5
"""Bytes that all columns take for each byte of text, at most: English takes 3."""


class _Columns:
    """The arrays of a collection, growing batch by batch."""

    def __init__(self, arena: Arena) -> None:
        self._columns = {name: Column(arena, dtype) for name, dtype in DTYPES.items()}
        self._rows = dict.fromkeys((*_POINTERS.values(), "d_length"), 0)

    def append(self, part: dict[str, NDArray[Any]]) -> None:
        """Add a batch, shifting its pointers in place to where its rows come to stand."""
        first = self._rows["d_length"] == 0
        added = {name: len(part[name]) for name in self._rows}
        part["p_article"] += np.int32(self._rows["d_length"])
        for name, column in self._columns.items():
            array = part.pop(name)
            if name in _POINTERS:
                array += self._rows[_POINTERS[name]]
                # The end of the batch before is the beginning of this one.
                array = array if first else array[1:]
            column.append(array)
        for name, count in added.items():
            self._rows[name] += count

    def whole(self) -> dict[str, NDArray[Any]]:
        """The arrays; each batch's are freed before the next array is joined."""
        out: dict[str, NDArray[Any]] = {}
        while self._columns:
            name = next(iter(self._columns))
            out[name] = self._columns.pop(name).whole()
            if out[name].nbytes > LARGE:
                release_memory()
        return out


def collect(
    texts: pa.LargeStringArray,
    *,
    threads: int = 1,
    arena: Arena | None = None,
    vocabulary: Vocabulary | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Collection:
    """Segment all texts and number their words, on ``threads`` threads.

    ``vocabulary``: the words of other texts, whose numbers stay; it grows by those of these texts.
    Where ``arena`` spills, the arrays of passages, tokens and words are mapped temporary files.

    Raises :class:`~dedup.errors.SpillError` where these cannot be written.
    """
    arena = arena or Arena()
    data, d_byte = utf8(texts)
    ranges = batches(np.diff(d_byte).tolist()) or [(0, 0)]
    arena.expect(_ROOM * len(data))

    def work(span: tuple[int, int]) -> tuple[dict[str, NDArray[Any]], Words]:
        lo, hi = span
        begin = d_byte[lo]
        return _process(data[begin : d_byte[hi]], d_byte[lo : hi + 1] - begin)

    if vocabulary is None:
        vocabulary = Vocabulary()
    columns = _Columns(arena)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        done = _in_order(pool, work, ranges, ahead=2 * threads)
        for (_, hi), (part, words) in zip(ranges, done, strict=True):
            _renumber(part, vocabulary.add(words))
            columns.append(part)
            if progress:
                progress(int(d_byte[hi]), len(data))
    del part, words
    return Collection(v_hash=vocabulary.hash, v_bits=vocabulary.bits, **columns.whole())


def restore(
    batches: Iterable[Batch],
    sizes: NDArray[np.int64],
    vocabulary: Vocabulary,
    *,
    threads: int = 1,
    arena: Arena | None = None,
) -> Collection:
    """The collection of texts that :func:`dedup.packing.pack` packed, of batches of frames;
    ``sizes`` as :func:`dedup.packing.sizes_of` gives them.

    Raises as :func:`dedup.packing.unpack`.
    """
    arrays = unpack(batches, sizes, vocabulary, threads=threads, arena=arena)
    return Collection(v_hash=vocabulary.hash, v_bits=vocabulary.bits, **arrays)


def surveyed(
    batches: Iterable[Batch],
    sizes: NDArray[np.int64],
    vocabulary: Vocabulary,
    copies: NDArray[np.int64],
    *,
    threads: int = 1,
    arena: Arena | None = None,
) -> tuple[Collection, NDArray[np.int64], NDArray[np.uint64]]:
    """As :func:`restore`, but that :func:`dedup.packing.lay_out` is to be asked for the tokens and
    distinct words of texts before anybody looks at them; with ``articles`` and ``edges`` of
    :class:`dedup.packing.Surveyed`."""
    found = survey(batches, sizes, vocabulary, copies, threads=threads, arena=arena)
    c = Collection(v_hash=vocabulary.hash, v_bits=vocabulary.bits, **found.arrays)
    return c, found.articles, found.edges


def all_there(_: NDArray[np.int64]) -> None:
    """The tokens of all texts are there: a ``LayOut`` that has nothing to do."""


def _in_order(
    pool: Executor, work: Callable[[_Item], _Done], items: Iterable[_Item], ahead: int
) -> Iterator[_Done]:
    """``pool.map``, of which at most ``ahead`` results are under way or wait to be taken."""
    waiting: deque[Future[_Done]] = deque()
    for item in items:
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(work, item))
    while waiting:
        yield waiting.popleft().result()


def as_texts(texts: Sequence[str]) -> pa.LargeStringArray:
    """Python strings as an Arrow array; lone surrogates become ``?``."""
    return pa.array([t.encode("utf-8", "replace").decode() for t in texts], pa.large_string())
