"""``dedup doctor``: what is this input, and what would a run make of it?"""

from __future__ import annotations

from typing import Annotated

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, app
from dedup.report.console import errors, show


@app.command(cls=Command)
def doctor(
    inputs: options.Inputs,
    files: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Files to look at.", rich_help_panel=options.INPUT),
    ] = 100,
    records: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Records of each to look at.", rich_help_panel=options.INPUT
        ),
    ] = 500,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.", rich_help_panel=OUTPUT)
    ] = False,
    field: options.Fields = None,
    outlet: options.Outlet = None,
    reject_invalid_utf8: options.RejectInvalid = False,
    encoding: options.Encoding = None,
    limit: options.Limits = None,
) -> None:
    """Look at a sample of the inputs and say how they would be read.

    Formats, encodings, which columns become which fields and which others could, languages, what
    is missing, ids that repeat, records that would be rejected and why, and about how much time
    and memory a scan takes. Nothing is written. Exit codes: 0 done, 2 usage, 3 an input does not
    exist or has no known format, 5 failed.
    """
    with errors("Nothing was changed.") as stages:
        read = options.read_settings(field, outlet, False, reject_invalid_utf8, encoding, limit)
        stages.now = "look"
        from dedup.doctor import examine

        found = examine(inputs, read, files=files, records=records)
        if as_json:
            import orjson

            typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
            return
        from dedup.report.examination import examination

        show(examination(found))
