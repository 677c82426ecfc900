"""``filter``: a dump without its redundant copies, its records written as they were read."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from dedup.errors import UsageError
from dedup.pipeline import relate_further
from dedup.read.copying import (
    check_name,
    check_own_places,
    copied_format,
    copy_records,
    rereadable_stdin,
)
from dedup.relate import R_PARTIAL, R_QUOTE
from dedup.report.single import check_file, put_files
from dedup.run import Run, names_of
from dedup.survivors import KEEP, Dropped, Holder, Keep, choose, preference
from dedup.tables.groups import build_groups
from dedup.tables.records import Records
from dedup.tables.relations import NAMES, build_relations
from dedup.tables.scores import build_scores

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.config import ReadSettings, Settings
    from dedup.model import Reject
    from dedup.pipeline import Analysis, Progress
    from dedup.relate import Relations
    from dedup.tables.groups import Grouped

ROUNDS = 4
"""Times that what is left of a story of very many copies is compared with one more survivor."""

DROPPED = pa.schema(
    [
        ("id", pa.string()),
        ("file", pa.string()),
        ("position", pa.string()),
        ("reason", pa.string()),
        ("share", pa.float64()),
        ("kept", pa.string()),
        ("kept_file", pa.string()),
        ("kept_position", pa.string()),
    ]
)
_REASONS = {
    "copy": ("copy of another outlet's", "copies of another outlet's"),
    "rejected": ("rejected", "rejected"),
    "repeat": ("repeated record", "repeated records"),
    "revision": ("revision or repost", "revisions or reposts"),
}
"""Each in the singular and the plural."""
_PLACE = ("file", "position", "id", "digest")
_KEPT = pa.schema([("id", pa.string()), ("file", pa.string()), ("position", pa.string())])


@dataclass(frozen=True)
class Filtered:
    """What stays of a dump and what goes.

    ``kept`` (Arrow: ``id``, ``file``, ``position``) and ``dropped`` (the same, with ``reason``
    and, of the record kept in its place, ``share`` of this one that it holds, ``kept``,
    ``kept_file``, ``kept_position``) hold every record that was read, in one of the two. ``id``
    is the article's ref. ``run`` is the content of ``run.json`` of the scan behind it.
    """

    kept: pa.Table
    dropped: pa.Table
    run: dict[str, Any]
    _read: ReadSettings = field(repr=False)

    def __repr__(self) -> str:
        return f"<dedup.Filtered: {len(self.kept):,} kept, {len(self.dropped):,} dropped>"

    def write(
        self,
        out: str | os.PathLike[str],
        *,
        dropped: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the records that stay to the file ``out``, in the format in which they were read,
        and the list of those that go to ``dropped`` (JSON Lines; ``OUT.dropped.jsonl`` by default).

        Raises ``UsageError`` when a format cannot be written, or a file exists and ``overwrite`` is
        false; ``InputError`` when an input has changed; ``OutputNotWritableError``. Both files are
        written beside and renamed into place. Returns their paths.
        """
        target, listed = targets(out, dropped)
        check_targets(self.run["inputs"], (target, listed), overwrite)
        check_name(
            target, copied_format((f["file"], f["format"]) for f in self.run["ledger"]["files"])
        )
        wanted: dict[str, set[str]] = defaultdict(set)
        for file, position in zip(
            self.kept["file"].to_pylist(), self.kept["position"].to_pylist(), strict=True
        ):
            wanted[file].add(position)

        def records(handle: IO[bytes]) -> None:
            copy_records(self.run["inputs"], self._read, wanted, target, handle)

        def rows(handle: IO[bytes]) -> None:
            for row in self.dropped.to_pylist():
                handle.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

        put_files([(target, records), (listed, rows)])
        return [target, listed]


def targets(
    out: str | os.PathLike[str], dropped: str | os.PathLike[str] | None
) -> tuple[Path, Path]:
    """The two files that are written: the dump and the list of what was dropped."""
    target = Path(out)
    if dropped is not None:
        return target, Path(dropped)
    stem = target.name
    for ending in (".gz", ".zst", ".jsonl", ".ndjson", ".jl", ".json", ".csv", ".tsv", ".parquet"):
        stem = stem.removesuffix(ending)
    return target, target.with_name(f"{stem}.dropped.jsonl")


def check_targets(inputs: Sequence[str], files: Sequence[Path], overwrite: bool) -> None:
    """Refuse what cannot be written, before anything is read."""
    if files[0].resolve() == files[1].resolve():
        raise UsageError(f"{files[0]}: the dump and the list of what was dropped need two files")
    for path in files:
        check_file(path, inputs, overwrite)


