"""``dedup scan``: a dump in, tables and a report out."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated, Any

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, Engine, OutputFormat, app, check_engine
from dedup.cli.options import as_uri as given_uri
from dedup.errors import UsageError
from dedup.report.console import Progress, errors, show


@app.command(cls=Command)
@options.with_settings
def scan(
    inputs: options.Inputs,
    out: options.OutFolder,
    engine: options.EngineName = Engine.local,
    master: options.Master = None,
    conf: options.Conf = None,
    work: options.Work = None,
    keep_work: options.KeepWork = False,
    format: options.Format = OutputFormat.jsonl,  # noqa: A002 - the option's name
    all_relations: Annotated[
        bool,
        typer.Option(
            "--all-relations",
            help="List the pairs that share boilerplate only, too.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    no_texts: options.NoTexts = False,
    no_report: options.NoReport = False,
    full_report: Annotated[
        bool,
        typer.Option(
            "--full-report",
            help="Write the folder report, too: all groups with their texts, however many.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 10 when an article is syndicated, partial or a duplicate.",
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
    semantic: options.Semantic = None,
    **settings: Any,
) -> None:
    """Find shared passages and their sources in a dump of articles.

    Reads the inputs, writes tables and report.html to DIR, and prints a summary. Exit codes: 0
    done, 2 usage, 3 input incomplete (or, with --strict, records rejected), 5 failed, 10 see
    --exit-code.
    """
    written = "Nothing was written; what DIR held before is untouched. Run the same command again."
    with errors(written) as stages:
        local = {
            "--format": format is not OutputFormat.jsonl,
            "--threads": threads is not None,
            "--memory": memory is not None,
            "--corrections": corrections is not None,
            "--semantic": semantic is not None,
            "--all-relations": all_relations,
            "--strict": strict,
            "--full-report": full_report,
        }
        check_engine(engine, local, (master, conf, work, keep_work))
        analysis = options.load_settings(settings_file, settings)
        if no_report and full_report:
            raise UsageError("--no-report and --full-report contradict each other; leave one out")
        read = options.read_settings(field, outlet, strict, reject_invalid_utf8, encoding, limit)
        if engine is Engine.spark:
            from dedup.cli.spark import scan_on_spark

            run = scan_on_spark(
                inputs,
                given_uri(out),
                analysis,
                read,
                agencies,
                families,
                master=master,
                conf=conf or (),
                work=work,
                keep_work=keep_work,
                overwrite=overwrite,
                texts=not no_texts,
                report=not no_report,
                stages=stages,
                quiet=quiet,
            )
            flags = [flag for flag, count in run["counts"]["flags"].items() if count]
            options.finish(run, flags, strict=strict, exit_code=exit_code)
            return
        from dedup.report.tables import prepare_output, write_run

        options.check_apart(inputs, out)
        prepare_output(out, overwrite)

        from dedup import api
        from dedup.texts import Tables

        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            result = api.scan(
                inputs,
                settings=analysis,
                read=read,
                threads=threads,
                memory=memory,
                agencies=agencies,
                families=families,
                corrections=corrections,
                all_relations=all_relations,
                semantic=semantic,
                progress=progress,
            )
            tables, run = Tables.of(result.tables), result.run
            if no_texts:
                tables = tables.without_texts()
            html = pages = None
            if not no_report:
                from dedup.report.chunks import ReportData
                from dedup.report.html import folder_files, render_page

                data = ReportData(tables, run)
                html = partial(render_page, data)
                pages = folder_files(data) if full_report else None
            progress("write", 0, None)
            write_run(
                out,
                tables,
                run,
                format=format.value,
                all_relations=all_relations,
                texts=not no_texts,
                html=html,
                pages=pages,
                overwrite=overwrite,
            )
        stages.now = "summary"
        if not quiet:
            from dedup.report.terminal import summary

            show(summary(tables, run, out))
        flags = tables["articles"].column("flag").to_pylist()
        options.finish(run, flags, strict=strict, exit_code=exit_code)
