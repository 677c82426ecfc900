"""Dumps for ``dedup.scan``: the corpora as files, and scans that several parts share."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from quality.part import corpus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALLSIDES = "allsides.jsonl.zst"


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Records as JSON Lines; returns the path."""
    with path.open("w", encoding="utf-8") as handle:
        for record in records:
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


def allsides(corpora: Path) -> Iterator[bytes]:
    """The lines of the real dump."""
    with (
        corpus(corpora, ALLSIDES).open("rb") as raw,
        zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream,
    ):
        yield from io.BufferedReader(stream)


@cache
def allsides_size(corpora: Path) -> int:
    """Articles in the real dump."""
    return sum(1 for _ in allsides(corpora))


@dataclass(frozen=True)
class Scan:
    """What the parts need of a scan of the real dump; the tables themselves are large."""

    run: dict[str, Any]
    """The content of ``run.json``."""
    relations: dict[tuple[str, str], dict[str, Any]]
    """Every pair with a line in ``relations``, furniture included, smaller id first."""
    core: dict[str, str]
    """Article to the group in whose core it is."""


@cache
def scan_allsides(corpora: Path, articles: int | None = None) -> Scan:
    """A scan of the real dump, or of its first ``articles``, with the default settings."""
    import dedup

    with tempfile.TemporaryDirectory() as folder:
        source = corpus(corpora, ALLSIDES)
        if articles is not None:
            source = Path(folder) / "dump.jsonl"
            with source.open("wb") as handle:
                handle.writelines(itertools.islice(allsides(corpora), articles))
        result = dedup.scan(source, all_relations=True)
    table = result.relations.select(["a", "b", "relation", "p_shared", "p_copied"])
    relations = {ordered(row["a"], row["b"]): row for row in table.to_pylist()}
    core = {ref: g["id"] for g in result.groups.to_pylist() for ref in g["core"]}
    return Scan(result.run, relations, core)


def ordered(a: str, b: str) -> tuple[str, str]:
    """A pair, its smaller name first."""
    return (a, b) if a <= b else (b, a)
