"""The root of the command line and the options that several commands share.

``dedup --help`` must stay quick, so whatever is heavy (Arrow, numba, scikit-learn, jinja2, rich)
is imported inside the commands.
"""

from __future__ import annotations

import inspect
import os
import re
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from dedup.config import ReadSettings, Settings, limits, load_toml, settings_from
from dedup.errors import SettingsError, UsageError
from dedup.report.console import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FLAGGED = ("syndicated", "partial", "duplicate")
EXIT_INCOMPLETE = 3
EXIT_FLAGGED = 10

INPUT, OUTPUT, ANALYSIS = "Input", "Output", "Analysis settings"
ENGINE = "Engine"

app = typer.Typer(
    name="dedup",
    add_completion=False,
    no_args_is_help=True,
    # Rich help costs 0.3 s of imports; `Command` groups the plain one.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class Command(TyperCommand):
    """Plain help, its options under headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, each section under its heading."""
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


class Engine(StrEnum):
    """Where the stages run."""

    local = "local"
    spark = "spark"


def check_engine(engine: Engine, local: Mapping[str, bool], of_spark: Sequence[object]) -> None:
    """Refuse options of the other engine: those ``local`` that are given, or values ``of_spark``.

    Raises :class:`~dedup.errors.UsageError`.
    """
    wrong = [name for name, is_given in local.items() if is_given]
    if engine is Engine.spark and wrong:
        raise UsageError(
            f"{wrong[0]}: is not for --engine spark, which writes Parquet and takes threads and "
            "memory from Spark (docs/cluster.md); leave it out or use --engine local"
        )
    if engine is Engine.local and any(of_spark):
        raise UsageError("--master, --conf, --work and --keep-work belong to --engine spark")


def as_uri(path: Path) -> str:
    """A path as it was given: ``Path`` makes ``hdfs:/news`` of ``hdfs://news``."""
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]+):/(?=[^/])", r"\1://", str(path))


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


# --- options ------------------------------------------------------------------------------------

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Files, folders or patterns; - for standard input."),
]
EngineName = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="Where the stages run: this machine, or a Spark cluster (docs/cluster.md).",
        rich_help_panel=ENGINE,
    ),
]
Master = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Spark's master, e.g. yarn.", rich_help_panel=ENGINE),
]
Conf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="A setting of Spark, e.g. spark.executor.memory=8g. May be repeated.",
        rich_help_panel=ENGINE,
    ),
]
Work = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="Folder for finished stages of a Spark run [default: DIR.work, of an update "
        "INDEX.work].",
        rich_help_panel=ENGINE,
    ),
]
KeepWork = Annotated[
    bool,
    typer.Option("--keep-work", help="Keep the stages of a Spark run.", rich_help_panel=ENGINE),
]
Format = Annotated[
    OutputFormat, typer.Option("--format", help="Format of the tables.", rich_help_panel=OUTPUT)
]
OutFolder = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="DIR", help="Folder to write.", rich_help_panel=OUTPUT),
]
ChangesFolder = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="DIR", help="Write what changed to DIR.", rich_help_panel=OUTPUT
    ),
]
NoTexts = Annotated[
    bool,
    typer.Option("--no-texts", help="Do not write texts.parquet.", rich_help_panel=OUTPUT),
]
NoReport = Annotated[
    bool,
    typer.Option("--no-report", help="Do not write report.html.", rich_help_panel=OUTPUT),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace a former run in DIR.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="No progress, no summary; errors only.", rich_help_panel=OUTPUT
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME=COLUMN",
        help="Take article field NAME from COLUMN, e.g. text=body. May be repeated.",
        rich_help_panel=INPUT,
    ),
]
Outlet = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Outlet of records that name none.", rich_help_panel=INPUT),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Stop at the first damaged file or rejected record.",
        rich_help_panel=INPUT,
    ),
]
RejectInvalid = Annotated[
    bool,
    typer.Option(
        "--reject-invalid-utf8",
        help="Reject records with invalid UTF-8 instead of mending them.",
        rich_help_panel=INPUT,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Encoding of texts that are not Unicode, e.g. windows-1252.",
        rich_help_panel=INPUT,
    ),
]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=N",
        help="Set a limit of reading, e.g. max_record_bytes=200000000 (docs/settings.md). May be "
        "repeated.",
        rich_help_panel=INPUT,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Threads [default: all cores].", rich_help_panel=INPUT),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Memory that the run may take, e.g. 4GB [default: half of the machine's]; what is too "
        "large goes to temporary files.",
        rich_help_panel=INPUT,
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE.toml",
        help="Analysis settings; options given here win over the file.",
        rich_help_panel=ANALYSIS,
    ),
]
AgenciesFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml", help="Further agencies and their names.", rich_help_panel=ANALYSIS
    ),
]
FamiliesFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml",
        help="Families of outlets with one owner, each counted as one outlet.",
        rich_help_panel=ANALYSIS,
    ),
]
CorrectionsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml",
        help="Your judgements (same story or not, source, furniture), which the run honours.",
        rich_help_panel=ANALYSIS,
    ),
]
Semantic = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Local folder with a sentence encoder, asked how far reworded matches reach.",
        rich_help_panel=ANALYSIS,
    ),
]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
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
            rich_help_panel=ANALYSIS,
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


