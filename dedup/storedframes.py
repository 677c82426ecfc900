"""What segmenting found in the texts of an index: a row of ``frames`` for each, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from dedup.collection import restore
from dedup.errors import IndexDamagedError
from dedup.language import detect_languages
from dedup.packing import pack, sizes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dedup.arena import Arena
    from dedup.collection import Collection
    from dedup.store import Store
    from dedup.vocabulary import Vocabulary

FRAMES_AT_ONCE = 1000
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

    Raises :class:`~dedup.errors.IndexDamagedError` where a frame is missing or not of its size.
    """
    query = f"SELECT text, passages, tokens, words, content FROM frames {_THESE}"  # noqa: S608
    found = {row[0]: row[1:] for row in store.rows(query, orjson.dumps(list(numbers)).decode())}
    missing = [number for number in numbers if number not in found]
    if missing:
        raise IndexDamagedError(
            f"{store.folder}: text {missing[0]} has no frame; 'dedup index rebuild {store.folder}' "
            "makes it anew"
        )
    sizes = np.array([found[number] for number in numbers], np.int64).reshape(-1, 4)
    return restore(_frames(store, numbers), sizes, vocabulary, threads=threads, arena=arena)


def _frames(store: Store, numbers: Sequence[int]) -> Iterator[list[bytes]]:
    """Frames in the order of ``numbers``, some at a time."""
    query = f"SELECT text, frame FROM frames {_THESE}"  # noqa: S608
    for begin in range(0, len(numbers), FRAMES_AT_ONCE):
        some = list(numbers[begin : begin + FRAMES_AT_ONCE])
        frames = dict(store.rows(query, orjson.dumps(some).decode()))
        yield [frames[number] for number in some]
