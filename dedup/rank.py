"""TF-IDF weights of what is shared: the ranking of passages, matches and relations.

A view over the corpus: document frequencies are integer counters over the articles at hand,
weights come from scikit-learn's ``TfidfTransformer`` (``(1 + ln tf) * idf`` with the smoothed
``idf = ln((1 + n) / (1 + df)) + 1``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import counting as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection


PORTION = 1_000_000
"""Tokens whose weights are computed at once."""
FEW = 100_000
"""Up to so many tokens are weighed without scikit-learn: importing it takes as long as weighing
millions."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Token spans ``lo`` to ``hi`` (int64)."""

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]


def tfidf_weights(
    c: Collection,
    copies: NDArray[np.int64],
    *sets: Spans,
    articles: NDArray[np.int64] | None = None,
) -> list[NDArray[np.float64]]:
    """TF-IDF weight (sum over words, float64) of every span, for each of ``sets``.

    ``copies`` (int64, nodes): how many articles have each text. ``articles`` (int64, words) hold
    each word; they are counted in one pass over the corpus where that is not known.
    """
    lo, hi = (
        np.concatenate([np.empty(0, np.int64), *(getattr(spans, name) for spans in sets)])
        for name in ("lo", "hi")
    )
    frequency = articles
    if frequency is None:
        frequency = kernels.document_frequencies(c.d_word, c.w_word, copies, len(c.v_hash))
    # Words in the order of their hashes, which does not hang on the other texts: sums round alike.
    order = np.argsort(c.v_hash, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    idf = inverse_frequencies(frequency[order], copies.sum())
    out = np.zeros(len(lo))
    # In portions of so many tokens: memory stays bounded however much is shared.
    ends = np.cumsum(hi - lo)
    begin = 0
    while begin < len(lo):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + PORTION, side="right")))
        sizes = hi[begin:end] - lo[begin:end]
        first = np.cumsum(sizes) - sizes
        tokens = np.arange(sizes.sum()) + np.repeat(lo[begin:end] - first, sizes)
        out[begin:end] = weights_of(sizes, place[c.t_word[tokens]], idf)
        begin = end
    return np.split(out, np.cumsum([len(spans.lo) for spans in sets])[:-1])


def inverse_frequencies(frequency: NDArray[np.int64], articles: int) -> NDArray[np.float64]:
    """The smoothed idf (float64) of words that stand in ``frequency`` of all ``articles``."""
    return np.asarray(np.log((1 + articles) / (1 + frequency)) + 1)


def weights_of(
    sizes: NDArray[np.int64], column: NDArray[np.int64], idf: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Summed weights (float64) of rows of ``sizes`` words (int64), ``column`` (int64) their places
    in ``idf`` (float64), which are in the order of the words' hashes."""
    if len(column) <= FEW:
        return weights_of_few(sizes, column, idf)
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    start = np.concatenate([[0], np.cumsum(sizes)])
    counts = csr_matrix((np.ones(len(column)), column, start), shape=(len(sizes), len(idf)))
    counts.sum_duplicates()
    transformer = TfidfTransformer(norm=None, sublinear_tf=True)
    transformer.idf_ = idf
    weights = transformer.transform(counts)
    return np.asarray(weights.sum(axis=1)).ravel()


def weights_of_few(
    sizes: NDArray[np.int64], column: NDArray[np.int64], idf: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As :func:`weights_of`, to the last bit: the transformer's formula, summed as SciPy sums the
    rows of a sparse matrix."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    words, times = np.unique(row * len(idf) + column, return_counts=True)
    row, column = np.divmod(words, max(1, len(idf)))
    weights = (np.log(times.astype(np.float64)) + 1.0) * idf[column]
    out = np.zeros(len(sizes))
    if len(row):
        first = np.flatnonzero(np.diff(row, prepend=-1))
        out[row[first]] = np.add.reduceat(weights, first)
    return out
