"""``dedup report``: the report again, of everything or of a part."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dedup.cli.options import OUTPUT, Command, app
from dedup.errors import UsageError
from dedup.report.console import errors, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from dedup.results import Results

TOP_PASSAGES = 200
"""Stories that a page lists under the most reused passages, unless another number is asked for."""
_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class Form(StrEnum):
    """Formats of a report."""

    html = "html"
    markdown = "markdown"
    pdf = "pdf"


_SUFFIXES = {".html": Form.html, ".htm": Form.html, ".md": Form.markdown, ".pdf": Form.pdf}


@app.command(cls=Command)
def report(
    found: Annotated[
        Path, typer.Argument(metavar="DIR|INDEX", help="An output of scan, or an index.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The file.", rich_help_panel=OUTPUT),
    ] = Path("report.html"),
    format: Annotated[  # noqa: A002 - the option's name
        Form | None,
        typer.Option(
            help="Format, else by the ending of FILE. Markdown and PDF show one group.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace FILE.", rich_help_panel=OUTPUT)
    ] = False,
    group: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this group, with all its articles.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Only groups with an article published on DATE or later."
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="List so many groups and stories (default: all)."),
    ] = None,
) -> None:
    """Render the report again, from the output of a scan (in any format) or from an index.

    A PDF is printed by the Chromium or Chrome of this machine.
    """
    with errors("Nothing was written.") as stages:
        form = format or _SUFFIXES.get(out.suffix.lower())
        if form is None:
            raise UsageError(f"{out}: expected an ending of .html, .md or .pdf, or --format")
        if form is not Form.html and group is None:
            raise UsageError(f"--format {form.value} shows one group: give its id by --group")
        if since is not None and (group is not None or not _is_day(since)):
            raise UsageError(
                f"--since {since!r}: expected a date such as 2026-05-31, and no --group beside it"
            )
        if top is not None and group is not None:
            raise UsageError("--top cuts a list of groups; --group asks for one: leave one out")
        from dedup.report.single import check_file, put_bytes
        from dedup.results import open_results

        check_file(out, [], overwrite)
        if form is Form.pdf:
            from dedup.report.group import browser

            browser()  # said before anything is read
        stages.now = "read"
        results = open_results(found)
        stages.now = "report"
        content = _rendered(results, form, group, since, top)
        put_bytes(out, content)
        say(f"Written: {out}")


def _is_day(stated: str) -> bool:
    """Whether it is a year, a month or a day that there is."""
    if not _DAY.fullmatch(stated):
        return False
    try:
        date.fromisoformat(f"{stated}-01-01"[:10])
    except ValueError:
        return False
    return True


def _rendered(
    results: Results, form: Form, group: str | None, since: str | None, top: int | None
) -> bytes:
    from dedup.excerpt import excerpt, whole

    if group is None and since is None:
        tables, run = whole(results)
    elif group is not None:
        tables, run = excerpt(results, [group])
    else:
        tables, run = excerpt(results, results.groups_since(since or ""))
    if form is not Form.html:
        return _document(tables, form)
    from dedup.report.html import render_group, render_html

    if group is not None:
        return render_group(tables, run, group).encode()
    # The page of a scan lists all groups; a number is what was asked for.
    return render_html(tables, run, top_groups=top, top_passages=top or TOP_PASSAGES).encode()


def _document(tables: Mapping[str, pa.Table], form: Form) -> bytes:
    from dedup.report.group import group_html, group_markdown, printed

    if form is Form.markdown:
        return group_markdown(tables).encode()
    return printed(group_html(tables))
