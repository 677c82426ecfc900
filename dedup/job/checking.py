"""What a job would do: said without doing it, and without using the network."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from dedup.errors import DedupError, OutputNotWritableError, UsageError
from dedup.index import Index
from dedup.indextables import SCHEMA
from dedup.job import outbox
from dedup.job.recipients import Command
from dedup.migrations import is_older
from dedup.model import Ledger
from dedup.read.discover import Found, discover
from dedup.read.drop import DropFolders
from dedup.run import Run
from dedup.runs import READING, Started, remembered_files, unfinished
from dedup.store import FILE, Store, now, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dedup.job.file import Job
    from dedup.read.drop import FileState


class Check:
    """A job looked at: ``lines`` say what it would do, ``problems`` what would stop it."""

    def __init__(self, job: Job) -> None:
        self.lines: list[str] = []
        self.problems: list[DedupError] = []
        self._job = job
        self._next = Started(1, "…", READING, now(), continued=False)
        self._known: dict[str, FileState] = {}
        self._say("job", f"{job.name}, by {job.file}")
        for part in (self._options, self._index, self._inputs, self._outputs, self._recipients):
            try:
                part()
            except DedupError as error:
                self.problems.append(error)

    @property
    def exit_code(self) -> int:
        """0, or that of the first problem."""
        return self.problems[0].exit_code if self.problems else 0

    def _say(self, part: str, text: str) -> None:
        self.lines.append(f"{part:<10}{text}")

    def _options(self) -> None:
        job = self._job
        Run(
            settings=job.settings,
            agencies=job.agencies,
            families=job.families,
            corrections=job.corrections,
            memory=job.memory,
            threads=job.threads,
        )

    def _index(self) -> None:
        job = self._job
        if not (job.index / FILE).is_file():
            self._say("index", f"{job.index}: will be made")
            self._writable("index", job.index)
            return
        older = is_older(job.index)
        if not older:
            Index.open(job.index, settings=job.settings, agencies=job.agencies)
        # What is asked for here is the same in all versions.
        schema = schema_of(job.index) if older else SCHEMA
        with Store.open(job.index, schema=schema) as store:
            self._known = remembered_files(store)
            articles = store.value("SELECT count(*) FROM records")
            runs = store.value("SELECT max(run) FROM runs") or 0
            self._say("index", f"{job.index}: {articles:,} articles, {runs:,} runs")
            if older:
                self._say("", "made by an earlier version of dedup: the run brings it forward")
            left = unfinished(store)
            if left is not None:
                self._say("", f"goes on with run {left.number} ({left.id}), which was interrupted")
            self._next = left or Started(runs + 1, "…", READING, now(), continued=False)
            if pending := outbox.due(store, job.name):
                self._say("", f"notifications of earlier runs to send: {len(pending):,}")
        self._writable("index", job.index / FILE)

    def _inputs(self) -> None:
        job = self._job
        files = DropFolders(job.drop, self._known, settle=job.settle)
        ledger = Ledger()
        for kind, names in (("input", job.inputs), ("drop", job.drop)):
            for name in names:
                found, _ = discover([name], ledger)
                chosen = [one for one in found if files(one)]
                size = sum(one.size for one in chosen)
                self._say(kind, f"{name}: {_files(len(chosen))}, {size:,} bytes")
                self.lines += [f"{'':<12}{line}" for line in _listed(chosen)]
        if job.drop:
            self._say("", f"read by earlier runs and not changed since: {_files(files.known)}")
        for name in files.waiting:
            self._say("", f"waits, changed less than {job.settle:g} seconds ago: {name}")
        for skipped in ledger.skipped:
            self._say("", f"skipped: {skipped.file}: {skipped.reason}")
        for warning in ledger.warnings:
            self._say("", f"warning: {warning}")

    def _outputs(self) -> None:
        job = self._job
        folder = job.folder(self._next)
        if folder is None:
            self._say("out", "nothing is written, the index alone changes")
        else:
            self._say("out", f"{folder} ({job.format})")
            self._writable("out", folder)
        if job.keep_days is not None:
            self._say("keep", f"articles of the last {job.keep_days:,} days")
        for part, path in (("log", job.log), ("metrics", job.metrics)):
            if path is None:
                continue
            self._say(part, str(path))
            if not path.parent.is_dir():
                self.problems.append(
                    OutputNotWritableError(f"'{part}': {path.parent} is no folder; make it first")
                )
            else:
                self._writable(part, path if path.exists() and part == "log" else path.parent)

    def _recipients(self) -> None:
        for recipient in self._job.notify:
            when = " and ".join(recipient.when)
            self._say("notify", f"{recipient.name}: {recipient.address}, when {when}")
            if isinstance(recipient, Command):
                program = recipient.arguments[0]
                place = recipient.folder / program if "/" in program else program
                if shutil.which(place) is None:
                    self.problems.append(
                        UsageError(f"[[notify]] '{recipient.name}': no program {program!r}")
                    )

    def _writable(self, part: str, path: Path) -> None:
        """Note a problem where ``path``, or the first folder above it that exists, cannot be
        written."""
        while not path.exists() and path != path.parent:
            path = path.parent
        if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
            self.problems.append(OutputNotWritableError(f"'{part}': {path} cannot be written"))


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"


def _listed(files: list[Found]) -> Iterator[str]:
    for found in files:
        yield f"{found.name} ({found.size:,} bytes)"
