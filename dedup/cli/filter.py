"""``dedup filter``: a dump without its redundant copies."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Any

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, app
from dedup.report.console import Progress, errors


class KeepChoice(StrEnum):
    """Which of several copies is kept."""

    original = "original"
    earliest = "earliest"
    longest = "longest"
    agency = "agency"


@app.command(cls=Command)
@options.with_settings
def filter(  # noqa: A001 - the command's name
    inputs: options.Inputs,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File to write; .gz and .zst compress.",
            rich_help_panel=OUTPUT,
        ),
    ],
    keep: Annotated[
        KeepChoice,
        typer.Option(
            help="Which of several is kept: the source's own or first observed, the earliest, the "
            "longest, the agency's.",
            rich_help_panel=OUTPUT,
        ),
    ] = KeepChoice.original,
    min_share: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="An article goes only if one that stays holds this share (0 to 1) of it. "
            "[default: 0.8]",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = 0.8,
    dropped: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="List of what was dropped, and for what [default: OUT.dropped.jsonl].",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace former files.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: options.Quiet = False,
    field: options.Fields = None,
    outlet: options.Outlet = None,
    strict: options.Strict = False,
    reject_invalid_utf8: options.RejectInvalid = False,
    encoding: options.Encoding = None,
    limit: options.Limits = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    settings_file: options.SettingsFile = None,
    agencies: options.AgenciesFile = None,
    families: options.FamiliesFile = None,
    corrections: options.CorrectionsFile = None,
    **settings: Any,
) -> None:
    """Write a dump without its redundant copies.

    Records are written as they were read, with all their fields: JSON Lines, CSV or Parquet, the
    format of the inputs, which must have one. Each record that goes is listed with the one kept
    in its place. Exit codes: 0 done, 2 usage, 3 input incomplete (or, with --strict, records
    rejected), 5 failed.
    """
    with errors("Nothing was written; what FILE held before is untouched.") as stages:
        analysis = options.load_settings(settings_file, settings)
        read = options.read_settings(field, outlet, strict, reject_invalid_utf8, encoding, limit)
        from dedup import filtering

        filtering.check_targets(inputs, filtering.targets(out, dropped), overwrite)
        with (
            Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress,
            filtering.filtering(
                inputs,
                target=out,
                keep=keep.value,
                min_share=min_share,
                settings=analysis,
                read=read,
                threads=threads,
                memory=memory,
                agencies=agencies,
                families=families,
                corrections=corrections,
                progress=progress,
            ) as result,
        ):
            progress("write", 0, None)
            paths = result.write(out, dropped=dropped, overwrite=overwrite)
        if not quiet:
            for line in filtering.summary(result, paths):
                typer.echo(line)
            options.warn(result.run)
        options.finish(result.run, (), strict=strict, exit_code=False)
