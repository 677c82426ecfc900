"""Is the source of an article that credits nobody inferred, and rightly?

    python benchmarks/inference.py [--dump ../shared/data/allsides.jsonl.zst] [--articles N]

Of the articles of a dump that credit somebody else for their text and have a verified copy that
credits somebody, too, the explicit credits are blanked, and the source that the program then
names is compared with those that were blanked. Two ways:

- one article at a time, everything else as it is (all credited articles count);
- one article of each group, all at once, cut out of the text and byline of the dump itself, which
  is then scanned anew (end to end, fewer articles).

The truth are the program's own readings of the credits, whose errors are measured elsewhere.
Writes ``benchmarks/results/inference.{json,md}``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import zstandard
from judge_groups import wilson

import dedup
from dedup import agencies as agency_data
from dedup.config import ReadSettings, Settings
from dedup.flags import flag_article
from dedup.model import Ledger
from dedup.pipeline import analyse, read_corpus
from dedup.relate import R_COPY, R_QUOTE
from dedup.slots import is_contribution
from dedup.tables.groups import build_group
from dedup.tables.origins import Origins
from dedup.tables.records import Records
from dedup.tables.relations import build_relations
from dedup.tables.scores import build_scores

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CORPORA = Path(os.environ.get("DEDUP_CORPORA") or ROOT.parent / "shared" / "data")
BINS = (0.0, 0.6, 0.7, 0.8, 0.9, 1.01)


def first_lines(source: Path, count: int | None) -> list[bytes]:
    with source.open("rb") as handle:
        data = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True).read()
    lines = [line for line in data.split(b"\n") if line.strip()]
    return lines[:count]


class Run:
    """An analysed dump, as the tables see it."""

    def __init__(self, path: Path) -> None:
        self.agencies = agency_data.load()
        settings = Settings()
        corpus = read_corpus([str(path)], ReadSettings(), Ledger())
        self.x = analyse(corpus, settings, self.agencies)
        self.records = Records(corpus, self.x.collection.nodes)
        scores = build_scores(self.x, R_QUOTE)
        self.related = build_relations(self.records, self.x, settings, scores, R_QUOTE)
        self.origins = Origins(self.x)

    def group(self, g: int, blanked: tuple[int, ...] = ()) -> tuple[Any, dict[int, Any]]:
        return build_group(
            self.records, self.x, self.related, self.agencies, self.origins, g, blanked
        )

    def foreign(self, facts: Any) -> list[Any]:
        """The credits of somebody else than the article's own outlet."""
        return [claim for claim in facts.credits if not facts.is_own(claim.source)]

    def credits_somebody(self, facts: Any) -> bool:
        """Whether an article says whose text it is: an agency's (its own site too), another's."""
        wires = (c for c in facts.credits if self.agencies.kind(c.source) != "outlet")
        return any(wires) or bool(self.foreign(facts))

    def cases(self) -> list[dict[str, Any]]:
        """Credited articles with a verified copy that credits somebody, by group and ref."""
        found = []
        for g in range(len(self.x.groups)):
            row, facts = self.group(g)
            copies: dict[int, set[int]] = defaultdict(set)
            for link in self.origins.links[g, R_COPY]:
                copies[link.a].add(link.b)
                copies[link.b].add(link.a)
            for i in row.core:
                node = self.records.node[i]
                claims = self.foreign(facts[i])
                near = {node, *copies[node]}
                others = [j for j in row.core if j != i and self.records.node[j] in near]
                if claims and any(self.credits_somebody(facts[j]) for j in others):
                    found.append({"group": g, "record": i, "claims": claims})
        return found


