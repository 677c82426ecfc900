"""From what was measured to what was not: larger dumps, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import growth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOALS = {
    "a day of the world's news": 1_000_000,
    "CC-NEWS to date": 1_000_000_000,
}
"""Articles, in round numbers."""
MACHINES = (16, 64, 256, 1024)
"""GiB of memory."""


def basis(rows: Sequence[growth.Row]) -> dict[str, Any] | None:
    """What an article costs, by the sizes of one corpus; ``None`` with fewer than two.

    ``memory`` bytes (slope), ``base`` bytes (what a scan takes before the first article), ``input``
    and ``output`` bytes; ``stages``: seconds, processor seconds and exponent of each stage at the
    greatest size ``articles``, the exponent that of the last step, 1 at least.
    """
    rows = sorted(rows, key=lambda row: row["articles"])
    memory = growth.slope([(row["articles"], row["peak_mb"] * 2**20) for row in rows])
    if memory is None:
        return None
    last = rows[-1]
    articles = last["articles"]
    grown = growth.growth(rows)
    stages = [
        (seconds, last["cpu"][name], max(1.0, grown[name]["last_step"] or 1.0))
        for name, seconds in last["stages"].items()
    ]
    # Starting, writing and ending.
    stages.append(
        (
            last["seconds"] - sum(last["stages"].values()),
            last["cpu_seconds"] - sum(last["cpu"].values()),
            1.0,
        )
    )
    return {
        "articles": articles,
        "memory": memory,
        "base": last["peak_mb"] * 2**20 - memory * articles,
        "input": last["megabytes"] * 1e6 / articles,
        "output": last["output_megabytes"] * 1e6 / articles,
        "stages": stages,
    }


def cost(article: Mapping[str, Any], articles: int) -> dict[str, float]:
    """Seconds and bytes of so many articles in one run on a machine with enough memory."""
    ratio = articles / article["articles"]
    return {
        "seconds": sum(seconds * ratio**power for seconds, _, power in article["stages"]),
        "cpu_seconds": sum(cpu * ratio**power for _, cpu, power in article["stages"]),
        "memory": article["base"] + article["memory"] * articles,
        "input": article["input"] * articles,
        "output": article["output"] * articles,
    }


def capacity(article: Mapping[str, Any], memory: float) -> int:
    """Articles that a run holds in so many bytes of memory."""
    return max(0, int((memory - article["base"]) / article["memory"]))


def markdown(article: Mapping[str, Any], cores: int) -> str:
    """The estimates as tables."""
    lines = [
        (f"| | articles | input | output | on {cores} cores | core hours | memory of one run |"),
        "|---|---|---|---|---|---|---|",
    ]
    for name, articles in GOALS.items():
        c = cost(article, articles)
        lines.append(
            f"| {name} | {articles:,} | {_bytes(c['input'])} | {_bytes(c['output'])} | "
            f"{_time(c['seconds'])} | {c['cpu_seconds'] / 3600:,.1f} | {_bytes(c['memory'])} |"
        )
    lines += ["", "| memory of the machine | articles in one run, about |", "|---|---|"]
    for gib in MACHINES:
        lines.append(f"| {gib:,} GiB | {_round(capacity(article, 0.9 * gib * 2**30)):,} |")
    return "\n".join(lines)


def per_article(row: Mapping[str, Any]) -> str:
    """What a stage costs an article: a table of one measured size."""
    stages = row["stages"]
    costs = {name: (stages[name], row["cpu"][name]) for name in stages}
    seconds, cpu = (sum(cost[k] for cost in costs.values()) for k in (0, 1))
    costs["start, writing, exit"] = (row["seconds"] - seconds, row["cpu_seconds"] - cpu)
    lines = [
        (
            f"| stage, {row['articles']:,} articles | seconds | processor s | share "
            "| processor ms an article |"
        ),
        "|---|---|---|---|---|",
    ]
    for name, (passed, worked) in costs.items():
        lines.append(
            f"| {name} | {passed:.2f} | {worked:.2f} | {worked / row['cpu_seconds']:.0%} | "
            f"{1000 * worked / row['articles']:.3f} |"
        )
    return "\n".join(lines)


def _round(number: int) -> int:
    """Two digits that count."""
    digits = max(0, len(str(number)) - 2)
    return number // 10**digits * 10**digits


def _bytes(number: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    for unit, size in (("years", 86400 * 365), ("days", 86400), ("hours", 3600)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} minutes"
