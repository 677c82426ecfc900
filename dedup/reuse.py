"""What earlier runs found out about pairs of passages and of texts, so that it need not be found
again: it depends on nothing but the two.

An index knows texts by a number that stays (``text``, int32); runs number them anew, by digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.align import Alignment, align
from dedup.collection import all_there
from dedup.formerpairs import Crowd, KnownPassages, Similar, no_crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.collection import Collection, LayOut
    from dedup.config import Settings
    from dedup.model import Evidence
    from dedup.rejudge import KnownRelations

    Arrays = dict[str, NDArray[Any]]
    Claims = tuple[list[Evidence], list[Evidence]]


_OF_MATCH = ("a0", "a1", "b0", "b1", "similarity", "bits")
_OF_LINK = ("link_a", "link_b", "cosine")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run is given of earlier ones, in the numbers of this run's ``collection``.

    ``alignment`` of pairs that are candidates no more does no harm. ``claims``: credits and
    mentions of every record; ``languages`` of every node, ``None`` where they are to be found.
    ``relations`` are given where nothing was taken out or is said otherwise since.

    ``lay_out`` is to be asked for the tokens and distinct words of texts before anybody looks at
    them. What else would need those of all texts is there: ``articles`` int64 (words), how many
    hold each word, and ``edges`` (:func:`dedup.template.template_passages`), which are handed out
    once; ``None``: find them.
    """

    collection: Collection
    passages: KnownPassages
    alignment: Alignment
    claims: list[Claims]
    languages: list[str | None] | None = None
    relations: KnownRelations | None = None
    lay_out: LayOut = all_there
    articles: NDArray[np.int64] | None = None
    edges: Callable[[], NDArray[np.uint64]] | None = None


def nothing_known(c: Collection, claims: list[Claims]) -> Earlier:
    """A collection of which nothing is known but its claims."""
    none = np.empty(0, np.int64)
    similar = Similar(none, none, none.astype(np.int32), none.astype(bool))
    known = KnownPassages(np.zeros(c.nodes, bool), similar, no_crowd())
    return Earlier(c, known, no_alignment(), claims)


def no_alignment() -> Alignment:
    """An alignment of no pairs."""
    none = np.empty(0, np.int64)
    columns: Arrays = dict.fromkeys(("pair_a", "pair_b", "pair", "match"), none)
    columns |= dict.fromkeys((*_OF_MATCH, *_OF_LINK), none)
    columns |= dict.fromkeys(("similarity", "bits"), np.empty(0, np.float64))
    columns |= {"cosine": np.empty(0, np.float32), "cut": np.zeros(3, np.int64)}
    return Alignment(**columns)


def align_further(
    c: Collection,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    known: Alignment,
    settings: Settings,
    *,
    lay_out: LayOut = all_there,
    threads: int = 1,
    arena: Arena | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Alignment, NDArray[np.bool_]]:
    """The alignment of pairs (``a``, ``b`` int64 nodes, sorted), and which (bool) were not
    ``known``; the same as :func:`dedup.align.align` gives. ``lay_out`` see :class:`Earlier`."""
    wide = np.int64(c.nodes + 1)
    wanted, had = a * wide + b, known.pair_a * wide + known.pair_b
    new = ~_among(wanted, had)
    one, two = a[new], b[new]
    lay_out(np.append(one, two))
    found = align(c, one, two, settings, threads=threads, arena=arena, progress=progress)
    if not len(had):
        return found, new
    return joined([chosen(known, _among(had, wanted)), found], wide), new


