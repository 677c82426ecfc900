"""A new index, and whether this dedup can go on with one that is there."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from dedup.config import ANALYSIS
from dedup.errors import IndexDamagedError, UsageError
from dedup.indexnotes import AGENCIES_FILE, ERASURE_KEY, SETTINGS
from dedup.lock import Lock
from dedup.store import FILE, Store, not_writable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedup.run import Run


SPARK_RUNS = Path("runs", "_delta_log")
"""What an index of the Spark engine has (:mod:`dedup.engines.spark.archive`)."""


def create_index(folder: Path, run: Run) -> None:
    """Make an index where there is none, one process alone."""
    meta = {
        **stamp_of(run),
        SETTINGS: json.dumps(run.settings.as_dict(), sort_keys=True),
        ERASURE_KEY: secrets.token_hex(16),
    }
    if run.agencies_file is not None:
        meta[AGENCIES_FILE] = str(Path(run.agencies_file).resolve())
    if (folder / SPARK_RUNS).is_dir():
        raise UsageError(
            f"{folder}: is an index of --engine spark, which this engine cannot go on with; add "
            "--engine spark, or give another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    lock = Lock(folder)
    lock.take()
    try:
        # Another process may have made one, and filled it, since this one looked.
        if not (folder / FILE).exists():
            Store.create(folder, meta)
    finally:
        lock.release()


def stamp_of(run: Run) -> dict[str, str]:
    """What results depend on that must not change in the life of an index."""
    return {
        "analysis": ANALYSIS,
        "agencies": run.agencies.digest,
        "fingerprint": run.settings.fingerprint(),
    }


_MEANING = {
    "analysis": "version of the analysis",
    "agencies": "list of agencies",
    "fingerprint": "signature scheme or settings",
}


def check_stamp(folder: Path, kept: Mapping[str, str], run: Run) -> None:
    """Refuse an index that was made with what ``run`` has not; ``kept``: its notes.

    Raises :class:`~dedup.errors.IndexDamagedError`, which names the command that helps.
    """
    for name, value in stamp_of(run).items():
        if kept.get(name) != value:
            raise IndexDamagedError(
                f"{folder}: the index was made with another {_MEANING[name]} "
                f"({kept.get(name)}, this is {value}); 'dedup index rebuild {folder}' makes it "
                "anew from its texts"
            )
