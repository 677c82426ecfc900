"""How fast is dedup, end to end and by stage, beside other tools on the same file?

    python benchmarks/speed [--profile small,regular,large] [--corpora ../shared/data]

Every tool runs in a process of its own, its start included, one after another in turns; the table
says what work each does. ``floor`` parses the file and encodes the texts, which any tool must.
Peers are installed into environments of their own (``--environments``), at the first run.
Writes ``benchmarks/results/speed.{json,md}``, with the profiles that earlier runs measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

# Run as a folder, Python puts the folder itself first; its modules are those of a package.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(p for p in sys.path if Path(p or ".").resolve() != HERE)]

import processes  # noqa: E402

from speed import environments, table  # noqa: E402
from speed.measure import profile  # noqa: E402
from speed.profiles import PROFILES  # noqa: E402


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="speed", description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="small,regular", help=f"of {', '.join(PROFILES)}")
    parser.add_argument("--only", help="tools whose names begin so, by comma")
    parser.add_argument(
        "--passages",
        type=int,
        default=1_000,
        help="articles that the loop over passages gets; an article takes some 600 kB of memory",
    )
    parser.add_argument("--runs", type=int, help="of each tool, in place of the profile's")
    parser.add_argument("--corpora", type=Path, default=processes.ROOT.parent / "shared" / "data")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    parser.add_argument("--environments", type=Path, default=environments.FOLDER)
    parser.add_argument("--out", type=Path, default=processes.ROOT / "benchmarks" / "results")
    args = parser.parse_args()
    unknown = set(args.profile.split(",")) - set(PROFILES)
    if unknown:
        parser.error(f"no profile is called {', '.join(sorted(unknown))}")
    return args


def main() -> None:
    args = parsed()
    for name in args.profile.split(","):
        with tempfile.TemporaryDirectory(dir=args.scratch) as folder:
            measured = profile(name, args, Path(folder))
        table.write(args.out, {name: measured})
        print(table.markdown({name: measured}))


if __name__ == "__main__":
    main()
