"""Facts of made-up articles that all share text with each other, with what is inferred of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from dedup.facts import ArticleFacts, InferredSource
from dedup.inference import Link, infer, supports
from dedup.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.agencies import Agencies


def with_inferred(members: Sequence[ArticleFacts], agencies: Agencies) -> list[ArticleFacts]:
    """``members`` with the sources inferred for those that credit nobody else."""
    links = [
        Link(a, b, members[a].share_copied, members[b].share_copied)
        for a, b in combinations(range(len(members)), 2)
    ]
    claims: dict[str, dict[int, float]] = {}
    for n, member in enumerate(members):
        for claim in member.credits:
            if agencies.kind(claim.source) != "outlet" or not member.is_own(claim.source):
                claims.setdefault(claim.source, {})[n] = 1.0
    wires = [source for source in claims if agencies.kind(source) != "outlet"]
    found = supports(claims, links)
    result = []
    for n, member in enumerate(members):
        inferred = infer(found.get(n, {}), wires)
        if inferred is None or any(not member.is_own(c.source) for c in member.credits):
            result.append(member)
            continue
        source = InferredSource(
            inferred.source,
            inferred.confidence,
            inferred.support.share,
            members[inferred.support.origin].ref,
            members[inferred.support.giver].ref,
            Evidence("inferred", inferred.source, member.ref, "text", 0, 1, "x"),
            tuple(name for name, _ in inferred.rivals),
        )
        result.append(replace(member, inferred=source))
    return result
