"""Rows of a bundle as the local engine's records: so that its functions can be asked about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.candidates import Candidates
from dedup.classify import Matches
from dedup.collection import Collection, as_texts, collect
from dedup.corpus import Corpus
from dedup.engines.spark.batches import column, records_of, unsorted
from dedup.engines.spark.compare import RELATED_MATCH
from dedup.formerpairs import Similar, no_crowd
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
    from dedup.kinds import PassageStatistics
    from dedup.passages import SharedPassages

    Claims = tuple[list[Evidence], list[Evidence]]

RECORD = (
    *("id", "digest", "ref", "published", "precision", "published_raw", "url", "byline"),
    *("outlet_id", "outlet_name"),
)
"""Columns of a record that facts about it rest on, besides ``node``."""
_BESIDE = ("ref", "outlet_id", "outlet_name")


def corpus_of(rows: pa.Table, nodes: NDArray[np.int64], families: Families) -> Corpus:
    """The records ``rows`` (columns :data:`RECORD` and ``node``) over the texts ``nodes`` (int64,
    sorted), which are left out: nothing asks for those of a corpus here."""
    node = np.searchsorted(nodes, column(rows, "node")).astype(np.int64)
    digests = [""] * len(nodes)
    for number, digest in zip(node.tolist(), rows["digest"].to_pylist(), strict=True):
        digests[number] = digest
    table = rows.select([name for name in RECORD if name not in _BESIDE])
    at = table.schema.get_field_index("published")
    times = table["published"].cast(pa.timestamp("us", tz="UTC"))
    table = table.set_column(at, "published", times)
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


def places_only(letters: NDArray[np.int64], starts: NDArray[np.int64]) -> Collection:
    """A collection of tokens without length that begin at characters ``starts`` (int64), by which
    the ends of spans are looked up; ``letters`` and digits of each text."""
    columns: dict[str, Any] = {
        name: getattr(no_texts(letters), name) for name in Collection.__slots__
    }
    columns["t_start"] = starts.astype(np.int32)
    columns["t_length"] = np.zeros(len(starts), np.uint16)
    return Collection(**columns)


def one_text(first: int, last: int) -> Collection:
    """A collection of one text that has words from character ``first`` to ``last``."""
    columns: dict[str, Any] = {
        name: getattr(places_only(np.ones(1, np.int64), np.array([last])), name)
        for name in Collection.__slots__
    }
    columns["d_passage"] = columns["p_token"] = np.array([0, 1])
    columns["p_start"] = np.array([first], np.int32)
    return Collection(**columns)


def placed_matches(
    rows: pa.Table, letters: NDArray[np.int64]
) -> tuple[Collection, Matches, list[str]]:
    """The matches of pairs by their characters: a collection in which they can be looked up, the
    matches, and the ids of their shared passages."""
    blobs = rows["matches"].to_pylist()
    m = records_of(blobs, RELATED_MATCH)
    sizes = [len(blob) // RELATED_MATCH.itemsize for blob in blobs]
    # Four tokens a match: where its spans begin and end.
    at = 4 * np.arange(len(m))
    starts = np.stack([m[name] for name in ("a_start", "a_end", "b_start", "b_end")], axis=1)
    names, number = np.unique(m["passage"], return_inverse=True)
    passage = np.where(m["shared"] > 0, number, -1).astype(np.int32)
    matches = Matches(
        np.repeat(np.arange(len(blobs)), sizes),
        at,
        at + 2,
        at + 2,
        at + 4,
        np.ascontiguousarray(m["similarity"]),
        np.ascontiguousarray(m["bits"]),
        np.ascontiguousarray(m["kind"]),
        passage,
        np.ascontiguousarray(m["plain"]),
    )
    ids = [f"p-{key:016x}" for key in unsorted(names).tolist()]
    return places_only(letters, starts.ravel()), matches, ids


def no_matches() -> Matches:
    """No matches."""
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Matches(
        none, none, none, none, none, real, real, none.astype(np.int8), none.astype(np.int32), real
    )


def no_relations() -> Relations:
    """No relations."""
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Relations(none, none, none.astype(np.int8), *[real] * 6)


def relations_of(rows: pa.Table, nodes: NDArray[np.int64]) -> Relations:
    """The relations of pairs (columns of ``compare.RELATED``)."""
    a, b = (np.searchsorted(nodes, column(rows, end)).astype(np.int64) for end in ("a", "b"))
    names = ("narrative_a", "narrative_b", "coverage_a", "coverage_b", "p_copied", "p_shared")
    return Relations(a, b, column(rows, "relation"), *(column(rows, name) for name in names))


def matches_of(rows: pa.Table, c: Collection, relations: Relations) -> Matches:
    """The matches of pairs, as tokens of the collection ``c``."""
    blobs = rows["matches"].to_pylist()
    m = records_of(blobs, RELATED_MATCH)
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
    shared: SharedPassages | None = None,
    statistics: PassageStatistics | None = None,
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
        no_crowd(),
        {},
        apart=True,  # of none
    )
    nothing, uncounted = no_statistics(collection)
    return Analysis(
        corpus,
        collection,
        candidates,
        no_alignment(),
        flags,
        shared or nothing,
        statistics or uncounted,
        matches,
        relations,
        list(groups),
        np.full(collection.nodes, groupable),
        list(claims),
        [],
        Judgements(none.reshape(-1, 2), none.reshape(-1, 2), {}, np.empty(0, np.uint64)),
        flags,
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
