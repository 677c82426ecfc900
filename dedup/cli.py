"""The command line: options in, exit codes out; everything in between is the API's.

``dedup --help`` must stay quick, so whatever is heavy (Arrow, numba, scikit-learn, jinja2, rich)
is imported inside the commands.
"""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from dedup.config import ReadSettings, Settings, load_toml, settings_from
from dedup.errors import InputError, SettingsError, UsageError
from dedup.report.console import Progress, errors, say, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dedup.model import Match

FLAGGED = ("syndicated", "partial", "duplicate")
EXIT_INCOMPLETE = 3
EXIT_FLAGGED = 10

_INPUT, _OUTPUT, _ANALYSIS = "Input", "Output", "Analysis settings"

app = typer.Typer(
    name="dedup",
    add_completion=False,
    no_args_is_help=True,
    # Rich help costs 0.3 s of imports; `_Command` groups the plain one.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class _Command(TyperCommand):
    """Plain help, its options under headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                title = getattr(parameter, "rich_help_panel", None)
                is_argument = parameter.param_type_name == "argument"
                title = title or ("Arguments" if is_argument else "Options")
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class OutputFormat(StrEnum):
    """Formats of the tables."""

    jsonl = "jsonl"
    parquet = "parquet"
    csv = "csv"


def _version(asked: bool) -> None:
    if asked:
        import dedup

        typer.echo(f"dedup {getattr(dedup, '__version__', 'unknown')}")
        raise typer.Exit


@app.callback()
def _root(
    _asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Find what news articles share, and say where it came from."""


# --- scan -----------------------------------------------------------------------------------


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` one option for each field of ``Settings``, in place of ``**settings``."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    for field in fields(Settings):
        low, high = field.metadata["low"], field.metadata["high"]
        kind = int if field.type == "int" else float
        option = typer.Option(
            f"--{field.name.replace('_', '-')}",
            help=f"{field.metadata['help']} [default: {field.default}; {low} to {high}]",
            metavar="N" if kind is int else "X",
            show_default=False,
            rich_help_panel=_ANALYSIS,
        )
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[kind | None, option],
            )
        )
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


@app.command(cls=_Command)
@_with_settings
def scan(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Files, folders or patterns; - for standard input."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder to write.", rich_help_panel=_OUTPUT
        ),
    ],
    format: Annotated[  # noqa: A002 - the option's name
        OutputFormat, typer.Option(help="Format of the tables.", rich_help_panel=_OUTPUT)
    ] = OutputFormat.jsonl,
    all_relations: Annotated[
        bool,
        typer.Option(
            "--all-relations",
            help="List the pairs that share boilerplate only, too.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    no_texts: Annotated[
        bool,
        typer.Option("--no-texts", help="Do not write texts.parquet.", rich_help_panel=_OUTPUT),
    ] = False,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Do not write report.html.", rich_help_panel=_OUTPUT),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a former run in DIR.", rich_help_panel=_OUTPUT),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="No progress, no summary; errors only.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit with 10 when an article is syndicated, partial or a duplicate.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME=COLUMN",
            help="Take article field NAME from COLUMN, e.g. text=body. May be repeated.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    outlet: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Outlet of records that name none.", rich_help_panel=_INPUT
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Stop at the first damaged file or rejected record.",
            rich_help_panel=_INPUT,
        ),
    ] = False,
    reject_invalid_utf8: Annotated[
        bool,
        typer.Option(
            "--reject-invalid-utf8",
            help="Reject records with invalid UTF-8 instead of mending them.",
            rich_help_panel=_INPUT,
        ),
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Threads [default: all cores].", rich_help_panel=_INPUT
        ),
    ] = None,
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE.toml",
            help="Analysis settings; options given here win over the file.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = None,
    agencies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", help="Further agencies and their names.", rich_help_panel=_ANALYSIS
        ),
    ] = None,
    semantic: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Local folder with a sentence encoder, asked how far reworded matches reach.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = None,
    **settings: Any,
) -> None:
    """Find shared passages and their sources in a dump of articles.

    Reads the inputs, writes tables and report.html to DIR, and prints a summary. Exit codes: 0
    done, 2 usage, 3 input incomplete (or, with --strict, records rejected), 5 failed, 10 see
    --exit-code.
    """
    written = "Nothing was written; what DIR held before is untouched. Run the same command again."
    with errors(written) as stages:
        analysis = load_settings(settings_file, settings)
        read = ReadSettings(
            fields=tuple(_pair(text) for text in field or ()),
            strict=strict,
            reject_invalid_utf8=reject_invalid_utf8,
            default_outlet=outlet,
        )
        from dedup.report.tables import prepare_output, write_run

        _check_apart(inputs, out)
        prepare_output(out, overwrite)

        from dedup import api
        from dedup.texts import Tables

        with Progress(stages, shown=not quiet and sys.stderr.isatty()) as progress:
            result = api.scan(
                inputs,
                settings=analysis,
                read=read,
                threads=threads,
                agencies=None if agencies is None else str(agencies),
                all_relations=all_relations,
                semantic=semantic,
                progress=progress,
            )
            tables, run = Tables.of(result.tables), result.run
            if no_texts:
                tables = tables.without_texts()
            progress("report", 0, None)
            html = None
            if not no_report:
                from dedup.report.html import render_html

                html = render_html(tables, run)
            progress("write", 0, None)
            write_run(
                out,
                tables,
                run,
                format=format.value,
                all_relations=all_relations,
                texts=not no_texts,
                html=html,
                overwrite=overwrite,
            )
        stages.now = "summary"
        if not quiet:
            from dedup.report.terminal import summary

            show(summary(tables, run, out))
        _finish(run, tables, strict=strict, exit_code=exit_code)


def load_settings(path: Path | None, options: dict[str, Any]) -> Settings:
    """Settings from a TOML file (top level or ``[settings]``), overridden by given options."""
    table: dict[str, Any] = {}
    if path is not None:
        table = load_toml(path)
        inner = table.pop("settings", {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{path}: 'settings' must be a table, got {inner!r}")
        if both := sorted(set(table) & set(inner)):
            raise SettingsError(
                f"{path}: '{both[0]}' stands at the top level and under [settings]; keep one"
            )
        table |= inner
        try:
            settings_from(table)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None
    return settings_from(table | {name: v for name, v in options.items() if v is not None})


def _pair(text: str) -> tuple[str, str]:
    name, separator, column = text.partition("=")
    if not (name and separator and column):
        raise UsageError(f"--field {text!r}: expected NAME=COLUMN, e.g. --field text=body")
    return name, column


def _check_apart(inputs: list[str], out: Path) -> None:
    """Refuse an output folder that is, holds or lies in an input: a former run would be read."""
    target = Path(os.path.realpath(out))
    for name in inputs:
        if name == "-" or not os.path.exists(name):  # noqa: PTH110 - also takes NUL in names
            continue
        source = Path(os.path.realpath(name))
        if source.is_relative_to(target):
            raise UsageError(f"{name}: the input lies in the output folder {out}; choose another")
        if target.is_relative_to(source) and target.is_dir() and any(target.iterdir()):
            raise UsageError(
                f"{out}: the output folder lies in the input {name}, so that the former run would "
                "be read as input; choose another"
            )


def _finish(
    run: dict[str, Any], tables: Mapping[str, Any], *, strict: bool, exit_code: bool
) -> None:
    """End with the exit code of what was found; everything is written by now."""
    ledger = run.get("ledger") or {}
    # Said even with --quiet: a job that read nothing must not look like one that found nothing.
    if not len(tables["articles"]):
        for warning in ledger.get("warnings") or ():
            say(f"warning: {warning}")
        rejected = ledger.get("rejected") or 0
        why = f"; {rejected:,} records were rejected, see 'rejected'" if rejected else ""
        say(f"warning: no articles were read{why}")
    incomplete = [f for f in ledger.get("files") or () if f.get("incomplete")]
    for file in incomplete:
        say(f"warning: {file.get('file')}: incomplete input: {file['incomplete']}")
    if incomplete or (strict and ledger.get("rejected")):
        raise typer.Exit(EXIT_INCOMPLETE)
    if exit_code and set(tables["articles"].column("flag").to_pylist()) & set(FLAGGED):
        raise typer.Exit(EXIT_FLAGGED)


# --- compare --------------------------------------------------------------------------------


@app.command(cls=_Command)
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
