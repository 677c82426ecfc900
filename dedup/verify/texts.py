"""Records, texts, frames and vocabulary of an index against each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import zstandard

from dedup.candidates import indexed_passages
from dedup.collection import collect
from dedup.indexnotes import PARTS
from dedup.kernels import bands
from dedup.partshapes import problem_of
from dedup.recall import load_vocabulary
from dedup.sketch import scheme
from dedup.store import UNREADABLE, digest_of, unpack_arrays
from dedup.storedframes import frame_rows, restored_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.store import Store
    from dedup.verify import Verified
    from dedup.vocabulary import Vocabulary

BATCH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class WholeTexts:
    """The texts that are whole: ``lengths`` in characters by digest, ``numbers`` int32 ascending,
    and the ``vocabulary`` of their frames."""

    lengths: dict[str, int]
    numbers: NDArray[np.int32]
    vocabulary: Vocabulary

    def collection(self, store: Store, numbers: NDArray[np.int32]) -> Collection:
        """The collection of some of them, in this order."""
        return restored_texts(store, numbers.tolist(), self.vocabulary)


@dataclass(frozen=True, slots=True)
class _Batch:
    numbers: list[int]
    digests: list[str]
    texts: list[str]
    frames: list[tuple[Any, ...]]
    """Their rows of ``frames``."""


def check_texts(
    store: Store,
    settings: Settings,
    found: Verified,
    *,
    threads: int = 1,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> WholeTexts | None:
    """Every record has its text, every text its record and its frame, digests are those of the
    texts, and frames are what segmenting finds now. ``None`` without a readable vocabulary."""
    _check_rows(store, found)
    found.articles = store.value("SELECT count(*) FROM records")
    found.texts = store.value("SELECT count(*) FROM texts")
    vocabulary = _vocabulary(store, found)
    if vocabulary is None:
        return None
    words = len(vocabulary)
    information = vocabulary.bits.copy()
    lengths: dict[str, int] = {}
    numbers: list[int] = []
    done = 0
    for batch in _batches(store, found):
        lengths |= dict(zip(batch.digests, map(len, batch.texts), strict=True))
        fresh = collect(
            pa.array(batch.texts, pa.large_string()), threads=threads, vocabulary=vocabulary
        )
        good = _equal(batch, frame_rows(batch.numbers, fresh), found)
        numbers += [number for number, same in zip(batch.numbers, good, strict=True) if same]
        if all(good):
            _check_keys(store, batch, fresh, vocabulary, settings, found)
        done += len(batch.texts)
        if progress:
            progress("texts", done, found.texts)
    other = int((vocabulary.bits[:words] != information).sum())
    if other:
        found.problems.append(f"vocabulary: the information of {other:,} words is not theirs")
    return WholeTexts(lengths, np.array(sorted(numbers), np.int32), vocabulary)


def _check_rows(store: Store, found: Verified) -> None:
    queries = (
        (
            "SELECT id FROM records WHERE digest NOT IN (SELECT digest FROM texts)",
            "records: {} has no text",
        ),
        (
            "SELECT digest FROM texts WHERE digest NOT IN (SELECT digest FROM records)",
            "texts: {} belongs to no record",
        ),
        (
            "SELECT digest FROM texts WHERE text NOT IN (SELECT text FROM frames)",
            "texts: {} has no frame",
        ),
        (
            "SELECT text FROM frames WHERE text NOT IN (SELECT text FROM texts)",
            "frames: {} belongs to no text",
        ),
    )
    for query, says in queries:
        for (what,) in store.connection.execute(query):
            found.problems.append(says.format(what))


def _vocabulary(store: Store, found: Verified) -> Vocabulary | None:
    if store.digest_of_parts() != store.meta().get(PARTS):
        found.problems.append("parts: they are not those that were committed")
    usable = True
    query = "SELECT part, kind, digest, data FROM parts"
    for part, kind, digest, data in store.connection.execute(query):
        if not isinstance(data, bytes) or digest_of(data) != digest:
            found.problems.append(f"parts: number {part} ({kind}) is not as it was written")
        try:
            arrays = unpack_arrays(data)
        except UNREADABLE as error:
            found.problems.append(f"parts: number {part} ({kind}) cannot be unpacked: {error}")
            usable &= kind != "vocabulary"
            continue
        if problem := problem_of(kind, arrays):
            usable &= kind != "vocabulary"
            found.problems.append(f"parts: number {part} ({kind}) {problem}")
    return load_vocabulary(store) if usable else None


def _batches(store: Store, found: Verified) -> Iterator[_Batch]:
    """The texts that can be read and their frames, some of them at a time."""
    plain = zstandard.ZstdDecompressor()
    batch, size = _Batch([], [], [], []), 0
    query = (
        "SELECT digest, texts.content, frames.* FROM texts JOIN frames USING (text) ORDER BY text"
    )
    for digest, content, *frame in store.connection.execute(query):
        try:
            encoded = plain.decompress(content)
            text = encoded.decode()
        except (zstandard.ZstdError, UnicodeDecodeError, TypeError, MemoryError) as error:
            found.problems.append(f"texts: {digest} cannot be unpacked: {error}")
            continue
        if hashlib.blake2b(encoded, digest_size=16).hexdigest() != digest:
            found.problems.append(f"texts: {digest} is not the digest of its text")
            continue
        batch.numbers.append(frame[0])
        batch.digests.append(digest)
        batch.texts.append(text)
        batch.frames.append(tuple(frame))
        size += len(encoded)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = _Batch([], [], [], []), 0
    if batch.numbers:
        yield batch


def _equal(batch: _Batch, fresh: Sequence[tuple[Any, ...]], found: Verified) -> list[bool]:
    """Which stored rows of frames hold what the fresh ones do; compressed, these may differ."""
    plain = zstandard.ZstdDecompressor()
    good = []
    for digest, (*stated, stored), (*now, expected) in zip(
        batch.digests, batch.frames, fresh, strict=True
    ):
        same = stated == now and stored == expected
        if stated == now and not same:
            try:
                same = plain.decompress(stored) == plain.decompress(expected)
            except (zstandard.ZstdError, TypeError, MemoryError) as error:
                found.problems.append(f"frames: that of {digest} cannot be unpacked: {error}")
                good.append(False)
                continue
        if not same:
            found.problems.append(f"frames: that of {digest} is not what its text gives now")
        good.append(same)
    return good


def _check_keys(
    store: Store,
    batch: _Batch,
    fresh: Collection,
    vocabulary: Vocabulary,
    settings: Settings,
    found: Verified,
) -> None:
    """Band keys of passages, from the stored words, against those from the texts."""
    stored = restored_texts(store, batch.numbers, vocabulary)
    passage = indexed_passages(fresh, settings)
    found.passages += len(passage)
    if not np.array_equal(passage, indexed_passages(stored, settings)):
        found.problems.append(f"frames: from {batch.digests[0]} on, other passages are looked for")
        return
    wrong = (keys(fresh, passage, settings) != keys(stored, passage, settings)).any(axis=1)
    for p in passage[wrong].tolist():
        digest = batch.digests[int(fresh.p_article[p])]
        found.problems.append(f"frames: passage at {fresh.p_start[p]} of {digest} has other keys")


def keys(c: Collection, passage: NDArray[np.int64], settings: Settings) -> NDArray[np.uint32]:
    """Band keys (uint32, passages x bands) of some passages (int64)."""
    plan = scheme(settings)
    out = np.empty((len(passage), plan.bands), np.uint32)
    mixed = bands.mixed_hashes(c.v_hash)
    used = slice(plan.bands * plan.rows)
    bands.band_keys(
        passage, c.p_content, c.c_word, mixed, plan.a[used], plan.b[used], plan.rows, out
    )
    return out
