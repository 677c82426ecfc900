"""``dedup scan --engine spark``: inputs on a Hadoop file system in, tables there out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from dedup.config import ANALYSIS
from dedup.engines.spark.session import make_session, options_of, start_workers
from dedup.engines.spark.stages import VERSION
from dedup.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings, Settings
    from dedup.engines.spark.files import Files, InputFile
    from dedup.engines.spark.order import Compared, Plan
    from dedup.engines.spark.stages import Stages
    from dedup.families import Families
    from dedup.pipeline import Progress

WHOLE = "whole"
"""Folder in which the tables gather until they are all there."""
MARK = "_SUCCESS"
TASKS_A_CORE = 2
"""Groups of rows that each core gets at least, so that one slow one does not hold up the rest."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: ``inputs`` and ``out`` are paths or URIs that Hadoop understands.

    ``master`` and ``conf`` (``spark.NAME=VALUE``) are for the session, where the process has none
    yet. ``work`` is a URI of a folder for stages, by default beside ``out``.
    """

    inputs: Sequence[str]
    out: str
    settings: Settings
    read: ReadSettings
    agencies: Agencies
    families: Families
    master: str | None = None
    conf: Sequence[str] = ()
    work: str | None = None
    overwrite: bool = False
    all_relations: bool = False
    texts: bool = True
    report: bool = True
    keep_work: bool = False
    progress: Progress | None = None


def scan(request: Request) -> dict[str, Any]:
    """Run all stages and write the tables; returns the content of ``run.json``.

    A run that was stopped before goes on after its last finished stage. ``out`` is what it was, or
    the whole new run.

    Raises :class:`~dedup.errors.MissingExtraError` without pyspark,
    :class:`~dedup.errors.UsageError` where no session can be made,
    :class:`~dedup.errors.InputError` where an input cannot be read,
    :class:`~dedup.errors.OutputNotEmptyError` as the local engine does, and
    :class:`~dedup.errors.InternalError` naming the stage where Spark gives up.
    """
    spark = make_session(request.master, options_of(request.conf))
    from dedup.engines.spark.stages import Stages, stage_named

    with stage_named(request.progress) as progress:
        return _scan(spark, request, lambda work: Stages(spark, work, progress))


def _scan(spark: SparkSession, request: Request, make: Any) -> dict[str, Any]:
    from dedup.engines.spark import reading
    from dedup.engines.spark.files import Files
    from dedup.engines.spark.tuning import tune

    files = Files(spark)
    inputs = reading.find_files(files, request.inputs)
    if request.all_relations:
        raise UsageError(
            "--all-relations: pairs that share furniture only are not listed by --engine spark; "
            "they follow from the table passages"
        )
    name = _fingerprint(request, inputs)
    if (former := _unmarked(files, request.out, name)) is not None:
        return former
    files.check_output(request.out, request.overwrite)
    work = (request.work or f"{request.out.rstrip('/')}.work").rstrip("/")
    size = sum(file.size for file in inputs)
    tune(spark, size)
    with make(f"{work}/{name}") as stages:
        run = _run_stages(spark, request, files, inputs, size, name, stages)
    if not request.keep_work:
        files.delete(stages.folder)
        if not files.names(work):
            files.delete(work)
    return run


def _run_stages(
    spark: SparkSession,
    request: Request,
    files: Files,
    inputs: Sequence[InputFile],
    size: int,
    name: str,
    stages: Stages,
) -> dict[str, Any]:
    """All stages of the run ``name`` over inputs of ``size`` bytes."""
    from dedup.engines.spark import order, reading
    from dedup.engines.spark.tuning import SMALL
    from dedup.relate import R_BOILERPLATE, R_QUOTE

    begun = time.perf_counter()
    # Kernels load for seconds. What keeps workers from starting, the stage that needs them says.
    stages.beside(partial(start_workers, spark))
    now = stages.value("now", lambda: reading.present().isoformat())
    cores = spark.sparkContext.defaultParallelism
    plan = order.Plan(
        request.settings,
        request.read,
        request.agencies,
        request.families,
        datetime.fromisoformat(now),
        TASKS_A_CORE * cores,
        R_BOILERPLATE if request.all_relations else R_QUOTE,
    )
    texts, passages = order.read_texts(stages, plan, inputs)
    ledger = ledger_of(stages, texts.read, texts.records.count)
    single = stages.beside(partial(order.single_texts, stages, plan, texts))
    blocked = order.find_pairs(stages, plan, texts, passages)
    compared = order.relate_texts(stages, plan, texts, blocked, single)
    decided = order.decide(stages, plan, texts, compared, single().claims)
    from dedup.engines.spark import results

    tables = results.tables(plan, texts, compared, decided, texts=request.texts)
    contract = partial(results.contract, one_file=size < SMALL)
    builds = {key: partial(contract, key, tables[key]) for key in tables}
    written = stages.together(
        {
            key: partial(stages.table, f"{WHOLE}/{key}.parquet", build, lasting=True)
            for key, build in builds.items()
        }
    )
    run = {
        "dedup": importlib.metadata.version("dedup"),
        "engine": "spark",
        "run": {"id": name},
        "settings": request.settings.as_dict(),
        "fingerprint": request.settings.fingerprint(),
        "inputs": list(request.inputs),
        "today": now[:10],
        "ledger": ledger,
        "versions": {"pyspark": importlib.metadata.version("pyspark"), "spark": spark.version},
        "counts": counts_of(written),
        "caps": caps_of(stages, compared, plan, lambda: _full_buckets(stages)),
        "timing": {
            "stages": stages.log,
            "total_seconds": round(time.perf_counter() - begun, 3),
        },
    }
    if request.report:
        from dedup.engines.spark.report import top_groups

        files.write(f"{stages.folder}/{WHOLE}/report.html", top_groups(written, run).encode())
    whole = json.dumps(run, indent=2, sort_keys=True).encode()
    files.write(f"{stages.folder}/{WHOLE}/run.json", whole)
    put_in_place(files, stages.folder, request.out.rstrip("/"))
    return run


def _fingerprint(request: Request, inputs: Sequence[InputFile]) -> str:
    """What the stages depend on, as 16 hex digits."""
    parts = {
        "version": importlib.metadata.version("dedup"),
        "analysis": ANALYSIS,
        "stages": VERSION,
        "settings": request.settings.fingerprint(),
        "read": repr(request.read),
        "agencies": request.agencies.digest,
        "families": request.families.as_list(),
        "all_relations": request.all_relations,
        "inputs": [asdict(file) for file in inputs],
    }
    data = json.dumps(parts, sort_keys=True).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


ENTRY = (
    "file:string, format:string, bytes:bigint, read:bigint, articles:bigint, repeats:bigint, "
    "rejected:bigint, incomplete:string"
)
NAMED = 100
"""Files, warnings and skipped paths that ``run.json`` names at most."""


def ledger_of(stages: Stages, read: DataFrame, count: Callable[[], int]) -> dict[str, Any]:
    """The balance of the input; ``count`` says how many records of it became articles.

    Raises ``InputError`` where senders have taken items back.
    """
    from pyspark.sql import functions as F  # noqa: N812

    from dedup.engines.spark import results

    def build() -> dict[str, Any]:
        # One job for all sums; what is rare is asked for where there is some.
        kinds = ("withdrawal", "skipped", "warning")
        entry = F.from_json("told", f"entry struct<{ENTRY}>")["entry"]
        told = read.where("told IS NOT NULL").select(
            entry.alias("entry"),
            *(F.col("told").startswith(f'{{"{kind}"').cast("long").alias(kind) for kind in kinds),
        )
        sums = told.agg(
            *(F.coalesce(F.sum(f"entry.{n}"), F.lit(0)).alias(n) for n in ("read", "rejected")),
            F.coalesce(F.sum("entry.bytes"), F.lit(0)).alias("bytes"),
            F.count("entry.incomplete").alias("incomplete"),
            F.count_distinct("entry.file").alias("files"),
            *(F.coalesce(F.sum(kind), F.lit(0)).alias(kind) for kind in kinds),
        ).collect()[0]
        if sums["withdrawal"]:
            raise InputError(
                "the inputs hold notices that take items back (canceled or withheld); "
                "--engine spark does not honour these yet, --engine local does"
            )
        articles = count()
        damaged, skipped, warnings = [], [], []
        if sums["incomplete"]:
            entries = results.told(read, "entry", ENTRY).where("incomplete IS NOT NULL")
            damaged = entries.orderBy("file").limit(NAMED).collect()
        if sums["skipped"]:
            paths = results.told(read, "skipped", "file:string, reason:string")
            skipped = [row.asDict() for row in paths.orderBy("file").limit(NAMED).collect()]
        if sums["warning"]:
            rows = read.where("told LIKE '{\"warning\"%'").select("told").limit(NAMED).collect()
            warnings = [json.loads(row["told"])["warning"] for row in rows]
        return {
            "read": sums["read"],
            "articles": articles,
            "repeats": sums["read"] - sums["rejected"] - articles,
            "rejected": sums["rejected"],
            "bytes": sums["bytes"],
            "files_read": sums["files"],
            "files": [{"file": r["file"], "incomplete": r["incomplete"]} for r in damaged],
            "skipped": skipped,
            "warnings": warnings,
        }

    found: dict[str, Any] = stages.value("ledger", build)
    return found


def counts_of(tables: dict[str, DataFrame]) -> dict[str, Any]:
    """Rows of each table, by kind."""
    from pyspark.sql import functions as F  # noqa: N812

    by_kind = {
        "articles": ("articles", None),
        "passages": ("passages", "kind"),
        "matches": ("matches", None),
        "relations": ("relations", "relation"),
        "groups": ("groups", None),
        "sources": ("sources", None),
        "flags": ("articles", "flag"),
    }

    def tally(name: str, table: str, column: str | None) -> DataFrame:
        kind = F.lit("") if column is None else F.col(column)
        kinds = tables[table].select(F.lit(name).alias("name"), kind.alias("kind"))
        return kinds.groupBy("name", "kind").count()

    parts = [tally(name, *where) for name, where in by_kind.items()]
    rows = reduce(lambda one, other: one.unionByName(other), parts).collect()
    found = {(row["name"], row["kind"]): row["count"] for row in sorted(rows)}
    return {
        name: found.get((name, ""), 0)
        if column is None
        else {kind: count for (of, kind), count in found.items() if of == name}
        for name, (_, column) in by_kind.items()
    }


def _full_buckets(stages: Stages) -> int:
    full = stages.finished("colliding").agg({"full": "sum"}).first()
    return int((full[0] if full else 0) or 0)


def caps_of(
    stages: Stages, x: Compared, plan: Plan, full_buckets: Callable[[], int]
) -> list[dict[str, Any]]:
    """What limits left out, as the local engine says it."""
    from pyspark.sql import functions as F  # noqa: N812

    from dedup.engines.spark.bounded import capped_passages
    from dedup.run import listed_caps

    table = stages.finished

    def of_one_task() -> dict[str, int]:
        row = table("blocks").where("a IS NULL").first()
        names = {"passages": "capped", "links": "links", "pairs": "pairs"}
        return {name: row[column] if row else 0 for name, column in names.items()}

    def of_stages() -> dict[str, int]:
        met = table("met").agg(F.sum("capped").alias("capped"), F.count("a").alias("pairs")).first()
        passages, pairs = (met["capped"], met["pairs"]) if met else (0, 0)
        if stages.has("crowds"):  # more than one task has looked at
            links = table("links").where("u IS NOT NULL")
            passages = capped_passages(links, table("crowds"), plan.settings)
        kept = table("links").agg(F.sum("cut").alias("cut"), F.count("u").alias("links")).first()
        cut_links, links_ = (kept["cut"], kept["links"]) if kept else (0, 0)
        if stages.has("distinct"):
            cut_links = table("distinct").count() - links_
        return {
            "passages": int(passages or 0),
            "links": int(cut_links or 0),
            "pairs": pairs - table("pairs").count(),
        }

    def build() -> dict[str, int]:
        cut = x.aligned.select(F.posexplode("cut")).groupBy("pos").agg(F.sum("col").alias("n"))
        cuts = {row["pos"]: row["n"] for row in cut.collect()}
        return {
            **(of_stages() if stages.has("links") else of_one_task()),
            "buckets": full_buckets(),
            **{f"cut{k}": int(cuts.get(k, 0)) for k in range(3)},
        }

    found = stages.value("caps", build)
    return listed_caps(found, [found[f"cut{k}"] for k in range(3)], 0)


def put_in_place(files: Files, folder: str, out: str) -> None:
    """Put the finished folder in the place of ``out``, then mark it with ``_SUCCESS``.

    A former run is moved aside first. Where renaming a folder is no one step (object stores), the
    mark says that all of it is there.
    """
    if files.exists(out):
        files.delete(f"{folder}/former")
        files.rename(out, f"{folder}/former")
    files.rename(f"{folder}/{WHOLE}", out)
    files.write(f"{out}/{MARK}", b"")


def _unmarked(files: Files, out: str, name: str) -> dict[str, Any] | None:
    """The run in ``out``, where it is this one and was stopped just before it was marked."""
    uri = out.rstrip("/")
    if files.exists(f"{uri}/{MARK}") or not files.exists(f"{uri}/run.json"):
        return None
    run: dict[str, Any] = files.read_json(f"{uri}/run.json")
    if run.get("run", {}).get("id") != name:
        return None
    files.write(f"{uri}/{MARK}", b"")
    return run
