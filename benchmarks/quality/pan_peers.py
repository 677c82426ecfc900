"""Peers on PAN 2013: which listed pairs share something, and one aligner's spans.

A pair is positive when spans are labelled in it. A peer scores the two documents; the score
of dedup is the share of the shorter text that its matches (``dedup.compare``) cover. RETSim
takes long on a processor: it gets a draw of 40 pairs of each class, and so do all others once
more. A sentence aligner gives spans, which are scored by plagdet.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from quality import pan, pan_pairs, peers
from quality.measures import average_precision, recall_at_precision, resampled
from quality.part import MissingError, Options, Outcome, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from quality.plagdet import Span

DRAWN = 40
"""Pairs of each class."""
PRECISION = 0.99


def covered(texts: tuple[str, str], spans: Sequence[Span]) -> float:
    """Share of the characters of the shorter text that spans cover."""
    side = 0 if len(texts[0]) <= len(texts[1]) else 2
    marked = np.zeros(max(1, len(texts[side // 2])), bool)
    for span in spans:
        marked[span[side] : span[side + 1]] = True
    return float(marked.mean())


def draw(corpus: pan.Corpus, seed: int) -> list[str]:
    """As many pairs of each class."""
    rng = random.Random(seed)
    return [
        p
        for pairs in corpus.pairs.values()
        for p in rng.sample(sorted(pairs), min(DRAWN, len(pairs)))
    ]


def ranking(
    what: str, tool: str, positive: np.ndarray, scores: np.ndarray, options: Options
) -> list[Row]:
    """Average precision, and the recall at a precision of .99."""

    def precision(picked: np.ndarray) -> float:
        return average_precision(positive[picked], scores[picked])

    def recall(picked: np.ndarray) -> float:
        return recall_at_precision(positive[picked], scores[picked], PRECISION)

    every = np.arange(len(positive))
    clusters = list(every[:, None])
    note = f"{int(positive.sum())} of {len(positive)} pairs"
    return [
        Row(
            f"{what}, shares something: {name}",
            figure(every),
            tool,
            resampled(figure, clusters, options.resamples, options.seed),
            note=note,
        )
        for name, figure in (("AP", precision), (f"recall at precision {PRECISION:g}", recall))
    ]


def run(corpora: Path, options: Options) -> Outcome:
    """Rank the listed pairs with every tool, and score the aligner."""
    corpus = pan_pairs.load(corpora)
    listed = list(corpus.gold)
    pairs = [pan.names(pair) for pair in listed]
    positive = np.array([bool(corpus.gold[pair]) for pair in listed])
    found = {
        "dedup": pan_pairs.detections(corpora, options.processes),
        "sentence cosine": pan_pairs.align(corpus, peers.sentence_cosine, options.processes),
    }
    scores = {
        tool: np.array(
            [
                covered((corpus.texts[a], corpus.texts[b]), spans[pair])
                for pair, (a, b) in zip(listed, pairs, strict=True)
            ]
        )
        for tool, spans in found.items()
    }
    scores |= {tool: scorer(corpus.texts, pairs) for tool, scorer in peers.SCORERS.items()}
    rows: list[Row] = []
    for tool, values in scores.items():
        rows += ranking("PAN given pairs", tool, positive, values, options)

    place = {pair: k for k, pair in enumerate(listed)}
    drawn = np.array([place[pair] for pair in draw(corpus, options.seed)])
    some = {tool: values[drawn] for tool, values in scores.items()}
    left_out = {}
    try:
        some |= peers.retsim(corpus.texts, [pairs[k] for k in drawn])
    except MissingError as reason:
        left_out["RETSim"] = str(reason)
    for tool, values in some.items():
        what = f"PAN given pairs, {len(drawn)} drawn"
        rows += ranking(what, tool, positive[drawn], values, options)

    plagdet_rows, details = pan_pairs.rows(
        "sentence cosine", corpus, found["sentence cosine"], options
    )
    return Outcome(rows + plagdet_rows, {"left_out": left_out, "sentence cosine": details})
