"""The table of all figures, and the two files that hold it."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import machine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from quality.part import Outcome, Row

PACKAGES = (
    "dedup",
    "numpy",
    "numba",
    "scikit-learn",
    "pyarrow",
    "datasketch",
    "unisim",
    "onnxruntime",
)
HEADER = ("measure", "tool", "figure", "95 %", "published", "goal", "met", "note")


def circumstances() -> dict[str, Any]:
    """Where and with what the figures were taken."""
    return machine.circumstances(("dedup", "benchmarks/quality"), PACKAGES)


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    if float(value).is_integer() and abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"


def _cells(row: Row) -> tuple[str, ...]:
    goal = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}"
    return (
        row.task,
        row.tool,
        _number(row.figure),
        "" if row.interval is None else f"{_number(row.interval[0])}–{_number(row.interval[1])}",
        "" if row.published is None else f"{row.published:g}",
        goal,
        {None: "", True: "yes", False: "no"}[row.met],
        row.note,
    )


def markdown(
    about: Mapping[str, Any], outcomes: Mapping[str, Outcome], skipped: Mapping[str, str]
) -> str:
    """All rows as one table; rows of one task stand together, in order of first mention."""
    rows = [row for outcome in outcomes.values() for row in outcome.rows]
    tasks = {task: k for k, task in enumerate(dict.fromkeys(row.task for row in rows))}
    rows.sort(key=lambda row: tasks[row.task])
    versions = ", ".join(f"{k} {v}" for k, v in about["versions"].items() if v)
    lines = [
        (
            f"Taken {about['date']} on {about['machine']}, {about['cores']} cores, "
            f"Python {about['python']}; {versions}; commit {about['commit'] or 'unknown'}. "
            "Default settings. Intervals are of 95 %, by bootstrap."
        ),
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
        *("| " + " | ".join(_cells(row)) + " |" for row in rows),
    ]
    if skipped:
        lines += ["", *(f"Left out: {name} ({why})." for name, why in skipped.items())]
    return "\n".join(lines) + "\n"


def write(
    folder: Path,
    about: Mapping[str, Any],
    outcomes: Mapping[str, Outcome],
    skipped: Mapping[str, str],
) -> None:
    """Write ``quality.json`` and ``quality.md`` into ``folder``."""
    content = {
        **about,
        "parts": {
            name: {
                "rows": [dataclasses.asdict(r) | {"met": r.met} for r in outcome.rows],
                "details": outcome.details,
            }
            for name, outcome in outcomes.items()
        },
        "left_out": dict(skipped),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "quality.json").write_text(text + "\n", encoding="utf-8")
    (folder / "quality.md").write_text(markdown(about, outcomes, skipped), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Floats rounded to six places, ``nan`` as null."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
