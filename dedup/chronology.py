"""Which of two articles was observed first, as far as their stated times can tell.

A time known to the day only says "some time that day, in an unknown zone". Nothing here
guesses: where the stated times leave both orders possible, the answer is ``None``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_ZONE = 14 * 3600 * _SECOND
"""A calendar day begins up to 14 hours before UTC's and ends up to 12 after; 14 covers both."""
_NEVER = np.int64(2**62)
"""Later than every moment, with room for the zones' hours."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(NamedTuple):
    """A stated publication time: UTC microseconds (``None`` when unknown) and its precision,
    one of :data:`dedup.model.PRECISIONS`."""

    published: int | None
    precision: str

    @property
    def dated(self) -> bool:
        """Whether the moment says anything at all."""
        return self.published is not None and self.precision != "unknown"

    @property
    def timed(self) -> bool:
        """Whether the time of day is known, and with it the zone."""
        return self.dated and self.precision in ("minute", "second")

    def bounds(self) -> tuple[int, int]:
        """Earliest and latest microsecond that the moment can mean, its own zone assumed.

        Raises ``ValueError`` for a moment that is not dated.
        """
        start = self.published
        if start is None or not self.dated:
            raise ValueError("an undated moment has no bounds")
        if self.precision == "second":
            return start, start
        if self.precision == "minute":
            return start, start + 60 * _SECOND - 1
        if self.precision == "day":
            return start, start + _DAY - 1
        return start, _end_of_month(start, 12 if self.precision == "year" else 1) - 1


def earlier(a: Moment, b: Moment) -> int | None:
    """-1 when ``a`` is surely first, 1 when ``b`` is, 0 for the same second, ``None`` unknown.

    Two bare dates that do not overlap decide: their zones are unknown but most often alike. A
    bare date against a time of day decides only where they are more than the zones' 14 hours
    apart. Two times within one minute of which one is known to the minute do not decide.
    """
    if not (a.dated and b.dated):
        return None
    a_low, a_high = a.bounds()
    b_low, b_high = b.bounds()
    if a.timed and b.timed and a_low == a_high == b_low == b_high:
        return 0
    slack = 0 if a.timed == b.timed else _ZONE
    if a_high + slack < b_low:
        return -1
    if b_high + slack < a_low:
        return 1
    return None


def leads(moments: Iterable[tuple[str, str, Moment]]) -> list[str]:
    """At most four refs that decide who is first, for comparisons in constant time.

    ``moments`` are ``(ref, outlet key, moment)``. If any article of another outlet is surely
    earlier than a given one, then one of these is: of the bare dates and of the times each the
    one that ends first, and the one that ends first among the other outlets.
    """
    ranked: dict[bool, list[tuple[int, str, str]]] = {False: [], True: []}
    for ref, outlet, moment in moments:
        if moment.dated:
            ranked[moment.timed].append((moment.bounds()[1], ref, outlet))
    found: list[str] = []
    for group in ranked.values():
        if group:
            first = min(group)
            found.append(first[1])
            others = [entry for entry in group if entry[2] != first[2]]
            if others:
                found.append(min(others)[1])
    return found


def first_observed(moments: Mapping[str, Moment]) -> str | None:
    """The ref that is surely before all other dated ones, or ``None`` when none is.

    Undated articles are never first and prevent nothing: the word is *observed*. A single
    dated article among undated ones is not named, since nothing was compared. Ties are
    ``None``.
    """
    dated = {ref: moment for ref, moment in moments.items() if moment.dated}
    if not dated or (len(dated) == 1 and len(moments) > 1):
        return None
    for candidate in leads((ref, ref, moment) for ref, moment in dated.items()):
        moment = dated[candidate]
        if all(ref == candidate or earlier(moment, other) == -1 for ref, other in dated.items()):
            return candidate
    return None


@dataclass(frozen=True, slots=True)
class Intervals:
    """Moments as arrays: ``low`` and ``high`` int64 microseconds (:meth:`Moment.bounds`, 0 where
    undated), ``dated`` and ``timed`` bool."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    dated: NDArray[np.bool_]
    timed: NDArray[np.bool_]

    @classmethod
    def of(cls, moments: Sequence[Moment]) -> Intervals:
        """The moments, in their order."""
        bounds = [moment.bounds() if moment.dated else (0, 0) for moment in moments]
        pairs = np.array(bounds, np.int64).reshape(-1, 2)
        return cls(
            pairs[:, 0],
            pairs[:, 1],
            np.array([moment.dated for moment in moments], bool),
            np.array([moment.timed for moment in moments], bool),
        )

    def take(self, rows: NDArray[np.int64]) -> Intervals:
        """Some of them."""
        return Intervals(self.low[rows], self.high[rows], self.dated[rows], self.timed[rows])


def first_of_each(start: NDArray[np.int64], moments: Intervals) -> NDArray[np.int64]:
    """:func:`first_observed` of many groups at once: the rows that are first, or -1 (int64).

    ``start`` int64 (groups + 1): the rows of each group. Of the bare dates and of the times of a
    group only the one that ends first can be before all others.
    """
    groups = len(start) - 1
    found = np.full(groups, -1, np.int64)
    group = np.repeat(np.arange(groups), np.diff(start))
    dated = np.flatnonzero(moments.dated)
    many = np.bincount(group[dated], minlength=groups)
    comparable = (many >= 2) | ((many == 1) & (np.diff(start) == 1))
    kinds = [dated[moments.timed[dated] == timed] for timed in (False, True)]
    # Begin of the earliest of each group, by kind: what a row of the other kind must precede.
    begins = [np.full(groups, _NEVER) for _ in kinds]
    for begin, rows in zip(begins, kinds, strict=True):
        np.minimum.at(begin, group[rows], moments.low[rows])
    for kind, rows in enumerate(kinds):
        rows = rows[np.lexsort((moments.high[rows], group[rows]))]
        leads = np.ones(len(rows), bool)
        leads[1:] = group[rows[1:]] != group[rows[:-1]]
        # Begin of the earliest but the lead itself, among those of its own kind.
        rest = np.full(groups, _NEVER)
        np.minimum.at(rest, group[rows[~leads]], moments.low[rows[~leads]])
        lead = rows[leads]
        own, high = group[lead], moments.high[lead]
        wins = comparable[own] & (high < rest[own]) & (high < begins[1 - kind][own] - _ZONE)
        found[own[wins]] = lead[wins]
    return found


def _end_of_month(start: int, months: int) -> int:
    """Microsecond after ``months`` calendar months from ``start``, saturating at year 9999."""
    try:
        begin = _EPOCH + timedelta(microseconds=start)
        count = begin.year * 12 + begin.month - 1 + months
        end = begin.replace(year=count // 12, month=count % 12 + 1, day=1)
    except (OverflowError, ValueError):
        return start + months * 31 * _DAY
    return round((end - _EPOCH) / timedelta(microseconds=1))
