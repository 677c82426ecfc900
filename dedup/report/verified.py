"""What a look at an index found, for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from dedup.report.safe import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from dedup.verify import Verified


def verify_summary(found: Verified, index: Path) -> Text:
    """What was looked at, and what to do."""
    number = len(found.problems)
    verdict = "whole" if found.whole else f"{number:,} problem{'s' if number > 1 else ''}"
    name = one_line(str(index), 200)
    lines = [
        (
            f"{name}: {verdict}. Checked {found.articles:,} articles, {found.texts:,} texts, "
            f"{found.passages:,} passages, {found.matches:,} matches and {found.comparisons:,} "
            "kept comparisons."
        )
    ]
    if found.unfinished:
        lines.append(
            f"Run {found.unfinished} is not finished; the next 'dedup update' continues it."
        )
    if not found.whole:
        lines.append(f"'dedup index rebuild {name}' makes it anew from its texts.")
    return Text("\n".join(lines))
