"""Which rows of the tables are made, where the others stand already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to be made, and what is known of the others (an index's update).

    All bool: ``records``; ``pairs`` (aligned) and ``identical`` texts (nodes), whose relations,
    matches and near misses are made; ``groups`` in the order of the analysis; ``clusters`` shared
    passages. Both texts of a pair, all members of a group and all articles of an identical text
    are among the records.

    Of all records, to be asked for those that are not made: ``group_of`` its group and
    ``source_of`` its source. ``group_sources``: id, name, kind and confidence of the source of each
    group that is not made, by its id.
    """

    records: NDArray[np.bool_]
    pairs: NDArray[np.bool_]
    identical: NDArray[np.bool_]
    groups: NDArray[np.bool_]
    clusters: NDArray[np.bool_]
    group_of: Sequence[str | None]
    source_of: Sequence[str | None]
    group_sources: Mapping[str, tuple[str, str, str, float]]
