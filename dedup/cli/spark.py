"""``dedup scan --engine spark``, of which nothing is loaded without that option."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dedup.report.console import Progress, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dedup.config import ReadSettings, Settings


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
    from dedup import agencies as agency_data
    from dedup.engines.spark import Request, scan
    from dedup.families import NO_FAMILIES, load_families

    known = agency_data.load(agencies)
    declared = NO_FAMILIES if families is None else load_families(families, known)
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
