"""An index filled in parts against one scan: equality, time, size; and how long a check takes.

    python benchmarks/index.py ../shared/data [--parts 10] [--articles N] [--checks 200]

The articles of allsides come in order of publication (undated ones spread evenly), and once more
shuffled, in so many parts; afterwards every table of the index is compared row by row with that of
one scan (without ids of groups, which are history, and scores, which an index does not keep). Each
update and the scan are processes of their own, kernels compiled before; wall and processor seconds
cover all of a process. Checks are made in one warm process, of articles drawn from the corpus.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zstandard
from machine import circumstances, headline

RESULTS = Path(__file__).parent / "results"
HISTORY = {"articles": {"group"}, "groups": {"id"}, "sources": {"groups"}}
_UPDATE = "import dedup,sys; dedup.Index.open(sys.argv[1],create=True).update(sys.argv[2])"


def timed(code: str, *arguments: str) -> dict[str, float]:
    """Run Python code in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": time.perf_counter() - begun, "cpu_seconds": worked}


def chronological(lines: list[bytes]) -> list[bytes]:
    rows = [(json.loads(line).get("published") or "", line) for line in lines]
    dated = [line for _, line in sorted((day, i) for i, (day, _) in enumerate(rows) if day)]
    undated = [i for i, (day, _) in enumerate(rows) if not day]
    places = {int((n + 0.5) * len(dated) / max(1, len(undated))): i for n, i in enumerate(undated)}
    out = []
    for n, i in enumerate(dated):
        if n in places:
            out.append(lines[places.pop(n)])
        out.append(lines[i])
    return [*out, *(lines[i] for i in places.values())]


def held(index: Path) -> dict[str, list[str]]:
    from dedup.indextables import RESULTS as TABLES
    from dedup.indextables import result_columns

    database = sqlite3.connect(index / "index.sqlite")
    out = {}
    for name in TABLES:
        kept = [c for c in result_columns(name) if c not in HISTORY.get(name, ())]
        columns = ", ".join(f'"{c}"' for c in kept)
        out[name] = sorted(map(repr, database.execute(f'SELECT {columns} FROM "{name}"')))
    return out


def scanned(tables) -> dict[str, list[str]]:
    from dedup.changes import table_rows
    from dedup.indextables import RESULTS as TABLES
    from dedup.indextables import result_columns

    out = {}
    for name in TABLES:
        columns = result_columns(name)
        kept = [i for i, c in enumerate(columns) if c not in HISTORY.get(name, ())]
        rows = table_rows(name, tables[name])
        out[name] = sorted(repr(tuple(row[i] for i in kept)) for row in rows)
    return out


