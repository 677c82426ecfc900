"""``dedup index …``: what an index holds, and whether it is whole."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from dedup.cli import options
from dedup.cli.options import Command, app
from dedup.report.console import Progress, errors, show

EXIT_DAMAGED = 5

index_app = typer.Typer(
    name="index",
    help="Look at an index, or keep it in order.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(index_app)

Folder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]


@index_app.command(cls=Command)
def verify(
    index: Folder,
    threads: options.Threads = None,
    agencies: options.AgenciesFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Check that an index is whole.

    Everything is read: digests, frames and band keys are made anew from the texts, every match is
    measured again, and whatever one table names must be in the other. A job may write meanwhile.
    Each problem is one line. Exit codes: 0 whole, 2 usage, 5 damaged.
    """
    with errors("Nothing was changed.") as stages:
        from dedup.index import Index

        opened = Index.open(index, agencies=agencies)
        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            found = opened.verify(threads=threads, progress=progress)
        from dedup.report.safe import visible

        for problem in found.problems:
            typer.echo(" ".join(visible(problem).split()))
        if not quiet:
            from dedup.report.verified import verify_summary

            show(verify_summary(found, index))
        if not found.whole:
            raise typer.Exit(EXIT_DAMAGED)
