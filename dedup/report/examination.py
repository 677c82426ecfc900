"""What ``dedup doctor`` found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.report.safe import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILES = 10
_NAMES = 12
_MISSING = {"outlet": "no outlet", "published": "no date", "title": "no title"}


def examination(found: Mapping[str, Any]) -> RenderableType:
    """The findings of :func:`dedup.doctor.examine` on one screen, the advice last."""
    parts: list[RenderableType] = [_headline(found)]
    alike = _alike(found["formats"])
    parts += [_format(entries) for entries in alike[:_FILES]]
    if len(alike) > _FILES:
        parts.append(Text(f"and {len(alike) - _FILES:,} more; see --json", style="dim"))
    if found["sample"]["articles"]:
        parts.append(_articles(found))
    parts += [p for p in (_rejected(found), _others(found)) if p is not None]
    parts.append(_estimate(found["estimate"]))
    parts += [Text(f"→ {line}", style="bold yellow") for line in found["advice"]]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _headline(found: Mapping[str, Any]) -> Text:
    files, sample = found["files"], found["sample"]
    text = Text(f"{_count(files['found'], 'file')}, {_bytes(files['bytes'])}; ", style="bold")
    text.append("all was read: " if sample["complete"] else "looked at a part: ")
    text.append(
        f"{_count(sample['read'], 'record')} = {sample['articles']:,} articles + "
        f"{sample['repeats']:,} repeats + {sample['rejected']:,} rejected"
    )
    return text


def _alike(formats: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Entries of the same format, encoding and columns together, in the order of the first."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for entry in formats:
        key = (
            *(entry["format"], entry["encoding"], tuple(entry["columns"].items())),
            *(tuple(entry["unused"]), entry["incomplete"], tuple(entry["notes"])),
        )
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def _format(entries: list[Mapping[str, Any]]) -> RenderableType:
    first = entries[0]
    more = f" and {len(entries) - 1:,} more" if len(entries) > 1 else ""
    head = Text(one_line(first["file"], 120) + more, style="bold")
    head.append(f"  {first['format'] or 'not read'}", style="not bold cyan")
    if first["encoding"]:
        head.append(f"  {first['encoding']}", style="not bold dim")
    lines: list[RenderableType] = [head]
    if first["columns"] or first["could_be"]:
        lines.append(_columns(first))
    for label, key in (("searched for credits", "metadata"), ("not used", "unused")):
        if first[key]:
            names = [one_line(name, 40) for name in first[key]]
            shown = ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
            lines.append(Text(f"  {label}: {shown}", style="dim"))
    if first["incomplete"]:
        lines.append(Text("  " + one_line(first["incomplete"], 300), style="bold red"))
    lines += [Text("  " + one_line(note, 300), style="yellow") for note in first["notes"]]
    return Group(*lines)


def _columns(entry: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), pad_edge=True)
    for name in ("field", "column", "filled", "could also be"):
        table.add_column(name, header_style="dim", justify="right" if name == "filled" else "left")
    read = max(1, entry["read"])
    for field in dict.fromkeys([*entry["columns"], *entry["could_be"]]):
        column = entry["columns"].get(field)
        filled = [entry["filled"].get(name) for name in (column or "").split(" | ")]
        share = sum(n for n in filled if n) / read if any(n is not None for n in filled) else None
        table.add_row(
            field,
            Text(one_line(column, 40)) if column else Text("none", style="yellow"),
            "" if share is None else f"{min(1.0, share):.0%}",
            Text(", ".join(one_line(name, 40) for name in entry["could_be"].get(field, ()))),
        )
    return table


def _articles(found: Mapping[str, Any]) -> Text:
    missing = found["missing"]
    text = Text("Languages: ")
    shares = [f"{x['language'] or 'unknown'} {x['share']:.0%}" for x in found["languages"][:6]]
    text.append(", ".join(shares))
    text.append("\nMissing: ")
    text.append(", ".join(f"{label} {missing[n]['share']:.1%}" for n, label in _MISSING.items()))
    ids = found["ids"]
    text.append(
        f"\nIds: {ids['derived']:,} made from the text, "
        f"{ids['repeated_with_same_text']:,} repeated with the same text, "
        f"{ids['with_several_texts']:,} with several texts"
    )
    if ids["examples"]:
        text.append(" (" + ", ".join(one_line(name, 40) for name in ids["examples"][:3]) + ")")
    if found["issues"]:
        issues = ", ".join(f"{name} {count:,}" for name, count in found["issues"].items())
        text.append(f"\nIssues: {issues}")
    return text


def _rejected(found: Mapping[str, Any]) -> RenderableType | None:
    if not found["rejected"]:
        return None
    lines = [Text("Would be rejected", style="bold")]
    for entry in found["rejected"][:_FILES]:
        place = ", ".join(part for part in (entry["file"], entry["position"]) if part)
        lines.append(Text(f"  {entry['records']:,} × {one_line(entry['reason'], 200)}", "yellow"))
        lines.append(Text(f"      {one_line(place, 160)}", style="dim"))
        if entry["sample"].strip():
            lines.append(Text(f"      {one_line(entry['sample'], 100)}", style="dim"))
    if len(found["rejected"]) > _FILES:
        lines.append(Text(f"  and {len(found['rejected']) - _FILES} more reasons; see --json"))
    return Group(*lines)


def _others(found: Mapping[str, Any]) -> RenderableType | None:
    lines = [f"skipped: {s['file']}: {s['reason']}" for s in found["skipped"]]
    lines += found["warnings"]
    if not lines:
        return None
    shown = [Text(one_line(line, 300), style="yellow") for line in lines[:_FILES]]
    if len(lines) > _FILES:
        shown.append(Text(f"and {len(lines) - _FILES:,} more; see --json", style="yellow"))
    return Group(*shown)


def _estimate(estimate: Mapping[str, Any]) -> Text:
    if not estimate["known"]:
        return Text("A scan: cannot be estimated, too little of the input was seen.")
    text = Text("A scan: about ", style="bold")
    text.append(
        f"{estimate['articles']:,} articles, {_bytes(estimate['text_bytes'])} of text; "
        f"{_time(estimate['seconds'])} on this machine when it is idle; "
        f"{_bytes(estimate['memory_bytes'])} of memory",
        style="not bold",
    )
    return text


def _bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} bytes"


def _time(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
