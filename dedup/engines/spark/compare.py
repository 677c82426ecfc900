"""Aligning pairs, and naming what they have in common: the local stages on blocks of pairs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.align import align
from dedup.candidates import indexed_passages
from dedup.classify import Matches, judge_runs
from dedup.collection import RecordArrays
from dedup.engines.spark.batches import collected, column, lists, ragged, sortable
from dedup.engines.spark.blocks import (
    by_block,
    packed_alignment,
    places,
    unpacked_alignment,
)
from dedup.kinds import PassageStatistics, unrelated_outside
from dedup.passages import SharedPassages
from dedup.relate import relate
from dedup.speech import Speech

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dedup.align import Alignment
    from dedup.collection import Collection
    from dedup.config import Settings

ALIGNED = (
    "block int, a long, b long, matches binary, links binary, key_a array<long>, "
    "key_b array<long>, cosine array<float>, cut array<long>"
)
"""Columns of an aligned pair. ``key_a``, ``key_b``, ``cosine``: its links between indexed
passages; ``cut``: what limits left out, for the whole block in its first row."""


def align_pairs(pairs: DataFrame, nodes: DataFrame, settings: Settings) -> DataFrame:
    """Align pairs in blocks (:data:`ALIGNED`)."""

    def work(rows: pa.Table, texts: pa.Table) -> pa.Table:
        c = collected(texts["text"])
        a, b = places(texts, rows)
        x = align(c, a, b, settings)
        matches, links = packed_alignment(c, x)
        indexed = np.zeros(len(c.p_start), bool)
        indexed[indexed_passages(c, settings)] = True
        chosen = np.flatnonzero(indexed[x.link_a] & indexed[x.link_b])
        start = np.searchsorted(x.pair[x.match[chosen]], np.arange(len(a) + 1))
        key = sortable(c.p_key)
        cut = [x.cut.tolist() if i == 0 else [] for i in range(len(rows))]
        return pa.table(
            {
                "block": rows["block"],
                "a": rows["a"],
                "b": rows["b"],
                "matches": pa.array(matches, pa.binary()),
                "links": pa.array(links, pa.binary()),
                "key_a": lists(start, key[x.link_a[chosen]], pa.int64()),
                "key_b": lists(start, key[x.link_b[chosen]], pa.int64()),
                "cosine": lists(start, x.cosine[chosen], pa.float32()),
                "cut": pa.array(cut, pa.list_(pa.int64())),
            }
        )

    return by_block(pairs, nodes.select("node", "text"), work, ALIGNED)


def _recalled(rows: pa.Table, nodes: pa.Table) -> tuple[Collection, Alignment]:
    c = collected(nodes["text"])
    a, b = places(nodes, rows)
    token = c.p_token[c.d_passage]
    return c, _unpacked(rows, c.d_passage, token, a, b)


def _unpacked(
    rows: pa.Table,
    d_passage: NDArray[np.int64],
    d_token: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
) -> Alignment:
    matches, links = (rows[name].to_pylist() for name in ("matches", "links"))
    return unpacked_alignment(d_passage, d_token, a, b, matches, links)


def _marked(c: Collection, nodes: pa.Table, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Lists of places in nodes as passages of ``c``: ``(row of each, passage)``."""
    filled = nodes[name].combine_chunks()
    start, place = ragged(pa.table({name: filled}), name)
    row = np.repeat(np.arange(len(nodes)), np.diff(start))
    return row, c.d_passage[row] + place


def unrelated(aligned: DataFrame, facts: DataFrame) -> DataFrame:
    """``a``, ``b`` of aligned pairs that are otherwise unrelated (``kinds.unrelated_pairs``).

    ``facts``: ``node``, ``letters`` of the text and ``letters_of`` its passages, ``day``,
    ``suspect`` (places of suspected passages). No text is needed.
    """

    def work(rows: pa.Table, nodes: pa.Table) -> pa.Table:
        d_passage, letters = ragged(nodes, "letters_of")
        article = np.repeat(np.arange(len(nodes), dtype=np.int32), np.diff(d_passage))
        start, place = ragged(nodes, "suspect")
        in_suspect = np.zeros(len(letters), bool)
        in_suspect[np.repeat(d_passage[:-1], np.diff(start)) + place] = True
        a, b = places(nodes, rows)
        x = _unpacked(rows, d_passage, np.zeros(len(d_passage), np.int64), a, b)
        day = column(nodes, "day")
        one, two = day[a], day[b]
        apart = np.where((one >= 0) & (two >= 0), np.abs(one - two), 0)
        plain = letters * ~in_suspect
        outside = np.bincount(article, plain, len(nodes)).astype(np.int64)
        own = column(nodes, "letters")
        found = unrelated_outside(outside, own, plain.__getitem__, len(plain), x, apart)
        return rows.select(["a", "b"]).filter(pa.array(found))

    pairs = aligned.select("block", "a", "b", "matches", "links")
    return by_block(pairs, facts, work, "a long, b long")


