"""``dedup update``: articles into an index, and what that changed."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Any

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, Engine, OutputFormat, app, as_uri, check_engine
from dedup.report.console import Progress, errors, show


@app.command(cls=Command)
@options.with_settings
def update(
    index: Annotated[
        Path, typer.Argument(metavar="INDEX", help="Folder of the index; made if there is none.")
    ],
    inputs: options.Inputs,
    out: options.ChangesFolder = None,
    engine: options.EngineName = Engine.local,
    master: options.Master = None,
    conf: options.Conf = None,
    work: options.Work = None,
    keep_work: options.KeepWork = False,
    format: options.Format = OutputFormat.jsonl,  # noqa: A002 - the option's name
    no_report: options.NoReport = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 10 when an article is now syndicated, partial or a duplicate.",
            rich_help_panel=OUTPUT,
        ),
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
    **settings: Any,
) -> None:
    """Add articles to an index, and report only what is new.

    The index holds what a scan of all its articles finds. DIR gets the rows that this run added
    or changed, in the files of 'dedup scan', and changes.jsonl (with --engine spark: all tables of
    the index, and changes.parquet). The same articles again change nothing. Settings belong to the
    index: they are given when it is made. Exit codes: 0 done, 2 usage, 3 input incomplete (or, with
    --strict, records rejected), 4 another job is changing the index, 5 failed, 10 see --exit-code.
    """
    written = "The index holds what was committed last. Run the same command again to continue."
    with errors(written) as stages:
        local = {
            "--format": format is not OutputFormat.jsonl,
            "--threads": threads is not None,
            "--memory": memory is not None,
            "--corrections": corrections is not None,
            "--strict": strict,
        }
        check_engine(engine, local, (master, conf, work, keep_work))
        given = options.given_settings(settings_file, settings)
        read = options.read_settings(field, outlet, strict, reject_invalid_utf8, encoding, limit)
        if engine is Engine.spark:
            from dedup.cli.spark import update_on_spark

            run = update_on_spark(
                as_uri(index),
                inputs,
                None if out is None else as_uri(out),
                given,
                read,
                agencies,
                families,
                master=master,
                conf=conf or (),
                work=work,
                keep_work=keep_work,
                overwrite=overwrite,
                report=not no_report,
                stages=stages,
                quiet=quiet,
            )
            options.finish(run, run["flags"], strict=strict, exit_code=exit_code)
            return
        for folder in (out, index):
            if folder is not None:
                options.check_apart(inputs, folder)
        from dedup.index import Index

        opened = Index.open(index, create=True, settings=given, agencies=agencies)
        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            found = opened.update(
                inputs,
                out=out,
                format=format.value,
                overwrite=overwrite,
                report=not no_report,
                read=read,
                threads=threads,
                families=families,
                corrections=corrections,
                memory=memory,
                progress=progress,
            )
        stages.now = "summary"
        if not quiet:
            from dedup.report.changes import update_summary

            show(update_summary(found, index, out))
        flags = found.tables["articles"].column("flag").to_pylist()
        options.finish(found.run, flags, strict=strict, exit_code=exit_code)
