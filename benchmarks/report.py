"""The report: what rendering it costs, how large it is, and how it behaves in a browser.

    python benchmarks/report.py [--run DIR ...] [--groups 50000]

Renders the report of stored runs (folders that ``dedup scan`` wrote) and of a made-up run of many
groups, opens each in Chromium, and writes ``benchmarks/results/report.{json,md}``. First views are
times from navigation until the first screen with its chart, and the list of groups, are drawn; a
filter is timed from the key until the list is drawn. Needs Chromium and the package playwright.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime as dt
import gc
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import pyarrow as pa

from dedup.config import Settings
from dedup.model import table_schemas
from dedup.report.chunks import ReportData
from dedup.report.html import render_page
from dedup.report.tables import read_run

OPENINGS = 5
HOW = (
    f"Medians of {OPENINGS} openings from the disk, each in a fresh context. Memory for rendering "
    "is the growth of its peak; in the browser, that after a group was opened, the largest of all."
)
WORDS = (
    *("harbour", "council", "ministry", "storm", "bridge", "winter", "river", "market", "school"),
    *("hospital", "election", "budget", "court", "railway", "village", "island", "factory"),
    *("strike", "minister", "police", "company", "energy", "water", "museum"),
)
QUERIES = ("harbour", "storm bridge", "outlet 7", "zzz", "")
DRAWN = """
window.drawnAt = {};
const look = () => {
  const seen = { overview: '#timeline-host svg', groups: '#view-groups .card' };
  for (const [view, selector] of Object.entries(seen)) {
    if (!drawnAt[view] && document.querySelector(selector)) drawnAt[view] = performance.now();
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
FILTER = """async (query) => {
  const input = document.querySelector('#view-groups input[type=search]');
  const start = performance.now();
  input.value = query;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""


def made_up(groups: int, seed: int = 1) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables of a run of ``groups`` groups of two to six articles in 400 outlets."""
    rng = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in table_schemas()}
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    agencies = [f"agency-{k}" for k in range(12)]
    members: dict[str, list[str]] = {name: [] for name in agencies}
    owned: dict[str, list[str]] = {name: [] for name in agencies}
    for g in range(groups):
        shared = " ".join(rng.choices(WORDS, k=60)) + f" number {g}."
        source = rng.choice(agencies)
        refs = [f"a{g}-{k}" for k in range(rng.choice((2, 2, 2, 3, 3, 4, 6)))]
        when = start + dt.timedelta(minutes=rng.randrange(500_000))
        for k, ref in enumerate(refs):
            text = f"{shared} {' '.join(rng.choices(WORDS, k=120))}"
            rows["texts"].append({"id": ref, "ref": ref, "digest": "0" * 32, "text": text})
            rows["articles"].append(
                {
                    "id": ref, "ref": ref, "digest": "0" * 32, "file": "made-up", "position": "",
                    "outlet": f"Outlet {rng.randrange(400)}", "precision": "minute",
                    "published": when + dt.timedelta(minutes=rng.randrange(2_000) * k),
                    "title": " ".join(rng.choices(WORDS, k=8)).capitalize(), "language": "en",
                    "flag": "syndicated" if k else "earliest", "basis": "copy", "source": source,
                    "share_copied": 0.5, "group": f"g-{g}", "credits": [], "mentions": [],
                    "issues": [],
                }
            )  # fmt: skip
            if k:
                spans = {"a_start": 0, "a_end": len(shared), "b_start": 0, "b_end": len(shared)}
                pair = {"a": refs[0], "b": ref, "score": 10.0}
                rows["matches"].append(
                    {**pair, **spans, "similarity": 0.9, "kind": "prose", "passage": f"p-{g}"}
                )
                rows["relations"].append(
                    {**pair, "relation": "copy", "revision": False, "p_shared": 0.9,
                     "p_copied": 0.9, "coverage_a": 0.5, "coverage_b": 0.5, "earlier": refs[0]}
                )  # fmt: skip
        named = {"id": source, "name": source.title(), "kind": "agency", "confidence": 0.9}
        rows["groups"].append(
            {"id": f"g-{g}", "key": f"k{g}", "core": refs, "articles": refs,
             "source": {**named, "evidence": []}, "first_observed": refs[0], "passages": [f"p-{g}"]}
        )  # fmt: skip
        spots = [{"article": ref, "start": 0, "end": len(shared)} for ref in refs]
        rows["passages"].append(
            {"id": f"p-{g}", "text": shared, "kind": "prose", "score": float(groups - g),
             "source": {**named, "evidence": []}, "first_observed": refs[0], "outlets": [],
             "occurrences": spots}
        )  # fmt: skip
        members[source] += refs
        owned[source].append(f"g-{g}")
    rows["sources"] = [
        {"id": name, "name": name.title(), "kind": "agency", "groups": owned[name],
         "articles": members[name], "credited": [], "cited_by": []}
        for name in agencies
    ]  # fmt: skip
    tables = {
        name: pa.Table.from_pylist(rows[name], schema=schema)
        for name, schema in table_schemas().items()
    }
    return tables, {"dedup": "", "settings": Settings().as_dict(), "inputs": ["made-up"]}


def resident(pid: int | str = "self", field: str = "VmRSS") -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def rendered(tables: dict[str, pa.Table], run: dict[str, Any], path: Path) -> dict[str, float]:
    """Render a page to ``path``: processor seconds, growth of resident memory, size."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before does not hide what is needed now
    before, clock = resident(), time.process_time()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    data = ReportData(tables, run)
    page = render_page(data).encode("utf-8")
    seconds = time.process_time() - clock
    path.write_bytes(page)
    return {
        "groups": len(data.groups),
        "articles": len(tables["articles"]),
        "cpu_seconds": round(seconds, 2),
        "memory_mb": round(resident(field="VmHWM") - before, 1),
        "page_mb": round(len(page) / 1e6, 2),
    }


def opened(browser: Any, path: Path) -> dict[str, float]:
    """What a page costs in the browser; medians over openings, times in milliseconds."""
    views: dict[str, list[float]] = {"overview": [], "groups": []}
    filters: dict[str, list[float]] = {query: [] for query in QUERIES}
    heap = process = 0.0
    for _ in range(OPENINGS):
        for view, times in views.items():
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.add_init_script(DRAWN)
            page.goto(f"{path.as_uri()}#{view}")
            page.wait_for_function(f"() => drawnAt.{view}", timeout=60_000)
            times.append(page.evaluate(f"drawnAt.{view}"))
            if view == "groups":
                for query, times_of in filters.items():
                    times_of.append(page.evaluate(FILTER, query))
                page.locator(".card a").first.click()
                page.locator("#view-group .side").first.wait_for()
                client = context.new_cdp_session(page)
                client.send("Performance.enable")
                metrics = client.send("Performance.getMetrics")["metrics"]
                used = {m["name"]: m["value"] for m in metrics}["JSHeapUsedSize"]
                heap = max(heap, used / 2**20)
                process = max(process, _renderer(browser))
            context.close()
    return {
        "first_view_ms": round(statistics.median(views["overview"])),
        "groups_ms": round(statistics.median(views["groups"])),
        "filter_ms": round(max(map(statistics.median, filters.values())), 1),
        "heap_mb": round(heap),
        "process_mb": round(process),
    }


def _renderer(browser: Any) -> float:
    """Resident memory of the largest process that shows a page."""
    client = browser.new_browser_cdp_session()
    found = client.send("SystemInfo.getProcessInfo")["processInfo"]
    client.detach()
    return max(resident(p["id"]) for p in found if p["type"] == "renderer")


def markdown(about: dict[str, Any], rows: dict[str, dict[str, float]]) -> str:
    """Circumstances and table."""
    names = (
        ("groups", "groups"), ("articles", "articles"), ("cpu_seconds", "rendering, CPU s"),
        ("memory_mb", "memory for it, MiB"), ("page_mb", "report.html, MB"),
        ("first_view_ms", "first view, ms"), ("groups_ms", "list of groups, ms"),
        ("filter_ms", "slowest filter, ms"), ("heap_mb", "heap, MiB"),
        ("process_mb", "renderer process, MiB"),
    )  # fmt: skip
    lines = [
        "# The report",
        "",
        f"{machine.headline(about)} {about['browser']}. {HOW}",
        "",
        f"| run | {' | '.join(text for _, text in names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for run, row in rows.items():
        lines.append(f"| {run} | {' | '.join(f'{row[name]:,}' for name, _ in names)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--groups", type=int, default=50_000)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    rows: dict[str, dict[str, float]] = {}
    about = machine.circumstances(["dedup/report"])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        about["browser"] = f"Chromium {browser.version}"
        runs = [(run.resolve().name, lambda run=run: read_run(run)) for run in options.run]
        for name, load in [*runs, ("made up", lambda: made_up(options.groups))]:
            page = Path(folder) / "report.html"
            rows[name] = rendered(*load(), page) | opened(browser, page)
            print(name, rows[name], flush=True)
        browser.close()
    results = Path(__file__).parent / "results"
    (results / "report.json").write_text(
        json.dumps({"about": about, "runs": rows}, indent=1) + "\n"
    )
    (results / "report.md").write_text(markdown(about, rows))


if __name__ == "__main__":
    main()
