"""What an article is: somebody else's text, its own, or not to be told (the flags of a run)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dedup.chronology import earlier
from dedup.facts import UNKNOWN, ArticleFacts, GroupFacts, InferredSource
from dedup.slots import is_contribution

if TYPE_CHECKING:
    from dedup.agencies import Agencies
    from dedup.model import Evidence, Flag

Basis = Literal["credit", "copy", "inferred"]

COPIED = 0.5
"""Share of an article that must be somebody else's for ``syndicated``."""


@dataclass(frozen=True, slots=True)
class FlagVerdict:
    """An article's flag and why.

    ``basis`` is set for ``syndicated`` (``credit``, ``copy``, ``inferred``) and for a ``partial``
    that another outlet had first (``copy``); ``source`` is the id of who wrote the text, where
    that is somebody else; ``confidence`` is 0-1; ``why`` one sentence with the facts.
    """

    flag: Flag
    basis: Basis | None
    confidence: float
    source: str | None
    why: str


def flag_article(facts: ArticleFacts, group: GroupFacts | None, agencies: Agencies) -> FlagVerdict:
    """Flag one article; the first of these that holds.

    1. It credits another source for its text: ``syndicated``/``credit``, group or not. A
       contribution line alone ("AP contributed to this report") counts only in a group whose
       source it names, with half or more of the text shared.
    2. It repeats an article of its own outlet and is the later one, or, where the order is
       unknown, not the one with the smaller ref: ``duplicate``.
    3. It is in no group: ``unique``.
    4. It was observed before all others: ``earliest`` (but 6. where the user says whose it is).
    5. It is attached, or less than half of it is shared: ``partial``.
    6. Somebody else is the source, inferred from those that credit it: ``syndicated``/
       ``inferred``, dated or not.
    7. Another outlet had the text earlier: ``syndicated``/``copy``.
    8. Otherwise the order is unknown: ``shared``.

    Confidence: 1. 0.95, by contribution 0.7; 2. 0.9, 0.6 with unknown order; 3. 0.9, 0.7 beside
    a contribution line; 4. 0.7, 0.9 on the source's own site; 5. ``0.5 + share_copied``, at most
    0.9; 6. that of the inference (:class:`dedup.inference.Inferred`); 7. ``0.4 + share_copied /
    2``; 8. 0.5.

    Where the user has said who wrote the text of the group, its core articles' other credits and
    what was inferred for them do not count.
    """
    if group is not None and group.source.corrected and facts.core:
        named = tuple(c for c in facts.credits if c.source == group.source.id)
        facts = replace(facts, credits=named, inferred=None)
    foreign = [claim for claim in facts.credits if not facts.is_own(claim.source)]
    full = [claim for claim in foreign if not is_contribution(claim.text)]
    share = f"{facts.share_copied:.0%}"
    if full:
        claim = _best(full, group, agencies)
        return FlagVerdict(
            "syndicated",
            "credit",
            0.95,
            claim.source,
            f"It credits {agencies.name(claim.source)} for its text "
            f"({_place(claim)}: {_quote(claim.text)}){_shares(facts, group)}."
            f"{_disagreement(group)}",
        )
    helped = [c for c in foreign if group is not None and c.source == group.source.id]
    if helped and facts.core and facts.share_copied >= COPIED:
        claim = helped[0]
        return FlagVerdict(
            "syndicated",
            "credit",
            0.7,
            claim.source,
            f"It credits a contribution of {agencies.name(claim.source)} "
            f"({_quote(claim.text)}) and shares {share} of its text with other articles of "
            "that source.",
        )
    duplicate = _duplicate(facts, group)
    if duplicate is not None:
        return duplicate
    if group is None:
        if foreign:
            names = _names({claim.source for claim in foreign}, agencies)
            why = f"{_alone(facts)} {names} only contributed ({_quote(foreign[0].text)})."
            return FlagVerdict("unique", None, 0.7, None, why)
        return FlagVerdict("unique", None, 0.9, None, _alone(facts))
    return _in_group(facts, group, agencies)


def _in_group(facts: ArticleFacts, group: GroupFacts, agencies: Agencies) -> FlagVerdict:
    source = group.source
    share = f"{facts.share_copied:.0%}"
    others = len(group.members) - 1
    author = facts.inferred.source if facts.inferred else source.id
    own = facts.is_own(author)
    named = author if author != UNKNOWN.id and not own else None
    by_user = f"by your correction ({source.corrected})" if source.corrected else ""
    if group.first_observed == facts.ref and not (by_user and named is not None and facts.core):
        rest = (
            f"; {by_user} its source is {source.name}" if by_user else ", and credits nobody else"
        )
        why = (
            f"It was observed {_when(facts)}, before {_count(others)} with which it shares "
            f"text{rest}."
        )
        return FlagVerdict("earliest", None, 0.9 if own else 0.7, None, why)
    before = group.earlier_elsewhere(facts)
    if not facts.core or (facts.share_copied < COPIED and not facts.judged_same):
        known = f", first observed {_when(before)} at {_outlet(before)}" if before else ""
        return FlagVerdict(
            "partial",
            "copy" if before else None,
            round(min(0.9, 0.5 + facts.share_copied), 6),
            named,
            f"{share} of it is narrative shared with {_count(others)}{known}.",
        )
    if own:
        why = f"{share} of it is shared with {_count(others)}; its own outlet is the source."
        return FlagVerdict("shared", None, round(max(0.5, source.confidence), 6), None, why)
    if by_user and named is not None:
        return FlagVerdict(
            "syndicated",
            "inferred",
            1.0,
            named,
            f"{share} of it is shared with {_count(others)}, whose source is {source.name} "
            f"{by_user}.",
        )
    if facts.inferred is not None:
        return _inferred(facts, facts.inferred, group, agencies)
    if before is not None:
        return FlagVerdict(
            "syndicated",
            "copy",
            round(0.4 + facts.share_copied / 2, 6),
            source.id,
            f"{share} of it is shared with {_count(others)}; {_outlet(before)} had it earlier "
            f"({before.ref}, {_when(before)}; this one {_when(facts)}).",
        )
    return FlagVerdict(
        "shared",
        None,
        0.5,
        named,
        f"{share} of it is shared with {_count(others)}; "
        + (f"{by_user} its source is unknown" if by_user else "nobody is credited")
        + f" and the dates do not tell who was first.{_fuller(facts, group)}",
    )


