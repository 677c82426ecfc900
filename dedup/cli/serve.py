"""``dedup serve``: the report, checks and a JSON interface over HTTP."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from dedup.cli import options  # noqa: TC001 - Typer reads the annotations
from dedup.cli.options import Command, app
from dedup.errors import MissingExtraError
from dedup.report.console import errors, say

LIMITS = "Limits"


@app.command(cls=Command)
def serve(
    found: Annotated[
        Path, typer.Argument(metavar="INDEX|DIR", help="An index, or an output of scan.")
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; others need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Clients must show the token in FILE; else that of DEDUP_TOKEN, if it is set.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which clients call it. May be repeated."),
    ] = None,
    max_body: Annotated[
        int, typer.Option(metavar="BYTES", min=1, help="Of a request.", rich_help_panel=LIMITS)
    ] = 4 * 2**20,
    rate: Annotated[
        float,
        typer.Option(
            metavar="N",
            min=0,
            help="Requests a second of a client; 0: any.",
            rich_help_panel=LIMITS,
        ),
    ] = 20.0,
    burst: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="So many of them at once.", rich_help_panel=LIMITS),
    ] = 60,
    queue: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Requests that may wait; others are told to come again.",
            rich_help_panel=LIMITS,
        ),
    ] = 64,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, help="For one request.", rich_help_panel=LIMITS),
    ] = 30.0,
    drain: Annotated[
        int,
        typer.Option(
            metavar="SECONDS",
            min=1,
            help="For those under way when it ends.",
            rich_help_panel=LIMITS,
        ),
    ] = 10,
    threads: options.Threads = None,
) -> None:
    """Serve what was found: pages, and a JSON interface.

    A text can be pasted, or a file uploaded, to see where else it stands. The index may be updated
    meanwhile. Ends at SIGTERM or Ctrl-C, when what is under way is answered. Exit codes: 0 ended
    so, 2 usage, 5 failed.
    """
    with errors("Nothing was changed.") as stages:
        from dedup.web.settings import ServiceSettings, allowed_names, read_token

        workers = threads or os.cpu_count() or 1
        settings = ServiceSettings(
            host=host,
            port=port,
            token=read_token(token_file),
            names=allowed_names(host, allow_host or []),
            body=max_body,
            rate=rate,
            burst=burst,
            workers=workers,
            queue=queue,
            seconds=timeout,
            drain=drain,
        )
        try:
            import python_multipart  # noqa: F401 - Starlette loads it when a form arrives
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(error.name or "starlette", "serve", "dedup serve") from error
        stages.now = "read"
        from dedup.web.live import Live
        from dedup.web.server import serve as run

        live = Live(found, workers)
        stages.now = "serve"
        run(live, settings, lambda address: say(f"serving {found} at {address}"))
