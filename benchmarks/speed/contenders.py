"""Who runs, how, and what work each does: dedup, its peers and the floor."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import processes

from speed.environments import UnavailableError, interpreter, version

if TYPE_CHECKING:
    from collections.abc import Callable

    from processes import Usage

TOOLS = Path(__file__).parent / "tools"
CORES = os.cpu_count() or 1
PEERS = ("rensa", "text-dedup", "datatrove")
"""Names of environments and of packages."""


@dataclass(frozen=True)
class Input:
    """The file that all read, its lines and the same lines in a part for each core."""

    path: Path
    parts: Path
    articles: int
    passage_articles: int
    """How many of the articles the loop over passages gets."""
    environments: Path
    """Where the peers are installed."""


@dataclass(frozen=True)
class Run:
    """One run: what it cost, what it found, in words, and what else it reports."""

    usage: Usage
    found: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """A tool as it is used here. ``run(input, scratch)`` may raise ``FailedError`` and
    ``UnavailableError``; ``scratch`` is an empty folder."""

    name: str
    unit: str
    """What is compared with what."""
    verified: str
    """Whether what collides is checked, and how."""
    returns: str
    cores: str
    run: Callable[[Input, Path], Run]
    once: bool = False
    """Too slow, or too much a matter of course, to be repeated."""


def reported(output: Path) -> dict[str, Any]:
    """The last line that a tool printed, as JSON."""
    return json.loads(output.read_text().strip().splitlines()[-1])


def _dedup(environment: Callable[[Path], dict[str, str]]) -> Callable[[Input, Path], Run]:
    def run(given: Input, scratch: Path) -> Run:
        out = scratch / "out"
        command, path = processes.dedup("scan", given.path, "--out", out, "--quiet")
        usage = processes.measure(command, environment=path | environment(scratch))
        report = json.loads((out / "run.json").read_text())
        counts = report["counts"]
        relations = ", ".join(f"{v:,} {k}" for k, v in counts["relations"].items())
        found = f"{counts['groups']:,} groups; pairs: {relations or 'none'}"
        return Run(usage, found, {k: report[k] for k in ("counts", "work", "caps", "timing")})

    return run


def _script(name: str, *more: str, peer: str | None = None, what: str) -> Callable[..., Run]:
    def run(given: Input, scratch: Path) -> Run:
        python = sys.executable if peer is None else interpreter(peer, given.environments)
        output = scratch / "output"
        _, path = processes.dedup()
        command = [python, TOOLS / name, given.path, *more]
        usage = processes.measure(
            command, output=output, environment=path if peer is None else None
        )
        result = reported(output)
        return Run(usage, f"{result['found']:,} {what}" if what else "", result)

    return run


def _passages(given: Input, scratch: Path) -> Run:
    script = _script("datasketch_passages.py", str(given.passage_articles), what="passage pairs")
    return script(given, scratch)


def _datatrove(given: Input, scratch: Path) -> Run:
    output = scratch / "output"
    command = [interpreter("datatrove", given.environments), TOOLS / "datatrove_documents.py"]
    usage = processes.measure([*command, given.parts, scratch / "work", str(CORES)], output=output)
    result = reported(output)
    return Run(usage, f"{result['found']:,} documents to remove", result)


def _text_dedup(given: Input, scratch: Path) -> Run:
    output = scratch / "output"
    command = [interpreter("text-dedup", given.environments), "-m", "text_dedup.minhash"]
    command += ["--path", "json", "--data_files", given.path, "--split", "train"]
    command += ["--cache_dir", scratch / "cache"]
    command += ["--output", scratch / "out", "--column", "text", "--batch_size", "10000"]
    # Its log is cut to the width of the terminal otherwise.
    usage = processes.measure(
        command,
        folder=scratch,
        output=output,
        environment={"COLUMNS": "300", "HF_HOME": str(scratch / "home"), "HF_HUB_OFFLINE": "1"},
    )
    return Run(usage, f"{removed(output.read_text()):,} documents to remove")


def removed(log: str) -> int:
    """Documents that text-dedup removed, by its log."""
    before, after = (
        int(re.search(rf"{word}\s*:\s*(\d+)", log)[1])  # type: ignore[index]
        for word in ("Before", "After")
    )
    return before - after


CONTENDERS = (
    Contender(
        "floor: parse with orjson, encode once",
        "–",
        "–",
        "nothing",
        "1",
        _script("floor.py", what=""),
    ),
    Contender(
        "dedup scan",
        "passages and articles",
        "yes, aligned on the text",
        "spans, relations, groups, sources, flags, report",
        "all",
        _dedup(lambda _: {}),
    ),
    Contender(
        "dedup scan, first on a machine",
        "passages and articles",
        "yes, aligned on the text",
        "the same; compiles before",
        "all",
        _dedup(lambda scratch: {"XDG_CACHE_HOME": str(scratch / "cache"), "DEDUP_CACHE_DIR": ""}),
        once=True,
    ),
    Contender(
        "datasketch, passages",
        "passages, as cut and chosen by dedup",
        "no",
        "candidate pairs of passages",
        "1",
        _passages,
        once=True,
    ),
    Contender(
        "datasketch, documents",
        "documents, words, threshold .5",
        "no",
        "candidate pairs",
        "1",
        _script("datasketch_documents.py", what="candidate pairs"),
    ),
    Contender(
        "rensa, documents",
        "documents, words, threshold .8",
        "on signatures",
        "which documents to keep",
        "1",
        _script("rensa_documents.py", "stream", peer="rensa", what="documents to remove"),
    ),
    Contender(
        "rensa, documents in a batch",
        "documents, sampled words, threshold .8",
        "no",
        "which documents collide",
        "all",
        _script("rensa_documents.py", "batch", peer="rensa", what="documents that collide"),
    ),
    Contender(
        "text-dedup minhash",
        "documents, word 5-grams, threshold .7",
        "no",
        "documents without duplicates",
        "all",
        _text_dedup,
    ),
    Contender(
        "datatrove minhash",
        "documents, word 5-grams, 14 bands of 8 rows",
        "no",
        "documents without duplicates",
        "all",
        _datatrove,
    ),
)


def peer_versions(folder: Path) -> dict[str, str]:
    """Versions of the peers, which are installed in ``folder``."""
    found = {}
    for peer in PEERS:
        try:
            found[peer] = version(interpreter(peer, folder), peer)
        except UnavailableError as error:
            found[peer] = f"not installed ({error})"
    return found
