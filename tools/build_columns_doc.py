"""Write the table of recognised columns in ``docs/input.md``: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from dedup.read.columns import FIELD_NAMES, METADATA_NAMES

TARGET = Path(__file__).parent.parent / "docs" / "input.md"
BEGIN, END = "<!-- columns:", "<!-- end of columns -->"


def table() -> str:
    rows = ["| field | names, the preferred first |", "|---|---|"]
    for field, names in FIELD_NAMES.items():
        rows.append(f"| `{field}` | {' '.join(f'`{name}`' for name in names)} |")
    kept = " ".join(f"`{name}`" for name in sorted(METADATA_NAMES.values(), key=str.lower))
    rows.append(f"| metadata | {kept}, where not taken for a field |")
    return "\n".join(rows)


def render(page: str) -> str:
    """The page with its table renewed."""
    head, rest = page.split(BEGIN, 1)
    comment, rest = rest.split("\n", 1)
    return f"{head}{BEGIN}{comment}\n\n{table()}\n\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    print(TARGET)
