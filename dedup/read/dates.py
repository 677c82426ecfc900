"""Publication times: what is stated, how exactly, and never more than that.

A time is never guessed: parts that are missing lower the precision, an order of day and month
that cannot be known makes the date unknown.
"""

from __future__ import annotations

import os
import re
import warnings
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dateutil import parser as dateutil_parser

from dedup.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

_EARLIEST = datetime(1600, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS = (631_152_000, 4_102_444_800)  # 1990-01-01 and 2100-01-01
_MAX_LENGTH = 100  # longer strings are no dates, and parsers need more than linear time
_MAX_CACHED = 100_000

_YEAR = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_TIME = re.compile(r"\D(\d{2})(?::?(\d{2}))?(?::?(\d{2}))?", re.ASCII)
_NUMBER = re.compile(r"\d{9,13}(?:\.\d+)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", re.ASCII)
_PARTS = re.compile(r"(?<!\d)(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4}|\d{2})(?![\d:])", re.ASCII)
_FOUR_DIGITS = re.compile(r"(?<!\d)\d{4}(?!\d)", re.ASCII)
_RFC2822 = re.compile(
    r"(?:[a-z]{3,9},?\s+)?\d{1,2}\s+[a-z]{3}\s+(?:\d{2}|\d{4})\s+\d{1,2}:\d{2}(:\d{2})?"
    r"(?:\s+(?:[+-]\d{4}|[a-z]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)
_ZONES = {
    name: int(hours)
    for name, hours in re.findall(
        r"(\w+) ([+-]\d)",
        "UTC +0 GMT +0 Z +0 CET +1 CEST +2 EET +2 EEST +3 "
        "EST -5 EDT -4 CST -6 CDT -5 MST -7 MDT -6 PST -8 PDT -7",
    )
}
"""Hours from UTC of zone names: those of RFC 2822 and of the European zones. Others are
ambiguous (``IST``, ``BST``) and count as no zone."""

# Two defaults that differ in every part: a part that comes out equal was stated.
_DEFAULTS = (datetime(2001, 1, 1, 1, 1, 1), datetime(2004, 2, 2, 2, 2, 2))

UNREADABLE = "date-unreadable"
AMBIGUOUS = "date-ambiguous"
IN_FUTURE = "date-in-future"
WITHOUT_ZONE = "date-without-zone"


class Published(NamedTuple):
    """``micros``: microseconds since 1970 in UTC, or ``None``; ``precision`` as in the model."""

    micros: int | None
    precision: str
    issues: tuple[str, ...]


NOT_STATED = Published(None, "unknown", ())


def current_time() -> datetime:
    """Now in UTC, or the time that the environment's ``SOURCE_DATE_EPOCH`` sets.

    Raises :class:`~dedup.errors.SettingsError` when that is not a number of seconds.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if not stated:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(stated), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SettingsError(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {stated!r}"
        ) from error


class DateReader:
    """Parses publication times; remembers results, since dumps repeat them.

    ``now``: times more than a day after it are in the future, hence unknown.
    """

    def __init__(self, now: datetime) -> None:
        now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
        self._latest = now + timedelta(days=1)
        self._cache: dict[str, Published] = {}

    def __call__(self, raw: Any) -> Published:
        """Parse a string, a number of (milli)seconds since 1970, a date or a datetime."""
        if type(raw) is str:
            known = self._cache.get(raw)
            if known is None:
                known = self._parse(raw)
                if len(self._cache) >= _MAX_CACHED:
                    self._cache.clear()
                self._cache[raw] = known
            return known
        return self._parse(raw)

    def _parse(self, raw: Any) -> Published:
        if raw is None:
            return NOT_STATED
        if isinstance(raw, str):
            raw = raw.strip()
            if not raw:
                return NOT_STATED
            found = _from_text(raw)
        elif isinstance(raw, datetime):
            found = _bare_midnight_is_a_day(raw, "second")
        elif isinstance(raw, date):
            found = datetime(raw.year, raw.month, raw.day, tzinfo=UTC), "day"
        elif isinstance(raw, (int, float)) and not isinstance(raw, bool):
            found = _from_epoch(raw) or _from_text(f"{raw:.0f}")
        else:
            found = None
        if found is None:
            return Published(None, "unknown", (UNREADABLE,))
        if isinstance(found, str):
            return Published(None, "unknown", (found,))
        return self._checked(*found)

    def _checked(self, when: datetime, precision: str) -> Published:
        issues: tuple[str, ...] = ()
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
            issues = (WITHOUT_ZONE,)
        try:
            when = when.astimezone(UTC)
        except OverflowError:
            return Published(None, "unknown", (UNREADABLE,))
        if when > self._latest:
            return Published(None, "unknown", (IN_FUTURE,))
        if when < _EARLIEST:
            return Published(None, "unknown", (UNREADABLE,))
        return Published((when - _EPOCH) // timedelta(microseconds=1), precision, issues)


_Found = tuple[datetime, str] | str | None  # time and precision, or the issue, or nothing


def _from_text(text: str) -> _Found:
    if len(text) > _MAX_LENGTH:
        return None
    if _NUMBER.fullmatch(text) and (found := _from_epoch(float(text))):
        return found
    if match := _YEAR.fullmatch(text):
        stated, month = int(match[1]), int(match[2] or 1)
        if stated < 1 or not 1 <= month <= 12:
            return None
        return datetime(stated, month, 1, tzinfo=UTC), "month" if match[2] else "year"
    if match := _YEAR_FIRST.match(text):
        text = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}{text[match.end() :]}"
    elif match := _PARTS.search(text):
        first, second, year = int(match[1]), int(match[3]), match[4]
        if len(year) == 2 or (first <= 12 and second <= 12 and first != second):
            return AMBIGUOUS
        day_of, month_of = (second, first) if second > 12 else (first, second)
        text = f"{year}-{month_of:02}-{day_of:02}{text[match.end() :]}".strip()
    for parse in (_from_iso, _from_mail, _from_words):
        if (found := parse(text)) is not None:
            return found
    return None


def _from_iso(text: str) -> tuple[datetime, str] | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass  # not a bare day; a time may follow
    else:
        return datetime(day.year, day.month, day.day, tzinfo=UTC), "day"
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    clock = _TIME.match(text, 10 if text[4:5] == "-" and text[5:6] != "W" else 8)
    if clock is None or clock[2] is None:
        # Only an hour is stated, for which there is no precision: the day is certain.
        return when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC), "day"
    return _bare_midnight_is_a_day(when, "second" if clock[3] else "minute")


def _bare_midnight_is_a_day(when: datetime, precision: str) -> tuple[datetime, str]:
    """A day stored in a column of times reads ``00:00:00`` without zone: only the day is known."""
    if when.tzinfo is None and not (when.hour or when.minute or when.second or when.microsecond):
        return when.replace(tzinfo=UTC), "day"
    return when, precision


def _from_mail(text: str) -> tuple[datetime, str] | None:
    match = _RFC2822.fullmatch(text)
    if match is None:
        return None
    try:
        return parsedate_to_datetime(text), "second" if match[1] else "minute"
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _from_words(text: str) -> tuple[datetime, str] | None:
    """Everything else, by ``dateutil``; what it would fill in from today is not accepted."""
    if not _FOUR_DIGITS.search(text):
        return None  # without a full year ``4 Mar 21`` can be read in two ways
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unknown zone name is handled as no zone
        try:
            a, b = (
                dateutil_parser.parse(text, default=default, tzinfos=_zone) for default in _DEFAULTS
            )
        # dateutil lets many kinds of error escape for odd strings; all mean: no date.
        except Exception:
            return None
    if a.year != b.year or (a.month != b.month and a.day == b.day):
        return None
    if a.month != b.month:
        return datetime(a.year, 1, 1, tzinfo=UTC), "year"
    if a.day != b.day:
        return datetime(a.year, a.month, 1, tzinfo=UTC), "month"
    if a.minute != b.minute:
        return datetime(a.year, a.month, a.day, tzinfo=UTC), "day"
    if a.second != b.second:
        return a.replace(second=0, microsecond=0), "minute"
    return a, "second"


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None and abs(offset) < 86_400:
        return timezone(timedelta(seconds=offset))
    hours = _ZONES.get((name or "").upper())
    return None if hours is None else timezone(timedelta(hours=hours))


def _from_epoch(number: float) -> tuple[datetime, str] | None:
    low, high = _EPOCH_SECONDS
    if low <= number < high:
        scale: Callable[[float], timedelta] = _seconds
    elif low * 1000 <= number < high * 1000:
        scale = _milliseconds
    else:
        return None
    return _EPOCH + scale(number), "second"


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _milliseconds(number: float) -> timedelta:
    return timedelta(milliseconds=number)
