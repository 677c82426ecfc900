"""Indexes of earlier versions, brought forward: one step from each schema to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from dedup.collection import restore
from dedup.errors import FrameDamagedError, IndexDamagedError
from dedup.indexnotes import COMPARE_ANEW, PARTS
from dedup.indextables import SCHEMA
from dedup.kernels.frames import HEADER
from dedup.kernels.minhash import CONTENT
from dedup.language import detect_languages
from dedup.lock import Lock
from dedup.packing import in_order
from dedup.recall import load_vocabulary
from dedup.store import FILE, Store, digest_of, no_index, schema_of
from dedup.storedframes import FRAMES_AT_ONCE
from dedup.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


DAMAGED = (0, 0, 0, 0, None)
"""Sizes and language stated for a frame that cannot be read. An empty text has such sizes, too: its
frame can be read."""


def is_older(folder: Path) -> bool:
    """Whether the index in ``folder`` has an earlier schema, which :func:`bring_forward` knows."""
    return schema_of(folder) in STEPS


def bring_forward(folder: Path) -> bool:
    """Bring the index in ``folder`` to the present schema, if a known one is older; returns whether
    it was. One transaction: it is wholly done, or not at all.

    Raises:
        IndexMissingError: there is no index.
        IndexWriteError: it cannot be written.
        LockedError: another process is changing it.
    """
    if not (folder / FILE).is_file():
        raise no_index(folder)
    if not is_older(folder):
        return False
    lock = Lock(folder)
    lock.take()
    try:
        schema = schema_of(folder)  # another process may have done it since
        if schema in STEPS:
            with Store.open(folder, writing=True, schema=schema) as store, store.transaction():
                for number in range(schema, SCHEMA):
                    STEPS[number](store)
                store.connection.execute(f"PRAGMA user_version = {SCHEMA}")
    finally:
        lock.release()
    return True


def _digests_of_parts(store: Store) -> None:
    """Parts have digests, and changes no reason, which never was stated."""
    store.connection.execute("ALTER TABLE changes DROP COLUMN reason")
    store.connection.execute("ALTER TABLE parts ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
    for part, data in store.connection.execute("SELECT part, data FROM parts").fetchall():
        store.connection.execute(
            "UPDATE parts SET digest = ? WHERE part = ?", (digest_of(data), part)
        )
    store.note({PARTS: store.digest_of_parts()})


def _sizes(frame: bytes, vocabulary: Vocabulary) -> tuple[int, int, int, int] | None:
    """Passages, tokens, distinct words, and content words of passages in a compressed frame, or
    ``None`` where it cannot be unpacked or states what it cannot hold."""
    try:
        plain = zstandard.ZstdDecompressor().decompress(frame)
    except (zstandard.ZstdError, TypeError, MemoryError):  # of a size that is damaged, too
        return None
    if len(plain) % 4 or len(plain) < 4 * HEADER:
        return None
    octets = np.frombuffer(plain, np.uint8).reshape(4, -1)
    words = np.ascontiguousarray(octets.T).view("<i4").ravel()
    passages, tokens = int(words[2]), int(words[3])
    if passages < 0 or tokens < 0 or HEADER + 3 * passages + tokens > len(words):
        return None
    begin = HEADER + 3 * passages
    of_passage, word = words[HEADER : HEADER + passages], words[begin : begin + tokens]
    if (of_passage < 0).any() or of_passage.sum(dtype=np.int64) != tokens:
        return None
    if ((word < 0) | (word >= len(vocabulary))).any():
        return None
    passage = np.repeat(np.arange(passages), of_passage)
    content = (vocabulary.bits[word] & CONTENT) > 0
    held = np.unique(passage[content] * np.int64(len(vocabulary)) + word[content])
    return passages, tokens, len(np.unique(word)), len(held)


def _stated(frames: Sequence[bytes], vocabulary: Vocabulary) -> list[tuple[Any, ...]]:
    """The sizes and the language of the texts of some frames; DAMAGED for those that cannot be
    read."""
    sizes = [_sizes(frame, vocabulary) for frame in frames]
    out: list[tuple[Any, ...]] = [DAMAGED] * len(frames)
    whole = [i for i, size in enumerate(sizes) if size is not None]
    while whole:
        table = np.array([sizes[i] for i in whole])
        try:
            c = restore(in_order([[frames[i] for i in whole]]), table, vocabulary)
        except FrameDamagedError as error:
            del whole[error.node]
            continue
        for i, size, language in zip(whole, table.tolist(), detect_languages(c), strict=True):
            out[i] = (*size, language)
        break
    return out


def _sizes_of_frames(store: Store) -> None:
    """Frames state the sizes and the language of their texts; one that is damaged stays as it is,
    to be named when it is read, and made anew when the index is rebuilt."""
    try:
        vocabulary = load_vocabulary(store)
    except IndexDamagedError:
        vocabulary = Vocabulary()  # no frame can be read without its words
    store.connection.execute("ALTER TABLE frames RENAME TO frames_before")
    store.connection.execute(
        "CREATE TABLE frames (text INTEGER PRIMARY KEY REFERENCES texts, "
        "passages INTEGER NOT NULL, tokens INTEGER NOT NULL, words INTEGER NOT NULL, "
        "content INTEGER NOT NULL, language TEXT, frame BLOB NOT NULL)"
    )
    numbers = [n for (n,) in store.rows("SELECT text FROM frames_before ORDER BY text")]
    for begin in range(0, len(numbers), FRAMES_AT_ONCE):
        some = numbers[begin : begin + FRAMES_AT_ONCE]
        query = "SELECT frame FROM frames_before WHERE text BETWEEN ? AND ? ORDER BY text"
        frames = [frame for (frame,) in store.rows(query, some[0], some[-1])]
        rows = zip(some, _stated(frames, vocabulary), frames, strict=True)
        store.insert("frames", ((n, *stated, frame) for n, stated, frame in rows))
    store.connection.execute("DROP TABLE frames_before")


def _roles_by_passage(store: Store) -> None:
    """Full LSH buckets are kept by passage, not by passage and band: what they hold is found out
    anew by the next run."""
    store.drop_parts("crowd")
    store.note({COMPARE_ANEW: "1"})


STEPS: dict[int, Callable[[Store], None]] = {
    1: _digests_of_parts,
    2: _sizes_of_frames,
    3: _roles_by_passage,
}
"""By the schema from which each leads to the next."""
