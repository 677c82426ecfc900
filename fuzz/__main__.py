"""Coverage-guided fuzzing: ``python fuzz TARGET [SECONDS]`` (needs ``pip install atheris``).

Without a target it lists them. Inputs that reach new code are kept in ``.fuzz/TARGET``; an input
that fails is written to ``fuzz/corpus/TARGET`` by hand once its fault is mended, where the tests
run it from then on (``tests/test_fuzz.py``). Memory above 2 GB and an input that takes more than
10 seconds count as failures.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))


def main(arguments: list[str]) -> int:
    """Fuzz one target; the exit code is that of the fuzzer."""
    import atheris

    with atheris.instrument_imports(include=["dedup"]):
        from targets import TARGETS
    if not arguments or arguments[0] not in TARGETS:
        return 2
    name = arguments[0]
    kept = HERE.parent / ".fuzz" / name
    kept.mkdir(parents=True, exist_ok=True)
    saved = HERE / "corpus" / name
    for first in sorted(saved.glob("*"))[:1]:
        TARGETS[name](first.read_bytes())  # compiles kernels, which takes longer than -timeout
    options = [
        *(f"-max_total_time={arguments[1] if len(arguments) > 1 else 60}", "-rss_limit_mb=2048"),
        *("-timeout=10", "-max_len=8192", f"-artifact_prefix={kept}-", "-print_final_stats=1"),
    ]
    folders = [str(kept), *([str(saved)] if saved.is_dir() else [])]
    atheris.Setup([sys.argv[0], *options, *folders], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
