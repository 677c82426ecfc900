"""How long until dedup is there: ``import dedup``, ``dedup --help``, and Python alone.

    python benchmarks/import_time.py [--runs 15]

Medians of whole processes, in turns. Writes ``benchmarks/results/import_time.{json,md}``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import machine
import processes

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import dedup": [sys.executable, "-c", "import dedup"],
    "import dedup; dedup.scan": [sys.executable, "-c", "import dedup; dedup.scan"],
    "dedup --help": processes.dedup("--help")[0],
    "dedup --version": processes.dedup("--version")[0],
}


def measured(runs: int) -> dict[str, processes.Usage]:
    """Medians by command; a first run of each, which reads the files from disk, is left out."""
    _, path = processes.dedup()
    usages: dict[str, list[processes.Usage]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, command in COMMANDS.items():
            usage = processes.measure(command, environment=path)
            if number:
                usages[name].append(usage)
    return {name: processes.median(found) for name, found in usages.items()}


def markdown(about: dict[str, Any], rows: dict[str, dict[str, float]], runs: int) -> str:
    """Circumstances and table."""
    lines = [
        "# Import time",
        "",
        f"{machine.headline(about)} Medians of {runs} processes, files in the system's cache.",
        "",
        table(rows),
    ]
    return "\n".join(lines) + "\n"


def table(rows: dict[str, dict[str, float]]) -> str:
    """The commands and their cost."""
    lines = ["| command | milliseconds | processor ms | peak MiB |", "|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(
            f"| `{name}` | {row['milliseconds']:.0f} | {row['cpu_milliseconds']:.0f} | "
            f"{row['peak_mb']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--out", type=Path, default=processes.ROOT / "benchmarks" / "results")
    args = parser.parse_args()
    about = machine.circumstances(("dedup", "benchmarks/import_time.py"))
    rows = {
        name: {
            "milliseconds": round(usage.seconds * 1000, 1),
            "cpu_milliseconds": round(usage.cpu_seconds * 1000, 1),
            "peak_mb": round(usage.peak_mb, 1),
        }
        for name, usage in measured(args.runs).items()
    }
    text = markdown(about, rows, args.runs)
    args.out.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"about": about, "runs": args.runs, "commands": rows}, indent=1)
    (args.out / "import_time.json").write_text(content + "\n", "utf-8")
    (args.out / "import_time.md").write_text(text, "utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
