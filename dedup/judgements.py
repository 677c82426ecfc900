"""What the user's corrections mean for the articles of one run, and what became of each.

Pairs are judged as texts: what is said of two articles holds for all with the same two texts.
A pair that is said to be the same is aligned whether or not it was a candidate, and related by
``copy``; a pair that is said to be not related has no relation, and grouping keeps the two apart.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.collection import as_texts, collect
from dedup.outlets import outlet_identity
from dedup.relate import NONE, R_COPY, Relations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.candidates import Candidates
    from dedup.collection import Collection
    from dedup.corpus import Corpus
    from dedup.corrections import Corrections, PairCorrection, SourceCorrection

_EMPTY = np.empty(0, np.int64)


@dataclass(slots=True)
class Outcome:
    """One entry of the file and what came of it; ``effect`` says it in words."""

    kind: str
    place: str
    says: str
    note: str
    applied: bool = False
    effect: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``run.json``."""
        return dataclasses.asdict(self)

    def done(self, effect: str) -> None:
        """Note that the entry was honoured."""
        self.applied, self.effect = True, effect


@dataclass(frozen=True, slots=True)
class Judgements:
    """Corrections by number: nodes, records and keys of passages.

    ``same`` and ``apart`` int64 (pairs, 2): nodes, the smaller first, sorted. ``sources`` by
    record; ``spared`` uint64: keys of passages that are no furniture. ``outcomes`` in the order
    of the file; the stages that honour an entry fill in what came of it.
    """

    same: NDArray[np.int64]
    apart: NDArray[np.int64]
    sources: dict[int, tuple[SourceCorrection, Outcome]]
    spared: NDArray[np.uint64]
    outcomes: list[Outcome] = field(default_factory=list)

    def spared_passages(self, c: Collection) -> NDArray[np.bool_]:
        """Passages (bool) that are no furniture by the user's word."""
        if not len(self.spared):
            return np.zeros(len(c.p_key), bool)
        return np.isin(c.p_key, self.spared)


def resolve(corrections: Corrections, corpus: Corpus) -> Judgements:
    """Find the articles and passages that the entries speak of; unknown ones are no error,
    since a file of corrections outlives the dump for which it was written."""
    number = {ref: i for i, ref in enumerate(corpus.refs)}
    outcomes: list[Outcome] = []
    pairs: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    judged: dict[tuple[int, int], PairCorrection] = {}
    for pair in corrections.pairs:
        outcome = _outcome_of(pair)
        outcomes.append(outcome)
        if _missing(outcome, number, pair.a, pair.b):
            continue
        u, v = sorted((int(corpus.node[number[pair.a]]), int(corpus.node[number[pair.b]])))
        known = judged.setdefault((u, v), pair)
        if known.same is not pair.same:
            outcome.effect = f"the same two texts are judged otherwise before ({known.place})"
        elif u != v:
            pairs[pair.same].append((u, v))
            outcome.done("related by copy" if pair.same else "not related, and kept apart")
        elif pair.same:
            outcome.done("their texts are equal anyway")
        else:
            outcome.effect = "their texts are equal: nothing tells them apart"
    sources: dict[int, tuple[SourceCorrection, Outcome]] = {}
    for entry in corrections.sources:
        says = f"the source of the group of {entry.article} is {entry.source}"
        outcome = Outcome("source", entry.place, says, entry.note)
        outcomes.append(outcome)
        if not _missing(outcome, number, entry.article):
            outcome.effect = f"{entry.article} is in the core of no group"
            sources[number[entry.article]] = (entry, outcome)
    outcomes += _family_outcomes(corrections, corpus)
    spared, found = _spared(corrections)
    outcomes += found
    return Judgements(_pairs(pairs[True]), _pairs(pairs[False]), sources, spared, outcomes)


def _outcome_of(pair: PairCorrection) -> Outcome:
    says = f"{pair.a} and {pair.b} are {'the same' if pair.same else 'not the same'}"
    return Outcome("pair", pair.place, says, pair.note)


def _missing(outcome: Outcome, number: dict[str, int], *names: str) -> bool:
    """Whether an article of an entry is not among those of the run; notes which."""
    missing = [name for name in names if name not in number]
    if missing:
        outcome.effect = f"there is no article {' nor '.join(missing)} in this run"
    return bool(missing)


