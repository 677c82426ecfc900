"""Digests of the rows of a table, by which those are found that are not as they were.

Rows of unlike digests differ; two unlike rows have the same one by chance once in 2^128 pairs. The
hash has no key: it guards against chance alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.collection import utf8
from dedup.kernels import digests as kernels

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]
    """uint64 (rows, 2)."""

_NULL = np.array([0x6E756C6C, 0x4C4C554E], np.uint64)


def row_digests(
    table: pa.Table, columns: Sequence[str], unordered: Collection[str] = ()
) -> Digests:
    """Digests of the rows of a table over some of its columns (uint64, (rows, 2)).

    ``unordered``: columns of lists of which the order plays no part.
    """
    out = np.zeros((len(table), 2), np.uint64)
    for name in columns:
        column = pa.concat_arrays(
            [pa.array([], table.schema.field(name).type), *table[name].chunks]
        )
        kernels.join(out, _digests(column, name not in unordered))
    return out


def known_rows(rows: Digests, known: Digests) -> NDArray[np.bool_]:
    """Which of ``rows`` (bool) are among the ``known`` ones."""
    if not len(known):
        return np.zeros(len(rows), bool)
    known = known[np.argsort(known[:, 0], kind="stable")]
    at = np.minimum(np.searchsorted(known[:, 0], rows[:, 0]), len(known) - 1)
    return np.asarray((known[at] == rows).all(axis=1))


def _digests(values: pa.Array, ordered: bool = True) -> Digests:
    """Digests of the values of an array."""
    out = np.empty((len(values), 2), np.uint64)
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy().astype(np.int64)
        offsets = np.append(0, np.cumsum(lengths))
        kernels.of_lists(offsets, _digests(values.flatten()), ordered, out)
    elif pa.types.is_struct(kind):
        out[:] = 0
        for field in values.flatten():
            kernels.join(out, _digests(field))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        kernels.of_texts(*utf8(values.cast(pa.large_string())), out)
    elif pa.types.is_floating(kind):
        numbers = pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy()
        kernels.of_numbers(numbers.view(np.uint64), out)
    else:
        if pa.types.is_boolean(kind):
            values = values.cast(pa.int8())
        numbers = pc.fill_null(values.cast(pa.int64()), 0).to_numpy()
        kernels.of_numbers(numbers.view(np.uint64), out)
    if values.null_count:
        out[pc.is_null(values).to_numpy(zero_copy_only=False)] = _NULL
    return out
