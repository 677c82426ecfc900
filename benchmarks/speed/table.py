"""The figures of a profile, as JSON and as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import machine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEDUP = "dedup scan"
HEADER = (
    "tool",
    "seconds",
    "processor s",
    "dedup takes … times as long",
    "peak MiB",
    "unit",
    "verified",
    "returns",
    "found",
)


def ratio(rows: list[dict[str, Any]], row: Mapping[str, Any]) -> float | None:
    """Seconds of dedup over those of a row; ``None`` without one of the two."""
    mine = next((r["seconds"] for r in rows if r["tool"] == DEDUP and "seconds" in r), None)
    return mine / row["seconds"] if mine and row.get("seconds") else None


def markdown(profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """All profiles, one after another."""
    parts = ["# Speed", ""]
    for name, profile in profiles.items():
        parts += _profile(name, profile)
    return "\n".join(parts).rstrip() + "\n"


def brief(name: str, profile: Mapping[str, Any]) -> str:
    """The tools of a profile, without its circumstances."""
    rows = profile["rows"]
    lines = [
        (
            f"**{name}**: {profile['articles']:,} articles, {profile['megabytes']:g} MB of "
            f"JSON Lines, {profile['source']}; medians of {profile['runs']}."
        ),
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
    ]
    for row in rows:
        share = ratio(rows, row)
        cells = (
            row["tool"],
            _seconds(row.get("seconds")),
            _seconds(row.get("cpu_seconds")),
            "" if share is None else f"{share:.3g}",
            f"{row['peak_mb']:,.0f}" if "peak_mb" in row else "",
            row["unit"],
            row["verified"],
            row["returns"],
            row.get("found", row.get("failed", "")) + row.get("note", ""),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def stages(profile: Mapping[str, Any]) -> str:
    """What the stages of the middle run of ``dedup scan`` took."""
    lines = ["| stage of `dedup scan` | seconds | share | peak MiB so far |", "|---|---|---|---|"]
    measured = profile["stages"]
    total = sum(stage["seconds"] for stage in measured)
    for stage in measured:
        beside = stage.get("seconds_beside")
        extra = f" (and {beside:.2f} beside the others)" if beside else ""
        lines.append(
            f"| {stage['stage']} | {stage['seconds']:.2f}{extra} | "
            f"{stage['seconds'] / total:.0%} | {stage['peak_memory_mb']:,.0f} |"
        )
    lines.append(f"| start, writing, exit | {profile['outside_stages']:.2f} | | |")
    return "\n".join(lines)


def signatures(profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """Megabytes of text signed in a second of one processor, by tool and profile."""
    tools = dict.fromkeys(tool for p in profiles.values() for tool in p["signatures"])
    lines = [
        "| signatures alone, MB of text per processor second | " + " | ".join(profiles) + " |",
        "|---|" + "---|" * len(profiles),
    ]
    for tool in tools:
        rates = [p["signatures"].get(tool) for p in profiles.values()]
        cells = ["not measured" if rate is None else f"{rate:.1f}" for rate in rates]
        lines.append(f"| {tool} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _profile(name: str, profile: Mapping[str, Any]) -> list[str]:
    peers = ", ".join(f"{k} {v}" for k, v in profile["peers"].items())
    lines = [
        f"## {name}",
        "",
        f"{machine.headline(profile['about'])} Peers: {peers}. Whole processes.",
        "",
        brief(name, profile),
        "",
    ]
    if "stages" in profile:
        lines += [stages(profile), ""]
    return [*lines, signatures({name: profile}), ""]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def write(folder: Path, changed: Mapping[str, Any]) -> None:
    """Put the profiles of a run into ``speed.json`` and ``speed.md``; others stay."""
    path = folder / "speed.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    folder.mkdir(parents=True, exist_ok=True)
    content = {**kept, **changed}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "speed.md").write_text(markdown(content), "utf-8")
