"""Peers on the labelled article pairs: how well do their scores rank them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality import pairs, peers
from quality.part import MissingError, Options, Outcome, Row

if TYPE_CHECKING:
    from pathlib import Path


def run(corpora: Path, options: Options) -> Outcome:
    """Average precision of each peer for both tasks."""
    labelled = pairs.load(corpora)
    texts = {name: record["text"] for name, record in labelled.articles.items()}
    scores = {name: scorer(texts, labelled.pairs) for name, scorer in peers.SCORERS.items()}
    left_out = {}
    try:
        scores |= peers.retsim(texts, labelled.pairs)
    except MissingError as reason:
        left_out["RETSim"] = str(reason)
    rows: list[Row] = []
    for task in pairs.TASKS:
        for name, values in scores.items():
            rows += pairs.precision_rows(name, labelled, task, values, options)
    return Outcome(rows, {"left_out": left_out})
