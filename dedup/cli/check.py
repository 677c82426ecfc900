"""``dedup check``: what a text shares with an index, without adding it."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from dedup.cli import options
from dedup.cli.options import OUTPUT, Command, app
from dedup.report.console import Progress, errors, show


@app.command(cls=Command)
def check(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A text, or articles in any format; - for standard input."
        ),
    ],
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object an article on stdout.", rich_help_panel=OUTPUT
        ),
    ] = False,
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
    threads: options.Threads = None,
    agencies: options.AgenciesFile = None,
) -> None:
    """Tell what a text shares with the articles of an index.

    Shows who else has the text, where it is the same, and whose it is. The index stays as it is;
    it may be updated at the same time. Exit codes: 0 done, 2 usage, 3 input incomplete, 5 failed,
    10 see --exit-code.
    """
    with errors("The index is untouched.") as stages:
        import orjson

        from dedup.index import Index
        from dedup.model import Ledger
        from dedup.read import read_articles
        from dedup.run import ledger_dict

        opened = Index.open(index, agencies=agencies)
        ledger = Ledger()
        flags = []
        with Progress(stages, shown=sys.stderr.isatty()) as progress:
            progress("read", 0, None)
            read = options.read_settings(field, outlet, False, False)
            articles = [
                article
                for batch in read_articles([file], read, ledger)
                for article in batch.to_pylist()
            ]
            progress("look up", 0, len(articles))
            found = []
            for number, article in enumerate(articles):
                found.append(opened.check_article(article, threads=threads))
                progress("look up", number + 1, len(articles))
        stages.now = "summary"
        for one in found:
            flags.append(one.flag)
            if json:
                sys.stdout.write(orjson.dumps(one.as_dict()).decode() + "\n")
            else:
                from dedup.report.check import check_view

                show(check_view(one))
        options.finish({"ledger": ledger_dict(ledger)}, flags, strict=False, exit_code=exit_code)
