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
from dedup.ranges import rows_of
from dedup.relate import R_COPY, R_PARTIAL
from dedup.slots import is_contribution
from dedup.sources import CONTRIBUTION_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.facts import ArticleFacts
    from dedup.pipeline import Analysis
    from dedup.tables.records import Records

RELATIONS = 256
"""More than there are kinds of relations."""
SHOWN = 240
"""Characters of shared text that are shown as evidence."""


class Origins:
    """Verified copies inside groups: links of texts (nodes), and what they have in common.

    ``covered`` by (group, node): share of its letters in prose shared inside the group.
    """

    def __init__(self, x: Analysis) -> None:
        self._x = x
        r = x.relations
        self._wide = np.int64(max(1, x.collection.nodes))
        self._names = r.a * self._wide + r.b  # ascending, as relations are
        pair, group = self._shared_groups()
        of = group * np.int64(RELATIONS) + r.relation[pair]
        order = np.argsort(of, kind="stable")
        self._linked, self._of = pair[order], of[order]
        # The user's word that two texts are the same stands for what is not found in common.
        same = x.judgements.same
        self._whole = set((same[:, 0] * self._wide + same[:, 1]).tolist())
        self.covered = self._prose(pair, group)

    def _shared_groups(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Related pairs with the groups in which both texts are: a row (pair, group) for each."""
        x, r = self._x, self._x.relations
        groups = np.int64(max(1, len(x.groups)))
        members = [
            np.array([*group.core, *group.attached], np.int64) * groups + g
            for g, group in enumerate(x.groups)
        ]
        inside = np.unique(np.concatenate([np.empty(0, np.int64), *members]))
        start = np.searchsorted(inside, np.arange(x.collection.nodes + 1) * groups)
        pair = np.flatnonzero(r.relation >= R_PARTIAL)
        sizes = (start[1:] - start[:-1])[r.a[pair]]
        group = inside[rows_of(start[r.a[pair]], sizes)] % groups
        pair = np.repeat(pair, sizes)
        other = r.b[pair] * groups + group
        at = np.searchsorted(inside, other)
        both = np.append(inside, -1)[at] == other
        return pair[both], group[both]

    def links(self, group: int, relation: int) -> Iterator[Link]:
        """The pairs of a group that are ``R_COPY``, or ``R_PARTIAL``, with the share of narrative
        of each text. One by one: a large story has millions."""
        r = self._x.relations
        of = group * RELATIONS + relation
        lo, hi = np.searchsorted(self._of, [of, of + 1]).tolist()
        for k in self._linked[lo:hi].tolist():
            whole = self._names[k].item() in self._whole
            shares = (1.0, 1.0) if whole else (float(r.narrative_a[k]), float(r.narrative_b[k]))
            yield Link(int(r.a[k]), int(r.b[k]), *shares)

    def _prose_of(self, pair: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Matches of prose of pairs (int64), and to which of the pairs each belongs."""
        m = self._x.matches
        begin, end = (np.searchsorted(m.pair, pair, side) for side in ("left", "right"))
        of = np.repeat(np.arange(len(pair)), end - begin)
        match = rows_of(begin, end - begin)
        prose = m.kind[match] == PROSE
        return match[prose], of[prose]

    def _prose(
        self, pair: NDArray[np.int64], group: NDArray[np.int64]
    ) -> dict[tuple[int, int], float]:
        """``covered``, from related pairs with groups that both texts are in."""
        x = self._x
        m, r, c = x.matches, x.relations, x.collection
        match, of = self._prose_of(pair)
        own = np.concatenate([group[of] * self._wide + node[pair[of]] for node in (r.a, r.b)])
        low = np.append(m.a0[match], m.b0[match]).astype(np.int64)
        high = np.append(m.a1[match], m.b1[match]).astype(np.int64)
        slots, slot = np.unique(own, return_inverse=True)
        letters = kernels.union_letters(
            slot, low, high, np.lexsort((low, slot)), len(slots), c.t_start, c.t_length
        )
        node = slots % self._wide
        found = np.minimum(1.0, letters / np.maximum(1, c.d_letters[node]))
        keys = zip((slots // self._wide).tolist(), node.tolist(), strict=True)
        shares = dict(zip(keys, found.tolist(), strict=True))
        for g, members in enumerate(x.groups):
            shares |= {(g, node): 1.0 for node in members.core if x.corpus.copies[node] >= 2}
        return shares

    def stretch(self, node: int, giver: int) -> tuple[int, int]:
        """Where the longest stretch of prose that ``node`` shares with ``giver`` begins and ends
        (characters of its text), cut to :data:`SHOWN`; ``(0, 0)`` where there is none."""
        c, m = self._x.collection, self._x.matches
        if node == giver:
            first, end = int(c.d_passage[node]), int(c.d_passage[node + 1])
            return (int(c.p_start[first]), int(c.p_end[first])) if end > first else (0, 0)
        flipped = node > giver
        name = min(node, giver) * self._wide + max(node, giver)
        lo, hi = (int(np.searchsorted(self._names, name, side)) for side in ("left", "right"))
        best = (0, 0)
        for k in self._prose_of(np.arange(lo, hi))[0].tolist():
            one, two = (m.b0[k], m.b1[k]) if flipped else (m.a0[k], m.a1[k])
            start, end = int(c.t_start[one]), int(c.end_of(two - 1))
            if (start - end, start) < (best[0] - best[1], best[0]):
                best = (start, end)
        return best


def common(records: Records, origins: Origins, group: int) -> Iterator[Common]:
    """What pairs of core articles share. Of several with one text the first stands for the others
    on one side of a pair, so that their number grows no more than they do."""
    for link in origins.links(group, R_COPY):
        one, two = ([records.refs[i] for i in records.of_node[n]] for n in (link.a, link.b))
        for ref in two:
            yield Common(min(one), ref, link.share_a, link.share_b)
        for ref in one:
            yield Common(ref, min(two), link.share_a, link.share_b)


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
    found = supports(claims, origins.links(group, R_COPY))
    attachments = _attachments(origins.links(group, R_PARTIAL), inside, found)
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
