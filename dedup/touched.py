"""Which rows of the tables an update makes anew: those that follow from something that is not as
the run before left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from dedup.errors import IndexDamagedError
from dedup.rowdigests import known_rows
from dedup.tables.passages import passage_name
from dedup.tables.records import FEW
from dedup.tables.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.pipeline import Analysis
    from dedup.store import Store
    from dedup.viewdigests import ViewDigests

    Arrays = dict[str, NDArray[Any]]
    Keys = list[tuple[Any, ...]]

VIEWS = "views"
"""The kind of the part that holds the digests of what the rows of the tables follow from."""
JUDGED = "judged"
"""The kind of the part that holds relations, and what they were judged by."""
OF_PAIRS = ("relations", "near_misses", "matches")


@dataclass(frozen=True, slots=True)
class Touched:
    """``selection`` of the rows to be made, and by table the keys of the rows ``formerly`` there
    that may be gone."""

    selection: Selection
    formerly: dict[str, Keys]


def kept_views(x: Analysis, now: ViewDigests, text: NDArray[np.int32]) -> Arrays:
    """Digests as an index keeps them; ``text`` (int32) is the number of each node's text. A text
    that several articles have is a pair with itself."""
    pairs = now.pair_of
    return {
        "records": now.records,
        "groups": now.groups,
        "clusters": now.clusters,
        "key": now.key,
        "again": now.again,
        "pairs": np.concatenate([now.pairs, now.of_identical]),
        "text_a": np.append(text[x.relations.a[pairs]], text[now.identical]),
        "text_b": np.append(text[x.relations.b[pairs]], text[now.identical]),
    }


def former_part(store: Store, kind: str) -> Arrays | None:
    """What the last run kept in the one part of a kind; ``None`` where it cannot be used: nothing
    rests on it."""
    try:
        parts = store.parts(kind)
    except IndexDamagedError:
        return None
    return parts[0] if parts else None


def touched_rows(
    store: Store, x: Analysis, former: Arrays, now: ViewDigests, group_ids: Sequence[str]
) -> Touched:
    """What is not as it was when the digests of ``former`` were kept."""
    corpus, nodes = x.corpus, x.collection.nodes
    records = ~known_rows(now.records, former["records"])
    own = np.zeros(nodes, bool)
    own[corpus.node[records]] = True
    pairs = np.zeros(len(x.relations.a), bool)
    pairs[now.pair_of[~known_rows(now.pairs, former["pairs"])]] = True
    groups = ~known_rows(now.groups, former["groups"])
    clusters = ~known_rows(now.clusters, former["clusters"])
    group_of: list[str | None] = [None] * len(corpus)
    source_of: list[str | None] = [None] * len(corpus)
    number = dict(
        zip(
            zip(corpus.strings("id"), corpus.strings("digest"), strict=True),
            range(len(corpus)),
            strict=True,
        )
    )
    for identity, digest, group, source in store.connection.execute(
        'SELECT id, digest, "group", source FROM articles'
    ):
        i = number.get((identity, digest))
        if i is not None:
            group_of[i], source_of[i] = group, source
    made = {name for name, chosen in zip(group_ids, groups.tolist(), strict=True) if chosen}
    sources = {}
    for name, stored in store.connection.execute('SELECT id, source FROM "groups"'):
        source = orjson.loads(stored)
        sources[name] = (source["id"], source["name"], source["kind"], source["confidence"])
    standing = {name: sources[name] for name in group_ids if name not in made}
    selection = Selection(records, pairs, own, groups, clusters, group_of, source_of, standing)
    gone = ~known_rows(former["pairs"], np.concatenate([now.pairs, now.of_identical]))
    keys = _keys_of_pairs(store, former["text_a"][gone], former["text_b"][gone])
    formerly: dict[str, Keys] = dict.fromkeys(OF_PAIRS[:2], keys)
    query = "SELECT a, b, a_start, b_start, a_end, b_end FROM matches WHERE a = ? AND b = ?"
    formerly["matches"] = [row for key in keys for row in store.rows(query, *key)]
    stood = set(zip(former["key"].tolist(), former["again"].tolist(), strict=True))
    stood.difference_update(zip(now.key.tolist(), now.again.tolist(), strict=True))
    formerly["passages"] = [(passage_name(key, again),) for key, again in sorted(stood)]
    formerly["groups"] = [(name,) for name in sorted(sources.keys() - set(group_ids))]
    refs = {ref for (ref,) in store.connection.execute("SELECT ref FROM articles")}
    formerly["articles"] = [(ref,) for ref in sorted(refs.difference(corpus.refs))]
    return Touched(selection, formerly)


def _keys_of_pairs(store: Store, one: NDArray[np.int32], two: NDArray[np.int32]) -> Keys:
    """Keys that rows of these pairs of texts can have in the index as it stands, as
    :meth:`dedup.tables.records.Records.pairs` and the stars of identical texts made them."""
    wanted = orjson.dumps(np.unique(np.append(one, two)).tolist()).decode()
    refs: dict[int, list[str]] = {}
    for text, ref in store.connection.execute(
        "SELECT text, ref FROM articles JOIN texts USING (digest) "
        "WHERE text IN (SELECT value FROM json_each(?)) ORDER BY id",
        (wanted,),
    ):
        refs.setdefault(text, []).append(ref)
    keys: dict[tuple[str, str], None] = {}
    for a, b in zip(one.tolist(), two.tolist(), strict=True):
        mine, others = refs.get(a, []), refs.get(b, [])
        if a == b:
            mine, others = mine[:1], mine[1:]
        elif len(mine) * len(others) > FEW:
            mine, others = mine[:1], others[:1]
        keys |= dict.fromkeys((min(i, j), max(i, j)) for i in mine for j in others)
    return list(keys)
