"""What a text shares with an index, for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from dedup.report.safe import one_line

if TYPE_CHECKING:
    from dedup.checking import Check

TOP = 10


def check_view(found: Check) -> RenderableType:
    """The verdict first, then with whom, then which words."""
    article = found.article
    parts: list[RenderableType] = [
        Text.assemble(
            (one_line(article["id"], 80), "bold"), ": ", (article["flag"], "bold"), _source(found)
        ),
        Text(one_line(article["why"], 400)),
    ]
    if found.known:
        parts.append(Text(f"The index has exactly this text: {_names(found.known)}"))
    if article["group"]:
        parts.append(Text(f"It would join group {article['group']}."))
    if found.relations:
        parts += [Text(), Text("Shares text with:", style="bold")]
        parts += [_relation(found, row) for row in found.relations[:TOP]]
        if len(found.relations) > TOP:
            parts.append(Padding(Text(f"… and {len(found.relations) - TOP:,} more"), (0, 2)))
        parts += [Text(), Text("Where (characters of the text):", style="bold")]
        parts += [_match(row) for row in found.matches[: 2 * TOP]]
        if len(found.matches) > 2 * TOP:
            more = len(found.matches) - 2 * TOP
            parts.append(Padding(Text(f"… and {more:,} more; --json lists all"), (0, 2)))
    return Group(*parts)


def _source(found: Check) -> str:
    source = found.article["source"]
    if source is None:
        return ""
    name = found.source["name"] if found.source and found.source["id"] == source else source
    return f", source {one_line(name, 60)}"


def _names(refs: list[str]) -> str:
    more = f" and {len(refs) - TOP:,} more" if len(refs) > TOP else ""
    return ", ".join(one_line(ref, 60) for ref in refs[:TOP]) + more


def _relation(found: Check, row: dict[str, Any]) -> RenderableType:
    other = found.others[row["b"]]
    when = str(other["published"])[:10] if other["published"] else "undated"
    outlet = one_line(other["outlet"] or "no outlet", 40)
    return Padding(
        Text(
            f"{row['relation']:<8} {row['coverage_a']:>4.0%} of it  {outlet}, {when}: "
            f"{one_line(other['title'] or '', 60)} ({one_line(row['b'], 40)})"
        ),
        (0, 2),
    )


def _match(row: dict[str, Any]) -> RenderableType:
    return Padding(
        Text(
            f"{row['a_start']:>6}–{row['a_end']:<6} {row['kind']:<12} similarity "
            f"{row['similarity']:.2f}  {one_line(row['b'], 40)} {row['b_start']}–{row['b_end']}"
        ),
        (0, 2),
    )
