"""Fit the weights of ``dedup.relate`` on labelled article pairs, and measure those in use.

    python tools/fit_relations.py DUMP PAIRS.jsonl

``PAIRS`` holds ``a``, ``b`` (ids in the dump), ``relation`` (none, boilerplate, quote, partial,
copy) and ``sure``. Prints, for ``COPIED`` (partial or more) and ``SHARED`` (quote or more), average
precision with a bootstrap interval, Brier score and expected calibration error of the weights in
use, and of a logistic regression and of boosted trees that are fitted in ten folds. A story is
never on both sides of a fold: pairs that share an article are one story, and so are pairs whose
articles are related, directly or through a third, within two weeks. A pair without a relation
counts 1 if both articles are in the core of one group, else 0.

The weights in use are rounded, and ``COPIED`` leans more on the share of the text than the fit
does: the labelled news articles are long, and two sentences are much of a short one.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
)

from dedup import agencies
from dedup.classify import node_outlets
from dedup.config import ReadSettings, Settings
from dedup.model import Ledger
from dedup.pipeline import Analysis, analyse, read_corpus
from dedup.relate import COPIED, R_BOILERPLATE, R_QUOTE, SHARED, evidence, features
from dedup.tables import build_tables

NAMES = ("none", "boilerplate", "quote", "partial", "copy")
DAYS = 14
FOLDS = 10
REPEATS = 5
MODELS = {
    "logistic": lambda: LogisticRegression(max_iter=2000),
    "boosted": lambda: GradientBoostingClassifier(
        n_estimators=60, max_depth=2, learning_rate=0.08, subsample=0.8, random_state=0
    ),
}


def stories(x: Analysis, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Number of each pair's story (see the module); ``pairs`` of nodes."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for a, b in pairs:
        parent[root(a)] = root(b)
    labelled = {node for pair in pairs for node in pair}
    day = np.full(x.collection.nodes, -1)
    day[x.corpus.records.node] = x.corpus.records.day
    near = defaultdict(set)
    strong = x.relations.relation >= R_QUOTE
    for a, b in zip(x.relations.a[strong].tolist(), x.relations.b[strong].tolist(), strict=True):
        near[a] |= {a, b}
        near[b] |= {a, b}
    for around in near.values():
        first, *others = sorted(around & labelled) or [-1]
        for other in others:
            if min(day[first], day[other]) < 0 or abs(day[first] - day[other]) <= DAYS:
                parent[root(other)] = root(first)
    return np.unique([root(a) for a, _ in pairs], return_inverse=True)[1]


def cross_validated(model, inputs, truth, known, story):
    """Held-out probabilities of the ``known`` pairs, averaged over repeated folds by story."""
    out = np.zeros(len(truth))
    for repeat in range(REPEATS):
        order = np.random.default_rng(repeat).permutation(story.max() + 1)
        positive = np.isin(order, story[truth])
        fold_of = np.empty(len(order), int)
        for group in (order[positive], order[~positive]):
            fold_of[group] = np.arange(len(group)) % FOLDS
        fold = fold_of[story]
        for k in range(FOLDS):
            train, test = known & (fold != k), known & (fold == k)
            if test.any():
                fitted = model().fit(inputs[train], truth[train])
                out[test] += fitted.predict_proba(inputs[test])[:, 1] / REPEATS
    return out


def interval(measure, story, draws: int = 1000) -> str:
    """``measure`` of all pairs, and its 95 % interval when whole stories are drawn again."""
    members = [np.flatnonzero(story == s) for s in range(story.max() + 1)]
    random = np.random.default_rng(0)
    drawn = [
        measure(
            np.concatenate([members[s] for s in random.integers(0, len(members), len(members))])
        )
        for _ in range(draws)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{measure(np.arange(len(story))):.3f} [{low:.3f}, {high:.3f}]"


def calibration_error(truth, p, bins: int = 10) -> float:
    """Expected calibration error over equal bins."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(which, p, bins) - np.bincount(which, truth, bins)
    return float(np.abs(gaps).sum() / len(truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump")
    parser.add_argument("pairs", type=Path)
    args = parser.parse_args()
    corpus = read_corpus([args.dump], ReadSettings(), Ledger())
    settings, known_agencies = Settings(), agencies.load()
    x = analyse(corpus, settings, known_agencies)
    outlet = node_outlets(x.collection.nodes, corpus.records)
    a, b = outlet[x.alignment.pair_a], outlet[x.alignment.pair_b]
    table = evidence(features(x.collection, x.alignment, x.matches), (a == b) & (a >= 0))
    labels = [json.loads(line) for line in args.pairs.open(encoding="utf-8")]
    node = dict(zip(corpus.refs, corpus.node.tolist(), strict=True))
    pairs = [(min(u, v), max(u, v)) for u, v in ((node[p["a"]], node[p["b"]]) for p in labels)]
    story = stories(x, pairs)
    row = {pair: i for i, pair in enumerate(zip(x.relations.a, x.relations.b, strict=True))}
    index = np.array([row.get(pair, -1) for pair in pairs])
    known = (index >= 0) & (x.relations.relation[index] >= R_BOILERPLATE)
    core = {n: k for k, group in enumerate(x.groups) for n in group.core}
    together = np.array([u == v or core.get(u, -1) == core.get(v, -2) for u, v in pairs])
    target = np.array([NAMES.index(p["relation"]) for p in labels])
    inputs = table[index]
    print(f"{len(labels)} pairs of {story.max() + 1} stories, {known.sum()} with a relation")
    for name, weights, least, in_use in (
        ("COPIED", COPIED, 3, x.relations.p_copied),
        ("SHARED", SHARED, 2, x.relations.p_shared),
    ):
        truth = target >= least
        found = {"in use": in_use[index]}
        for model, make in MODELS.items():
            found[model] = cross_validated(make, inputs, truth, known, story)
        print(f"{name}: {truth.sum()} pairs; in use {weights}")
        fitted = LogisticRegression(max_iter=2000).fit(inputs[known], truth[known])
        weights = [*fitted.intercept_.round(2), *fitted.coef_[0].round(2)]
        print("  fitted to all", [float(w) for w in weights])
        for model, p in found.items():
            score = np.where(known, p, together)
            precision = interval(
                lambda i, t=truth, s=score: average_precision_score(t[i], s[i]), story
            )
            print(
                f"  {model:9s} AP {precision}, Brier {brier_score_loss(truth, score):.4f}, "
                f"ECE {calibration_error(truth, score):.4f}"
            )
    lines = build_tables(x, settings, known_agencies, all_relations=True)["relations"].to_pylist()
    said = {(r["a"], r["b"]): NAMES.index(r["relation"]) for r in lines}
    relation = np.array(
        [
            said.get((min(p["a"], p["b"]), max(p["a"], p["b"])), 4 * int(same))
            for p, same in zip(labels, together, strict=True)
        ]
    )
    sure = np.flatnonzero([p["sure"] for p in labels])
    print(f"five relations, {len(sure)} sure pairs; rows are labels:")
    print(confusion_matrix(target[sure], relation[sure], labels=range(5)))
    for name, measure in (
        ("accuracy", accuracy_score),
        ("macro-F1", lambda t, f: f1_score(t, f, average="macro", labels=range(5))),
    ):
        renumbered = np.unique(story[sure], return_inverse=True)[1]
        figure = interval(lambda i, m=measure: m(target[sure][i], relation[sure][i]), renumbered)
        print(f"  {name} {figure}")


if __name__ == "__main__":
    main()
