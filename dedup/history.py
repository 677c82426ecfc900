"""Ids of groups that stay while groups grow, merge and split."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.group import group_id, group_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Member = tuple[str, str]
    """An article's id and the digest of its text."""


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a group: ``created``, ``merged``, ``split`` or ``dissolved``.

    ``others``: groups that were merged into it, or into which it was split.
    """

    group: str
    event: str
    others: tuple[str, ...]
    reason: str


def name_groups(
    cores: Sequence[Sequence[Member]], former: Mapping[str, Sequence[Member]], used: set[str]
) -> tuple[list[str], list[Event]]:
    """Ids for groups with these cores, and what happened since the ``former`` ones.

    A group keeps the id of the former one with which it shares most core members (ties: the
    smaller id); each id goes to one group. A new one is named as in a scan, unless that id is or
    was another's (``used``): then with more digits.
    """
    owner = {member: name for name, members in former.items() for member in members}
    shared: Counter[tuple[str, int]] = Counter()
    for g, core in enumerate(cores):
        for member in core:
            if member in owner:
                shared[owner[member], g] += 1
    names: dict[int, str] = {}
    given: dict[str, int] = {}
    keys = [group_key(list(core)) for core in cores]
    for (name, g), _ in sorted(shared.items(), key=lambda x: (-x[1], x[0][0], keys[x[0][1]])):
        if name not in given and g not in names:
            names[g], given[name] = name, g
    events = []
    taken = used | set(former)
    for g, core in enumerate(cores):
        if g not in names:
            names[g] = _unused(core, taken)
            taken.add(names[g])
    into: dict[str, set[str]] = defaultdict(set)
    came: dict[str, set[str]] = defaultdict(set)
    for name, g in shared:
        into[name].add(names[g])
        came[names[g]].add(name)
    for g in range(len(cores)):
        name = names[g]
        if name not in former and not came[name]:
            events.append(Event(name, "created", (), f"{len(cores[g])} articles share a text"))
        others = tuple(sorted(came[name] - {name}))
        gone = tuple(other for other in others if other not in given)
        if gone and name in former:
            events.append(
                Event(name, "merged", gone, "copies join what were several groups: one goes on")
            )
    for name in sorted(former):
        parts = tuple(sorted(into[name] - {name}))
        if parts and name in given:
            events.append(Event(name, "split", parts, "no copy joins its parts any longer"))
        elif name not in given and not parts:
            events.append(Event(name, "dissolved", (), "its articles are no copies any longer"))
        elif name not in given:
            events.append(Event(name, "dissolved", parts, "its articles are in other groups"))
    return [names[g] for g in range(len(cores))], events


def _unused(core: Sequence[Member], taken: set[str]) -> str:
    name = group_id(list(core))
    digits = group_key([min(core)])
    length = 12
    while name in taken and length < len(digits):
        length += 4
        name = f"g-{digits[:length]}"
    number = 2
    while name in taken:
        name = f"g-{digits}-{number}"
        number += 1
    return name