RELATED_MATCH = np.dtype(
    [
        *((name, "<i4") for name in ("a0", "a1", "b0", "b1")),
        *((name, "<i4") for name in ("a_start", "a_end", "b_start", "b_end")),
        ("similarity", "<f8"),
        ("bits", "<f8"),
        ("plain", "<f8"),
        ("passage", "<i8"),
        ("kind", "i1"),
        ("shared", "i1"),
    ]
)
"""A match of a pair: tokens counted from the beginning of each text, characters, and the shared
``passage`` that stands for it where ``shared`` is 1."""
_SHARES = (
    *("narrative_a", "narrative_b", "coverage_a", "coverage_b"),
    *("p_copied", "p_shared"),
)
RELATED = (
    "block int, a long, b long, relation byte, letters_a long, letters_b long, "
    + ", ".join(f"{name} double" for name in _SHARES)
    + ", matches binary"
)


def relate_pairs(aligned: DataFrame, facts: DataFrame, settings: Settings) -> DataFrame:
    """Classify the matches of aligned pairs and name their relations (:data:`RELATED`).

    ``facts``: ``node``, ``text``, ``owner_id`` (of its first record), ``template`` places, and of
    the shared passages in it ``places``, ``clusters``, ``kinds``, ``quoted`` (lists).
    """

    def work(rows: pa.Table, nodes: pa.Table) -> pa.Table:
        c, x = _recalled(rows, nodes)
        shared, statistics, names = _views(c, nodes)
        template = np.zeros(len(c.p_start), bool)
        template[_marked(c, nodes, "template")[1]] = True
        records = _first_records(nodes)
        matches = judge_runs(
            c, x, shared, statistics, template, records.outlet, Speech.of(c.p_speech), settings
        ).matches()
        related = relate(c, x, matches, records, settings)
        blobs = _packed_matches(c, x, matches, names)
        return pa.table(
            {
                "block": rows["block"],
                "a": rows["a"],
                "b": rows["b"],
                "relation": pa.array(related.relation),
                "letters_a": pa.array(c.d_letters[x.pair_a].astype(np.int64)),
                "letters_b": pa.array(c.d_letters[x.pair_b].astype(np.int64)),
                **{name: pa.array(getattr(related, name)) for name in _SHARES},
                "matches": pa.array(blobs, pa.binary()),
            }
        )

    pairs = aligned.select("block", "a", "b", "matches", "links")
    return by_block(pairs, facts, work, RELATED)


def _first_records(nodes: pa.Table) -> RecordArrays:
    """The first record of each node, which is all that relations look at."""
    count = len(nodes)
    owners = nodes["owner_id"].combine_chunks().dictionary_encode()
    outlet = owners.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    everyone = np.arange(count)
    return RecordArrays(
        everyone, outlet, np.full(count, -1, np.int64), np.arange(count + 1), everyone
    )


def _views(
    c: Collection, nodes: pa.Table
) -> tuple[SharedPassages, PassageStatistics, NDArray[np.int64]]:
    """What the whole corpus says of the shared passages of a block, and their names (int64)."""
    _, passage = _marked(c, nodes, "places")
    clusters, kinds, quoted = (ragged(nodes, name)[1] for name in ("clusters", "kinds", "quoted"))
    names, first, number = np.unique(clusters, return_index=True, return_inverse=True)
    of_passage = np.full(len(c.p_start), -1, np.int32)
    of_passage[passage] = number
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    # Only kinds and shares of quotes are asked for from here on.
    statistics = PassageStatistics(
        none, none, none, none, real, quoted[first], real, real, kinds[first]
    )
    shared = SharedPassages(np.zeros(len(names) + 1, np.int64), none, none, of_passage)
    return shared, statistics, names


def _packed_matches(
    c: Collection, x: Alignment, m: Matches, names: NDArray[np.int64]
) -> list[bytes]:
    out = np.zeros(len(m.pair), RELATED_MATCH)
    token = c.p_token[c.d_passage]
    for end, nodes in (("a", x.pair_a[m.pair]), ("b", x.pair_b[m.pair])):
        lo, hi = getattr(m, f"{end}0"), getattr(m, f"{end}1")
        out[f"{end}0"], out[f"{end}1"] = lo - token[nodes], hi - token[nodes]
        out[f"{end}_start"], out[f"{end}_end"] = c.t_start[lo], c.end_of(hi - 1)
    for name in ("similarity", "bits", "plain", "kind"):
        out[name] = getattr(m, name)
    known = m.passage >= 0
    out["shared"] = known
    out["passage"][known] = names[m.passage[known]]
    starts = np.searchsorted(m.pair, np.arange(len(x.pair_a) + 1))
    data, size = out.tobytes(), RELATED_MATCH.itemsize
    ends = (starts * size).tolist()
    return [data[lo:hi] for lo, hi in pairwise(ends)]
