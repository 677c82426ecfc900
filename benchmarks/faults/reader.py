"""Reads an index again and again while others write: ``reader.py INDEX``, until stdin is closed.

Prints, as JSON, how often it looked, which states it saw (articles, matches, finished runs) and
what went wrong.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path

from dedup.store import Store

TORN = (
    "SELECT (SELECT count(*) FROM matches WHERE a NOT IN (SELECT ref FROM articles)) + "
    '(SELECT count(*) FROM articles WHERE "group" NOT IN (SELECT id FROM "groups"))'
)


def look(folder: Path) -> tuple[int, ...]:
    """One state of the index; an error if its tables are at odds."""
    with Store.open(folder) as store, store.snapshot():
        tables = ("articles", "matches")
        state = [int(store.value(f"SELECT count(*) FROM {table}")) for table in tables]
        if store.value(TORN):
            raise ValueError(f"tables at odds: {state}")
        again = [int(store.value(f"SELECT count(*) FROM {table}")) for table in tables]
        if again != state:
            raise ValueError(f"two states in one snapshot: {state}, {again}")
        return tuple(state)


def main() -> None:
    folder = Path(sys.argv[1])
    seen: set[tuple[int, ...]] = set()
    wrong: list[str] = []
    looks = 0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        try:
            seen.add(look(folder))
        except Exception as error:  # whatever a reader meets is what is measured
            wrong.append(f"{type(error).__name__}: {error}")
        looks += 1
    print(json.dumps({"looks": looks, "seen": sorted(seen), "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
