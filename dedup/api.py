"""The Python interface: ``scan``, ``compare`` and ``Result``."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pyarrow as pa

from dedup import agencies as agency_data
from dedup.config import ReadSettings, Settings
from dedup.encoder import Encoder, load_encoder
from dedup.errors import UsageError
from dedup.memory import collector_paused
from dedup.model import KINDS, Ledger, Match, table_schemas
from dedup.pipeline import Analysis, Clock, Progress, analyse, read_corpus
from dedup.read.dates import current_time
from dedup.report.encode import normalised
from dedup.tables import build_tables
from dedup.tables.furniture import crowded_furniture
from dedup.texts import Tables
from dedup.warmup import compile_kernels

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

_VERSIONED = ("numpy", "numba", "scikit-learn", "datasketch", "pyarrow")


@dataclass(frozen=True)
class Result:
    """What a run found: ``tables`` (Arrow, by name) and ``run`` (the content of ``run.json``).

    Tables are attributes too: ``result.groups.to_pandas()``. ``texts`` is gathered when it is
    first asked for.
    """

    tables: Mapping[str, pa.Table]
    run: dict[str, Any]

    def __getattr__(self, name: str) -> pa.Table:
        if not name.startswith("_") and name in self.tables:
            return self.tables[name]
        raise AttributeError(f"no table '{name}'; there are: {', '.join(sorted(self.tables))}")

    def __repr__(self) -> str:
        tables = Tables.of(self.tables)
        rows = ", ".join(f"{name}: {tables.rows(name):,}" for name in tables)
        return f"<dedup.Result of {', '.join(self.run.get('inputs', []))}; rows: {rows}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables]

    def write(
        self,
        out: str | Path,
        *,
        format: Literal["jsonl", "parquet", "csv"] = "jsonl",  # noqa: A002
        texts: bool = True,
        report: bool = True,
        all_relations: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the tables, ``run.json`` and ``report.html`` into folder ``out``.

        ``all_relations`` keeps pairs that share furniture only, where the scan listed them.

        Raises ``OutputNotEmptyError`` when the folder holds files and ``overwrite`` is false,
        ``OutputNotWritableError`` when it cannot be written. Returns the files written.
        """
        from dedup.report.html import render_html
        from dedup.report.tables import prepare_output, write_run

        out = Path(out)
        prepare_output(out, overwrite)
        tables = Tables.of(self.tables)
        if not texts:
            tables = tables.without_texts()
        return write_run(
            out,
            tables,
            self.run,
            format=format,
            all_relations=all_relations,
            texts=texts,
            html=render_html(tables, self.run) if report else None,
            overwrite=overwrite,
        )


