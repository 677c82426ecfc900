"""What Spark's event log says of a run: how even the tasks of its stages were."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FEWEST_TASKS = 3
"""Stages of fewer tasks have no median worth the name."""
LONG = 1.0
"""Seconds from which the longest task of a stage matters."""


def events(folder: Path) -> list[dict[str, Any]]:
    """All events of the runs that logged to ``folder`` (``spark.eventLog.compress=false``)."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    logs = [path for path in files if not path.name.startswith((".", "appstatus"))]
    return [json.loads(line) for path in logs for line in path.read_text().splitlines()]


def _named(found: list[dict[str, Any]]) -> dict[int, str]:
    """Which of our stages each of Spark's belongs to."""
    names: dict[int, str] = {}
    for event in found:
        if event["Event"] == "SparkListenerJobStart":
            name = (event.get("Properties") or {}).get("spark.job.description", "")
            names |= {stage: name for stage in event["Stage IDs"] if stage not in names}
    return names


def spent(found: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What the tasks of each of our stages took together: ``tasks``, ``seconds`` they ran,
    ``jvm_seconds`` of the processor in the JVM (Python's come on top), ``shuffled_bytes`` and
    ``shuffled_rows`` that they wrote."""
    names = _named(found)
    out: dict[str, dict[str, float]] = {}
    for event in found:
        if event["Event"] != "SparkListenerTaskEnd" or not event.get("Task Metrics"):
            continue
        metrics = event["Task Metrics"]
        written = metrics["Shuffle Write Metrics"]
        row = out.setdefault(names.get(event["Stage ID"], ""), defaultdict(float))
        row["tasks"] += 1
        row["seconds"] += metrics["Executor Run Time"] / 1e3
        row["jvm_seconds"] += metrics["Executor CPU Time"] / 1e9
        row["shuffled_bytes"] += written["Shuffle Bytes Written"]
        row["shuffled_rows"] += written["Shuffle Records Written"]
    return {
        stage: {name: round(value, 2) for name, value in row.items()}
        for stage, row in sorted(out.items(), key=lambda item: -item[1]["seconds"])
    }


def stages_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Spark's stages of :data:`FEWEST_TASKS` tasks or more: which of ours each belongs to, and the
    seconds of its longest and its median task, of tasks that had rows to read. ``most_bytes``: what
    the largest task read, in medians; a task that took long for no more than others was the first
    of its kind, or waited for a processor."""
    names = _named(found)
    seconds: dict[int, list[float]] = defaultdict(list)
    read: dict[int, list[int]] = defaultdict(list)
    for event in found:
        if event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            metrics = event["Task Metrics"]
            rows = metrics["Input Metrics"]["Records Read"]
            shuffled_ = metrics["Shuffle Read Metrics"]
            rows += shuffled_["Total Records Read"]
            if rows:
                seconds[event["Stage ID"]].append(metrics["Executor Run Time"] / 1000)
                size = metrics["Input Metrics"]["Bytes Read"]
                size += shuffled_["Local Bytes Read"] + shuffled_["Remote Bytes Read"]
                read[event["Stage ID"]].append(size)
    return [
        {
            "stage": names.get(stage, ""),
            "tasks": len(took),
            "longest": round(max(took), 2),
            "median": round(statistics.median(took), 2),
            "most_bytes": round(max(read[stage]) / max(1, statistics.median(read[stage])), 1),
        }
        for stage, took in sorted(seconds.items())
        if len(took) >= FEWEST_TASKS
    ]


def uneven(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stages whose longest task takes a second or more, with ``times``, its time in medians; the
    most uneven first."""
    long = [stage for stage in stages if stage["longest"] >= LONG]
    rows = [{**s, "times": round(s["longest"] / max(s["median"], 0.01), 1)} for s in long]
    return sorted(rows, key=lambda row: -row["times"])


def shuffled(found: list[dict[str, Any]]) -> int:
    """Bytes that all tasks wrote for shuffles, compressed as they were."""
    ended = (event.get("Task Metrics") for event in found if event["Event"].endswith("TaskEnd"))
    return sum(m["Shuffle Write Metrics"]["Shuffle Bytes Written"] for m in ended if m)
