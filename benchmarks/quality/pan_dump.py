"""PAN 2013 as one dump: what a scan of all its texts finds, in listed pairs and elsewhere.

The matches of a scan with the default settings between the texts of a listed pair are scored
by plagdet, all kinds of match alike. Matches between texts that no list names are counted;
whether they are real only a reader can tell. For that ``--sheet FILE`` writes 50 of them,
drawn evenly from five strata of length (of the shorter span), with their surroundings.
``--sheet FILE --verdicts JSON`` counts the judgements: a list of booleans in the order of the
sheet, which must be the one that would be drawn now.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quality import dumps, pan_pairs, plagdet
from quality.part import MissingError, Options, Outcome, Row

if TYPE_CHECKING:
    from quality import pan
    from quality.plagdet import Span

GOAL = 0.88
STRATA = 5
DRAWN = 50
CONTEXT = 150


@dataclass(frozen=True)
class Found:
    """What a scan of the corpus as one dump found."""

    listed: dict[str, list[Span]]
    """Listed pair to its matches, suspicious text first."""
    others: list[dict[str, Any]]
    """The matches between texts of which no list says anything, as rows of the table."""
    work: dict[str, int]
    """Of ``run.json``."""
    kinds: Counter[str]
    """Matches in listed pairs by kind."""


@cache
def scan(corpora: Path, sensitivity: float | None = None) -> Found:
    """Scan all texts as one dump; ``None`` is the default sensitivity."""
    import dedup

    corpus = pan_pairs.load(corpora)
    settings = dedup.Settings() if sensitivity is None else dedup.Settings(sensitivity=sensitivity)
    with tempfile.TemporaryDirectory() as folder:
        records = ({"id": name, "text": text} for name, text in corpus.texts.items())
        dump = dumps.write(Path(folder) / "dump.jsonl", records)
        result = dedup.scan(dump, settings=settings)
    listed: dict[str, list[Span]] = {}
    others = []
    kinds: Counter[str] = Counter()
    for m in result.matches.to_pylist():
        span = (m["a_start"], m["a_end"], m["b_start"], m["b_end"])
        if f"{m['a']}|{m['b']}" in corpus.gold:
            listed.setdefault(f"{m['a']}|{m['b']}", []).append(span)
        elif f"{m['b']}|{m['a']}" in corpus.gold:
            listed.setdefault(f"{m['b']}|{m['a']}", []).append(span[2:] + span[:2])
        else:
            others.append(m)
            continue
        kinds[m["kind"]] += 1
    return Found(listed, others, result.run["work"], kinds)


def length(match: dict[str, Any]) -> int:
    """Characters of the shorter span."""
    return int(min(match["a_end"] - match["a_start"], match["b_end"] - match["b_start"]))


def draw(matches: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Matches to be read: as many of each stratum of length, in random order."""
    rng = random.Random(seed)
    keys = ("a", "b", "a_start", "b_start", "a_end", "b_end")
    ranked = sorted(matches, key=lambda m: (length(m), *(m[k] for k in keys)))
    picked = []
    for stratum in np.array_split(np.arange(len(ranked)), STRATA):
        chosen = rng.sample(stratum.tolist(), min(DRAWN // STRATA, len(stratum)))
        picked += [ranked[k] for k in chosen]
    rng.shuffle(picked)
    return picked


def key(drawn: list[dict[str, Any]]) -> str:
    """Names a draw: another draw has another key."""
    spans = [[m[k] for k in ("a", "b", "a_start", "a_end", "b_start", "b_end")] for m in drawn]
    return hashlib.blake2b(json.dumps(spans).encode(), digest_size=6).hexdigest()


def sheet(drawn: list[dict[str, Any]], corpus: pan.Corpus) -> str:
    """The drawn matches for reading; ``[[`` and ``]]`` stand around a span."""

    def shown(name: str, start: int, end: int) -> str:
        text = corpus.texts[name]
        before, after = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
        return " ".join(f"{before}[[{text[start:end]}]]{after}".split())

    lines = [f"# {len(drawn)} matches between texts that no list names, draw {key(drawn)}", ""]
    for number, m in enumerate(drawn, 1):
        lines += [
            f"## {number}: {m['kind']}, similarity {m['similarity']:.2f}",
            "",
            f"{m['a']}: {shown(m['a'], m['a_start'], m['a_end'])}",
            "",
            f"{m['b']}: {shown(m['b'], m['b_start'], m['b_end'])}",
            "",
        ]
    return "\n".join(lines)


def judged(drawn: list[dict[str, Any]], sheet_: Path, verdicts: Path) -> Row:
    """The share of drawn matches that a reader found real, with Wilson's interval."""
    head = sheet_.read_text(encoding="utf-8").splitlines()[0]
    if not head.endswith(f"draw {key(drawn)}"):
        raise MissingError("the judged sheet is of another draw: the matches are others now")
    real = json.loads(verdicts.read_text(encoding="utf-8"))
    if len(real) != len(drawn) or not all(isinstance(v, bool) for v in real):
        raise MissingError(f"the verdicts are not {len(drawn)} booleans")
    n, share, z = len(real), sum(real) / len(real), 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Row(
        "PAN as a dump, matches in unlisted pairs: share real",
        share,
        interval=(middle - reach, middle + reach),
        note=f"{sum(real)} of {n} read",
    )


def run(corpora: Path, options: Options) -> Outcome:
    """Score the scan in listed pairs, and count or judge what it finds elsewhere."""
    corpus = pan_pairs.load(corpora)
    found = scan(corpora)
    rows = []
    listed = {"all": corpus.gold, **{k: v for k, v in corpus.pairs.items() if k != "unrelated"}}
    for name, gold in listed.items():
        spans = {pair: found.listed.get(pair, []) for pair in gold}
        matrix = np.array(list(plagdet.table(gold, spans).values()))
        scored = plagdet.score(matrix.sum(axis=0))
        rows.append(
            Row(
                f"PAN as a dump, {name}: plagdet",
                scored.plagdet,
                interval=plagdet.interval(matrix, options.resamples, options.seed),
                goal=GOAL if name == "all" else None,
                note=f"{scored.note}; {len(gold)} pairs",
            )
        )
    pairs = {dumps.ordered(m["a"], m["b"]) for m in found.others}
    drawn = draw(found.others, options.seed)
    rows.append(
        Row(
            "PAN as a dump, matches in unlisted pairs: count",
            len(found.others),
            note=f"in {len(pairs):,} pairs; not errors as such, see the sheet",
        )
    )
    if options.sheet and options.verdicts:
        rows.append(judged(drawn, options.sheet, options.verdicts))
    elif options.sheet:
        options.sheet.write_text(sheet(drawn, corpus), encoding="utf-8")
    details = {
        "work": found.work,
        "matches_in_listed_pairs_by_kind": dict(sorted(found.kinds.items())),
        "draw": key(drawn),
    }
    return Outcome(rows, details)
