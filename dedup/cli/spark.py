"""``dedup scan`` and ``update`` with ``--engine spark``, of which nothing is loaded without that
option."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dedup.report.console import Progress, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypedDict, Unpack

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings, Settings
    from dedup.families import Families
    from dedup.report.console import Stages

    class OfUpdate(TypedDict):
        """Fields of :class:`~dedup.engines.spark.UpdateRequest`."""

        master: str | None
        conf: Sequence[str]
        work: str | None
        keep_work: bool
        overwrite: bool
        report: bool

    class OfScan(OfUpdate):
        """Fields of :class:`~dedup.engines.spark.Request`."""

        texts: bool


def scan_on_spark(
    inputs: Sequence[str],
    out: str,
    settings: Settings,
    read: ReadSettings,
    agencies: Path | None,
    families: Path | None,
    *,
    stages: Stages,
    quiet: bool,
    **given: Unpack[OfScan],
) -> dict[str, Any]:
    """Run the scan, say what it found; returns the content of ``run.json``."""
    from dedup.engines.spark import Request, scan

    request = Request(inputs, out, settings, read, *_lists(agencies, families), **given)
    run = _with_progress(scan, request, stages, quiet)
    if not quiet:
        counts = run["counts"]
        flagged = ", ".join(f"{count:,} {flag}" for flag, count in counts["flags"].items())
        say(f"{counts['articles']:,} articles: {flagged}")
        say(f"{counts['groups']:,} groups, {sum(counts['relations'].values()):,} relations: {out}")
    return run


def update_on_spark(
    index: str,
    inputs: Sequence[str],
    out: str | None,
    settings: Settings | None,
    read: ReadSettings,
    agencies: Path | None,
    families: Path | None,
    *,
    stages: Stages,
    quiet: bool,
    **given: Unpack[OfUpdate],
) -> dict[str, Any]:
    """Run the update, say what it changed; returns the content of ``run.json``."""
    from dedup.engines.spark import UpdateRequest, update

    lists = _lists(agencies, families)
    request = UpdateRequest(index, inputs, settings, read, *lists, out=out, **given)
    run = _with_progress(update, request, stages, quiet)
    if not quiet:
        held = run["index"]
        if run["changes"]:
            say(
                f"{run['run']['new']:,} new articles; {index} now holds {held['articles']:,} in "
                f"{held['groups']:,} groups"
            )
            for table, counts in run["changes"].items():
                changed = ", ".join(f"{count:,} {change}" for change, count in counts.items())
                say(f"  {table}: {changed}")
        else:
            say(f"nothing new: {index} holds {held['articles']:,} articles, as before")
        if out is not None:
            say(f"written to {out}")
    return run


def _with_progress(
    run: Callable[[Any], dict[str, Any]], request: Any, stages: Stages, quiet: bool
) -> dict[str, Any]:
    """What ``run`` returns of the ``request``, to which the progress is added that people see."""
    with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
        return run(replace(request, progress=progress))


def _lists(agencies: Path | None, families: Path | None) -> tuple[Agencies, Families]:
    """The agencies and families of a run; those of one's own stand in files."""
    from dedup import agencies as agency_data
    from dedup.families import NO_FAMILIES, load_families

    known = agency_data.load(agencies)
    return known, NO_FAMILIES if families is None else load_families(families, known)
