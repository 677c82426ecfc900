"""Why two articles are related, or are not: the rules that decided, with their numbers.

The two texts go through the stages of a run once more, with its settings, and what each stage
asks is told with what it found. What only the corpus knows (which passages are furniture, how many
articles hold them) is taken from the run's tables. Nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from dedup.align import Alignment, align
from dedup.candidates import (
    QUOTED,
    Candidates,
    find_candidates,
    indexed_passages,
    least_information,
)
from dedup.classify import (
    COINCIDENCE,
    KEPT,
    LITTLE,
    UNLIKE,
    Judged,
    Matches,
    judge_runs,
    node_outlets,
)
from dedup.collection import collect
from dedup.corpus import build_corpus
from dedup.explanation import Explanation, Label, Rule, SharedSpan, verdict_on
from dedup.kinds import passage_statistics
from dedup.model import KINDS, RELATIONS, article_schema
from dedup.nearness import Nearness, nearest_pairs
from dedup.passages import share_passages
from dedup.relate import COPIED, SHARED, Relations, evidence, features, relate
from dedup.report.encode import parsed_date
from dedup.speech import Speech
from dedup.template import template_passages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.corpus import Corpus
    from dedup.kinds import KnownKinds

HALF = 0.5
"""Probability from which something counts as so."""
TERMS = (
    "intercept",
    "narrative in bits",
    "narrative as a share",
    "quotes in bits",
    "coverage",
    "same outlet",
)
"""Names of the columns of :func:`dedup.relate.evidence`, after the intercept."""


@dataclass(frozen=True, slots=True)
class _Stages:
    """What the stages found out about the two texts; ``turned``: node 0 is the second article."""

    corpus: Corpus
    c: Collection
    candidates: Candidates
    alignment: Alignment
    judged: Judged
    matches: Matches
    relations: Relations
    turned: bool


def passage_keys(texts: Sequence[str]) -> set[int]:
    """The keys of all passages of some texts, by which a run's shared passages are known."""
    return set(collect(pa.array(texts, pa.large_string())).p_key.tolist())


def explain(
    a: tuple[dict[str, Any], str],
    b: tuple[dict[str, Any], str],
    settings: Settings,
    *,
    kinds: KnownKinds,
    passages: Mapping[str, dict[str, Any]],
    recorded: Mapping[str, Any],
) -> Explanation:
    """Explain a pair of articles, each a row of ``articles`` with its text.

    ``kinds`` and ``passages`` (rows by id) are what the run knows of the shared passages in the
    two texts, ``recorded`` what it says of the pair.
    """
    told = dict(recorded)
    if a[0]["digest"] == b[0]["digest"]:
        verdict = "Both articles have exactly the same text: one text needs no comparison."
        return Explanation(a[0], b[0], True, verdict, True, [], [], 0, [], None, told)
    x = _run_stages(a, b, settings, kinds)
    near = nearest_pairs(x.c, settings, turned=x.turned)
    rules, compared = _candidate_rules(x, settings, near)
    spans = _spans(x, settings, passages)
    label = _label(x)
    rules += _label_rules(x, label, settings, spans)
    verdict = verdict_on(label, compared, near, rules, told)
    return Explanation(
        a[0], b[0], False, verdict, compared, rules, near.pairs, near.left_out, spans, label, told
    )


def _run_stages(
    a: tuple[dict[str, Any], str],
    b: tuple[dict[str, Any], str],
    settings: Settings,
    kinds: KnownKinds,
) -> _Stages:
    """The stages of :mod:`dedup.pipeline` on two texts, aligned whether they ask for it or not."""
    batch = pa.RecordBatch.from_pylist([_record(*a), _record(*b)], article_schema())
    corpus = build_corpus([batch])
    c = collect(cast("pa.LargeStringArray", corpus.texts))
    candidates = find_candidates(c, settings)
    alignment = align(c, np.array([0]), np.array([1]), settings)
    shared = share_passages(c, candidates, alignment, corpus.copies)
    outlets = node_outlets(c.nodes, corpus.records)
    speech = Speech.of(c.p_speech)
    template = template_passages(c, outlets, speech.said)
    statistics = passage_statistics(
        c, shared, alignment, corpus.records, template, speech.said, settings
    )
    statistics = kinds.applied(c, shared, statistics)
    judged = judge_runs(c, alignment, shared, statistics, template, outlets, speech, settings)
    matches = judged.matches()
    relations = relate(c, alignment, matches, corpus.records, settings)
    turned = corpus.digests[0] != a[0]["digest"]
    return _Stages(corpus, c, candidates, alignment, judged, matches, relations, turned)


