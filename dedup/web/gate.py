"""How much is worked on at a time: a few threads, a bounded queue before them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from dedup.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from dedup.web.settings import ServiceSettings

RETRY_SECONDS = 2
_Done = TypeVar("_Done")


class Gate:
    """Runs blocking work on ``workers`` threads; ``queue`` more may wait, others are refused."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._room = settings.workers + settings.queue
        self._seconds = settings.seconds
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="serve")
        self.inside = 0

    async def run(self, work: Callable[..., _Done], *arguments: Any) -> _Done:
        """The outcome of ``work``.

        Raises :class:`~dedup.web.problems.Problem`: 503 where the queue is full, 504 where it takes
        too long; work that has begun keeps its place until it ends.
        """
        if self.inside >= self._room:
            raise Problem(
                503,
                f"{self._room} requests are under way; try again in {RETRY_SECONDS} seconds",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self.inside += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        done.add_done_callback(self._leave)
        try:
            return await asyncio.wait_for(asyncio.shield(done), self._seconds)
        except TimeoutError as error:
            done.cancel()
            raise Problem(
                504, f"took longer than {self._seconds:g} seconds; a shorter text takes less"
            ) from error

    def _leave(self, done: asyncio.Future[Any]) -> None:
        self.inside -= 1
        if not done.cancelled():
            done.exception()  # looked at, also where nobody waits any longer

    def close(self) -> None:
        """Let go of the threads; what is under way ends first."""
        self._pool.shutdown(wait=True, cancel_futures=True)
