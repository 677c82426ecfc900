"""Which language a text is in, by the function words it uses.

A vote of frequent words, weighted by how frequent each is in a language (the idea of Dunning
1994 on words instead of letters), from the frozen background table: some forty languages.
Languages without a table stay unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedup.sketch import background

if TYPE_CHECKING:
    from dedup.collection import Collection

LEAST_VOTE = 12.0
FLOOR = 1e-5


def detect_languages(c: Collection) -> list[str | None]:
    """ISO 639 code of each node's language, or ``None`` where too few words tell."""
    from scipy.sparse import csr_matrix  # here, so that it loads beside other stages

    table = background()
    keys = np.unique(table.vote_keys)
    column = np.searchsorted(keys, table.vote_keys)
    weight = np.log2(np.maximum(table.vote_weight, FLOOR) / FLOOR)
    votes = csr_matrix(
        (weight, (column, table.vote_language)), shape=(len(keys), len(table.languages))
    )
    at = np.searchsorted(keys, c.v_hash)
    at[at == len(keys)] = 0
    voting = keys[at] == c.v_hash
    out: list[str | None] = []
    step = 4096
    for lo in range(0, c.nodes, step):
        hi = min(lo + step, c.nodes)
        words = c.w_word[c.d_word[lo] : c.d_word[hi]]
        hit = voting[words]
        node = np.repeat(np.arange(hi - lo), np.diff(c.d_word[lo : hi + 1]))
        seen = csr_matrix(
            (np.ones(int(hit.sum())), (node[hit], at[words[hit]])), shape=(hi - lo, len(keys))
        )
        scores = (seen @ votes).toarray()
        best = scores.argmax(axis=1)
        out.extend(
            table.languages[b] if scores[i, b] >= LEAST_VOTE else None
            for i, b in enumerate(best.tolist())
        )
    return out
