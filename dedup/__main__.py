"""``python -m dedup`` and the ``dedup`` command: a process around :mod:`dedup.cli`."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from dedup.cli import app
from dedup.memory import collect_rarely, end_without_collection, return_large_blocks
from dedup.report.console import EXIT_INTERRUPTED, Interruption, say_interrupted

if TYPE_CHECKING:
    from types import FrameType

_GRACE_SECONDS = 1.5
_RETRY_SECONDS = 0.01
_STOPS = (signal.SIGINT, signal.SIGTERM)
_COMPILER = {"numba", "llvmlite"}


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A title in another script must not end a run in a Latin-1 terminal.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    with contextlib.suppress(ValueError):  # not in the main thread
        for stop in _STOPS:
            signal.signal(stop, _interrupt)
    return_large_blocks()
    collect_rarely()
    try:
        app()
    except SystemExit:
        if Interruption.said:
            # Everything is unwound; what is left is the interpreter's tidying up, a second of it.
            _leave()
        raise
    finally:
        end_without_collection()


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    """Ctrl-C or SIGTERM: unwind; but whatever threads are still at, be gone within two seconds."""
    for stop in _STOPS:
        signal.signal(stop, lambda *_: _leave())
    timer = threading.Timer(_GRACE_SECONDS, _leave)
    timer.daemon = True
    timer.start()
    sys.unraisablehook = _lost
    # Libraries log, with a traceback, that they were interrupted.
    logging.disable()
    signal.signal(signal.SIGALRM, _unwind)
    _unwind(0, frame)


def _unwind(_signal: int, frame: FrameType | None) -> None:
    """Interrupt the main thread, as soon as it is not where kernels are compiled or loaded: an
    exception there leaves LLVM with half an object, which ends the process with a signal."""
    if _compiles(frame):
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
    else:
        raise KeyboardInterrupt


def _compiles(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _COMPILER:
            return True
        frame = frame.f_back
    return False


def _lost(found: sys.UnraisableHookArgs) -> None:
    """An interrupt that comes while an object is being freed goes no further than there: nothing to
    show to users, and the timer ends the process."""
    if not issubclass(found.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(found)


def _leave() -> None:
    for name in ("dedup.report.folder", "dedup.report.single"):
        if module := sys.modules.get(name):
            module.abandon()
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h")  # a progress bar may have hidden the cursor
    say_interrupted()
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
