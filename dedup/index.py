"""The index: articles of many days, what they share, and what each run added."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from dedup.changes import (
    changes_of,
    compare_table,
    delta_tables,
    keep_delta,
    kept_delta,
    store_changes,
)
from dedup.config import ANALYSIS, Settings, settings_from
from dedup.errors import IndexDamagedError
from dedup.history import name_groups
from dedup.ingest import Ingest
from dedup.read.drop import DropFolders
from dedup.recall import load_vocabulary, recall
from dedup.removal import Removed, kept_from, remove
from dedup.reuse import alignment_arrays, crowd_arrays, similar_arrays
from dedup.run import Run, counts_of, names_of
from dedup.runs import COMMITTED, READING, Started, begin, finish, remembered_files
from dedup.store import FILE, RESULTS, Lock, Store, not_writable
from dedup.texts import Tables

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from dedup.config import ReadSettings
    from dedup.history import Event
    from dedup.ingest import Ingested
    from dedup.pipeline import Analysis, Progress
    from dedup.recall import Recalled


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


class Index:
    """An index in a folder; :meth:`open` one.

    It holds no lock (but within :meth:`locked`) and no open file between calls: others may read
    and update it.
    """

    def __init__(self, folder: Path, settings: Settings, agencies: str | None) -> None:
        self.folder = folder
        self.settings = settings
        self._agencies = agencies
        self._lock: Lock | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        agencies: str | os.PathLike[str] | None = None,
    ) -> Index:
        """Open the index in folder ``path``; with ``create``, make an empty one if there is none.

        ``settings`` and ``agencies`` (a TOML file) are those of a new index; an existing one keeps
        its own, and refuses others.

        Raises:
            IndexMissingError: there is none, and ``create`` is false.
            IndexDamagedError: it was made by another version, scheme or configuration.
            IndexWriteError: a new one cannot be written.
            LockedError: another process is making it.
        """
        folder = Path(path)
        named = None if agencies is None else str(agencies)
        if create and not (folder / FILE).exists():
            _create(folder, Run(settings=settings, agencies=agencies))
        with Store.open(folder) as store:
            kept = store.meta()
        own = settings_from(json.loads(kept["settings"]), origin=f"{folder}: settings")
        if settings is not None and settings != own:
            other = [n for n, v in own.as_dict().items() if v != settings.as_dict()[n]]
            raise IndexDamagedError(
                f"{folder}: the index was made with {other[0]} = {own.as_dict()[other[0]]:g}, not "
                f"{settings.as_dict()[other[0]]:g}; leave the option out, or "
                f"'dedup index rebuild {folder}' with it"
            )
        stamp = _stamp(Run(settings=own, agencies=agencies))
        for name, value in stamp.items():
            if kept.get(name) != value:
                raise IndexDamagedError(
                    f"{folder}: the index was made with another {_MEANING[name]} "
                    f"({kept.get(name)}, this is {value}); 'dedup index rebuild {folder}' makes it "
                    "anew from its texts"
                )
        return cls(folder, own, named)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from changing the index during several calls.

        Raises :class:`~dedup.errors.LockedError` when another process is changing it.
        """
        if self._lock is not None:
            yield
            return
        lock = Lock(self.folder)
        lock.take()
        self._lock = lock
        try:
            yield
        finally:
            self._lock = None
            lock.release()

    def update(
        self,
        inputs: str | Path | Sequence[str | Path] = (),
        *,
        drop: str | Path | Sequence[str | Path] = (),
        settle: float = 0.0,
        out: str | Path | Callable[[Started], Path | None] | None = None,
        format: str = "jsonl",  # noqa: A002 - named as the option is
        overwrite: bool = False,
        report: bool = True,
        keep_days: int | None = None,
        delete: Sequence[str] = (),
        delete_outlets: Sequence[str] = (),
        delete_before: str | None = None,
        erase: bool = False,
        notify: Sequence[str] = (),
        read: ReadSettings | None = None,
        threads: int | None = None,
        families: str | os.PathLike[str] | None = None,
        corrections: str | os.PathLike[str] | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
    ) -> Update:
        """Add the articles of ``inputs``, and write what changed to folder ``out``.

        The index then holds what a scan of all its articles finds. ``drop``: folders whose files
        are read once; one that changed less than ``settle`` seconds ago waits for the next run
        (:mod:`dedup.read.drop`). ``out`` may be a function that names the folder once the run has
        its number. ``keep_days``: articles published (or, where that is unknown, first seen) more
        days ago are taken out, and left out where an input states them. ``notify``: names for
        which the index keeps a pending notification (:mod:`dedup.job` sends them). The other
        arguments are those of :func:`dedup.scan` and of :meth:`delete`.

        A run that was killed is continued by the next one, under its id: what that one writes
        covers both.

        Raises:
            LockedError: another process is changing the index.
            IndexWriteError: the disk is full or fails; the index is as it was.
        """
        from dedup.outputs import prepare, write_update

        run = Run(
            settings=self.settings,
            read=read,
            threads=threads,
            agencies=self._agencies,
            families=families,
            corrections=corrections,
            memory=memory,
            progress=progress,
        )
        with self.locked(), Store.open(self.folder, writing=True) as store:
            folders = names_of(drop)
            files = DropFolders(folders, remembered_files(store), settle=settle)
            names = [*names_of(inputs), *folders]
            started = begin(store, names, notify)
            target = _target(out, started)
            if target is not None:
                overwrite = prepare(target, started.id, overwrite=overwrite)
            removed = remove(
                store,
                started.number,
                ids=delete,
                outlets=delete_outlets,
                before=delete_before,
                keep_days=keep_days,
                erase=erase,
            )
            update = self._run(store, run, started, names, removed, files, keep_days)
            if folders:
                update.run["drop"] = {
                    "read": len(files.taken),
                    "known": files.known,
                    "waiting": files.waiting,
                }
            if target is not None:
                run.clock.under_way("write")
                write_update(
                    store, target, update, format=format, overwrite=overwrite, report=report
                )
            finish(
                store,
                started,
                update.run,
                out=target,
                articles=update.tables["articles"]["ref"].to_pylist(),
                read=files.read(run.ledger),
                gone=files.forgotten() if folders else (),
            )
            return update

    def _run(
        self,
        store: Store,
        run: Run,
        started: Started,
        inputs: list[str],
        removed: Removed,
        files: DropFolders,
        keep_days: int | None,
    ) -> Update:
        """Take in and compare what is new; commit it."""
        run.compile()
        vocabulary = load_vocabulary(store)
        workers = run.workers
        oldest = None if keep_days is None else kept_from(keep_days)
        intake = Ingest(store, started.number, run.agencies, vocabulary, workers, oldest)
        with run.reading(inputs, files) as batches:
            intake.take(batches, run.ledger)
        counts = intake.counts
        judged = run.judged
        stale = (
            counts.new
            or counts.restated
            or removed
            or (started.continued and started.state == READING)
            or store.meta().get("corrections", "") != judged
        )
        if not stale:
            return _as_it_was(store, run, started, counts)
        recalled = recall(
            store,
            vocabulary,
            run.corrections.families,
            arena=run.arena,
            threads=workers,
            compare_anew="compare_anew" in store.meta(),
        )
        analysis = run.analyse(recalled.corpus, earlier=recalled.earlier)
        ids, events = _named(store, analysis)
        tables = run.tables(analysis, group_ids=ids)
        with run.clock.stage("commit"), store.transaction():
            return self._commit(
                store, run, started, recalled, analysis, tables, events, counts, removed
            )

    def _commit(
        self,
        store: Store,
        run: Run,
        started: Started,
        recalled: Recalled,
        analysis: Analysis,
        tables: Tables,
        events: list[Event],
        counts: Ingested,
        removed: Removed,
    ) -> Update:
        number = started.number
        _store_findings(store, number, recalled, analysis)
        found = {name: compare_table(store, name, tables[name]) for name in RESULTS}
        former = store_changes(store, number, found)
        history = [
            (e.group, number, e.event, orjson.dumps(e.others).decode(), e.reason) for e in events
        ]
        store.insert("group_history", history)
        delta = delta_tables(tables, found, former)
        delta["rejected"] = tables["rejected"]
        keep_delta(store, number, delta)
        about = run.about(analysis, counts_of(Tables.of(delta)))
        about["run"] = _about_run(store, started, counts, removed)
        about["index"] = {
            "articles": len(analysis.corpus),
            "texts": analysis.collection.nodes,
            "groups": len(analysis.groups),
        }
        update = "UPDATE runs SET state = ?, about = ? WHERE run = ?"
        store.connection.execute(update, (COMMITTED, orjson.dumps(about).decode(), number))
        store.set_meta(corrections=run.judged)
        store.connection.execute("DELETE FROM meta WHERE name = 'compare_anew'")
        return Update(started.id, number, delta, changes_of(store, number), about)


