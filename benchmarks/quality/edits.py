"""Controlled edits in four scripts: what is found again, and what is found where nothing is.

The same edits are applied to English, Chinese, Indonesian and Arabic news of the same length
(:mod:`quality.edit_texts`). Two measures are kept apart, each for copies of whole articles and
for passages of three to five sentences embedded in an unrelated article:

- ``compare``: the share of the letters of the true spans, on both sides, that the matches of
  ``dedup.compare`` cover, averaged over the pairs;
- ``scan``: the share of the edited pairs that ``dedup.scan`` of all originals and all edited
  texts lists as related (quote or stronger).

False matches are counted on texts that have nothing in common (:mod:`quality.unrelated`).
Run by itself, the module prints its rows: ``python benchmarks/quality/edits.py CORPORA``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dedup
from quality.edit_operations import (
    EDITS,
    SCRIPTS,
    Context,
    Piece,
    Script,
    Span,
    embed,
    running,
    true_spans,
    untouched,
    vocabulary,
)
from quality.edit_texts import Article, articles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PAIRS = 400
"""Edited pairs for each language, edit and part; few texts are edited in several rounds."""
GOALS = {
    "5 % of words replaced": 0.99,
    "10 % of words replaced": 0.98,
    "20 % of words replaced": 0.93,
    "30 % of words replaced": 0.80,
}
SPREAD_GOAL = 0.03
"""The largest difference of recall between two languages."""
LISTED = ("copy", "partial", "quote")
OUTLETS = 24
FIRST_DAY = 1


@dataclass(frozen=True)
class Case:
    """An original, a text with an edited copy of it, and which letters are common."""

    original: str
    edited: str
    spans: tuple[Span, ...]


LEAST_PASSAGE_WORDS = 40
"""Three short sentences (of an interview, say) are less than a passage."""


def passage(script: Script, original: Sequence[str], rng: Random) -> list[Piece]:
    """Three to five successive sentences of a text, with words enough for a passage."""
    fit = [
        (start, start + length)
        for length in (3, 4, 5)
        for start in range(len(original) - length + 1)
        if script.count(original[start : start + length]) >= LEAST_PASSAGE_WORDS
    ]
    start, end = rng.choice(fit or [(0, len(original))])
    return untouched(original)[start:end]


def rounds(
    script: Script, texts: Sequence[Article], part: str, edit: str, *, pairs: int, seed: int
) -> list[list[Case]]:
    """Cases in rounds of independent texts, until there are ``pairs``.

    In each round half the articles are originals; hosts and foreign sentences come from the
    other half, so that a round holds no relation but the edited pairs.
    """
    words = vocabulary(script, [t.sentences for t in texts])
    made: list[list[Case]] = []
    left = pairs
    while left > 0:
        rng = Random(f"{seed}|{script.name}|{part}|{edit}|{len(made)}")
        order = list(texts)
        rng.shuffle(order)
        half = len(order) // 2
        cases = []
        for own, other in zip(order[:half], order[half : 2 * half], strict=True):
            context = Context(script, words, other.sentences)
            if part == "whole":
                pieces = EDITS[edit](untouched(own.sentences), context, rng)
            else:
                third = rng.choice(order[half:])
                context = Context(script, words, third.sentences)
                pieces = EDITS[edit](passage(script, own.sentences, rng), context, rng)
                pieces = embed(pieces, other.sentences, rng)
            cases.append(
                Case(
                    running(untouched(own.sentences)),
                    running(pieces),
                    tuple(true_spans(own.sentences, pieces)),
                )
            )
        made.append(cases[:left])
        left -= len(made[-1])
    return made


def letters_covered(
    text: str, spans: Iterable[tuple[int, int]], found: Iterable[tuple[int, int]]
) -> tuple[int, int, int]:
    """``(true, covered, beyond)``: letters in ``spans``, those of them that ``found`` covers,
    and the letters that ``found`` covers outside ``spans``."""
    truth = bytearray(len(text))
    for start, end in spans:
        truth[start:end] = b"\1" * (end - start)
    seen = bytearray(len(text))
    for start, end in found:
        seen[start:end] = b"\1" * (end - start)
    true = covered = beyond = 0
    for char, in_truth, in_found in zip(text, truth, seen, strict=True):
        if char.isalnum():
            true += in_truth
            covered += in_truth & in_found
            beyond += in_found & ~in_truth
    return true, covered, beyond


@dataclass(frozen=True)
class Coverage:
    """Means over pairs: recall and precision of letters, share of pairs with any match, and
    matches a pair that has one."""

    recall: float
    precision: float
    matched: float
    pieces: float


def coverage(cases: Sequence[Case], settings: dedup.Settings | None = None) -> Coverage:
    """How much of the true spans ``dedup.compare`` covers."""
    recall = precision = 0.0
    matched = matches = 0
    for case in cases:
        found = dedup.compare(case.original, case.edited, settings)
        a = letters_covered(
            case.original,
            [(s[0], s[1]) for s in case.spans],
            [(m.a_start, m.a_end) for m in found],
        )
        b = letters_covered(
            case.edited, [(s[2], s[3]) for s in case.spans], [(m.b_start, m.b_end) for m in found]
        )
        recall += (a[1] + b[1]) / (a[0] + b[0])
        if found:
            matched += 1
            matches += len(found)
            precision += (a[1] + b[1]) / max(1, a[1] + b[1] + a[2] + b[2])
    n = len(cases)
    return Coverage(recall / n, precision / max(1, matched), matched / n, matches / max(1, matched))


@dataclass(frozen=True)
class Found:
    """Shares of the edited pairs: related, by relation, and together in the core of a group;
    ``wrong`` counts relations between texts that have nothing in common."""

    related: float
    by_relation: dict[str, float]
    together: float
    wrong: int


def records(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A dump of a round: each text of a pair in another outlet, the copy a day later."""
    rows = []
    for i, case in enumerate(cases):
        day = FIRST_DAY + i % 27
        for side, text in (("o", case.original), ("e", case.edited)):
            outlet = (i + (7 if side == "e" else 0)) % OUTLETS
            rows.append(
                {
                    "id": f"{side}{i}",
                    "outlet": f"outlet-{outlet}.example",
                    "published": f"2024-03-{day + (side == 'e'):02d}T08:00:00Z",
                    "text": text,
                }
            )
    return rows


