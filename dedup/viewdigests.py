"""Digests of what the rows of the tables follow from: where none of it is other than in the run
before, neither is the row.

Every digest holds those of what it rests on: an article's record those of its text's relations and
of its groups, a group's those of its members, a passage's those of its holders and their groups.
Articles come in by their id and the digest of their text: what else a record says does not change
between two runs that are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.kernels import digests as kernels
from dedup.kinds import BOILERPLATE
from dedup.relate import R_QUOTE
from dedup.rowdigests import row_digests
from dedup.tables.relations import near_misses
from dedup.tables.scores import identical_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.config import Settings
    from dedup.pipeline import Analysis
    from dedup.rowdigests import Digests


@dataclass(frozen=True, slots=True)
class ViewDigests:
    """Digests (uint64, (rows, 2)) of all ``records``, ``groups`` and shared passages
    (``clusters``), and of the ``pairs`` that have rows.

    ``pair_of`` int64: which aligned pair each is; ``identical`` (nodes, int64) with their digests
    in ``of_identical``: texts that several articles have. ``key`` uint64 and ``again`` int32 make
    the id of each shared passage: its key, and how many before it have the same.
    """

    records: Digests
    groups: Digests
    clusters: Digests
    key: NDArray[np.uint64]
    again: NDArray[np.int32]
    pair_of: NDArray[np.int64]
    pairs: Digests
    identical: NDArray[np.int64]
    of_identical: Digests


def view_digests(x: Analysis, settings: Settings, group_ids: Sequence[str]) -> ViewDigests:
    """What the rows of the tables of an analysis follow from; ``group_ids`` as the tables have
    them."""
    corpus, c, shared = x.corpus, x.collection, x.shared
    names = {
        "id": corpus.table["id"],
        "digest": corpus.table["digest"],
        "ref": pa.chunked_array([pa.array(corpus.refs, pa.string())]),
        "outlet": pa.chunked_array([pa.array(corpus.outlet_names, pa.string())]),
    }
    record = row_digests(pa.table(names), list(names))
    node = _lists(corpus.records.start, record[corpus.records.order])
    key = c.p_key[shared.centre]
    again = _repeats(key)
    cluster = _numbers(key, again)
    pair_of, pairs = _pairs(x, settings, node, cluster)

    occurs = np.repeat(np.arange(len(shared)), np.diff(shared.start))
    holder = c.p_article[shared.passage].astype(np.int64)
    real = x.statistics.kind[occurs] != BOILERPLATE
    facts = _joined(
        node,
        _sums(c.nodes, [(x.relations.a[pair_of], pairs), (x.relations.b[pair_of], pairs)]),
        _sums(c.nodes, [(holder[real], cluster[occurs[real]])]),
    )
    groups, of_groups = _groups(x, facts, group_ids)

    centre = c.p_article[shared.centre]
    clusters = _joined(
        cluster,
        _numbers(x.statistics.kind, shared.centre - c.d_passage[centre]),
        node[centre],
        _lists(
            shared.start,
            _joined(
                _numbers(c.p_start[shared.passage], c.p_end[shared.passage]),
                node[holder],
                of_groups[holder],
            ),
        ),
    )
    repeated = identical_nodes(x)
    return ViewDigests(
        _joined(record, facts[corpus.node], of_groups[corpus.node]),
        groups,
        clusters,
        key,
        again,
        pair_of,
        pairs,
        repeated,
        _joined(_numbers(np.zeros(len(repeated), np.int64)), node[repeated]),
    )


def _pairs(
    x: Analysis, settings: Settings, node: Digests, cluster: Digests
) -> tuple[NDArray[np.int64], Digests]:
    """The pairs that have rows (int64), and what these follow from."""
    r, m, c = x.relations, x.matches, x.collection
    near = near_misses(x, settings)
    chosen = np.flatnonzero((r.relation >= R_QUOTE) | (near != 0))
    place = np.full(len(r.a), -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    own = np.flatnonzero(place[m.pair] >= 0)
    pair = m.pair[own]
    # Tokens by their places in the text: what they are there does not change.
    token = c.p_token[c.d_passage]
    first_a, first_b = token[r.a[pair]], token[r.b[pair]]
    matches = _joined(
        _numbers(
            m.a0[own] - first_a,
            m.a1[own] - first_a,
            m.b0[own] - first_b,
            m.b1[own] - first_b,
            m.similarity[own],
            m.kind[own],
        ),
        np.append(cluster, np.zeros((1, 2), np.uint64), axis=0)[m.passage[own]],
    )
    start = np.searchsorted(place[pair], np.arange(len(chosen) + 1)).astype(np.int64)
    values = (
        *(r.relation, r.p_shared, r.p_copied, r.coverage_a, r.coverage_b),
        *(r.narrative_a, r.narrative_b, near),
    )
    found = _joined(
        _numbers(*(value[chosen] for value in values)),
        node[r.a[chosen]],
        node[r.b[chosen]],
        _lists(start, matches),
    )
    return chosen, found


def _groups(x: Analysis, facts: Digests, ids: Sequence[str]) -> tuple[Digests, Digests]:
    """Digests of all groups, and the sum of those of each node's groups."""
    named = row_digests(pa.table({"id": pa.array(ids, pa.string())}), ["id"])
    out = named
    owner, member = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in ("core", "attached"):
        nodes = [getattr(group, part) for group in x.groups]
        start = np.append(0, np.cumsum([len(some) for some in nodes])).astype(np.int64)
        flat = np.array([node for some in nodes for node in some], np.int64)
        out = _joined(out, _lists(start, facts[flat]))
        owner.append(np.repeat(np.arange(len(nodes)), np.diff(start)))
        member.append(flat)
    return out, _sums(len(facts), [(np.concatenate(member), out[np.concatenate(owner)])])