def filter(  # noqa: A001 - dedup.filter
    inputs: str | Path | Sequence[str | Path],
    *,
    keep: Keep = "original",
    min_share: float = 0.8,
    settings: Settings | None = None,
    read: ReadSettings | None = None,
    threads: int | None = None,
    agencies: str | os.PathLike[str] | None = None,
    families: str | os.PathLike[str] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    memory: str | int | None = None,
    progress: Progress | None = None,
) -> Filtered:
    """Choose what stays of a dump when redundant copies go.

    An article goes only when one that stays is directly related to it by copied narrative and
    holds ``min_share`` (0-1) of its letters and digits in matches. ``keep`` says which of several
    is wanted (:func:`dedup.survivors.preference`). Repeated records (same id, same text) go;
    rejected ones cannot be written and go, too. Articles whose text says too little to be
    compared stay. The other arguments are those of :func:`dedup.scan`.

    Standard input cannot be read twice: name files. Raises ``UsageError`` for a wrong option,
    and what :func:`dedup.scan` raises.
    """
    names = names_of(inputs)
    if "-" in names:
        raise UsageError("filter reads its inputs twice: name files, not standard input")
    return _filter(
        names,
        keep,
        min_share,
        None,
        settings=settings,
        read=read,
        threads=threads,
        agencies=agencies,
        families=families,
        corrections=corrections,
        memory=memory,
        progress=progress,
    )


@contextmanager
def filtering(
    inputs: Sequence[str], *, keep: Keep, min_share: float, target: Path, **options: Any
) -> Iterator[Filtered]:
    """As :func:`filter`, for inputs among which may be standard input: kept while this lasts.

    ``target``, which is written later, is checked against the format of the inputs early.
    """
    with rereadable_stdin(inputs) as rewind:
        result = _filter(list(inputs), keep, min_share, target, **options)
        rewind()
        yield result


def _filter(
    names: list[str],
    keep: Keep,
    min_share: float,
    target: Path | None,
    **options: Any,
) -> Filtered:
    if keep not in KEEP:
        raise UsageError(f"keep: expected one of {', '.join(KEEP)}, got {keep!r}")
    if not 0.0 < min_share <= 1.0:
        raise UsageError(f"min_share: expected a share above 0 and up to 1, got {min_share:g}")
    run = Run(**options)
    places: list[tuple[str, str, str, str]] = []

    def note(batch: pa.RecordBatch) -> None:
        rows = list(zip(*(batch[name].to_pylist() for name in _PLACE), strict=True))
        if target is not None:
            check_own_places((file, position) for file, position, _, _ in rows)
        places.extend(rows)

    corpus = run.read(names, each=note)
    form = copied_format((f.file, f.format) for f in run.ledger.files)
    if target is not None:
        check_name(target, form)
    x = run.analyse(corpus)
    with run.clock.stage("filter"):
        records = Records(x.corpus, x.collection.nodes)
        related = build_relations(records, x, run.settings, build_scores(x, R_QUOTE), R_QUOTE)
        grouped = build_groups(records, x, related, run.agencies)
        order = _order(records, x, grouped, keep, run.agencies)
        holders = Holders(x, min_share, run.settings, run.threads)
        comparable = x.groupable.tolist()
        gone = choose(order, records.node, comparable, holders.of)
        pairs = holders.further(order, records.node, gone)
        for _ in range(ROUNDS):
            if not len(pairs[0]):
                break
            holders.compare(*pairs)
            gone = choose(order, records.node, comparable, holders.of)
            pairs = holders.further(order, records.node, gone)
        kept, dropped = _listed(places, records, gone, run.ledger.rejects)
    about = run.about(x, {"kept": len(kept), "dropped": _tally(dropped)})
    if len(pairs[0]):
        about["caps"].append(
            {
                "name": "filter_rounds",
                "count": len(pairs[0]),
                "meaning": "articles of stories with very many copies that stay and were compared "
                f"with {ROUNDS} survivors beside those of the scan only",
            }
        )
    return Filtered(
        kept, dropped, about | {"keep": keep, "min_share": min_share}, run.read_settings
    )


def _order(
    records: Records, x: Analysis, grouped: Grouped, keep: Keep, agencies: Agencies
) -> list[int]:
    """All records, the most wanted first."""
    letters = x.collection.d_letters.tolist()

    def key(i: int) -> tuple[object, ...]:
        superseded = records.refs[i] != records.ids[i]
        facts, group = grouped.facts_of(i), grouped.group_facts_of(i)
        return preference(facts, group, letters[records.node[i]], superseded, keep, agencies)

    return sorted(range(len(records)), key=key)


