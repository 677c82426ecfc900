"""Write the tables of ``docs/performance.md`` from ``benchmarks/results``: ``make docs``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
sys.path.insert(0, str(ROOT / "benchmarks"))

import estimate  # noqa: E402
import growth  # noqa: E402
import import_time  # noqa: E402
import machine  # noqa: E402
from speed import table as speed  # noqa: E402

BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """The tables by name, from the latest results."""

    def stored(name: str) -> Any:
        return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))

    profiles, scale, imports = stored("speed"), stored("scale"), stored("import_time")
    corpora = growth.corpora(scale["rows"])
    article = estimate.basis(corpora["news"])
    return {
        "taken": machine.headline(scale["about"]),
        "speed": "\n\n".join(speed.brief(name, p) for name, p in profiles.items()),
        "signatures": speed.signatures(profiles),
        "stages": estimate.per_article((corpora.get("real") or corpora["news"])[-1]),
        "sizes": growth.sizes(scale["rows"]),
        "growth": growth.exponents(scale["rows"]),
        "estimate": estimate.markdown(article, scale["about"]["cores"]) if article else "",
        "import-time": import_time.table(imports["commands"]),
    }


def render(page: str) -> str:
    """The page with its tables renewed."""
    known = tables()
    return BLOCK.sub(lambda found: f"{found[1]}\n{known[found[2]]}\n\n{found[3]}", page)


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    print(TARGET)
