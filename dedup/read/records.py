"""From a format's raw records to validated article rows in Arrow batches."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.model import article_schema
from dedup.read.columns import Columns, listed
from dedup.read.dates import IN_FUTURE, NOT_STATED, DateReader
from dedup.read.intake import Intake, RawRecord
from dedup.read.jsontext import LONE_SURROGATE, without_surrogates
from dedup.read.outlets import outlet_of
from dedup.read.story import UNDER_EMBARGO
from dedup.read.wordpress import is_rendered, plain_post
from dedup.read.wrapped import is_empty_answer, records_in, several_lists

if TYPE_CHECKING:
    from dedup.config import ReadSettings

ID_DERIVED = "id-derived"
EMBARGOED = "embargoed"
"""Issue: the item was under an embargo, which is over."""
_MAX_NESTING = 4
_ROWS = 64
"""Rows that wait to become columns: few, since the garbage collector visits each."""
_INT64 = 2**63
_EXACT_FLOAT = 2**53


class Batch:
    """Article rows on their way into one Arrow record batch."""

    def __init__(self) -> None:
        self._schema = article_schema()
        self._begin()

    def _begin(self) -> None:
        self._columns: list[list[Any]] = [[] for _ in self._schema.names[:-1]]
        self._rows: list[tuple[Any, ...]] = []
        self._texts: list[bytes] = []
        self.bytes = 0

    def add(self, row: tuple[Any, ...], text: bytes) -> None:
        """Append a row: all columns of the schema but the last, and the text as UTF-8."""
        self._rows.append(row)
        self._texts.append(text)
        self.bytes += len(text)
        if len(self._rows) == _ROWS:
            self._spread()

    def _spread(self) -> None:
        """Turn rows into columns."""
        for column, values in zip(self._columns, zip(*self._rows, strict=True), strict=False):
            column += values
        self._rows.clear()

    def take(self) -> pa.RecordBatch:
        """The rows as a record batch; the collector is empty afterwards."""
        self._spread()
        fields = list(self._schema)[:-1]
        try:
            arrays = [pa.array(c, f.type) for c, f in zip(self._columns, fields, strict=True)]
        except UnicodeEncodeError:
            # A page or a mail can hold what JSON Lines were rid of: half a character.
            whole = [without_surrogates(column) for column in self._columns]
            arrays = [pa.array(c, f.type) for c, f in zip(whole, fields, strict=True)]
        arrays.append(_large_strings(self._texts))
        self._begin()
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def __len__(self) -> int:
        return len(self._texts)


def _large_strings(values: list[bytes]) -> pa.Array:
    """UTF-8 values as an Arrow array, without decoding and encoding them once more."""
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return pa.LargeStringArray.from_buffers(
        len(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(values))
    )


class Validator:
    """Turns raw records into article rows; remembers ids over all files of a run."""

    def __init__(self, settings: ReadSettings, now: datetime) -> None:
        self._default_outlet = settings.default_outlet
        self._overrides = settings.fields
        self._date = DateReader(now)
        self._now = _microseconds(now)
        # Nearly all ids have one text: the first digest is kept by id, others in a set.
        self._digests: dict[str, bytes] = {}
        self._other_digests: set[tuple[str, bytes]] = set()

    def add(self, raw: RawRecord, intake: Intake, batch: Batch, *, nested: bool = False) -> None:
        """Append the record to ``batch`` as an article or a repeat, or reject it.

        ``nested``: it stands inside of another record and is not searched for more.
        """
        values = raw.values
        columns = raw.columns or intake.columns.of(tuple(values))
        get = values.get
        text = get(columns.text) if columns.text is not None else None
        if is_rendered(text):
            values = plain_post(values)
            get = values.get
            text = get(columns.text or "")
        if type(text) is not str:
            if nested or not self._add_inner(raw, columns, intake, batch):
                if not nested and is_empty_answer(values, columns):
                    intake.empty_answers += 1
                    return
                lists = [] if nested or columns.text else several_lists(values, self._overrides)
                intake.reject(raw.position, _why_no_text(values, columns.text, text, lists))
            return
        issues = raw.issues
        try:
            payload = text.encode()
        except UnicodeEncodeError:
            payload = without_surrogates(text).encode()
            issues = (*issues, LONE_SURROGATE)
        digest = hashlib.blake2b(payload, digest_size=16).digest()

        url = plain(get(columns.url)) if columns.url is not None else _link(values, columns)
        outlet = plain(get(columns.outlet)) if columns.outlet is not None else None
        if outlet is not None and outlet.startswith(("http://", "https://")):
            url = url or outlet
            outlet = outlet_of(outlet) or outlet

        article = plain_id(get(columns.id)) if columns.id is not None else None
        if article is None:
            article = derived_id(digest, url or outlet)
            issues = (*issues, ID_DERIVED)
        known = self._digests.setdefault(article, digest)
        repeat = known is not digest and not self._is_new(article, digest, known, intake)
        if outlet is None:
            outlet = (outlet_of(url) if url is not None else None) or self._default_outlet
        stated = get(columns.published) if columns.published is not None else None
        micros, precision, odd = NOT_STATED if stated is None else self._date(stated)
        if odd:
            issues = (*issues, *odd)
        if raw.embargo is not None:
            issues = (*issues, *self._embargo(raw.embargo, intake))
        row = (
            article,
            digest.hex(),
            intake.name,
            raw.position,
            outlet,
            micros,
            precision,
            (stated or None) if type(stated) is str else _raw_date(stated),
            url,
            plain(get(columns.title)) if columns.title is not None else None,
            plain(get(columns.byline)) if columns.byline is not None else None,
            plain(get(columns.language)) if columns.language is not None else None,
            _whole_number(get(columns.version)) if columns.version is not None else None,
            _metadata(values, columns.metadata) if columns.metadata else None,
            issues,
        )
        # A repeat is handed on too: which of several records stands for the article is decided
        # by what they say, not by which came first.
        batch.add(row, payload)
        intake.entry.read += 1
        if repeat:
            intake.entry.repeats += 1
        else:
            intake.entry.articles += 1

    def _embargo(self, stated: str, intake: Intake) -> tuple[str, ...]:
        until = self._date(stated)
        if IN_FUTURE in until.issues or (until.micros is not None and until.micros > self._now):
            intake.embargoed += 1
            return (UNDER_EMBARGO,)
        return (EMBARGOED,) if until.micros is not None else ()

    def _add_inner(self, raw: RawRecord, columns: Columns, intake: Intake, batch: Batch) -> bool:
        """Add the records inside of one that is none itself; whether there are any."""
        inner = records_in(raw.values, columns, self._overrides)
        for place, values in inner:
            position = f"{raw.position}, {place}" if place else raw.position
            if type(values) is dict:
                self.add(RawRecord(position, values, raw.issues), intake, batch, nested=True)
            else:
                intake.reject(position, "is not a JSON object")
        return bool(inner)

    def _is_new(self, article: str, digest: bytes, known: bytes, intake: Intake) -> bool:
        """Whether a text is another than those seen before with this id."""
        if known == digest or (article, digest) in self._other_digests:
            return False
        self._other_digests.add((article, digest))
        intake.revisions += 1
        return True


def _microseconds(now: datetime) -> int:
    now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
    return (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def derived_id(digest: bytes, place: str | None) -> str:
    """A stable id for a record that has none: from its text, and where it stood if known.

    The place (url, else outlet) counts, because the same text in two outlets is two articles,
    and finding such pairs is the purpose.
    """
    if place is not None:
        digest = hashlib.blake2b(digest + place.encode(), digest_size=16).digest()
    return f"d-{digest.hex()[:16]}"


def plain(value: Any, depth: int = _MAX_NESTING) -> str | None:
    """A value as a string: objects by their name, lists joined by a comma; blank is ``None``."""
    if type(value) is str:
        return value.strip() or None
    if value is None or isinstance(value, bool) or depth == 0:
        return None
    if isinstance(value, dict):
        for key in ("name", "value", "@id", "url"):
            found = plain(value.get(key), depth - 1)
            if found is not None:
                return found
        return None
    if isinstance(value, (list, tuple)):
        parts = (plain(item, depth - 1) for item in value)
        return ", ".join(part for part in parts if part is not None) or None
    if isinstance(value, float) and value != value:  # NaN stands for a missing value
        return None
    return str(value)


def plain_id(value: Any) -> str | None:
    """An id as a string; of a list the first. ``None`` for what identifies nothing.

    A float that cannot hold whole numbers exactly is not an id: two ids may look the same.
    """
    if isinstance(value, list):
        return plain_id(value[0]) if value and not isinstance(value[0], list) else None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT_FLOAT else None
    return plain(value)


def _why_no_text(values: dict[str, Any], column: str | None, text: Any, lists: list[str]) -> str:
    if lists:
        return f"no text field, but several lists of records ({listed(lists)}); keep one of them"
    if column is None:
        return (
            f"no text field; the record has: {listed(values)}; name the right one with "
            "--field text=NAME"
        )
    if text is None:
        return f"the text (field '{column}') is null"
    return f"the text (field '{column}') is not a string but {type(text).__name__}"


def _link(values: dict[str, Any], columns: Columns) -> str | None:
    """The address of a record without a url column: trafilatura's ``source`` is one."""
    for name, column in columns.metadata:
        if name in ("source", "canonical"):
            value = values.get(column)
            if isinstance(value, str) and value.startswith(("http://", "https://")):
                return value.strip()
    return None


def _raw_date(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value)[:200]


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_INT64 <= value < _INT64 else None


def _metadata(values: dict[str, Any], columns: tuple[tuple[str, str], ...]) -> str | None:
    found = {name: plain(values.get(column)) for name, column in columns}
    kept = {name: value for name, value in found.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None
