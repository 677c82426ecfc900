"""One run of an index: what is new taken in, compared, and committed; what changed, told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from dedup import indexnotes
from dedup.changes import (
    changes_of,
    compare_tables,
    delta_tables,
    keep_delta,
    keep_digests,
    kept_delta,
    store_changes,
    tell_all_rows,
)
from dedup.history import name_groups
from dedup.indextables import RESULTS
from dedup.ingest import Ingest, Ingested
from dedup.memory import collector_paused
from dedup.model import table_schemas
from dedup.recall import join_parts, load_vocabulary, recall
from dedup.rejudge import kept_relations, outlet_marks
from dedup.removal import kept_from, naming_outputs, noted_removals
from dedup.retraction import retract
from dedup.reuse import alignment_arrays, crowd_arrays, similar_arrays
from dedup.run import counts_of, ledger_dict
from dedup.runs import COMMITTED, READING
from dedup.texts import Tables
from dedup.touched import JUDGED, VIEWS, former_part, kept_views, touched_rows
from dedup.viewdigests import view_digests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from dedup.history import Event
    from dedup.pipeline import Analysis
    from dedup.read.drop import DropFolders
    from dedup.run import Run
    from dedup.runs import Started
    from dedup.store import Store
    from dedup.vocabulary import Vocabulary


MOST_PARTS = 50
"""Parts of a kind, one a run, that are kept before they are joined: each costs a millisecond."""
MOST_KEPT = 1.25
"""Times the pairs of passages that stand that those kept may be, with such as were cut."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is left of a :class:`~dedup.recall.Recalled` when its findings have had their use;
    ``similar``: pairs of passages that earlier runs kept."""

    number: NDArray[np.int32]
    anew: bool
    similar: int


@dataclass(frozen=True)
class Update:
    """What a run of an index did.

    ``id`` and ``number`` name the run; ``tables`` holds the rows of the output contract that it
    added or changed; ``changes`` says what happened to each (rows of ``changes.jsonl``); ``run`` is
    the content of ``run.json``. ``changed`` is false when the index is as it was.
    """

    id: str
    number: int
    tables: Mapping[str, pa.Table]
    changes: list[dict[str, Any]]
    run: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether the run changed anything."""
        return bool(self.changes)

    def __repr__(self) -> str:
        return f"<dedup.Update {self.number} ({self.id}): {len(self.changes):,} changes>"


def bring_up_to_date(
    store: Store,
    run: Run,
    started: Started,
    inputs: list[str],
    missing: Mapping[str, Sequence[str]],
    files: DropFolders,
    keep_days: int | None,
) -> Update:
    """Take in and compare what is new; commit it. ``missing``: what was to be removed and was not
    there, as :func:`dedup.removal.remove` gives it."""
    run.compile()
    vocabulary = load_vocabulary(store)
    workers = run.workers
    oldest = None if keep_days is None else kept_from(keep_days)
    intake = Ingest(store, started.number, run.agencies, vocabulary, workers, oldest)
    with run.reading(inputs, files) as batches:
        intake.take(batches, run.ledger)
    retract(store, started.number, run.ledger)
    counts = intake.counts
    judged = run.judged
    stale = (
        counts.new
        or counts.restated
        or noted_removals(store)
        or (started.continued and started.state == READING)
        or store.meta().get(indexnotes.CORRECTIONS, "") != judged
    )
    if not stale:
        return _as_it_was(store, run, started, counts, missing)
    with collector_paused():
        return compare_all(store, run, started, vocabulary, counts, missing)


