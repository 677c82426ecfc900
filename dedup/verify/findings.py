"""What was found about pairs of texts, found anew: every match holds on its texts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.align import similarities
from dedup.joining import ALIKE, INSIDE, LEAST_AGREEMENT, LEAST_SHARED
from dedup.kernels import bands
from dedup.partshapes import problem_of
from dedup.reuse import no_alignment
from dedup.sketch import scheme
from dedup.store import UNREADABLE, unpack_arrays
from dedup.verify.texts import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.store import Store
    from dedup.verify import Verified
    from dedup.verify.texts import WholeTexts

    Arrays = dict[str, NDArray[Any]]
    Tick = Callable[[str, int, int | None], None]

TOLERANCE = 1e-6
"""Similarities are stored with six places."""
PAIRS_AT_ONCE = 4096
_BOUNDS = ("a0", "a1", "b0", "b1")


def check_findings(
    store: Store,
    settings: Settings,
    found: Verified,
    texts: WholeTexts,
    *,
    progress: Tick | None = None,
) -> None:
    """Stored matches, and what is kept of earlier comparisons, against the texts."""
    _check_matches(store, found, texts, progress)
    given = store.last_number("texts")
    for part, kind, data in store.connection.execute(
        "SELECT part, kind, data FROM parts WHERE kind IN ('similar', 'crowd', 'alignment') "
        "ORDER BY part"
    ):
        try:
            arrays = unpack_arrays(data)
        except UNREADABLE:
            continue  # said with the texts, since all parts were unpacked there
        if problem_of(kind, arrays):
            continue  # the same
        name = f"parts: number {part} ({kind})"
        columns = [arrays[n] for n in ("text", "text_a", "text_b") if n in arrays]
        beyond = int(sum(((c < 1) | (c > given)).sum() for c in columns))
        if beyond:
            found.problems.append(f"{name}: names {beyond:,} texts that there never were")
            continue
        if kind == "similar":
            _check_similar(store, settings, found, texts, arrays, name)
        elif kind == "alignment":
            _check_alignment(store, found, texts, arrays, name)
        else:
            _check_crowd(store, settings, found, texts, arrays, name)


def _chunks(
    store: Store, texts: WholeTexts, a: NDArray[Any], b: NDArray[Any], found: Verified
) -> Iterator[tuple[NDArray[np.int64], Collection, NDArray[np.int64], NDArray[np.int64]]]:
    """Some rows at a time whose texts are both whole: the rows (int64), a collection of the texts,
    and each row's nodes in it (int64)."""
    there = np.isin(a, texts.numbers) & np.isin(b, texts.numbers)
    found.left_over += int((~there).sum())
    chosen = np.flatnonzero(there)
    chosen = chosen[np.lexsort((b[chosen], a[chosen]))]
    for begin in range(0, len(chosen), PAIRS_AT_ONCE):
        rows = chosen[begin : begin + PAIRS_AT_ONCE]
        numbers = np.unique(np.concatenate([a[rows], b[rows]])).astype(np.int32)
        c = texts.collection(store, numbers)
        yield rows, c, np.searchsorted(numbers, a[rows]), np.searchsorted(numbers, b[rows])