def given_settings(path: Path | None, options: dict[str, Any]) -> Settings | None:
    """As :func:`load_settings`; ``None`` where neither a file nor an option was given."""
    if path is None and all(value is None for value in options.values()):
        return None
    return load_settings(path, options)


def pair(text: str) -> tuple[str, str]:
    """``NAME=COLUMN`` taken apart; anything else is a ``UsageError``."""
    name, separator, column = text.partition("=")
    if not (name and separator and column):
        raise UsageError(f"--field {text!r}: expected NAME=COLUMN, e.g. --field text=body")
    return name, column


def check_apart(inputs: list[str], out: Path) -> None:
    """Refuse an output folder that is, holds or lies in an input: a former run would be read."""
    from dedup.read.discover import claims, real_paths

    target = Path(os.path.realpath(out))
    for name in inputs:
        if any(Path(source).is_relative_to(target) for source in real_paths(name)):
            raise UsageError(f"{name}: the input lies in the output folder {out}; choose another")
        if claims(name, str(target)) and target.is_dir() and any(target.iterdir()):
            raise UsageError(
                f"{out}: the output folder lies in the input {name}, so that the former run would "
                "be read as input; choose another"
            )


def limit(text: str) -> tuple[str, int]:
    """``NAME=N`` of a limit of reading; anything else is a ``UsageError`` that lists the limits."""
    name, _, number = text.partition("=")
    if name not in limits():
        raise UsageError(f"--limit {text!r}: known limits are: {', '.join(limits())}")
    if not number.isascii() or not number.isdecimal():
        raise UsageError(f"--limit {text!r}: expected a whole number, e.g. {name}=1000")
    return name, int(number)


def read_settings(
    field: Sequence[str] | None,
    outlet: str | None,
    strict: bool,
    reject_invalid_utf8: bool,
    encoding: str | None = None,
    limit_options: Sequence[str] | None = None,
) -> ReadSettings:
    """How to read, from the options of a command."""
    given: dict[str, Any] = dict(limit(text) for text in limit_options or ())
    return ReadSettings(
        **given,
        encoding=encoding,
        fields=tuple(pair(text) for text in field or ()),
        strict=strict,
        reject_invalid_utf8=reject_invalid_utf8,
        default_outlet=outlet,
    )


def warn(run: dict[str, Any]) -> None:
    """Say on stderr what a list on stdout cannot: rejected records, corrections not applied."""
    rejected = run["ledger"]["rejected"]
    if rejected:
        say(f"warning: {rejected:,} {'record was' if rejected == 1 else 'records were'} rejected")
    for entry in (run.get("corrections") or {}).get("entries") or ():
        if not entry["applied"]:
            say(f"warning: correction not applied: {entry['says']}: {entry['effect']}")


def finish(run: dict[str, Any], flags: Sequence[str], *, strict: bool, exit_code: bool) -> None:
    """End with the exit code of what was found; everything is written by now.

    ``flags`` are those of the articles that count for ``--exit-code``.
    """
    ledger = run.get("ledger") or {}
    # Said even with --quiet: a job that read nothing must not look like one that found nothing.
    if not ledger.get("articles"):
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
    if exit_code and set(flags) & set(FLAGGED):
        raise typer.Exit(EXIT_FLAGGED)
