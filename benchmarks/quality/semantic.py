"""What the semantic step adds: each figure without and with a sentence encoder.

    PYTHONPATH=benchmarks python -m quality.semantic CORPORA MODEL

- PAN 2013: plagdet, precision and recall of a sample of pairs of each class, and the 95 % interval
  of the gain in recall (a paired bootstrap over pairs).
- korea-china: share of both translations of one story that lies in matches.
- allsides: average precision of the pair probabilities on labelled pairs, had they been taken from
  the widened matches (they are not, and this is why).
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

import dedup
from dedup import agencies
from dedup.align import align
from dedup.classify import judge_runs
from dedup.collection import as_texts, collect
from dedup.config import ReadSettings, Settings
from dedup.encoder import Encoder, load_encoder
from dedup.kinds import no_statistics
from dedup.model import Ledger
from dedup.pipeline import analyse, read_corpus
from dedup.relate import relate
from dedup.semantic import widen
from dedup.speech import Speech
from quality import pan, plagdet

SAMPLE = {"translation": 60, "random": 40, "summary": 30, "none": 20, "unrelated": 40}
SEED = 11
DRAWS = 1000
THREADS = 2


def run(corpora: Path, *, model: Path) -> list[dict[str, Any]]:
    """All figures, as rows ``corpus, what, without, with``."""
    encoder = load_encoder(model)
    return [
        *of_pan(corpora / "pan13-train.tar.zst", encoder),
        *of_translations(corpora / "korea-china", encoder),
        *of_allsides(corpora, encoder),
    ]


def of_pan(archive: Path, encoder: Encoder) -> list[dict[str, Any]]:
    corpus = pan.load(archive)
    rng = random.Random(SEED)
    sample = {k: rng.sample(sorted(corpus.pairs[k]), n) for k, n in SAMPLE.items()}
    names = sorted({n for pairs in sample.values() for p in pairs for n in p.split("|")})
    node = {name: i for i, name in enumerate(names)}
    # Suspicious texts sort behind source texts, so nodes ascend from source to suspicious.
    every = sorted(
        (node[source], node[suspicious], f"{suspicious}|{source}")
        for suspicious, source in {tuple(p.split("|")) for ps in sample.values() for p in ps}
    )
    settings = Settings()
    texts = as_texts([corpus.texts[n] for n in names])
    c = collect(texts, threads=THREADS)
    one, two = (np.array([p[i] for p in every]) for i in (0, 1))
    alignment = align(c, one, two, settings, summaries=True, threads=THREADS)
    shared, statistics = no_statistics(c)
    plain = np.zeros(len(c.p_start), bool)
    outlets = np.full(c.nodes, -1)
    matches = judge_runs(
        c, alignment, shared, statistics, plain, outlets, Speech.of(c.p_speech), settings
    ).matches()
    chosen = np.ones(len(every), bool)
    wide = widen(c, texts, alignment, matches, chosen, settings, encoder, threads=THREADS)
    before, after = (_spans(c, every, m) for m in (matches, wide.matches))
    rows = []
    for name, pairs in sample.items():
        gold = {p: corpus.pairs[name][p] for p in pairs}
        scores = [plagdet.measure(gold, {p: f.get(p, []) for p in pairs}) for f in (before, after)]
        for what in ("plagdet", "precision", "recall", "detections"):
            values = [round(getattr(s, what), 3) for s in scores]
            row = {"corpus": f"pan {name}", "what": what, "without": values[0], "with": values[1]}
            if what == "recall" and scores[0].cases:
                row["gain_95"] = _interval(gold, before, after)
            rows.append(row)
    counts = {"encoded": wide.encoded, "widened": wide.widened}
    return [*rows, {"corpus": "pan", "what": "passages encoded, matches widened", **counts}]


def _spans(c: Any, every: list[tuple[int, int, str]], matches: Any) -> dict[str, list]:
    """Matches by pair, the suspicious text first."""
    found: dict[str, list] = {}
    for k in range(len(matches.pair)):
        source = int(c.t_start[matches.a0[k]]), int(c.t_end[matches.a1[k] - 1])
        suspicious = int(c.t_start[matches.b0[k]]), int(c.t_end[matches.b1[k] - 1])
        found.setdefault(every[matches.pair[k]][2], []).append((*suspicious, *source))
    return found


def _interval(gold: dict, before: dict, after: dict) -> list[float]:
    tables = [
        np.stack(list(plagdet.table(gold, {p: f.get(p, []) for p in gold}).values()))
        for f in (before, after)
    ]
    rng = np.random.default_rng(SEED)
    gains = []
    for _ in range(DRAWS):
        drawn = rng.integers(len(gold), size=len(gold))
        recalls = [plagdet.score(t[drawn].sum(axis=0)).recall for t in tables]
        gains.append(recalls[1] - recalls[0])
    return [round(float(x), 3) for x in np.percentile(gains, [2.5, 97.5])]


def of_translations(folder: Path, encoder: Encoder) -> list[dict[str, Any]]:
    a, b = ((folder / f"{n}.txt").read_bytes().decode("utf-8") for n in ("000", "002"))
    shares = []
    for model in (None, encoder):
        inside = np.zeros(len(a), bool), np.zeros(len(b), bool)
        for m in dedup.compare(a, b, semantic=model):
            inside[0][m.a_start : m.a_end] = True
            inside[1][m.b_start : m.b_end] = True
        shares.append([round(float(x.mean()), 3) for x in inside])
    return [
        {
            "corpus": "korea-china",
            "what": "share in matches",
            "without": shares[0],
            "with": shares[1],
        }
    ]


def of_allsides(corpora: Path, encoder: Encoder) -> list[dict[str, Any]]:
    settings = Settings()
    corpus = read_corpus([str(corpora / "allsides.jsonl.zst")], ReadSettings(), Ledger())
    x = analyse(corpus, settings, agencies.load())
    with (corpora / "allsides-pairs.jsonl").open(encoding="utf-8") as handle:
        labels = [json.loads(line) for line in handle]
    node = dict(zip(corpus.refs, corpus.node.tolist(), strict=True))
    row = {pair: i for i, pair in enumerate(zip(x.relations.a, x.relations.b, strict=True))}
    at = [row.get(tuple(sorted((node[p["a"]], node[p["b"]])))) for p in labels]
    chosen = np.zeros(len(x.relations.a), bool)
    chosen[[i for i in at if i is not None]] = True
    wide = widen(
        *(x.collection, corpus.texts, x.alignment, x.matches, chosen, settings, encoder),
        threads=THREADS,
    )
    after = relate(x.collection, x.alignment, wide.matches, corpus.records, settings)
    rows = []
    for name, positive in (
        ("p_copied", ("partial", "copy")),
        ("p_shared", ("quote", "partial", "copy")),
    ):
        truth = [p["relation"] in positive for p in labels]
        values = [
            [0.0 if i is None else float(getattr(r, name)[i]) for i in at]
            for r in (x.relations, after)
        ]
        without, with_ = (round(float(average_precision_score(truth, v)), 4) for v in values)
        rows.append(
            {
                "corpus": "allsides, 250 labelled pairs",
                "what": f"average precision of {name}",
                "without": without,
                "with": with_,
            }
        )
    reworded = np.isin(x.relations.relation, (3, 4))
    rows.append(
        {
            "corpus": "allsides",
            "what": "labelled matches widened; pairs that a scan would look at",
            "widened": wide.widened,
            "pairs": int(reworded.sum()),
        }
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("model", type=Path)
    args = parser.parse_args()
    for row in run(args.corpora, model=args.model):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
