"""What an index holds, as a corpus and what earlier runs found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from dedup.candidates import SameWords
from dedup.corpus import Corpus, assemble
from dedup.formerpairs import KnownPassages
from dedup.indexnotes import KEYS_APART
from dedup.ingest import RECORD, evidence_of
from dedup.model import Evidence, article_schema
from dedup.rejudge import known_relations
from dedup.reuse import Earlier, alignment_from, crowd_from, merged_parts, similar_from
from dedup.sketch import scheme
from dedup.storedframes import SurveyedTexts, damaged_index, restored_texts
from dedup.storedtexts import StoredTexts
from dedup.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.arena import Arena
    from dedup.collection import Collection
    from dedup.config import Settings
    from dedup.families import Families
    from dedup.store import Store

Claims = tuple[list[Evidence], list[Evidence]]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A corpus, what is known of it, and the index's number of each node's text (int32)."""

    corpus: Corpus
    earlier: Earlier
    number: NDArray[np.int32]
    anew: bool
    """Whether passages are compared anew."""


def load_vocabulary(store: Store) -> Vocabulary:
    """The words of all texts of an index."""
    parts = store.parts("vocabulary")
    if not parts:
        return Vocabulary()
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Vocabulary.of(**columns)


def join_parts(store: Store, run: int, most: int = 0) -> None:
    """Join what runs added one after another, where there are more than ``most`` parts of a kind,
    without what concerns texts that are gone."""
    counts = dict(store.rows("SELECT kind, count(*) FROM parts GROUP BY kind"))
    known = None
    for kind in ("similar", "crowd", "alignment"):
        if counts.get(kind, 0) > most:
            if known is None:
                known = np.array([n for (n,) in store.rows("SELECT text FROM texts")], np.int32)
            store.replace_parts(kind, run, merged_parts(kind, store.parts(kind), known))
    if most and counts.get("vocabulary", 0) > most:
        store.replace_parts("vocabulary", run, load_vocabulary(store).since(0))


def recall(
    store: Store,
    vocabulary: Vocabulary,
    families: Families,
    settings: Settings,
    *,
    arena: Arena,
    threads: int,
    compare_anew: bool = False,
    judged: dict[str, NDArray[Any]] | None = None,
) -> Recalled:
    """Everything that is in the index now, which was made with ``settings``.

    ``compare_anew`` forgets which passages are similar: needed after articles were removed, since
    what limits had cut may come back. ``judged``: what the last run kept of its relations, where
    nothing was taken out since. Raises :class:`~dedup.errors.IndexDamagedError`.
    """
    number, digests, known = _numbers(store)
    corpus, order = load_corpus(store, digests, number, families)
    texts = SurveyedTexts(
        store, number.tolist(), vocabulary, corpus.copies, threads=threads, arena=arena
    )
    collection = texts.collection
    node_of = np.full(1 + store.last_number("texts"), -1, np.int32)
    node_of[number] = np.arange(len(number), dtype=np.int32)
    relations = None if judged is None else known_relations(judged, known.copy(), collection)
    if compare_anew:
        known[:] = False
    parts = [] if compare_anew else store.parts("similar")
    crowds = [] if compare_anew else store.parts("crowd")
    width = -(-scheme(settings).bands // 8)
    kind = "similar"
    try:
        similar = similar_from(collection, parts, node_of)
        kind = "crowd"
        crowd = crowd_from(collection, crowds, node_of, width)
        kind = "alignment"
        alignment = alignment_from(collection, store.parts("alignment"), node_of)
    except ValueError as error:
        raise damaged_index(store, f"a part of the kind '{kind}' {error}") from error
    languages = dict(store.rows("SELECT text, language FROM frames"))
    earlier = Earlier(
        collection,
        KnownPassages(known, similar, crowd, KEYS_APART in store.meta()),
        alignment,
        _claims(store, corpus.refs, order),
        [languages[text] for text in number.tolist()],
        relations,
        texts.lay_out,
        texts.articles,
        texts.edges,
    )
    return Recalled(corpus, earlier, number, compare_anew)


def restored(
    store: Store,
    vocabulary: Vocabulary | None = None,
    *,
    arena: Arena | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int32], Collection, NDArray[np.bool_]]:
    """The texts of an index as ``(number, collection, analysed)``, by digest: their numbers (int32)
    and whether their results are committed (bool)."""
    if vocabulary is None:
        vocabulary = load_vocabulary(store)
    number, _, known = _numbers(store)
    collection = restored_texts(store, number.tolist(), vocabulary, threads=threads, arena=arena)
    return number, collection, known


def surveyed_texts(
    store: Store, *, threads: int = 1
) -> tuple[NDArray[np.int32], Collection, SameWords]:
    """As :func:`restored`, without tokens and distinct words; and which of its passages have the
    same words."""
    number, _, known = _numbers(store)
    copies = np.ones(len(number), np.int64)
    texts = SurveyedTexts(store, number.tolist(), load_vocabulary(store), copies, threads=threads)
    texts.edges()  # nobody asks for them
    apart = KEYS_APART in store.meta()
    return number, texts.collection, SameWords(texts.collection, known, apart, texts.lay_out)


def _numbers(store: Store) -> tuple[NDArray[np.int32], list[str], NDArray[np.bool_]]:
    """All texts by digest: their numbers, digests, and which of them runs have compared and
    committed."""
    # Read as they lie there and put in order after: by the index on digests, each row would be
    # looked for on its own, on a disk for minutes.
    rows = store.rows("SELECT text, digest, analysed IS NOT NULL FROM texts ORDER BY +digest")
    return (
        np.array([row[0] for row in rows], np.int32),
        [row[1] for row in rows],
        np.array([row[2] for row in rows], bool),
    )


def load_corpus(
    store: Store, digests: list[str], number: NDArray[np.int32], families: Families
) -> tuple[Corpus, list[int]]:
    """The records of an index over its texts (``digests`` sorted, ``number`` int32), by id and
    digest; and where each stands among those of the index."""
    names = ", ".join(RECORD)
    rows = store.rows(f"SELECT {names} FROM records ORDER BY rowid")  # noqa: S608
    key = itemgetter(RECORD.index("id"), RECORD.index("digest"))
    order = sorted(range(len(rows)), key=lambda row: key(rows[row]))
    rows = [rows[row] for row in order]
    schema = article_schema()
    columns: dict[str, Sequence[Any]] = dict.fromkeys(RECORD, ())
    columns |= zip(RECORD, zip(*rows, strict=True), strict=False)
    issues = {value: orjson.loads(value) for value in set(columns["issues"])}
    columns["issues"] = [issues[value] for value in columns["issues"]]
    fields = [field for field in schema if field.name != "text"]
    arrays = []
    for field in fields:
        values = columns[field.name]
        if field.name == "published":
            arrays.append(pa.array(values, pa.int64()).cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    table = pa.table(arrays, schema=pa.schema(fields))
    node_of = {digest: node for node, digest in enumerate(digests)}
    node = np.array([node_of[digest] for digest in columns["digest"]], np.int64)
    texts = StoredTexts(store, "text", number.tolist())
    return assemble(table, digests, node, texts, families), order


def _claims(store: Store, refs: Sequence[str], order: Sequence[int]) -> list[Claims]:
    """Credits and mentions of all records, in the order of :func:`load_corpus`."""
    place = {row: place for place, row in enumerate(order)}
    out: dict[int, Claims] = {}
    for row, (claims,) in enumerate(
        store.connection.execute("SELECT claims FROM records ORDER BY rowid")
    ):
        out[place[row]] = evidence_of(claims, refs[place[row]])
    return [out[place] for place in range(len(refs))]
