"""A news item as a wire format states it, and what becomes of it: a record or a reject."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dedup.creditfields import CREDIT_FIELDS
from dedup.read.charsets import INVALID_UTF8
from dedup.read.columns import Columns
from dedup.read.intake import RawRecord
from dedup.read.xmlitems import ILLEGAL_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dedup.read.intake import Intake

UNDER_EMBARGO = "under-embargo"
"""Issue: the item must not be published yet."""
SUMMARY_ONLY = "summary-only"
"""Issue: the item holds no text but a summary, which was taken for it."""

STORY = Columns(
    **{
        name: name
        for name in (
            *("id", "outlet", "published", "url", "title"),
            *("byline", "language", "version", "text"),
        )
    },
    metadata=tuple((name, name) for name in sorted(CREDIT_FIELDS.values())),
)
"""The columns of formats that deliver the fields of an article by themselves."""

_WITHDRAWN = frozenset(
    ("canceled", "cancelled", "withheld", "withdrawn", "killed", "kill", "recalled", "deleted")
)
_YEAR = re.compile(r"\d{4}")


@dataclass(slots=True)
class Story:
    """The fields of an item, as stated; what is not stated is ``None`` or empty.

    ``dates`` are times of publication, the best first; ``status`` as in the standards
    (``usable``, ``canceled`` …); ``credits`` names by the fields of
    :data:`~dedup.creditfields.CREDIT_FIELDS`; ``withdraws`` further ids that the item takes back.
    ``refused`` says why the item is no article, ``None`` when it is.
    """

    id: str | None = None
    version: str | int | None = None
    title: str | None = None
    byline: str | None = None
    text: str | None = None
    dates: Iterable[str | None] = ()
    language: str | None = None
    url: str | None = None
    outlet: str | None = None
    credits: dict[str, list[str]] = field(default_factory=dict)
    status: str | None = None
    embargo: str | None = None
    withdraws: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    refused: str | None = None

    def credit(self, name: str, *values: str | None) -> None:
        """Add names to one of the fields that can name a source, each once."""
        known = self.credits.setdefault(name, [])
        known += [v for v in dict.fromkeys(values) if v and v not in known]

    def record(self, position: str, intake: Intake, issues: Iterable[str] = ()) -> RawRecord | None:
        """The item as a record; ``None`` when it was rejected.

        ``issues`` are those of the whole document: of its characters an item is only marked for
        those that stand in it. A canceled or withheld item is a reject and recorded as a
        withdrawal.
        """
        status = (self.status or "").strip().lower()
        if status in _WITHDRAWN:
            version = _number(self.version)
            for item in filter(None, (self.id, *self.withdraws)):
                intake.withdraw(item, version if item == self.id else None, position, status)
            intake.reject(position, f"the item is {status} by its sender", self.title or "")
            return None
        if self.refused is not None:
            intake.reject(position, self.refused, self.title or "")
            return None
        if self.text is None:
            intake.reject(position, "the item holds no text", self.title or "")
            return None
        odd = {*issues}
        if "\ufffd" not in self.text:
            odd -= {INVALID_UTF8, ILLEGAL_CHARACTERS}
        elif INVALID_UTF8 in odd and intake.settings.reject_invalid_utf8:
            intake.reject(position, "invalid UTF-8", self.text)
            return None
        values = {
            "id": self.id,
            "outlet": self.outlet,
            "published": next((d for d in self.dates if d and _YEAR.search(d)), None),
            "url": self.url,
            "title": self.title,
            "byline": self.byline,
            "language": self.language,
            "version": self.version,
            "text": self.text,
            **{name: names for name, names in self.credits.items() if names},
        }
        if status == "embargoed" and not self.embargo:
            odd.add(UNDER_EMBARGO)
        found = (*self.issues, *sorted(odd - {*self.issues}))
        embargo = self.embargo if self.embargo and _YEAR.search(self.embargo) else None
        return RawRecord(position, values, found, STORY, embargo)


def _number(version: str | int | None) -> int | None:
    if isinstance(version, str):
        return int(version) if version.strip().isdecimal() and len(version) < 20 else None
    return version
