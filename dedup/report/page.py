"""Small pages: one file each, no script, a policy that allows their own style alone.

What they show of others goes through :mod:`dedup.report.safe` and through Jinja's escaping.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup

from dedup.report.safe import one_line, safe_url, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT_LENGTH = 60_000
"""Characters of a text that a page shows."""
Piece = tuple[str, str]
"""A stretch of a text and the class of its mark, ``""`` for none."""


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dedup.report", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible,
        "line": one_line,
        "url": safe_url,
        "n": lambda value: f"{value:,}",
        "pc": lambda value: f"{100 * value:.0f} %",
        "address": lambda name, kind: f"/{kind}/{quote(name, safe='')}",
        "next_page": lambda name: "?" + urlencode({"after": name}),
        "why": lambda row: "/explain?" + urlencode({"a": row["a"], "b": row["b"]}),
    }
    return environment


@cache
def style() -> str:
    """The style of all small pages."""
    return (files("dedup.report") / "pages" / "page.css").read_text(encoding="utf-8")


@cache
def policy(form: str = "'none'") -> str:
    """The content security policy of the pages; ``form``: where forms may send."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {form}"


def render_page(template: str, *, form: str = "'none'", **values: Any) -> str:
    """A page from a template of ``dedup/report/pages``."""
    made = _environment().get_template(f"{template}.html.j2")
    return made.render(
        csp=policy(form),
        style=Markup(style()),  # noqa: S704 - our own file
        text_length=TEXT_LENGTH,
        **values,
    )


def marked(text: str, spans: Sequence[tuple[int, int, str]]) -> list[Piece]:
    """A text in pieces, those within a span (start, end, class) marked; what several spans hold
    has the class of the last of them. Cut after :data:`TEXT_LENGTH` characters."""
    end = min(len(text), TEXT_LENGTH)
    shown = visible(text[:end])
    cuts = sorted({0, end, *(min(at, end) for span in spans for at in span[:2])})
    pieces: list[Piece] = []
    starts = sorted(enumerate(spans), key=lambda item: item[1][0])
    open_spans: list[tuple[int, tuple[int, int, str]]] = []
    at = 0
    for begin, stop in pairwise(cuts):
        while at < len(starts) and starts[at][1][0] <= begin:
            open_spans.append(starts[at])
            at += 1
        open_spans = [item for item in open_spans if item[1][1] > begin]
        name = max(open_spans)[1][2] if open_spans else ""
        if pieces and pieces[-1][1] == name:
            pieces[-1] = (pieces[-1][0] + shown[begin:stop], name)
        else:
            pieces.append((shown[begin:stop], name))
    return pieces
