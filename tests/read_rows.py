"""Files read for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dedup.config import ReadSettings
from dedup.model import Ledger
from dedup.read import read_articles

if TYPE_CHECKING:
    from pathlib import Path


def read_rows(path: Path, **options: Any) -> tuple[list[dict[str, Any]], Ledger]:
    """The articles of a file as rows, and its ledger, which balances."""
    ledger, rows = Ledger(), []
    for batch in read_articles([str(path)], ReadSettings(**options), ledger):
        rows += batch.to_pylist()
    for entry in ledger.files:
        assert entry.read == entry.articles + entry.repeats + entry.rejected
    return rows, ledger
