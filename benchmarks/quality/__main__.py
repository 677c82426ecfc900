"""How good are the results? Figures of dedup beside published ones and those of peers.

    python benchmarks/quality [--corpora ../shared/data] [--only pan,pairs]

Uses the public interface only, with the default settings; peers work on the same data in the
same run. Prints one table. A run of all parts writes ``benchmarks/results/quality.{json,md}``;
a run of some writes these two where ``--out`` says. Parts whose corpus or packages
are missing are named and left out. What the peers need: ``benchmarks/requirements.txt``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

# Run as a folder, Python puts the folder itself first; its modules are those of a package.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(p for p in sys.path if Path(p or ".").resolve() != HERE)]

from quality import table  # noqa: E402
from quality.part import PARTS, ROOT, MissingError, Options, Outcome, load  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"


def parsed() -> argparse.Namespace:
    """The command line."""
    defaults = Options()
    parser = argparse.ArgumentParser(prog="quality", description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", help=f"parts, by comma: {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, help="folder for quality.json and quality.md")
    parser.add_argument("--processes", type=int, default=defaults.processes)
    parser.add_argument("--resamples", type=int, default=defaults.resamples)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--sheet", type=Path, help="pan_dump: write matches to be read here")
    parser.add_argument("--verdicts", type=Path, help="pan_dump: the sheet as judged")
    parser.add_argument("--plot", type=Path, default=defaults.plot, help="sensitivity: the picture")
    args = parser.parse_args()
    unknown = set((args.only or "").split(",")) - {*PARTS, ""}
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    if args.verdicts and not args.sheet:
        parser.error("--verdicts needs the --sheet that was judged")
    return args


def main() -> None:
    args = parsed()
    options = Options(
        args.processes, args.resamples, args.seed, args.sheet, args.verdicts, args.plot
    )
    chosen = [name for name in PARTS if not args.only or name in args.only.split(",")]
    about = table.circumstances()
    outcomes: dict[str, Outcome] = {}
    skipped: dict[str, str] = {}
    for name in chosen:
        begun = time.perf_counter()
        try:
            outcomes[name] = load(name).run(args.corpora, options)
        except MissingError as reason:
            skipped[name] = str(reason)
            print(f"{name}: left out, {reason}", file=sys.stderr)
        else:
            print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print(table.markdown(about, outcomes, skipped), end="")
    out = args.out or (None if args.only else RESULTS)
    if out is None:
        print("\nNot all parts: nothing written. Say --out to write.", file=sys.stderr)
    else:
        table.write(out, about, outcomes, skipped)


if __name__ == "__main__":
    main()
