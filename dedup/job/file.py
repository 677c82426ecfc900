"""``JOB.toml``: what a scheduled job reads and writes, and whom it tells.

Paths are relative to the folder of the file, whatever the working directory of a scheduler is.
"""

from __future__ import annotations

import glob
import os
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dedup.budget import memory_budget
from dedup.config import ReadSettings, Settings, load_toml, settings_from
from dedup.entries import check_keys
from dedup.errors import SettingsError, UsageError
from dedup.job.recipients import Recipient, recipients
from dedup.job.values import Values
from dedup.read.discover import claims
from dedup.report.encode import FORMATS
from dedup.runs import Started

_KEYS = (
    *("index", "name", "inputs", "drop", "settle", "out", "format", "report", "keep"),
    *("agencies", "families", "corrections", "memory", "threads", "strict", "log", "metrics"),
    *("settings", "read", "notify"),
)
_READ_KEYS = ("outlet", "fields", "reject_invalid_utf8")
PLACES = ("date", "time", "run", "id", "job")
"""What ``out`` may name in braces."""
_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7}


@dataclass(frozen=True, slots=True)
class Job:
    """A job file that was read and found right; all paths are absolute.

    ``inputs`` are read by every run, files in the folders ``drop`` once each, ``settle`` seconds
    after they were changed. ``out`` is a pattern (:meth:`folder`), ``log`` and ``metrics`` are
    files; ``None`` stands for none.
    """

    file: Path
    name: str
    index: Path
    inputs: tuple[str, ...]
    drop: tuple[str, ...]
    settle: float
    out: str | None
    format: str
    report: bool
    keep_days: int | None
    agencies: Path | None
    families: Path | None
    corrections: Path | None
    memory: str | int | None
    threads: int | None
    log: Path | None
    metrics: Path | None
    settings: Settings | None
    read: ReadSettings
    notify: tuple[Recipient, ...]

    def folder(self, run: Started) -> Path | None:
        """The output folder of a run: the same when it is continued, on whatever day."""
        if self.out is None:
            return None
        day, _, time = run.at.rstrip("Z").partition("T")
        return Path(
            self.out.format(
                date=day,
                time=time.replace(":", ""),
                run=f"{run.number:06}",
                id=run.id,
                job=self.name,
            )
        )


def load_job(path: str | os.PathLike[str]) -> Job:
    """Read a job file.

    Raises :class:`~dedup.errors.SettingsError` that names file and key, and says what is expected.
    """
    file = Path(os.path.abspath(path))  # noqa: PTH100 - links stay, ".." goes
    table = load_toml(file)
    check_keys(table, _KEYS, str(file))
    values = Values(table, str(file))
    inputs, drop = values.texts("inputs"), values.texts("drop")
    if not inputs and not drop:
        raise SettingsError(
            f"{file}: nothing to read; expected 'inputs' (files, folders, patterns) or 'drop' "
            "(a folder whose files are read once)"
        )
    if both := sorted(set(inputs) & set(drop)):
        raise SettingsError(f"{file}: '{both[0]}' stands under 'inputs' and 'drop'; keep one")
    if "-" in inputs:
        raise SettingsError(f"{file}: 'inputs': a job has no standard input; name files")
    name = values.text("name", default=re.sub(r"[^\w.-]", "-", file.stem))
    if not re.fullmatch(r"[\w.-]+", name):
        raise values.wrong("name", "letters, digits, '.', '-' and '_'", name)
    job = Job(
        file=file,
        name=name,
        index=_path(file, values.text("index")),
        inputs=tuple(_input(file, given) for given in inputs),
        drop=tuple(str(_path(file, given)) for given in drop),
        settle=values.duration("settle", default=10.0),
        out=_pattern(file, values),
        format=values.one_of("format", FORMATS, default="jsonl"),
        report=values.flag("report", default=True),
        keep_days=_days(values),
        agencies=_file(file, values, "agencies"),
        families=_file(file, values, "families"),
        corrections=_file(file, values, "corrections"),
        memory=_memory(values),
        threads=values.number("threads", low=1),
        log=_optional(file, values, "log"),
        metrics=_optional(file, values, "metrics"),
        settings=_settings(file, values),
        read=_read(values),
        notify=recipients(values, file),
    )
    _check_apart(job)
    return job


