"""Verified, aligned spans of article pairs: a matter of two texts and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import local
from typing import TYPE_CHECKING

import numpy as np

from dedup.arena import Arena
from dedup.column import Column
from dedup.kernels import alignment as kernels
from dedup.kernels import similarity as spans
from dedup.kernels.workspace import Found, Room, Texts, make_found, make_room, make_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings

CHUNK = 4096
LINKS_AT_ONCE = 2**22
"""Links that later stages look at together; bounds memory."""

OF_MATCH = {
    **dict.fromkeys(("pair", "a0", "a1", "b0", "b1"), np.int64),
    **dict.fromkeys(("similarity", "bits"), np.float64),
}
OF_LINK = {**dict.fromkeys(("match", "link_a", "link_b"), np.int64), "cosine": np.float32}
FOUND: dict[str, type] = {**OF_MATCH, **OF_LINK}
"""What is found of pairs, by match and by link (:class:`Alignment`)."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Matches and the passage links that carry them.

    ``pair_a``, ``pair_b`` int64 nodes. Matches: ``pair`` int64, token spans ``a0, a1, b0, b1``
    int64, ``similarity`` float64 (0-1), ``bits`` float64 shared information. Links: ``match``
    int64, passages ``link_a``, ``link_b`` int64, ``cosine`` float32. ``cut`` int64 (3,):
    what limits left out (see ``kernels.workspace.Found``).
    """

    pair_a: NDArray[np.int64]
    pair_b: NDArray[np.int64]
    pair: NDArray[np.int64]
    a0: NDArray[np.int64]
    a1: NDArray[np.int64]
    b0: NDArray[np.int64]
    b1: NDArray[np.int64]
    similarity: NDArray[np.float64]
    bits: NDArray[np.float64]
    match: NDArray[np.int64]
    link_a: NDArray[np.int64]
    link_b: NDArray[np.int64]
    cosine: NDArray[np.float32]
    cut: NDArray[np.int64]


def links_alone(x: Alignment) -> Alignment:
    """The pairs and the links of an alignment, as if it had no matches: what is left to ask for
    when these are judged, unless a later run is to start from them."""
    empty = {name: np.empty(0, kind) for name, kind in {**OF_MATCH, "match": np.int64}.items()}
    return replace(x, **empty)


def portions(x: Alignment) -> Iterator[tuple[slice, Alignment]]:
    """An alignment in parts that have some LINKS_AT_ONCE links each: their pairs, and the alignment
    of these alone. Its matches and links stand in the order of its pairs."""
    begin = match = link = 0
    if not len(x.pair_a):
        yield slice(0, 0), x
    while begin < len(x.pair_a):
        end = min(len(x.pair_a), begin + LINKS_AT_ONCE)
        if link + LINKS_AT_ONCE < len(x.match):
            end = min(end, max(begin + 1, int(x.pair[x.match[link + LINKS_AT_ONCE]])))
        if begin == 0 and end == len(x.pair_a):
            yield slice(begin, end), x
            return
        matches = slice(match, int(np.searchsorted(x.pair, end)))
        links = slice(
            link,
            bisect_left(range(len(x.match)), end, lo=link, key=lambda k: int(x.pair[x.match[k]])),
        )
        rows: dict[str, slice] = dict.fromkeys(("pair_a", "pair_b"), slice(begin, end))
        rows |= dict.fromkeys(OF_MATCH, matches) | dict.fromkeys(OF_LINK, links)
        columns = {name: getattr(x, name)[own] for name, own in rows.items()}
        columns["pair"], columns["match"] = columns["pair"] - begin, columns["match"] - match
        yield slice(begin, end), Alignment(**columns, cut=x.cut)
        begin, match, link = end, matches.stop, links.stop


def _texts(c: Collection) -> Texts:
    """The arrays that the kernels of alignment read; numbers of words as such that have no sign,
    which numba would look at wherever one is an index."""
    return Texts(
        c.d_passage,
        c.d_word,
        c.p_token,
        c.p_content,
        c.p_key,
        c.p_information,
        c.t_word.view(np.uint32),
        c.w_word.view(np.uint32),
        c.w_passages,
        c.c_word.view(np.uint32),
        c.v_bits,
    )


def align(
    c: Collection,
    pair_a: NDArray[np.int64],
    pair_b: NDArray[np.int64],
    settings: Settings,
    *,
    summaries: bool = False,
    threads: int = 1,
    arena: Arena | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Alignment:
    """Align pairs of nodes (``pair_a`` ascending) on ``threads`` threads.

    Where ``arena`` spills, what is found goes to temporary files as it comes.

    ``summaries`` joins what a short stretch of one text retells of the other into one match. In a
    dump it is off: the lead of one report is like a summary of every other report of the event.
    The outcome for a pair depends on its two texts and the settings alone.
    """
    texts = _texts(c)
    own = local()

    def work(lo: int) -> list[Found]:
        if not hasattr(own, "words"):
            own.words = make_words(len(c.v_bits))
        a, b = pair_a[lo : lo + CHUNK], pair_b[lo : lo + CHUNK]
        room = _room(texts, a, b)
        parts: list[Found] = []
        end = np.int64(0)
        while not parts or end < len(a):
            found = make_found(room)
            end, matches, links = kernels.align_pairs(
                end,
                a,
                b,
                texts,
                own.words,
                room,
                found,
                settings.min_similarity,
                settings.min_information,
                summaries,
            )
            parts.append(
                Found(
                    found.match[:matches].copy(),
                    found.value[:matches].copy(),
                    found.link[:links].copy(),
                    found.cosine[:links].copy(),
                    found.cut,
                )
            )
        return parts

    starts = list(range(0, len(pair_a), CHUNK)) or [0]
    arena = arena or Arena()
    columns = {name: Column(arena, dtype) for name, dtype in FOUND.items()}
    cut = np.zeros(3, np.int64)
    matches = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for lo, some in zip(starts, pool.map(work, starts), strict=True):
            for part in some:
                part.match[:, 0] += lo
                part.link[:, 0] += matches
                matches += len(part.match)
                cut += part.cut
                arrays = (*part.match.T, *part.value.T, *part.link.T, part.cosine)
                for column, array in zip(columns.values(), arrays, strict=True):
                    column.append(array.copy())
            some.clear()
            if progress:
                progress(min(lo + CHUNK, len(pair_a)), len(pair_a))
    return Alignment(pair_a, pair_b, **{name: x.whole() for name, x in columns.items()}, cut=cut)


def _room(texts: Texts, a: NDArray[np.int64], b: NDArray[np.int64]) -> Room:
    """Scratch for the longest of the texts ``a`` and ``b``."""
    nodes = np.concatenate([a, b])
    first, end = texts.d_passage[nodes], texts.d_passage[nodes + 1]
    return make_room(
        int((texts.p_token[end] - texts.p_token[first]).max(initial=1)),
        int((end - first).max(initial=1)),
    )


def similarities(
    c: Collection,
    alignment: Alignment,
    pair: NDArray[np.int64],
    a0: NDArray[np.int64],
    a1: NDArray[np.int64],
    b0: NDArray[np.int64],
    b1: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Similarity (0-1) and shared bits of given token spans (``pair`` ascending)."""
    texts = _texts(c)
    logs = _room(texts, alignment.pair_a, alignment.pair_b).logs
    similarity = np.empty(len(pair), np.float64)
    bits = np.empty(len(pair), np.float64)
    spans.span_similarities(
        alignment.pair_a,
        alignment.pair_b,
        pair,
        a0,
        a1,
        b0,
        b1,
        texts,
        make_words(len(c.v_bits)),
        logs,
        similarity,
        bits,
    )
    return similarity, bits
