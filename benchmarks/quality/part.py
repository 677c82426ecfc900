"""What a part of the benchmark is, and which parts there are.

A part is a module with ``run(corpora, options) -> Outcome``. It raises ``MissingError`` when it
cannot run, with the reason in words; the benchmark then says so and goes on. To add a part,
write the module and give it a name in ``PARTS``.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
"""The repository."""

PARTS = {
    "pan": "quality.pan_pairs",
    "pan_dump": "quality.pan_dump",
    "pan_peers": "quality.pan_peers",
    "pairs": "quality.pairs",
    "pairs_peers": "quality.pairs_peers",
    "mccormick": "quality.mccormick",
    "candidates": "quality.candidates",
    "planted": "quality.planted",
    "sensitivity": "quality.sensitivity",
    "edits": "quality.edits_part",
}
"""Part to module, in the order in which they run."""


class MissingError(Exception):
    """A part cannot run: a corpus or a package is not here."""


@dataclass(frozen=True)
class Options:
    """What the command line says; the same for all parts."""

    processes: int = os.cpu_count() or 1
    """For work on single pairs; a scan takes all cores anyway."""
    resamples: int = 1000
    """Of a bootstrap."""
    seed: int = 1
    """Of every draw."""
    sheet: Path | None = None
    """Where ``pan_dump`` writes the matches to be read (and has them read from)."""
    verdicts: Path | None = None
    """Judgements of that sheet: a JSON list of booleans in its order."""
    plot: Path = ROOT / "docs" / "quality-sensitivity.png"
    """Where ``sensitivity`` draws its curve."""


@dataclass(frozen=True)
class Row:
    """One figure. Rows of one ``task`` stand together in the table, whoever made them."""

    task: str
    """What is measured, on what."""
    figure: float | None
    """``None`` where the measure is undefined; the note says why."""
    tool: str = "dedup"
    interval: tuple[float, float] | None = None
    """A bootstrap interval of 95 %."""
    goal: float | None = None
    at_most: bool = False
    """The goal is a ceiling, and less is better."""
    published: float | None = None
    """What the best published system reached on the same task."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; ``None`` without a goal or a figure."""
        if self.goal is None or self.figure is None:
            return None
        return self.figure <= self.goal if self.at_most else self.figure >= self.goal


@dataclass(frozen=True)
class Outcome:
    """The rows of a part, and whatever else it measured, as JSON."""

    rows: list[Row]
    details: dict[str, Any] = field(default_factory=dict)


class Part(Protocol):
    """A module that measures something."""

    def run(self, corpora: Path, options: Options) -> Outcome:
        """Measure; raises ``MissingError``."""
        ...


def load(name: str) -> Part:
    """The part of that name. Raises ``MissingError`` when a package that it imports is not here."""
    try:
        return importlib.import_module(PARTS[name])
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "quality":
            raise
        raise MissingError(f"the package '{error.name}' is not installed") from error


def corpus(corpora: Path, name: str) -> Path:
    """The file or folder ``name`` of the corpora. Raises ``MissingError`` where there is none."""
    path = corpora / name
    if not path.exists():
        raise MissingError(f"the corpus '{name}' is not there")
    return path
