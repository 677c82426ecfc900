"""The order of two stated times, and who was observed first."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.chronology import (
    Intervals,
    Moment,
    earlier,
    first_observed,
    first_of_each,
    leads,
)


def at(text: str, precision: str) -> Moment:
    when = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Moment(int(when.timestamp()) * 1_000_000, precision)


NEVER = Moment(None, "unknown")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (at("2021-07-11", "day"), at("2021-07-12", "day"), -1),
        (at("2021-07-12", "day"), at("2021-07-12", "day"), None),
        (at("2021-07-12T10:00:00", "second"), at("2021-07-12T10:00:01", "second"), -1),
        (at("2021-07-12T10:00:00", "second"), at("2021-07-12T10:00:00", "second"), 0),
        (at("2021-07-12T10:00", "minute"), at("2021-07-12T10:00", "minute"), None),
        (at("2021-07-12T10:00", "minute"), at("2021-07-12T10:00:30", "second"), None),
        (at("2021-07-12T10:00", "minute"), at("2021-07-12T10:01", "minute"), -1),
        # A bare day against a time: the zone of the day is unknown.
        (at("2021-07-12", "day"), at("2021-07-12T10:00", "minute"), None),
        (at("2021-07-12", "day"), at("2021-07-13T10:00", "minute"), None),
        (at("2021-07-12", "day"), at("2021-07-13T14:00", "minute"), -1),
        (at("2021-07-12", "day"), at("2021-07-11T12:00", "minute"), None),
        (at("2021-07-12", "day"), at("2021-07-11T09:00", "minute"), 1),
        (at("2021-07-01", "month"), at("2021-07-12", "day"), None),
        (at("2021-07-01", "month"), at("2021-08-01", "day"), -1),
        (at("2020-01-01", "year"), at("2021-01-01", "month"), -1),
        (at("9999-12-01", "month"), at("2021-01-01", "month"), 1),
        (NEVER, at("2021-07-12", "day"), None),
        (Moment(0, "unknown"), at("2021-07-12", "day"), None),
    ],
)
def test_earlier(a: Moment, b: Moment, expected: int | None) -> None:
    assert earlier(a, b) == expected
    assert earlier(b, a) == (None if expected is None else -expected)


def test_first_observed() -> None:
    monday, tuesday = at("2021-07-12", "day"), at("2021-07-13", "day")
    assert first_observed({"a": tuesday, "b": monday}) == "b"
    assert first_observed({"a": monday, "b": monday, "c": tuesday}) is None
    assert first_observed({"a": monday, "b": tuesday, "c": NEVER}) == "a"
    assert first_observed({"a": monday, "b": NEVER}) is None
    assert first_observed({"a": NEVER, "b": NEVER}) is None
    assert first_observed({}) is None


moments = st.builds(
    Moment,
    st.one_of(st.none(), st.integers(0, 12).map(lambda n: n * 6 * 3600 * 1_000_000)),
    st.sampled_from(["unknown", "month", "day", "minute", "second"]),
)


@given(st.lists(st.tuples(st.sampled_from("ABC"), moments), max_size=8))
def test_leads_decide_as_all_pairs_do(articles: list[tuple[str, Moment]]) -> None:
    named = {str(i): article for i, article in enumerate(articles)}
    ahead = leads((ref, outlet, moment) for ref, (outlet, moment) in named.items())
    assert len(ahead) <= 4
    for outlet, moment in named.values():

        def beaten(refs: list[str], outlet: str = outlet, moment: Moment = moment) -> bool:
            others = (named[r][1] for r in refs if named[r][0] != outlet)
            return any(earlier(other, moment) == -1 for other in others)

        assert beaten(ahead) == beaten(list(named))


@given(st.lists(moments, max_size=8))
def test_first_observed_is_before_every_other(values: list[Moment]) -> None:
    named = {str(i): moment for i, moment in enumerate(values)}
    dated = {ref: moment for ref, moment in named.items() if moment.dated}
    sure = [
        ref
        for ref, moment in dated.items()
        if all(ref == r or earlier(moment, m) == -1 for r, m in dated.items())
    ]
    expected = sure[0] if sure and (len(dated) > 1 or len(named) == 1) else None
    assert first_observed(named) == expected


@given(st.lists(st.lists(moments, max_size=5), max_size=6))
def test_many_groups_at_once_are_decided_as_each_alone(groups: list[list[Moment]]) -> None:
    start = np.cumsum([0, *(len(group) for group in groups)]).astype(np.int64)
    found = first_of_each(start, Intervals.of([m for group in groups for m in group]))
    for begin, group, row in zip(start.tolist(), groups, found.tolist(), strict=False):
        expected = first_observed({str(i): moment for i, moment in enumerate(group)})
        assert row == (-1 if expected is None else begin + int(expected))
