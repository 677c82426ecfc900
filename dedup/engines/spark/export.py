"""The tables of an index in a folder of their own, as a scan writes them, with what changed."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from dedup.engines.spark import results
from dedup.engines.spark.scan import MARK, WHOLE, put_in_place
from dedup.engines.spark.stages import MARK as DONE
from dedup.indextables import KEYS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dedup.engines.spark.archive import Archive
    from dedup.engines.spark.stages import Stages
    from dedup.engines.spark.update import UpdateRequest


def is_written(stages: Stages, out: str) -> bool:
    """Whether ``out`` holds the outputs of this run, which then was killed before its end."""
    files, name = stages.files, stages.folder.rpartition("/")[2]
    if not (files.exists(stages.folder) and files.exists(f"{out}/run.json")):
        return False
    if files.read_json(f"{out}/run.json").get("run", {}).get("id") != name:
        return False
    files.write(f"{out}/{MARK}", b"")
    return True


def write_out(
    request: UpdateRequest, archive: Archive, stages: Stages, about: dict[str, Any]
) -> None:
    """Write all tables of the index as it is now, the rejected records and the changes of the run,
    ``run.json`` and the report to ``request.out``."""
    if request.out is None:
        return
    files = archive.files
    if not files.exists(f"{stages.folder}/{WHOLE}"):
        # Moved to an output before.
        for mark in files.matches(f"{stages.folder}/{WHOLE}-*{DONE}"):
            files.delete(mark)
    version = archive.version()
    now = {name: archive.read(version, f"results/{name}").drop("date", "run") for name in KEYS}
    rejected = results.told(stages.finished("read"), "reject", results.REJECT)
    tables: dict[str, DataFrame] = {**now, "rejected": rejected}
    if request.texts:
        texts = archive.read(version, "texts").select("digest", "text")
        tables["texts"] = now["articles"].select("id", "ref", "digest").join(texts, "digest")
    written = {
        name: stages.table(
            f"{WHOLE}/{name}.parquet", partial(results.contract, name, rows), lasting=True
        )
        for name, rows in tables.items()
    }
    changes = stages.finished("changes").orderBy("table", "key")
    stages.table(f"{WHOLE}/changes.parquet", lambda: changes, lasting=True)
    if request.report:
        from dedup.engines.spark.report import top_groups

        files.write(f"{stages.folder}/{WHOLE}/report.html", top_groups(written, about).encode())
    data = json.dumps(about, indent=2, sort_keys=True).encode()
    files.write(f"{stages.folder}/{WHOLE}/run.json", data)
    put_in_place(files, stages.folder, request.out.rstrip("/"))
