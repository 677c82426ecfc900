"""The log of a job: JSON objects, one a line, on standard error or at the end of a file."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from dedup.errors import OutputNotWritableError
from dedup.memory import peak_memory_mb

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class JobLog:
    """Writes what happens, each line at once. Use it in a ``with``; call it as the progress
    callback of a run, and it writes a line when a stage has ended.

    Every line has ``time`` (ISO 8601, UTC), ``level`` (``info``, ``warning``, ``error``),
    ``event``, ``job`` and, once it is known, ``run``.
    """

    def __init__(self, job: str, path: Path | None) -> None:
        """Raises :class:`~dedup.errors.OutputNotWritableError` when ``path`` cannot be written."""
        self.run: str | None = None
        self.stage = "start"
        self.stages: list[tuple[str, float]] = []
        self._job = job
        self._path = path
        self._file: IO[bytes] | None = None
        self._begun = (time.perf_counter(), time.process_time())
        if path is not None:
            try:
                self._file = path.open("ab", buffering=0)
            except OSError as error:
                raise OutputNotWritableError(
                    f"{path}: the log cannot be written: {error.strerror}"
                ) from error

    def __enter__(self) -> JobLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.say("interrupted", "warning", stage=self.stage)
        if self._file is not None:
            self._file.close()

    @property
    def on_stderr(self) -> bool:
        """Whether the lines go to standard error."""
        return self._file is None

    def say(self, event: str, level: str = "info", **fields: Any) -> None:
        """Write a line. A log that cannot be written any longer, as when its disk is full, is no
        reason to stop a run: it goes on on standard error, and without a log where that is gone."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": at, "level": level, "event": event, "job": self._job}
        if self.run is not None:
            line["run"] = self.run
        text = json.dumps({**line, **fields}, ensure_ascii=False) + "\n"
        if self._file is not None:
            try:
                self._file.write(text.encode("utf-8", "backslashreplace"))
            except OSError as error:
                with suppress(OSError):
                    self._file.close()
                self._file = None
                self.say("log", "error", message=f"{self._path}: {error.strerror}; goes on here")
            else:
                return
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def __call__(self, stage: str, _done: int, _total: int | None) -> None:
        """Note the stage that is under way; the one before has ended."""
        if stage != self.stage:
            self.ended()
            self.stage = stage

    def ended(self) -> None:
        """The stage under way has ended."""
        wall, cpu = time.perf_counter(), time.process_time()
        if self.stage != "start":
            seconds = round(wall - self._begun[0], 3)
            self.stages.append((self.stage, seconds))
            self.say(
                "stage",
                stage=self.stage,
                seconds=seconds,
                cpu_seconds=round(cpu - self._begun[1], 3),
                peak_memory_mb=peak_memory_mb(),
            )
        self._begun = (wall, cpu)
        self.stage = "start"
