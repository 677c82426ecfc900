"""Signatures of an index's passages, for datasketch's LSH and its storages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from datasketch import LeanMinHash

from dedup.candidates import indexed_passages
from dedup.kernels import minhash as kernels
from dedup.recall import load_vocabulary
from dedup.sketch import scheme
from dedup.storedframes import restored_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.store import Store

TEXTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PassageSignature:
    """A passage of an article and the MinHash of the set of its tokens.

    ``article``: the article's ref; ``start``, ``end``: characters of its text, end exclusive;
    ``minhash``: a ``datasketch.LeanMinHash`` of 128 values, scheme ``affine32`` over
    :func:`dedup.hash32`, the same as ``dedup.signature(text[start:end])`` gives.
    """

    article: str
    start: int
    end: int
    minhash: LeanMinHash

    @property
    def key(self) -> str:
        """A name of the passage for an LSH index: the ref and where it begins."""
        return f"{self.article}#{self.start}"


def passage_signatures(store: Store, settings: Settings) -> Iterator[PassageSignature]:
    """The signatures of all passages that say enough to be looked for elsewhere, article by
    article in the order in which their texts came in."""
    refs: dict[str, list[str]] = defaultdict(list)
    for ref, digest in store.connection.execute("SELECT ref, digest FROM articles ORDER BY ref"):
        refs[digest].append(ref)
    vocabulary = load_vocabulary(store)
    rows = store.connection.execute("SELECT text, digest FROM texts ORDER BY text")
    while some := rows.fetchmany(TEXTS_AT_ONCE):
        c = restored_texts(store, [number for number, _ in some], vocabulary)
        yield from _of_texts(c, [refs[digest] for _, digest in some], settings)


def _of_texts(
    c: Collection, refs: list[list[str]], settings: Settings
) -> Iterator[PassageSignature]:
    """Those of a collection; ``refs``: the articles that have each of its texts."""
    plan = scheme(settings)
    passages = indexed_passages(c, settings)
    values = kernels.signatures(c.v_hash[c.t_word], c.p_token, plan.a, plan.b)[passages]
    of_text = np.searchsorted(c.p_article[passages], np.arange(c.nodes + 1))
    starts, ends = c.p_start[passages].tolist(), c.p_end[passages].tolist()
    hashes = [LeanMinHash(seed=settings.seed, hashvalues=v, scheme="affine32") for v in values]
    for text, names in enumerate(refs):
        rows = range(of_text[text], of_text[text + 1])
        for ref in names:
            for i in rows:
                yield PassageSignature(ref, starts[i], ends[i], hashes[i])
