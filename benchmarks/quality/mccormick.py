"""Newswire with planted duplicates: are exactly these pairs ``copy``?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from quality import dumps
from quality.part import Options, Outcome, Row, corpus

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZES = (1000, 2500)


def listed(lines: Iterable[str]) -> set[tuple[str, str]]:
    """The pairs of ids that lines name, smaller id first."""
    return {dumps.ordered(*line.split()) for line in lines if line.strip()}


def run(corpora: Path, _options: Options) -> Outcome:
    """Precision and recall of ``copy`` pairs."""
    import dedup

    folder = corpus(corpora, "mccormick")
    rows, details = [], {}
    for size in SIZES:
        lines = (folder / f"articles_{size}.train").read_text("utf-8").splitlines()
        true = listed((folder / f"articles_{size}.truth").read_text("utf-8").splitlines())
        records = [dict(zip(("id", "text"), line.split(" ", 1), strict=True)) for line in lines]
        with tempfile.TemporaryDirectory() as scratch:
            result = dedup.scan(dumps.write(Path(scratch) / "dump.jsonl", records))
        found = {
            dumps.ordered(r["a"], r["b"])
            for r in result.relations.select(["a", "b", "relation"]).to_pylist()
            if r["relation"] == "copy"
        }
        right = len(found & true)
        note = f"{right} of {len(true)} found, {len(found - true)} others"
        task = f"McCormick, {size} articles, copies"
        rows += [
            Row(f"{task}: precision", right / len(found) if found else None, goal=1.0, note=note),
            Row(f"{task}: recall", right / len(true), goal=1.0, note=note),
        ]
        details[str(size)] = {"missed": sorted(true - found), "wrong": sorted(found - true)}
    return Outcome(rows, details)
