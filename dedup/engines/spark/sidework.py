"""Work beside other work on one Spark session, which ends together: what fails, or is interrupted,
stops all of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import SparkSession

    T = TypeVar("T")

AT_ONCE = 4
"""Pieces of work that stand beside each other: while one waits for its slowest task, or for Spark
to plan it, others have the cores."""
_AGAIN_SECONDS = 0.2
"""After which the jobs that run then are canceled."""


class SideWork:
    """Threads that have jobs of their own. Leaving the context ends them: by waiting, or where it
    is left by an exception, by canceling their jobs.

    All jobs, those of the thread that entered too, bear one tag. Where side work fails, it cancels
    them, and leaving the context raises its error, not what followed from that.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._tag = f"dedup-{uuid4().hex}"
        self._over, self._ended = Event(), Event()
        self._lock = Lock()
        self._first: BaseException | None = None
        self._description: str | None = None

    def __enter__(self) -> SideWork:
        context = self._spark.sparkContext
        self._description = context.getLocalProperty("spark.job.description")
        context.addJobTag(self._tag)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self._lock:
            first = self._first
            if error is not None and not self._over.is_set():
                self._stop()
        self._pool.shutdown(cancel_futures=error is not None)
        self._ended.set()
        # An interrupt leaves this thread's connection to the JVM with an answer that nobody reads.
        if error is None or isinstance(error, Exception):
            with suppress(*_lost_jvm()):
                self._spark.sparkContext.removeJobTag(self._tag)
                # None is what it was before any.
                self._spark.sparkContext.setJobDescription(self._description)  # type: ignore[arg-type]
        if first is not None and first is not error and not isinstance(error, KeyboardInterrupt):
            raise first

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin some ``work``; what this returns waits for its outcome."""
        from pyspark.util import inheritable_thread_target

        def watched() -> T:
            try:
                return work()
            except BaseException as error:
                self._failed(error)
                raise

        return self._pool.submit(inheritable_thread_target(self._spark)(watched)).result

    def together(self, works: Mapping[str, Callable[[], T]]) -> dict[str, T]:
        """The outcomes of pieces of work that do not ask for each other, done side by side."""
        begun = {name: self.begin(work) for name, work in works.items()}
        return {name: wait() for name, wait in begun.items()}

    def check(self) -> None:
        """Raise the error of side work that has failed."""
        if self._over.is_set():
            raise self._first or InterruptedError("the run is over")

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            if not self._over.is_set():
                self._first = error
                self._stop()

    def _stop(self) -> None:
        """Cancel all jobs, and those that begin before all threads have seen that it is over."""
        self._over.set()

        def cancel() -> None:
            with suppress(*_lost_jvm()):
                while not self._ended.wait(_AGAIN_SECONDS):
                    self._spark.sparkContext.cancelJobsWithTag(self._tag)

        # In a thread of its own: the connection of this one may be in the middle of a call.
        Thread(target=cancel, daemon=True).start()


def _lost_jvm() -> tuple[type[Exception], ...]:
    """What a call raises whose JVM has ended, and its jobs with it."""
    from py4j.protocol import Py4JError

    return (Py4JError, OSError)
