"""Rows of a bundle as the local engine's records: so that its functions can be asked about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.candidates import Candidates, Crowd, Similar
from dedup.classify import Matches
from dedup.collection import Collection, as_texts, collect
from dedup.corpus import Corpus
from dedup.engines.spark.batches import column
from dedup.engines.spark.compare import RELATED_MATCH
from dedup.judgements import Judgements
from dedup.kinds import no_statistics
from dedup.model import Evidence
from dedup.pipeline import Analysis
from dedup.relate import Relations
from dedup.reuse import no_alignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.families import Families
    from dedup.group import Group

    Claims = tuple[list[Evidence], list[Evidence]]

RECORD = (
    *("id", "digest", "ref", "published", "precision", "published_raw", "url", "byline"),
    *("outlet_id", "outlet_name"),
)
"""Columns of a record that facts about it rest on, besides ``node``."""


def corpus_of(rows: pa.Table, nodes: NDArray[np.int64], families: Families) -> Corpus:
    """The records ``rows`` (columns :data:`RECORD` and ``node``) over the texts ``nodes`` (int64,
    sorted), which are left out: nothing asks for those of a corpus here."""
    node = np.searchsorted(nodes, column(rows, "node")).astype(np.int64)
    digests = [""] * len(nodes)
    for number, digest in zip(node.tolist(), rows["digest"].to_pylist(), strict=True):
        digests[number] = digest
    table = rows.select([name for name in RECORD if name not in ("ref", "outlet_id", "outlet_name")])
    at = table.schema.get_field_index("published")
    table = table.set_column(at, "published", table["published"].cast(pa.timestamp("us", tz="UTC")))
    return Corpus(
        table,
        pa.nulls(len(nodes), pa.large_string()),
        digests,
        node,
        rows["ref"].to_pylist(),
        rows["outlet_id"].to_pylist(),
        rows["outlet_name"].to_pylist(),
        families,
    )


def no_texts(letters: NDArray[np.int64]) -> Collection:
    """A collection of which nothing is known but the letters and digits of each text."""
    empty = collect(as_texts([]))
    columns: dict[str, Any] = {name: getattr(empty, name) for name in Collection.__slots__}
    columns["d_length"] = columns["d_letters"] = letters.astype(np.int32)
    columns["d_passage"] = np.zeros(len(letters) + 1, np.int64)
    return Collection(**columns)


def no_matches() -> Matches:
    """No matches."""
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Matches(
        *[none] * 5, real, real, none.astype(np.int8), none.astype(np.int32), real
    )


def no_relations() -> Relations:
    """No relations."""
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Relations(none, none, none.astype(np.int8), *[real] * 6)


def relations_of(rows: pa.Table, nodes: NDArray[np.int64]) -> Relations:
    """The relations of pairs (columns of ``compare.RELATED``)."""
    a, b = (np.searchsorted(nodes, column(rows, end)).astype(np.int64) for end in ("a", "b"))
    names = ("narrative_a", "narrative_b", "coverage_a", "coverage_b", "p_copied", "p_shared")
    return Relations(
        a, b, column(rows, "relation"), *(column(rows, name) for name in names)
    )


def matches_of(rows: pa.Table, c: Collection, relations: Relations) -> Matches:
    """The matches of pairs, as tokens of the collection ``c``."""
    blobs = rows["matches"].to_pylist()
    m = np.frombuffer(b"".join(blobs), RELATED_MATCH)
    sizes = [len(blob) // RELATED_MATCH.itemsize for blob in blobs]
    pair = np.repeat(np.arange(len(blobs)), sizes)
    token = c.p_token[c.d_passage]
    a, b = token[relations.a[pair]], token[relations.b[pair]]
    return Matches(
        pair,
        m["a0"] + a,
        m["a1"] + a,
        m["b0"] + b,
        m["b1"] + b,
        np.ascontiguousarray(m["similarity"]),
        np.ascontiguousarray(m["bits"]),
        np.ascontiguousarray(m["kind"]),
        np.full(len(m), -1, np.int32),
        np.ascontiguousarray(m["plain"]),
    )


def analysis_of(
    corpus: Corpus,
    collection: Collection,
    relations: Relations,
    matches: Matches,
    *,
    groups: Sequence[Group] = (),
    groupable: bool = False,
    claims: Sequence[Claims] = (),
) -> Analysis:
    """An analysis of a bundle: what tables ask about records, pairs and groups, and no more."""
    none, flags = np.empty(0, np.int64), np.empty(0, bool)
    few = none.astype(np.int32)
    candidates = Candidates(
        none,
        none,
        few,
        np.zeros(1, np.int64),
        none,
        Similar(none, none, few, flags),
        Crowd(none, few, flags),
        {},
    )
    shared, statistics = no_statistics(collection)
    return Analysis(
        corpus,
        collection,
        candidates,
        no_alignment(),
        flags,
        shared,
        statistics,
        matches,
        relations,
        list(groups),
        np.full(collection.nodes, groupable),
        list(claims),
        [],
        Judgements(none.reshape(-1, 2), none.reshape(-1, 2), {}, np.empty(0, np.uint64)),
    )


EVIDENCE = (
    "array<struct<role:string,source:string,article:string,field:string,start:long,end:long,"
    "text:string>>"
)


def claims_of(rows: pa.Table | pa.RecordBatch) -> list[Claims]:
    """Credits and mentions of records (columns ``credits``, ``mentions``)."""
    both = zip(rows["credits"].to_pylist(), rows["mentions"].to_pylist(), strict=True)
    return [
        ([Evidence(**e) for e in credited], [Evidence(**e) for e in mentioned])
        for credited, mentioned in both
    ]