def scan(
    inputs: str | Path | Sequence[str | Path],
    *,
    settings: Settings | None = None,
    read: ReadSettings | None = None,
    threads: int | None = None,
    agencies: str | None = None,
    all_relations: bool = False,
    semantic: str | os.PathLike[str] | Encoder | None = None,
    progress: Progress | None = None,
) -> Result:
    """Find what the articles in ``inputs`` share and where it comes from.

    ``inputs``: files, folders, globs, ``"-"``. ``agencies``: a TOML file with further agencies.
    ``all_relations`` lists pairs that share furniture only, too. ``semantic``: a local folder with
    a sentence encoder, which is asked how far reworded matches reach (``docs/semantic.md``).
    ``progress(stage, done, total)`` is called as stages go on.

    Raises ``InputError`` when an input does not exist, ``UsageError`` and ``SettingsError`` for
    wrong options; damaged input does not raise (unless ``read.strict``) but stands in
    ``result.run["ledger"]`` and ``result.rejected``.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads: expected a number from 1 on, got {threads}")
    settings = settings or Settings()
    read = read or ReadSettings()
    names = [str(inputs)] if isinstance(inputs, (str, Path)) else [str(i) for i in inputs]
    known = agency_data.load(agencies)
    encoder = _encoder(semantic)
    clock = Clock(progress)
    ledger = Ledger()
    with clock.stage("read") as tick:
        corpus = read_corpus(names, read, ledger, tick)
    compile_kernels(clock)
    analysis = analyse(corpus, settings, known, threads=threads, clock=clock, encoder=encoder)
    with clock.stage("report"):
        with collector_paused():
            built = build_tables(analysis, settings, known, all_relations=all_relations)
        rejected = pa.Table.from_pylist(
            [
                {"file": r.file, "position": r.position, "reason": r.reason, "sample": r.sample}
                for r in ledger.rejects
            ],
            table_schemas()["rejected"],
        )
        tables = Tables(
            {
                **{n: normalised(n, built[n]) for n in built if n != "texts"},
                "rejected": normalised("rejected", rejected),
            },
            built.texts,
        )
    return Result(
        tables,
        {
            "dedup": importlib.metadata.version("dedup"),
            "settings": settings.as_dict(),
            "fingerprint": settings.fingerprint(
                **({"semantic": encoder.digest} if encoder else {})
            ),
            **_semantic(encoder, analysis),
            "inputs": names,
            # Dates after the day of the run are unknown ones; the day is part of the result.
            "today": current_time().date().isoformat(),
            "ledger": _ledger(ledger),
            "versions": {
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in _VERSIONED},
            },
            "counts": _counts(tables),
            "caps": _caps(analysis, all_relations),
            "work": {
                "passages": len(analysis.collection.p_start),
                "collisions": analysis.candidates.capped["collisions"],
                "pairs_aligned": len(analysis.candidates.a),
            },
            "timing": clock.timing(),
        },
    )


def _encoder(semantic: str | os.PathLike[str] | Encoder | None) -> Encoder | None:
    if semantic is None or hasattr(semantic, "encode"):
        return cast("Encoder | None", semantic)
    return load_encoder(cast("str | os.PathLike[str]", semantic))


def _semantic(encoder: Encoder | None, analysis: Analysis) -> dict[str, Any]:
    """The part ``semantic`` of ``run.json``: absent without an encoder."""
    widened = analysis.widened
    if encoder is None or widened is None:
        return {}
    return {
        "semantic": {
            "model": encoder.name,
            "digest": encoder.digest,
            "passages_encoded": widened.encoded,
            "matches_widened": widened.widened,
        }
    }


def _caps(analysis: Analysis, all_relations: bool) -> list[dict[str, Any]]:
    """What limits left out, each with its count; those that cut nothing are not listed."""
    capped, cut = analysis.candidates.capped, analysis.alignment.cut
    every = (
        (
            "max_partners",
            capped["passages"],
            (
                "passages held by more articles than 'max_partners': each holder was compared with "
                "the representatives only"
            ),
        ),
        (
            "bucket",
            capped["buckets"],
            (
                "LSH buckets with very many different passages: each was compared with the "
                "representatives only"
            ),
        ),
        (
            "similar_passages",
            capped["links"],
            (
                "similar pairs among very many variants of a passage: left to the strongest and to "
                "the representatives"
            ),
        ),
        (
            "partners",
            capped["pairs"],
            (
                "weaker pairs of articles with very many partners: left to the strongest and to "
                "the representatives"
            ),
        ),
        (
            "word_window",
            int(cut[0]),
            (
                "look-ups of words that stand in very many passages of an article: only those near "
                "the last match were looked at"
            ),
        ),
        (
            "seeds",
            int(cut[1]),
            "passages like more than four of the other article: the best four count",
        ),
        (
            "look_back",
            int(cut[2]),
            "places with very many alike passages: only the nearest were joined into one match",
        ),
        (
            "furniture_pairs",
            crowded_furniture(analysis) if all_relations else 0,
            "furniture that very many articles of an outlet hold: few of their pairs are listed",
        ),
    )
    return [{"name": n, "count": count, "meaning": meaning} for n, count, meaning in every if count]


def _ledger(ledger: Ledger) -> dict[str, Any]:
    import dataclasses

    return {
        "read": ledger.read,
        "articles": ledger.articles,
        "repeats": ledger.repeats,
        "rejected": ledger.rejected,
        "files": [dataclasses.asdict(f) for f in ledger.files],
        "skipped": [dataclasses.asdict(s) for s in ledger.skipped],
        "warnings": ledger.warnings,
    }


def _counts(tables: Tables) -> dict[str, Any]:
    def tally(table: str, column: str) -> dict[str, int]:
        return dict(sorted(Counter(tables[table][column].to_pylist()).items()))

    return {
        "articles": len(tables["articles"]),
        "passages": tally("passages", "kind"),
        "matches": len(tables["matches"]),
        "relations": tally("relations", "relation"),
        "groups": len(tables["groups"]),
        "sources": len(tables["sources"]),
        "flags": tally("articles", "flag"),
    }


def compare(
    text_a: str,
    text_b: str,
    settings: Settings | None = None,
    *,
    semantic: str | os.PathLike[str] | Encoder | None = None,
) -> list[Match]:
    """Align two texts: the spans that they share, in order of ``a_start``.

    Works on the two texts alone; furniture, which only a corpus can tell, is not marked.
    Swapping the texts swaps the sides of the result. A short stretch of one text that retells much
    of the other is one match (the first 16 of a text). ``semantic`` as for :func:`scan`; to compare
    many pairs, load the encoder once (``dedup.encoder.load_encoder``) and give that.
    """
    from dedup.align import align
    from dedup.classify import classify_matches
    from dedup.collection import as_texts, collect
    from dedup.kinds import QUOTE, no_statistics
    from dedup.speech import find_speech

    for text in (text_a, text_b):
        if not isinstance(text, str):
            raise UsageError(f"compare: expected two texts (str), got {type(text).__name__}")
    settings = settings or Settings()
    first, second = sorted((text_a, text_b), key=lambda t: t.encode("utf-8", "replace"))
    c = collect(as_texts([first, second]))
    alignment = align(c, np.array([0]), np.array([1]), settings, summaries=True)
    shared, statistics = no_statistics(c)
    m = classify_matches(
        c,
        alignment,
        shared,
        statistics,
        np.zeros(len(c.p_start), bool),
        np.full(c.nodes, -1),
        find_speech(c),
        settings,
    )
    encoder = _encoder(semantic)
    if encoder is not None:
        from dedup.semantic import widen

        every, texts = np.ones(1, bool), as_texts([first, second])
        m = widen(c, texts, alignment, m, every, settings, encoder).matches
    found = []
    for k in range(len(m.pair)):
        a = (int(c.t_start[m.a0[k]]), int(c.t_end[m.a1[k] - 1]))
        b = (int(c.t_start[m.b0[k]]), int(c.t_end[m.b1[k] - 1]))
        one, two = (a, b) if first is text_a or first == text_a else (b, a)
        kind = KINDS[QUOTE] if m.kind[k] == QUOTE else KINDS[0]
        found.append(Match(*one, *two, round(float(m.similarity[k]), 6), kind))
    return sorted(found, key=lambda x: (x.a_start, x.b_start))
