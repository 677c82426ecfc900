"""Groups of articles by shared source: cores joined by ``copy``, with ``partial`` attached.

Quotes and furniture join nothing, and ``partial`` never bridges two cores. Where the user says
that two texts are not the same, no chain of others joins them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    same: NDArray[np.int64] | None = None,
    apart: NDArray[np.int64] | None = None,
) -> list[Group]:
    """Groups of nodes, ordered by their smallest core node.

    ``copies`` (int64, nodes) counts the articles with exactly this text: two or more make a
    core by themselves when the text is ``groupable`` (carries enough information). ``same`` and
    ``apart`` (int64, pairs x 2) are pairs that the user judged: where copies would join two that
    are to stay apart, the weakest of the copies between them joins nothing.
    """
    # Imported here: it takes a quarter of a second, beside other stages (see the pipeline).
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    copy = relations.relation == R_COPY
    a, b = relations.a[copy], relations.b[copy]
    graph = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=False)
    if apart is not None and len(apart):
        strength = np.maximum(relations.narrative_a, relations.narrative_b)[copy]
        label = _kept_apart(label, a, b, strength, same, apart)
    size = np.bincount(label, weights=np.where(groupable, copies, 1))
    in_core = size[label] >= 2
    partial = relations.relation == R_PARTIAL
    barred: set[tuple[int, int]] = set()
    for u, v in [] if apart is None else apart.tolist():
        barred |= {(int(label[u]), v), (int(label[v]), u)}
    attached: dict[int, set[int]] = {}
    for u, v in zip(relations.a[partial].tolist(), relations.b[partial].tolist(), strict=True):
        for core, other in ((u, v), (v, u)):
            if in_core[core] and label[core] != label[other] and (label[core], other) not in barred:
                attached.setdefault(int(label[core]), set()).add(other)
    members: dict[int, list[int]] = {}
    for node in np.flatnonzero(in_core).tolist():
        members.setdefault(int(label[node]), []).append(node)
    return [
        Group(tuple(core), tuple(sorted(attached.get(name, ()))))
        for name, core in sorted(members.items(), key=lambda item: item[1][0])
    ]


def _kept_apart(
    label: NDArray[np.int32],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    strength: NDArray[np.float64],
    same: NDArray[np.int64] | None,
    apart: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Labels of components none of which holds a pair of ``apart``.

    Single-linkage clustering under cannot-link constraints (Klein, Kamvar and Manning 2002), in
    the components concerned only: copies join from the strongest on, judged pairs before all, ties
    by node, unless they would join what is to stay apart. A component is labelled as before where
    nothing changes, and parts of it get new labels.
    """
    torn = {int(label[u]) for u, v in apart.tolist() if label[u] == label[v]}
    if not torn:
        return label
    judged = set() if same is None else {tuple(pair) for pair in same.tolist()}
    edges = [
        ((u, v) not in judged, -share, u, v)
        for u, v, share in zip(a.tolist(), b.tolist(), strength.tolist(), strict=True)
        if int(label[u]) in torn
    ]
    nodes = np.flatnonzero(np.isin(label, sorted(torn))).tolist()
    leader = {node: node for node in nodes}
    foes: dict[int, set[int]] = {}
    for u, v in apart.tolist():
        if u in leader and v in leader:
            foes.setdefault(u, set()).add(v)
            foes.setdefault(v, set()).add(u)

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for _, _, u, v in sorted(edges):
        one, two = find(u), find(v)
        if one == two or any(find(foe) == two for foe in foes.get(one, ())):
            continue
        leader[two] = one
        foes.setdefault(one, set()).update(foes.pop(two, ()))
    label = label.copy()
    fresh = int(label.max()) + 1
    names = {root: fresh + n for n, root in enumerate(sorted({find(node) for node in nodes}))}
    for node in nodes:
        label[node] = names[find(node)]
    return label


def group_key(members: Sequence[tuple[str, str]]) -> str:
    """32 hex digits of the set of members, each ``(id, digest)``."""
    h = hashlib.blake2b(digest_size=16)
    for identity, digest in sorted(members):
        h.update(f"{identity}\0{digest}\n".encode("utf-8", "surrogatepass"))
    return h.hexdigest()


def group_id(core: Sequence[tuple[str, str]]) -> str:
    """The id that a scan gives a group: from the smallest of its core members ``(id, digest)``."""
    return f"g-{group_key([min(core)])[:12]}"
