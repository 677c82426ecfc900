"""Write the pages of the documentation's site into .site/docs: ``make docs`` builds it from them.

README.md is its first page, docs/ the others; the page of the API is made of the public names.
Links lead to the pages where there is one, and else to a copy of the file, so that the site is
whole without the repository.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import dedup

ROOT = Path(__file__).parent.parent
TARGET = ROOT / ".site" / "docs"
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_RENAMED = {"README.md": "index.md", "docs/index.md": "the-index.md"}


def pages() -> dict[Path, str]:
    """Each page's file in the repository, and its name on the site."""
    found = [
        ROOT / "README.md",
        ROOT / "data/sample/README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
    names = {**_RENAMED, "data/sample/README.md": "sample.md"}
    return {page: names.get(str(page.relative_to(ROOT)), page.name) for page in found}


def linked(text: str, page: Path, names: dict[Path, str]) -> str:
    """A page with links that hold on the site; copies the files that they lead to."""

    def replaced(match: re.Match[str]) -> str:
        address, _, anchor = match[2].partition("#")
        if not address or "://" in address or address.startswith("mailto:"):
            return match[0]
        file = (page.parent / address).resolve()
        if file in names:
            target = names[file]
        elif file.is_file():
            target = f"files/{file.relative_to(ROOT)}"
            if file.suffix == ".md":
                target += ".txt"  # no page of the site: shown as it stands
            copy = TARGET / target
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            anchor = ""
        else:
            raise SystemExit(f"{page}: {match[2]}: leads to no file")
        return f"{match[1]}{target}{'#' + anchor if anchor else ''}{match[3]}"

    return _LINK.sub(replaced, text)


def api() -> str:
    """The page of the API: every public name, by its docstring."""
    homes = dedup._HOMES
    names = [name for name in dedup.__all__ if name in homes]
    parts = [f"::: {homes[name]}.{name}\n" for name in names]
    return "# API\n\nWhat `import dedup` offers.\n\n" + "\n".join(parts)


def main() -> None:
    """Write all pages anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    names = pages()
    for page, name in names.items():
        text = linked(page.read_text(encoding="utf-8"), page, names)
        (TARGET / name).write_text(text, encoding="utf-8")
    (TARGET / "api.md").write_text(api(), encoding="utf-8")


if __name__ == "__main__":
    main()
