"""What inputs are, told from a sample: formats, columns, languages, trouble, and what a run takes.

Nothing here is a mere guess of its own: records are read by :func:`dedup.read.read_articles`,
languages are those of the stage, time and memory follow from measured runs.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.budget import NEED, OVERHEAD, memory_budget
from dedup.collection import collect
from dedup.config import ReadSettings
from dedup.language import detect_languages
from dedup.model import Ledger, article_schema
from dedup.read import read_articles
from dedup.read.columns import FIELD_NAMES, METADATA_NAMES, fold
from dedup.read.jsontext import INVALID_UTF8
from dedup.read.records import ID_DERIVED
from dedup.read.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.model import FileLedger
    from dedup.read.sample import ColumnSample, FileSample

START_SECONDS = 3.0
SECONDS_PER_MB = 0.36
"""Processor seconds of a run: to start, and for a megabyte of text. Within a sixth of those of real
and of generated news in docs/performance.md."""
_BUSY_CORES = 1.3
"""Cores that a run keeps busy on average, of those it is given."""
_LANGUAGE_TEXTS = 400
_REASONS = 20
_LEAST_TEXT = 80
"""Mean characters from which a column may hold the text of articles."""


def examine(
    inputs: Sequence[str],
    settings: ReadSettings | None = None,
    *,
    files: int = 100,
    records: int = 500,
) -> dict[str, Any]:
    """Look at ``records`` records of each of ``files`` files, spread over the inputs.

    Returns plain values, the output of ``--json``; docs/input.md explains the keys. Raises
    :class:`~dedup.errors.InputError` when an input does not exist or has no known format,
    and :class:`~dedup.errors.UsageError` when a column that was asked for does not exist.
    """
    settings = settings or ReadSettings()
    ledger, sample = Ledger(), Sample(files, records)
    rows = pa.Table.from_batches(
        list(read_articles(inputs, settings, ledger, sample=sample)), article_schema()
    )
    estimate = _estimate(rows, ledger, sample)
    found: dict[str, Any] = {
        "inputs": list(inputs),
        "files": {"found": sample.found, "looked_at": len(sample.seen), "bytes": sample.total},
        "sample": {
            "complete": estimate["complete"],
            "read": ledger.read,
            "articles": ledger.articles,
            "repeats": ledger.repeats,
            "rejected": ledger.rejected,
        },
        "formats": [_format(entry, sample) for entry in ledger.files],
        "missing": _missing(rows),
        "ids": _ids(rows, ledger),
        "languages": _languages(rows),
        "issues": _issues(rows),
        "rejected": _rejected(ledger),
        "skipped": [{"file": s.file, "reason": s.reason} for s in ledger.skipped],
        "warnings": list(ledger.warnings),
        "estimate": estimate,
    }
    found["advice"] = _advice(found, settings)
    return found


# --- files and columns --------------------------------------------------------------------------


def _format(entry: FileLedger, sample: Sample) -> dict[str, Any]:
    """One entry of the ledger: a file, or the files of a folder that hold one article each."""
    mine = [s for s in sample.seen if s.entry is entry]
    columns = _merged(mine)
    taken = dict(entry.columns)
    used = {column for joined in taken.values() for column in joined.split(" | ")}
    others = [name for name in columns if name not in used]
    metadata = [name for name in others if fold(name) in METADATA_NAMES]
    unused = [name for name in others if name not in metadata]
    return {
        "file": entry.file,
        "format": entry.format,
        "encoding": ", ".join(sorted({s.encoding for s in mine if s.encoding})),
        "read": entry.read,
        "articles": entry.articles,
        "rejected": entry.rejected,
        "columns": taken,
        "filled": {name: column.filled for name, column in columns.items()},
        "could_be": _could_be(others, taken, columns),
        "metadata": metadata,
        "unused": unused,
        "incomplete": entry.incomplete,
        "notes": list(entry.notes),
    }


def _merged(seen: Sequence[FileSample]) -> dict[str, ColumnSample]:
    """The columns of files that share an entry."""
    merged: dict[str, ColumnSample] = {}
    for part in seen:
        merged = {**part.columns, **merged}
    return merged


def _could_be(
    unused: Sequence[str], taken: dict[str, str], columns: dict[str, ColumnSample]
) -> dict[str, list[str]]:
    """Columns that were not taken but could be: by name, and for a missing text by length."""
    found: dict[str, list[str]] = {}
    for field, names in FIELD_NAMES.items():
        if others := [name for name in unused if fold(name) in names]:
            found[field] = others
    if "text" not in taken and "text" not in found:
        long = [(columns[n].characters / max(1, columns[n].filled), n) for n in unused]
        best = [name for mean, name in sorted(long, reverse=True) if mean >= _LEAST_TEXT]
        if best:
            found["text"] = best[:3]
    return found


# --- records ------------------------------------------------------------------------------------


def _missing(rows: pa.Table) -> dict[str, dict[str, float]]:
    """How many articles lack what tells who wrote first: field -> number and share."""
    total = max(1, len(rows))
    fields = ("outlet", "published", "url", "title", "byline")
    counts = {name: rows[name].null_count for name in fields}
    return {n: {"articles": k, "share": round(k / total, 4)} for n, k in counts.items()}


def _ids(rows: pa.Table, ledger: Ledger) -> dict[str, Any]:
    ids = Counter(rows["id"].to_pylist())
    pairs = set(zip(rows["id"].to_pylist(), rows["digest"].to_pylist(), strict=True))
    texts = Counter(id_ for id_, _ in pairs)
    revised = [id_ for id_, count in texts.items() if count > 1]
    issues = _issues(rows)
    return {
        "derived": issues.get(ID_DERIVED, 0),
        "repeated_with_same_text": ledger.repeats,
        "with_several_texts": len(revised),
        "examples": sorted(revised, key=lambda id_: (-texts[id_], id_))[:5],
        "distinct": len(ids),
    }


def _languages(rows: pa.Table) -> list[dict[str, Any]]:
    """Languages of a sample of the sample, spread over it, the most frequent first."""
    texts = rows["text"].combine_chunks()
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], texts.type)
    if not len(texts):
        return []
    step = max(1, len(texts) // _LANGUAGE_TEXTS)
    texts = texts.take(pa.array(range(0, len(texts), step))).unique()
    languages = Counter(detect_languages(collect(texts, threads=1)))
    total = languages.total()
    return [
        {"language": name, "share": round(count / total, 4)}
        for name, count in sorted(languages.items(), key=lambda item: (-item[1], item[0] or ""))
    ]


def _issues(rows: pa.Table) -> dict[str, int]:
    counted = pc.value_counts(pc.list_flatten(rows["issues"]))
    return dict(sorted((str(v["values"]), v["counts"].as_py()) for v in counted))


def _rejected(ledger: Ledger) -> list[dict[str, Any]]:
    """Reasons, the most frequent first, each with its first example."""
    counts: Counter[str] = Counter()
    first: dict[str, dict[str, Any]] = {}
    for reject in ledger.rejects:
        counts[reject.reason] += 1
        first.setdefault(
            reject.reason,
            {"file": reject.file, "position": reject.position, "sample": reject.sample},
        )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": r, "records": n, **first[r]} for r, n in ordered[:_REASONS]]


# --- what a run takes -----------------------------------------------------------------------------


def _estimate(rows: pa.Table, ledger: Ledger, sample: Sample) -> dict[str, Any]:
    """Articles, bytes, time and memory of a run over all inputs, in proportion to the sample."""
    text = int(pc.sum(pc.binary_length(rows["text"])).as_py() or 0)
    consumed = sum(min(s.consumed, s.size) for s in sample.seen)
    complete = sample.found <= sample.files and all(s.whole for s in sample.seen)
    piped = any(s.size == 0 and not s.whole for s in sample.seen)
    known = complete or (consumed > 0 and not piped)
    ratio = 1.0 if complete else max(1.0, sample.total / max(1, consumed))
    found: dict[str, Any] = {"complete": complete, "known": known}
    if not known:
        return found
    whole = int(text * ratio)
    cpu = START_SECONDS + SECONDS_PER_MB * whole / 1e6
    cores = os.cpu_count() or 1
    memory = OVERHEAD + NEED * whole
    budget = memory_budget(None)
    return found | {
        "articles": round((ledger.articles + ledger.repeats) * ratio),
        "text_bytes": whole,
        "cpu_seconds": round(cpu),
        "seconds": round(cpu / min(cores, _BUSY_CORES)),
        "memory_bytes": memory,
        "memory_budget_bytes": budget,
        "spills": memory > budget,
    }


# --- advice ---------------------------------------------------------------------------------------


def _advice(found: dict[str, Any], settings: ReadSettings) -> list[str]:
    """What to do, each in a sentence; empty when all is well."""
    said: dict[str, None] = {}
    for entry in found["formats"]:
        best = entry["could_be"].get("text")
        if "text" not in entry["columns"] and (best or entry["unused"]):
            which = f"perhaps --field text={best[0]}" if best else "--field text=COLUMN"
            said[f"No column was taken for the text: name it, {which}."] = None
        for field in ("outlet", "published"):
            if field not in entry["columns"] and entry["could_be"].get(field):
                column = entry["could_be"][field][0]
                said[f"No column was taken for {field}: perhaps --field {field}={column}."] = None
    articles = max(1, found["sample"]["articles"] + found["sample"]["repeats"])
    if found["issues"].get(INVALID_UTF8, 0) and settings.encoding is None:
        said[
            "Some texts are not UTF-8: if you know their encoding, name it, e.g. "
            "--encoding windows-1252."
        ] = None
    if found["missing"]["outlet"]["share"] == 1 and found["sample"]["articles"]:
        said["No article names an outlet or an address: --outlet NAME, or --field."] = None
    if found["missing"]["published"]["share"] > 0.5 and found["sample"]["articles"]:
        said["Most articles have no date that can be read: nothing tells which was first."] = None
    if found["ids"]["with_several_texts"] / articles > 0.2:
        said[
            "Many ids stand for several texts: that column may be no id; another one is taken with "
            "--field id=COLUMN."
        ] = None
    if found["estimate"].get("spills"):
        said["A run takes more memory than its budget: it will use temporary files."] = None
    return list(said)
