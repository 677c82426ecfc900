"""PAN 2013, given pairs: ``dedup.compare`` on every listed pair, scored by plagdet.

Detections are all matches that it returns. Published figures are those of the winner of
PAN 2014 on this training corpus (Sanchez-Perez, Sidorov and Gelbukh 2014).

Everything is reported on two halves as well. Pairs that share a text, directly or through
others, form a component; a component belongs to ``tune`` or ``held back`` by the parity of a
hash of the smallest document name in it. So no text stands in both halves.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from quality import pan, plagdet
from quality.measures import components
from quality.part import Options, Outcome, Row, corpus
from quality.workers import mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from quality.plagdet import Span

ARCHIVE = "pan13-train.tar.zst"
PUBLISHED = {
    "none": 0.8938,
    "random": 0.8886,
    "translation": 0.8839,
    "summary": 0.5773,
    "all": 0.8774,
}
GOALS = {"none": 0.98, "random": 0.92, "translation": 0.90, "summary": 0.65, "all": 0.93}
HALVES = ("tune", "held back")


@cache
def load(corpora: Path) -> pan.Corpus:
    """The corpus, read once."""
    return pan.load(corpus(corpora, ARCHIVE))


def halves(pairs: Iterable[str]) -> dict[str, str]:
    """Pair to the half in which it is."""
    names = {pair: pan.names(pair) for pair in pairs}
    root = components(names.values())
    first: dict[object, str] = {}
    for name in sorted(map(str, root)):
        first.setdefault(root[name], name)
    digest = {r: hashlib.blake2b(n.encode(), digest_size=1).digest()[0] for r, n in first.items()}
    return {pair: HALVES[digest[root[a]] % 2] for pair, (a, _) in names.items()}


def compared(texts: tuple[str, str]) -> list[Span]:
    """The spans that ``dedup.compare`` finds in two texts."""
    import dedup

    return [(m.a_start, m.a_end, m.b_start, m.b_end) for m in dedup.compare(*texts)]


def align(
    corpus_: pan.Corpus, aligner: Callable[[tuple[str, str]], list[Span]], processes: int
) -> dict[str, list[Span]]:
    """Spans found in every listed pair."""
    pairs = list(corpus_.gold)
    texts = [(corpus_.texts[a], corpus_.texts[b]) for a, b in map(pan.names, pairs)]
    return dict(zip(pairs, mapped(aligner, texts, processes), strict=True))


@cache
def detections(corpora: Path, processes: int) -> dict[str, list[Span]]:
    """What ``dedup.compare`` finds in every listed pair, computed once."""
    return align(load(corpora), compared, processes)


def rows(
    tool: str,
    corpus_: pan.Corpus,
    found: Mapping[str, Sequence[Span]],
    options: Options,
) -> tuple[list[Row], dict[str, Any]]:
    """Plagdet of all pairs and of each class's own pairs, with intervals.

    Goals, published figures and halves are those of dedup; a peer gets none.
    """
    contributions = plagdet.table(corpus_.gold, found)
    half = halves(corpus_.gold)
    own = tool == "dedup"
    parts = ("all pairs", *HALVES) if own else ("all pairs",)
    listed = {"all": list(corpus_.gold), **{c: list(p) for c, p in corpus_.pairs.items()}}
    result: list[Row] = []
    details: dict[str, Any] = {}
    for name, pairs in listed.items():
        for part in parts:
            kept = [p for p in pairs if part in ("all pairs", half[p])]
            matrix = np.array([contributions[p] for p in kept])
            scored = plagdet.score(matrix.sum(axis=0))
            record: dict[str, Any] = {"pairs": len(kept)}
            if name == "unrelated":
                record["pairs_with_detections"] = int((matrix[:, 1] > 0).sum())
                record["detections"] = scored.detections
            else:
                low, high = plagdet.interval(matrix, options.resamples, options.seed)
                record |= dataclasses.asdict(scored) | {"interval": [low, high]}
                result.append(
                    Row(
                        f"PAN given pairs, {name}: plagdet"
                        + (f" ({part})" if part in HALVES else ""),
                        scored.plagdet,
                        tool,
                        (low, high),
                        goal=GOALS[name] if own else None,
                        published=PUBLISHED[name] if own and part == "all pairs" else None,
                        note=f"{scored.note}; {len(kept)} pairs",
                    )
                )
            details.setdefault(name, {})[part] = record
    false = details["unrelated"]["all pairs"]
    result.append(
        Row(
            "PAN given pairs, unrelated pairs with a detection: share",
            false["pairs_with_detections"] / false["pairs"],
            tool,
            at_most=True,
            note=f"{false['pairs_with_detections']} of {false['pairs']}",
        )
    )
    return result, details


def run(corpora: Path, options: Options) -> Outcome:
    """Score ``dedup.compare`` on the listed pairs."""
    found = detections(corpora, options.processes)
    return Outcome(*rows("dedup", load(corpora), found, options))