def scan_records(
    rows: Sequence[dict[str, Any]], settings: dedup.Settings | None = None, **options: Any
) -> dedup.Result:
    """``dedup.scan`` of records, through a file."""
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "dump.jsonl"
        with dump.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return dedup.scan(dump, settings=settings, **options)


def found_by_scan(made: Sequence[Sequence[Case]], settings: dedup.Settings | None = None) -> Found:
    """How many of the edited pairs ``dedup.scan`` relates, each round scanned by itself."""
    tally: Counter[str] = Counter()
    together = wrong = 0
    total = sum(map(len, made))
    for cases in made:
        result = scan_records(records(cases), settings)
        for row in result.relations.to_pylist():
            if row["a"][1:] == row["b"][1:]:
                tally[row["relation"]] += 1
            else:
                wrong += 1
        for group in result.groups.to_pylist():
            core = Counter(name[1:] for name in group["core"])
            together += sum(n == 2 for n in core.values())
    return Found(
        sum(tally[r] for r in LISTED) / total,
        {r: tally[r] / total for r in LISTED},
        together / total,
        wrong,
    )


Row = dict[str, Any]


def _row(part: str, what: str, figure: float, goal: float | None, detail: str) -> Row:
    return {"part": part, "what": what, "figure": round(figure, 6), "goal": goal, "detail": detail}


PARTS = {"whole": "whole articles", "passage": "embedded passages"}


def recall_rows(
    texts: dict[str, list[Article]],
    *,
    seed: int,
    pairs: int = PAIRS,
    settings: dedup.Settings | None = None,
    progress: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Recall by measure, part, edit and language, and how far the languages lie apart."""
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        if progress:
            progress(row)

    for part, named in PARTS.items():
        for edit in EDITS:
            goal = GOALS.get(edit)
            recalls: dict[str, dict[str, float]] = {"compare": {}, "scan": {}}
            for language, pool in texts.items():
                made = rounds(SCRIPTS[language], pool, part, edit, pairs=pairs, seed=seed)
                used = f"{sum(map(len, made))} pairs of {len(pool)} texts in {len(made)} rounds"
                c = coverage([case for cases in made for case in cases], settings)
                recalls["compare"][language] = c.recall
                add(
                    _row(
                        f"edits, compare, {named}",
                        f"{language}: {edit}",
                        c.recall,
                        goal,
                        f"letters of the true spans covered; {used}; precision {c.precision:.4f}, "
                        f"pairs with a match {c.matched:.4f}, matches a pair {c.pieces:.2f}",
                    )
                )
                f = found_by_scan(made, settings)
                recalls["scan"][language] = f.related
                kinds = ", ".join(f"{k} {v:.4f}" for k, v in f.by_relation.items())
                add(
                    _row(
                        f"edits, scan, {named}",
                        f"{language}: {edit}",
                        f.related,
                        goal,
                        f"pairs related; {used}; {kinds}; in one core {f.together:.4f}; "
                        f"relations of other pairs {f.wrong}",
                    )
                )
            for measure, of in recalls.items():
                low, high = min(of, key=of.__getitem__), max(of, key=of.__getitem__)
                add(
                    _row(
                        f"edits, {measure}, {named}",
                        f"largest difference between languages: {edit}",
                        of[high] - of[low],
                        SPREAD_GOAL,
                        f"{high} {of[high]:.4f}, {low} {of[low]:.4f}",
                    )
                )
    return rows


def run(
    corpora: Path, *, seed: int = 1, progress: Callable[[Row], None] | None = None
) -> list[Row]:
    """All rows of the benchmark: recall of edited copies, and false matches.

    ``corpora`` is the folder with ``allsides.jsonl.zst`` and ``cctv-zh.jsonl.zst``.
    """
    from quality.unrelated import false_match_rows

    texts = {
        language: articles(language, corpora, most=2 * PAIRS, seed=seed) for language in SCRIPTS
    }
    return [
        *recall_rows(texts, seed=seed, progress=progress),
        *false_match_rows(texts, corpora, seed=seed, progress=progress),
    ]


def main(corpora: Path) -> None:
    """Print the rows as they come, one a line."""

    def show(row: Row) -> None:
        goal = "" if row["goal"] is None else f" (goal {row['goal']:g})"
        print(f"{row['part']:38} {row['what']:58} {row['figure']:8.4f}{goal}  {row['detail']}")

    run(corpora, progress=show)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
