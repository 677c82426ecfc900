"""Analysed texts as an index keeps them: one compressed frame each, and back to a collection.

A frame holds what segmenting found and the numbers of the words; everything else follows from
these and the vocabulary, faster than it could be read.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from dedup.arena import Arena
from dedup.budget import text_limit
from dedup.errors import FrameDamagedError
from dedup.kernels import frames as kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.vocabulary import Vocabulary

LEVEL = 3
_WORD = 4
OF_TEXT = 3
"""Bytes of the arrays for a byte of English text."""
MOST = 2**31 - 1
"""Passages or tokens of a text that a frame can count."""
FRAME_HEADER = 18
"""Bytes that the header of a zstd frame takes at most (RFC 8878, section 3.1.1.1)."""
OTHER_SIZE = "is not of its size"
"""What is wrong with a frame that holds something else than is stated of it."""

DTYPES = {
    "d_length": np.int32,
    "d_letters": np.int32,
    "d_passage": np.int64,
    "d_word": np.int64,
    "p_start": np.int32,
    "p_end": np.int32,
    "p_quoted": np.uint8,
    "p_speech": np.uint8,
    "p_token": np.int64,
    "p_content": np.int64,
    "p_key": np.uint64,
    "p_information": np.float32,
    "p_letters": np.int32,
    "p_article": np.int32,
    "t_word": np.int32,
    "t_start": np.int32,
    "t_length": np.uint16,
    "w_word": np.int32,
    "w_passages": np.uint16,
    "c_word": np.int32,
}
"""The arrays of a collection but its vocabulary."""


def pack(c: Collection) -> list[bytes]:
    """A compressed frame for each text of a collection."""
    sizes = kernels.frame_sizes(np.diff(c.d_passage), np.diff(c.p_token[c.d_passage]))
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
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    # The first bytes of all words, then the second ones, …: most of the later ones are zero.
    octets = words.view(np.uint8).reshape(-1, _WORD)
    return [
        compressor.compress(octets[begin:end].T.tobytes())
        for begin, end in zip(place.tolist(), ends.tolist(), strict=True)
    ]


def sizes_of(c: Collection) -> NDArray[np.int64]:
    """How many passages, tokens, distinct words, and content words of passages each text has
    (int64, texts x 4)."""
    ends = (
        c.d_passage,
        c.p_token[c.d_passage],
        c.d_word,
        c.p_content[c.d_passage],
    )
    return np.stack([np.diff(end) for end in ends], axis=1).astype(np.int64)


def impossible_sizes(
    sizes: NDArray[np.int64], held: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Which rows of ``sizes`` (int64, texts x 4, see :func:`sizes_of`) no text can have (bool), or
    none whose frame says that it holds ``held`` bytes (int64, texts; see :func:`held_bytes`).

    What is left is safe to make room for: no more than a frame of that many bytes fills.
    """
    _, tokens, words, content = sizes.T
    wrong: NDArray[np.bool_] = np.any((sizes < 0) | (sizes > MOST), axis=1)
    wrong = wrong | (words > tokens) | (content > tokens)
    if held is not None:
        passages, tokens, *_ = np.ascontiguousarray(np.where(wrong[:, None], 0, sizes).T)
        wrong = wrong | (held != _WORD * kernels.frame_sizes(passages, tokens))
    return wrong


