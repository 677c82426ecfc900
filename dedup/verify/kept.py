"""What is kept of passages and of full buckets, against what comparing all of them finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedup.candidates import find_candidates, unique_passages
from dedup.errors import IndexDamagedError
from dedup.formerpairs import KnownPassages, former_pairs
from dedup.indexnotes import COMPARE_ANEW
from dedup.recall import restored
from dedup.reuse import crowd_from, nothing_known, similar_from
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.config import Settings
    from dedup.formerpairs import Former
    from dedup.store import Store
    from dedup.verify import Verified
    from dedup.verify.texts import WholeTexts


def check_kept(
    store: Store,
    settings: Settings,
    found: Verified,
    texts: WholeTexts,
    *,
    arena: Arena,
    threads: int = 1,
) -> None:
    """The next run is told the pairs of passages, and who is in the full buckets, that comparing
    all passages finds: none is missing, none too many, and representatives are the right ones.

    Not looked at where the next run compares them anew in any case, before a run that was stopped
    is finished, and where a text or a part is damaged, which is said elsewhere.
    """
    open_texts = store.value("SELECT count(*) FROM texts WHERE analysed IS NULL")
    if COMPARE_ANEW in store.meta() or open_texts or len(texts.numbers) < found.texts:
        return
    try:
        number, c, known = restored(store, texts.vocabulary, arena=arena, threads=threads)
        parts = store.parts("similar"), store.parts("crowd")
    except IndexDamagedError:
        return
    node_of = np.full(1 + store.last_number("texts"), -1, np.int32)
    node_of[number] = np.arange(len(number), dtype=np.int32)
    width = -(-scheme(settings).bands // 8)
    try:
        similar = similar_from(c, parts[0], node_of)
        crowd = crowd_from(c, parts[1], node_of, width)
    except ValueError:
        return
    start, member = unique_passages(c, settings)
    told = former_pairs(c, start, member, KnownPassages(known, similar, crowd), settings)
    del similar, crowd
    fresh = find_candidates(c, settings, earlier=nothing_known(c, []).passages, threads=threads)
    anew = KnownPassages(known, fresh.similar, fresh.crowd)
    true = former_pairs(c, start, member, anew, settings)
    for says, pairs in (
        ("are kept that no bucket compares", np.setdiff1d(_named(told), _named(true))),
        ("are missing", np.setdiff1d(_named(true), _named(told))),
    ):
        if len(pairs):
            found.problems.append(f"parts: {len(pairs):,} pairs of similar passages {says}")
    other = int((told.role != true.role).any(axis=1).sum())
    if other:
        found.problems.append(f"parts: {other:,} passages have other places in full buckets")


def _named(pairs: Former) -> NDArray[np.int64]:
    """One number for each pair, whichever of the two comes first."""
    return np.asarray((np.minimum(pairs.u, pairs.v) << 32) | np.maximum(pairs.u, pairs.v))
