"""What the terminal shows: the answer first, then the sources, the largest groups, the report.

Texts of others are shown as plain text with control characters made visible: neither an escape
sequence nor rich's own markup in a title can do anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.report.safe import one_line, visible

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from dedup.model import Match

TOP = 5
_STYLES = {"prose": "black on yellow", "quote": "black on magenta", "boilerplate": "dim"}


def summary(
    tables: Mapping[str, pa.Table], run: Mapping[str, Any], out: Path | None
) -> RenderableType:
    """The result of a run in one screen.

    Args:
        tables: the tables of the run.
        run: what goes into ``run.json``.
        out: the folder that was written, or ``None``.
    """
    total = len(tables["articles"])
    flags = Counter(tables["articles"].column("flag").to_pylist())
    parts: list[RenderableType] = [_headline(total, flags, len(tables["groups"]))]
    if (run.get("ledger") or {}).get("read"):
        parts.append(_balance(run["ledger"]))
    if len(tables["sources"]):
        parts.append(_sources(tables))
    if len(tables["groups"]):
        parts.append(_largest(tables))
    parts += _corrections(run)
    parts += _warnings(run)
    if out is not None:
        parts += _where(out)
    return Group(*parts)


@dataclass(frozen=True)
class _Comparison:
    """Matched spans of two texts: a table in a terminal, plain lines anywhere else."""

    a: str
    b: str
    matches: Sequence[Match]
    names: tuple[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = [one_line(name, 80) for name in self.names]
        if not self.matches:
            yield Text(f"{names[0]} and {names[1]} share nothing.")
            return
        kinds: Counter[str] = Counter(m.kind for m in self.matches)
        yield Text(f"{names[0]} and {names[1]} share " + _listed(kinds, "passage") + ".")
        yield from self._table(names) if console.is_terminal else self._plain(names)

    def _spans(self, match: Match) -> tuple[str, str]:
        a, b = self.a[match.a_start : match.a_end], self.b[match.b_start : match.b_end]
        return visible(a).strip(), visible(b).strip()

    def _table(self, names: list[str]) -> RenderResult:
        table = Table(box=box.SIMPLE_HEAD, expand=True, show_lines=True)
        table.add_column("similarity", width=11)
        for name in names:
            table.add_column(Text(name), ratio=1, overflow="fold")
        for match in self.matches:
            left, right = self._spans(match)
            style = _STYLES.get(match.kind, "")
            label = Text(f"{match.similarity:.2f}\n").append(match.kind, style)
            table.add_row(label, Text(left), Text(right))
        yield table

    def _plain(self, names: list[str]) -> RenderResult:
        for match in self.matches:
            spans = self._spans(match)
            yield Text(f"\n{match.kind}, similarity {match.similarity:.2f}")
            for name, span, start, end in (
                (names[0], spans[0], match.a_start, match.a_end),
                (names[1], spans[1], match.b_start, match.b_end),
            ):
                # Not wrapped: the lines are for other programs and for diff.
                yield Text(f"{name} [{start}:{end}]: {span}", overflow="ignore", no_wrap=True)


def compare_view(
    text_a: str, text_b: str, matches: Sequence[Match], names: tuple[str, str]
) -> RenderableType:
    """The matched spans of two texts side by side, with similarity and kind."""
    return _Comparison(text_a, text_b, matches, names)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _listed(counts: Mapping[str, int], noun: str) -> str:
    parts = [f"{n:,} {name} {noun}{'' if n == 1 else 's'}" for name, n in counts.items() if n]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _headline(total: int, flags: Counter[str | None], groups: int) -> Text:
    if not total:
        return Text("No articles were read.", style="bold")
    text = Text()
    text.append(f"{total:,} {'article' if total == 1 else 'articles'}; ", style="bold")
    syndicated = flags["syndicated"]
    verb = "is" if syndicated == 1 else "are"
    text.append(f"{syndicated:,} ({_percent(syndicated, total)})", style="bold red")
    text.append(f" {verb} syndicated, {flags['partial']:,} partial, {flags['duplicate']:,} ")
    text.append("duplicate" if flags["duplicate"] == 1 else "duplicates")
    return text.append(f"; {groups:,} {'group' if groups == 1 else 'groups'}.")


def _balance(ledger: Mapping[str, Any]) -> Text:
    """What became of the records that were read; nothing is lost without being counted."""
    text = Text(f"Read {ledger['read']:,} = {ledger['articles']:,} articles", style="dim")
    return text.append(f" + {ledger['repeats']:,} repeats + {ledger['rejected']:,} rejected")


def _plain_table(*headers: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for header in headers:
        number = header in ("articles", "groups")
        # In a narrow terminal names are cut, numbers never.
        table.add_column(
            header,
            justify="right" if number else "left",
            header_style="dim",
            no_wrap=True,
            min_width=len(header) if number else 12,
        )
    return table


def _sources(tables: Mapping[str, pa.Table]) -> RenderableType:
    table = tables["sources"]
    columns = [table.column(c).to_pylist() for c in ("articles", "groups", "name", "id", "kind")]
    rows = [row for row in zip(*columns, strict=True) if row[0]]
    rows.sort(key=lambda row: (-len(row[0]), row[3]))
    view = _plain_table("articles", "groups", "source")
    for articles, groups, name, identifier, kind in rows[:TOP]:
        known = kind != "unknown"
        source = Text(one_line(name or identifier, 50) if known else "Unknown source")
        source.append(f"  {kind}" if known else "", "dim")
        view.add_row(f"{len(articles):,}", f"{len(groups):,}", source)
    more = len(rows) - TOP
    head = Text("Sources" + (f" ({TOP} of {len(rows):,})" if more > 0 else ""), style="bold")
    return Padding(Group(head, view), (1, 0, 0, 0))


def _largest(tables: Mapping[str, pa.Table]) -> RenderableType:
    table = tables["groups"]
    sizes = [len(a) for a in table.column("articles").to_pylist()]
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))[:TOP]
    rows = [table.slice(i, 1).to_pylist()[0] for i in order]
    titles = _texts(tables["articles"], "ref", "title", [r for g in rows for r in g["articles"]])
    # Texts without a title are known by what they share.
    begins = _texts(tables["passages"], "id", "text", [p for g in rows for p in g["passages"][:1]])
    names = dict(
        zip(
            tables["sources"].column("id").to_pylist(),
            tables["sources"].column("name").to_pylist(),
            strict=True,
        )
    )
    view = _plain_table("articles", "group", "source")
    for row in rows:
        members = [row["first_observed"], *row["articles"]]
        named = [titles.get(r) for r in members] + [begins.get(p) for p in row["passages"][:1]]
        title = next((name for name in named if name), row["id"])
        source = (row["source"] or {}).get("id") or "unknown"
        view.add_row(
            f"{len(row['articles']):,}",
            Text(one_line(title, 56)),
            Text(one_line(names.get(source) or source, 30)),
        )
    more = len(sizes) - len(rows)
    head = Text(
        "Largest groups" + (f" ({TOP} of {len(sizes):,})" if more > 0 else ""), style="bold"
    )
    return Padding(Group(head, view), (1, 0, 0, 0))


def _texts(table: pa.Table, key: str, column: str, wanted: list[str]) -> dict[str, str]:
    """``column`` of the rows whose ``key`` is among ``wanted``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = pc.is_in(table.column(key), value_set=pa.array(sorted(set(wanted)), pa.string()))
    rows = table.select([key, column]).filter(mask)
    return dict(zip(rows.column(key).to_pylist(), rows.column(column).to_pylist(), strict=True))


