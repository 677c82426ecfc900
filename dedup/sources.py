"""Who wrote the text that a group of articles shares."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dedup.chronology import earlier, first_observed, leads
from dedup.facts import UNKNOWN, ArticleFacts, SourceVerdict
from dedup.model import Evidence
from dedup.slots import is_contribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dedup.agencies import Agencies

CONTRIBUTION_WEIGHT = 0.5
"""Weight of "AP contributed to this report" beside a credit for the whole text (1)."""
_ROLE_ORDER = {"credit": 0, "metadata": 1, "earliest-observed": 2, "inferred": 3}


def group_source(
    core: Sequence[ArticleFacts], attached: Sequence[ArticleFacts], agencies: Agencies
) -> SourceVerdict:
    """Name the source of the text shared by ``core``, with confidence and evidence.

    In this order:

    1. An agency or press-release wire that core members credit. Each crediting member votes
       with its ``share_copied`` (half of it for a contribution line); most votes win, ties go to
       the smaller id.
    2. Another outlet that core members credit, by the same vote.
    3. The one outlet from which all core members come.
    4. The only outlet that credits itself, unless another outlet is known to be earlier.
    5. The outlet surely observed first, with ``earliest-observed`` evidence.
    6. ``unknown``.

    Confidence for 1 and 2: ``votes / all votes * (1 - 0.2 * 0.5 ** (n - 1))`` with ``n`` the
    number of outlets that credit the winner, times 0.75 when all of them only credit a
    contribution. For 3: 0.9. For 4: 0.5. For 5: 0.5 when all core members are dated, else
    0.4. For 6: 0.

    ``attached`` articles do not vote; their credits of the winner are listed as evidence. Core
    members that do not credit a credited winner get evidence of role ``inferred`` (an empty
    span at the start of the text).
    """
    wires: list[tuple[ArticleFacts, Evidence]] = []
    elsewhere: list[tuple[ArticleFacts, Evidence]] = []
    own: list[tuple[ArticleFacts, Evidence]] = []
    for member in core:
        for claim in member.credits:
            if agencies.kind(claim.source) != "outlet":
                wires.append((member, claim))
            elif member.is_own(claim.source):
                own.append((member, claim))
            else:
                elsewhere.append((member, claim))
    claims = wires or elsewhere
    if claims:
        return _by_vote(claims, core, attached, agencies)
    keys = {member.outlet_key for member in core}
    named = next((m for m in core if m.outlet_id is not None), None)
    evidence = tuple(sorted((claim for _, claim in own), key=_order))
    if len(keys) == 1 and named is not None:
        return _outlet(named, agencies, 0.9, evidence)
    first = _first_outlet(core)
    full = [member for member, claim in own if not is_contribution(claim.text)]
    if len({member.outlet_key for member in full}) == 1:
        claimant = full[0]
        if first is None or first.outlet_key == claimant.outlet_key:
            return _outlet(claimant, agencies, 0.5, evidence)
    if first is not None and first.outlet_id is not None:
        raw = first.published_raw or ""
        seen = Evidence(
            "earliest-observed", first.outlet_id, first.ref, "metadata.published", 0, len(raw), raw
        )
        confidence = 0.5 if all(member.moment.dated for member in core) else 0.4
        return _outlet(first, agencies, confidence, (*evidence, seen))
    return SourceVerdict(UNKNOWN.id, UNKNOWN.name, UNKNOWN.kind, UNKNOWN.confidence, evidence)


def _by_vote(
    claims: Sequence[tuple[ArticleFacts, Evidence]],
    core: Sequence[ArticleFacts],
    attached: Sequence[ArticleFacts],
    agencies: Agencies,
) -> SourceVerdict:
    # A member votes once for a source, by its fullest claim.
    weights: dict[tuple[str, str], float] = {}
    members: dict[str, ArticleFacts] = {}
    for member, claim in claims:
        factor = CONTRIBUTION_WEIGHT if is_contribution(claim.text) else 1.0
        weight = factor * max(member.share_copied, 0.01)
        key = (claim.source, member.ref)
        weights[key] = max(weights.get(key, 0.0), weight)
        members[member.ref] = member
    votes: defaultdict[str, float] = defaultdict(float)
    voters: defaultdict[str, set[str]] = defaultdict(set)
    # Sorted, so that the sums do not depend on the order in which members are given.
    for (source, ref), weight in sorted(weights.items()):
        votes[source] += weight
        voters[source].add(ref)
    winner = min(votes, key=lambda source: (-round(votes[source], 9), source))
    outlets = {members[ref].outlet_key for ref in voters[winner]}
    confidence = votes[winner] / sum(votes.values()) * (1 - 0.2 * 0.5 ** (len(outlets) - 1))
    if all(is_contribution(claim.text) for _, claim in claims if claim.source == winner):
        confidence *= 0.75
    evidence = [claim for _, claim in claims]
    evidence += [claim for m in attached for claim in m.credits if claim.source == winner]
    evidence += [
        Evidence("inferred", winner, member.ref, "text", 0, 0, "")
        for member in core
        if member.ref not in voters[winner]
    ]
    return SourceVerdict(
        id=winner,
        name=_name(winner, core, agencies),
        kind=agencies.kind(winner),
        confidence=round(confidence, 6),
        evidence=tuple(sorted(evidence, key=_order)),
        note=_note(voters, winner, core, agencies),
    )


def _note(
    voters: dict[str, set[str]], winner: str, core: Sequence[ArticleFacts], agencies: Agencies
) -> str:
    if len(voters) == 1:
        return ""
    ranked = sorted(voters, key=lambda source: (source != winner, -len(voters[source]), source))
    counts = [f"{_name(s, core, agencies)} by {_articles(len(voters[s]))}" for s in ranked]
    return f"The articles credit different sources: {', '.join(counts)}."


def _articles(count: int) -> str:
    return "1 article" if count == 1 else f"{count} articles"


def _first_outlet(core: Sequence[ArticleFacts]) -> ArticleFacts | None:
    """A member of the outlet that surely published before every other dated outlet."""
    by_ref = {member.ref: member for member in core}
    first = first_observed({member.ref: member.moment for member in core})
    if first is not None:
        return by_ref[first]
    dated = [member for member in core if member.moment.dated]
    if len({member.outlet_key for member in dated}) < 2:
        return None
    for ref in leads((m.ref, m.outlet_key, m.moment) for m in dated):
        candidate = by_ref[ref]
        others = (m for m in dated if m.outlet_key != candidate.outlet_key)
        if all(earlier(candidate.moment, other.moment) == -1 for other in others):
            return candidate
    return None


def _outlet(
    member: ArticleFacts, agencies: Agencies, confidence: float, evidence: Iterable[Evidence]
) -> SourceVerdict:
    source = member.outlet_id or UNKNOWN.id
    name = _name(source, (member,), agencies)
    return SourceVerdict(source, name, "outlet", confidence, tuple(sorted(evidence, key=_order)))


def _name(source: str, members: Sequence[ArticleFacts], agencies: Agencies) -> str:
    if agencies.get(source) is not None:
        return agencies.name(source)
    names = sorted(m.outlet_name for m in members if m.outlet_id == source and m.outlet_name)
    return names[0] if names else source


def _order(evidence: Evidence) -> tuple[int, str, str, str, int]:
    rank = _ROLE_ORDER.get(evidence.role, 9)
    return rank, evidence.article, evidence.source, evidence.field, evidence.start