def _record(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A row of ``articles`` as the reader gave it. Two revisions of one id are told apart by their
    refs."""
    record = {name: row.get(name) for name in article_schema().names}
    published = row["published"]
    if not isinstance(published, str | None):
        raise TypeError(f"expected times as texts, got {published!r}")
    return {
        **record,
        "id": row["ref"],
        "published": parsed_date(published),
        "issues": row["issues"] or [],
        "text": text,
    }


# --- candidates -----------------------------------------------------------------------------


def _candidate_rules(x: _Stages, settings: Settings, near: Nearness) -> tuple[list[Rule], bool]:
    """What decides whether two articles are compared at all, and whether these are."""
    indexed = x.c.p_article[indexed_passages(x.c, settings)]
    each = np.bincount(indexed, minlength=2)
    least = int(each.min())
    says = "passages that say enough to be looked for elsewhere, in the article with fewer"
    rules = [Rule("sketch", says, least, 1, "", least >= 1)]
    says = "bands of MinHash in which passages of the two meet"
    rules.append(Rule("candidates", says, near.bands, 1, "", near.bands >= 1))
    says = "pairs of passages that meet, and prove alike"
    rules.append(Rule("candidates", says, near.alike, 1, "", near.alike >= 1))
    # With no least for a pair, its weight is told in any case.
    bare = find_candidates(x.c, replace(settings, min_prose_information=0.0))
    weight = float(bare.weight[0]) / 8 if len(bare.weight) else 0.0
    wanted = _least_weight(x.c, settings)
    compared = len(x.candidates.a) > 0
    rules.append(
        Rule(
            "candidates",
            f"information of all alike passages (quotes count {QUOTED:g} times)",
            round(weight, 1),
            round(wanted, 1),
            "bits",
            compared,
        )
    )
    return rules, compared


def _least_weight(c: Collection, settings: Settings) -> float:
    """Bits that the alike passages of two articles must hold, as in ``find_candidates``."""
    information = np.bincount(c.p_article, c.p_information, c.nodes)
    return float(least_information(information.min(keepdims=True), settings)[0])


# --- spans ----------------------------------------------------------------------------------


def _spans(
    x: _Stages, settings: Settings, passages: Mapping[str, dict[str, Any]]
) -> list[SharedSpan]:
    """All spans of the alignment: those that count, and those that were left out, with why."""
    m = x.matches
    found = [
        _span(
            x,
            (m.a0[i], m.a1[i], m.b0[i], m.b1[i]),
            float(m.similarity[i]),
            float(m.bits[i]),
            kind=KINDS[m.kind[i]],
            narrative=float(m.plain[i]),
            passage=passages.get(_passage_id(x, int(i), passages) or ""),
            dropped_by=None,
        )
        for i in range(len(m.pair))
    ]
    runs = x.judged.runs
    for i in np.flatnonzero(x.judged.verdict != KEPT):
        if runs.a1[i] <= runs.a0[i] or runs.b1[i] <= runs.b0[i]:
            continue
        spans = (runs.a0[i], runs.a1[i], runs.b0[i], runs.b1[i])
        found.append(
            _span(
                x,
                spans,
                float(runs.similarity[i]),
                float(runs.bits[i]),
                kind=None,
                narrative=0.0,
                passage=None,
                dropped_by=_dropped_by(x.judged, int(i), settings),
            )
        )
    return sorted(found, key=lambda s: (s.a_start, s.b_start))


def _span(
    x: _Stages,
    tokens: tuple[Any, Any, Any, Any],
    similarity: float,
    bits: float,
    *,
    kind: str | None,
    narrative: float,
    passage: dict[str, Any] | None,
    dropped_by: str | None,
) -> SharedSpan:
    c = x.c
    a0, a1, b0, b1 = tokens
    one = (int(c.t_start[a0]), int(c.end_of(a1 - 1)))
    two = (int(c.t_start[b0]), int(c.end_of(b1 - 1)))
    if x.turned:
        one, two = two, one
    holders = None if passage is None else {o["article"] for o in passage["occurrences"]}
    return SharedSpan(
        *one,
        *two,
        round(similarity, 6),
        round(bits, 1),
        kind,
        round(narrative, 3),
        None if passage is None else passage["id"],
        None if holders is None else len(holders),
        dropped_by,
    )


def _passage_id(x: _Stages, match: int, passages: Mapping[str, Any]) -> str | None:
    """The run's shared passage that most of a match is, if it has one."""
    c, m = x.c, x.matches
    inside = _passages_within(c, int(m.a0[match]), int(m.a1[match]))
    inside += _passages_within(c, int(m.b0[match]), int(m.b1[match]))
    best = sorted(inside, key=lambda p: -float(c.p_information[p]))
    names = (f"p-{int(c.p_key[p]):016x}" for p in best)
    return next((name for name in names if name in passages), None)


def _passages_within(c: Collection, begin: int, end: int) -> list[int]:
    first = int(np.searchsorted(c.p_token, begin, side="right")) - 1
    last = int(np.searchsorted(c.p_token, end, side="left"))
    return list(range(first, last))


def _dropped_by(judged: Judged, i: int, settings: Settings) -> str:
    """Why run ``i`` is no match, in words."""
    runs, verdict = judged.runs, judged.verdict[i]
    if verdict == UNLIKE:
        return f"similarity below {settings.min_similarity:g} (min_similarity)"
    if verdict == LITTLE:
        return (
            f"{runs.bits[i]:.0f} bits of information, fewer than {settings.min_information:g} "
            "(min_information)"
        )
    if verdict == COINCIDENCE:
        what, name = (
            ("a quote that both mark", "min_information")
            if judged.quoted[i]
            else ("prose", "min_prose_information")
        )
        return (
            f"may be a coincidence of names and stock phrases: {what} needs "
            f"{judged.least[i]:g} bits in common, counted by its function words, "
            f"and {judged.words[i]:g} in all words of each side ({name})"
        )
    return "nothing in common is left between what is furniture"


# --- labels ---------------------------------------------------------------------------------


def _label(x: _Stages) -> Label:
    r = x.relations
    f = features(x.c, x.alignment, x.matches)
    outlet = node_outlets(x.c.nodes, x.corpus.records)
    same = np.array([outlet[0] == outlet[1] and outlet[0] >= 0])
    row = evidence(f, same)[0]
    terms = {
        name: {
            term: round(float(value), 3)
            for term, value in zip(TERMS, [weights[0], *(row * np.array(weights[1:]))], strict=True)
        }
        for name, weights in (("p_copied", COPIED), ("p_shared", SHARED))
    }
    one, two = ("b", "a") if x.turned else ("a", "b")
    number = int(r.relation[0])
    return Label(
        "none" if number == 0 else RELATIONS[number - 1],
        round(float(r.p_copied[0]), 6),
        round(float(r.p_shared[0]), 6),
        round(float(f[f"narrative_{one}"][0]), 6),
        round(float(f[f"narrative_{two}"][0]), 6),
        round(float(f[f"coverage_{one}"][0]), 6),
        round(float(f[f"coverage_{two}"][0]), 6),
        terms,
    )


def _label_rules(
    x: _Stages, label: Label, settings: Settings, spans: Sequence[SharedSpan]
) -> list[Rule]:
    """What decides between copy, partial, quote, boilerplate and none."""
    kept = sum(span.dropped_by is None for span in spans)
    furniture = sum(span.kind == "boilerplate" for span in spans)
    letters = x.c.d_letters
    shorter_is_first = bool(letters[0] <= letters[1])
    narrative = label.narrative_a if shorter_is_first != x.turned else label.narrative_b
    return [
        Rule("align", "spans that hold on both texts", kept, 1, "", kept >= 1),
        Rule(
            "classify",
            "spans that are more than furniture",
            kept - furniture,
            1,
            "",
            kept > furniture,
        ),
        Rule(
            "relate",
            "probability that anything but furniture is shared (quote or more)",
            label.p_shared,
            HALF,
            "",
            label.p_shared >= HALF,
        ),
        Rule(
            "relate",
            "probability that narrative was copied (partial or more)",
            label.p_copied,
            HALF,
            "",
            label.p_copied >= HALF,
        ),
        Rule(
            "relate",
            "copied narrative as a share of the shorter article (partial_share)",
            narrative,
            settings.partial_share,
            "",
            narrative >= settings.partial_share,
        ),
        Rule(
            "relate",
            "the same for a copy (copy_share)",
            narrative,
            settings.copy_share,
            "",
            narrative >= settings.copy_share,
        ),
    ]
