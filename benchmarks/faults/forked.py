"""Processes of ``dedup`` that are forked from this one, which has it loaded already.

They are processes like others, and end as others do; they save the seconds of starting.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from faults.driver import perform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def end_with(work: Callable[[], object]) -> NoReturn:
    """Do the work of a forked process, and end it with the exit code that this gives."""
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Forked:
    """A forked process, with the part of ``subprocess.Popen`` that is needed here."""

    def __init__(
        self,
        arguments: Sequence[str],
        plan: dict[str, Any],
        limit: Callable[[], None] | None = None,
    ) -> None:
        self.returncode: int | None = None
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        told, self._tell = os.pipe()
        said, say = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._tell)
            os.close(said)
            for number, own in ((0, told), (1, say), (2, self._errors.fileno())):
                os.dup2(own, number)
            sys.stdin = os.fdopen(0, encoding="utf-8")
            sys.stdout = os.fdopen(1, "w", encoding="utf-8")
            sys.stderr = os.fdopen(2, "w", encoding="utf-8")

            def work() -> None:
                if limit is not None:
                    limit()
                perform(plan, list(arguments))

            end_with(work)
        os.close(told)
        os.close(say)
        self.stdout = os.fdopen(said, encoding="utf-8")

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Close its input and wait for its end; returns what it said."""
        if self._tell >= 0:
            os.close(self._tell)
            self._tell = -1
        before = signal.signal(signal.SIGALRM, self._late)
        signal.setitimer(signal.ITIMER_REAL, timeout or 0)
        try:
            out = self.stdout.read()
            if self.returncode is None:
                _, status = os.waitpid(self.pid, 0)
                self.returncode = os.waitstatus_to_exitcode(status)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        self.stdout.close()
        self._errors.seek(0)
        with self._errors:
            return out, self._errors.read()

    def _late(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        raise TimeoutError(f"process {self.pid} does not end")
