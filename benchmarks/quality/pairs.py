"""Labelled article pairs of a real dump: is narrative copied, is anything shared, and what.

One scan of the dump with the default settings. A pair's scores are ``p_copied`` and
``p_shared`` of its line in ``relations`` (with furniture pairs listed); a pair without a line
scores 1 where both articles are in the core of one group, else 0. Its relation is that of the
line; without one ``copy`` in a common core, else ``none``.

The pairs were drawn by strata, mostly from those in which much is common. Unweighted figures
count each labelled pair once; weighted ones count it as many pairs as it stands for
(``stratum_size`` / pairs labelled in the stratum). Pairs share articles and stories, so the
bootstrap draws *stories*: connected components of the articles, joined by the labelled pairs
and by the same-story proxy (published within a week of each other, and a cosine of TF-IDF
vectors of title and lead of .2 or more).
"""

from __future__ import annotations

import datetime
import itertools
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import confusion_matrix, f1_score

from quality import dumps
from quality.measures import average_precision, brier, calibration_error, components, resampled
from quality.part import Options, Outcome, Row, corpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS = "allsides-pairs.jsonl"
RELATIONS = ("none", "boilerplate", "quote", "partial", "copy")
LEAD = 500
STORY_DAYS = 7
STORY_COSINE = 0.2
TASKS = {
    "copied": ("narrative copied (partial or copy)", 0.95),
    "shared": ("anything shared (quote or more)", 0.95),
}
"""Task to its words and its goal for average precision."""


@dataclass(frozen=True)
class Labelled:
    """The labelled pairs, in columns; ``articles`` are the records of theirs."""

    pairs: list[tuple[str, str]]
    relation: np.ndarray
    sure: np.ndarray
    weight: np.ndarray
    story: np.ndarray
    articles: dict[str, dict[str, Any]]

    def positive(self, task: str) -> np.ndarray:
        """Which pairs are true for a task."""
        least = RELATIONS.index("partial" if task == "copied" else "quote")
        return np.array([RELATIONS.index(r) >= least for r in self.relation])

    def clusters(self, kept: np.ndarray | None = None) -> list[np.ndarray]:
        """Row numbers of the kept pairs of each story."""
        rows = np.arange(len(self.pairs)) if kept is None else np.flatnonzero(kept)
        return [rows[self.story[rows] == s] for s in np.unique(self.story[rows])]


@cache
def load(corpora: Path) -> Labelled:
    """The labelled pairs with their stories and weights, read once."""
    with corpus(corpora, LABELS).open(encoding="utf-8") as handle:
        labels = [json.loads(line) for line in handle]
    wanted = {label[side] for label in labels for side in "ab"}
    articles = {}
    for line in dumps.allsides(corpora):
        record = orjson.loads(line)
        if record["id"] in wanted:
            articles[record["id"]] = record
    drawn: dict[str, int] = {}
    for label in labels:
        drawn[label["stratum"]] = drawn.get(label["stratum"], 0) + 1
    pairs = [(label["a"], label["b"]) for label in labels]
    root = components([*pairs, *same_story(articles)])
    names = {r: k for k, r in enumerate(dict.fromkeys(root.values()))}
    return Labelled(
        pairs,
        np.array([label["relation"] for label in labels]),
        np.array([label["sure"] for label in labels]),
        np.array([label["stratum_size"] / drawn[label["stratum"]] for label in labels]),
        np.array([names[root[a]] for a, _ in pairs]),
        articles,
    )


