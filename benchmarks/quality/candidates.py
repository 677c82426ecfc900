"""How many article pairs are aligned per article, and how that grows with the dump.

Scans of the first articles of the real dump and of all; the count is ``pairs_aligned`` of
``run.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality import dumps
from quality.part import MissingError, Options, Outcome, Row

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (5_000, 10_000, 20_000, None)
"""``None``: the whole dump."""
GOAL = 10.0


def run(corpora: Path, _options: Options) -> Outcome:
    """Pairs aligned per article, by size of the dump."""
    rows, details, curve = [], {}, []
    for size in SIZES:
        scanned = dumps.scan_allsides(corpora, size).run
        if "pairs_aligned" not in scanned["work"]:
            raise MissingError("'pairs_aligned' is not in the run's 'work'")
        articles = scanned["ledger"]["articles"]
        aligned = scanned["work"]["pairs_aligned"]
        curve.append((articles, aligned / articles))
        words = f"first {size:,}" if size else f"all {articles:,}"
        rows.append(
            Row(
                f"allsides, {words} articles: pairs aligned per article",
                aligned / articles,
                goal=GOAL,
                at_most=True,
                note=f"{aligned:,} pairs",
            )
        )
        details[str(articles)] = scanned["work"]
    (small, least), (large, most) = curve[0], curve[-1]
    rows.append(
        Row(
            "allsides: growth of pairs aligned per article, over growth of the dump",
            (most / least) / (large / small),
            goal=1.0,
            at_most=True,
            note=f"× {most / least:.1f} while the dump grows × {large / small:.1f}",
        )
    )
    return Outcome(rows, details)
