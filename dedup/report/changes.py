"""What a run of an index changed, for people at a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.text import Text

from dedup.report.safe import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from dedup.index import Update

_WORDS = {
    "articles": ("article", "articles"),
    "groups": ("group", "groups"),
    "relations": ("relation", "relations"),
    "passages": ("shared passage", "shared passages"),
    "sources": ("source", "sources"),
}


def update_summary(update: Update, index: Path, out: Path | None) -> Text:
    """The answer first: how much is new, and how much of it is somebody else's text."""
    about, held = update.run["run"], update.run["index"]
    lines = []
    if not update.changed:
        lines.append(
            f"Nothing changed: {index} holds {_count(held['articles'], 'article')}, as before."
        )
    else:
        flags = Counter(update.tables["articles"].column("flag").to_pylist())
        copied = ", ".join(
            f"{flags[flag]:,} {flag}" for flag in ("syndicated", "partial", "duplicate", "earliest")
        )
        lines.append(
            f"{_count(about['new'], 'new article')}; {index} now holds {held['articles']:,} in "
            f"{_count(held['groups'], 'group')}."
        )
        lines.append(f"Of the articles that are new or changed: {copied}.")
    for part, count in (
        ("already known", about["known"]),
        ("new texts of known ids", about["revisions"]),
        ("taken out", about["removed"]),
        ("left out since they were erased", about["erased"]),
        ("rejected", update.run["ledger"]["rejected"]),
    ):
        if count:
            lines.append(f"  {part}: {count:,}")
    if update.changed:
        lines += ["", "Changed in the index:"]
        lines += _changes(update)
    if about["continued"]:
        lines += ["", f"This run was begun before and continued; its id is {about['id']}."]
    if out is not None:
        lines += ["", f"Written to: {one_line(str(out), 200)}"]
    return Text("\n".join(lines))


def _changes(update: Update) -> list[str]:
    counts = Counter((c["table"], c["change"]) for c in update.changes)
    lines = []
    for table, (one, many) in _WORDS.items():
        parts = [
            f"{counts[table, change]:,} {change}"
            for change in ("added", "changed", "removed")
            if counts[table, change]
        ]
        if parts:
            total = sum(counts[table, change] for change in ("added", "changed", "removed"))
            lines.append(f"  {one if total == 1 else many}: {', '.join(parts)}")
    events = [
        f"{n:,} {e}" for (t, e), n in sorted(counts.items()) if t == "groups" and e in _EVENTS
    ]
    if events:
        lines.append(f"  history of groups: {', '.join(events)}")
    return lines


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


_EVENTS = ("created", "merged", "split", "dissolved")


def info_view(about: dict[str, Any]) -> RenderableType:
    """What an index holds."""
    rows, size, runs = about["rows"], about["bytes"], about["last_runs"]
    first, last = about["published"]
    when = f", published {first} to {last}" if first else ""
    lines = [
        f"{_count(rows['articles'], 'article')}{when}",
        f"{_count(rows['groups'], 'group')}, {_count(rows['relations'], 'relation')}",
        f"{_count(rows['passages'], 'shared passage')}, {_count(rows['sources'], 'source')}",
        "Flags: " + (", ".join(f"{n:,} {flag}" for flag, n in about["flags"].items()) or "none"),
        f"{size['file'] / 1e6:,.1f} MB on the disk, {size['free'] / 1e6:,.1f} MB of them free",
        f"Made {about['created']}; fingerprint {about['stamp']['fingerprint']}",
    ]
    if about["unfinished"]:
        left = about["unfinished"]["run"]
        lines.append(f"Unfinished: run {left}; the next update goes on with it")
    lines += ["", "Last runs:"]
    lines += [
        f"  {run['run']:>5}  {run['kind']:<8} {run['started']} to {run['finished'] or '…'}"
        for run in runs
    ]
    return Text("\n".join(lines))
