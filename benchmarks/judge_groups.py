"""Make a blind reading sheet of groups and decoys, and score it.

    python benchmarks/judge_groups.py sheet RUN_DIR SHEET_DIR [--groups 50] [--decoys 20] [--seed 7]
    python benchmarks/judge_groups.py score SHEET_DIR VERDICTS.jsonl

``sheet`` draws groups evenly over all ranks of a finished run and mixes them with decoys
(pairs of articles that share a quote only, or that just missed a relation), in random order,
without scores or labels: ``items/NN.txt``. The key stays in ``key.json``. The reader writes one
line an item: ``{"item": 1, "right": true, "why": "..."}``, right meaning that the articles have
narrative text of one source in common, each of them. ``score`` prints how many groups were
judged right and how many decoys were seen through, with Wilson intervals.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from pathlib import Path

import pyarrow.parquet as pq

MOST_ARTICLES = 6
MOST_CHARACTERS = 20000


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def make_sheet(run: Path, sheet: Path, groups: int, decoys: int, seed: int) -> None:
    rng = random.Random(seed)
    table = pq.read_table(run / "texts.parquet", columns=["ref", "text"])
    texts = dict(zip(table["ref"].to_pylist(), table["text"].to_pylist(), strict=True))
    rank = {p["id"]: i for i, p in enumerate(rows(run / "passages.jsonl"))}
    every = rows(run / "groups.jsonl")
    every.sort(key=lambda g: min((rank[p] for p in g["passages"]), default=len(rank)))
    step = len(every) / groups
    drawn = [every[int((i + rng.random()) * step)] for i in range(min(groups, len(every)))]
    quotes = [r for r in rows(run / "relations.jsonl") if r["relation"] == "quote"]
    near = rows(run / "near_misses.jsonl")
    together = {frozenset((a, b)) for g in every for a in g["articles"] for b in g["articles"]}
    pool = []
    for source, count in ((quotes, decoys - decoys // 2), (near, decoys // 2)):
        fit = [r for r in source if frozenset((r["a"], r["b"])) not in together]
        pool += rng.sample(fit, min(count, len(fit)))
    items = [("group", g["id"], g["core"]) for g in drawn]
    items += [("decoy", f"{r['a']} {r['b']}", [r["a"], r["b"]]) for r in pool]
    rng.shuffle(items)
    (sheet / "items").mkdir(parents=True, exist_ok=True)
    key = []
    for number, (what, name, refs) in enumerate(items, 1):
        shown = refs[:MOST_ARTICLES]
        parts = [
            f"--- ARTICLE {i} ---\n{texts[ref][:MOST_CHARACTERS]}\n"
            for i, ref in enumerate(shown, 1)
        ]
        (sheet / "items" / f"{number:02}.txt").write_text("\n".join(parts), encoding="utf-8")
        key.append({"item": number, "what": what, "name": name, "articles": len(refs)})
    (sheet / "key.json").write_text(json.dumps({"seed": seed, "items": key}, indent=1))
    print(
        f"{len(drawn)} groups of {len(every)}, {len(pool)} decoys, seed {seed}: {sheet / 'items'}"
    )


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    if not n:
        return 0.0, 1.0
    p = hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


def score(sheet: Path, verdicts: Path) -> None:
    key = {k["item"]: k for k in json.loads((sheet / "key.json").read_text())["items"]}
    said = {v["item"]: v for v in rows(verdicts)}
    missing = sorted(set(key) - set(said))
    if missing:
        raise SystemExit(f"no verdict for items {missing}")
    for what, wanted in (("group", True), ("decoy", False)):
        of = [k for k in key.values() if k["what"] == what]
        hits = sum(said[k["item"]]["right"] is wanted for k in of)
        low, high = wilson(hits, len(of))
        print(
            f"{what}s judged {'right' if wanted else 'wrong'}: {hits} of {len(of)} "
            f"(95 % interval {low:.2f}-{high:.2f})"
        )
        for k in of:
            if said[k["item"]]["right"] is not wanted:
                print(f"  item {k['item']} {k['name']}: {said[k['item']].get('why', '')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, dest="command")
    one = commands.add_parser("sheet")
    one.add_argument("run", type=Path)
    one.add_argument("sheet", type=Path)
    one.add_argument("--groups", type=int, default=50)
    one.add_argument("--decoys", type=int, default=20)
    one.add_argument("--seed", type=int, default=7)
    two = commands.add_parser("score")
    two.add_argument("sheet", type=Path)
    two.add_argument("verdicts", type=Path)
    args = parser.parse_args()
    if args.command == "sheet":
        make_sheet(args.run, args.sheet, args.groups, args.decoys, args.seed)
    else:
        score(args.sheet, args.verdicts)


if __name__ == "__main__":
    main()
