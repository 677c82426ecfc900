"""What is served: one committed state at a time, of an index that others may be changing.

Every request reads in a transaction of its own, so that it sees one state. What checks look texts
up in is made of one state, and made again beside the requests when another is committed: until
then a check finds what was there before, and tells of it what is true now.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dedup.checking import Checker
from dedup.excerpt import excerpt
from dedup.holdings import FolderHoldings, StoredHoldings
from dedup.index import Index
from dedup.indexnotes import COMMITTED
from dedup.report.chunks import ReportData
from dedup.results import FolderResults, IndexResults, Results, open_results
from dedup.run import Run
from dedup.store import Store
from dedup.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.checking import Check
    from dedup.holdings import Holdings

RETRY_SECONDS = 5
REPORTED = 500
"""Groups of an index in its report: the largest."""
_NICER = 10
"""How much lower the priority is at which a checker is made beside requests."""


class Live:
    """What is at ``place`` (an index, or the folder of a scan), as it is now.

    ``state`` names the committed state that the checker was made of, ``None`` before the first.
    Raises as :func:`~dedup.results.open_results`.
    """

    def __init__(self, place: str | os.PathLike[str], threads: int) -> None:
        self._first: Results = open_results(place)
        self.place = self._first.place
        self._threads = threads
        self._folder: FolderHoldings | None = None
        if isinstance(self._first, FolderResults) and "texts" in self._first.tables:
            self._folder = FolderHoldings(str(self.place), self._first.tables)
        self._checker: Checker | None = None
        self._report: tuple[str, ReportData] | None = None
        self._reporting = threading.Lock()
        self._making = threading.Lock()
        self.state: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether what is served can change."""
        return isinstance(self._first, IndexResults)

    def committed(self) -> str:
        """The name of the state that is committed now."""
        if not self.is_index:
            return "folder"
        with Store.open(self.place) as store:
            return store.meta().get(COMMITTED, "")

    def renew(self) -> bool:
        """Make the checker of what is committed now, if it is of another state; says whether.

        Raises what opening the index raises; the former checker stays then.
        """
        with self._making:
            if self.committed() == self.state:
                return False
            if self.state is not None:
                _step_back()
            if isinstance(self._first, FolderResults):
                return self._renew_folder(self._first)
            opened = Index.open(self.place)
            run = Run(settings=opened.settings, agencies=opened.agencies, threads=self._threads)
            run.compile()
            with Store.open(self.place) as store, store.snapshot():
                state = store.meta().get(COMMITTED, "")
                made = Checker.of_index(store, opened.settings, run.agencies, self._threads)
            self._first = IndexResults(self.place)
            self._checker, self.state = made, state
        return True

    def _renew_folder(self, found: FolderResults) -> bool:
        if self._folder is not None:
            run = Run(settings=found.settings, agencies=found.agencies, threads=self._threads)
            run.compile()
            self._checker = Checker.of_folder(
                self._folder, found.settings, run.agencies, self._threads
            )
        self.state = "folder"
        return True

    @contextmanager
    def results(self) -> Iterator[Results]:
        """What is found now: one state throughout the block."""
        if isinstance(self._first, FolderResults):
            yield self._first
            return
        with Store.open(self.place) as store, store.snapshot():
            yield IndexResults.over(store, self._first.settings, self._first.agencies)

    def check(self, articles: list[dict[str, Any]]) -> list[Check]:
        """What each article shares with the others; all by one state.

        Raises :class:`~dedup.web.problems.Problem`: 503 until the first checker is made, 409 where
        there are no texts to compare with.
        """
        checker = self._checker
        if checker is None:
            if self.state is not None:
                raise Problem(409, "this output was written with --no-texts: nothing to check with")
            raise Problem(
                503,
                "the articles are being loaded; try again soon",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        if self._folder is not None:
            return [checker.check(self._folder, article) for article in articles]
        with Store.open(self.place) as store, store.snapshot():
            holdings: Holdings = StoredHoldings(store)
            return [checker.check(holdings, article) for article in articles]

    def report(self) -> tuple[str, ReportData]:
        """The name of a state and what the report shows of it, gathered once for each: everything
        of a folder, of an index its :data:`REPORTED` largest groups."""
        state = self.committed() or "empty"
        with self._reporting:
            if self._report is None or self._report[0] != state:
                if isinstance(self._first, FolderResults):
                    data = ReportData(self._first.tables, self._first.run)
                else:
                    with self.results() as results:
                        groups = results.largest_groups(REPORTED)
                        data = ReportData(*excerpt(results, groups))
                self._report = (state, data)
            return self._report


def _step_back() -> None:
    """Let requests go before what this thread does (on Linux, where threads have priorities)."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICER)