def one_at_a_time(run: Run, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answers = []
    for case in cases:
        i = case["record"]
        row, facts = run.group(case["group"], (i,))
        verdict = flag_article(facts[i], row.facts, run.agencies)
        inferred = facts[i].inferred
        source = verdict.source or (inferred.source if inferred else row.facts.source.id)
        confidence = inferred.confidence if inferred else row.facts.source.confidence
        answers.append(
            answer(run, case, source if source != "unknown" else None)
            | {"flag": verdict.flag, "confidence": confidence, "inferred": inferred is not None}
        )
    return answers


def answer(run: Run, case: dict[str, Any], source: str | None) -> dict[str, Any]:
    wanted = sorted({claim.source for claim in case["claims"]})
    return {
        "article": run.records.refs[case["record"]],
        "outlet": run.x.corpus.outlet_ids[case["record"]],
        "wanted": wanted,
        "contribution": all(is_contribution(claim.text) for claim in case["claims"]),
        "answer": source,
        "right": source in wanted,
    }


def cut_out(record: dict[str, Any], claims: list[Any]) -> dict[str, Any]:
    """The record without the words of its credits."""
    record = dict(record)
    for field in ("text", "byline", "title"):
        value = record.get(field)
        if not isinstance(value, str):
            continue
        spans = sorted({(c.start, c.end) for c in claims if c.field == field}, reverse=True)
        for start, end in spans:
            value = value[:start] + value[end:]
        record[field] = value
    return record


def all_at_once(run: Run, cases: list[dict[str, Any]], lines: list[bytes]) -> list[dict[str, Any]]:
    """One article of each group, its credits cut out of the dump."""
    chosen: dict[int, dict[str, Any]] = {}
    for case in cases:
        if all(c.field in ("text", "byline", "title") for c in case["claims"]):
            chosen.setdefault(case["group"], case)
    blanked = {run.records.ids[c["record"]]: c for c in chosen.values()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blanked.jsonl"
        with path.open("wb") as file:
            for line in lines:
                record = orjson.loads(line)
                case = blanked.get(record["id"])
                row = cut_out(record, case["claims"]) if case else record
                file.write(orjson.dumps(row) + b"\n")
        result = dedup.scan(path)
    columns = (result.articles[name].to_pylist() for name in ("id", "source", "credits"))
    found = {i: (source, claims) for i, source, claims in zip(*columns, strict=True)}
    answers = []
    for identity, case in sorted(blanked.items()):
        source, left = found[identity]
        wanted = {claim.source for claim in case["claims"]}
        # Credits that stand twice in an article are not all found in one reading.
        if not wanted & {e["source"] for e in left}:
            answers.append(answer(run, case, source))
    return answers


def summed(answers: list[dict[str, Any]]) -> dict[str, Any]:
    answered = [a for a in answers if a["answer"] is not None]
    right = [a for a in answered if a["right"]]
    sources = Counter(source for a in answers for source in a["wanted"])
    commonest = max(sources.values(), default=0)
    return {
        "articles": len(answers),
        "commonest_source": share(commonest, len(answers)),
        "answered": len(answered),
        "right": len(right),
        "answered_share": share(len(answered), len(answers)),
        "right_share": share(len(right), len(answered)),
        "wrong": [a for a in answered if not a["right"]],
        "unanswered": [a["article"] for a in answers if a["answer"] is None],
    }


def share(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n) if n else (0.0, 0.0)
    value = hits / n if n else None
    return {"value": value, "interval_95": [round(low, 3), round(high, 3)]}


def calibration(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for low, high in pairwise(BINS):
        inside = [a for a in answers if a["inferred"] and low <= a["confidence"] < high]
        if inside:
            rows.append(
                {
                    "from": low,
                    "to": min(1.0, high),
                    "articles": len(inside),
                    "mean_confidence": round(sum(a["confidence"] for a in inside) / len(inside), 3),
                    "right": round(sum(a["right"] for a in inside) / len(inside), 3),
                }
            )
    return rows


def row(name: str, figures: dict[str, Any]) -> str:
    cells = [name, str(figures["articles"])]
    for key in ("answered_share", "right_share", "commonest_source"):
        value, (low, high) = figures[key]["value"], figures[key]["interval_95"]
        cells.append("–" if value is None else f"{value:.3f} ({low:.2f}–{high:.2f})")
    return "| " + " | ".join(cells) + " |"


def markdown(report: dict[str, Any]) -> str:
    lines = [
        "# Inference of sources",
        "",
        "Written by `benchmarks/inference.py`. Credits of articles that have a verified copy with",
        "a credit are blanked; which source is then named? 95 % intervals (Wilson).",
        "",
        f"Dump: {report['dump']}, {report['articles']:,} articles, {report['groups']} groups.",
        "",
        "| blanked | articles | answered | right, of those answered | if always the commonest |",
        "|---|---|---|---|---|",
        row("one article at a time", report["one_at_a_time"]),
        row("— of these, credits of the whole text", report["full_credits"]),
        row("— of these, contributions only", report["contributions"]),
    ]
    if "all_at_once" in report:
        lines.append(row("one of each group, in the dump itself", report["all_at_once"]))
    lines += [
        "",
        "Confidence of the inference against how often it is right (one at a time):",
        "",
        "| confidence | articles | mean | right |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {c['from']:.1f}–{c['to']:.1f} | {c['articles']} | {c['mean_confidence']:.2f} "
        f"| {c['right']:.2f} |"
        for c in report["calibration"]
    ]
    wrong = report["one_at_a_time"]["wrong"]
    lines += ["", f"Wrong ({len(wrong)}):" if wrong else "None is wrong.", ""]
    lines += [
        f"- `{w['article']}` ({w['outlet']}): {w['answer']} for {', '.join(w['wanted'])}"
        f"{', contribution' if w['contribution'] else ''}"
        for w in wrong
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump", type=Path, default=CORPORA / "allsides.jsonl.zst")
    parser.add_argument("--articles", type=int, help="the first so many only")
    parser.add_argument("--no-rescan", action="store_true", help="one at a time only")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    lines = first_lines(args.dump, args.articles)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        run = Run(path)
    cases = run.cases()
    single = one_at_a_time(run, cases)
    report = {
        "dump": args.dump.name,
        "articles": len(run.records),
        "groups": len(run.x.groups),
        "dedup": dedup.__version__,
        "one_at_a_time": summed(single),
        "full_credits": summed([a for a in single if not a["contribution"]]),
        "contributions": summed([a for a in single if a["contribution"]]),
        "calibration": calibration(single),
    }
    if not args.no_rescan:
        report["all_at_once"] = summed(all_at_once(run, cases, lines))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "inference.json").write_text(
        json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (args.out / "inference.md").write_text(markdown(report), encoding="utf-8")
    print(markdown(report))


if __name__ == "__main__":
    main()