def _warnings(run: Mapping[str, Any]) -> list[RenderableType]:
    ledger = run.get("ledger") or {}
    lines = [
        ("bold red", f"incomplete: {f.get('file')}: {f['incomplete']}")
        for f in ledger.get("files") or ()
        if f.get("incomplete")
    ]
    if rejected := ledger.get("rejected") or 0:
        noun = "record was" if rejected == 1 else "records were"
        lines.append(("yellow", f"{rejected:,} {noun} rejected; see the table “rejected”"))
    lines += [
        ("yellow", f"skipped: {s.get('file')}: {s.get('reason')}")
        for s in ledger.get("skipped") or ()
        if isinstance(s, Mapping)
    ]
    lines += [("yellow", str(w)) for w in ledger.get("warnings") or ()]
    lines += [
        ("yellow", f"{c.get('name')} ({c.get('count')}): {c.get('meaning')}")
        for c in run.get("caps") or ()
    ]
    shown = [Text(one_line(line, 300), style=style) for style, line in lines[:12]]
    if len(lines) > len(shown):
        shown.append(Text(f"and {len(lines) - len(shown):,} more; see run.json", style="yellow"))
    return [Text(), *shown] if shown else []


def _corrections(run: Mapping[str, Any]) -> list[RenderableType]:
    """How many of the user's corrections were honoured, and why others were not."""
    given = run.get("corrections")
    if not given:
        return []
    entries = given.get("entries") or ()
    left = [entry for entry in entries if not entry["applied"]]
    lines = [Text(f"Corrections: {len(entries) - len(left):,} of {len(entries):,} applied")]
    lines += [
        Text(one_line(f"not applied: {entry['says']}: {entry['effect']}", 300), "yellow")
        for entry in left[:TOP]
    ]
    if len(left) > TOP:
        lines.append(Text(f"and {len(left) - TOP:,} more; see run.json", style="yellow"))
    return [Text(), *lines]


def _where(out: Path) -> list[RenderableType]:
    report = out / "report.html"
    target = report if report.is_file() else out
    # One line whatever the width, so that it can be copied.
    path = Text(one_line(str(target), 4000), style="bold", no_wrap=True, overflow="ignore")
    label = "Report:" if report.is_file() else "Written to:"
    return [Text(), Text.assemble(label, " ", path, no_wrap=True, overflow="ignore")]
