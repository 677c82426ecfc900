"""The page's program: its ES modules joined into one script, since a page that is opened from a
disk cannot import modules from files."""

from __future__ import annotations

import re
from importlib.resources import files

MODULES = (
    "dom", "words", "chunks", "route", "exports", "controls", "charts", "spans", "compare",
    "timeline", "groups", "group", "passages", "sources", "matrices", "pairs", "main",
)  # fmt: skip
"""Those of ``dedup/report/js`` in the order in which they depend on each other."""

_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./([a-z]+)\.js\";\n", re.M)
_EXPORT = re.compile(r"^export (?=const |class |function |async function )", re.M)


def joined() -> str:
    """All modules as one strict script; top-level names are unique over all of them."""
    parts = []
    for name in MODULES:
        source = (files("dedup.report") / "js" / f"{name}.js").read_text(encoding="utf-8")
        parts.append(_EXPORT.sub("", _IMPORT.sub("", source)))
    body = "\n".join(parts)
    return f'"use strict";\n(() => {{\n{body}\n}})();\n'
