"""``dedup explain``: why two articles are related, or are not."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from dedup.cli.options import OUTPUT, Command, app
from dedup.report.console import errors, say, show


@app.command(cls=Command)
def explain(
    found: Annotated[
        Path, typer.Argument(metavar="DIR|INDEX", help="An output of scan, or an index.")
    ],
    a: Annotated[str, typer.Argument(metavar="ID1", help="An article.")],
    b: Annotated[str, typer.Argument(metavar="ID2", help="The other one.")],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it as a page.", rich_help_panel=OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace FILE.", rich_help_panel=OUTPUT),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Tell why two articles are related, or are not.

    The two texts go through the stages once more with the run's settings; each rule is shown with
    what it found and what it needs. Two that were never compared are told apart by the filter that
    stopped them.
    """
    with errors("Nothing was changed.") as stages:
        from dedup.results import explain_articles, open_results

        if html is not None:
            from dedup.report.single import check_file

            check_file(html, [], overwrite)
        stages.now = "read"
        results = open_results(found)
        stages.now = "explain"
        explained = explain_articles(results, a, b)
        if json:
            import orjson

            typer.echo(orjson.dumps(explained.as_dict(), option=orjson.OPT_INDENT_2).decode())
        texts = (results.with_text(a)[1], results.with_text(b)[1])
        if html is not None:
            from dedup.report.explained import explain_page
            from dedup.report.single import put_bytes

            page = explain_page(explained, texts).encode()
            put_bytes(html, page)
            if not json:
                say(f"Written: {html}")
        elif not json:
            from dedup.report.explained import explain_view

            show(explain_view(explained, texts))
