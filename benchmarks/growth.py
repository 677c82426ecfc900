"""How cost grows: exponents of processor time, the tables and the plot of ``scale.py``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Row = dict[str, Any]

LEAST_SECONDS = 0.5
"""A stage that takes less at the greatest size is too short for an exponent."""
NAMES = {"real": "real news (allsides)", "news": "generated news"}


def exponent(points: Sequence[tuple[float, float]]) -> float | None:
    """The ``k`` of ``seconds = c * articles ** k``, by least squares on logarithms.

    ``None`` with fewer than two numbers of articles, or where a value is not positive.
    """
    if len({x for x, _ in points}) < 2 or any(x <= 0 or y <= 0 for x, y in points):
        return None
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    along = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return along / sum((a - x) ** 2 for a in xs)


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """The ``k`` of ``y = c + k * x``, by least squares; ``None`` with fewer than two ``x``."""
    if len({x for x, _ in points}) < 2:
        return None
    x = sum(p for p, _ in points) / len(points)
    y = sum(p for _, p in points) / len(points)
    along = sum((a - x) * (b - y) for a, b in points)
    return along / sum((a - x) ** 2 for a, _ in points)


def growth(rows: Sequence[Row]) -> dict[str, dict[str, float | None]]:
    """Cost at the greatest size, and the exponents of processor time over articles.

    By stage, for ``all stages`` and for the ``whole process``, which starts, writes and ends, too.
    ``exponent`` is that of all sizes, ``last_step`` that of the two greatest. Time on the clock
    is given but not fitted: it depends on what else the machine does. Give the rows of one corpus.
    """
    rows = sorted(rows, key=lambda row: row["articles"])
    last = rows[-1]
    series = {
        name: (last["stages"][name], [(row["articles"], row["cpu"].get(name, 0.0)) for row in rows])
        for name in last["stages"]
    }
    series["all stages"] = (
        sum(last["stages"].values()),
        [(row["articles"], sum(row["cpu"].values())) for row in rows],
    )
    series["whole process"] = (
        last["seconds"],
        [(row["articles"], row["cpu_seconds"]) for row in rows],
    )
    found: dict[str, dict[str, float | None]] = {}
    for name, (seconds, points) in series.items():
        cpu = points[-1][1]
        found[name] = {
            "seconds": seconds,
            "cpu_seconds": cpu,
            "exponent": exponent(points) if cpu >= LEAST_SECONDS else None,
            "last_step": exponent(points[-2:]) if cpu >= LEAST_SECONDS else None,
        }
    return found


def corpora(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by corpus, real and generated news first."""
    names = sorted({*(row["corpus"] for row in rows)} - set(NAMES))
    names = [*(name for name in NAMES if any(row["corpus"] == name for row in rows)), *names]
    return {
        name: sorted(
            (row for row in rows if row["corpus"] == name), key=lambda row: row["articles"]
        )
        for name in names
    }


def markdown(about: Mapping[str, Any], rows: Sequence[Row], skipped: Mapping[str, str]) -> str:
    """All sizes, and for the corpora of several sizes how each stage grows."""
    lines = ["# Scale", "", machine.headline(dict(about)), "", sizes(rows), "", exponents(rows)]
    if skipped:
        lines += ["", *(f"Left out: {what} ({why})." for what, why in skipped.items())]
    return "\n".join(lines) + "\n"


def sizes(rows: Sequence[Row]) -> str:
    """The table of all sizes."""
    lines = [
        (
            "| corpus | articles | MB | seconds | processor s | peak MiB | kB of memory an article "
            "| pairs aligned | groups | caps | commit |"
        ),
        "|" + "---|" * 11,
    ]
    for name, group in corpora(rows).items():
        for row in group:
            caps = ", ".join(f"{cap['name']} {cap['count']:,}" for cap in row["caps"])
            lines.append(
                f"| {NAMES.get(name, name)} | {row['articles']:,} | {row['megabytes']:,.0f} | "
                f"{row['seconds']:,.1f} | {row['cpu_seconds']:,.1f} | {row['peak_mb']:,} | "
                f"{row['peak_mb'] * 1048.576 / row['articles']:.0f} | "
                f"{row['work']['pairs_aligned']:,} | {row['counts']['groups']:,} | {caps} | "
                f"{row['commit'] or 'unknown'} |"
            )
    return "\n".join(lines)


def exponents(rows: Sequence[Row]) -> str:
    """How each stage grows, for the corpora of several sizes; and how memory does."""
    parts = []
    for name, group in corpora(rows).items():
        if len(group) < 2:
            continue
        lines = [
            (
                f"| {NAMES.get(name, name)}, {group[-1]['articles']:,} | seconds | processor s | "
                "exponent | of the last step |"
            ),
            "|---|---|---|---|---|",
        ]
        for stage, cost in growth(group).items():
            lines.append(
                f"| {stage} | {cost['seconds']:.2f} | {cost['cpu_seconds']:.2f} | "
                f"{_power(cost['exponent'])} | {_power(cost['last_step'])} |"
            )
        per = slope([(row["articles"], row["peak_mb"] * 1048.576) for row in group])
        lines += ["", f"Memory grows by {per:.0f} kB an article."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _power(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def write(
    folder: Path, about: Mapping[str, Any], rows: Sequence[Row], skipped: Mapping[str, str]
) -> None:
    """Write ``scale.json`` and ``scale.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    fitted = {name: growth(group) for name, group in corpora(rows).items() if len(group) > 1}
    content = {"about": about, "rows": rows, "growth": fitted, "skipped": skipped}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "scale.json").write_text(text + "\n", "utf-8")
    (folder / "scale.md").write_text(markdown(about, rows, skipped), "utf-8")


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw processor time (of all and of the costly stages) and memory over articles."""
    import matplotlib as mpl

    mpl.use("Agg")
    # Text as text and names that do not change: a small file with small differences.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "dedup"})
    from matplotlib import pyplot

    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(10, 4.8))
    lines = {n: g for n, g in corpora(rows).items() if n in NAMES and len(g) > 1}
    for number, (name, group) in enumerate(lines.items()):
        articles = [row["articles"] for row in group]
        style = {"marker": "o", "linewidth": 2, "color": f"C{number}", "label": NAMES[name]}
        time.plot(articles, [row["cpu_seconds"] for row in group], **style)
        memory.plot(articles, [row["peak_mb"] / 1024 for row in group], **style)
    if "news" in lines:
        group = lines["news"]
        costly = sorted(group[-1]["cpu"], key=group[-1]["cpu"].get, reverse=True)[:5]
        for number, stage in enumerate(costly):
            seconds = [row["cpu"].get(stage, 0.0) or math.nan for row in group]
            label = f"{stage} (generated)"
            articles = [row["articles"] for row in group]
            time.plot(
                articles, seconds, linewidth=1, linestyle=":", color=f"C{number + 2}", label=label
            )
    time.set(xscale="log", yscale="log", xlabel="articles", ylabel="seconds of processors")
    memory.set(xscale="log", yscale="log", xlabel="articles", ylabel="peak memory, GiB")
    for axes in (time, memory):
        axes.grid(alpha=0.3, which="both")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
