"""datatrove's MinHash on documents: the four stages of its example, on all cores.

    python datatrove_documents.py FOLDER_OF_PARTS OUTPUT WORKERS

Signatures and filter run a task for each part, as it never splits a file between tasks.
"""

import gzip
import json
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages


def main() -> None:
    parts, out, workers = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    config = MinhashConfig(
        hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8
    )
    tasks = len(list(Path(parts).iterdir()))

    def run(name: str, pipeline: list, tasks: int) -> None:
        # Forked workers start at once, and their processor time is counted with this process's.
        LocalPipelineExecutor(
            pipeline,
            tasks=tasks,
            workers=workers,
            logging_dir=str(out / "logs" / name),
            start_method="fork",
        ).run()

    signatures, buckets, remove = (str(out / name) for name in ("signatures", "buckets", "remove"))
    signing = MinhashDedupSignature(signatures, config=config, language=Languages.english)
    run("1", [JsonlReader(parts), signing], tasks)
    run("2", [MinhashDedupBuckets(signatures, buckets, config=config)], config.num_buckets)
    run("3", [MinhashDedupCluster(buckets, remove, config=config)], 1)
    removed = JsonlWriter(str(out / "removed"))
    kept = JsonlWriter(str(out / "kept"))
    run(
        "4", [JsonlReader(parts), MinhashDedupFilter(remove, exclusion_writer=removed), kept], tasks
    )
    found = 0
    for path in (out / "removed").rglob("*.gz"):
        with gzip.open(path) as handle:
            found += sum(1 for _ in handle)
    print(json.dumps({"found": found}))


if __name__ == "__main__":
    main()