def _recomputed(
    c: Collection, a: NDArray[np.int64], b: NDArray[np.int64], bounds: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Similarity (float64) of token spans ``a0, a1, b0, b1`` of nodes ``a`` and ``b``."""
    pairs = replace(no_alignment(), pair_a=a, pair_b=b)
    return similarities(c, pairs, np.arange(len(a)), *bounds)[0]


# --- matches --------------------------------------------------------------------------------


def _check_matches(store: Store, found: Verified, texts: WholeTexts, progress: Tick | None) -> None:
    number = dict(store.connection.execute("SELECT digest, text FROM texts"))
    digest = dict(store.connection.execute("SELECT ref, digest FROM articles"))
    rows = store.rows(
        "SELECT a, b, a_start, a_end, b_start, b_end, similarity FROM matches ORDER BY a, b"
    )
    found.matches = len(rows)
    text = [[number.get(digest.get(row[side]), 0) for row in rows] for side in (0, 1)]
    a, b = (np.array(column, np.int64) for column in text)
    spans = np.array([row[2:6] for row in rows], np.int64).reshape(len(rows), 4)
    stated = np.array([row[6] for row in rows], np.float64)
    before, done = found.left_over, 0
    for chosen, c, one, two in _chunks(store, texts, a, b, found):
        outside = _outside(c, one, two, spans[chosen])
        wrong = ~outside
        wrong[wrong] = ~_holds(
            c, one[~outside], two[~outside], spans[chosen][~outside], stated[chosen][~outside]
        )
        for bad, says in ((outside, "lies outside a text"), (wrong, "has another similarity")):
            for i in chosen[bad].tolist():
                found.problems.append(
                    f"matches: that of {rows[i][0]} at {rows[i][2]} and {rows[i][1]} at "
                    f"{rows[i][4]} {says}"
                )
        done += len(chosen)
        if progress:
            progress("matches", done, len(rows))
    # Articles that an unfinished run has taken out have their matches until it is finished.
    found.left_over = before


def _outside(
    c: Collection, a: NDArray[np.int64], b: NDArray[np.int64], spans: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which spans (characters: start and end in a and b) are not inside their texts."""
    bad = (spans[:, [0, 2]] < 0).any(axis=1)
    bad |= (spans[:, 0] >= spans[:, 1]) | (spans[:, 2] >= spans[:, 3])
    bad |= (spans[:, 1] > c.d_length[a]) | (spans[:, 3] > c.d_length[b])
    return np.asarray(bad)


def _holds(
    c: Collection,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    spans: NDArray[np.int64],
    stated: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which matches (bool) have the similarity that they state.

    Spans of characters are those of tokens; where several tokens begin or end at a character (a
    ligature is one character and several letters), any of them will do.
    """
    options = [
        choice
        for node, start, end in ((a, spans[:, 0], spans[:, 1]), (b, spans[:, 2], spans[:, 3]))
        for choice in _tokens(c, node, start, end)
    ]
    good = np.zeros(len(stated), bool)
    for bounds in itertools.product(*options):
        open_rows = np.flatnonzero(~good)
        if not len(open_rows):
            break
        chosen = [bound[open_rows] for bound in bounds]
        some = (chosen[0] < chosen[1]) & (chosen[2] < chosen[3])
        open_rows, chosen = open_rows[some], [bound[some] for bound in chosen]
        again = _recomputed(c, a[open_rows], b[open_rows], chosen)
        good[open_rows] = np.abs(again - stated[open_rows]) <= TOLERANCE
    return good


def _tokens(
    c: Collection, node: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.int64], ...], ...]:
    """Choices for the first token of spans of characters, and for the one after the last."""
    wide = np.int64(1) << np.int64(32)
    first = c.p_token[c.d_passage]
    owner = np.repeat(np.arange(c.nodes), np.diff(first)) * wide
    begins, ends = owner + c.t_start, owner + c.end_of(np.arange(len(c.t_start)))
    at = node * wide
    return (
        (np.searchsorted(begins, at + start), np.searchsorted(begins, at + start, "right") - 1),
        (np.searchsorted(ends, at + end, "right"), np.searchsorted(ends, at + end) + 1),
    )


# --- what is kept of comparisons ------------------------------------------------------------


def _check_alignment(
    store: Store, found: Verified, texts: WholeTexts, x: Arrays, name: str
) -> None:
    pair = x["pair"].astype(np.int64)
    found.comparisons += len(pair)
    a, b = x["text_a"][pair], x["text_b"][pair]
    wrong = 0
    for rows, c, one, two in _chunks(store, texts, a, b, found):
        first = c.p_token[c.d_passage]
        bounds = [x[n][rows].astype(np.int64) for n in _BOUNDS]
        inside = (bounds[0] >= 0) & (bounds[0] < bounds[1]) & (bounds[2] >= 0)
        inside &= (bounds[2] < bounds[3]) & (bounds[1] <= np.diff(first)[one])
        inside &= bounds[3] <= np.diff(first)[two]
        moved = [
            (bound + first[node])[inside]
            for bound, node in zip(bounds, (one, one, two, two), strict=True)
        ]
        again = _recomputed(c, one[inside], two[inside], moved)
        wrong += int((~inside).sum())
        wrong += int((np.abs(again - x["similarity"][rows][inside]) > TOLERANCE).sum())
    if wrong:
        found.problems.append(f"{name}: {wrong:,} matches do not hold on their texts")


def _check_similar(
    store: Store, settings: Settings, found: Verified, texts: WholeTexts, x: Arrays, name: str
) -> None:
    found.comparisons += len(x["shared"])
    x = {column: values[x["shared"] != 0] for column, values in x.items()}  # 0: they were cut
    wrong = apart = 0
    for rows, c, one, two in _chunks(store, texts, x["text_a"], x["text_b"], found):
        places = [x[n][rows].astype(np.int64) for n in ("place_a", "place_b")]
        count = np.diff(c.d_passage)
        inside = (places[0] >= 0) & (places[0] < count[one])
        inside &= (places[1] >= 0) & (places[1] < count[two])
        wrong += int((~inside).sum())
        u = (c.d_passage[one] + places[0])[inside]
        v = (c.d_passage[two] + places[1])[inside]
        passage, at = np.unique(np.concatenate([u, v]), return_inverse=True)
        found_under = keys(c, passage, settings)
        i, j = at[: len(u)], at[len(u) :]
        apart += int((found_under[i] != found_under[j]).all(axis=1).sum())
        wrong += int((_shared(c, passage, i, j, settings) != x["shared"][rows][inside]).sum())
    if wrong:
        found.problems.append(f"{name}: {wrong:,} pairs of passages do not share what they state")
    if apart:
        found.problems.append(f"{name}: {apart:,} pairs of passages have no band key in common")


def _check_crowd(
    store: Store, settings: Settings, found: Verified, texts: WholeTexts, x: Arrays, name: str
) -> None:
    """Members of full buckets are passages, and their bands are those of the scheme."""
    found.comparisons += len(x["text"])
    bands = scheme(settings).bands
    packed = x["member"], x["represents"]
    wrong = 0
    if any(bits.shape[1:] != (-(-bands // 8),) for bits in packed):
        wrong = len(x["text"])
    else:
        beyond = [np.unpackbits(bits, axis=1, bitorder="little")[:, bands:] for bits in packed]
        wrong = int((np.concatenate(beyond, axis=1).any(axis=1)).sum())
    for rows, c, node, _ in _chunks(store, texts, x["text"], x["text"], found):
        place = x["place"][rows]
        wrong += int(((place < 0) | (place >= np.diff(c.d_passage)[node])).sum())
    if wrong:
        found.problems.append(f"{name}: {wrong:,} members of full buckets are no passages")


def _shared(
    c: Collection,
    passage: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    settings: Settings,
) -> NDArray[np.int32]:
    """Information (int32, quarters of a bit) that passages ``i`` and ``j`` of ``passage`` share, 0
    where they are not alike."""
    mixed = bands.mixed_hashes(c.v_hash)
    card = np.zeros((len(passage), 4), np.uint64)
    bands.cards(passage, c.p_content, c.c_word, c.p_information, mixed, card)
    limits = (
        LEAST_AGREEMENT * settings.sensitivity,
        LEAST_SHARED * settings.min_information * 4,
        ALIKE * settings.min_similarity,
        INSIDE,
    )
    return np.array(
        [
            bands.shared_information(x, y, card, c.c_word, c.v_bits, *limits)
            for x, y in zip(i.tolist(), j.tolist(), strict=True)
        ],
        np.int32,
    )
