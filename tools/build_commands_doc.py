"""Write ``docs/commands.md`` from the commands themselves: ``make docs``."""

from __future__ import annotations

import inspect
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from typer.models import ArgumentInfo

from dedup.cli import app
from dedup.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

TARGET = Path(__file__).parent.parent / "docs" / "commands.md"

HEAD = """\
# Commands

<!-- Written by tools/build_commands_doc.py; run `make docs` after a change. -->

`dedup COMMAND --help` says the same. `dedup --version` shows the version.
"""

TAIL = """
## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 2 | usage: an option, a setting, a path or a column is wrong; nothing was written |
| 3 | an input does not exist or has no known format, and nothing was written; or it is \
damaged, and what could be read was used, but with `--strict` \
nothing was written |
| 4 | another job is changing the index |
| 5 | failed; the message names the stage |
| 10 | with `--exit-code`: at least one article (of `flag`: one that is listed) is \
`syndicated`, `partial` or a `duplicate` |
| 130 | interrupted by Ctrl-C or SIGTERM |
"""


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def names(name: str, info: Any, annotation: Any) -> str:
    """An option's names and its values, e.g. ``--out``, ``-o`` DIR."""
    # Inside ``Annotated`` the first name is kept where a default value would stand.
    given = [n for n in (info.default, *(info.param_decls or ())) if str(n).startswith("-")]
    text = ", ".join(f"`{n}`" for n in given or [f"--{name.replace('_', '-')}"])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"{text} " + ", ".join(f"`{member.value}`" for member in annotation)
    return f"{text} {info.metavar}" if info.metavar else text


def section(command: Callable[..., None], group: str = "") -> str:
    settings = {f.name for f in fields(Settings)}
    arguments: list[str] = []
    options: list[str] = []
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        annotation, info, *_ = get_args(parameter.annotation)
        if isinstance(info, ArgumentInfo):
            arguments.append(f"| {info.metavar} | {cell(info.help or '')} |")
        elif name not in settings:
            options.append(f"| {names(name, info, annotation)} | {cell(info.help or '')} |")
    usage = " ".join(
        [f"dedup {group}{command.__name__} [OPTIONS]", *(a.split()[1] for a in arguments)]
    )
    rows = "\n".join(["| | |", "|---|---|", *arguments, *options])
    out = f"\n## `{usage}`\n\n{inspect.getdoc(command)}\n\n{rows}\n"
    if settings & set(inspect.signature(command).parameters):
        out += "\nEvery analysis setting is an option as well: [settings](settings.md).\n"
    return out


def render() -> str:
    commands = [c.callback for c in app.registered_commands if c.callback is not None]
    found = [section(command) for command in commands]
    for group in app.registered_groups:
        inner = cast("typer.Typer", group.typer_instance)
        members = (c.callback for c in inner.registered_commands if c.callback is not None)
        found += [section(command, f"{inner.info.name} ") for command in members]
    return HEAD + "".join(found) + TAIL


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(TARGET)