def held_bytes(frame: Any) -> int:
    """How many bytes a frame says that it holds, by its first :data:`FRAME_HEADER` bytes; -1 if
    it is none."""
    try:
        size = int(zstandard.frame_content_size(frame))
    except (zstandard.ZstdError, TypeError):
        return -1
    return size if size <= _WORD * MOST else -1


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Texts of which all is known but their tokens and distinct words.

    ``arrays`` of a :class:`~dedup.collection.Collection`; those of tokens and of distinct words are
    zeros, which take no memory, until :func:`lay_out` fills them. ``articles`` int64 (words): how
    many articles hold each word. ``edges`` uint64 (2, passages): hashes of the first and of the
    last two words of every passage, 0 where it has only one; of no passages where nobody asked.
    """

    arrays: dict[str, NDArray[Any]]
    articles: NDArray[np.int64]
    edges: NDArray[np.uint64]


Batch = tuple["NDArray[np.int64]", "Sequence[bytes]"]
"""Numbers of some texts, and their frames."""


def in_order(frames: Iterable[Sequence[bytes]]) -> Iterator[Batch]:
    """Batches of the frames of all texts, one after another."""
    done = 0
    for packed in frames:
        yield np.arange(done, done + len(packed)), packed
        done += len(packed)


def unpack(
    batches: Iterable[Batch],
    sizes: NDArray[np.int64],
    vocabulary: Vocabulary,
    *,
    threads: int = 1,
    arena: Arena | None = None,
) -> dict[str, NDArray[Any]]:
    """The arrays of a :class:`~dedup.collection.Collection`, from batches of frames, whichever come
    first, and the ``sizes`` (see :func:`sizes_of`) of all texts, on ``threads`` threads.

    Where they are more than a run with the budget of ``arena`` keeps in memory, they are mapped
    temporary files.

    Raises:
        FrameDamagedError: a frame cannot be unpacked, is not of its size, names words that there
            are not, or places outside its text.
        SpillError: temporary files cannot be written.
    """
    place = _places(sizes)
    out = _room(place, arena or Arena(), sparse=False)
    copies, edges = np.ones(len(sizes), np.int64), np.empty((2, 0), np.uint64)
    spare: SimpleQueue[_Scratch] = SimpleQueue()

    def work(batch: Batch) -> None:
        node, packed = batch
        held = _joined(_decompressed(node, packed, sizes))
        with _lent(spare, len(vocabulary)) as scratch:
            _survey(node, held, vocabulary, copies, place, out, edges, scratch)
            _lay_out(node, held, len(vocabulary), out, scratch)

    _each_batch(work, batches, threads)
    return out


def survey(
    batches: Iterable[Batch],
    sizes: NDArray[np.int64],
    vocabulary: Vocabulary,
    copies: NDArray[np.int64],
    *,
    threads: int = 1,
    arena: Arena | None = None,
) -> Surveyed:
    """As :func:`unpack`, but for the tokens and distinct words of texts, which :func:`lay_out` adds
    for those that are asked for; ``copies`` (int64, texts): how many articles have each text."""
    place = _places(sizes)
    out = _room(place, arena or Arena(), sparse=True)
    edges = np.empty((2, len(out["p_key"])), np.uint64)
    spare: SimpleQueue[_Scratch] = SimpleQueue()

    def work(batch: Batch) -> None:
        node, packed = batch
        held = _joined(_decompressed(node, packed, sizes))
        with _lent(spare, len(vocabulary)) as scratch:
            _survey(node, held, vocabulary, copies, place, out, edges, scratch)

    _each_batch(work, batches, threads)
    articles = np.zeros(len(vocabulary), np.int64)
    while not spare.empty():
        articles += spare.get().articles
    return Surveyed(out, articles, edges)


def lay_out(
    c: Collection,
    batches: Iterable[Batch],
    *,
    threads: int = 1,
) -> None:
    """Fill in the tokens and distinct words of some texts of a collection made of what
    :func:`survey` gave, from batches of their frames.

    Raises :class:`~dedup.errors.FrameDamagedError` where a frame is not what it was.
    """
    out = {name: getattr(c, name) for name in DTYPES}
    sizes, words = sizes_of(c), len(c.v_hash)
    spare: SimpleQueue[_Scratch] = SimpleQueue()

    def work(batch: Batch) -> None:
        node, packed = batch
        held = _joined(_decompressed(node, packed, sizes))
        with _lent(spare, words) as scratch:
            _lay_out(node, held, words, out, scratch)

    _each_batch(work, batches, threads)


class _Scratch:
    """What a thread needs over the whole vocabulary, see the kernels."""

    def __init__(self, words: int) -> None:
        self.seen = np.full(words, -1, np.int32)
        self.articles = np.zeros(words, np.int64)
        self.known = np.full(words, -1, np.int64)


@contextmanager
def _lent(spare: SimpleQueue[_Scratch], words: int) -> Iterator[_Scratch]:
    """Scratch that no other thread uses meanwhile."""
    try:
        scratch = spare.get_nowait()
    except Empty:
        scratch = _Scratch(words)
    try:
        yield scratch
    finally:
        spare.put(scratch)


_Held = tuple["NDArray[np.uint8]", "NDArray[np.int64]"]
"""The bytes of some frames, one after another, and where each ends."""


def _joined(plain: list[bytes]) -> _Held:
    ends = np.cumsum([0, *map(len, plain)], dtype=np.int64)
    return np.frombuffer(b"".join(plain), np.uint8), ends


def _survey(
    node: NDArray[np.int64],
    held: _Held,
    vocabulary: Vocabulary,
    copies: NDArray[np.int64],
    place: NDArray[np.int64],
    out: dict[str, NDArray[Any]],
    edges: NDArray[np.uint64],
    scratch: _Scratch,
) -> None:
    wrong = kernels.survey(
        node,
        *held,
        vocabulary.hash,
        vocabulary.bits,
        copies,
        scratch.seen,
        scratch.articles,
        edges,
        place[1],
        place[2],
        place[3],
        *(out[name] for name in SURVEYED),
    )
    if wrong >= 0:
        raise FrameDamagedError(int(wrong), OTHER_SIZE)


def _lay_out(
    node: NDArray[np.int64],
    held: _Held,
    words: int,
    out: dict[str, NDArray[Any]],
    scratch: _Scratch,
) -> None:
    columns = (out[name] for name in (*_PLACES, *LAID_OUT))
    wrong = kernels.lay_out(node, *held, words, scratch.known, *columns)
    if wrong >= 0:
        raise FrameDamagedError(int(node[wrong]), OTHER_SIZE)


def _each_batch(work: Callable[[Batch], None], batches: Iterable[Batch], threads: int) -> None:
    """Do some work for every batch, as many at once as there are ``threads``."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        under_way: deque[Future[None]] = deque()
        for batch in batches:
            if len(under_way) >= 2 * threads:
                under_way.popleft().result()
            under_way.append(pool.submit(work, batch))
        for future in under_way:
            future.result()


