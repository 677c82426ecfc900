"""From which articles of a group the others have their text, and whose it is by inference."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from dedup.direction import Common
from dedup.facts import InferredSource
from dedup.inference import Inferred, Link, Support, infer, supports
from dedup.kernels import spans as kernels
from dedup.kinds import PROSE
from dedup.model import Evidence
from dedup.relate import R_COPY, R_PARTIAL
from dedup.slots import is_contribution
from dedup.sources import CONTRIBUTION_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.facts import ArticleFacts
    from dedup.pipeline import Analysis
    from dedup.tables.records import Records

SHOWN = 240
"""Characters of shared text that are shown as evidence."""


class Origins:
    """Verified copies inside groups: links of texts (nodes), and what they have in common.

    ``links`` by (group, ``R_COPY`` or ``R_PARTIAL``) hold the share of narrative of each text.
    ``covered`` by (group, node): share of its letters in prose shared inside the group.
    """

    def __init__(self, x: Analysis) -> None:
        self._x = x
        self._groups_of: dict[int, set[int]] = defaultdict(set)
        for g, group in enumerate(x.groups):
            for node in (*group.core, *group.attached):
                self._groups_of[node].add(g)
        self.links: dict[tuple[int, int], list[Link]] = defaultdict(list)
        self._pair: dict[tuple[int, int], int] = {}
        self._note_links()
        self._matches: dict[int, list[int]] = defaultdict(list)
        self.covered = self._note_prose()

    def _note_links(self) -> None:
        r = self._x.relations
        judged = {tuple(pair) for pair in self._x.judgements.same.tolist()}
        for k in np.flatnonzero((r.relation >= R_PARTIAL) & self._inside()).tolist():
            u, v = int(r.a[k]), int(r.b[k])
            shared = self._groups_of.get(u, set()) & self._groups_of.get(v, set())
            if not shared:
                continue
            self._pair[u, v] = k
            # The user's word that two texts are the same stands for what is not found in common.
            whole = (u, v) in judged
            link = Link(
                u,
                v,
                1.0 if whole else float(r.narrative_a[k]),
                1.0 if whole else float(r.narrative_b[k]),
            )
            for g in shared:
                self.links[g, int(r.relation[k])].append(link)

    def _inside(self) -> NDArray[np.bool_]:
        """Which pairs (bool) are of two members of groups."""
        member = np.zeros(self._x.collection.nodes, bool)
        member[list(self._groups_of)] = True
        return np.asarray(member[self._x.relations.a] & member[self._x.relations.b])

    def _note_prose(self) -> dict[tuple[int, int], float]:
        x = self._x
        m, r, c = x.matches, x.relations, x.collection
        slots: dict[tuple[int, int], int] = {}
        owner: list[int] = []
        lo: list[int] = []
        hi: list[int] = []
        related = (r.relation >= R_PARTIAL) & self._inside()
        for k in np.flatnonzero((m.kind == PROSE) & related[m.pair]).tolist():
            pair = int(m.pair[k])
            u, v = int(r.a[pair]), int(r.b[pair])
            shared = self._groups_of.get(u, set()) & self._groups_of.get(v, set())
            if shared:
                self._matches[pair].append(k)
            for g in shared:
                for node, start, end in ((u, m.a0[k], m.a1[k]), (v, m.b0[k], m.b1[k])):
                    owner.append(slots.setdefault((g, node), len(slots)))
                    lo.append(int(start))
                    hi.append(int(end))
        own, low, high = (np.array(values, np.int64) for values in (owner, lo, hi))
        letters = kernels.union_letters(
            own, low, high, np.lexsort((low, own)), len(slots), c.t_start, c.t_length
        )
        shares = {
            (g, node): min(1.0, float(letters[at]) / max(1, int(c.d_letters[node])))
            for (g, node), at in slots.items()
        }
        for g, group in enumerate(x.groups):
            shares |= {(g, node): 1.0 for node in group.core if x.corpus.copies[node] >= 2}
        return shares

    def stretch(self, node: int, giver: int) -> tuple[int, int]:
        """Where the longest stretch of prose that ``node`` shares with ``giver`` begins and ends
        (characters of its text), cut to :data:`SHOWN`; ``(0, 0)`` where there is none."""
        c, m = self._x.collection, self._x.matches
        if node == giver:
            first, end = int(c.d_passage[node]), int(c.d_passage[node + 1])
            return (int(c.p_start[first]), int(c.p_end[first])) if end > first else (0, 0)
        flipped = node > giver
        pair = self._pair.get((giver, node) if flipped else (node, giver), -1)
        best = (0, 0)
        for k in self._matches.get(pair, ()):
            one, two = (m.b0[k], m.b1[k]) if flipped else (m.a0[k], m.a1[k])
            start, end = int(c.t_start[one]), int(c.end_of(two - 1))
            if (start - end, start) < (best[0] - best[1], best[0]):
                best = (start, end)
        return best


def common(records: Records, origins: Origins, group: int) -> list[Common]:
    """What pairs of core articles share. Of several with one text the first stands for the others
    on one side of a pair, so that their number grows no more than they do."""
    found = []
    for link in origins.links[group, R_COPY]:
        one, two = ([records.refs[i] for i in records.of_node[n]] for n in (link.a, link.b))
        found += [Common(min(one), ref, link.share_a, link.share_b) for ref in two]
        found += [Common(ref, min(two), link.share_a, link.share_b) for ref in one]
    return found


def inferred_sources(
    records: Records,
    origins: Origins,
    group: int,
    core: Sequence[int],
    attached: Sequence[int],
    facts: dict[int, ArticleFacts],
    agencies: Agencies,
) -> dict[int, InferredSource]:
    """The source of each record of a group that credits nobody, by the text that it shares.

    Sources go along copies between core texts, and by one step of ``partial`` to those attached.
    """
    claims: dict[str, dict[int, float]] = defaultdict(dict)
    claimant: dict[tuple[str, int], str] = {}
    for i in core:
        node = records.node[i]
        for claim in facts[i].credits:
            if agencies.kind(claim.source) == "outlet" and facts[i].is_own(claim.source):
                continue
            weight = CONTRIBUTION_WEIGHT if is_contribution(claim.text) else 1.0
            claims[claim.source][node] = max(weight, claims[claim.source].get(node, 0.0))
            known = claimant.get((claim.source, node), records.refs[i])
            claimant[claim.source, node] = min(known, records.refs[i])
    if not claims:
        return {}
    inside = {records.node[i] for i in core}
    found = supports(claims, origins.links[group, R_COPY])
    attachments = _attachments(origins.links[group, R_PARTIAL], inside, found)
    wires = [source for source in claims if agencies.kind(source) != "outlet"]
    result: dict[int, InferredSource] = {}
    for i in (*core, *attached):
        if _credits_another(facts[i]):
            continue
        node = records.node[i]
        reached = found.get(node, {}) if node in inside else attachments.get(node, {})
        inferred = infer(reached, wires)
        if inferred is not None:
            result[i] = _with_evidence(records, origins, i, inferred, claimant)
    return result


def _credits_another(facts: ArticleFacts) -> bool:
    """Whether an article credits somebody else with its whole text."""
    return any(not facts.is_own(c.source) and not is_contribution(c.text) for c in facts.credits)


def _attachments(
    partial: Iterable[Link], inside: set[int], found: dict[int, dict[str, Support]]
) -> dict[int, dict[str, Support]]:
    """Supports of texts attached to the core: the best of their givers in it."""
    result: dict[int, dict[str, Support]] = defaultdict(dict)
    for link in partial:
        for text, share, giver in (
            (link.a, link.share_a, link.b),
            (link.b, link.share_b, link.a),
        ):
            if text in inside or giver not in inside:
                continue
            for source, support in found.get(giver, {}).items():
                here = Support(support.share * share, support.origin, giver)
                known = result[text].get(source)
                if known is None or (-here.share, here.origin, here.giver) < (
                    -known.share,
                    known.origin,
                    known.giver,
                ):
                    result[text][source] = here
    return result


def _shown(text: str) -> str:
    """The first :data:`SHOWN` characters, cut between words where there are spaces."""
    if len(text) <= SHOWN:
        return text
    cut = text.rfind(" ", SHOWN // 2, SHOWN)
    return text[: cut if cut > 0 else SHOWN]


def _with_evidence(
    records: Records,
    origins: Origins,
    i: int,
    inferred: Inferred,
    claimant: dict[tuple[str, int], str],
) -> InferredSource:
    node, support = records.node[i], inferred.support
    start, end = origins.stretch(node, support.giver)
    text = _shown(records.text(node)[start:end])
    origin = claimant[inferred.source, support.origin]
    if support.giver == support.origin:
        giver = origin
    else:
        giver = min(records.refs[j] for j in records.of_node[support.giver])
    return InferredSource(
        inferred.source,
        inferred.confidence,
        support.share,
        origin,
        giver,
        Evidence(
            "inferred", inferred.source, records.refs[i], "text", start, start + len(text), text
        ),
        tuple(source for source, _ in inferred.rivals),
    )