def _check_apart(job: Job) -> None:
    """Refuse to write where the job reads: the next run would take it for input."""
    example = job.folder(Started(1, "0" * 32, "", "2000-01-01T00:00:00Z", continued=False))
    written = {"index": job.index, "out": example, "log": job.log, "metrics": job.metrics}
    for key, path in written.items():
        for given in (*job.inputs, *job.drop):
            if path is not None and claims(given, os.path.realpath(path)):
                raise SettingsError(
                    f"{job.file}: '{key}': {path} lies in the input {given}, so that the next run "
                    "would read it; choose another place"
                )


def _path(file: Path, given: str) -> Path:
    """A path of the job file; ``~`` is the home folder."""
    return Path(os.path.normpath(file.parent / Path(given).expanduser()))


def _input(file: Path, given: str) -> str:
    """An input; only what the user wrote of it is a pattern."""
    if not glob.has_magic(given):
        return str(_path(file, given))
    escaped = glob.escape(str(file.parent))
    return os.path.normpath(Path(escaped) / Path(given).expanduser())


def _optional(file: Path, values: Values, key: str) -> Path | None:
    given = values.text(key, default="")
    return _path(file, given) if given else None


def _file(file: Path, values: Values, key: str) -> Path | None:
    path = _optional(file, values, key)
    if path is not None and not path.is_file():
        raise SettingsError(f"{file}: '{key}': {path} does not exist, or is no file")
    return path


def _pattern(file: Path, values: Values) -> str | None:
    """``out``: names its places, and tells runs apart."""
    given = values.text("out", default="")
    if not given:
        return None
    expected = f"a path with {', '.join(f'{{{p}}}' for p in PLACES)}"
    try:
        parts = list(string.Formatter().parse(given))
    except ValueError as error:
        raise values.wrong("out", expected, given) from error
    named = [name for _, name, _, _ in parts if name is not None]
    if any(n not in PLACES for n in named) or any(spec or how for _, _, spec, how in parts):
        raise values.wrong("out", expected, given)
    if not {"run", "id"} & set(named):
        raise values.wrong("out", "{run} or {id} in it, so that each run has its own folder", given)
    root = str(_path(file, "x").parent).replace("{", "{{").replace("}", "}}")
    return os.path.normpath(Path(root) / Path(given).expanduser())


def _days(values: Values) -> int | None:
    given = values.text("keep", default="")
    if not given:
        return None
    found = re.fullmatch(r"\s*(\d{1,6})\s*([a-z]+)\s*", given)
    if found is None or found[2] not in _DAYS or int(found[1]) == 0:
        raise values.wrong("keep", "a number of days or weeks, e.g. '90 days'", given)
    return int(found[1]) * _DAYS[found[2]]


def _memory(values: Values) -> str | int | None:
    given: Any = values.table.get("memory")
    try:
        memory_budget(given)
    except UsageError as error:
        raise SettingsError(f"{values.where}: {error}") from error
    return given  # type: ignore[no-any-return]


def _settings(file: Path, values: Values) -> Settings | None:
    table = values.inner("settings")
    if table is None:
        return None
    try:
        return settings_from(dict(table.table))
    except SettingsError as error:
        raise SettingsError(f"{file}: [settings]: {error}") from None


def _read(values: Values) -> ReadSettings:
    strict = values.flag("strict", default=False)
    table = values.inner("read")
    if table is None:
        return ReadSettings(strict=strict)
    check_keys(table.table, _READ_KEYS, table.where)
    fields = table.inner("fields")
    return ReadSettings(
        fields=tuple((name, fields.text(name)) for name in fields.table) if fields else (),
        strict=strict,
        reject_invalid_utf8=table.flag("reject_invalid_utf8", default=False),
        default_outlet=table.text("outlet", default="") or None,
    )
