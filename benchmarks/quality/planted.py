"""Passages planted in the whole real dump: what a scan at full size still finds.

In a dump of tens of thousands of articles LSH buckets fill up, and a full one compares its members
with a few representatives only. What that costs does not show in small dumps. So passages of
articles of the dump are edited and put into other articles of it, of another outlet and half a
year apart or more; all is scanned as one dump, at the default ``sensitivity`` and at others. A
planted passage is found when a match of the two articles overlaps it on both sides.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from quality import dumps
from quality.edit_operations import (
    EDITS,
    SCRIPTS,
    Context,
    Edit,
    Piece,
    Span,
    embed,
    running,
    sentences,
    true_spans,
    untouched,
    vocabulary,
)
from quality.edit_texts import day_of
from quality.edits import passage
from quality.measures import resampled
from quality.part import Options, Outcome, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANTED = 300
"""Passages of each kind."""
SENSITIVITIES = (0.3,)
"""Beside the default."""
LEAST_SENTENCES = 8
"""Of an article that gives or takes a passage."""
LEAST_WORDS, MOST_WORDS = 30, 60
"""Of a sentence that is planted alone."""
DAYS_APART = 183
ENGLISH = SCRIPTS["English"]


def _whole(pieces: Sequence[Piece], _context: Context, _rng: Random) -> list[Piece]:
    return list(pieces)


KINDS: dict[str, tuple[bool, Edit]] = {
    "one sentence, word for word": (True, _whole),
    "3 to 5 sentences, word for word": (False, _whole),
    "3 to 5 sentences, 10 % of words replaced": (False, EDITS["10 % of words replaced"]),
    "3 to 5 sentences, 20 % of words replaced": (False, EDITS["20 % of words replaced"]),
    "3 to 5 sentences, 30 % of words replaced": (False, EDITS["30 % of words replaced"]),
}
"""Kind to whether it is one sentence, and to its edit."""


@dataclass(frozen=True)
class Planted:
    """A passage of the article ``source`` that was put into ``host`` (ids), its true spans."""

    kind: str
    source: str
    host: str
    spans: tuple[Span, ...]


def _one_sentence(original: Sequence[str], rng: Random) -> list[Piece]:
    fit = [
        piece
        for piece in untouched(original)
        if LEAST_WORDS <= ENGLISH.count([piece.text]) <= MOST_WORDS
    ]
    return [rng.choice(fit)] if fit else []


def plant(
    records: list[dict[str, Any]], *, each: int, seed: int
) -> tuple[list[dict[str, Any]], list[Planted]]:
    """Replace texts of ``records`` by texts with a planted passage; every article gives or takes
    once at most."""
    rng = Random(seed)
    order = list(range(len(records)))
    rng.shuffle(order)
    words = vocabulary(ENGLISH, [sentences(ENGLISH, records[i]["text"]) for i in order[:2000]])
    context = Context(ENGLISH, words, ())
    out = list(records)
    planted: list[Planted] = []
    wanted = [kind for kind in KINDS for _ in range(each)]
    while wanted and len(order) > 1:
        kind = wanted[-1]
        source, host = records[order.pop()], records[order.pop()]
        days = [day_of(r.get("published")) for r in (source, host)]
        if None in days or abs((days[0] - days[1]).days) < DAYS_APART:
            continue
        if source["outlet"] == host["outlet"]:
            continue
        original = sentences(ENGLISH, source["text"])
        around = sentences(ENGLISH, host["text"])
        if min(len(original), len(around)) < LEAST_SENTENCES:
            continue
        single, edit = KINDS[kind]
        pieces = _one_sentence(original, rng) if single else passage(ENGLISH, original, rng)
        if not pieces:
            continue
        made = embed(edit(pieces, context, rng), around, rng)
        # The dump keeps the source as it is here, so that offsets are the same.
        for record, text in ((source, running(untouched(original))), (host, running(made))):
            out[record["row"]] = {**record, "text": text}
        spans = tuple(true_spans(original, made))
        planted.append(Planted(kind, source["id"], host["id"], spans))
        wanted.pop()
    return out, planted


def _overlaps(found: Span, spans: Sequence[Span]) -> bool:
    return any(
        found[0] < s[1] and s[0] < found[1] and found[2] < s[3] and s[2] < found[3] for s in spans
    )


def found_by_scan(
    path: Path, planted: Sequence[Planted], sensitivity: float | None
) -> tuple[list[bool], dict[str, Any]]:
    """Which of the planted passages a scan matches, and the ``work`` of its ``run.json``."""
    import dedup

    settings = None if sensitivity is None else dedup.Settings(sensitivity=sensitivity)
    result = dedup.scan(path, settings=settings)
    wanted = {dumps.ordered(p.source, p.host) for p in planted}
    matches: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for row in result.matches.to_pylist():
        if dumps.ordered(row["a"], row["b"]) in wanted:
            one = (row["a_start"], row["a_end"])
            two = (row["b_start"], row["b_end"])
            matches[row["a"], row["b"]].append((*one, *two))
            matches[row["b"], row["a"]].append((*two, *one))
    found = [any(_overlaps(m, p.spans) for m in matches[p.source, p.host]) for p in planted]
    return found, result.run["work"]


def run(corpora: Path, options: Options) -> Outcome:
    """Share of the planted passages that are found, by kind and sensitivity."""
    records = [
        {**record, "row": row}
        for row, record in enumerate(map(json.loads, dumps.allsides(corpora)))
    ]
    texts, planted = plant(records, each=PLANTED, seed=options.seed)
    rows: list[Row] = []
    details: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = dumps.write(
            Path(folder) / "dump.jsonl",
            ({k: v for k, v in record.items() if k != "row"} for record in texts),
        )
        for value in (None, *SENSITIVITIES):
            found, work = found_by_scan(path, planted, value)
            name = "default sensitivity" if value is None else f"sensitivity {value:g}"
            details[name] = work
            for kind in KINDS:
                hits = np.array(
                    [hit for hit, p in zip(found, planted, strict=True) if p.kind == kind]
                )
                clusters = [np.array([i]) for i in range(len(hits))]
                rows.append(
                    Row(
                        f"planted in the whole dump, {kind}: found, {name}",
                        float(hits.mean()),
                        interval=resampled(
                            lambda picked, hits=hits: float(hits[picked].mean()),
                            clusters,
                            options.resamples,
                            options.seed,
                        ),
                        note=f"{hits.sum()} of {len(hits)}",
                    )
                )
    return Outcome(rows, details)
