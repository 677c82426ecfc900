"""Relations of pairs that nothing has touched since an earlier run are what they were.

How a pair is judged follows from its alignment, which stays, from the shared passages that its
links lie in (which one, its kind, how often it is quoted), from the templates of its outlets, and
from whether its texts are of one outlet. Where these are as they were, only pairs that are listed
or nearly so have anything to be remembered: nobody asks for the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.classify import VOICED, Matches
from dedup.collection import all_there
from dedup.relate import Relations, related_matches
from dedup.reuse import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.align import Alignment
    from dedup.arena import Arena
    from dedup.collection import Collection, LayOut, RecordArrays
    from dedup.config import Settings
    from dedup.kinds import PassageStatistics
    from dedup.passages import SharedPassages
    from dedup.speech import Speech

    Arrays = dict[str, NDArray[Any]]

_OF_PAIR = [f.name for f in fields(Relations) if f.name not in ("a", "b")]
_SPANS = ("a0", "a1", "b0", "b1")
_OF_MATCH = ("similarity", "bits", "kind", "plain")


@dataclass(frozen=True, slots=True)
class KnownRelations:
    """What an earlier run found, as :func:`kept_relations` put it; ``known`` bool (nodes): its
    texts, which were in the same order."""

    known: NDArray[np.bool_]
    kept: Arrays


def known_relations(kept: Arrays, known: NDArray[np.bool_], c: Collection) -> KnownRelations | None:
    """What :func:`kept_relations` put, of the ``known`` nodes (bool); ``None`` where it cannot be
    of these texts."""
    sizes = int(known.sum()), int(np.diff(c.d_passage)[known].sum())
    if (len(kept["outlet"]), len(kept["of_passage"])) != sizes:
        return None
    within = (
        *((kept[name], sizes[0]) for name in ("pair_a", "pair_b")),
        *((kept[name], len(kept["pair_a"])) for name in ("told", "match_pair")),
        *((kept[name] + 1, len(kept["key"]) + 1) for name in ("match_passage", "of_passage")),
    )
    if any(len(x) and not 0 <= int(x.min()) <= int(x.max()) < most for x, most in within):
        return None
    if len(kept["template"]) != -(-sizes[1] // 8):
        return None
    return KnownRelations(known, kept)


def outlet_marks(owners: Sequence[str | None], records: RecordArrays, nodes: int) -> Any:
    """A number (uint64, nodes) for the outlet of each node's first record, which is the same in
    every run; 0 where it is unknown."""
    marks = {
        name: int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        for name in {owner for owner in owners if owner is not None}
    }
    of_record = np.array([0 if o is None else marks[o] for o in owners], np.uint64)
    out = np.zeros(nodes, np.uint64)
    out[records.node[::-1]] = of_record[::-1]
    return out


def _codes(statistics: PassageStatistics) -> NDArray[np.uint8]:
    """What judging asks of each shared passage (uint8)."""
    quoted = statistics.quoted
    code = statistics.kind.astype(np.uint8) | ((quoted >= 0.5).astype(np.uint8) << np.uint8(2))
    return np.asarray(code | ((quoted >= VOICED).astype(np.uint8) << np.uint8(3)))


def kept_relations(
    c: Collection,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    matches: Matches,
    relations: Relations,
    told: NDArray[np.bool_],
    marks: NDArray[np.uint64],
) -> Arrays:
    """What a later run needs to know of this one's relations: those of the pairs that are ``told``
    (bool) in any table, with all their matches, and what all pairs were judged by."""
    m = matches
    rows = np.flatnonzero(told[m.pair])
    token = c.p_token[c.d_passage]
    first_a, first_b = (token[node[m.pair[rows]]] for node in (relations.a, relations.b))
    firsts = dict(zip(_SPANS, (first_a, first_a, first_b, first_b), strict=True))
    return {
        "pair_a": relations.a.astype(np.int32),
        "pair_b": relations.b.astype(np.int32),
        "told": np.flatnonzero(told).astype(np.int32),
        **{name: getattr(relations, name)[told] for name in _OF_PAIR},
        "match_pair": m.pair[rows].astype(np.int32),
        **{n: (getattr(m, n)[rows] - first).astype(np.int32) for n, first in firsts.items()},
        **{name: getattr(m, name)[rows] for name in _OF_MATCH},
        "match_passage": m.passage[rows],
        "of_passage": shared.of_passage,
        "template": np.packbits(template),
        "key": c.p_key[shared.centre],
        "code": _codes(statistics),
        "outlet": marks,
    }


def relate_again(
    c: Collection,
    alignment: Alignment,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    speech: Speech,
    records: RecordArrays,
    settings: Settings,
    arena: Arena,
    marks: NDArray[np.uint64],
    earlier: KnownRelations,
    lay_out: LayOut = all_there,
) -> tuple[Matches, Relations]:
    """As :func:`dedup.relate.related_matches`, but that pairs which no table tells have no matches
    and no shares where they are as they were; ``marks`` see :func:`outlet_marks`, ``lay_out`` see
    :class:`dedup.reuse.Earlier`."""
    kept = earlier.kept
    node = np.flatnonzero(earlier.known)
    now_cluster, other = _other_passages(c, shared, statistics, template, earlier)
    moved = np.zeros(c.nodes, bool)
    moved[node] = marks[node] != kept["outlet"]
    wide = np.int64(c.nodes + 1)
    pairs = alignment.pair_a * wide + alignment.pair_b
    former = node[kept["pair_a"]] * wide + node[kept["pair_b"]]
    place = np.searchsorted(pairs, former)
    there = place < len(pairs)
    there[there] = pairs[place[there]] == former[there]
    stands = np.zeros(len(pairs), bool)
    stands[place[there]] = True
    stands &= ~moved[alignment.pair_a] & ~moved[alignment.pair_b]
    stands[alignment.pair[alignment.match[other[alignment.link_a] | other[alignment.link_b]]]] = (
        False
    )
    again = np.flatnonzero(~stands)
    lay_out(np.append(alignment.pair_a[again], alignment.pair_b[again]))
    found, related = related_matches(
        c,
        chosen(alignment, ~stands),
        shared,
        statistics,
        template,
        speech,
        records,
        settings,
        arena,
    )
    # Rows of before, by the places of their pairs now.
    at = np.where(there, place, -1)
    standing = np.append(stands, False)
    told = at[kept["told"]]
    good = standing[told]
    columns: Arrays = {"a": alignment.pair_a, "b": alignment.pair_b}
    for name in _OF_PAIR:
        values = getattr(related, name)
        columns[name] = np.zeros(len(pairs), values.dtype)
        columns[name][again] = values
        columns[name][told[good]] = kept[name][good]
    pair = at[kept["match_pair"]]
    rows = np.flatnonzero(standing[pair])
    pair = pair[rows]
    token = c.p_token[c.d_passage]
    first_a, first_b = token[alignment.pair_a[pair]], token[alignment.pair_b[pair]]
    own: Arrays = {name: kept[name][rows] for name in _OF_MATCH}
    own |= {name: kept[name][rows] + first_a for name in _SPANS[:2]}
    own |= {name: kept[name][rows] + first_b for name in _SPANS[2:]}
    passage = kept["match_passage"][rows]
    own["passage"] = np.append(now_cluster, np.int32(-1))[passage]
    own["pair"] = pair
    found_pair = again[found.pair]
    order = np.argsort(np.append(found_pair, pair), kind="stable")
    joined: Arrays = {
        f.name: np.append(found_pair if f.name == "pair" else getattr(found, f.name), own[f.name])[
            order
        ]
        for f in fields(Matches)
    }
    return Matches(**joined), Relations(**columns)


def _other_passages(
    c: Collection,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    earlier: KnownRelations,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Which shared passage (int32) each of the earlier run's is now, -1 where it is none, and the
    passages (bool) that lie in another one, in one of another kind, or in a template now or no
    longer. Those of new texts do not count."""
    kept = earlier.kept
    key = c.p_key[shared.centre]
    order = np.argsort(key, kind="stable")
    place = np.minimum(np.searchsorted(key[order], kept["key"]), max(0, len(key) - 1))
    now = order[place] if len(key) else np.zeros(len(kept["key"]), np.int64)
    same = np.zeros(len(kept["key"]), bool)
    if len(key):
        # Of several with one key it is not known which is which.
        alone = np.ones(len(key), bool)
        alone[order[1:]] &= key[order[1:]] != key[order[:-1]]
        alone[order[:-1]] &= key[order[1:]] != key[order[:-1]]
        same = (key[now] == kept["key"]) & alone[now]
        doubled, times = np.unique(kept["key"], return_counts=True)
        same &= ~np.isin(kept["key"], doubled[times > 1])
    cluster = np.where(same, now, -1).astype(np.int32)
    # One that is of another kind is as if it were another one.
    alike = cluster.copy()
    differs = same.copy()
    differs[same] = _codes(statistics)[cluster[same]] != kept["code"][same]
    alike[differs | ~same] = -2
    held = np.repeat(earlier.known, np.diff(c.d_passage))
    before = np.append(alike, np.int32(-1))[kept["of_passage"]]
    made = np.unpackbits(kept["template"], count=len(before)).astype(bool)
    other = np.zeros(len(held), bool)
    other[held] = (before != shared.of_passage[held]) | (made != template[held])
    return cluster, other
