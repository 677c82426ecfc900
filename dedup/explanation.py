"""What is told of two articles that are related, or are not: records, and the answer in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dedup.nearness import PassagePair  # noqa: TC001 - the types of the fields are asked for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dedup.nearness import Nearness


@dataclass(frozen=True, slots=True)
class Rule:
    """One question that a stage asked: what it found, what it asks for, and whether that is so.

    ``unit`` is that of ``value`` and ``threshold``, "" for numbers and shares.
    """

    stage: str
    asks: str
    value: float
    threshold: float
    unit: str
    passed: bool


@dataclass(frozen=True, slots=True)
class SharedSpan:
    """A pair of spans that the alignment found.

    ``kind`` and ``passage`` (the id of the shared passage that stands for it, with ``articles``
    that hold it) are ``None`` where ``dropped_by`` says why it does not count. Offsets are
    characters, ``similarity`` 0-1, ``bits`` of information.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    similarity: float
    bits: float
    kind: str | None
    narrative: float
    passage: str | None
    articles: int | None
    dropped_by: str | None


@dataclass(frozen=True, slots=True)
class Label:
    """The relation that the two texts have on their own, and the sums behind its probabilities.

    ``terms``: of each probability the addends of its logistic function, by name.
    """

    relation: str
    p_copied: float
    p_shared: float
    narrative_a: float
    narrative_b: float
    coverage_a: float
    coverage_b: float
    terms: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two articles are related or not.

    ``a``, ``b``: their rows of ``articles``; ``recorded``: what the run's tables say of the pair
    (``relation``, ``near_miss``, ``groups`` that hold both); ``nearest``: the passages most alike,
    whether or not they count; ``compared``: whether the two go on to be aligned by what they
    share; ``left_out``: passages of very long texts that were not looked at for ``nearest``.
    """

    a: dict[str, Any]
    b: dict[str, Any]
    same_text: bool
    verdict: str
    compared: bool
    rules: list[Rule]
    nearest: list[PassagePair]
    left_out: int
    spans: list[SharedSpan]
    label: Label | None
    recorded: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)


_MEANS = {
    "copy": "most of the shorter article's narrative stands in the other one",
    "partial": "some narrative of one stands in the other",
    "quote": "they share what somebody said, or too little narrative to call it copied",
    "boilerplate": "they share furniture of their sites only",
    "none": "what they share says too little, or nothing is shared",
}


def verdict_on(
    label: Label,
    compared: bool,
    near: Nearness,
    rules: Sequence[Rule],
    recorded: Mapping[str, Any],
) -> str:
    """The answer in a sentence or two: what the run says of the pair, and why."""
    relation = recorded.get("relation")
    stated = relation["relation"] if relation else None
    if stated is None and not compared:
        return _never_compared(label, near, rules)
    if stated is not None:
        says = f"The run lists them as '{stated}': {_MEANS[stated]}."
        if stated != label.relation:
            says += (
                f" On their own the two texts come out as '{label.relation}': the rest is what the "
                "run knew besides (its whole corpus, corrections, the semantic step)."
            )
        return says
    says = f"The two texts come out as '{label.relation}': {_MEANS[label.relation]}."
    if label.relation in ("none", "boilerplate"):
        return f"The run lists no relation of the two. {says}"
    missed = recorded.get("near_miss")
    if missed:
        return f"The run lists them as a near miss ({missed['missed_by']}). {says}"
    if recorded.get("groups"):
        return (
            f"{says} The run lists no line for the pair, since not every pair of a story with many "
            "copies is compared; both are in one of its groups."
        )
    return (
        f"{says} The run lists no relation: what it knew of its corpus, a correction, or a limit "
        "(see the caps) decided otherwise."
    )


def _never_compared(label: Label, near: Nearness, rules: Sequence[Rule]) -> str:
    says = "The run never compared the two: they were no candidates."
    stopped = next((r for r in rules if r.stage in ("sketch", "candidates") and not r.passed), None)
    if stopped is not None:
        says += (
            f" The filter that stopped them: {stopped.asks} ({stopped.value:g}, needed "
            f"{stopped.threshold:g} {stopped.unit}".rstrip()
            + ")."
        )
    if not near.pairs:
        says += " No passage of one has a content word in common with a passage of the other."
    return says + f" Compared all the same, they come out as '{label.relation}'."