def compare_all(
    store: Store,
    run: Run,
    started: Started,
    vocabulary: Vocabulary | None = None,
    counts: Ingested | None = None,
    missing: Mapping[str, Sequence[str]] | None = None,
) -> Update:
    """Compare what is in the index and was not compared yet; commit what changes."""
    grew = _only_grew(store, run, started)
    recalled = recall(
        store,
        vocabulary or load_vocabulary(store),
        run.corrections.families,
        run.settings,
        arena=run.arena,
        threads=run.workers,
        compare_anew=indexnotes.COMPARE_ANEW in store.meta(),
        judged=former_part(store, JUDGED) if grew else None,
    )
    known = _Known(recalled.number, recalled.anew, len(recalled.earlier.passages.similar.u))
    analysis = run.analyse(recalled.corpus, earlier=recalled.earlier)
    del recalled  # what earlier runs found takes room, and has had its use
    with run.clock.stage("touched"):
        ids, events = named(store, analysis)
        now = view_digests(analysis, run.settings, ids)
        former = former_part(store, VIEWS) if grew else None
        touched = None
        if former is not None:
            touched = touched_rows(store, analysis, former, now, ids)
    tables = run.tables(analysis, group_ids=ids, only=touched.selection if touched else None)
    with run.clock.stage("commit"), store.transaction():
        return _commit(
            store,
            run,
            started,
            known,
            analysis,
            tables,
            touched.formerly if touched else None,
            {
                VIEWS: kept_views(analysis, now, known.number),
                JUDGED: _judged(analysis, now.pair_of),
            },
            events,
            counts or Ingested(),
            missing or {},
        )


def _only_grew(store: Store, run: Run, started: Started) -> bool:
    """Whether a run adds to what is in the index and changes nothing of it, so that rows stand of
    which nothing was touched.

    Not where records were taken out or are said otherwise, where the user's word counts (what
    became of it is told of all tables), and where an earlier process has written rows of this run.
    """
    meta = store.meta()
    changing = {
        indexnotes.COMPARE_ANEW,
        indexnotes.UNUSED_WORDS,
        indexnotes.REMOVED,
        indexnotes.RESTATED,
    }
    return (
        changing.isdisjoint(meta)
        and not started.continued
        and not run.corrections.file
        and meta.get(indexnotes.CORRECTIONS, "") == run.judged
        and tell_all_rows(store)
    )


