"""``flag``: one line an article, saying whether its text is somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import UsageError
from dedup.model import Flag
from dedup.report.former import former_articles
from dedup.run import Run, counts_of, names_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from dedup.config import ReadSettings, Settings
    from dedup.encoder import Encoder
    from dedup.pipeline import Progress

COLUMNS = ("id", "flag", "source", "confidence", "share_copied", "best_match", "why")
FLAGS: tuple[str, ...] = get_args(Flag)


@dataclass(frozen=True)
class Flagged:
    """The articles that were asked for: ``table`` (Arrow, :data:`COLUMNS`, by id) and ``run``,
    the content of ``run.json`` of the scan behind it.

    ``id`` is the article's ref: ``id@digest8`` for a superseded revision.
    """

    table: pa.Table
    run: dict[str, Any]

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"<dedup.Flagged: {len(self.table):,} articles>"


def flag(
    inputs: str | Path | Sequence[str | Path],
    *,
    against: str | os.PathLike[str] | None = None,
    only: Sequence[str] = (),
    min_share: float = 0.0,
    settings: Settings | None = None,
    read: ReadSettings | None = None,
    threads: int | None = None,
    agencies: str | os.PathLike[str] | None = None,
    families: str | os.PathLike[str] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    semantic: str | os.PathLike[str] | Encoder | None = None,
    memory: str | int | None = None,
    progress: Progress | None = None,
) -> Flagged:
    """Flag the articles in ``inputs``, compared with each other and with those of ``against``.

    ``against``: an output folder of ``dedup scan`` with its texts; the flags are those that a
    scan of both together gives, and only the articles of ``inputs`` are listed. ``only``: flags
    to list (all when empty); ``min_share``: least ``share_copied`` (0-1) to be listed. The other
    arguments are those of :func:`dedup.scan`, and what is raised is, too.
    """
    wanted = [name for name in only if name not in FLAGS]
    if wanted:
        raise UsageError(f"only: there is no flag '{wanted[0]}'; known are: {', '.join(FLAGS)}")
    if not 0.0 <= min_share <= 1.0:
        raise UsageError(f"min_share: expected a share between 0 and 1, got {min_share:g}")
    run = Run(
        settings=settings,
        read=read,
        threads=threads,
        agencies=agencies,
        families=families,
        corrections=corrections,
        semantic=semantic,
        memory=memory,
        progress=progress,
    )
    former = [] if against is None else former_articles(Path(against))
    asked: set[tuple[str, str]] = set()

    def note(batch: pa.RecordBatch) -> None:
        asked.update(zip(batch["id"].to_pylist(), batch["digest"].to_pylist(), strict=True))

    analysis = run.analyse(run.read(names_of(inputs), former=former, each=note))
    del former
    tables = run.tables(analysis)
    articles = tables["articles"]
    keys = zip(articles["id"].to_pylist(), articles["digest"].to_pylist(), strict=True)
    articles = articles.filter(pa.array([key in asked for key in keys], pa.bool_()))
    if only:
        chosen = pa.array(list(only), pa.string())
        articles = articles.filter(pc.is_in(articles["flag"], value_set=chosen))
    if min_share:
        articles = articles.filter(pc.greater_equal(articles["share_copied"], min_share))
    table = articles.select(["ref", *COLUMNS[1:]]).rename_columns(list(COLUMNS))
    return Flagged(table, run.about(analysis, counts_of(tables)))
