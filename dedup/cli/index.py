"""``dedup index``: looking after an index."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, OutputFormat, app
from dedup.report.console import Progress, errors, show

group = typer.Typer(
    name="index",
    help="Look after an index: what is in it, whether it is sound, deletion, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group)

Folder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
EXIT_DAMAGED = 5
UNTOUCHED = "The index holds what was committed last."


@group.command(cls=Command)
def info(
    index: Folder,
    json: Annotated[bool, typer.Option("--json", help="As JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Show what an index holds: counts, sizes, settings, the last runs."""
    with errors(UNTOUCHED):
        import orjson

        from dedup.index import Index
        from dedup.report.changes import info_view

        found = Index.open(index, any_version=True).info()
        if json:
            sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            show(info_view(found))


@group.command(cls=Command)
def verify(
    index: Folder,
    threads: options.Threads = None,
    agencies: options.AgenciesFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Check that an index is whole.

    Everything is read: digests, frames and band keys are made anew from the texts, all passages
    are compared anew, every match is measured again, and whatever one table names must be in the
    other. A job may write meanwhile.
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


@group.command(cls=Command)
def compact(index: Folder) -> None:
    """Give back the space of what is gone. Others can read the index meanwhile."""
    with errors(UNTOUCHED):
        from dedup.index import Index
        from dedup.report.console import say

        before, after = Index.open(index, any_version=True).compact()
        say(f"{index}: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now")


@group.command(cls=Command)
def delete(
    index: Folder,
    id: Annotated[  # noqa: A002 - the option's name
        list[str] | None, typer.Option("--id", metavar="ID", help="An article. May be repeated.")
    ] = None,
    outlet: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="All of an outlet, by id or name. May be repeated."),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="All published (or, undated, first seen) before DATE."),
    ] = None,
    erase: Annotated[
        bool,
        typer.Option(
            "--erase",
            help="Leave nothing of the texts, and do not add them again (right to erasure).",
        ),
    ] = False,
    out: options.ChangesFolder = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    threads: options.Threads = None,
    families: options.FamiliesFile = None,
    corrections: options.CorrectionsFile = None,
) -> None:
    """Take articles out of an index, and tell what that changes.

    Folders that earlier runs wrote are not touched; those that name an article are listed. Exit
    codes: 0 done, 2 usage, 3 an id or outlet was not there (without --erase: and nothing else
    either), 4 another job is changing the index, 5 failed.
    """
    with errors(f"{UNTOUCHED} Run the same command again to continue.") as stages:
        from dedup.errors import UsageError
        from dedup.index import Index
        from dedup.report.changes import update_summary
        from dedup.report.console import say

        if not id and not outlet and before is None:
            raise UsageError("index delete: say what: --id, --outlet or --before")
        opened = Index.open(index)
        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            found = opened.delete(
                id or (),
                outlets=outlet or (),
                before=before,
                erase=erase,
                out=out,
                overwrite=overwrite,
                threads=threads,
                families=families,
                corrections=corrections,
                progress=progress,
            )
        about = found.run["run"]
        for name in about.get("missing", ()):
            say(f"warning: no article '{name}' in {index}")
        for name in about.get("missing_outlets", ()):
            say(f"warning: no article of an outlet '{name}' in {index}")
        for folder in about.get("outputs") or ():
            say(f"warning: {folder} was written by an earlier run and names a deleted article")
        if not quiet:
            show(update_summary(found, index, out))
        absent = "missing" in about or "missing_outlets" in about
        if absent and (erase or not about["removed"]):
            raise typer.Exit(options.EXIT_INCOMPLETE)


@group.command(cls=Command)
def export(
    index: Folder,
    out: options.OutFolder,
    format: options.Format = OutputFormat.jsonl,  # noqa: A002 - the option's name
    no_texts: options.NoTexts = False,
    no_report: options.NoReport = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    threads: options.Threads = None,
    memory: options.Memory = None,
    families: options.FamiliesFile = None,
    corrections: options.CorrectionsFile = None,
) -> None:
    """Write the tables of the whole index, as a scan of all its articles gives them."""
    with errors("Nothing was written; what DIR held before is untouched.") as stages:
        from dedup.index import Index
        from dedup.report.tables import prepare_output
        from dedup.report.terminal import summary

        prepare_output(out, overwrite)
        opened = Index.open(index)
        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            found = opened.tables(
                families=families,
                corrections=corrections,
                threads=threads,
                memory=memory,
                progress=progress,
            )
            progress("write", 0, None)
            found.write(
                out,
                format=format.value,
                texts=not no_texts,
                report=not no_report,
                overwrite=overwrite,
            )
        if not quiet:
            show(summary(found.tables, found.run, out))


@group.command(cls=Command)
@options.with_settings
def rebuild(
    index: Folder,
    out: options.ChangesFolder = None,
    quiet: options.Quiet = False,
    threads: options.Threads = None,
    memory: options.Memory = None,
    settings_file: options.SettingsFile = None,
    agencies: options.AgenciesFile = None,
    families: options.FamiliesFile = None,
    corrections: options.CorrectionsFile = None,
    **settings: Any,
) -> None:
    """Compare all texts of an index anew: with other settings, or after an upgrade of dedup."""
    with errors("The index is as it was before.") as stages:
        from dedup.index import Index
        from dedup.report.changes import update_summary

        given = options.given_settings(settings_file, settings)
        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            found = Index.rebuild(
                index,
                settings=given,
                agencies=agencies,
                out=out,
                threads=threads,
                families=families,
                corrections=corrections,
                memory=memory,
                progress=progress,
            )
        if not quiet:
            show(update_summary(found, index, out))
