"""What segmenting found in the texts of an index: a row of ``frames`` for each, and back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from dedup.collection import restore, surveyed
from dedup.errors import FrameDamagedError, IndexDamagedError, InternalError
from dedup.language import detect_languages
from dedup.packing import (
    FRAME_HEADER,
    OTHER_SIZE,
    held_bytes,
    impossible_sizes,
    lay_out,
    pack,
    sizes_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.collection import Collection
    from dedup.packing import Batch
    from dedup.store import Store
    from dedup.vocabulary import Vocabulary

FRAMES_AT_ONCE = 1000
LEAST_OF_ALL = 0.5
"""Share of all texts from which it is quicker to look at all than at each."""
_THESE = "WHERE text IN (SELECT value FROM json_each(?))"


def frame_rows(numbers: Sequence[int], c: Collection) -> list[tuple[Any, ...]]:
    """Rows of ``frames`` for the texts of a collection: the number of each, how many passages,
    tokens, words and content words it has, its language, and its frame."""
    columns = zip(numbers, sizes_of(c).tolist(), detect_languages(c), pack(c), strict=True)
    return [(number, *sizes, language, frame) for number, sizes, language, frame in columns]


def restored_texts(
    store: Store,
    numbers: Sequence[int],
    vocabulary: Vocabulary,
    *,
    threads: int = 1,
    arena: Arena | None = None,
) -> Collection:
    """The collection of the texts with these numbers, in this order.

    Raises :class:`~dedup.errors.IndexDamagedError` where a frame is missing or damaged, or not of
    the sizes that stand beside it; before room is made for these.
    """
    sizes = _sizes(store, numbers)
    with _naming(store, numbers):
        return restore(_frames(store, numbers), sizes, vocabulary, threads=threads, arena=arena)


class SurveyedTexts:
    """Texts of an open index, of which tokens and distinct words are laid out as they are asked
    for.

    ``collection`` of the texts ``numbers``, in their order; ``articles`` as
    :class:`dedup.packing.Surveyed` has them, by ``copies`` (int64, texts) of each text. Raises as
    :func:`restored_texts`, also when more is asked for.
    """

    def __init__(
        self,
        store: Store,
        numbers: Sequence[int],
        vocabulary: Vocabulary,
        copies: NDArray[np.int64],
        *,
        threads: int = 1,
        arena: Arena | None = None,
    ) -> None:
        self._store, self._numbers, self._threads = store, numbers, threads
        sizes = _sizes(store, numbers)
        with _naming(store, numbers):
            self.collection, self.articles, edges = surveyed(
                _frames(store, numbers), sizes, vocabulary, copies, threads=threads, arena=arena
            )
        self._edges: NDArray[np.uint64] | None = edges
        self._there = np.zeros(len(numbers), bool)

    def edges(self) -> NDArray[np.uint64]:
        """``edges`` of :class:`dedup.packing.Surveyed`, once: they are not kept. Raises
        :class:`~dedup.errors.InternalError` when they are asked for again."""
        edges, self._edges = self._edges, None
        if edges is None:
            raise InternalError("the edges of passages were asked for twice; please report")
        return edges

    def lay_out(self, nodes: NDArray[np.int64]) -> None:
        """Make sure that the tokens of some texts (int64, their places in ``numbers``) are there.

        To be called from the thread that opened the index.
        """
        wanted = np.zeros(len(self._there), bool)
        wanted[nodes] = True
        missing = np.flatnonzero(wanted & ~self._there)
        if not len(missing):
            return
        batches = _frames(self._store, [self._numbers[node] for node in missing.tolist()])
        with _naming(self._store, self._numbers):
            of_nodes = ((missing[places], frames) for places, frames in batches)
            lay_out(self.collection, of_nodes, threads=self._threads)
        self._there |= wanted


@contextmanager
def _naming(store: Store, numbers: Sequence[int]) -> Iterator[None]:
    """Name the text of a damaged frame, and what helps."""
    try:
        yield
    except FrameDamagedError as error:
        what = f"the frame of text {numbers[error.node]} {error.reason}"
        raise damaged_index(store, what) from error


def damaged_index(store: Store, what: str) -> IndexDamagedError:
    """The error for an index in which ``what`` is damaged, with what helps."""
    return IndexDamagedError(
        f"{store.folder}: {what}; 'dedup index verify {store.folder}' says what is damaged, "
        f"'dedup index rebuild {store.folder}' makes it anew"
    )


def _sizes(store: Store, numbers: Sequence[int]) -> NDArray[np.int64]:
    """Sizes (int64, texts x 4) of the texts with these numbers, which their frames can have."""
    query = (
        "SELECT text, passages, tokens, words, content, "  # noqa: S608
        f"substr(frame, 1, {FRAME_HEADER}) FROM frames"
    )
    if len(numbers) < LEAST_OF_ALL * int(store.value("SELECT count(*) FROM texts")):
        stored = store.rows(f"{query} {_THESE}", orjson.dumps(list(numbers)).decode())
    else:
        stored = store.rows(query)
    found = {number: (*sizes, held_bytes(header)) for number, *sizes, header in stored}
    rows = []
    for number in numbers:
        if number not in found:
            raise damaged_index(store, f"text {number} has no frame")
        rows.append(found[number])
    if not rows:
        return np.zeros((0, 4), np.int64)
    table = np.array(rows)
    if table.dtype.kind != "i":  # SQLite stores values of any type in any column
        stated = (f for f, row in zip(numbers, rows, strict=True) if {*map(type, row)} != {int})
        raise damaged_index(store, f"the sizes of text {next(stated)} are no numbers")
    sizes, held = table[:, :4].astype(np.int64), table[:, 4].astype(np.int64)
    wrong = impossible_sizes(sizes, held)
    if wrong.any():
        raise damaged_index(store, f"the frame of text {numbers[int(wrong.argmax())]} {OTHER_SIZE}")
    return sizes


def _frames(store: Store, numbers: Sequence[int]) -> Iterator[Batch]:
    """The frames of ``numbers``, by their places there (int64), some at a time: in the order in
    which they lie in the index, as a disk reads them best."""
    query = f"SELECT text, frame FROM frames {_THESE}"  # noqa: S608
    number = np.asarray(numbers, np.int64)
    order = np.argsort(number)
    for begin in range(0, len(order), FRAMES_AT_ONCE):
        places = order[begin : begin + FRAMES_AT_ONCE]
        some = number[places].tolist()
        frames = dict(store.rows(query, orjson.dumps(some).decode()))
        yield places, [frames[text] for text in some]
