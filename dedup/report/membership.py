"""Which rows of a table of pairs lie within which groups, by columns."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PairsOfGroups:
    """The rows of a pair table by the groups that hold both ends."""

    def __init__(self, groups: pa.Table, pairs: pa.Table) -> None:
        members = Flat(groups.column("articles"))
        names = members.refs_array.dictionary_encode()
        codes = np.asarray(names.indices.fill_null(-1), np.int64)
        group = np.repeat(np.arange(len(groups)), np.diff(members.edges))
        ends = [
            pc.index_in(pairs.column(side), value_set=names.dictionary).combine_chunks()
            for side in ("a", "b")
        ]
        a, b = (np.asarray(end.fill_null(-1), np.int64) for end in ends)
        row = np.flatnonzero((a >= 0) & (b >= 0))
        # Each group of the first end, by a sorted list of (article, group).
        by_article = np.lexsort((group, codes))
        start = np.searchsorted(codes[by_article], a[row])
        length = np.searchsorted(codes[by_article], a[row], "right") - start
        row = np.repeat(row, length)
        within = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        of_a = group[by_article][np.repeat(start, length) + within]
        # Those groups that hold the second end too.
        width = max(1, len(groups))
        both = np.isin(b[row] * width + of_a, codes * width + group)
        row, of_a = row[both], of_a[both]
        order = np.argsort(of_a, kind="stable")
        self._rows: NDArray[np.int64] = row[order]
        self._edges = np.searchsorted(of_a[order], np.arange(len(groups) + 1))
        self._pairs = pairs

    def of(self, start: int, stop: int) -> list[list[dict[str, Any]]]:
        """The rows of each of the groups ``start`` to ``stop``, in the order of the table."""
        edges = self._edges[start : stop + 1]
        rows = self._pairs.take(pa.array(self._rows[edges[0] : edges[-1]])).to_pylist()
        cuts = (edges - edges[0]).tolist()
        return [rows[a:b] for a, b in pairwise(cuts)]


class Flat:
    """A column of lists as one array and edges: list ``k`` is ``refs[edges[k]:edges[k + 1]]``."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.refs_array = pc.list_flatten(column).combine_chunks()
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), np.int64)
        self.edges: list[int] = [0, *np.cumsum(lengths).tolist()]

    @cached_property
    def refs(self) -> list[str]:
        """The array as a list."""
        found: list[str] = self.refs_array.to_pylist()
        return found
