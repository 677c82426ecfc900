"""Files to be measured on: beginnings of dumps, and generated ones."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING

import zstandard
from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DUMP = "allsides.jsonl.zst"
"""The real dump: 37,554 articles."""


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, which may be compressed (``.zst``)."""
    with path.open("rb") as handle:
        if path.suffix != ".zst":
            yield from handle
            return
        reader = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True)
        yield from io.BufferedReader(reader)


def head(source: Path, articles: int | None, path: Path) -> int:
    """Write the first lines of a dump (all when ``None``); returns how many there were."""
    count = 0
    with path.open("wb") as handle:
        for count, line in enumerate(islice(lines_of(source), articles), 1):  # noqa: B007
            handle.write(line)
    return count


def generate(kind: str, articles: int, path: Path, seed: int = 1) -> None:
    """Write a generated dump, in a process of its own so that this one stays small."""
    command = [sys.executable, ROOT / "benchmarks" / "generate.py", kind, articles, path]
    subprocess.run([*map(str, command), "--seed", str(seed)], check=True)
