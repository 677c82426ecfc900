"""Bootstrap intervals, average precision, calibration: the statistics that parts share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

BINS = 10
"""Equal bins of the calibration error."""


def resampled(
    figure: Callable[[np.ndarray], float],
    clusters: Sequence[np.ndarray],
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    """Interval of 95 % (percentiles) of a figure of rows, drawing whole clusters of rows.

    ``figure`` gets row numbers, repeated as drawn. Draws on which it is undefined (``nan``)
    are left out.
    """
    rng = np.random.default_rng(seed)
    sizes = np.array([len(c) for c in clusters])
    starts = np.cumsum(sizes) - sizes
    rows = np.concatenate(clusters)
    values = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(clusters), len(clusters))
        if len(rows) == len(clusters):
            picked = rows[drawn]
        else:
            picked = np.concatenate([rows[starts[d] : starts[d] + sizes[d]] for d in drawn])
        value = figure(picked)
        if not math.isnan(value):
            values.append(value)
    if not values:
        return math.nan, math.nan
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def components(edges: Iterable[tuple[Hashable, Hashable]]) -> dict[Hashable, Hashable]:
    """Node to the root of its connected component."""
    parent: dict[Hashable, Hashable] = {}

    def find(node: Hashable) -> Hashable:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        parent[find(a)] = find(b)
    return {node: find(node) for node in list(parent)}


def average_precision(
    positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Area under precision and recall, ties counted as one step; ``nan`` without positives."""
    if not positive.any():
        return math.nan
    return float(average_precision_score(positive, scores, sample_weight=weights))


def recall_at_precision(positive: np.ndarray, scores: np.ndarray, precision: float) -> float:
    """The greatest recall of a threshold at which ``precision`` is reached; 0 if none does."""
    reached, recall, _ = precision_recall_curve(positive, scores)
    return float(recall[reached >= precision].max(initial=0.0))


def calibration_error(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    """Expected calibration error: mean distance of score and truth over ten equal bins."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    total = 0.0
    for b in np.unique(bins):
        here = bins == b
        weight = weights[here]
        gap = np.average(scores[here], weights=weight) - np.average(positive[here], weights=weight)
        total += weight.sum() * abs(gap)
    return float(total / weights.sum())


def brier(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    """Mean squared distance of score and truth."""
    return float(np.average((scores - positive) ** 2, weights=weights))
