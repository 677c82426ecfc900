"""Which matches say too little to be more than a coincidence of names and stock phrases.

Names of people, institutions and places are rare words that everybody strings together alike;
copied prose is running text, with the function words of its language. Information is counted by
the frozen background table, whatever else is in the dump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedup.kernels import spans as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection

    Spans = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

RUNNING = 3.0
"""Times the least information that the words of a span hold in all, common ones included: a
sentence or two of running text."""
VERBATIM = 8 / 3
"""The same of a span that has the same words on both sides: chance hardly strings so many alike."""
SPOKEN = 2.0
"""The same of a span that is partly speech: short quotes are shared, too."""
SAME = 0.98
"""Similarity from which a span has the same words on both sides, whatever their order."""
PARTLY = 0.2
"""Share of the letters of a span's passages that count as speech, from which the span does."""
SHARE_OF_TEXT = 0.1
"""Share of the shorter text's information from which prose of any length counts as shared."""
LEAST_LINKS = 0.1
"""Share of function words in a text below which nothing can be said from their absence."""


def words_needed(
    similarity: NDArray[np.float64], spoken: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Times the least information that all words of a span must hold (float64, spans), by its
    ``similarity`` and the share of it that is ``spoken`` (float64, 0-1)."""
    running = np.where(similarity >= SAME, VERBATIM, RUNNING)
    return np.where(spoken >= PARTLY, SPOKEN, running)


def coincidences(
    c: Collection,
    node_a: NDArray[np.int64],
    node_b: NDArray[np.int64],
    spans: Spans,
    bits: NDArray[np.float64],
    least: NDArray[np.float64],
    words: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Matches (bool) that say too little to be more than a coincidence.

    ``spans``: tokens ``a0, a1, b0, b1`` in nodes ``node_a`` and ``node_b``; ``bits`` float64 what
    they share. The bits count in proportion to the function words among the span's words, measured
    by the share of them in the two articles. ``least`` bits (float64) are enough if each span,
    common words included, holds ``words`` (float64), or :data:`SHARE_OF_TEXT` of the shorter
    text's information, so that short texts can be compared, too.
    """
    tokens = np.diff(c.p_token[c.d_passage])
    chosen = np.zeros(c.nodes, bool)
    chosen[node_a] = chosen[node_b] = True
    content, information = kernels.content_of_articles(
        chosen, c.d_passage, c.p_token, c.t_word, c.v_bits
    )
    links = 1.0 - content / np.maximum(1, tokens)
    a0, a1, b0, b1 = spans
    inside_a, all_a = kernels.content_of_spans(a0, a1, c.t_word, c.v_bits)
    inside_b, all_b = kernels.content_of_spans(b0, b1, c.t_word, c.v_bits)
    found = 1.0 - (inside_a + inside_b) / np.maximum(1, a1 - a0 + b1 - b0)
    usual = (links[node_a] + links[node_b]) / 2
    running = np.where(
        usual >= LEAST_LINKS, np.minimum(1.0, found / np.maximum(usual, LEAST_LINKS)), 1.0
    )
    shorter = np.minimum(information[node_a], information[node_b])
    little = (bits * running < least) | (np.minimum(all_a, all_b) < words)
    return np.asarray(little & (bits < SHARE_OF_TEXT * shorter))