def _create(folder: Path, run: Run) -> None:
    """Make an index where there is none, one process alone."""
    meta = {
        **_stamp(run),
        "settings": json.dumps(run.settings.as_dict(), sort_keys=True),
        "erasure_key": secrets.token_hex(16),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    lock = Lock(folder)
    lock.take()
    try:
        # Another process may have made one, and filled it, since this one looked.
        if not (folder / FILE).exists():
            Store.create(folder, meta)
    finally:
        lock.release()


def _stamp(run: Run) -> dict[str, str]:
    """What results depend on that must not change in the life of an index."""
    return {
        "analysis": ANALYSIS,
        "agencies": run.agencies.digest,
        "fingerprint": run.settings.fingerprint(),
    }


_MEANING = {
    "analysis": "version of the analysis",
    "agencies": "list of agencies",
    "fingerprint": "signature scheme or settings",
}


def _target(
    out: str | Path | Callable[[Started], Path | None] | None, started: Started
) -> Path | None:
    """The folder to write."""
    if callable(out):
        return out(started)
    return None if out is None else Path(out)


def _named(store: Store, analysis: Analysis) -> tuple[list[str], list[Event]]:
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


def _store_findings(store: Store, run: int, recalled: Recalled, analysis: Analysis) -> None:
    """Keep what later runs need not find again."""
    c, similar = analysis.collection, analysis.candidates.similar
    before = recalled.earlier.passages.similar
    if not recalled.anew and len(before.u) == int((~similar.fresh).sum()):
        store.add_part("similar", run, similar_arrays(c, similar, similar.fresh, recalled.number))
    else:
        # A limit has cut some: what is kept is what stands.
        every = similar.fresh | True
        store.replace_parts("similar", run, similar_arrays(c, similar, every, recalled.number))
    store.replace_parts("crowd", run, crowd_arrays(c, analysis.candidates.crowd, recalled.number))
    store.add_part(
        "alignment",
        run,
        alignment_arrays(c, analysis.alignment, analysis.aligned_now, recalled.number),
    )
    store.connection.execute("UPDATE texts SET analysed = ? WHERE analysed IS NULL", (run,))


def _about_run(
    store: Store, started: Started, counts: Ingested, removed: Removed
) -> dict[str, Any]:
    return {
        "id": started.id,
        "number": started.number,
        "continued": started.continued,
        "new": int(store.value("SELECT count(*) FROM records WHERE run = ?", started.number)),
        "known": counts.known,
        "revisions": counts.revisions,
        "erased": counts.erased,
        "too_old": counts.too_old,
        "removed": removed.articles,
    }


def _as_it_was(store: Store, run: Run, started: Started, counts: Ingested) -> Update:
    """A run that found nothing new; or one whose results were committed already."""
    from dedup.model import table_schemas

    about = store.value("SELECT about FROM runs WHERE run = ?", started.number)
    delta = kept_delta(store, started.number)
    empty = {name: table_schemas()[name].empty_table() for name in (*RESULTS, "rejected")}
    if about is None:
        found = run.about(None, counts_of(Tables.of(empty)))
        found["run"] = _about_run(store, started, counts, Removed())
        found["index"] = {
            "articles": int(store.value("SELECT count(*) FROM records")),
            "texts": int(store.value("SELECT count(*) FROM texts")),
            "groups": int(store.value('SELECT count(*) FROM "groups"')),
        }
    else:
        found = orjson.loads(about)
        found["run"]["continued"] = started.continued
    tables = {**empty, **delta, "rejected": run.rejected()}
    return Update(started.id, started.number, tables, changes_of(store, started.number), found)
