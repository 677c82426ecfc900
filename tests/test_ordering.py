"""The texts of a run in order: in memory or in a temporary file, always the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dedup.arena import Arena
from dedup.ordering import TextPile

PARTS = st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=4)


@given(PARTS, st.sampled_from([None, 0, 7]), st.data())
def test_any_rows_in_any_order(parts, limit, data):
    texts = [text for part in parts for text in part]
    rows = data.draw(st.permutations(range(len(texts))))
    rows = rows[: data.draw(st.integers(0, len(rows)))]
    pile = TextPile(limit=limit)
    for part in parts:
        # A slice of a larger array, as Arrow hands them on.
        array = pa.array(["before", *part, "after"], pa.large_string()).slice(1, len(part))
        pile.add(array, np.array([len(text) % 3 for text in part], np.int64))
    assert pile.bytes == sum(len(text.encode()) for text in texts)
    found = pile.ordered(np.array(rows, np.int64))
    found.validate(full=True)
    assert found.to_pylist() == [texts[row] for row in rows]


def test_nothing_of_a_temporary_file_is_left_behind(tmp_path):
    pile = TextPile(Arena(folder=str(tmp_path)), 0)
    pile.add(pa.array(["harbour", "storm"], pa.large_string()), np.array([0, 1]))
    assert list(tmp_path.iterdir()) == []
    found = pile.ordered(np.array([1, 0]))
    assert list(tmp_path.iterdir()) == []
    del pile
    assert found.to_pylist() == ["storm", "harbour"]
