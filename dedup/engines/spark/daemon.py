"""The process from which Spark forks the Python workers of an executor, with all kernels loaded.

Spark's own loads nothing, so that each worker imports this package and loads its compiled kernels
by itself, which takes more than most tasks do; on a machine where they have never been compiled,
each compiles all. ``spark.python.daemon.module`` names this one.
"""

from __future__ import annotations

import contextlib
import gc
import sys


def main() -> None:
    """Load the stages and their kernels, then do what Spark's daemon does."""
    from pyspark.daemon import manager

    # Spark reads the daemon's port from its standard output.
    with contextlib.redirect_stdout(sys.stderr):
        _load()
    gc.freeze()  # what the collector does not touch stays shared with the workers
    manager()


def _load() -> None:
    """Import what the workers' functions use, and load (or compile) the kernels.

    Workers are forked: no thread may be left that holds a lock. The kernels start none, and the
    pools of the stages end with them.
    """
    import sklearn.feature_extraction.text  # noqa: F401 - for the scores of many words

    from dedup.engines.spark import order, results  # noqa: F401 - they import all stages
    from dedup.warmup import load_kernels

    load_kernels()


if __name__ == "__main__":
    main()