def _decompressed(
    node: NDArray[np.int64], frames: Sequence[bytes], sizes: NDArray[np.int64]
) -> list[bytes]:
    """What the frames of the texts ``node`` hold, of the ``sizes`` of all."""
    held = np.fromiter(map(held_bytes, frames), np.int64, len(frames))
    wrong = impossible_sizes(sizes[node], held)
    if wrong.any():
        raise FrameDamagedError(int(node[wrong.argmax()]), OTHER_SIZE)
    decompress = zstandard.ZstdDecompressor().decompress
    out: list[bytes] = []
    for frame in frames:
        try:
            out.append(decompress(frame))
        except zstandard.ZstdError as error:
            reason = f"cannot be unpacked ({error})"
            raise FrameDamagedError(int(node[len(out)]), reason) from error
    return out


SURVEYED = (
    *("d_length", "d_letters", "d_passage", "p_token", "p_start", "p_end", "p_quoted", "p_speech"),
    *("p_article", "p_content", "c_word", "p_key", "p_information", "p_letters"),
)
_PLACES = ("d_length", "d_passage", "p_token", "d_word")
LAID_OUT = ("t_word", "t_start", "t_length", "w_word", "w_passages")


def _places(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the passages, tokens, distinct words and content words of each text come to stand
    (int64, 4 x texts + 1); raises ``FrameDamagedError`` for sizes that there cannot be."""
    wrong = impossible_sizes(sizes)
    if wrong.any():
        raise FrameDamagedError(int(wrong.argmax()), OTHER_SIZE)
    place = np.zeros((4, len(sizes) + 1), np.int64)
    np.cumsum(sizes.T, axis=1, out=place[:, 1:])
    return place


def _room(place: NDArray[np.int64], arena: Arena, sparse: bool) -> dict[str, NDArray[Any]]:
    """The arrays of a collection to be filled, by the ``place`` (see :func:`_places`) of what each
    text has. ``sparse``: those of tokens and distinct words are filled here and there only."""
    texts = place.shape[1] - 1
    passages, tokens, words, content = place[:, -1].tolist()
    rows = {"d": texts, "p": passages, "t": tokens, "w": words, "c": content}
    counts = {
        name: rows[name[0]] + (name in ("p_token", "p_content"))
        for name in DTYPES
        if name not in _BY_TEXT
    }
    size = sum(count * np.dtype(DTYPES[name]).itemsize for name, count in counts.items())
    if arena.budget is not None and size > OF_TEXT * text_limit(arena.budget):
        arena.spill()
    arena.expect(size)

    def empty(name: str, count: int, dtype: Any) -> NDArray[Any]:
        if not arena.spilling and not (sparse and name in LAID_OUT):
            return np.empty(count, dtype)
        memory = arena.allocate(count * np.dtype(dtype).itemsize)
        return np.frombuffer(memory, dtype, count)

    out = {name: empty(name, count, DTYPES[name]) for name, count in counts.items()}
    out["d_passage"], out["d_word"] = place[0], place[2]
    out["p_token"][-1], out["p_content"][-1] = tokens, content
    return out


_BY_TEXT = ("d_passage", "d_word")
