"""Who wrote the text that a group of articles shares."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from dedup.direction import cited_outlet, first_outlet
from dedup.facts import UNKNOWN, ArticleFacts, SourceVerdict
from dedup.model import Evidence
from dedup.slots import is_contribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dedup.agencies import Agencies

CONTRIBUTION_WEIGHT = 0.5
"""Weight of "AP contributed to this report" beside a credit for the whole text (1)."""
_ROLE_ORDER = {"credit": 0, "metadata": 1, "mention": 2, "earliest-observed": 3, "inferred": 4}


def group_source(
    core: Sequence[ArticleFacts],
    attached: Sequence[ArticleFacts],
    agencies: Agencies,
) -> SourceVerdict:
    """Name the source of the text shared by ``core``, with confidence and evidence.

    In this order:

    1. An agency or press-release wire that core members credit. Each crediting member votes
       with its ``share_copied`` (half of it for a contribution line); most votes win, ties go to
       the smaller id.
    2. Another outlet that core members credit, by the same vote.
    3. The one outlet (or family) from which all core members come.
    4. The only outlet that credits itself, unless another outlet is known to be earlier.
    5. The only outlet that members of others cite, unless another is known to be earlier.
    6. The outlet surely observed first, with ``earliest-observed`` evidence.
    7. ``unknown``.

    Confidence for 1 and 2: ``votes / all votes * (1 - 0.2 * 0.5 ** (n - 1))`` with ``n`` the
    number of outlets that credit the winner, times 0.75 when all of them only credit a
    contribution. For 3: 0.9. For 4: 0.5. For 5: 0.6. For 6: 0.5 when all core members are
    dated, else 0.4. For 7: 0.

    ``attached`` articles do not vote; their credits of the winner are listed as evidence. Core
    members that credit nobody give the evidence of what was inferred for them.
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
    return _by_direction(core, own, agencies)


def _by_direction(
    core: Sequence[ArticleFacts],
    own: Sequence[tuple[ArticleFacts, Evidence]],
    agencies: Agencies,
) -> SourceVerdict:
    """The outlet from which a text came that credits nobody but its own outlet."""
    keys = {member.outlet_key for member in core}
    named = next((m for m in core if m.outlet_id is not None), None)
    evidence = tuple(sorted((claim for _, claim in own), key=_order))
    if len(keys) == 1 and named is not None:
        return _house(core, named, agencies, evidence)
    first = first_outlet(core)
    full = [member for member, claim in own if not is_contribution(claim.text)]
    if len({member.outlet_key for member in full}) == 1 and _may_lead(full[0], first):
        return _outlet(full[0], agencies, 0.5, evidence)
    cited = cited_outlet(core)
    if cited is not None and _may_lead(cited, first):
        mentions = (
            mention
            for member in core
            for mention in member.mentions
            if cited.is_own(mention.source) and member.outlet_key != cited.outlet_key
        )
        return _outlet(cited, agencies, 0.6, (*evidence, *mentions))
    if first is not None and first.outlet_id is not None:
        raw = first.published_raw or ""
        seen = Evidence(
            "earliest-observed", first.outlet_id, first.ref, "metadata.published", 0, len(raw), raw
        )
        confidence = 0.5 if all(member.moment.dated for member in core) else 0.4
        return _outlet(first, agencies, confidence, (*evidence, seen))
    return SourceVerdict(UNKNOWN.id, UNKNOWN.name, UNKNOWN.kind, UNKNOWN.confidence, evidence)


def corrected_source(
    verdict: SourceVerdict,
    source: str,
    place: str,
    core: Sequence[ArticleFacts],
    agencies: Agencies,
) -> SourceVerdict:
    """``verdict`` with the source that the user names at ``place``; the evidence stays."""
    if source == UNKNOWN.id:
        return replace(UNKNOWN, evidence=verdict.evidence, corrected=place)
    name, kind = _name(source, core, agencies), agencies.kind(source)
    note = f"Without the correction ({place}) it would be {verdict.name}."
    return SourceVerdict(source, name, kind, 1.0, verdict.evidence, note, place)


def _may_lead(member: ArticleFacts, first: ArticleFacts | None) -> bool:
    """Whether no other outlet is known to be earlier."""
    return first is None or first.outlet_key == member.outlet_key


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
    evidence += [member.inferred.evidence for member in core if member.inferred is not None]
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


def _house(
    core: Sequence[ArticleFacts],
    named: ArticleFacts,
    agencies: Agencies,
    evidence: Iterable[Evidence],
) -> SourceVerdict:
    """The one outlet of all members, or the family of their outlets."""
    if named.owner_id is None or len({member.outlet_id for member in core}) == 1:
        return _outlet(named, agencies, 0.9, evidence)
    name = named.owner_name or named.owner_id
    return SourceVerdict(named.owner_id, name, "outlet", 0.9, tuple(sorted(evidence, key=_order)))


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
