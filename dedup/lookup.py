"""Which articles of an index are worth comparing with a text that is not in it.

The bands of all distinct passages, sorted by key: a text's passages are looked up one by one, as
in any LSH index (Indyk and Motwani 1998). Passages that meet are compared at once, and a text is
brought up by the rule that makes two articles of a run candidates (:mod:`dedup.candidates`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dedup.candidates import QUOTED, least_information, unique_passages
from dedup.joining import (
    ALIKE,
    BANDS_AT_ONCE,
    INSIDE,
    LEAST_AGREEMENT,
    LEAST_SHARED,
    PART,
    lines,
    spans,
)
from dedup.kernels import bands
from dedup.kernels.lookup import look_up
from dedup.kinds import BOILERPLATE
from dedup.ranges import rows_of
from dedup.sketch import scheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.candidates import SameWords
    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.kinds import KnownKinds

MOST_OF_BUCKET = 256
"""Passages of a bucket that are looked at: more of them are variants of one."""
HOLDERS = 64
"""Texts that hold one passage and are looked at."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Distinct passages of many texts, by band.

    ``entries`` uint64 (bands x passages): key high, number of the passage low, each band sorted.
    ``start`` int64 (passages + 1) and ``holder`` int32: the nodes that hold each passage. Of each
    passage: ``card`` uint64 (passages, 4), see ``kernels.bands.cards``, ``quoted`` and
    ``furniture`` bool. ``c_word`` int32: content words, where the cards say. ``text`` int32 and
    ``information`` float32 of each node: its number and what its passages say, in bits. ``v_hash``
    uint64, sorted, with ``v_word`` int32 and ``v_bits`` uint8: the words.
    """

    settings: Settings
    entries: NDArray[np.uint64]
    start: NDArray[np.int64]
    holder: NDArray[np.int32]
    card: NDArray[np.uint64]
    c_word: NDArray[np.int32]
    quoted: NDArray[np.bool_]
    furniture: NDArray[np.bool_]
    text: NDArray[np.int32]
    information: NDArray[np.float32]
    v_hash: NDArray[np.uint64]
    v_word: NDArray[np.int32]
    v_bits: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        c: Collection,
        settings: Settings,
        text: NDArray[np.int32],
        kinds: KnownKinds,
        *,
        same_words: SameWords | None = None,
        threads: int = 1,
    ) -> Lookup:
        """The look-up over a collection, whose nodes are the texts ``text`` (int32); ``same_words``
        see :func:`dedup.candidates.unique_passages`."""
        start, member = unique_passages(c, settings, same_words)
        plan = scheme(settings)
        mixed = bands.mixed_hashes(c.v_hash)
        passage = member[start[:-1]]
        entries = np.empty((plan.bands, len(passage)), np.uint64)
        card = lines(len(passage), 4)

        def note(rows: slice) -> None:
            bands.cards(passage[rows], c.p_content, c.c_word, c.p_information, mixed, card[rows])

        def fill(band: int) -> None:
            count = min(BANDS_AT_ONCE, plan.bands - band)
            rows = slice(band * plan.rows, (band + count) * plan.rows)
            keys = np.empty((len(passage), count), np.uint32)
            bands.band_keys(
                passage,
                c.p_content,
                c.c_word,
                mixed,
                plan.a[rows],
                plan.b[rows],
                plan.rows,
                keys,
            )
            room = np.empty((2, len(passage)), np.uint64)
            for k in range(count):
                entries[band + k] = bands.sorted_entries(keys[:, k].copy(), room)

        with ThreadPoolExecutor(max(1, threads)) as pool:
            # Lists, so that what went wrong in a thread is raised here.
            list(pool.map(note, spans(len(passage), PART)))
            list(pool.map(fill, range(0, plan.bands, BANDS_AT_ONCE)))
        quoted = np.zeros(len(passage), bool)
        furniture = np.zeros(len(passage), bool)
        if len(passage):
            quoted = np.maximum.reduceat(c.p_quoted[member], start[:-1]) > 0
            known = np.isin(c.p_key[member], kinds.key[kinds.kind == BOILERPLATE])
            furniture = np.maximum.reduceat(known, start[:-1])
        order = np.argsort(c.v_hash)
        return cls(
            settings,
            entries,
            start,
            c.p_article[member],
            card,
            c.c_word,
            quoted,
            furniture & ~quoted,
            text,
            np.bincount(c.p_article, c.p_information, c.nodes).astype(np.float32),
            c.v_hash[order],
            order.astype(np.int32),
            c.v_bits,
        )

    def nearest(self, c: Collection, most: int) -> NDArray[np.int32]:
        """The ``most`` texts that share most with the one text of ``c``, best first.

        Only those that a run would compare with it, and with which it has more in common than
        passages that are known as furniture.
        """
        settings = self.settings
        start, member = unique_passages(c, settings)
        passage = member[start[:-1]]
        if not len(passage) or not len(self.card):
            return np.empty(0, np.int32)
        row, near, shared = self._alike(c, passage)
        ours = c.p_information[passage]
        worth = np.where((c.p_quoted[passage][row] > 0) | self.quoted[near], QUOTED, 1)
        quarters = self.card[near, 3] & bands.QUARTERS_HELD
        bits = np.minimum(shared / 4, np.minimum(ours[row], quarters / 4)) * worth
        # All texts that hold each passage found, up to a limit.
        begin = self.start[near]
        held = np.minimum(self.start[near + 1] - begin, HOLDERS)
        node = self.holder[rows_of(begin, held)]
        row, bits = np.repeat(row, held), np.repeat(bits, held)
        real = ~np.repeat(self.furniture[near], held)
        # Of each text the best passage counts for each of ours.
        order = np.lexsort((-bits, node, row))
        row, node, bits, real = row[order], node[order], bits[order], real[order]
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (node[1:] != node[:-1])
        nodes, of = np.unique(node[first], return_inverse=True)
        weight = np.bincount(of, bits[first], len(nodes))
        telling = np.bincount(of, (bits * real)[first], len(nodes))
        shorter = np.minimum(float(c.p_information.sum()), self.information[nodes])
        least = least_information(shorter, settings)
        chosen = np.flatnonzero((weight >= least) & (telling > 0))
        best = chosen[np.lexsort((nodes[chosen], -telling[chosen]))[:most]]
        return np.asarray(self.text[nodes[best]], np.int32)

    def _alike(
        self, c: Collection, passage: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Passages alike to ``passage`` (int64) of ``c``: ``(row of passage, number, shared)``,
        the last in quarters of a bit (all int64)."""
        settings = self.settings
        plan = scheme(settings)
        keys = np.empty((len(passage), plan.bands), np.uint32)
        perms = plan.bands * plan.rows
        mixed = bands.mixed_hashes(c.v_hash)
        a, b = plan.a[:perms], plan.b[:perms]
        bands.band_keys(passage, c.p_content, c.c_word, mixed, a, b, plan.rows, keys)
        card = np.zeros((len(passage), 4), np.uint64)
        bands.cards(passage, c.p_content, c.c_word, c.p_information, mixed, card)
        # Our words by the numbers that they have here; others are in no passage.
        size = c.p_content[passage + 1] - c.p_content[passage]
        owner = np.repeat(np.arange(len(passage)), size)
        at = np.minimum(np.searchsorted(self.v_hash, c.v_hash), len(self.v_hash) - 1)
        number = np.where(self.v_hash[at] == c.v_hash, self.v_word[at], -1)
        word = number[c.c_word[rows_of(c.p_content[passage], size)]]
        owner, word = owner[word >= 0], word[word >= 0]
        word = word[np.lexsort((word, owner))]
        content = np.append(0, np.cumsum(np.bincount(owner, minlength=len(passage))))
        found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] = look_up(
            keys,
            content.astype(np.int64),
            word.astype(np.int32),
            card,
            self.entries,
            self.card,
            self.c_word,
            self.v_bits,
            MOST_OF_BUCKET,
            LEAST_AGREEMENT * settings.sensitivity,
            4 * LEAST_SHARED * settings.min_information,
            ALIKE * settings.min_similarity,
            INSIDE,
        )
        return found