def _family_outcomes(corrections: Corrections, corpus: Corpus) -> list[Outcome]:
    present = set(corpus.outlet_ids)
    outcomes: list[Outcome] = []
    for family in corrections.families.entries:
        if family.id in corrections.corrected_families:
            says = f"{', '.join(family.outlets)} are one house, {family.name}"
            outcome = Outcome("family", family.place, says, family.note)
            missing = [outlet for outlet in family.outlets if outlet not in present]
            if len(missing) == len(family.outlets):
                outcome.effect = f"none of its outlets is in this run{_by_address(missing, corpus)}"
            elif missing:
                outcome.done(f"not in this run: {', '.join(missing)}{_by_address(missing, corpus)}")
            else:
                outcome.done(f"all of its {len(family.outlets)} outlets are in this run")
            outcomes.append(outcome)
    return outcomes


def _by_address(missing: list[str], corpus: Corpus) -> str:
    """Under which ids the articles of outlets are known that are named as records state them."""
    known: dict[str, str] = {}
    stated = corpus.column("outlet")
    for name, identity in dict.fromkeys(zip(stated, corpus.outlet_ids, strict=True)):
        named = outlet_identity(name, None)
        if named and identity and named[0] in missing and named[0] != identity:
            known.setdefault(named[0], identity)
    told = ", ".join(f"name {identity} for {outlet}" for outlet, identity in known.items())
    return f" (articles with an address are known by its domain: {told})" if told else ""


def _spared(
    corrections: Corrections,
) -> tuple[NDArray[np.uint64], list[Outcome]]:
    """Keys of the passages that the user's words consist of."""
    outcomes, keys = [], [np.empty(0, np.uint64)]
    for entry in corrections.prose:
        c = collect(as_texts([entry.text]))
        keys.append(c.p_key)
        shown = entry.text if len(entry.text) <= 80 else f"{entry.text[:79]}…"
        says = f"“{' '.join(shown.split())}” is never boilerplate"
        outcomes.append(Outcome("never_boilerplate", entry.place, says, entry.note))
    return np.unique(np.concatenate(keys)), outcomes


def note_spared(judgements: Judgements, corrections: Corrections, c: Collection) -> None:
    """Fill in how many passages of the run each entry of words spares."""
    outcomes = (o for o in judgements.outcomes if o.kind == "never_boilerplate")
    for entry, outcome in zip(corrections.prose, outcomes, strict=True):
        own = collect(as_texts([entry.text]))
        places = np.isin(c.p_key, own.p_key)
        articles = len(np.unique(c.p_article[places]))
        if articles:
            outcome.done(f"stands in {articles} text{'' if articles == 1 else 's'}")
        else:
            outcome.effect = "no article holds these words as a sentence of its own"


def _pairs(found: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(sorted(set(found)), np.int64).reshape(-1, 2)


def with_same(candidates: Candidates, same: NDArray[np.int64]) -> Candidates:
    """The candidates and the pairs ``same`` (int64, pairs x 2), sorted by node."""
    if not len(same):
        return candidates
    wide = np.int64(max(int(same.max()), int(candidates.b.max(initial=0))) + 1)
    known = candidates.a * wide + candidates.b
    new = same[~np.isin(same[:, 0] * wide + same[:, 1], known)]
    a, b = np.append(candidates.a, new[:, 0]), np.append(candidates.b, new[:, 1])
    weight = np.append(candidates.weight, np.zeros(len(new), candidates.weight.dtype))
    order = np.lexsort((b, a))
    return dataclasses.replace(candidates, a=a[order], b=b[order], weight=weight[order])


def judge(relations: Relations, judgements: Judgements) -> Relations:
    """The relations, those of judged pairs replaced by what the user says."""
    same, apart = _rows(relations, judgements.same), _rows(relations, judgements.apart)
    if not len(same) and not len(apart):
        return relations
    relation, p_copied = relations.relation.copy(), relations.p_copied.copy()
    p_shared = relations.p_shared.copy()
    relation[same], p_copied[same], p_shared[same] = R_COPY, 1.0, 1.0
    relation[apart], p_copied[apart], p_shared[apart] = NONE, 0.0, 0.0
    return dataclasses.replace(relations, relation=relation, p_copied=p_copied, p_shared=p_shared)


def _rows(relations: Relations, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the given pairs stand among the relations (int64); those that do not are left out."""
    if not len(pairs):
        return _EMPTY
    wide = np.int64(max(int(pairs.max()), int(relations.b.max(initial=0))) + 1)
    keys = relations.a * wide + relations.b
    wanted = pairs[:, 0] * wide + pairs[:, 1]
    return np.flatnonzero(np.isin(keys, wanted))
