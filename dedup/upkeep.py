"""Looking after an index: what is in it, the space it takes, and making it anew."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import zstandard

from dedup.attribute import Attributor
from dedup.collection import collect
from dedup.errors import IndexWriteError
from dedup.indexnotes import SETTINGS, UNUSED_WORDS
from dedup.indextables import RESULTS
from dedup.ingest import claims_of, loaded_records
from dedup.recall import join_parts, load_vocabulary, restored
from dedup.runs import unfinished
from dedup.store import FILE, not_writable
from dedup.storedframes import frame_rows
from dedup.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.run import Run
    from dedup.store import Store

TEXTS_AT_ONCE = 4000


def about_index(store: Store) -> dict[str, Any]:
    """Counts, sizes, settings and runs of an index, as plain values."""
    meta = store.meta()
    tables = ("records", "texts", *RESULTS, "runs", "erased")
    first, last = store.rows("SELECT min(published), max(published) FROM records")[0]
    left = unfinished(store)
    return {
        "folder": str(store.folder),
        "created": meta["created"],
        "settings": json.loads(meta[SETTINGS]),
        "stamp": {name: meta[name] for name in ("analysis", "agencies", "fingerprint")},
        "rows": {
            name: int(store.value(f'SELECT count(*) FROM "{name}"'))  # noqa: S608
            for name in tables
        },
        "published": [_day(first), _day(last)],
        "bytes": {
            "file": (store.folder / FILE).stat().st_size,
            "free": int(store.value("PRAGMA freelist_count"))
            * int(store.value("PRAGMA page_size")),
            "texts": int(store.value("SELECT coalesce(sum(length(content)), 0) FROM texts")),
            "frames": int(store.value("SELECT coalesce(sum(length(frame)), 0) FROM frames")),
            **{
                f"part {kind}": size
                for kind, size in store.rows(
                    "SELECT kind, sum(length(data)) FROM parts GROUP BY kind ORDER BY kind"
                )
            },
        },
        "flags": dict(store.rows("SELECT flag, count(*) FROM articles GROUP BY 1 ORDER BY 1")),
        "unfinished": None if left is None else {"run": left.number, "id": left.id},
        "last_runs": [
            {"run": run, "id": identity, "kind": kind, "started": at, "finished": end}
            for run, identity, kind, at, end in store.rows(
                "SELECT run, id, kind, started, finished FROM runs ORDER BY run DESC LIMIT 5"
            )
        ],
    }


def _day(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    return str(pa.scalar(microseconds, pa.timestamp("us")).cast(pa.date32()).as_py().isoformat())


def compact(store: Store) -> tuple[int, int]:
    """Drop what is gone and what was kept for outputs, join what runs added, and give the space
    back; returns the bytes of the file before and after.

    Words that no text holds any longer are blanked, so that nothing is left of an erased text.
    """
    before = (store.folder / FILE).stat().st_size
    with store.transaction():
        vocabulary = load_vocabulary(store)
        last = int(store.value("SELECT coalesce(max(run), 0) FROM runs"))
        words = vocabulary.since(0)
        unused = UNUSED_WORDS in store.meta()
        if unused:
            words = _blanked(store, vocabulary)
        if last:
            store.replace_parts("vocabulary", last, words)
            join_parts(store, last)
        if unfinished(store) is None:
            store.drop_parts("delta")
    try:
        store.connection.execute("VACUUM")
        busy, _, _ = store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise not_writable(store.folder, error) from error
    if unused and busy:
        raise IndexWriteError(
            f"{store.folder}: what was erased stays in the file as long as another process reads "
            f"the index; 'dedup index compact {store.folder}' when that has ended"
        )
    if unused:
        with store.transaction():
            store.forget_note(UNUSED_WORDS)
    return before, (store.folder / FILE).stat().st_size


def _blanked(store: Store, vocabulary: Vocabulary) -> dict[str, Any]:
    """The words of an index, those that no text holds without their hash and spelling."""
    _, collection, _ = restored(store, vocabulary)
    used = np.zeros(len(vocabulary), bool)
    used[collection.w_word] = True
    words = {name: array.copy() for name, array in vocabulary.since(0).items()}
    words["text"][~np.repeat(used, words["v_bytes"])] = 0
    for name in ("v_bits", "v_chars"):
        words[name][~used] = 0
    # No word has these hashes' spelling; spread, so that the table that finds words stays quick.
    number = np.arange(1, len(used) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words["v_hash"][~used] = number[~used]
    return words


def begin_anew(store: Store, run: Run, stamp: dict[str, str]) -> None:
    """Segment all texts and find all credits again, for another version or other settings; what
    earlier runs compared is forgotten, ids of groups and the order of runs are kept.

    To be called within a transaction: until it is committed, the index is as it was.
    """
    store.connection.execute("DELETE FROM frames")
    store.drop_parts()
    store.connection.execute("UPDATE texts SET analysed = NULL")
    store.note({**stamp, SETTINGS: json.dumps(run.settings.as_dict(), sort_keys=True)})
    vocabulary = Vocabulary()
    last = int(store.value("SELECT coalesce(max(run), 0) FROM runs"))
    with run.clock.stage("segment") as tick:
        total = int(store.value("SELECT count(*) FROM texts"))
        done = 0
        for numbers, texts in _texts(store):
            c = collect(texts, threads=run.workers, vocabulary=vocabulary)
            store.insert("frames", frame_rows(numbers, c))
            done += len(numbers)
            tick(done, total)
    store.replace_parts("vocabulary", last, vocabulary.since(0))
    with run.clock.stage("attribute"):
        attributor = Attributor(run.agencies)
        for rows, texts in loaded_records(store, TEXTS_AT_ONCE):
            claims = claims_of(attributor, rows, texts)
            store.connection.executemany(
                "UPDATE records SET claims = ? WHERE id = ? AND digest = ?",
                [(claim, row[0], row[1]) for claim, row in zip(claims, rows, strict=True)],
            )


def _texts(store: Store) -> Iterator[tuple[list[int], pa.LargeStringArray]]:
    """All texts with their numbers, some at a time."""
    plain = zstandard.ZstdDecompressor()
    numbers = [n for (n,) in store.rows("SELECT text FROM texts ORDER BY text")]
    for begin in range(0, len(numbers), TEXTS_AT_ONCE):
        some = numbers[begin : begin + TEXTS_AT_ONCE]
        rows = dict(
            store.rows(
                "SELECT text, content FROM texts WHERE text IN (SELECT value FROM json_each(?))",
                orjson.dumps(some).decode(),
            )
        )
        texts = [plain.decompress(rows[n]).decode() for n in some]
        yield some, pa.array(texts, pa.large_string())
