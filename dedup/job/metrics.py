"""Metrics of the last run for Prometheus: a file for the textfile collector of node_exporter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dedup.errors import OutputNotWritableError
from dedup.memory import peak_memory_mb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HELP = {
    "last_run_timestamp_seconds": "When the last run of the job ended.",
    "last_success_timestamp_seconds": "When a run last took in its input and wrote its outputs.",
    "exit_code": "Exit code of the last run.",
    "duration_seconds": "How long the last run took.",
    "peak_memory_bytes": "Most memory that the last run held.",
    "articles_new": "Articles that the last run added.",
    "articles_removed": "Articles that the last run took out.",
    "records_read": "Records that the last run read.",
    "records_rejected": "Records that the last run could not use.",
    "files_incomplete": "Input files that were damaged or cut off.",
    "files_waiting": "Files of drop folders that wait for the next run.",
    "changes": "Rows that the last run added, changed or removed.",
    "index_articles": "Articles in the index.",
    "index_groups": "Groups in the index.",
    "index_size_bytes": "Size of the index on the disk.",
    "notifications_pending": "Notifications that could not be delivered yet.",
}


def of_update(run: Mapping[str, Any], changes: int) -> dict[str, float]:
    """Metrics out of ``run.json`` and the number of rows that changed."""
    ledger, about = run["ledger"], run["run"]
    return {
        "articles_new": about["new"],
        "articles_removed": about["removed"],
        "records_read": ledger["read"],
        "records_rejected": ledger["rejected"],
        "files_incomplete": sum(1 for file in ledger["files"] if file["incomplete"]),
        "files_waiting": len(run.get("drop", {}).get("waiting", ())),
        "changes": changes,
        "index_articles": run["index"]["articles"],
        "index_groups": run["index"]["groups"],
    }


def write_metrics(
    path: Path,
    job: str,
    values: Mapping[str, float],
    *,
    stages: Sequence[tuple[str, float]],
    success: str | None,
) -> None:
    """Write the file as one: a collector sees the former or the new one.

    ``values`` by the names of this module; what a run does not know is left out. ``stages``:
    names and seconds; ``success``: when a run was last done (ISO 8601).

    Raises :class:`~dedup.errors.OutputNotWritableError`.
    """
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()
    every = {**values, "peak_memory_bytes": peak_memory_mb() * 2**20}
    if success is not None:
        every["last_success_timestamp_seconds"] = datetime.fromisoformat(success).timestamp()
    for name, meaning in _HELP.items():
        if name in every:
            gauge = Gauge(f"dedup_job_{name}", meaning, ["job_name"], registry=registry)
            gauge.labels(job).set(every[name])
    gauge = Gauge(
        "dedup_job_stage_seconds",
        "How long each stage of the last run took.",
        ["job_name", "stage"],
        registry=registry,
    )
    for stage, seconds in stages:
        gauge.labels(job, stage).inc(seconds)
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise OutputNotWritableError(
            f"{path}: the metrics cannot be written: {error.strerror}"
        ) from error
