"""``dedup scan`` and ``update`` with ``--engine spark``, of which nothing is loaded without that
option."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dedup.report.console import Progress, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings, Settings
    from dedup.families import Families


def scan_on_spark(
    inputs: Sequence[str],
    out: str,
    settings: Settings,
    read: ReadSettings,
    agencies: Path | None,
    families: Path | None,
    *,
    master: str | None,
    conf: Sequence[str],
    work: str | None,
    keep_work: bool,
    overwrite: bool,
    texts: bool,
    report: bool,
    stages: Any,
    quiet: bool,
) -> dict[str, Any]:
    """Run the scan, say what it found; returns the content of ``run.json``."""
    from dedup.engines.spark import Request, scan

    known, declared = _lists(agencies, families)
    with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
        run = scan(
            Request(
                inputs,
                out,
                settings,
                read,
                known,
                declared,
                master=master,
                conf=conf,
                work=work,
                keep_work=keep_work,
                overwrite=overwrite,
                texts=texts,
                report=report,
                progress=progress,
            )
        )
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
    master: str | None,
    conf: Sequence[str],
    work: str | None,
    keep_work: bool,
    overwrite: bool,
    report: bool,
    stages: Any,
    quiet: bool,
) -> dict[str, Any]:
    """Run the update, say what it changed; returns the content of ``run.json``."""
    from dedup.engines.spark import UpdateRequest, update

    known, declared = _lists(agencies, families)
    with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
        run = update(
            UpdateRequest(
                index,
                inputs,
                settings,
                read,
                known,
                declared,
                out=out,
                master=master,
                conf=conf,
                work=work,
                keep_work=keep_work,
                overwrite=overwrite,
                report=report,
                progress=progress,
            )
        )
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


def _lists(agencies: Path | None, families: Path | None) -> tuple[Agencies, Families]:
    """The agencies and families of a run; those of one's own stand in files."""
    from dedup import agencies as agency_data
    from dedup.families import NO_FAMILIES, load_families

    known = agency_data.load(agencies)
    return known, NO_FAMILIES if families is None else load_families(families, known)
