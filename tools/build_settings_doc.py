"""Write ``docs/settings.md`` from the settings themselves: ``make docs``."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import fields
from pathlib import Path

from dedup.config import ReadSettings, Settings, limits

TARGET = Path(__file__).parent.parent / "docs" / "settings.md"

HEAD = """\
# Settings

<!-- Written by tools/build_settings_doc.py; run `make docs` after a change. -->

The defaults are the configuration with which every published figure is taken. Leave them unless
you have a reason. The same records and settings give the same tables, byte for byte, with the same
version on the same kind of processor.

## Analysis

These decide what is found. Each is an option of `dedup scan` (`min_similarity` is
`--min-similarity`), a key of a settings file, and a field of `dedup.Settings`. A value that is
unknown or out of range is an error that names it.

| setting | default | range | meaning |
|---|---|---|---|
"""

FILE = """
`partial_share` must not exceed `copy_share`.

A settings file is TOML. Options given on the command line win over it.

```toml
# settings.toml
min_similarity = 0.5
copy_share = 0.6
```

```text
dedup scan dump/ --out found --settings settings.toml --copy-share 0.7
```

`run.json` records the settings of a run and their `fingerprint`, which changes whenever one of
them does, or the way signatures are computed, or what the files of agencies, families and
corrections say.

## Reading

These do not change what is found in a given set of records. They are fields of
`dedup.ReadSettings`; most are options of `dedup scan` too ([commands](commands.md)).

| setting | default | meaning |
|---|---|---|
"""


LIMITS = """
## Limits of reading

They keep memory and time bounded whatever a file holds. What exceeds one is rejected or, where a
file as a whole does, marked incomplete; both are listed with the limit's name. On the command line:
`--limit max_record_bytes=200000000`.

| limit | default | meaning |
|---|---|---|
"""


def documentation(cls: type) -> dict[str, str]:
    """The string below each field of a dataclass."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    found: dict[str, str] = {}
    if not isinstance(body, ast.ClassDef):
        return found
    for node, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(after, ast.Expr):
            found[ast.unparse(node.target)] = " ".join(str(ast.literal_eval(after.value)).split())
    return found


def cell(text: str) -> str:
    return text.replace("``", "`").replace("|", r"\|")


def render() -> str:
    out = HEAD
    for f in fields(Settings):
        low, high = f.metadata["low"], f.metadata["high"]
        out += f"| `{f.name}` | {f.default} | {low} to {high} | {cell(f.metadata['help'])} |\n"
    out += FILE
    text = documentation(ReadSettings)
    for f in fields(ReadSettings):
        if f.name not in limits():
            out += f"| `{f.name}` | `{f.default}` | {cell(text[f.name])} |\n"
    out += LIMITS
    for name, (default, meaning) in limits().items():
        out += f"| `{name}` | {default} | {cell(meaning)} |\n"
    return out


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(TARGET)
