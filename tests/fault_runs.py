"""The real command on an input made for a fault, and what it left."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from test_scan_cli import run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Scanned:
    """A finished ``dedup scan``: exit code, messages, the folder written."""

    code: int
    out: Path
    stdout: str
    stderr: str
    options: list[str] = field(default_factory=list)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A table as records."""
        lines = (self.out / f"{table}.jsonl").read_text("utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    @cached_property
    def articles(self) -> list[dict[str, Any]]:
        return self.rows("articles")

    @cached_property
    def rejected(self) -> list[dict[str, Any]]:
        return self.rows("rejected")

    @cached_property
    def run(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "run.json").read_text())
        return found

    @property
    def files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run["ledger"]["files"]
        return found

    @cached_property
    def texts(self) -> dict[str, str]:
        import pyarrow.parquet as pq

        table = pq.read_table(self.out / "texts.parquet")
        return dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))


def scan(tmp_path: Path, *inputs: Any, stdin: bytes = b"", **options: Any) -> Scanned:
    """Run ``dedup scan`` in a process of its own; the ledger of what it wrote balances."""
    out = tmp_path.parent / f"{tmp_path.name}-out"
    flags: list[str] = []
    for name, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            flags += [f"--{name.replace('_', '-')}", *([] if each is True else [str(each)])]
    if not (out.exists() and "--overwrite" in flags):
        flags += ["--overwrite"]
    done = run("scan", *(inputs or (tmp_path,)), "--out", out, *flags, stdin=stdin)
    found = Scanned(done.returncode, out, done.stdout, done.stderr, flags)
    if (out / "rejected.jsonl").exists() and done.returncode in (0, 3):
        ledger = found.run["ledger"]
        for entry in (ledger, *ledger["files"]):
            assert entry["read"] == entry["articles"] + entry["repeats"] + entry["rejected"]
        assert ledger["rejected"] == len(found.rejected)
        assert ledger["articles"] == len(found.articles)
        for reject in found.rejected:
            assert reject["file"]
            assert reject["reason"]
            assert len(reject["sample"]) <= 200
            assert reject["sample"].isprintable()
    return found


def jsonl(*records: Any) -> bytes:
    """Records as JSON Lines."""
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)