class Holders:
    """Of each text (node), the others that are related to it by copied narrative and hold
    ``min_share`` of it."""

    def __init__(
        self, x: Analysis, min_share: float, settings: Settings, threads: int | None
    ) -> None:
        self._x, self._least, self._settings, self._threads = x, min_share, settings, threads
        self.of: dict[int, list[Holder]] = defaultdict(list)
        self._wide = np.int64(x.collection.nodes + 1)
        self._known = np.empty(0, np.int64)
        self._hubs: dict[int, set[int]] = defaultdict(set)
        self._add(x.relations)

    def _add(self, r: Relations) -> None:
        self._known = np.union1d(self._known, r.a * self._wide + r.b)
        for one, other, coverage in ((r.a, r.b, r.coverage_a), (r.b, r.a, r.coverage_b)):
            for k in np.flatnonzero((r.relation >= R_PARTIAL) & (coverage >= self._least)).tolist():
                holder = Holder(int(other[k]), float(coverage[k]), NAMES[r.relation[k]])
                self.of[int(one[k])].append(holder)

    def further(
        self, order: Sequence[int], text: Sequence[int], gone: Sequence[Dropped]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of texts (int64, the smaller first) to compare next: what is left of stories of
        very many copies with the most wanted survivor of each that has not had its turn.

        In such stories not every pair was aligned, and what one survivor holds might stay only
        for that. The cost is one alignment a text.
        """
        dropped = {d.record for d in gone}
        rank: dict[int, int] = {}
        for place, record in enumerate(order):
            if record not in dropped:
                rank.setdefault(text[record], place)
        a: list[int] = []
        b: list[int] = []
        for g, group in enumerate(self._x.groups):
            if len(group.core) <= self._settings.max_partners:
                continue
            left = sorted((n for n in group.core if n in rank), key=rank.__getitem__)
            hub = next((n for n in left if n not in self._hubs[g]), None)
            if hub is not None:
                self._hubs[g].add(hub)
                others = [n for n in left if rank[n] > rank[hub]]
                a += [min(hub, n) for n in others]
                b += [max(hub, n) for n in others]
        one, two = np.array(a, np.int64), np.array(b, np.int64)
        new = ~np.isin(one * self._wide + two, self._known)
        return one[new], two[new]

    def compare(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
        """Compare further pairs of texts and note who holds whom."""
        self._add(relate_further(self._x, a, b, self._settings, threads=self._threads))


def _listed(
    places: Sequence[tuple[str, str, str, str]],
    records: Records,
    gone: Sequence[Dropped],
    rejects: Iterable[Reject],
) -> tuple[pa.Table, pa.Table]:
    """Every record that was read, among those that stay or among those that go, as read."""
    number = {key: i for i, key in enumerate(zip(records.ids, records.digests, strict=True))}
    files, positions = records.corpus.strings("file"), records.corpus.strings("position")
    out = {dropped.record: dropped for dropped in gone}
    kept: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    seen: set[int] = set()
    rejected = {(reject.file, reject.position) for reject in rejects}
    for file, position, identity, digest in places:
        if (file, position) in rejected:  # read as an article and withdrawn later
            continue
        i = number[identity, digest]
        place = {"id": records.refs[i], "file": file, "position": position}
        stands = (files[i], positions[i]) == (file, position) and i not in seen
        if stands:
            seen.add(i)
        if stands and i not in out:
            kept.append(place)
            continue
        drop = out.get(i) or Dropped(i, i, 1.0, "copy")
        same_outlet = records.same_outlet(i, drop.kept)
        reason = "repeat" if not stands else "revision" if same_outlet else "copy"
        rows.append(
            place
            | {
                "reason": reason,
                "share": round(drop.share, 6),
                "kept": records.refs[drop.kept],
                "kept_file": files[drop.kept],
                "kept_position": positions[drop.kept],
            }
        )
    rows += [
        {"file": r.file, "position": r.position, "reason": f"rejected: {r.reason}"} for r in rejects
    ]
    return pa.Table.from_pylist(kept, _KEPT), pa.Table.from_pylist(rows, DROPPED)


def _tally(dropped: pa.Table) -> dict[str, int]:
    reasons = (reason.partition(":")[0] for reason in dropped["reason"].to_pylist())
    return dict(sorted(Counter(reasons).items()))


def summary(result: Filtered, paths: Sequence[Path]) -> list[str]:
    """What was done, in a few lines."""
    counts = result.run["counts"]
    total = counts["kept"] + sum(counts["dropped"].values())
    reasons = ", ".join(
        f"{count:,} {_REASONS[name][count != 1]}" for name, count in counts["dropped"].items()
    )
    lines = [f"{counts['kept']:,} of {total:,} records kept"]
    if reasons:
        lines[0] += f"; dropped: {reasons}"
    lines[0] += "."
    lines += [
        f"{cap['count']:,} {cap['meaning']}"
        for cap in result.run["caps"]
        if cap["name"] == "filter_rounds"
    ]
    return [*lines, f"Written to: {paths[0]}", f"Dropped records: {paths[1]}"]
