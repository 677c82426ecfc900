"""The measure of the PAN shared tasks on text alignment, as published.

Potthast, Stein, Barron-Cedeno and Rosso (2010), "An evaluation framework for plagiarism
detection": macro-averaged precision and recall at the level of characters, granularity, and
``plagdet = F1 / log2(1 + granularity)``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def measure(
    gold: Mapping[str, Sequence[Span]],
    found: Mapping[str, Sequence[Span]],
    weights: Mapping[str, int] | None = None,
) -> Score:
    """Score detections of pairs. ``weights`` counts a pair more than once (a bootstrap)."""
    precision = recall = hits = 0.0
    cases = detections = detected = 0
    for pair in gold.keys() | found.keys():
        times = 1 if weights is None else weights.get(pair, 0)
        if not times:
            continue
        true, seen = gold.get(pair, ()), found.get(pair, ())
        of_true: dict[int, list[Span]] = defaultdict(list)
        of_seen: dict[int, list[Span]] = defaultdict(list)
        for i, x in enumerate(true):
            for j, y in enumerate(seen):
                if _touches(x, y):
                    of_true[i].append(y)
                    of_seen[j].append(x)
        cases += times * len(true)
        detections += times * len(seen)
        detected += times * len(of_true)
        hits += times * sum(len(ys) for ys in of_true.values())
        recall += times * sum(_covered(x, of_true[i]) for i, x in enumerate(true))
        precision += times * sum(_covered(y, of_seen[j]) for j, y in enumerate(seen))
    p = precision / detections if detections else 0.0
    r = recall / cases if cases else 0.0
    f1 = 2 * p * r / (p + r) if p + r else 0.0
    granularity = hits / detected if detected else 1.0
    return Score(f1 / math.log2(1 + granularity), p, r, granularity, cases, detections)
