"""Does the ranking put what was written above furniture? Judged by labels of its own.

    python benchmarks/ranking.py RUN_DIR PAIRS.jsonl

``RUN_DIR`` is a scan of the dump from which the labelled pairs come. A shared passage that both
articles of a pair labelled ``boilerplate`` hold is furniture; one that both articles of a pair
labelled ``quote`` or stronger hold, and no furniture pair, was written. Prints nDCG of the
labelled passages in the order of ``passages.jsonl`` (gain 1 for what was written), the precision
at the number of written ones, and the share of pairs (written, furniture) in the right order.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("pairs", type=Path)
    args = parser.parse_args()
    holds: dict[str, set[int]] = defaultdict(set)
    kinds = []
    with (args.run / "passages.jsonl").open(encoding="utf-8") as handle:
        for rank, line in enumerate(handle):
            passage = json.loads(line)
            kinds.append(passage["kind"])
            for occurrence in passage["occurrences"]:
                holds[occurrence["article"]].add(rank)
    furniture: set[int] = set()
    written: set[int] = set()
    with args.pairs.open(encoding="utf-8") as handle:
        for line in handle:
            pair = json.loads(line)
            both = holds[pair["a"]] & holds[pair["b"]]
            if pair["relation"] == "boilerplate":
                furniture |= both
            elif pair["relation"] != "none":
                written |= both
    written -= furniture
    order = sorted(written | furniture)
    gains = [1.0 if rank in written else 0.0 for rank in order]
    found = sum(g / math.log2(i + 2) for i, g in enumerate(gains))
    ideal = sum(1 / math.log2(i + 2) for i in range(len(written)))
    right = seen = 0
    for gain in gains:
        seen += int(gain)
        right += 0 if gain else seen
    head = gains[: len(written)]
    print(f"labelled passages: {len(written)} written, {len(furniture)} furniture")
    print(f"nDCG {found / ideal:.4f}")
    print(f"precision at {len(written)}: {sum(head) / len(head):.4f}")
    print(f"pairs in the right order: {right / (len(written) * len(furniture)):.4f}")
    print(f"kinds among the first 100: { {k: kinds[:100].count(k) for k in set(kinds[:100])} }")


if __name__ == "__main__":
    main()