def _among(values: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ``values`` (bool) are among ``known`` ones, which are sorted."""
    if not len(known):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[at] == values)


def chosen(x: Alignment, pairs: NDArray[np.bool_]) -> Alignment:
    """The alignment of some of the pairs (bool)."""
    number = np.cumsum(pairs) - 1
    matches = pairs[x.pair]
    match_number = np.cumsum(matches) - 1
    links = matches[x.match]
    rows = {"pair_a": pairs, "pair_b": pairs, "pair": matches, "match": links, "cut": slice(None)}
    rows |= dict.fromkeys(_OF_MATCH, matches) | dict.fromkeys(_OF_LINK, links)
    columns = {name: getattr(x, name)[chosen_rows] for name, chosen_rows in rows.items()}
    columns["pair"] = number[columns["pair"]]
    columns["match"] = match_number[columns["match"]]
    return Alignment(**columns)


def joined(parts: Sequence[Alignment], wide: np.int64) -> Alignment:
    """One alignment of several with different pairs, sorted by pair; ``wide``: nodes + 1."""
    pair_a = np.concatenate([x.pair_a for x in parts])
    pair_b = np.concatenate([x.pair_b for x in parts])
    order = np.argsort(pair_a * wide + pair_b, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    before = np.cumsum([0, *(len(x.pair_a) for x in parts)])
    pair = place[np.concatenate([x.pair + n for x, n in zip(parts, before, strict=False)])]
    by_pair = np.argsort(pair, kind="stable")
    match_place = np.empty(len(by_pair), np.int64)
    match_place[by_pair] = np.arange(len(by_pair))
    before = np.cumsum([0, *(len(x.pair) for x in parts)])
    match = match_place[np.concatenate([x.match + n for x, n in zip(parts, before, strict=False)])]
    links = np.argsort(pair[by_pair][match], kind="stable")

    columns: Arrays = {
        name: np.concatenate([getattr(x, name) for x in parts])[rows]
        for names, rows in ((_OF_MATCH, by_pair), (_OF_LINK, links))
        for name in names
    }
    return Alignment(
        pair_a=pair_a[order],
        pair_b=pair_b[order],
        pair=pair[by_pair],
        match=match[links],
        cut=np.sum([x.cut for x in parts], axis=0),
        **columns,
    )


# --- in the numbers of an index -------------------------------------------------------------


def similar_arrays(
    c: Collection, similar: Similar, rows: NDArray[np.bool_], text: NDArray[np.int32]
) -> Arrays:
    """Some similar passages (bool) as an index keeps them; ``text`` (int32, nodes) is each node's
    number."""
    found: Arrays = {"shared": similar.shared[rows]}
    for side, passage in (("a", similar.u[rows]), ("b", similar.v[rows])):
        node = c.p_article[passage]
        found[f"text_{side}"] = text[node]
        found[f"place_{side}"] = (passage - c.d_passage[node]).astype(np.int32)
    return found


def similar_from(c: Collection, parts: Sequence[Arrays], node_of: NDArray[np.int32]) -> Similar:
    """Similar passages of all parts; ``node_of`` (int32) is the node of each text, -1 where there
    is none.

    Raises ``ValueError`` for texts and passages that there cannot be.
    """
    columns = {
        name: np.concatenate([np.empty(0, np.int32), *(part[name] for part in parts)])
        for name in ("text_a", "place_a", "text_b", "place_b", "shared")
    }
    one, two = _nodes(columns["text_a"], node_of), _nodes(columns["text_b"], node_of)
    there = (one | two) >= 0
    if not there.all():
        one, two = one[there], two[there]
        columns = {name: array[there] for name, array in columns.items()}
    u, v = _passages(c, one, columns["place_a"]), _passages(c, two, columns["place_b"])
    return Similar(u, v, columns["shared"], np.zeros(len(u), bool))


def _nodes(text: NDArray[np.int32], node_of: NDArray[np.int32]) -> NDArray[np.int32]:
    """The node of each text, -1 where it is no longer there."""
    if len(text) and not 0 < int(text.min()) <= int(text.max()) < len(node_of):
        raise ValueError("names texts that there never were")
    return np.asarray(node_of[text])


def _passages(
    c: Collection, node: NDArray[np.int32], place: NDArray[np.int32]
) -> NDArray[np.int64]:
    """The passages at places of nodes."""
    passage = c.d_passage[node] + place
    if ((place < 0) | (passage >= c.d_passage[node + 1])).any():
        raise ValueError("names passages that their texts do not have")
    return np.asarray(passage)


def crowd_arrays(c: Collection, crowd: Crowd, text: NDArray[np.int32]) -> Arrays:
    """The members of full buckets as an index keeps them."""
    node = c.p_article[crowd.passage]
    return {
        "text": text[node],
        "place": (crowd.passage - c.d_passage[node]).astype(np.int32),
        "member": crowd.member,
        "represents": crowd.represents,
    }


def crowd_from(
    c: Collection, parts: Sequence[Arrays], node_of: NDArray[np.int32], width: int
) -> Crowd:
    """The members of full buckets of all parts, ``width`` bytes of bands a passage.

    Raises ``ValueError`` where a part has other sizes, and for texts and passages that there
    cannot be.
    """
    if not parts:
        return no_crowd()
    for part in parts:
        for name in ("member", "represents"):
            if part[name].shape[1] != width:
                raise ValueError(f"'{name}' is not one row of {width} bytes for each passage")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    node = _nodes(columns["text"], node_of)
    there = node >= 0
    passage = _passages(c, node[there], columns["place"][there])
    return Crowd(passage, columns["member"][there], columns["represents"][there])


def alignment_arrays(
    c: Collection, x: Alignment, pairs: NDArray[np.bool_], text: NDArray[np.int32]
) -> Arrays:
    """The alignment of some pairs (bool) as an index keeps it: places count from the beginning of
    each text."""
    x = chosen(x, pairs)
    token = c.p_token[c.d_passage]
    first_a, first_b = token[x.pair_a[x.pair]], token[x.pair_b[x.pair]]
    of_link = x.pair[x.match]
    return {
        "text_a": text[x.pair_a],
        "text_b": text[x.pair_b],
        "pair": x.pair.astype(np.int32),
        "a0": (x.a0 - first_a).astype(np.int32),
        "a1": (x.a1 - first_a).astype(np.int32),
        "b0": (x.b0 - first_b).astype(np.int32),
        "b1": (x.b1 - first_b).astype(np.int32),
        "similarity": x.similarity,
        "bits": x.bits,
        "match": x.match.astype(np.int32),
        "link_a": (x.link_a - c.d_passage[x.pair_a[of_link]]).astype(np.int32),
        "link_b": (x.link_b - c.d_passage[x.pair_b[of_link]]).astype(np.int32),
        "cosine": x.cosine,
        "cut": x.cut,
    }


def alignment_from(c: Collection, parts: Sequence[Arrays], node_of: NDArray[np.int32]) -> Alignment:
    """The alignments of all parts, of pairs whose texts are both there still.

    Raises ``ValueError`` for texts, tokens and passages that there cannot be.
    """
    token = c.p_token[c.d_passage]
    found = []
    for part in parts:
        a, b = (_nodes(part[name], node_of).astype(np.int64) for name in ("text_a", "text_b"))
        pair, match = part["pair"].astype(np.int64), part["match"].astype(np.int64)
        of_link = pair[match]
        whole = Alignment(
            a,
            b,
            pair,
            part["a0"] + token[a[pair]],
            part["a1"] + token[a[pair]],
            part["b0"] + token[b[pair]],
            part["b1"] + token[b[pair]],
            part["similarity"],
            part["bits"],
            match,
            part["link_a"] + c.d_passage[a[of_link]],
            part["link_b"] + c.d_passage[b[of_link]],
            part["cosine"],
            part["cut"],
        )
        there = (a >= 0) & (b >= 0)
        found.append(whole if there.all() else chosen(whole, there))
        _check_inside(c, found[-1], token)
    return joined([no_alignment(), *found], np.int64(c.nodes + 1))


def _check_inside(c: Collection, x: Alignment, token: NDArray[np.int64]) -> None:
    """Spans and links lie in their texts, whose first tokens are ``token`` (int64, nodes + 1)."""
    outside = 0
    for node, begin, end, link in (
        (x.pair_a[x.pair], x.a0, x.a1, x.link_a),
        (x.pair_b[x.pair], x.b0, x.b1, x.link_b),
    ):
        wrong = (begin < token[node]) | (begin >= end) | (end > token[node + 1])
        owner = node[x.match]
        apart = (link < c.d_passage[owner]) | (link >= c.d_passage[owner + 1])
        outside += int(wrong.sum()) + int(apart.sum())
    if outside:
        raise ValueError("has spans that lie outside their texts")


def merged_parts(kind: str, parts: Sequence[Arrays], known: NDArray[np.int32]) -> Arrays:
    """Parts ``similar``, ``crowd`` or ``alignment`` as one, without what concerns texts that are
    not ``known`` (int32)."""
    if kind == "crowd":
        return _merged_crowds(parts, known)
    columns = {name: [part[name] for part in parts] for name in parts[0]}
    if kind == "alignment":
        matches, pairs = 0, 0
        for i, part in enumerate(parts):
            columns["pair"][i] = part["pair"] + np.int32(pairs)
            columns["match"][i] = part["match"] + np.int32(matches)
            pairs, matches = pairs + len(part["text_a"]), matches + len(part["pair"])
    cut = columns.pop("cut", [])
    out = {name: np.concatenate(arrays) for name, arrays in columns.items()}
    keep = np.isin(out["text_a"], known) & np.isin(out["text_b"], known)
    if kind == "similar":
        return {name: array[keep] for name, array in out.items()}
    of_match = keep[out["pair"]]
    of_link = of_match[out["match"]]
    number = (np.cumsum(keep) - 1).astype(np.int32)
    match_number = (np.cumsum(of_match) - 1).astype(np.int32)
    rows = dict.fromkeys(("text_a", "text_b"), keep)
    rows |= dict.fromkeys(("pair", *_OF_MATCH), of_match)
    rows |= dict.fromkeys(("match", *_OF_LINK), of_link)
    out = {name: array[rows[name]] for name, array in out.items()}
    out["pair"], out["match"] = number[out["pair"]], match_number[out["match"]]
    return {**out, "cut": np.sum(cut, axis=0)}


def _merged_crowds(parts: Sequence[Arrays], known: NDArray[np.int32]) -> Arrays:
    """Of several rows of one place the last one, which holds."""
    out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((out["place"], out["text"]))
    text, place = out["text"][order], out["place"][order]
    last = np.ones(len(order), bool)
    last[:-1] = (text[1:] != text[:-1]) | (place[1:] != place[:-1])
    chosen = np.sort(order[last & np.isin(text, known)])
    return {name: array[chosen] for name, array in out.items()}
