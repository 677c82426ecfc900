"""Groups and clusters against simple oracles."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import components, stars

from dedup.group import Group, group_key, group_nodes
from dedup.kernels.pairs import star_clusters
from dedup.kernels.spans import union_letters
from dedup.relate import R_BOILERPLATE, R_COPY, R_PARTIAL, R_QUOTE, Relations

N = 12
EDGES = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda e: e[0] < e[1]),
    st.sampled_from([0, R_BOILERPLATE, R_QUOTE, R_PARTIAL, R_COPY]),
    max_size=20,
)


def relations(edges: dict[tuple[int, int], int]) -> Relations:
    a, b = (np.array([e[k] for e in sorted(edges)], np.int64) for k in (0, 1))
    kind = np.array([edges[e] for e in sorted(edges)], np.int8)
    real = np.zeros(len(edges))
    return Relations(a, b, kind, real, real, real, real, real, real)


@given(
    EDGES,
    st.lists(st.integers(1, 2), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=N, max_size=N),
)
def test_groups_equal_the_oracle(edges, copies, groupable):
    found = group_nodes(N, relations(edges), np.array(copies), np.array(groupable))
    cores = {
        core
        for core in components(range(N), [e for e, kind in edges.items() if kind == R_COPY])
        if len(core) > 1 or any(copies[n] > 1 and groupable[n] for n in core)
    }
    assert {frozenset(g.core) for g in found} == cores
    for group in found:
        near = {
            other
            for e, kind in edges.items()
            if kind == R_PARTIAL
            for one, other in (e, e[::-1])
            if one in group.core and other not in group.core
        }
        assert set(group.attached) == near
        assert group.core == tuple(sorted(group.core))
    assert [g.core[0] for g in found] == sorted(g.core[0] for g in found)


def test_partial_never_bridges_and_may_attach_twice():
    copies, groupable = np.ones(5, int), np.ones(5, bool)
    edges = {(0, 1): R_COPY, (2, 3): R_COPY, (1, 4): R_PARTIAL, (2, 4): R_PARTIAL}
    assert group_nodes(5, relations(edges), copies, groupable) == [
        Group((0, 1), (4,)),
        Group((2, 3), (4,)),
    ]


def test_quotes_and_furniture_join_nothing():
    edges = {(a, b): R_QUOTE if a % 2 else R_BOILERPLATE for a in range(5) for b in range(a + 1, 5)}
    assert group_nodes(5, relations(edges), np.ones(5, int), np.ones(5, bool)) == []


def test_key_is_of_the_set_of_members():
    members = [("b", "2"), ("a", "1"), ("a", "9")]
    assert group_key(members) == group_key(members[::-1])
    assert len(group_key(members)) == 32
    for other in ([("b", "2"), ("a", "1")], [("b", "2"), ("a", "1"), ("a", "8")]):
        assert group_key(other) != group_key(members)


@given(
    st.permutations(range(N)),
    st.sets(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda e: e[0] < e[1])),
)
def test_star_clusters_equal_the_oracle(order, edges):
    both = sorted(edges | {(b, a) for a, b in edges})
    start = np.searchsorted([a for a, _ in both], np.arange(N + 1)).astype(np.int64)
    out = np.empty(N, np.int64)
    star_clusters(np.array(order, np.int64), start, np.array([b for _, b in both], np.int64), out)
    assert dict(enumerate(out.tolist())) == stars(order, edges)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(1, 10)), max_size=8),
    st.sampled_from([1, 2, 3]),
)
def test_letters_of_a_union_equal_the_oracle(spans, width):
    """Ten tokens, one character apart; ``width`` 2 and 3 are overlapping Han and Thai tokens."""
    spans = [(owner, lo, min(10, lo + n)) for owner, lo, n in spans]
    t_start = np.arange(10, dtype=np.int32)
    t_length = np.full(len(t_start), width, np.uint16)
    owner, lo, hi = (np.array([s[k] for s in spans], np.int64) for k in range(3))
    found = union_letters(owner, lo, hi, np.lexsort((lo, owner)), 3, t_start, t_length)
    wanted = [
        len({c for o, a, b in spans if o == mine for c in range(a, b - 1 + width)})
        for mine in range(3)
    ]
    assert found.tolist() == wanted
