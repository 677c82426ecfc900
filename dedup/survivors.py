"""Which articles of a dump can go, because one that stays holds their text.

Articles are taken in the order in which they are wanted. Each is kept unless one that was kept
before holds enough of it; so a survivor is always directly related to what goes in its favour,
and nothing hangs on a chain. This is the greedy independent dominating set of the graph "holds
enough of", in time linear in its edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from dedup.slots import is_contribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dedup.agencies import Agencies
    from dedup.facts import ArticleFacts, GroupFacts

Keep = Literal["original", "earliest", "longest", "agency"]
KEEP: tuple[Keep, ...] = get_args(Keep)


class Holder(NamedTuple):
    """A text that holds ``share`` (0-1) of the letters and digits of another; ``relation`` is
    how the two are related."""

    text: int
    share: float
    relation: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Article ``record`` goes, since ``kept`` (another) holds ``share`` (0-1) of it."""

    record: int
    kept: int
    share: float
    relation: str


def preference(
    facts: ArticleFacts,
    group: GroupFacts | None,
    letters: int,
    superseded: bool,
    keep: Keep,
    agencies: Agencies,
) -> tuple[object, ...]:
    """A key by which the article that is wanted most comes first.

    - ``earliest``: the one that was observed first; undated ones come last.
    - ``longest``: the one with the most letters and digits (``letters``), then the earliest.
    - ``agency``: an agency's own article, then one that credits an agency for its text, then one
      to which an agency contributed, then others; the earliest of each.
    - ``original``: the article of the outlet that is the source of its group, then the one that
      was surely observed first, then others; the earliest of each.

    With the last three, ``superseded`` texts of an article with several revisions come last.
    """
    moment = facts.moment
    # What is surely over first is first; a day without a time is over when the day is.
    time = (0, moment.bounds()[1]) if moment.dated else (1, 0)
    if keep == "earliest":
        return (*time, superseded, facts.ref)
    if keep == "longest":
        return (superseded, -letters, *time, facts.ref)
    if keep == "agency":
        return (superseded, _agency_rank(facts, agencies), *time, facts.ref)
    if group is not None and facts.is_own(group.source.id):
        rank = 0
    else:
        rank = 1 if group is not None and group.first_observed == facts.ref else 2
    return (superseded, rank, *time, facts.ref)


def _agency_rank(facts: ArticleFacts, agencies: Agencies) -> int:
    if any(agencies.kind(source) != "outlet" for source in facts.own_sources):
        return 0
    wires = [c for c in facts.credits if agencies.kind(c.source) != "outlet"]
    if any(not is_contribution(claim.text) for claim in wires):
        return 1
    return 2 if wires else 3


def choose(
    order: Sequence[int],
    text: Sequence[int],
    comparable: Sequence[bool],
    holders: Mapping[int, Sequence[Holder]],
) -> list[Dropped]:
    """Which records go, in the order in which they were looked at.

    ``order``: records, the most wanted first. ``text``: of each record, its text; ``comparable``:
    of each text, whether it says enough that equal texts count as copies. ``holders``: of each
    text, the others that hold enough of it.
    """
    kept: dict[int, int] = {}
    gone = []
    for record in order:
        own = text[record]
        if own in kept and comparable[own]:
            gone.append(Dropped(record, kept[own], 1.0, "copy"))
            continue
        best = min(
            (
                (-holder.share, kept[holder.text], holder.relation)
                for holder in holders.get(own, ())
                if holder.text in kept
            ),
            default=None,
        )
        if best is not None:
            gone.append(Dropped(record, best[1], -best[0], best[2]))
        else:
            kept.setdefault(own, record)
    return gone
