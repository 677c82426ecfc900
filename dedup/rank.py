"""TF-IDF weights of what is shared: the ranking of passages, matches and relations.

A view over the corpus: document frequencies are integer counters over the articles at hand,
weights come from scikit-learn's ``TfidfTransformer`` (``(1 + ln tf) * idf`` with the smoothed
``idf = ln((1 + n) / (1 + df)) + 1``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import counting as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection


PORTION = 4_000_000


def tfidf_weights(
    c: Collection,
    lo: NDArray[np.int64],
    hi: NDArray[np.int64],
    copies: NDArray[np.int64],
) -> NDArray[np.float64]:
    """TF-IDF weight (sum over words, float64) of the token spans ``lo`` to ``hi``."""
    out = np.zeros(len(lo))
    # In portions of so many tokens: memory stays bounded however much is shared.
    ends = np.cumsum(hi - lo)
    frequencies = kernels.document_frequencies(c.d_word, c.w_word, copies, len(c.v_hash))
    begin = 0
    while begin < len(lo):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + PORTION, side="right")))
        rows = slice(begin, end)
        out[rows] = _portion(c, lo[rows], hi[rows], frequencies, copies)
        begin = end
    return out


def _portion(
    c: Collection,
    lo: NDArray[np.int64],
    hi: NDArray[np.int64],
    frequencies: NDArray[np.int64],
    copies: NDArray[np.int64],
) -> NDArray[np.float64]:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    sizes = hi - lo
    rows = np.repeat(np.arange(len(lo)), sizes)
    offset = np.repeat(lo - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
    tokens = np.arange(len(rows)) + offset
    vocabulary, column = np.unique(c.t_word[tokens], return_inverse=True)
    # In the order of the hashes, which does not hang on the other texts: sums round alike.
    order = np.argsort(c.v_hash[vocabulary], kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    columns = place[column]
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(lo), len(vocabulary)))
    counts.sum_duplicates()
    frequency = frequencies[vocabulary[order]]
    transformer = TfidfTransformer(norm=None, sublinear_tf=True)
    transformer.idf_ = np.log((1 + copies.sum()) / (1 + frequency)) + 1
    weights = transformer.transform(counts)
    return np.asarray(weights.sum(axis=1)).ravel()
