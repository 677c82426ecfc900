"""Web pages that are being taken apart, in the order in which their records belong."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.pages.pool import Limits, PagePool, default_workers
from dedup.read.columns import FIELD_NAMES, Columns
from dedup.read.intake import RawRecord
from dedup.read.jsontext import INVALID_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from dedup.config import ReadSettings
    from dedup.read.intake import Intake

# By number and size and not by what is done: the order of rejects must not depend on time.
_PAGES_AHEAD = 32
_BYTES_AHEAD = 64 * 2**20
_SAMPLE_BYTES = 1000

_METADATA = (
    *("canonical", "copyrightHolder", "copyrightNotice", "creditText", "isBasedOn", "provider"),
    *("publisher", "sourceOrganization"),
)
COLUMNS = Columns(
    **{name: name for name in FIELD_NAMES},
    metadata=tuple((name, name) for name in _METADATA),
)
"""The columns of a page's record: workers name them as the fields are named."""


class PendingPage(NamedTuple):
    """A page that was given to the workers.

    Attributes:
        position: where it stands in the file.
        answer: what a worker says of it (:meth:`dedup.pages.pool.PagePool.submit`).
        known: columns and values that are known without looking at the page; they win.
        size: bytes that wait for the answer.
        sample: the beginning of the page, for the list of rejects.
    """

    position: str
    answer: Future[Mapping[str, Any]]
    known: dict[str, Any]
    size: int
    sample: bytes

    def record(self, intake: Intake) -> RawRecord | None:
        """The article, once there is an answer; ``None`` where there is none, which is said."""
        answer = self.answer.result()
        if answer.get("reason") is not None:
            intake.reject(self.position, answer["reason"], self.sample)
            return None
        if answer["invalid"] and intake.settings.reject_invalid_utf8:
            intake.reject(self.position, "the page holds bytes that are no characters", self.sample)
            return None
        issues = (INVALID_UTF8,) if answer["invalid"] else ()
        return RawRecord(self.position, {**answer["values"], **self.known}, issues, COLUMNS)


class PageQueue:
    """Pages on their way through the workers, which start with the first page."""

    def __init__(self, settings: ReadSettings) -> None:
        self._settings = settings
        self._pool: PagePool | None = None
        self._waiting: deque[tuple[PendingPage, Intake]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(
        self,
        position: str,
        data: bytes,
        known: dict[str, Any],
        *,
        url: str | None = None,
        response: bool = False,
    ) -> PendingPage:
        """Give a page to the workers; with ``response`` it is a whole HTTP response.

        Raises :class:`~dedup.errors.MissingExtraError` when the extra ``web`` is not installed.
        """
        if self._pool is None:
            settings = self._settings
            limits = Limits(settings.page_seconds, settings.page_memory, default_workers())
            self._pool = PagePool(limits)
        limit = self._settings.max_record_bytes if response else None
        answer = self._pool.submit(data, url, limit)
        return PendingPage(position, answer, known, len(data), data[:_SAMPLE_BYTES])

    def put(self, page: PendingPage, intake: Intake) -> None:
        """Append a page of the file that ``intake`` keeps the ledger of."""
        self._waiting.append((page, intake))
        self._bytes += page.size

    def overdue(self) -> Iterator[tuple[RawRecord, Intake]]:
        """The first pages, in their order, as long as more wait than is held at once."""
        while len(self._waiting) > _PAGES_AHEAD or self._bytes > _BYTES_AHEAD:
            yield from self._first()

    def all(self) -> Iterator[tuple[RawRecord, Intake]]:
        """All pages, in their order; waits for those that have no answer yet."""
        while self._waiting:
            yield from self._first()

    def _first(self) -> Iterator[tuple[RawRecord, Intake]]:
        page, intake = self._waiting.popleft()
        self._bytes -= page.size
        record = page.record(intake)
        if record is not None:
            yield record, intake

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.close()
