"""Evidence as an Arrow column, without a Python object for each row."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dedup.model import table_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.model import Evidence


def evidence_lists(rows: Sequence[Sequence[Evidence]]) -> pa.ListArray:
    """A column ``list<evidence>`` as ``credits`` and ``mentions`` of articles have."""
    kind = table_schemas()["articles"].field("credits").type
    fields = list(kind.value_type)
    every = list(chain.from_iterable(rows))
    children = [pa.array([getattr(e, f.name) for e in every], f.type) for f in fields]
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(children, fields=fields), type=kind
    )
