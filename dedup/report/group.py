"""One group as a document: Markdown, a page, or a PDF of that page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from dedup.errors import OutputNotWritableError, UsageError
from dedup.report.encode import with_date_strings
from dedup.report.page import render_page
from dedup.report.safe import one_line, safe_url, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

PRINT_SECONDS = 120
"""Seconds that a browser may take to print a page."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&=:.@/])")
_NUMBERED = re.compile(r"^(\d+)([.)])")


def group_values(tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    """What the templates show of the first group of ``tables``."""
    group = tables["groups"].slice(0, 1).to_pylist()[0]
    articles = with_date_strings("articles", tables["articles"]).to_pylist()
    by_ref = {row["ref"]: row for row in articles}
    members = [by_ref[ref] for ref in group["articles"] if ref in by_ref]
    members.sort(key=lambda row: (row["published"] or "~", row["ref"]))
    order = {name: rank for rank, name in enumerate(group["passages"])}
    passages = [row for row in tables["passages"].to_pylist() if row["id"] in order]
    core = set(group["core"])
    titles = [row["title"] for row in members if row["title"]]
    return {
        "group": group,
        "title": titles[0] if titles else group["id"],
        "source": group["source"] or {},
        "articles": members,
        "core": core,
        "passages": sorted(passages, key=lambda row: order[row["id"]]),
        "relations": tables["relations"].to_pylist(),
    }


def group_html(tables: Mapping[str, pa.Table], *, service: bool = False) -> str:
    """The group as a page; ``service``: with links to the pages of ``dedup serve``."""
    return render_page("group", service=service, **group_values(tables))


def group_markdown(tables: Mapping[str, pa.Table]) -> str:
    """The group in Markdown (CommonMark with tables); texts of others are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dedup.report", "pages"),
        autoescape=False,  # noqa: S701 - no HTML: all texts of others go through `plain`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "url": lambda url: (safe_url(url) or "").replace("(", "%28").replace(")", "%29"),
        "n": lambda value: f"{value:,}",
        "pc": lambda value: f"{100 * value:.0f} %",
    }
    return environment.get_template("group.md.j2").render(**group_values(tables))


def plain(text: str | None, limit: int = 500) -> str:
    """``text`` as one line of Markdown in which nothing means anything."""
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", one_line(visible(text), limit)))


def browser() -> str:
    """A Chromium of this machine: ``CHROMIUM`` in the environment, else one on the path.

    Raises :class:`~dedup.errors.UsageError` that says what to install where there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else (*_BROWSERS, *_MAC):
        if name and (path := shutil.which(name)):
            return path
    missing = f"{named} (CHROMIUM) cannot be run" if named else "none was found"
    raise UsageError(
        f"a PDF is printed by Chromium or Chrome, and {missing}; install one (Debian, Ubuntu: "
        "apt install chromium; macOS: brew install --cask chromium), or name it in the "
        "environment variable CHROMIUM; --format html and markdown need none"
    )


def printed(html: str) -> bytes:
    """A page as PDF, printed by a headless Chromium, whose fonts and shaping serve every script.

    Raises :class:`~dedup.errors.UsageError` without a browser, and
    :class:`~dedup.errors.OutputNotWritableError` when it fails.
    """
    path = browser()
    with tempfile.TemporaryDirectory(prefix="dedup-print-") as folder:
        page, pdf = Path(folder, "page.html"), Path(folder, "page.pdf")
        page.write_text(html, encoding="utf-8")
        command = [
            path,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={pdf}",
            page.as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Its sandbox refuses root. The page has no script and may load nothing.
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(  # noqa: S603 - the browser that the user has
                command, capture_output=True, timeout=PRINT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputNotWritableError(f"{path}: could not print the page: {error}") from error
        if not pdf.is_file() or not pdf.stat().st_size:
            said = one_line(done.stderr.decode("utf-8", "replace"), 300)
            raise OutputNotWritableError(
                f"{path}: printed nothing (exit code {done.returncode}): {said}"
            )
        return pdf.read_bytes()
