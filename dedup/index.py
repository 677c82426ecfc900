"""The index: articles of many days, what they share, and what each run added."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.api import Result
from dedup.config import Settings, brought_forward, settings_from
from dedup.errors import DedupError, IndexDamagedError, UsageError
from dedup.indexnotes import AGENCIES_FILE, COMMITTED, CORRECTIONS, SETTINGS, UNUSED_WORDS
from dedup.lock import Lock
from dedup.making import check_stamp, create_index, stamp_of
from dedup.migrations import bring_forward
from dedup.model import text_digest
from dedup.outputs import targets_of, write_targets
from dedup.read.drop import DropFolders
from dedup.recall import load_vocabulary, recall
from dedup.removal import remove
from dedup.run import Run, counts_of, names_of
from dedup.runs import (
    DELETION,
    REBUILD,
    UPDATE,
    Started,
    begin,
    finish,
    forget,
    remembered_files,
    unfinished,
)
from dedup.store import FILE, Store
from dedup.texts import Tables
from dedup.updating import Update, bring_up_to_date, compare_all, named
from dedup.upkeep import about_index, begin_anew, compact

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from dedup.checking import Check, Checker
    from dedup.config import ReadSettings
    from dedup.pipeline import Progress
    from dedup.signatures import PassageSignature
    from dedup.verify import Verified


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
        self._checker: tuple[str, Checker] | None = None
        self._making = threading.Lock()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        agencies: str | os.PathLike[str] | None = None,
        any_version: bool = False,
    ) -> Index:
        """Open the index in folder ``path``; with ``create``, make an empty one if there is none.

        ``settings`` and ``agencies`` (a TOML file) are those of a new index; an existing one keeps
        its own, and refuses others. ``any_version`` opens one that cannot be updated, to look at.

        Raises:
            IndexMissingError: there is none, and ``create`` is false.
            IndexDamagedError: it was made by another version, scheme or configuration.
            IndexWriteError: a new one cannot be written.
            LockedError: another process is making it.
        """
        folder = Path(path)
        named = None if agencies is None else str(agencies)
        if create and not (folder / FILE).exists():
            create_index(folder, Run(settings=settings, agencies=agencies))
        bring_forward(folder)
        with Store.open(folder) as store:
            kept = store.meta()
        named = named or kept.get(AGENCIES_FILE)
        own = settings_from(json.loads(kept[SETTINGS]), origin=f"{folder}: settings")
        if settings is not None and settings != own:
            other = [n for n, v in own.as_dict().items() if v != settings.as_dict()[n]]
            raise IndexDamagedError(
                f"{folder}: the index was made with {other[0]} = {own.as_dict()[other[0]]:g}, not "
                f"{settings.as_dict()[other[0]]:g}; leave the option out, or "
                f"'dedup index rebuild {folder}' with it"
            )
        if any_version:
            return cls(folder, own, named)
        check_stamp(folder, kept, Run(settings=own, agencies=named))
        return cls(folder, own, named)

    @property
    def agencies(self) -> str | None:
        """The file of agencies that the index was made with; ``None``: those that come with
        dedup."""
        return self._agencies

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
            takes_out = bool(delete or delete_outlets or delete_before)
            kind = DELETION if takes_out and not names else UPDATE
            started = begin(store, names, notify, kind=kind)
            try:
                targets = targets_of(store, started, _target(out, started), overwrite=overwrite)
                missing = remove(
                    store,
                    started.number,
                    ids=delete,
                    outlets=delete_outlets,
                    before=delete_before,
                    keep_days=keep_days,
                    erase=erase,
                )
                update = bring_up_to_date(store, run, started, names, missing, files, keep_days)
            except DedupError:
                forget(store, started)
                raise
            if folders:
                update.run["drop"] = {
                    "read": len(files.taken),
                    "known": files.known,
                    "waiting": files.waiting,
                }
            run.clock.under_way("write")
            write_targets(store, started, targets, update, format, report)
            gone = files.forgotten() if folders else ()
            finish(store, started, update.run, read=files.read(run.ledger), gone=gone)
            if UNUSED_WORDS in store.meta():
                # Of texts that this run erased, or one that was killed.
                compact(store)
            return update

    def check(
        self,
        text: str,
        *,
        id: str = "(this text)",  # noqa: A002 - named as the field is
        title: str | None = None,
        byline: str | None = None,
        outlet: str | None = None,
        url: str | None = None,
        published: datetime | None = None,
        threads: int | None = None,
    ) -> Check:
        """What a text shares with the index, which stays as it is.

        The other fields of its article help to say who wrote what. The first call (and the first
        after each update) takes seconds to lay out the index in memory; others take a fraction of
        one. Safe to call from several threads.
        """
        article: dict[str, Any] = {
            "id": id,
            "digest": text_digest(text),
            "file": "",
            "position": "",
            "outlet": outlet,
            "published": published,
            "precision": "unknown" if published is None else "second",
            "published_raw": None if published is None else published.isoformat(),
            "url": url,
            "title": title,
            "byline": byline,
            "issues": [],
            "text": text,
        }
        return self.check_article(article, threads=threads)

    def check_article(self, article: dict[str, Any], *, threads: int | None = None) -> Check:
        """As :meth:`check`, of an article as the reader gives it (``model.article_schema()``)."""
        from dedup.checking import Checker
        from dedup.holdings import StoredHoldings

        with Store.open(self.folder) as store, store.snapshot():
            last = store.meta().get(COMMITTED, "")
            with self._making:
                if self._checker is None or self._checker[0] != last:
                    run = Run(settings=self.settings, agencies=self._agencies, threads=threads)
                    run.compile()
                    made = Checker.of_index(store, self.settings, run.agencies, run.workers)
                    self._checker = (last, made)
                checker = self._checker[1]
            return checker.check(StoredHoldings(store), article)

    def tables(
        self,
        *,
        families: str | os.PathLike[str] | None = None,
        corrections: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
    ) -> Result:
        """All tables of the output contract, scores included, as a scan of all articles gives them
        (but for the ids of groups, which the index keeps).

        ``families`` and ``corrections`` are to be those of the last update.

        Raises:
            UsageError: they are others.
            IndexDamagedError: a run is unfinished.
        """
        run = Run(
            settings=self.settings,
            threads=threads,
            agencies=self._agencies,
            families=families,
            corrections=corrections,
            memory=memory,
            progress=progress,
        )
        run.compile()
        with Store.open(self.folder) as store, store.snapshot():
            if unfinished(store) is not None:
                raise IndexDamagedError(
                    f"{self.folder}: a run is under way, or was stopped before its end; wait for "
                    "it, or go on with it by 'dedup update'"
                )
            if store.meta().get(CORRECTIONS, run.judged) != run.judged:
                raise UsageError(
                    f"{self.folder}: the last update honoured other families or corrections; "
                    "give those, or update the index with these first"
                )
            with run.clock.stage("read"):
                recalled = recall(
                    store,
                    load_vocabulary(store),
                    run.corrections.families,
                    run.settings,
                    arena=run.arena,
                    threads=run.workers,
                )
            analysis = run.analyse(recalled.corpus, earlier=recalled.earlier)
            ids, _ = named(store, analysis)
            tables = run.tables(analysis, group_ids=ids)
            about = run.about(analysis, counts_of(tables))
            about["inputs"] = [str(self.folder)]
            # The texts are read here, since the index is closed afterwards.
            return Result(Tables.of(dict(tables)), about)

    def signatures(self) -> Iterator[PassageSignature]:
        """The MinHash of every passage that says enough to be looked for elsewhere, one after
        another, as of what was committed when the first is asked for.

        They fit datasketch's LSH and its storages; see :mod:`dedup.signatures`.
        """
        from dedup.signatures import passage_signatures

        with Store.open(self.folder) as store, store.snapshot():
            yield from passage_signatures(store, self.settings)

    def verify(self, *, threads: int | None = None, progress: Progress | None = None) -> Verified:
        """Look at everything that the index holds; others may write meanwhile.

        See :func:`dedup.verify.verify_store`.
        """
        from dedup.verify import verify_store

        run = Run(settings=self.settings, threads=threads, progress=progress)
        run.compile()
        with Store.open(self.folder) as store:
            return verify_store(
                store, self.settings, arena=run.arena, threads=run.workers, progress=progress
            )

    def info(self) -> dict[str, Any]:
        """Counts, sizes, settings and runs of the index."""
        with Store.open(self.folder) as store, store.snapshot():
            return about_index(store)

    def compact(self) -> tuple[int, int]:
        """Give back the space of what is gone; returns bytes before and after."""
        with self.locked(), Store.open(self.folder, writing=True) as store:
            return compact(store)

    def delete(
        self,
        ids: Sequence[str] = (),
        *,
        outlets: Sequence[str] = (),
        before: str | None = None,
        erase: bool = False,
        out: str | Path | None = None,
        **others: Any,
    ) -> Update:
        """Take articles out of the index: by id, by outlet (its id or its name), or published
        before a date (ISO 8601).

        ``erase`` leaves nothing of their texts in the index but a keyed digest, by which they are
        known, and left out, if they come again. ``run["run"]["outputs"]`` of the result lists the
        folders of earlier runs that name one of the articles: these are yours to clear. The other
        arguments are those of :meth:`update`.
        """
        return self.update(
            out=out,
            delete=ids,
            delete_outlets=outlets,
            delete_before=before,
            erase=erase,
            **others,
        )

    @classmethod
    def rebuild(
        cls,
        path: str | os.PathLike[str],
        *,
        settings: Settings | None = None,
        agencies: str | os.PathLike[str] | None = None,
        out: str | Path | None = None,
        threads: int | None = None,
        families: str | os.PathLike[str] | None = None,
        corrections: str | os.PathLike[str] | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
    ) -> Update:
        """Compare all texts of the index in folder ``path`` anew: with other ``settings`` or
        ``agencies``, or by another version of dedup.

        Without ``settings`` it keeps its own, but for those that were an earlier version's
        defaults: these become the present ones.

        Ids of groups and the history of runs are kept; the index is as it was until all is done.
        Raises as :meth:`update`.
        """
        folder = Path(path)
        bring_forward(folder)
        with Store.open(folder) as store:
            kept = store.meta()
        if settings is None:
            own = brought_forward(json.loads(kept[SETTINGS]), kept["analysis"])
            settings = settings_from(own, origin=f"{folder}: settings")
        agencies = agencies or kept.get(AGENCIES_FILE)
        run = Run(
            settings=settings,
            threads=threads,
            agencies=agencies,
            families=families,
            corrections=corrections,
            memory=memory,
            progress=progress,
        )
        run.compile()
        index = cls(folder, settings, None if agencies is None else str(agencies))
        with index.locked(), Store.open(folder, writing=True) as store:
            started = begin(store, [], kind=REBUILD)
            try:
                target = None if out is None else Path(out)
                targets = targets_of(store, started, target, overwrite=False)
            except DedupError:
                forget(store, started)
                raise
            with store.transaction():
                begin_anew(store, run, stamp_of(run))
                if run.agencies_file is not None:
                    store.note({AGENCIES_FILE: str(Path(run.agencies_file).resolve())})
                update = compare_all(store, run, started)
            write_targets(store, started, targets, update, "jsonl", report=True)
            finish(store, started, update.run, read={}, gone=())
            return update


def _target(
    out: str | Path | Callable[[Started], Path | None] | None, started: Started
) -> Path | None:
    """The folder to write."""
    if callable(out):
        return out(started)
    return None if out is None else Path(out)


__all__ = ["Index", "Update"]
