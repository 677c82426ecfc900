"""Workers for pages: as many processes as there are cores, each replaced when a page ends it."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.errors import MissingExtraError
from dedup.pages import worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

NEEDED = ("resiliparse", "selectolax")
"""Packages of the extra ``web`` that workers load."""

# The module is found where this one was, and nothing is imported from the current folder.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from dedup.pages.worker import main; main()"
)
_WALL_FACTOR = 10
_WALL_EXTRA = 60.0
"""A worker that does not answer within so many times its processor time, and so many seconds, is
ended although it used less: it does not run at all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Processor seconds and bytes of memory for a page, and how many workers there are."""

    seconds: float
    memory: int
    workers: int


def default_workers() -> int:
    """One worker for each core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_installed(purpose: str, packages: tuple[str, ...] = NEEDED) -> None:
    """Raise :class:`~dedup.errors.MissingExtraError` where a package of the extra is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "web", purpose)


class PagePool:
    """Takes pages apart in other processes, several at once; workers start when first needed.

    Raises :class:`~dedup.errors.MissingExtraError` when the extra ``web`` is not installed.
    """

    def __init__(self, limits: Limits) -> None:
        check_installed("reading web pages")
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.workers, thread_name_prefix="pages")
        self._workers = [_Worker(limits) for _ in range(limits.workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for own in self._workers:
            self._idle.put(own)

    def submit(
        self, data: bytes, url: str | None = None, response_limit: int | None = None
    ) -> Future[Mapping[str, object]]:
        """Have a page taken apart.

        Args:
            data: the page as it was stored, or with ``response_limit`` a whole HTTP response.
            url: the address that it was fetched from.
            response_limit: greatest size in bytes of the body of that response, unpacked.

        Returns:
            The answer, a mapping of ``values`` (column names and values), ``invalid`` (whether
            bytes were replaced that are no characters), or only ``reason``: why there is none.
            A page that hangs or ends its worker has a reason, too; the future never fails.
        """
        head: dict[str, object] = {"url": url, "charset": None, "limit": response_limit}
        return self._threads.submit(self._answer, data, head)

    def _answer(self, data: bytes, head: dict[str, object]) -> Mapping[str, object]:
        # As many workers as threads: one is idle.
        own = self._idle.get()
        try:
            return own.answer(data, head)
        finally:
            self._idle.put(own)

    def close(self) -> None:
        """End all workers at once; pages that have no answer yet are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for own in self._workers:
            own.retire()
        self._threads.shutdown(wait=True)
        for own in self._workers:
            own.stop()


class _Worker:
    """One worker process, started anew after a page has ended it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._retired = False

    def answer(self, data: bytes, head: dict[str, object]) -> Mapping[str, object]:
        """What the worker says of a page, or why it says nothing."""
        if self._retired:
            return {"reason": "the run was ended"}
        try:
            channel = self._channel or self._start()
        except OSError as error:
            return {"reason": f"no worker could be started for the page ({error.strerror})"}
        late = False
        try:
            worker.send(channel, head, data)
            message = worker.receive(channel)
        except TimeoutError:
            message, late = None, True
        except OSError:  # it ended while it was written to
            message = None
        if message is not None:
            return message[0]
        return {"reason": self._why(late)}

    def _start(self) -> socket.socket:
        limits = self._limits
        ours, theirs = socket.socketpair()
        ours.settimeout(_WALL_FACTOR * limits.seconds + _WALL_EXTRA)
        arguments = [str(theirs.fileno()), str(limits.seconds), str(limits.memory)]
        path = json.dumps([os.path.abspath(entry) for entry in sys.path])  # noqa: PTH100
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-c", _START, *arguments, path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._channel = ours
        return ours

    def _why(self, late: bool) -> str:
        """Why the worker ended; it is gone afterwards."""
        code = self.stop()
        seconds, memory = self._limits.seconds, self._limits.memory
        if late or code == -signal.SIGPROF:
            return f"the page took more than page_seconds ({seconds:g}) and was given up"
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return (
            f"the page ended its worker ({name}); it may need more than page_memory ({memory}) "
            "bytes, or the system was short of memory"
        )

    def retire(self) -> None:
        """Let the page at hand end now, and take no other; may be called from another thread."""
        self._retired = True
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> int:
        """End the process if there is one; returns its exit code as ``Popen`` has it."""
        process, channel = self._process, self._channel
        self._process = self._channel = None
        if channel is not None:
            channel.close()
        if process is None:
            return 0
        try:
            return process.wait(timeout=1)  # it ends by itself when its socket is closed
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
