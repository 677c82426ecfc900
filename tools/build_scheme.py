"""Build ``dedup/data/scheme.npz``: datasketch's permutations and banding for the default settings.

Run from the repository's root: ``python tools/build_scheme.py``. Asking datasketch for them costs
every command a second of imports; it is still asked for other settings, and a test compares.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from build_unicode_table import write_npz

from dedup.config import Settings
from dedup.sketch import from_datasketch


def main() -> None:
    settings = Settings()
    plan = from_datasketch(settings)
    write_npz(
        Path("dedup/data/scheme.npz"),
        {
            "seed": np.array([settings.seed]),
            "sensitivity": np.array([settings.sensitivity]),
            "a": plan.a,
            "b": plan.b,
            "banding": np.array([plan.bands, plan.rows]),
        },
    )


if __name__ == "__main__":
    main()
