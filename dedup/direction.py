"""From which outlet a text came that nobody credits: what times, citations and lengths tell.

Whom the others cite and who was surely observed first are signs; a citation is not taken against
the stated times. Whose text holds the others whole and more besides is told, but decides nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from dedup.chronology import earlier, first_observed, leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dedup.facts import ArticleFacts

HELD = 0.9
"""Share of a text that another must have for "it holds it whole"."""
MORE = 0.75
"""Share of the holder that may at most be common to both for "and more besides"."""


class Common(NamedTuple):
    """What two articles (refs) have in common: shares (0-1) of the letters of each."""

    a: str
    b: str
    share_a: float
    share_b: float


def first_outlet(core: Sequence[ArticleFacts]) -> ArticleFacts | None:
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


def cited_outlet(core: Sequence[ArticleFacts]) -> ArticleFacts | None:
    """A member of the one outlet that members of other outlets cite, if there is just one.

    Who copies a text and writes "the Post reported" has it from the Post.
    """
    # By source, the outlets that it means: an outlet may have very many articles.
    owners: dict[str, set[str]] = {}
    ordered = sorted(core, key=lambda m: m.ref)
    for member in ordered:
        for source in {*member.own_sources, member.outlet_id or ""} - {""}:
            owners.setdefault(source, set()).add(member.outlet_key)
    cited: set[str] = set()
    for member in ordered:
        for source in {mention.source for mention in member.mentions}:
            cited |= owners.get(source, set()) - {member.outlet_key}
    if len(cited) != 1:
        return None
    (key,) = cited
    return next(member for member in ordered if member.outlet_key == key)


def fuller_outlet(core: Sequence[ArticleFacts], common: Iterable[Common]) -> ArticleFacts | None:
    """The member that holds the texts of all other outlets whole (:data:`HELD`) and is longer
    (:data:`MORE`), or ``None``.

    Containment is asymmetric (Broder 1997), but it has no direction: a copy may be cut or may add
    paragraphs of its own. In a real dump, among the pairs whose order is known by dates
    or credits, the fuller text of unequal ones is first in about half (docs/sources.md).
    """
    outlets = {member.ref: member.outlet_key for member in core}
    sizes = Counter(outlets.values())
    held: dict[str, set[str]] = {}
    for pair in common:
        if pair.a not in outlets or pair.b not in outlets:
            continue  # with an article that is attached
        for one, other, share_one, share_other in (
            (pair.a, pair.b, pair.share_a, pair.share_b),
            (pair.b, pair.a, pair.share_b, pair.share_a),
        ):
            apart = outlets[one] != outlets[other]
            if apart and share_other >= HELD and share_one <= MORE:
                held.setdefault(one, set()).add(other)
    for member in sorted(core, key=lambda m: m.ref):
        others = len(core) - sizes[member.outlet_key]
        if others and len(held.get(member.ref, ())) == others:
            return member
    return None
