"""The setting ``sensitivity``: pairs found against pairs aligned, on PAN 2013 as one dump.

A listed pair with labelled spans is found when a match of the run overlaps one of them in both
texts. Draws the curve (``--plot``); that takes matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from quality import pan_dump, pan_pairs, plagdet
from quality.part import MissingError, Options, Outcome, Row

if TYPE_CHECKING:
    from pathlib import Path

VALUES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
DETECTED = 2
"""Of ``plagdet.sums``: labelled spans that were detected."""


def run(corpora: Path, options: Options) -> Outcome:
    """Recall of true pairs, in all and by class, for each value and for the default."""
    import dedup

    corpus = pan_pairs.load(corpora)
    default = dedup.Settings().sensitivity
    rows: list[Row] = []
    points: list[dict[str, Any]] = []
    for value in sorted({*VALUES, default}):
        found = pan_dump.scan(corpora, None if value == default else value)
        if "pairs_aligned" not in found.work:
            raise MissingError("'pairs_aligned' is not in the run's 'work'")
        recall = {}
        for name, gold in {"all": corpus.gold, **corpus.pairs}.items():
            true = [pair for pair, spans in gold.items() if spans]
            if true:
                seen = sum(
                    plagdet.sums(gold[p], found.listed.get(p, ()))[DETECTED] > 0 for p in true
                )
                recall[name] = seen / len(true)
        aligned = found.work["pairs_aligned"]
        points.append({"sensitivity": value, "pairs_aligned": aligned, "recall": recall})
        rows.append(
            Row(
                f"PAN as a dump, sensitivity {value:g}"
                f"{' (default)' if value == default else ''}: true pairs found",
                recall["all"],
                note=f"{aligned:,} pairs aligned",
            )
        )
    plot(points, default, options.plot)
    return Outcome(rows, {"default": default, "points": points})


def plot(points: list[dict[str, Any]], default: float, path: Path) -> None:
    """Recall by class over pairs aligned; the values of the setting stand at the points."""
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    work = [p["pairs_aligned"] for p in points]
    for name in points[0]["recall"]:
        recall = [p["recall"][name] for p in points]
        axes.plot(work, recall, marker="o", linewidth=2.5 if name == "all" else 1, label=name)
    for p in points:
        bold = "bold" if p["sensitivity"] == default else "normal"
        axes.annotate(
            f"{p['sensitivity']:g}",
            (p["pairs_aligned"], p["recall"]["all"]),
            textcoords="offset points",
            xytext=(0, -14),
            ha="center",
            weight=bold,
        )
    axes.set_xscale("log")
    axes.set_xlabel("article pairs aligned")
    axes.set_ylabel("true pairs found")
    axes.set_title("Sensitivity (at the points; default in bold), PAN 2013 as one dump")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    pyplot.close(figure)
