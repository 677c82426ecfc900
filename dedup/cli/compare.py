"""``dedup compare``: what two texts share."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dedup.cli.options import Command, app
from dedup.config import Settings, settings_from
from dedup.errors import InputError
from dedup.report.console import errors, show

if TYPE_CHECKING:
    from dedup.model import Match


@app.command(cls=Command)
def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help="A text file, or an article's id with --run.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A and B are ids of articles in this output of scan."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the matches as JSON.")] = False,
    semantic: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of a sentence encoder, as for scan."),
    ] = None,
) -> None:
    """Show what two texts share, span by span.

    With --run the settings of that run apply, else the defaults.
    """
    with errors("Nothing was changed.") as stages:
        if run is None:
            text_a, text_b, settings = _read_text(a), _read_text(b), Settings()
        else:
            from dedup.report.tables import read_texts

            (text_a, text_b), recorded = read_texts(run, (a, b))
            settings = settings_from(recorded.get("settings") or {}, origin=str(run))
        from dedup import api

        stages.now = "compare"
        matches = api.compare(text_a, text_b, settings=settings, semantic=semantic)
        if as_json:
            typer.echo(_matches_json((a, b), (text_a, text_b), matches))
            return
        from dedup.report.terminal import compare_view

        show(compare_view(text_a, text_b, matches, (a, b)))


def _read_text(name: str) -> str:
    """A text file as it stands: UTF-8 (or what its byte order mark says), line ends kept."""
    import codecs

    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{name}: cannot be read: {reason}. For two articles of a scan, give its folder: "
            "--run DIR"
        ) from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    return raw.decode("utf-8-sig", errors="replace")


def _matches_json(names: tuple[str, str], texts: tuple[str, str], matches: list[Match]) -> str:
    import orjson

    rows = [
        asdict(m)
        | {"similarity": round(m.similarity, 6)}
        | {"a_text": texts[0][m.a_start : m.a_end], "b_text": texts[1][m.b_start : m.b_end]}
        for m in matches
    ]
    report = {"a": names[0], "b": names[1], "matches": rows}
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()
