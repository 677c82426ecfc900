"""Compressed files are unpacked in a thread ahead of the parser: what is read stays the same."""

from __future__ import annotations

import gzip
import json
import random
import threading
from typing import TYPE_CHECKING

import pytest
import zstandard

from dedup.config import ReadSettings
from dedup.errors import IncompleteInputError
from dedup.model import Ledger
from dedup.read import read_articles, streams

if TYPE_CHECKING:
    from pathlib import Path

PACK = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}


def packed(kind: str, *, bad_line: int = -1) -> bytes:
    letters = random.Random(1)
    words = [letters.randbytes(4).hex() for _ in range(5000)]
    lines = [
        json.dumps({"id": n, "text": " ".join(letters.choices(words, k=40))}) for n in range(900)
    ]
    if bad_line >= 0:
        lines[bad_line] = "{"
    return PACK[kind]("\n".join(lines).encode())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHUNK", 8192)


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("damage", ["none", "cut", "flipped"])
def test_thread_or_not_is_the_same(
    tmp_path: Path, kind: str, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(packed(kind))
    assert len(data) > 4 * streams.CHUNK
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "flipped":
        data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path = tmp_path / f"a.jsonl.{kind}"
    path.write_bytes(data)

    def result() -> tuple[list[dict[str, object]], Ledger, list[tuple[int, int]]]:
        ledger, told = Ledger(), []
        batches = read_articles(
            [str(path)], ReadSettings(), ledger, on_bytes=lambda *p: told.append(p)
        )
        return [row for batch in batches for row in batch.to_pylist()], ledger, told

    rows, ledger, told = result()
    monkeypatch.setattr(streams, "_ahead", lambda chunks: chunks)
    other_rows, other_ledger, _ = result()
    assert rows == other_rows
    assert ledger == other_ledger
    assert bool(ledger.incomplete) == (damage != "none")
    assert len(rows) > 100
    assert told[-1] == (len(data), len(data))


def test_reading_that_ends_early_leaves_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed("gz", bad_line=3))
    before = threading.active_count()
    with pytest.raises(IncompleteInputError, match="line 4"):
        list(read_articles([str(path)], ReadSettings(strict=True), Ledger()))
    assert threading.active_count() == before


def test_progress_is_told_in_the_thread_that_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(packed("zst"))
    threads: set[int] = set()
    for _ in read_articles(
        [str(path)],
        ReadSettings(),
        Ledger(),
        on_bytes=lambda *_: threads.add(threading.get_ident()),
    ):
        pass
    assert threads == {threading.get_ident()}
