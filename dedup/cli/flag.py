"""``dedup flag``: is this syndicated?"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Any

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, app
from dedup.report.console import Progress, errors, show


class FlagFormat(StrEnum):
    """Formats of the list."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"


class FlagName(StrEnum):
    """The flags, as ``--only`` takes them."""

    syndicated = "syndicated"
    partial = "partial"
    duplicate = "duplicate"
    earliest = "earliest"
    shared = "shared"
    unique = "unique"


@app.command(cls=Command)
@options.with_settings
def flag(
    inputs: options.Inputs,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Compare with the articles of this output of scan, too; they are not listed.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    only: Annotated[
        list[FlagName] | None,
        typer.Option(help="List articles with this flag. May be repeated.", rich_help_panel=OUTPUT),
    ] = None,
    min_share: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="List articles of which this share (0 to 1) or more is shared narrative.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = 0.0,
    format: Annotated[  # noqa: A002 - the option's name
        FlagFormat, typer.Option(help="Format of the list.", rich_help_panel=OUTPUT)
    ] = FlagFormat.table,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 10 when a listed article is syndicated, partial or a duplicate.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="No progress, no warnings.", rich_help_panel=OUTPUT),
    ] = False,
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
    semantic: options.Semantic = None,
    **settings: Any,
) -> None:
    """Say of each article whether its text is somebody else's.

    Prints one line an article: id, flag, source, confidence, share_copied, best_match, why.
    Where the table does not go to a terminal, its cells are parted by tabs. Standard input (-)
    may be JSON Lines, CSV, or one article as plain text. With --against the articles are compared
    with those of a former scan; that takes as long as a scan of both. Exit codes: 0 done, 2 usage,
    3 input incomplete (or, with --strict, records rejected), 5 failed, 10 see --exit-code.
    """
    with errors("Nothing was written.") as stages:
        analysis = options.load_settings(settings_file, settings)
        read = options.read_settings(field, outlet, strict, reject_invalid_utf8, encoding, limit)
        from dedup import flagging

        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            result = flagging.flag(
                inputs,
                against=against,
                only=[name.value for name in only or ()],
                min_share=min_share,
                settings=analysis,
                read=read,
                threads=threads,
                memory=memory,
                agencies=agencies,
                families=families,
                corrections=corrections,
                semantic=semantic,
                progress=progress,
            )
        stages.now = "list"
        from dedup.report import flags

        if format is FlagFormat.table and sys.stdout.isatty():
            show(flags.as_table(result.table))
        else:
            written = {"table": flags.as_lines, "csv": flags.as_csv, "jsonl": flags.as_jsonl}
            sys.stdout.buffer.write(written[format.value](result.table))
            sys.stdout.buffer.flush()
        if not quiet:
            options.warn(result.run)
        flagged = result.table["flag"].to_pylist()
        options.finish(result.run, flagged, strict=strict, exit_code=exit_code)