def fill(folder: Path, lines: list[bytes], parts: int) -> dict:
    """Fill an index in parts, and compare it with a scan of the same files."""
    import dedup

    files = []
    for k in range(parts):
        file = folder / f"{k}.jsonl"
        file.write_bytes(b"".join(lines[k * len(lines) // parts : (k + 1) * len(lines) // parts]))
        files.append(file)
    index = folder / "index"
    updates = [timed(_UPDATE, str(index), str(file)) for file in files]
    again = timed(_UPDATE, str(index), str(files[0]))
    database = sqlite3.connect(index / "index.sqlite")
    changed = database.execute(
        "SELECT count(*) FROM changes WHERE run = (SELECT max(run) FROM runs)"
    ).fetchone()[0]
    database.close()
    code = "import dedup,sys; dedup.scan(sys.argv[2:]).write(sys.argv[1], report=False)"
    one = timed(code, str(folder / "scan"), *map(str, files))
    kept, expected = held(index), scanned(dedup.scan([str(file) for file in files]).tables)
    size = (index / "index.sqlite").stat().st_size
    dedup.Index.open(index).compact()
    return {
        "rows": {name: len(rows) for name, rows in expected.items()},
        "equal": {name: kept[name] == expected[name] for name in expected},
        "updates": updates,
        "scan": one,
        "ratio": sum(u["seconds"] for u in updates) / one["seconds"],
        "cpu_ratio": sum(u["cpu_seconds"] for u in updates) / one["cpu_seconds"],
        "again": {**again, "rows_changed": changed},
        "index_bytes": size,
        "compacted_bytes": (index / "index.sqlite").stat().st_size,
    }


def check(index: Path, lines: list[bytes], count: int) -> dict[str, float]:
    import dedup

    opened = dedup.Index.open(index)
    begun = time.perf_counter()
    opened.check("Nothing of the kind was ever written.")
    first = time.perf_counter() - begun
    took = []
    for line in random.Random(7).sample(lines, count):
        record = json.loads(line)
        begun = time.perf_counter()
        opened.check(record["text"], title=record.get("title"), outlet=record.get("outlet"))
        took.append(time.perf_counter() - begun)
    took.sort()
    return {
        "checks": count,
        "first_seconds": first,
        "p50_ms": 1000 * took[count // 2],
        "p95_ms": 1000 * took[int(count * 0.95)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", type=int, default=10)
    parser.add_argument("--articles", type=int)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--orders", default="chronological,shuffled")
    options = parser.parse_args()
    packed = (options.data / "allsides.jsonl.zst").open("rb")
    lines = zstandard.ZstdDecompressor().stream_reader(packed).read().splitlines(keepends=True)
    lines = lines[: options.articles]
    texts = sum(len(json.loads(line)["text"].encode()) for line in lines)
    found: dict = {**circumstances(["dedup"]), "articles": len(lines), "text_bytes": texts}
    for order in options.orders.split(","):
        if order == "chronological":
            some = chronological(lines)
        else:
            some = random.Random(5).sample(lines, len(lines))
        with tempfile.TemporaryDirectory() as folder:
            found[order] = fill(Path(folder), some, options.parts)
            if "check" not in found:
                found["check"] = check(Path(folder) / "index", lines, options.checks)
        print(order, json.dumps(found[order]))
    text = table(found)
    print(text)
    (RESULTS / "index.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "index.md").write_text(text)


def table(found: dict) -> str:
    lines = [
        headline(found),
        "",
        f"{found['articles']:,} articles of allsides, {found['text_bytes'] / 1e6:.0f} MB of text",
        "",
        "| | " + " | ".join(o for o in ("chronological", "shuffled") if o in found) + " |",
        "|---|" + "---|" * sum(o in found for o in ("chronological", "shuffled")),
    ]
    rows = {
        "tables equal to one scan's": lambda f: f"{sum(f['equal'].values())} of {len(f['equal'])}",
        "all updates, s (CPU)": lambda f: (
            f"{sum(u['seconds'] for u in f['updates']):.0f} "
            f"({sum(u['cpu_seconds'] for u in f['updates']):.0f})"
        ),
        "last update, s (CPU)": lambda f: (
            f"{f['updates'][-1]['seconds']:.1f} ({f['updates'][-1]['cpu_seconds']:.1f})"
        ),
        "one scan, s (CPU)": lambda f: (
            f"{f['scan']['seconds']:.1f} ({f['scan']['cpu_seconds']:.1f})"
        ),
        "updates / scan (CPU)": lambda f: f"{f['ratio']:.2f} ({f['cpu_ratio']:.2f})",
        "same input again, s; rows changed": lambda f: (
            f"{f['again']['seconds']:.1f}; {f['again']['rows_changed']}"
        ),
        "index / text, compacted": lambda f: (
            f"{f['index_bytes'] / found['text_bytes']:.2f}, "
            f"{f['compacted_bytes'] / found['text_bytes']:.2f}"
        ),
    }
    for name, cell in rows.items():
        cells = [cell(found[o]) for o in ("chronological", "shuffled") if o in found]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    c = found["check"]
    lines += [
        "",
        (
            f"Check of one article in a warm process: p50 {c['p50_ms']:.0f} ms, "
            f"p95 {c['p95_ms']:.0f} ms of {c['checks']}; the first one took "
            f"{c['first_seconds']:.1f} s."
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