def _judged(x: Analysis, told: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What the next run need not judge again; ``told`` (int64): the pairs that have rows."""
    marks = outlet_marks(x.corpus.owner_ids, x.corpus.records, x.collection.nodes)
    of_pair = np.zeros(len(x.relations.a), bool)
    of_pair[told] = True
    return kept_relations(
        *(x.collection, x.shared, x.statistics, x.template),
        *(x.matches, x.relations, of_pair, marks),
    )


def _commit(
    store: Store,
    run: Run,
    started: Started,
    known: _Known,
    analysis: Analysis,
    tables: Tables,
    formerly: Mapping[str, Sequence[tuple[Any, ...]]] | None,
    kept: Mapping[str, dict[str, NDArray[Any]]],
    events: list[Event],
    counts: Ingested,
    missing: Mapping[str, Sequence[str]],
) -> Update:
    number = started.number
    _store_findings(store, number, known, analysis)
    found = compare_tables(store, tables, formerly)
    former = store_changes(store, number, found)
    keep_digests(store, number, found)
    for kind, arrays in kept.items():
        store.replace_parts(kind, number, arrays)
    if indexnotes.UNUSED_WORDS in store.meta():
        # What stood in these rows before may be words of erased texts; the process that erased
        # them may be another one, which was killed.
        store.connection.execute('UPDATE changes SET "before" = NULL WHERE run = ?', (number,))
        # The id of a passage is a hash of its words, by which a guess could be confirmed.
        store.connection.execute(
            """DELETE FROM changes WHERE "table" = 'passages' """
            "AND json_extract(key, '$[0]') NOT IN (SELECT id FROM passages)"
        )
    history = [
        (e.group, number, e.event, orjson.dumps(e.others).decode(), e.reason) for e in events
    ]
    store.insert("group_history", history)
    delta = delta_tables(tables, found, former)
    delta["rejected"] = tables["rejected"]
    keep_delta(store, number, delta)
    about = run.about(analysis, counts_of(Tables.of(delta)))
    about["run"] = _about_run(store, started, counts, missing)
    about["index"] = {
        "articles": len(analysis.corpus),
        "texts": analysis.collection.nodes,
        "groups": len(analysis.groups),
    }
    update = "UPDATE runs SET state = ?, about = ? WHERE run = ?"
    store.connection.execute(update, (COMMITTED, orjson.dumps(about).decode(), number))
    if analysis.candidates.apart:
        store.note({indexnotes.KEYS_APART: "1"})
    else:
        store.forget_note(indexnotes.KEYS_APART)
    store.note({indexnotes.CORRECTIONS: run.judged, indexnotes.COMMITTED: uuid.uuid4().hex})
    for name in (indexnotes.COMPARE_ANEW, indexnotes.REMOVED, indexnotes.RESTATED):
        store.forget_note(name)
    return Update(started.id, number, delta, changes_of(store, number), about)


def named(store: Store, analysis: Analysis) -> tuple[list[str], list[Event]]:
    """Ids of the groups found, and what became of those before."""
    corpus = analysis.corpus
    identities, digests = corpus.strings("id"), corpus.strings("digest")
    start, order = corpus.records.start.tolist(), corpus.records.order.tolist()
    cores = [
        [
            (identities[i], digests[i])
            for node in group.core
            for i in order[start[node] : start[node + 1]]
        ]
        for group in analysis.groups
    ]
    known = {
        ref: (identity, digest)
        for ref, identity, digest in store.rows("SELECT ref, id, digest FROM articles")
    }
    former = {
        name: [known[ref] for ref in orjson.loads(core) if ref in known]
        for name, core in store.rows('SELECT id, core FROM "groups"')
    }
    used = {name for (name,) in store.rows('SELECT DISTINCT "group" FROM group_history')}
    return name_groups(cores, former, used)


def _store_findings(store: Store, run: int, known: _Known, analysis: Analysis) -> None:
    """Keep what later runs need not find again."""
    c, similar = analysis.collection, analysis.candidates.similar
    standing = similar.shared > 0
    kept = known.similar + int(similar.fresh.sum())
    crowd = crowd_arrays(c, analysis.candidates.crowd, known.number)
    if known.anew or kept > MOST_KEPT * int(standing.sum()):
        # So many were cut: what is kept is what stands.
        store.replace_parts("similar", run, similar_arrays(c, similar, standing, known.number))
    else:
        store.add_part("similar", run, similar_arrays(c, similar, similar.fresh, known.number))
    if known.anew:
        store.replace_parts("crowd", run, crowd)
    else:
        store.add_part("crowd", run, crowd)
    store.add_part(
        "alignment",
        run,
        alignment_arrays(c, analysis.alignment, analysis.aligned_now, known.number),
    )
    store.connection.execute("UPDATE texts SET analysed = ? WHERE analysed IS NULL", (run,))
    join_parts(store, run, MOST_PARTS)


def _about_run(
    store: Store, started: Started, counts: Ingested, missing: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    outputs = naming_outputs(store)
    return {
        "id": started.id,
        "number": started.number,
        "continued": started.continued,
        "new": int(store.value("SELECT count(*) FROM records WHERE run = ?", started.number)),
        "known": counts.known,
        "revisions": counts.revisions,
        "erased": counts.erased,
        "withdrawn": counts.withdrawn,
        "too_old": counts.too_old,
        "removed": _removed(store, started),
        **missing,
        **({"outputs": outputs} if outputs else {}),
    }


def _removed(store: Store, started: Started) -> int:
    """How many articles all processes of a run took out."""
    about = store.value("SELECT about FROM runs WHERE run = ?", started.number)
    told = 0 if about is None else int(orjson.loads(about)["run"]["removed"])
    return told + noted_removals(store)


def _as_it_was(
    store: Store,
    run: Run,
    started: Started,
    counts: Ingested,
    missing: Mapping[str, Sequence[str]],
) -> Update:
    """A run that found nothing new; or one whose results were committed already."""
    about = store.value("SELECT about FROM runs WHERE run = ?", started.number)
    delta = kept_delta(store, started.number)
    empty = {name: table_schemas()[name].empty_table() for name in (*RESULTS, "rejected")}
    if about is None:
        found = run.about(None, counts_of(Tables.of(empty)))
        found["run"] = _about_run(store, started, counts, missing)
        found["index"] = {
            "articles": int(store.value("SELECT count(*) FROM records")),
            "texts": int(store.value("SELECT count(*) FROM texts")),
            "groups": int(store.value('SELECT count(*) FROM "groups"')),
        }
    else:
        found = orjson.loads(about)
        found["run"]["continued"] = started.continued
        # Every input was read again: what is damaged now is what the run has to say.
        found["ledger"], found["inputs"] = ledger_dict(run.ledger), run.inputs
    tables = {**empty, **delta, "rejected": run.rejected()}
    return Update(started.id, started.number, tables, changes_of(store, started.number), found)
