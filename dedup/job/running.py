"""One run of a job: take in what is new, write outputs, tell whoever wants to know."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dedup.errors import DedupError, LockedError, NotificationError
from dedup.index import Index
from dedup.job import outbox
from dedup.job.log import JobLog
from dedup.job.message import exit_code, of_failure, of_run
from dedup.job.metrics import of_update, write_metrics
from dedup.job.notify import deliver
from dedup.report.console import described, say
from dedup.runs import DONE, PENDING
from dedup.store import FILE, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from dedup.index import Update
    from dedup.job.file import Job
    from dedup.job.recipients import Recipient
    from dedup.runs import Started


@dataclass
class _Outcome:
    """How the work ended, before anybody is told."""

    code: int
    error: str | None = None
    values: dict[str, float] = field(default_factory=dict)


def run_job(job: Job) -> int:
    """Run a job; returns the exit code of the process.

    What goes wrong stands in the log. A notification that fails changes nothing of the run: it is
    kept in the index, and sent by the next one.

    Raises :class:`~dedup.errors.OutputNotWritableError` when the log cannot be written.
    """
    with JobLog(job.name, job.log) as log:
        return _Run(job, log).run()


class _Run:
    """A run of a job, with its log."""

    def __init__(self, job: Job, log: JobLog) -> None:
        self.job = job
        self.log = log
        self._begun = time.perf_counter()
        self._number: int | None = None

    def run(self) -> int:
        """Do everything; returns the exit code."""
        job, log = self.job, self.log
        log.say("begin", inputs=job.inputs, drop=job.drop, index=str(job.index))
        outcome = None
        try:
            index = Index.open(job.index, create=True, settings=job.settings, agencies=job.agencies)
            with index.locked():
                outcome = self._work(index)
                self._tell(outcome)
                self._measure(outcome)
        except LockedError as error:
            # That run writes the metrics and tells; this one never began.
            outcome = _Outcome(error.exit_code, f"error: {error}")
            self._failed(outcome.error, outcome.code)
        except Exception as error:
            if outcome is not None:  # the work is done: it stays so
                self._warn("after_run", error)
            else:
                outcome = self._wrong(error)
                self._tell_directly(outcome)
                self._measure(outcome)
        log.say("end", exit_code=outcome.code, seconds=self._seconds())
        return outcome.code

    # --- the work ---------------------------------------------------------------------------

    def _work(self, index: Index) -> _Outcome:
        job = self.job
        try:
            update = index.update(
                job.inputs,
                drop=job.drop,
                settle=job.settle,
                out=self._begin,
                format=job.format,
                report=job.report,
                keep_days=job.keep_days,
                notify=[outbox.name_of(job.name, recipient.name) for recipient in job.notify],
                read=job.read,
                threads=job.threads,
                families=job.families,
                corrections=job.corrections,
                memory=job.memory,
                progress=self.log,
            )
        except Exception as error:
            return self._wrong(error)
        self.log.ended()
        self._say_of(update)
        code = exit_code(update.run, strict=job.read.strict)
        return _Outcome(code, values=of_update(update.run, len(update.changes)))

    def _begin(self, started: Started) -> Path | None:
        """The run has its id: the log says it from now on."""
        self.log.run, self._number = started.id, started.number
        out = self.job.folder(started)
        self.log.say(
            "continued" if started.continued else "started",
            number=started.number,
            at=started.at,
            out=None if out is None else str(out),
        )
        return out

    def _say_of(self, update: Update) -> None:
        run, ledger = update.run, update.run["ledger"]
        for warning in ledger["warnings"]:
            self.log.say("input", "warning", message=warning)
        for file in ledger["files"]:
            if file["incomplete"]:
                self.log.say("incomplete", "warning", file=file["file"], reason=file["incomplete"])
        for skipped in ledger["skipped"]:
            self.log.say("skipped", file=skipped["file"], reason=skipped["reason"])
        for name in run.get("drop", {}).get("waiting", ()):
            self.log.say("waiting", file=name, reason="changed a moment ago; read by the next run")
        for fields in _rejected(update.tables["rejected"]):
            self.log.say("rejected", "warning", **fields)
        counted = ("new", "known", "revisions", "erased", "too_old", "withdrawn", "removed")
        self.log.say(
            "done",
            articles={name: run["run"].get(name, 0) for name in counted},
            changes=len(update.changes),
            changed=update.changed,
            index=run["index"],
        )

    def _wrong(self, error: Exception) -> _Outcome:
        message, code = described(error, self.log.stage)
        self._failed(message, code)
        return _Outcome(code, message)

    def _failed(self, message: str | None, code: int) -> None:
        self.log.say("failed", "error", stage=self.log.stage, message=message, exit_code=code)
        if not self.log.on_stderr:
            say(str(message))  # for whoever reads what cron or the journal keeps

    def _warn(self, event: str, error: Exception) -> None:
        self.log.say(event, "warning", message=described(error, event)[0])

    # --- who is told ------------------------------------------------------------------------

    def _tell(self, outcome: _Outcome) -> None:
        """Send what is due: of this run, and of earlier ones that could not be told."""
        kept = outcome.error is None
        try:
            with Store.open(self.job.index, writing=True) as store:
                if not kept:
                    names = [outbox.name_of(self.job.name, r.name) for r in self._alarmed()]
                    outbox.add(store, self._number or 0, self._failure(outcome), names)
                    kept = True
                self._send_due(store)
                query = "SELECT count(*) FROM notifications WHERE state = ?"
                outcome.values["notifications_pending"] = store.value(query, PENDING)
        except (DedupError, sqlite3.Error) as error:
            self._warn("notifications", error)
            if not kept:
                self._tell_directly(outcome)

    def _alarmed(self) -> list[Recipient]:
        """Who wants to know of a failure."""
        return [r for r in self.job.notify if r.wants("failed", changed=False)]

    def _failure(self, outcome: _Outcome) -> dict[str, Any]:
        error = str(outcome.error)
        return of_failure(self.job, self.log.run, self._number, error, outcome.code)

    def _send_due(self, store: Store) -> None:
        job = self.job
        known = {outbox.name_of(job.name, r.name): r for r in job.notify}
        failing: set[str] = set()
        for one in outbox.due(store, job.name):
            recipient = known.get(one.name)
            if recipient is None:
                self.log.say("notify", "warning", to=one.name, state=outbox.DROPPED, key=one.key)
                outbox.settle(store, one, outbox.DROPPED)
            elif one.name not in failing:  # else it waits, so that runs are told in their order
                message = one.message or of_run(store, job, one.run)
                if not recipient.wants(message["status"], changed=message["changed"]):
                    outbox.settle(store, one, outbox.UNWANTED)
                elif (problem := self._deliver(recipient, message)) is None:
                    outbox.settle(store, one, outbox.SENT)
                else:
                    failing.add(one.name)
                    outbox.settle(store, one, PENDING, problem)

    def _deliver(self, recipient: Recipient, message: dict[str, Any]) -> str | None:
        """Send a message; returns what went wrong."""
        fields = {"to": recipient.name, "key": message["key"]}
        try:
            remark = deliver(recipient, message)
        except NotificationError as error:
            self.log.say("notify", "warning", **fields, state=PENDING, message=str(error))
            return str(error)
        level = "info" if remark is None else "warning"
        self.log.say("notify", level, **fields, state=outbox.SENT, message=remark)
        return None

    def _tell_directly(self, outcome: _Outcome) -> None:
        """Tell of a failure that the index could not keep: it cannot be opened or written."""
        message = self._failure(outcome)
        for recipient in self._alarmed():
            self._deliver(recipient, message)

    # --- metrics ----------------------------------------------------------------------------

    def _measure(self, outcome: _Outcome) -> None:
        job = self.job
        if job.metrics is None:
            return
        values = {
            "last_run_timestamp_seconds": time.time(),
            "exit_code": outcome.code,
            "duration_seconds": self._seconds(),
            **outcome.values,
        }
        try:
            success = None
            if (job.index / FILE).is_file():
                values["index_size_bytes"] = sum(
                    path.stat().st_size for path in job.index.iterdir() if path.is_file()
                )
                with Store.open(job.index) as store:
                    query = "SELECT finished FROM runs WHERE state = ? ORDER BY run DESC LIMIT 1"
                    success = store.value(query, DONE)
            write_metrics(job.metrics, job.name, values, stages=self.log.stages, success=success)
        except (DedupError, OSError, sqlite3.Error) as error:
            self._warn("metrics", error)

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._begun, 3)


def _rejected(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Of each file how many records were not used, and where and why the first was not."""
    table = table.select(["file", "position", "reason"])
    files = table.group_by("file", use_threads=False)
    columns = [("file", "count"), ("position", "first"), ("reason", "first")]
    for row in files.aggregate(columns).to_pylist():
        yield {
            "file": row["file"],
            "records": row["file_count"],
            "first": {"position": row["position_first"], "reason": row["reason_first"]},
        }
