"""All figures of a profile: runs of every tool in turns, medians, stages, signatures."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
import processes

from speed import environments, table
from speed.contenders import CONTENDERS, TOOLS, Contender, Input, Run, peer_versions, reported
from speed.profiles import PROFILES, prepare

if TYPE_CHECKING:
    import argparse

SIGNATURES = {
    "dedup: passages cut and signed": ("dedup", None),
    "dedup: passages signed": ("dedup-sketch", None),
    "datasketch: documents": ("datasketch", None),
    "rensa: documents": ("rensa", "rensa"),
}


def runs_of(
    contenders: list[Contender], given: Input, rounds: int, folder: Path
) -> tuple[dict[str, list[Run]], dict[str, str]]:
    """Runs of each, in turns, and why others failed."""
    done: dict[str, list[Run]] = {}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for contender in contenders:
            if contender.name in failed or (number and contender.once):
                continue
            scratch = Path(tempfile.mkdtemp(dir=folder))
            try:
                run = contender.run(given, scratch)
            except (processes.FailedError, environments.UnavailableError) as error:
                # Its last line: the first names the command, with paths of this machine.
                failed[contender.name] = str(error).splitlines()[-1]
                print(f"{contender.name}: {error}", file=sys.stderr)
            else:
                done.setdefault(contender.name, []).append(run)
                print(f"{contender.name}: {run.usage.seconds:.2f} s", file=sys.stderr)
            finally:
                shutil.rmtree(scratch)
    return done, failed


def row(given: Input, runs: list[Run]) -> dict[str, Any]:
    """Medians of runs; the work of one on a share of the articles is scaled to all."""
    usage = processes.median([run.usage for run in runs])
    last = runs[-1]
    scale = given.articles / last.details.get("articles", given.articles)
    scaled = (
        f"; measured on {last.details['articles']:,} articles ({usage.seconds:.1f} s, of them "
        f"{last.details['signing_seconds']:.1f} s for signatures) and scaled by {scale:.3g}"
        if scale > 1
        else ""
    )
    rest = (scale - 1) * last.details.get("work_seconds", 0.0)
    return {
        "seconds": round(usage.seconds + rest, 3),
        "all_seconds": [round(run.usage.seconds, 3) for run in runs],
        "cpu_seconds": round(usage.cpu_seconds + rest, 3),
        "peak_mb": round(usage.peak_mb, 1),
        "found": last.found,
        "note": scaled,
        "details": last.details,
    }


def signatures(given: Input, folder: Path, peers: Path) -> dict[str, float | None]:
    """Megabytes of text that a processor signs in a second, by tool."""
    rates: dict[str, float | None] = {}
    output = folder / "rate"
    _, path = processes.dedup()
    for what, (kind, peer) in SIGNATURES.items():
        try:
            python = environments.interpreter(peer, peers) if peer else sys.executable
            command = [python, TOOLS / "signatures.py", given.path, kind]
            processes.measure(command, output=output, environment=None if peer else path)
        except (processes.FailedError, environments.UnavailableError) as error:
            print(f"{what}: {error}", file=sys.stderr)
            rates[what] = None
        else:
            rates[what] = round(reported(output)["megabytes_per_second"], 2)
    return rates


def profile(name: str, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All figures of a profile."""
    chosen = PROFILES[name]
    rounds = args.runs or chosen.runs
    given, source = prepare(chosen, args.corpora, folder, args.environments, args.passages)
    wanted = tuple((args.only or "").split(","))
    contenders = [c for c in CONTENDERS if c.name.startswith(wanted)]
    # Not measured: compiles the kernels where this copy of dedup never ran.
    command, path = processes.dedup("scan", given.path, "--out", folder / "warm", "--quiet")
    processes.measure(command, environment=path)
    done, failed = runs_of(contenders, given, rounds, folder)
    rows = []
    for contender in contenders:
        about = {
            "tool": contender.name,
            "unit": contender.unit,
            "verified": contender.verified,
            "returns": contender.returns,
            "cores": contender.cores,
        }
        if contender.name in failed:
            rows.append(about | {"failed": failed[contender.name]})
        else:
            rows.append(about | row(given, done[contender.name]))
    result: dict[str, Any] = {
        "about": machine.circumstances(("dedup", "benchmarks/speed")),
        "peers": peer_versions(args.environments),
        "source": source,
        "articles": given.articles,
        "megabytes": round(given.path.stat().st_size / 1e6, 1),
        "runs": rounds,
        "rows": rows,
    }
    scans = sorted(done.get(table.DEDUP, []), key=lambda run: run.usage.seconds)
    if scans:
        middle = scans[len(scans) // 2]
        timing = middle.details["timing"]
        result["stages"] = timing["stages"]
        result["outside_stages"] = round(
            middle.usage.seconds - sum(s["seconds"] for s in timing["stages"]), 3
        )
    result["signatures"] = signatures(given, folder, args.environments)
    return result
