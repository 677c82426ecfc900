"""``dedup update --engine spark``: articles into an index on a Hadoop file system.

An index that took in A and then B holds the tables of a scan of A and B. What hangs on one text,
or on two, is kept and never found out again: segmentation, band keys, pairs of passages that are
alike, alignments, claims, counts of words. What hangs on all articles (who is a representative,
what is furniture, relations, groups, sources, flags, scores) is computed from what is kept and
what is new.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dedup.config import ANALYSIS, Settings, settings_from
from dedup.engines.spark.lease import lease
from dedup.engines.spark.session import make_session, options_of
from dedup.engines.spark.stages import VERSION
from dedup.errors import IndexDamagedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings
    from dedup.engines.spark.archive import Archive, Version
    from dedup.engines.spark.files import InputFile
    from dedup.engines.spark.growing import Growing
    from dedup.engines.spark.stages import Stages
    from dedup.families import Families
    from dedup.pipeline import Progress


A_TEXT = 6_000
"""Bytes of an article, by which the size of an index is guessed."""
NOTHING = {"articles": 0, "groups": 0, "relations": {}, "flags": {}}
"""The counts of an index without articles."""


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """What is asked for: ``index`` is the folder of the index, ``out`` one for its tables; both,
    and ``inputs``, are paths or URIs that Hadoop understands.

    ``settings`` are those of a new index (``None``: the defaults; one that is there keeps its
    own). ``work`` is a folder for stages, by default beside the index. The others are those of
    :class:`~dedup.engines.spark.scan.Request`.
    """

    index: str
    inputs: Sequence[str]
    settings: Settings | None
    read: ReadSettings
    agencies: Agencies
    families: Families
    out: str | None = None
    master: str | None = None
    conf: Sequence[str] = ()
    work: str | None = None
    overwrite: bool = False
    texts: bool = True
    report: bool = True
    keep_work: bool = False
    progress: Progress | None = None


def update(request: UpdateRequest) -> dict[str, Any]:
    """Add the articles of the inputs to the index, and write its tables to ``out`` with what this
    changed; returns the content of ``run.json``.

    A run that was stopped before goes on after its last finished stage. The index is what it was,
    or has taken in all of the inputs.

    Raises :class:`~dedup.errors.MissingExtraError` without pyspark or deltalake,
    :class:`~dedup.errors.LockedError` while another run changes the index,
    :class:`~dedup.errors.IndexDamagedError` where it was made with other settings, agencies,
    families or another version of the analysis, and otherwise what
    :func:`~dedup.engines.spark.scan.scan` raises.
    """
    spark = make_session(request.master, options_of(request.conf))
    from dedup.engines.spark.archive import Archive
    from dedup.engines.spark.stages import Stages, stage_named

    with stage_named(request.progress) as progress:
        archive = Archive(spark, request.index)
        archive.check()
        work = archive.files.qualified(request.work or f"{request.index.rstrip('/')}.work")
        with lease(archive.files, archive.root), ExitStack() as closing:

            def make(folder: str) -> Stages:
                return closing.enter_context(Stages(spark, folder, progress))

            return _update(spark, request, archive, work, make)


def _update(
    spark: SparkSession, request: UpdateRequest, archive: Archive, work: str, make: Any
) -> dict[str, Any]:
    from dedup.engines.spark import export, order, reading
    from dedup.engines.spark.growing import Growing
    from dedup.engines.spark.scan import TASKS_A_CORE
    from dedup.engines.spark.tuning import tune

    begun = time.perf_counter()
    archive.make()
    base = archive.version()
    settings = _settings(request, archive, base)
    inputs = reading.find_files(archive.files, request.inputs)
    run = _run_id(request, settings, inputs, base.number)
    # Killed after its commit: the index has its articles, the outputs are to be written.
    same = base.number > 0 and base.run == _run_id(request, settings, inputs, base.number - 1)
    committed = same and archive.files.exists(f"{work}/{base.run}")
    stages: Stages = make(f"{work}/{base.run if committed else run}")
    if request.out is not None and not export.is_written(stages, request.out):
        archive.files.check_output(request.out, request.overwrite)
    if committed:
        return _finish(request, archive, stages, dict(base.about), work)
    now = stages.value("now", lambda: reading.present().isoformat())
    plan = order.Plan(
        settings,
        request.read,
        request.agencies,
        request.families,
        datetime.fromisoformat(now),
        TASKS_A_CORE * spark.sparkContext.defaultParallelism,
    )
    g = Growing(stages, plan, archive, base, run, now[:10])
    about = {
        "dedup": importlib.metadata.version("dedup"),
        "engine": "spark",
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint(),
        "inputs": list(request.inputs),
        "at": now,
        "today": now[:10],
        "versions": {
            "deltalake": importlib.metadata.version("deltalake"),
            "pyspark": importlib.metadata.version("pyspark"),
            "spark": spark.version,
        },
    }
    held = base.about["index"]["texts"] if base.number else 0
    tune(spark, sum(file.size for file in inputs) + held * A_TEXT)
    about = _take_in(request, g, inputs, about)
    about["timing"] = {
        "stages": stages.log,
        "total_seconds": round(time.perf_counter() - begun, 3),
    }
    if about["run"]["new"] or about["run"]["restated"]:
        _clear(archive, work, run)
        archive.commit(base, run, about)
    return _finish(request, archive, stages, about, work)


def _take_in(
    request: UpdateRequest, g: Growing, inputs: Sequence[InputFile], about: dict[str, Any]
) -> dict[str, Any]:
    """Write what the run adds, and all tables of results, where the index will have them."""
    from dedup.engines.spark import arrivals, order, results, reused, touched
    from dedup.engines.spark.archive import SCHEMA
    from dedup.engines.spark.differences import change_counts, changed_flags, differences
    from dedup.engines.spark.scan import caps_of, counts_of, ledger_of
    from dedup.indextables import KEYS

    stages, plan = g.stages, g.plan
    read, came = arrivals.read_inputs(g, inputs)
    distinct = read.where("told IS NULL").select("id", "digest").distinct()
    ledger = ledger_of(stages, read, distinct.count)
    counted = stages.value("arrived", lambda: _counted(g, came))
    about["ledger"] = ledger
    known = ledger["articles"] - counted["new"]
    about["run"] = {"id": g.run, "number": g.number, "known": known, **counted}
    about["index"] = {"schema": SCHEMA, **_stamp(request, plan.settings)}
    if not (counted["new"] or counted["restated"]):
        about["run"]["number"] = g.base.number
        stages.table("changes", lambda: differences(_none(g), _none(g)))
        about["counts"] = g.base.about["counts"] if g.base.number else NOTHING
        about["changes"], about["flags"] = {}, []
        held = g.base.about.get("index", {})
        about["index"] |= {name: held.get(name, 0) for name in ("articles", "texts", "groups")}
        return about
    texts, claims = arrivals.take_in(g, read, came)
    alike = touched.alike_passages(g, stages.finished("found"), texts.passages)
    pairs = order.pairs_of(stages, plan, texts, alike)
    aligned = reused.align_further(g, pairs, texts.nodes)
    words = arrivals.count_words(g, came)
    template = order.template_of(stages, texts)
    compared = order.relate_aligned(stages, plan, texts, aligned, words, template)
    decided = order.decide(stages, plan, texts, compared, claims)
    tables = results.tables(plan, texts, compared, decided, texts=False)
    written = stages.together(
        {
            name: partial(
                stages.table,
                f"results/{name}",
                partial(results.contract, name, tables[name]),
                at=g.folder(f"results/{name}"),
            )
            for name in KEYS
        }
    )
    former = {name: g.stored(f"results/{name}") for name in KEYS}
    changes = stages.table("changes", lambda: differences(former, written))
    about["changes"] = stages.value("changes-counted", lambda: change_counts(changes))
    about["flags"] = stages.value(
        "changed-flags", lambda: changed_flags(changes, written["articles"])
    )
    about["counts"] = counts_of(written)
    about["index"] |= {
        "articles": texts.records.count(),
        "texts": texts.nodes.select("node").count(),
        "groups": about["counts"]["groups"],
    }
    about["caps"] = caps_of(stages, compared, plan, lambda: touched.full_buckets(stages))
    return about


def _none(g: Growing) -> dict[str, DataFrame]:
    from dedup.indextables import KEYS

    return {name: g.stored(f"results/{name}").limit(0) for name in KEYS}


def _counted(g: Growing, came: DataFrame) -> dict[str, int]:
    """How many articles are new, how many of these are revisions of known ones, and how many known
    ones now say something else."""
    new = came.where("NOT known")
    ids = g.stored("articles").select("id").distinct()
    return {
        "new": new.count(),
        "restated": came.where("known").count(),
        "revisions": new.join(ids, "id", "left_semi").count(),
    }


def _finish(
    request: UpdateRequest, archive: Archive, stages: Stages, about: dict[str, Any], work: str
) -> dict[str, Any]:
    """Write the outputs of a run that is committed (or found nothing new)."""
    if request.out is not None:
        from dedup.engines.spark import export

        if not export.is_written(stages, request.out):
            export.write_out(request, archive, stages, about)
    if not request.keep_work:
        archive.files.delete(stages.folder)
        if not archive.files.names(work):
            archive.files.delete(work)
    return about


def _clear(archive: Archive, work: str, run: str) -> None:
    """Delete what other runs left behind that were killed, and not begun again since.

    They began at a version that is about to be a former one.
    """
    committed = archive.committed()
    for name in archive.files.names(work):
        if name != run and name[:1] not in "._":
            if name not in committed:
                archive.discard(name)
            archive.files.delete(f"{work}/{name}")


def _settings(request: UpdateRequest, archive: Archive, base: Version) -> Settings:
    """The settings of the index. Raises ``IndexDamagedError`` where it was made with others."""
    if not base.number:
        return request.settings or Settings()
    own = settings_from(base.about["settings"], origin=f"{archive.root}: settings")
    if request.settings is not None and request.settings != own:
        mine, given = own.as_dict(), request.settings.as_dict()
        name = next(name for name in mine if mine[name] != given[name])
        raise IndexDamagedError(
            f"{archive.root}: the index was made with {name} = {mine[name]:g}, not "
            f"{given[name]:g}; leave the option out, or make a new index with it"
        )
    kept = base.about["index"]
    for name, value in _stamp(request, own).items():
        if kept[name] != value:
            raise IndexDamagedError(
                f"{archive.root}: the index was made with another {_MEANING[name]} "
                f"({kept[name]}, this is {value}); give that one, or make a new index from its "
                "articles"
            )
    return own


_MEANING = {
    "analysis": "version of the analysis",
    "agencies": "list of agencies",
    "families": "list of families",
    "fingerprint": "signature scheme or settings",
}


def _stamp(request: UpdateRequest, settings: Settings) -> dict[str, str]:
    """What results depend on that must not change in the life of an index."""
    families = json.dumps(request.families.as_list(), sort_keys=True).encode()
    return {
        "analysis": ANALYSIS,
        "agencies": request.agencies.digest,
        "families": hashlib.blake2b(families, digest_size=8).hexdigest(),
        "fingerprint": settings.fingerprint(),
    }


def _run_id(
    request: UpdateRequest, settings: Settings, inputs: Sequence[InputFile], runs: int
) -> str:
    """What the stages of a run depend on that ``runs`` others came before, as 16 hex digits."""
    parts = {
        "version": importlib.metadata.version("dedup"),
        "stages": VERSION,
        "stamp": _stamp(request, settings),
        "read": repr(request.read),
        "inputs": [asdict(file) for file in inputs],
        "runs": runs,
    }
    if not inputs:
        raise UsageError("no inputs: name files, folders or patterns to read")
    data = json.dumps(parts, sort_keys=True).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()
