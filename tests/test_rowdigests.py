"""Digests of rows are the same just where the rows are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.rowdigests import known_rows, row_digests

EVIDENCE = pa.struct([("source", pa.string()), ("start", pa.int64())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        ("known", pa.bool_()),
        ("at", pa.timestamp("us", "UTC")),
        ("names", pa.list_(pa.string())),
        ("credits", pa.list_(EVIDENCE)),
    ]
)
NAMES = st.lists(st.sampled_from(["", "a", "b", "ab", "ä"]), max_size=3)
ROWS = st.fixed_dictionaries(
    {
        "id": st.none() | st.sampled_from(["", "a", "aa", "\0", "ß"]),
        "count": st.none() | st.integers(-1, 1),
        "share": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
        "known": st.none() | st.booleans(),
        "at": st.none() | st.integers(0, 1),
        "names": st.none() | NAMES,
        "credits": st.none()
        | st.lists(
            st.fixed_dictionaries(
                {"source": st.none() | st.sampled_from(["", "ap"]), "start": st.integers(0, 1)}
            ),
            max_size=2,
        ),
    }
)


@given(st.lists(ROWS, max_size=12), st.integers(0, 12))
@hypothesis_settings(deadline=None)
def test_rows_have_one_digest_just_if_they_are_equal(rows, cut):
    table = pa.Table.from_pylist(rows, SCHEMA)
    digests = row_digests(table, SCHEMA.names)
    for i, one in enumerate(rows):
        for j, two in enumerate(rows):
            assert (one == two) == bool((digests[i] == digests[j]).all()), (one, two)
    # However a table is cut into chunks.
    parts = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    assert np.array_equal(row_digests(parts, SCHEMA.names), digests)
    assert np.array_equal(row_digests(table.slice(cut), SCHEMA.names), digests[cut:])


@given(st.lists(NAMES, max_size=8))
@hypothesis_settings(deadline=None)
def test_an_unordered_list_is_known_in_any_order(lists):
    turned = [names[::-1] for names in lists]
    one, two = (pa.table({"names": pa.array(x, pa.list_(pa.string()))}) for x in (lists, turned))
    same = row_digests(one, ["names"], ["names"]) == row_digests(two, ["names"], ["names"])
    assert same.all()
    ordered = (row_digests(one, ["names"]) == row_digests(two, ["names"])).all(axis=1)
    assert ordered.tolist() == [a == b for a, b in zip(lists, turned, strict=True)]


@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 5), max_size=8))
@hypothesis_settings(deadline=None)
def test_known_rows_are_those_among_the_known(rows, known):
    now, before = (
        row_digests(pa.table({"n": pa.array(x, pa.int64())}), ["n"]) for x in (rows, known)
    )
    assert known_rows(now, before).tolist() == [n in known for n in rows]


def test_nulls_and_what_looks_like_them_differ():
    table = pa.table({"a": pa.array(["", None]), "n": pa.array([0, None], pa.int64())})
    for column in ("a", "n"):
        one, two = row_digests(table, [column])
        assert (one != two).all()
