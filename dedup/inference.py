"""Who wrote a text that credits nobody: a source goes along verified copies to those who share it.

In a group, a text that credits a source gives it to the texts that copy from it, and these to
theirs. Each step keeps the share of the *receiving* text that is narrative in common with the
giving one; quotes and furniture are no part of that share, so they hand on nothing. Of several
ways the best one counts, which is the most reliable path of a network whose links hold with
these probabilities (Dijkstra's algorithm on their logarithms).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CREDIT = 0.95
"""How far an explicit credit is believed."""
LEAST_SUPPORT = 0.05
"""Support below which a source is not handed on; bounds the work, and says too little."""


@dataclass(frozen=True, slots=True)
class Link:
    """A verified copy between texts ``a`` and ``b``: ``share_a`` of a's letters and digits are
    narrative that it shares with b, ``share_b`` of b's (0-1)."""

    a: int
    b: int
    share_a: float
    share_b: float


@dataclass(frozen=True, slots=True)
class Support:
    """How well a text is known to be a source's: ``share`` (0-1) along the best way from text
    ``origin``, which credits the source, by way of ``giver``, the last before this one."""

    share: float
    origin: int
    giver: int


@dataclass(frozen=True, slots=True)
class Inferred:
    """The source inferred for a text, the ``rivals`` that it was preferred to, best first.

    ``confidence`` is ``CREDIT * (0.5 + support / 2) * support / (support of all sources)``: it
    falls with the share and with every contradiction.
    """

    source: str
    confidence: float
    support: Support
    rivals: tuple[tuple[str, Support], ...] = ()


def supports(
    claims: Mapping[str, Mapping[int, float]], links: Iterable[Link]
) -> dict[int, dict[str, Support]]:
    """For every text that a source reaches, its supports by source.

    ``claims``: by source, the texts that credit it and the weight (0-1) of the credit. A text
    that credits a source is its own origin.
    """
    near: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for link in links:
        near[link.a].append((link.b, min(1.0, link.share_b)))
        near[link.b].append((link.a, min(1.0, link.share_a)))
    found: defaultdict[int, dict[str, Support]] = defaultdict(dict)
    for source in sorted(claims):
        for text, support in _spread(claims[source], near).items():
            found[text][source] = support
    return dict(found)


def _spread(
    credited: Mapping[int, float], near: Mapping[int, Sequence[tuple[int, float]]]
) -> dict[int, Support]:
    """The best support of every text that a source reaches; ties go to the smaller origin."""
    done: dict[int, Support] = {}
    queue = [(-weight, text, text, text) for text, weight in credited.items()]
    heapq.heapify(queue)
    while queue:
        negative, origin, giver, text = heapq.heappop(queue)
        if text in done:
            continue
        done[text] = Support(-negative, origin, giver)
        for other, share in near.get(text, ()):
            support = -negative * share
            if other not in done and support >= LEAST_SUPPORT:
                heapq.heappush(queue, (-support, origin, text, other))
    return done


def infer(found: Mapping[str, Support], preferred: Iterable[str]) -> Inferred | None:
    """The source of a text by its supports, or ``None`` where there is none.

    Sources in ``preferred`` (agencies and wires) go before others: an outlet that credits one
    for its text is no author itself. Then the greater support wins, ties go to the smaller id.
    """
    wires = set(preferred)
    chosen = {s: x for s, x in found.items() if s in wires} or dict(found)
    if not chosen:
        return None
    ranked = sorted(chosen.items(), key=lambda item: (-round(item[1].share, 9), item[0]))
    source, support = ranked[0]
    whole = sum(x.share for _, x in ranked)
    confidence = CREDIT * (0.5 + support.share / 2) * support.share / whole
    return Inferred(source, round(confidence, 6), support, tuple(ranked[1:]))
