"""What is fuzzed: each target takes bytes and raises only where the program is wrong.

Reading may end in articles, rejects or one of our errors; the ledger balances whatever comes. The
segmenter and the kernels keep their invariants on any text.
"""

from __future__ import annotations

import gzip
import tempfile
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import zstandard

from dedup.config import ReadSettings, Settings
from dedup.errors import DedupError
from dedup.model import Ledger
from dedup.pages.extraction import Page, extract
from dedup.pages.pool import PagePool
from dedup.read import pagequeue, read_articles
from dedup.read.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Here(PagePool):
    """Takes pages apart in this process: fuzzers see what is reached, and start no others."""

    def submit(
        self, data: bytes, url: str | None = None, response_limit: int | None = None
    ) -> Future[Mapping[str, object]]:
        """The answer at once."""
        answer: Future[Mapping[str, object]] = Future()
        answer.set_result(asdict(extract(Page(data, url, limit=response_limit))))
        return answer


_FOLDER = Path(tempfile.mkdtemp(prefix="dedup-fuzz-"))
_LIMITS = ReadSettings(max_record_bytes=4096, max_ratio=100)


def _read(name: str, data: bytes) -> None:
    path = _FOLDER / name
    path.write_bytes(data)
    ledger, rows = Ledger(), 0
    try:
        with patch.object(pagequeue, "PagePool", _Here):
            for batch in read_articles([str(path)], _LIMITS, ledger, batch_bytes=1000):
                batch.validate(full=True)
                rows += batch.num_rows
    except DedupError:
        return
    finally:
        for entry in ledger.files:
            assert entry.read == entry.articles + entry.repeats + entry.rejected, entry
        assert len(ledger.rejects) == ledger.rejected
    assert rows == ledger.articles + ledger.repeats


def reader(suffix: str) -> Callable[[bytes], None]:
    """A target that reads the bytes as a file of this name."""

    def target(data: bytes) -> None:
        _read(f"a{suffix}", data)

    return target


def packed(data: bytes) -> None:
    """Bytes as a compressed file, and compressed bytes that are cut and damaged."""
    if not data:
        return
    kind, at, body = data[0] & 1, data[0] >> 1, data[1:]
    whole = bytearray((gzip.compress if kind else zstandard.compress)(body))
    if at and len(whole) > at:
        whole[at] ^= 0x55
    _read("a.jsonl.gz" if kind else "a.jsonl.zst", bytes(whole))
    _read("a.csv.zst" if kind else "a.csv.gz", body)


def segmenter(data: bytes) -> None:
    """Passages and tokens of any text: in order, inside of it, on whole characters."""
    from dedup.segment import pack_texts, segment

    text = data.decode("utf-8", "replace")
    s = segment(*pack_texts([text]))
    for start, end in ((s.p_start, s.p_end), (s.t_start, s.t_end)):
        assert (start <= end).all()
        assert len(start) == 0 or (start[0] >= 0 and end[-1] <= len(text))
        assert (np.diff(start) >= 0).all()
    assert (s.t_start < s.t_end).all()


def kernels(data: bytes) -> None:
    """Two texts compared: every match lies in them and states a similarity from 0 to 1."""
    from dedup import compare

    text = data.decode("utf-8", "replace")
    cut = len(text) // 2
    one, two = text[:cut], text[cut:]
    for a, b in ((one, two), (text, text), (text + one, two + text)):
        for match in compare(a, b):
            assert 0 <= match.a_start < match.a_end <= len(a), match
            assert 0 <= match.b_start < match.b_end <= len(b), match
            assert 0 <= match.similarity <= 1, match


def languages(data: bytes) -> None:
    """The arrays of a collection of any texts."""
    from dedup.collection import collect
    from dedup.language import detect_languages

    texts = [part.decode("utf-8", "replace") for part in data.split(b"\0")]
    collection = collect(pa.array(texts, pa.large_string()), threads=1)
    assert len(detect_languages(collection)) == len(texts)


def signatures(data: bytes) -> None:
    """Signatures of any text: of the set of its tokens alone."""
    from dedup import signature, tokens

    text = data.decode("utf-8", "replace")
    found = tokens(text)
    again = signature(" ".join(reversed(found)), seed=Settings().seed)
    if sorted(tokens(" ".join(found))) == sorted(found):
        assert (signature(text) == again).all()


TARGETS: dict[str, Callable[[bytes], None]] = {
    **{
        f"read-{format_.name}-{suffix.lstrip('.')}": reader(suffix)
        for format_ in FORMATS
        for suffix in format_.suffixes[:1]
    },
    "read-json": reader(".json"),
    "read-unnamed": reader(""),
    "read-archive": reader(".zip"),
    "read-packed": packed,
    "segmenter": segmenter,
    "kernels": kernels,
    "languages": languages,
    "signatures": signatures,
}
"""Every target by its name; each format has one, so that a new format is fuzzed by itself."""
