"""Fixtures of all tests: dumps on disk, scans of records, the corpora beside the repository."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any

import pytest
from dumps import ROOT, write_jsonl
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Pinned, so that a failure is a failure everywhere; HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile(
    "pinned",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("pinned"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "pinned"))


@pytest.fixture
def scan_records(tmp_path) -> Callable[..., Any]:
    """Scan records given as dicts (``files`` of them in turn), through files on disk."""
    import dedup

    def scan(records: list[dict[str, Any]], *, files: int = 1, **options: Any) -> Any:
        folder = tmp_path / f"dump-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        paths = [write_jsonl(folder / f"part-{k}.jsonl", records[k::files]) for k in range(files)]
        return dedup.scan(paths, **options)

    return scan


@pytest.fixture(scope="session")
def sample():
    """The result of a scan of the sample corpus, furniture pairs included."""
    import dedup

    return dedup.scan(ROOT / "data" / "sample" / "articles.jsonl", all_relations=True, threads=1)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the shared corpora (``DEDUP_CORPORA``, else ``../shared/data``)."""
    folder = pathlib.Path(os.environ.get("DEDUP_CORPORA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}; set DEDUP_CORPORA")
    return folder