def same_story(articles: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of articles that probably tell one story."""
    dated = {k: _day(r["published"]) for k, r in articles.items() if _day(r["published"])}
    names = list(dated)
    if len(names) < 2:
        return []
    heads = [f"{articles[n]['title'] or ''} {articles[n]['text'][:LEAD]}" for n in names]
    vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform(heads)
    near = (vectors @ vectors.T).toarray() >= STORY_COSINE
    return [
        (names[i], names[j])
        for i, j in itertools.combinations(range(len(names)), 2)
        if near[i, j] and abs(dated[names[i]] - dated[names[j]]) <= STORY_DAYS
    ]


def _day(published: str | None) -> int:
    """Day of a time as stated, 0 where it cannot be read."""
    try:
        return datetime.date.fromisoformat((published or "")[:10]).toordinal()
    except ValueError:
        return 0


def precision_rows(
    tool: str, labelled: Labelled, task: str, scores: np.ndarray, options: Options
) -> list[Row]:
    """Average precision of scores of the labelled pairs, unweighted and weighted."""
    positive = labelled.positive(task)
    words, goal = TASKS[task]
    rows = []
    for weighting, weights in (("", np.ones(len(positive))), (", weighted", labelled.weight)):

        def figure(picked: np.ndarray, weights: np.ndarray = weights) -> float:
            return average_precision(positive[picked], scores[picked], weights[picked])

        rows.append(
            Row(
                f"allsides pairs, {words}: AP{weighting}",
                figure(np.arange(len(positive))),
                tool,
                resampled(figure, labelled.clusters(), options.resamples, options.seed),
                goal=goal if tool == "dedup" and not weighting else None,
                note=f"{int(positive.sum())} of {len(positive)} pairs",
            )
        )
    return rows


def judged(labelled: Labelled, scan: dumps.Scan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``p_copied``, ``p_shared`` and relation that a scan gives to the labelled pairs."""
    copied, shared, relation = [], [], []
    for a, b in labelled.pairs:
        line = scan.relations.get(dumps.ordered(a, b))
        together = scan.core.get(a, a) == scan.core.get(b, b)
        if line is not None:
            copied.append(line["p_copied"])
            shared.append(line["p_shared"])
            relation.append(line["relation"])
        else:
            copied.append(float(together))
            shared.append(float(together))
            relation.append("copy" if together else "none")
    return np.array(copied), np.array(shared), np.array(relation)


def relation_rows(
    labelled: Labelled, relation: np.ndarray, options: Options
) -> tuple[list[Row], dict[str, Any]]:
    """Accuracy and macro-F1 of the five relations on the pairs of which readers were sure."""
    sure = labelled.sure
    count = int(sure.sum())
    true = labelled.relation
    ones = np.ones(len(sure))

    def accuracy(picked: np.ndarray, weights: np.ndarray) -> float:
        return float(np.average(true[picked] == relation[picked], weights=weights[picked]))

    def macro(picked: np.ndarray, weights: np.ndarray) -> float:
        # A draw may lack a relation; it then averages over those that it holds.
        present = [r for r in RELATIONS if r in true[picked]]
        return float(
            f1_score(
                true[picked],
                relation[picked],
                labels=present,
                average="macro",
                sample_weight=weights[picked],
                zero_division=0.0,
            )
        )

    measures: list[tuple[str, Callable[[np.ndarray, np.ndarray], float], float]] = [
        ("accuracy", accuracy, 0.88),
        ("macro-F1", macro, 0.75),
    ]
    rows = []
    for name, measure, goal in measures:
        for weighting, weights in (("", ones), (", weighted", labelled.weight)):

            def figure(
                picked: np.ndarray,
                measure: Callable[[np.ndarray, np.ndarray], float] = measure,
                weights: np.ndarray = weights,
            ) -> float:
                return measure(picked, weights)

            rows.append(
                Row(
                    f"allsides pairs, five relations: {name}{weighting}",
                    figure(np.flatnonzero(sure)),
                    interval=resampled(
                        figure, labelled.clusters(sure), options.resamples, options.seed
                    ),
                    goal=None if weighting else goal,
                    note=f"{count} sure pairs",
                )
            )
    matrix = confusion_matrix(true[sure], relation[sure], labels=list(RELATIONS))
    return rows, {
        "relations": list(RELATIONS),
        "confusion (rows: labelled, columns: found)": matrix.tolist(),
    }


def run(corpora: Path, options: Options) -> Outcome:
    """Score a scan of the dump against the labels."""
    labelled = load(corpora)
    scan = dumps.scan_allsides(corpora)
    copied, shared, relation = judged(labelled, scan)
    rows: list[Row] = []
    calibration: list[Row] = []
    for task, scores in (("copied", copied), ("shared", shared)):
        rows += precision_rows("dedup", labelled, task, scores, options)
        positive = labelled.positive(task)
        words = TASKS[task][0]
        for weighting, weights in (("", np.ones(len(scores))), (", weighted", labelled.weight)):
            for name, measure in (("Brier", brier), ("calibration error", calibration_error)):

                def figure(
                    picked: np.ndarray,
                    measure: Callable[..., float] = measure,
                    positive: np.ndarray = positive,
                    scores: np.ndarray = scores,
                    weights: np.ndarray = weights,
                ) -> float:
                    return measure(positive[picked], scores[picked], weights[picked])

                calibration.append(
                    Row(
                        f"allsides pairs, {words}: {name}{weighting}",
                        figure(np.arange(len(scores))),
                        interval=resampled(
                            figure, labelled.clusters(), options.resamples, options.seed
                        ),
                        at_most=True,
                    )
                )
    relations, details = relation_rows(labelled, relation, options)
    details["stories"] = len(labelled.clusters())
    details["pairs"] = [
        {"a": a, "b": b, "labelled": str(t), "sure": bool(s), "found": str(f)}
        | {"p_copied": float(c), "p_shared": float(p)}
        for (a, b), t, s, f, c, p in zip(
            labelled.pairs, labelled.relation, labelled.sure, relation, copied, shared, strict=True
        )
    ]
    return Outcome(rows + relations + calibration, details)
