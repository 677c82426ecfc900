"""Compile all kernels once on a machine, as a stage that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from dedup import agencies
from dedup.config import Settings
from dedup.corpus import build_corpus
from dedup.kernels.jit import compiled, mark_compiled
from dedup.model import article_schema
from dedup.pipeline import analyse
from dedup.tables import build_tables

if TYPE_CHECKING:
    from dedup.pipeline import Clock

_SENTENCE = "The harbour council of Lindqvist voted on Tuesday to rebuild the northern pier. "
_FURNITURE = "Subscribe to the Lindqvist harbour newsletter for tide tables every morning."


def compile_kernels(clock: Clock) -> None:
    """Compile all kernels where this machine has not yet, as a stage of ``clock``.

    A kernel compiles when it is first called; a run over a few small texts calls them all.
    """
    if compiled():
        return
    with clock.stage("compile (once on this machine)"):
        rows = [
            {
                "id": f"a{n}",
                "digest": f"{n:032x}",
                "file": "",
                "position": "",
                "outlet": "outlet",
                "precision": "unknown",
                "issues": [],
                "text": f"{_SENTENCE * 2}Nothing else was decided by number {n}.\n{_FURNITURE}",
            }
            for n in range(4)
        ]
        corpus = build_corpus([pa.RecordBatch.from_pylist(rows, article_schema())])
        known = agencies.load()
        settings = Settings()
        build_tables(analyse(corpus, settings, known, threads=1), settings, known)
    mark_compiled()
