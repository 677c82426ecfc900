"""What runs of an index kept, one after another, and the same joined."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.reuse import merged_parts

ROW = st.tuples(*(st.integers(0, top) for top in (3, 3, 255, 255)))
"""Text, place, and a byte of bands each: where the passage is a member, and where it represents."""


def crowd_part(rows):
    text, place, member, represents = np.array(rows, np.int64).reshape(-1, 4).T
    return {
        "text": text.astype(np.int32),
        "place": place.astype(np.int32),
        "member": member.astype(np.uint8).reshape(-1, 1),
        "represents": represents.astype(np.uint8).reshape(-1, 1),
    }


def test_a_passage_that_was_displaced_represents_no_more():
    """It stood for its full bucket until a later run brought a smaller one."""
    before, after = crowd_part([(1, 0, 1, 1), (2, 0, 1, 0)]), crowd_part([(1, 0, 1, 0)])
    found = merged_parts("crowd", [before, after], np.array([1, 2], np.int32))
    assert found["text"].tolist() == [2, 1]
    assert found["represents"].tolist() == [[0], [0]]


@given(st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=4), st.sets(st.integers(0, 3)))
def test_joined_roles_are_the_last_of_each_place_in_texts_that_are_there(parts, known):
    expected = {(t, p): (m, r) for rows in parts for t, p, m, r in rows if t in known}
    texts = np.array(sorted(known), np.int32)
    found = merged_parts("crowd", [crowd_part(rows) for rows in parts], texts)
    where = list(zip(found["text"].tolist(), found["place"].tolist(), strict=True))
    assert len(where) == len(set(where))
    roles = zip(found["member"].ravel().tolist(), found["represents"].ravel().tolist(), strict=True)
    assert dict(zip(where, roles, strict=True)) == expected
