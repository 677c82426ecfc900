"""Compile all kernels once on a machine, as a stage that says so.

Compiling is one thread's work, however many kernels there are. So a second process compiles
those of the alignment and of the names, which are about half, into the same cache, while this one
compiles what comes before. Nothing rests on it: what it does not leave behind is compiled here.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import numpy as np

from dedup.kernels import alignment
from dedup.kernels.jit import cache_folder, compiled, mark_compiled
from dedup.kernels.similarity import span_similarities
from dedup.kernels.workspace import make_found, make_room, make_words, no_texts
from dedup.memory import collector_paused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from dedup.corpus import Corpus
    from dedup.pipeline import Clock

_SENTENCE = "The harbour council of Lindqvist voted on Tuesday to rebuild the northern pier. "
_FURNITURE = "Subscribe to the Lindqvist harbour newsletter for tide tables every morning."


def compile_kernels(clock: Clock) -> None:
    """Compile all kernels where this machine has not yet, as a stage of ``clock``.

    A kernel compiles when it is first called; a run over a few small texts calls them all.
    """
    if compiled():
        return
    # Compiling makes hundreds of thousands of small objects, which the collector would walk.
    with (
        clock.stage("compile (once on this machine)"),
        collector_paused(),
        _beside() as finished,
    ):
        _compile_all(finished)
    mark_compiled()


def load_kernels() -> None:
    """Load the compiled kernels into this process, from which others are to be forked; those that
    this machine has not compiled yet are compiled."""
    with collector_paused():
        _compile_all(lambda: None)
    mark_compiled()


def compile_alignment() -> None:
    """Compile the kernels of the alignment, by a call that has nothing to align."""
    none = np.empty(0, np.int64)
    texts, words, room = no_texts(), make_words(0), make_room(1, 1)
    found = make_found(room)
    start = np.int64(0)
    alignment.align_pairs(start, none, none, texts, words, room, found, 0.0, 0.0, False)
    values = found.value[:, 0].copy()
    span_similarities(
        none, none, none, none, none, none, none, texts, words, room.logs, values, values
    )


def compile_names() -> None:
    """Compile the kernels that find names."""
    from dedup import agencies
    from dedup.pipeline import attribute

    attribute(_few_articles(), agencies.load())


def _compile_all(finished: Callable[[], object]) -> None:
    """Run every stage; those that need what the process beside compiles once it has
    ``finished``."""
    from dedup import agencies
    from dedup.candidates import find_candidates
    from dedup.collection import collect
    from dedup.config import Settings
    from dedup.pipeline import analyse
    from dedup.tables import build_tables

    corpus, settings, known = _few_articles(), Settings(), agencies.load()
    find_candidates(collect(cast("pa.LargeStringArray", corpus.texts)), settings)
    finished()
    build_tables(analyse(corpus, settings, known, threads=1), settings, known)


def _few_articles() -> Corpus:
    """Articles that share sentences, so that a run over them calls every kernel."""
    import pyarrow as pa

    from dedup.corpus import build_corpus
    from dedup.model import article_schema

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
    return build_corpus([pa.RecordBatch.from_pylist(rows, article_schema())])


@contextlib.contextmanager
def _beside() -> Iterator[Callable[[], object]]:
    """A process that compiles its half of the kernels meanwhile; yields what waits for its end.

    There is none where it could hand nothing over (no cache folder), where it would take the
    only processor, or where the interpreter is part of another program.
    """
    alone = cache_folder() is None or (os.cpu_count() or 1) < 2 or getattr(sys, "frozen", False)
    if alone or not sys.executable:
        yield lambda: None
        return
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "dedup.warmup"],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        yield lambda: None
        return
    try:
        yield process.wait
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    with collector_paused():
        compile_alignment()
        compile_names()
