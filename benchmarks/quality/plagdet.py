"""The measure of the PAN shared tasks on text alignment, as published.

Potthast, Stein, Barron-Cedeno and Rosso (2010), "An evaluation framework for plagiarism
detection": macro-averaged precision and recall at the level of characters, granularity, and
``plagdet = F1 / log2(1 + granularity)``. A case and a detection belong together when they
overlap in both texts; a character that several detections cover counts once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quality.measures import resampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Span = tuple[int, int, int, int]
"""``a_start, a_end, b_start, b_end``: characters of the two texts of a pair, ends exclusive."""


@dataclass(frozen=True)
class Score:
    """Precision, recall (0-1), granularity (1 at best), plagdet, and how many there were."""

    plagdet: float
    precision: float
    recall: float
    granularity: float
    cases: int
    detections: int

    @property
    def note(self) -> str:
        """The parts of plagdet in words."""
        return f"P {self.precision:.3f}, R {self.recall:.3f}, granularity {self.granularity:.3f}"


def _union(intervals: list[tuple[int, int]]) -> int:
    total = 0
    reach = -1
    for start, end in sorted(intervals):
        if end > reach:
            total += end - max(start, reach)
            reach = end
    return total


def _touches(x: Span, y: Span) -> bool:
    return x[0] < y[1] and y[0] < x[1] and x[2] < y[3] and y[2] < x[3]


def _covered(x: Span, others: Sequence[Span]) -> float:
    """Share of the characters of ``x``, both sides together, that ``others`` cover."""
    if not others:
        return 0.0
    a = _union([(max(x[0], y[0]), min(x[1], y[1])) for y in others])
    b = _union([(max(x[2], y[2]), min(x[3], y[3])) for y in others])
    return (a + b) / (x[1] - x[0] + x[3] - x[2])


def sums(true: Sequence[Span], seen: Sequence[Span]) -> np.ndarray:
    """What one pair adds to the measure; the rows of pairs may be added.

    Cases, detections, cases detected, detections of each of those in sum, the recall of each
    case in sum, and the precision of each detection in sum.
    """
    of_true: dict[int, list[Span]] = defaultdict(list)
    of_seen: dict[int, list[Span]] = defaultdict(list)
    for i, x in enumerate(true):
        for j, y in enumerate(seen):
            if _touches(x, y):
                of_true[i].append(y)
                of_seen[j].append(x)
    return np.array(
        [
            len(true),
            len(seen),
            len(of_true),
            sum(len(ys) for ys in of_true.values()),
            sum(_covered(x, of_true[i]) for i, x in enumerate(true) if i in of_true),
            sum(_covered(y, of_seen[j]) for j, y in enumerate(seen) if j in of_seen),
        ],
        dtype=float,
    )


def score(total: np.ndarray) -> Score:
    """The measure of added-up ``sums``."""
    cases, detections, detected, hits, recall, precision = total.tolist()
    p = precision / detections if detections else 0.0
    r = recall / cases if cases else 0.0
    f1 = 2 * p * r / (p + r) if p + r else 0.0
    granularity = hits / detected if detected else 1.0
    plagdet = f1 / math.log2(1 + granularity)
    return Score(plagdet, p, r, granularity, round(cases), round(detections))


def table(
    gold: Mapping[str, Sequence[Span]], found: Mapping[str, Sequence[Span]]
) -> dict[str, np.ndarray]:
    """Pair to ``sums``, of every pair that either side names."""
    return {p: sums(gold.get(p, ()), found.get(p, ())) for p in sorted(gold.keys() | found.keys())}


def measure(gold: Mapping[str, Sequence[Span]], found: Mapping[str, Sequence[Span]]) -> Score:
    """Score the detections of pairs."""
    return score(sum(table(gold, found).values(), np.zeros(6)))


def interval(rows: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """Bootstrap interval of plagdet: pairs (``rows`` of ``sums``) drawn with replacement."""

    def plagdet(picked: np.ndarray) -> float:
        return score(rows[picked].sum(axis=0)).plagdet

    return resampled(plagdet, [np.array([i]) for i in range(len(rows))], resamples, seed)