def _fuller(facts: ArticleFacts, group: GroupFacts) -> str:
    """What lengths say where times say nothing: a fact for the reader, and no verdict."""
    if group.fuller is None:
        return ""
    if group.fuller == facts.ref:
        return " It holds the texts of the others whole and more besides."
    return f" The text of {group.fuller} holds it whole and more besides."


def _inferred(
    facts: ArticleFacts, inferred: InferredSource, group: GroupFacts, agencies: Agencies
) -> FlagVerdict:
    """The verdict on an article that credits nobody for its whole text, which others credit."""
    name = agencies.name(inferred.source)
    others = len(group.members) - 1
    helped = {claim.source for claim in facts.credits if not facts.is_own(claim.source)}
    if inferred.origin == facts.ref:
        why = (
            f"It credits a contribution of {name}; {facts.share_copied:.0%} of it is shared with "
            f"{_count(others)}."
        )
    else:
        way = f" by way of {inferred.giver}" if inferred.giver != inferred.origin else ""
        own = f"only a contribution of {_names(helped, agencies)}" if helped else "nobody"
        more = f" {_count(others)} share text with it." if others > 1 else ""
        why = (
            f"It credits {own}, but {inferred.share:.0%} of it is shared with "
            f"{inferred.origin}{way}, which credits {name}.{more}"
        )
    if inferred.rivals:
        why += f" Others with this text credit {_names(set(inferred.rivals), agencies)}."
    return FlagVerdict("syndicated", "inferred", inferred.confidence, inferred.source, why)


def _disagreement(group: GroupFacts | None) -> str:
    """What articles of a group disagree about, for those on either side."""
    return f" {group.source.note}" if group is not None and group.source.note else ""


def _duplicate(facts: ArticleFacts, group: GroupFacts | None) -> FlagVerdict | None:
    ref = facts.duplicate_of
    if ref is None or ref == facts.ref:
        return None
    partner = group.members.get(ref) if group is not None else None
    order = earlier(partner.moment, facts.moment) if partner is not None else None
    if order == 1 or (order != -1 and facts.ref < ref):
        return None
    outlet = _outlet(facts)
    if order == -1 and partner is not None:
        why = f"{outlet} published the same text before, as {ref} ({_when(partner)})."
        return FlagVerdict("duplicate", None, 0.9, None, why)
    why = f"{outlet} has the same text as {ref}; which of the two came first is not known."
    return FlagVerdict("duplicate", None, 0.6, None, why)


def _alone(facts: ArticleFacts) -> str:
    """Why an article in no group is unique, for readers who see what it does share."""
    if facts.best_match is None:
        return "No other article shares its text."
    return (
        f"It is in no group of copies; with {facts.best_match} it has a quotation, or some "
        "narrative, in common: see their relation."
    )


def _best(claims: list[Evidence], group: GroupFacts | None, agencies: Agencies) -> Evidence:
    """The claim to name: the group's source, then agencies, then what stands in the text."""
    wanted = group.source.id if group is not None else None

    def rank(claim: Evidence) -> tuple[bool, bool, bool, str, str]:
        outlet = agencies.kind(claim.source) == "outlet"
        return (
            claim.source != wanted,
            outlet,
            claim.role == "metadata",
            claim.source,
            claim.field,
        )

    return min(claims, key=rank)


def _shares(facts: ArticleFacts, group: GroupFacts | None) -> str:
    if group is None:
        return ""
    return f" and shares {facts.share_copied:.0%} of it with {_count(len(group.members) - 1)}"


def _names(sources: set[str], agencies: Agencies) -> str:
    return " and ".join(agencies.name(source) for source in sorted(sources))


def _place(claim: Evidence) -> str:
    return "metadata" if claim.field.startswith("metadata") else claim.field


def _quote(text: str) -> str:
    clean = " ".join(text.split())
    return f'"{clean}"' if len(clean) <= 80 else f'"{clean[:79]}…"'


def _count(others: int) -> str:
    return "1 other article" if others == 1 else f"{others} other articles"


def _outlet(article: ArticleFacts) -> str:
    return article.outlet_name or article.outlet_id or f"an unnamed outlet ({article.ref})"


def _when(article: ArticleFacts) -> str:
    return article.published_raw or "at an unknown time"
