"""The records as the tables need them: names, times, texts, and which share a text."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dedup.chronology import Intervals, Moment, earlier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.corpus import Corpus

FEW = 16
"""Copies of two related texts are paired all with all up to this many lines."""


class Records:
    """Look-ups over a corpus; records are numbered as in ``corpus.table``, nodes as texts."""

    def __init__(self, corpus: Corpus, nodes: int) -> None:
        self.corpus = corpus
        self.refs = corpus.refs
        self.ids = corpus.strings("id")
        self.digests = corpus.strings("digest")
        self.published_raw = corpus.column("published_raw")
        self.urls = corpus.column("url")
        self.bylines = corpus.column("byline")
        unknown = np.iinfo(np.int64).min
        precision = corpus.strings("precision")
        self.moments = [
            Moment(micros if micros != unknown else None, exact)
            for micros, exact in zip(corpus.published.tolist(), precision, strict=True)
        ]
        start, order = corpus.records.start.tolist(), corpus.records.order.tolist()
        self.of_node = [order[start[n] : start[n + 1]] for n in range(nodes)]
        self.number = {ref: i for i, ref in enumerate(self.refs)}
        self.node = corpus.node.tolist()
        # A very long text is asked for once a passage: it must not be decoded each time.
        self.text = lru_cache(maxsize=256)(self._text)

    def __len__(self) -> int:
        return len(self.refs)

    @cached_property
    def by_ref(self) -> NDArray[np.int64]:
        """The records in the order of their refs (int64)."""
        return np.array(sorted(range(len(self.refs)), key=self.refs.__getitem__), np.int64)

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """The place of each record in the order of refs (int64)."""
        place = np.empty(len(self.refs), np.int64)
        place[self.by_ref] = np.arange(len(self.refs))
        return place

    @cached_property
    def intervals(self) -> Intervals:
        """The publication times of the records, to compare."""
        return Intervals.of(self.moments)

    def pairs(self, u: int, v: int) -> list[tuple[int, int]]:
        """Record pairs that stand for a pair of nodes, each ordered by ref.

        All pairs while they are few; else the first records stand for the others, which the
        star of identical texts joins to them.
        """
        a, b = self.of_node[u], self.of_node[v]
        if len(a) == len(b) == 1:
            return [self.ordered(a[0], b[0])]
        if len(a) * len(b) > FEW:
            a, b = a[:1], b[:1]
        return sorted(
            {self.ordered(i, j) for i in a for j in b},
            key=lambda pair: (self.refs[pair[0]], self.refs[pair[1]]),
        )

    def ordered(self, i: int, j: int) -> tuple[int, int]:
        """Two records, the smaller ref first."""
        return (i, j) if self.refs[i] < self.refs[j] else (j, i)

    def same_outlet(self, i: int, j: int) -> bool:
        """Whether two records are known to come from one outlet (or one family of outlets), or are
        versions of one id."""
        one, two = self.corpus.owner_ids[i], self.corpus.owner_ids[j]
        return (one is not None and one == two) or self.ids[i] == self.ids[j]

    def earlier(self, i: int, j: int) -> str | None:
        """Ref of the record observed first, where their times decide."""
        order = earlier(self.moments[i], self.moments[j])
        if order is None or order == 0:
            return None
        return self.refs[i if order < 0 else j]

    def _text(self, node: int) -> str:
        """The text of a node."""
        value: str = self.corpus.texts[node].as_py()
        return value
