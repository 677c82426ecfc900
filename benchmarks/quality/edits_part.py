"""Controlled edits as a part of the benchmark: the rows with a goal, the rest as details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality import edits
from quality.part import Options, Outcome, Row, corpus

if TYPE_CHECKING:
    from pathlib import Path


def run(corpora: Path, options: Options) -> Outcome:
    """Recall of edited copies and false matches in four scripts, see ``quality.edits``."""
    for name in ("allsides.jsonl.zst", "cctv-zh.jsonl.zst"):
        corpus(corpora, name)
    rows = edits.run(corpora, seed=options.seed)
    return Outcome(
        [
            Row(
                task=f"edits, {row['part']}: {row['what']}",
                figure=row["figure"],
                goal=row["goal"],
                at_most="false" in row["part"] or "difference" in row["what"],
                note=str(row["detail"]),
            )
            for row in rows
            if row["goal"] is not None
        ],
        {"rows": rows},
    )
