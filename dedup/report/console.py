"""The terminal as a channel: progress and one-line errors on stderr, results on stdout."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from dedup.errors import DedupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

EXIT_FAILED = 5
EXIT_INTERRUPTED = 130


class Stages:
    """The stage that is under way, for the message of an internal error."""

    now = "start"


class Progress:
    """Callback ``(stage, done, total)`` that draws a bar per stage where one is wanted."""

    def __init__(self, stages: Stages, *, shown: bool) -> None:
        self._stages, self._shown = stages, shown
        self._stack = ExitStack()
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Progress:
        if self._shown:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars

            self._bars = self._stack.enter_context(
                Bars(
                    TextColumn("{task.description:<12}"),
                    BarColumn(),
                    TextColumn("{task.percentage:>3.0f}%"),
                    TimeElapsedColumn(),
                    console=Console(stderr=True),
                    transient=True,
                )
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note that ``stage`` has done ``done`` of ``total`` (``None`` or 0: unknown)."""
        if self._bars is not None:
            if stage not in self._tasks:
                for task in self._tasks.values():
                    self._bars.stop_task(task)
                self._tasks[stage] = self._bars.add_task(stage, total=None)
            self._bars.update(self._tasks[stage], completed=done, total=total or None)
        self._stages.now = stage


@contextmanager
def errors(interrupted: str) -> Iterator[Stages]:
    """Turn every error into one clear line on stderr and the exit code of its class.

    ``interrupted`` is said when the command is stopped by Ctrl-C or SIGTERM.
    """
    stages = Stages()
    Interruption.message = interrupted
    try:
        yield stages
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        say_interrupted()
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:  # `dedup compare --json … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None
    except Exception as error:
        message, code = described(error, stages.now)
        say(message)
        raise typer.Exit(code) from None


def described(error: Exception, stage: str) -> tuple[str, int]:
    """One clear line for an error, and the exit code of its class.

    With ``DEDUP_DEBUG=1`` in the environment its traceback goes to stderr.
    """
    if os.environ.get("DEDUP_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    if isinstance(error, DedupError):
        return f"error: {error}", error.exit_code
    if isinstance(error, OSError):
        return f"error: {error.strerror or error}; stage {stage}", EXIT_FAILED
    if isinstance(error, MemoryError):
        return f"error: out of memory in stage {stage}; scan less at once", EXIT_FAILED
    name = type(error).__name__
    return f"internal error in stage {stage}: {name}: {error}; please report", EXIT_FAILED


class Interruption:
    """What to say when the process is told to stop, and whether that was said."""

    message = "Nothing was changed."
    said = False


def say_interrupted() -> None:
    """Tell once, and from whichever place comes first, that the command was stopped."""
    if not Interruption.said:
        Interruption.said = True
        say(f"interrupted. {Interruption.message}")


def say(message: str) -> None:
    """One line on stderr; other people's file names cannot steer the terminal."""
    from dedup.report.safe import visible

    typer.echo("dedup: " + " ".join(visible(message).split()), err=True)


def show(view: Any) -> None:
    """Print to stdout; a reader that closed the pipe (``| head``) is no error."""
    from rich.console import Console

    # Rich meets a closed pipe by pointing stdout nowhere and leaving; the exit code is ours.
    with suppress(SystemExit, BrokenPipeError):
        # Long paths and spans keep their line; tables fit the width by themselves.
        Console(highlight=False).print(view, crop=False)
        sys.stdout.flush()
