"""``dedup`` in a process to which something happens: ``driver.py PLAN dedup-arguments``.

The product runs as it is; from outside, functions are wrapped that begin or end a phase of
``dedup update``. PLAN is JSON:

- ``phase``: one of :data:`PHASES`, in which it happens;
- ``kill``: so many seconds after its beginning the process is killed (SIGKILL, from another
  process); a phase that is over before waits for it;
- ``hold``: at its beginning the phase's name is written to stdout, and the process waits until
  stdin is closed;
- ``announce``: its name is written to stdout, and the process goes on to the phase's end, where it
  waits for a signal;
- ``log``: a file for the seconds that each phase took;
- ``clock``: seconds by which the clock is ahead of the system's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PHASES = ("read", "match", "commit", "write", "rename")
"""In their order: records come in; passages are compared; the results are put into the index;
the output folder is written; it is renamed, and the run noted as done."""


class Killer:
    """A process that kills this one on command, so many seconds later."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        victim = os.getpid()
        if os.fork() == 0:
            os.close(self._write)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if told := os.read(read, 64):
                time.sleep(float(told))
                os.kill(victim, signal.SIGKILL)
            os._exit(0)
        os.close(read)

    def kill_in(self, seconds: float) -> None:
        os.write(self._write, repr(seconds).encode())


class Phases:
    """What happens at the beginning and at the end of each phase."""

    def __init__(self, plan: dict[str, Any], killer: Killer | None) -> None:
        self._plan, self._killer = plan, killer
        self._begun: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def begin(self, phase: str) -> None:
        self._begun[phase] = time.perf_counter()
        if phase != self._plan.get("phase"):
            return
        if self._killer is not None:
            self._killer.kill_in(self._plan["kill"])
        if self._plan.get("announce") or self._plan.get("hold"):
            os.write(1, f"{phase}\n".encode())
        if self._plan.get("hold"):
            sys.stdin.read()

    def end(self, phase: str) -> None:
        if phase not in self._begun:
            return  # without an output folder nothing is renamed
        self.seconds[phase] = time.perf_counter() - self._begun[phase]
        if phase == self._plan.get("phase") and (self._killer or self._plan.get("announce")):
            time.sleep(600)


def wrap(
    owner: Any,
    name: str,
    before: Callable[[], None] | None = None,
    after: Callable[[], None] | None = None,
) -> None:
    """Call something before and after a function; an error if there is none of that name."""
    function = getattr(owner, name)

    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before is not None:
            before()
        out = function(*arguments, **named)
        if after is not None:
            after()
        return out

    setattr(owner, name, wrapped)


def watch(phases: Phases) -> None:
    """Wrap what begins and ends the phases."""
    from dedup import index, outputs, updating
    from dedup.ingest import Ingest
    from dedup.pipeline import Clock
    from dedup.report import tables
    from dedup.run import Run

    def at(phase: str, moment: Callable[[str], None]) -> Callable[[], None]:
        return lambda: moment(phase)

    begin, end = phases.begin, phases.end
    wrap(Ingest, "take", at("read", begin), at("read", end))
    wrap(updating, "recall", at("match", begin))
    wrap(Run, "tables", None, at("match", end))
    wrap(outputs, "write_update", at("write", begin))
    wrap(tables, "commit", at("rename", begin))
    wrap(tables, "commit", at("write", end))  # outside, so first
    wrap(index, "finish", None, at("rename", end))

    stage = Clock.stage

    @contextmanager
    def staged(self: Clock, name: str) -> Iterator[Callable[[int, int], None]]:
        with stage(self, name) as tick:
            if name == "commit":
                begin("commit")
            yield tick
            if name == "commit":
                end("commit")

    Clock.stage = staged  # type: ignore[method-assign]


def shift_clock(seconds: float) -> None:
    """Let ``dedup`` see another time."""
    import datetime

    from dedup import store
    from dedup.read import dates

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return super().now(tz) + datetime.timedelta(seconds=seconds)

    for module in (store, dates):
        if module.datetime is not datetime.datetime:
            raise TypeError(f"{module.__name__} asks the time in another way")
        module.datetime = Shifted  # type: ignore[misc]


def perform(plan: dict[str, Any], arguments: list[str]) -> None:
    """Run ``dedup`` with these arguments in this process; raises ``SystemExit`` in the end."""
    from dedup.__main__ import main as run

    killer = Killer() if plan.get("kill") is not None else None
    phases = Phases(plan, killer)
    watch(phases)
    if plan.get("clock"):
        shift_clock(plan["clock"])
    sys.argv = ["dedup", *arguments]
    try:
        run()
    finally:
        if plan.get("log"):
            Path(plan["log"]).write_text(json.dumps(phases.seconds), encoding="utf-8")


if __name__ == "__main__":
    perform(json.loads(sys.argv[1]), sys.argv[2:])
