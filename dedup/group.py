"""Groups of articles by shared source: cores joined by ``copy``, with ``partial`` attached.

Quotes and furniture join nothing, and ``partial`` never bridges two cores.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dedup.relate import R_COPY, R_PARTIAL, Relations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Group:
    """``core`` and ``attached`` nodes, ascending."""

    core: tuple[int, ...]
    attached: tuple[int, ...]


def group_nodes(
    nodes: int,
    relations: Relations,
    copies: NDArray[np.int64],
    groupable: NDArray[np.bool_],
) -> list[Group]:
    """Groups of nodes, ordered by their smallest core node.

    ``copies`` (int64, nodes) counts the articles with exactly this text: two or more make a
    core by themselves when the text is ``groupable`` (carries enough information).
    """
    copy = relations.relation == R_COPY
    a, b = relations.a[copy], relations.b[copy]
    graph = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=False)
    size = np.bincount(label, weights=np.where(groupable, copies, 1), minlength=nodes)
    in_core = size[label] >= 2
    partial = relations.relation == R_PARTIAL
    attached: dict[int, set[int]] = {}
    for u, v in zip(relations.a[partial].tolist(), relations.b[partial].tolist(), strict=True):
        for core, other in ((u, v), (v, u)):
            if in_core[core] and label[core] != label[other]:
                attached.setdefault(int(label[core]), set()).add(other)
    members: dict[int, list[int]] = {}
    for node in np.flatnonzero(in_core).tolist():
        members.setdefault(int(label[node]), []).append(node)
    return [
        Group(tuple(core), tuple(sorted(attached.get(name, ()))))
        for name, core in sorted(members.items(), key=lambda item: item[1][0])
    ]


def group_key(members: Sequence[tuple[str, str]]) -> str:
    """32 hex digits of the set of members, each ``(id, digest)``."""
    h = hashlib.blake2b(digest_size=16)
    for identity, digest in sorted(members):
        h.update(f"{identity}\0{digest}\n".encode("utf-8", "surrogatepass"))
    return h.hexdigest()
