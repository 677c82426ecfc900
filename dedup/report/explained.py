"""Why two articles are related or not: for a terminal, and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dedup.report.page import TEXT_LENGTH, marked, render_page
from dedup.report.safe import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedup.explanation import Explanation

SHOWN = 5


def explain_view(e: Explanation, texts: tuple[str, str]) -> RenderableType:
    """The verdict first, then the rules, then the passages."""
    parts: list[RenderableType] = [_named("A", e.a), _named("B", e.b), Text()]
    parts.append(Text(e.verdict, style="bold"))
    if not e.recorded.get("relation"):
        parts += [
            Text(one_line(f"limit: {cap['name']} ({cap['count']}): {cap['meaning']}", 300), "dim")
            for cap in e.recorded.get("caps") or ()
        ]
    if e.rules:
        parts += [Text(), _rules(e)]
    if e.spans:
        parts += [Text("Spans that the alignment found", style="bold"), _spans(e)]
    if e.nearest:
        parts.append(Text("Passages that are most alike", style="bold"))
        for pair in e.nearest[:SHOWN]:
            parts += _pair(pair, texts)
    if e.left_out:
        parts.append(Text(f"{e.left_out:,} passages of very long texts were not looked at."))
    return Group(*parts)


def _named(side: str, row: Mapping[str, Any]) -> Text:
    when = one_line(row["published"], 20) or "undated"
    outlet = one_line(row["outlet"], 40) or "no outlet"
    return Text.assemble(
        (f"{side}  {one_line(row['ref'], 60)}", "bold"),
        f"  {outlet}, {when}: {one_line(row['title'], 80)}",
    )


def _rules(e: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("stage", "asks for", "found", "needed", ""):
        right = name in ("found", "needed")
        table.add_column(name, header_style="dim", justify="right" if right else "left")
    for rule in e.rules:
        table.add_row(
            rule.stage,
            rule.asks,
            f"{rule.value:.4g} {rule.unit}".strip(),
            f"{rule.threshold:.4g}",
            Text("yes", "green") if rule.passed else Text("no", "bold red"),
        )
    return table


def _spans(e: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("kind", "A", "B", "similarity", "bits", ""):
        table.add_column(name, header_style="dim")
    for span in e.spans:
        holders = "" if span.articles is None else f"{span.articles:,} articles hold it"
        table.add_row(
            span.kind or "left out",
            f"{span.a_start}–{span.a_end}",
            f"{span.b_start}–{span.b_end}",
            f"{span.similarity:.2f}",
            f"{span.bits:.0f}",
            span.dropped_by or holders,
        )
    return table


def _pair(pair: Any, texts: tuple[str, str]) -> list[RenderableType]:
    head = (
        f"words {pair.jaccard:.2f}, Dice {pair.dice:.2f}, {pair.shared_bits:.0f} bits, "
        f"{pair.bands} of {pair.of_bands} bands: {pair.stopped_by or 'alike'}"
    )
    return [
        Text(f"  {head}", style="dim"),
        Text(f"    A {one_line(texts[0][pair.a_start : pair.a_end], 200)}"),
        Text(f"    B {one_line(texts[1][pair.b_start : pair.b_end], 200)}"),
    ]


def explain_page(e: Explanation, texts: tuple[str, str], *, service: bool = False) -> str:
    """The explanation as a page that works from a file and loads nothing; ``service``: with links
    to the pages of ``dedup serve``."""
    left = [(s.a_start, s.a_end, s.kind or "dropped") for s in e.spans]
    right = [(s.b_start, s.b_end, s.kind or "dropped") for s in e.spans]
    return render_page(
        "explain",
        service=service,
        e=e,
        left_text=marked(texts[0], left),
        right_text=marked(texts[1], right),
        left_cut=len(texts[0]) > TEXT_LENGTH,
        right_cut=len(texts[1]) > TEXT_LENGTH,
        nearest=[
            (
                one_line(texts[0][p.a_start : p.a_end], 300),
                one_line(texts[1][p.b_start : p.b_end], 300),
                p,
            )
            for p in e.nearest
        ],
    )