def _repeats(key: NDArray[np.uint64]) -> NDArray[np.int32]:
    """How many before each have the same key (int32)."""
    order = np.argsort(key, kind="stable")
    new = np.ones(len(key), bool)
    new[1:] = key[order][1:] != key[order][:-1]
    begin = np.flatnonzero(new)
    out = np.empty(len(key), np.int32)
    out[order] = np.arange(len(key)) - np.repeat(begin, np.diff(np.append(begin, len(key))))
    return out


def _numbers(*columns: NDArray[Any]) -> Digests:
    """Digests of rows of numbers."""
    out = np.zeros((len(columns[0]), 2), np.uint64)
    for column in columns:
        kind = np.float64 if column.dtype.kind == "f" else np.int64
        values = column if column.dtype == np.uint64 else column.astype(kind).view(np.uint64)
        found = np.empty_like(out)
        kernels.of_numbers(np.ascontiguousarray(values), found)
        kernels.join(out, found)
    return out


def _joined(*columns: Digests) -> Digests:
    """Digests of rows of what has digests."""
    out = np.zeros((len(columns[0]), 2), np.uint64)
    for column in columns:
        kernels.join(out, np.ascontiguousarray(column))
    return out


def _lists(start: NDArray[np.int64], items: Digests) -> Digests:
    """Digests of lists of ``items``, which begin at ``start`` (int64, lists + 1)."""
    out = np.empty((len(start) - 1, 2), np.uint64)
    kernels.of_lists(start, np.ascontiguousarray(items), True, out)
    return out


def _sums(count: int, parts: Sequence[tuple[NDArray[Any], Digests]]) -> Digests:
    """The sum of the digests that each of ``count`` owners has, in whatever order; ``parts``: the
    owner of each digest, and these."""
    out = np.zeros((count, 2), np.uint64)
    for owner, found in parts:
        for column in range(2):
            np.add.at(out[:, column], owner, found[:, column])
    return out
