"""The optional semantic step: how far a reworded match reaches, by a sentence encoder.

Alignment by words finds some sentences of a retold story and misses those in between whose words
were all replaced. Here the sentences of both articles are compared by an encoder. Two that are each
other's best partner, and alike enough, are taken into a reworded match that lies next to them.

It makes no match of its own: that two texts *mean* the same does not say that one copied the
other. Nor does it put matches in question: what words in common prove, an encoder does not refute
(``docs/semantic.md`` has the figures for both).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from dedup.align import similarities
from dedup.classify import Matches
from dedup.kinds import PROSE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from dedup.align import Alignment
    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.encoder import Encoder

    Box = tuple[int, int, int, int]

REWORDED = 0.85
"""Similarity (TF-ISF cosine) of a match from which it is verbatim, and left as it is."""
ALIKE = 0.6
"""Cosine of two sentences' vectors from which they are taken to say the same."""
NEAR = 2
"""Passages, on either side, between a match and a pair of sentences that it takes in."""
SHORTEST = 5
"""Tokens of a passage from which its vector means something."""
BATCH = 256
"""Passages between two reports of progress; results do not depend on it."""


@dataclass(frozen=True, slots=True)
class Widened:
    """The ``matches``; numbers of passages ``encoded`` and of matches ``widened``."""

    matches: Matches
    encoded: int
    widened: int


def widen(
    c: Collection,
    texts: pa.Array | pa.ChunkedArray,
    alignment: Alignment,
    matches: Matches,
    pairs: NDArray[np.bool_],
    settings: Settings,
    encoder: Encoder,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Widened:
    """Widen the reworded prose matches of the chosen ``pairs`` (bool, one an aligned pair).

    ``texts`` are the nodes' texts. A widened match still reaches ``min_similarity`` and touches no
    other match of its pair; where it would not, it stays as it was.
    """
    reworded = (matches.kind == PROSE) & (matches.similarity < REWORDED) & pairs[matches.pair]
    chosen = np.unique(matches.pair[reworded])
    nodes = np.unique(np.concatenate([alignment.pair_a[chosen], alignment.pair_b[chosen]]))
    passages = _passages(c, nodes)
    number, vectors = _encode(c, texts, passages, encoder, threads, progress)
    span = np.stack([matches.a0, matches.a1, matches.b0, matches.b1], axis=1)
    wide = span.copy()
    for pair in chosen.tolist():
        one, two = (passages[int(n[pair])] for n in (alignment.pair_a, alignment.pair_b))
        cosine = vectors[[number[p] for p in one]] @ vectors[[number[p] for p in two]].T
        seeds = [(one[i], two[j]) for i, j in mutual(cosine)]
        lo, hi = np.searchsorted(matches.pair, [pair, pair + 1]).tolist()
        boxes = [_box(c, *row) for row in span[lo:hi].tolist()]
        absorb(boxes, seeds, np.flatnonzero(reworded[lo:hi]).tolist())
        for k, (a0, a1, b0, b1) in enumerate(boxes, lo):
            if _box(c, *span[k].tolist()) != (a0, a1, b0, b1):
                # Edges that did not move stay where alignment put them, inside a passage.
                wide[k, 0::2] = np.minimum(span[k, 0::2], c.p_token[[a0, b0]])
                wide[k, 1::2] = np.maximum(span[k, 1::2], c.p_token[[a1 + 1, b1 + 1]])
    changed = np.flatnonzero((wide != span).any(axis=1))
    similarity, bits = matches.similarity.copy(), matches.bits.copy()
    if len(changed):
        columns = (np.ascontiguousarray(wide[changed, i]) for i in range(4))
        found, weight = similarities(c, alignment, matches.pair[changed], *columns)
        holds = found >= settings.min_similarity
        wide[changed[~holds]] = span[changed[~holds]]
        changed = changed[holds]
        similarity[changed], bits[changed] = found[holds], weight[holds]
    begin_a, end_a, begin_b, end_b = (np.ascontiguousarray(wide[:, i]) for i in range(4))
    out = replace(
        matches, a0=begin_a, a1=end_a, b0=begin_b, b1=end_b, similarity=similarity, bits=bits
    )
    order = np.lexsort((out.b0, out.a0, out.pair))
    return Widened(
        Matches(*(getattr(out, f.name)[order] for f in fields(out))),
        len(vectors),
        len(changed),
    )


def mutual(cosine: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Rows and columns that are each other's greatest and reach :data:`ALIKE`, by row.

    Rounded to four places, far above what processors differ by; of equals the first counts.
    """
    if not cosine.size:
        return []
    rounded = np.round(cosine.astype(np.float64), 4)
    of_row, of_column = rounded.argmax(axis=1), rounded.argmax(axis=0)
    rows = np.arange(len(rounded))
    good = (of_column[of_row] == rows) & (rounded[rows, of_row] >= ALIKE)
    return [(int(i), int(of_row[i])) for i in rows[good]]


def absorb(boxes: list[Box], seeds: list[tuple[int, int]], growing: list[int]) -> None:
    """Let the ``growing`` of the boxes take in seeds near them, in place, until none is left.

    A box is first and last passage of both sides. It takes a seed in if it comes to touch no other
    box by that.
    """
    seeds = [
        s for s in seeds if not any(b[0] <= s[0] <= b[1] and b[2] <= s[1] <= b[3] for b in boxes)
    ]
    again = True
    while again:
        again = False
        for k in growing:
            for seed in list(seeds):
                a0, a1, b0, b1 = boxes[k]
                i, j = seed
                if not (a0 - NEAR <= i <= a1 + NEAR and b0 - NEAR <= j <= b1 + NEAR):
                    continue
                grown = (min(a0, i), max(a1, i), min(b0, j), max(b1, j))
                if not any(_meet(grown, box) for n, box in enumerate(boxes) if n != k):
                    boxes[k] = grown
                    seeds.remove(seed)
                    again = True


def _meet(x: Box, y: Box) -> bool:
    return (x[0] <= y[1] and y[0] <= x[1]) or (x[2] <= y[3] and y[2] <= x[3])


def _box(c: Collection, a0: int, a1: int, b0: int, b1: int) -> Box:
    """First and last passages of two token spans."""
    found = np.searchsorted(c.p_token, [a0, a1 - 1, b0, b1 - 1], "right") - 1
    return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def _passages(c: Collection, nodes: NDArray[np.int64]) -> dict[int, list[int]]:
    """Passages of each node that are long enough for a vector."""
    out = {}
    for node in nodes.tolist():
        every = np.arange(c.d_passage[node], c.d_passage[node + 1])
        out[node] = every[c.p_token[every + 1] - c.p_token[every] >= SHORTEST].tolist()
    return out


def _encode(
    c: Collection,
    texts: pa.Array | pa.ChunkedArray,
    passages: dict[int, list[int]],
    encoder: Encoder,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[int, int], NDArray[np.float32]]:
    """Row of each passage, and the rows: equal passages are encoded once."""
    row_of: dict[str, int] = {}
    number = {}
    for node, members in passages.items():
        text = texts[node].as_py()
        for p in members:
            words = text[int(c.p_start[p]) : int(c.end_of(c.p_token[p + 1] - 1))]
            number[p] = row_of.setdefault(words, len(row_of))
    distinct = list(row_of)
    parts = []
    for done in range(0, len(distinct), BATCH):
        if progress:
            progress(done, len(distinct))
        parts.append(encoder.encode(distinct[done : done + BATCH], threads=threads))
    return number, np.concatenate(parts) if parts else np.empty((0, 1), np.float32)
