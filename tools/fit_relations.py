"""Fit the weights of ``dedup.relate`` on labelled article pairs.

    python tools/fit_relations.py DUMP PAIRS.jsonl

``PAIRS`` holds ``a``, ``b`` (ids in the dump) and ``relation`` (none, boilerplate, quote,
partial, copy). Prints, for ``COPIED`` (partial or more) and ``SHARED`` (quote or more), the
weights of a logistic regression and its cross-validated average precision and accuracy beside
those of the weights in use. Pairs that were not aligned count as 0. The weights in use are
rounded, and ``COPIED`` leans more on the share of the text than the fit does: the labelled news
articles are long, and two sentences are much of a short one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from dedup import agencies
from dedup.classify import node_outlets
from dedup.config import ReadSettings, Settings
from dedup.model import Ledger
from dedup.pipeline import analyse, read_corpus
from dedup.relate import COPIED, SHARED, evidence, features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump")
    parser.add_argument("pairs", type=Path)
    args = parser.parse_args()
    corpus = read_corpus([args.dump], ReadSettings(), Ledger())
    x = analyse(corpus, Settings(), agencies.load())
    outlet = node_outlets(x.collection.nodes, corpus.records)
    a, b = outlet[x.alignment.pair_a], outlet[x.alignment.pair_b]
    table = evidence(features(x.collection, x.alignment, x.matches), (a == b) & (a >= 0))
    row = {pair: i for i, pair in enumerate(zip(x.relations.a, x.relations.b, strict=True))}
    node = dict(zip(corpus.refs, corpus.node.tolist(), strict=True))
    labels = [json.loads(line) for line in args.pairs.open(encoding="utf-8")]
    found = [row.get(tuple(sorted((node[p["a"]], node[p["b"]])))) for p in labels]
    aligned = np.array([i is not None for i in found])
    inputs = table[[i for i in found if i is not None]]
    for name, weights, positive in (
        ("COPIED", COPIED, ("partial", "copy")),
        ("SHARED", SHARED, ("quote", "partial", "copy")),
    ):
        truth = np.array([p["relation"] in positive for p in labels])
        model = LogisticRegression(max_iter=1000)
        folds = StratifiedKFold(10, shuffle=True, random_state=0)
        held = cross_val_predict(model, inputs, truth[aligned], cv=folds, method="predict_proba")[
            :, 1
        ]
        model.fit(inputs, truth[aligned])
        fitted = [*model.intercept_.round(2), *model.coef_[0].round(2)]
        in_use = 1 / (1 + np.exp(-(weights[0] + inputs @ np.array(weights[1:]))))
        print(name, "fitted", [float(w) for w in fitted])
        for kind, p in (("cross-validated", held), ("in use", in_use)):
            score = np.zeros(len(labels))
            score[aligned] = p
            precision = average_precision_score(truth, score)
            print(f"  {kind}: AP {precision:.3f}, accuracy {np.mean((score > 0.5) == truth):.3f}")


if __name__ == "__main__":
    main()
