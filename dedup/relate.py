"""Relations of article pairs from their classified matches.

``p_copied`` and ``p_shared`` are logistic functions of how much narrative, and of how much
information of any kind but furniture, two articles have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dedup.align import Alignment
from dedup.classify import BOILERPLATE, PROSE, QUOTE, Matches, Records
from dedup.collection import Collection
from dedup.config import Settings
from dedup.kernels import spans as kernels

# Logistic weights; tools/fit_relations.py prints them from labelled pairs.
COPIED = (-7.0, 1.0, 6.0)  # intercept, log2(1 + bits / 50) of prose, sqrt of prose share
SHARED = (-4.0, 2.2, 4.0)  # intercept, log2(1 + bits / 50) of prose or quote, sqrt of share

NONE, R_BOILERPLATE, R_QUOTE, R_PARTIAL, R_COPY = range(5)


@dataclass(frozen=True, slots=True)
class Relations:
    """One row an aligned pair: node indices, relation (int8), shares and probabilities.

    ``prose_a``, ``prose_b``: share of letters in ``prose``; ``coverage_a``, ``coverage_b`` in
    ``prose`` or ``quote``; ``similarity`` of all spans by letters.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    relation: NDArray[np.int8]
    prose_a: NDArray[np.float64]
    prose_b: NDArray[np.float64]
    coverage_a: NDArray[np.float64]
    coverage_b: NDArray[np.float64]
    p_copied: NDArray[np.float64]
    p_shared: NDArray[np.float64]


def _logistic(weights: tuple[float, float, float], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    z = weights[0] + weights[1] * x + weights[2] * y
    return 1.0 / (1.0 + np.exp(-z))


def features(
    c: Collection, alignment: Alignment, matches: Matches
) -> dict[str, NDArray[np.float64]]:
    """Per pair: shares of prose and of prose or quote on both sides, bits of each kind."""
    pairs = len(alignment.pair_a)
    out: dict[str, NDArray[np.float64]] = {}
    for name, kinds in (("prose", (PROSE,)), ("coverage", (PROSE, QUOTE))):
        chosen = np.isin(matches.kind, kinds)
        for side, nodes, lo, hi in (
            ("a", alignment.pair_a, matches.a0, matches.a1),
            ("b", alignment.pair_b, matches.b0, matches.b1),
        ):
            owner, lo_, hi_ = matches.pair[chosen], lo[chosen], hi[chosen]
            order = np.lexsort((lo_, owner))
            letters = kernels.union_letters(owner, lo_, hi_, order, pairs, c.t_start, c.t_end)
            out[f"{name}_{side}"] = np.minimum(
                1.0, letters / np.maximum(1, c.d_letters[nodes])
            )
    for name, kind in (("prose", PROSE), ("quote", QUOTE), ("boilerplate", BOILERPLATE)):
        chosen = matches.kind == kind
        out[f"{name}_bits"] = np.bincount(
            matches.pair[chosen], matches.bits[chosen] * matches.similarity[chosen], pairs
        )
    return out


def relate(
    c: Collection,
    alignment: Alignment,
    matches: Matches,
    records: Records,
    settings: Settings,
) -> Relations:
    """Name the relation of every aligned pair that has a match."""
    f = features(c, alignment, matches)
    shorter_is_a = c.d_letters[alignment.pair_a] <= c.d_letters[alignment.pair_b]
    prose = np.where(shorter_is_a, f["prose_a"], f["prose_b"])
    cover = np.where(shorter_is_a, f["coverage_a"], f["coverage_b"])
    p_copied = _logistic(COPIED, np.log2(1 + f["prose_bits"] / 50), np.sqrt(prose))
    shared_bits = f["prose_bits"] + f["quote_bits"]
    p_shared = np.maximum(
        p_copied, _logistic(SHARED, np.log2(1 + shared_bits / 50), np.sqrt(cover))
    )
    copied = (p_copied >= 0.5) & (prose >= settings.partial_share)
    relation = np.where(
        copied & (prose >= settings.copy_share),
        R_COPY,
        np.where(
            copied,
            R_PARTIAL,
            np.where(
                (p_shared >= 0.5) & (shared_bits > 0),
                R_QUOTE,
                np.where(f["boilerplate_bits"] > 0, R_BOILERPLATE, NONE),
            ),
        ),
    ).astype(np.int8)
    return Relations(
        alignment.pair_a,
        alignment.pair_b,
        relation,
        f["prose_a"],
        f["prose_b"],
        f["coverage_a"],
        f["coverage_b"],
        p_copied,
        p_shared,
    )
