"""One run: what it needs, its stages from inputs to tables, and what it says of itself."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from dedup import agencies as agency_data
from dedup.arena import Arena
from dedup.budget import memory_budget, text_limit
from dedup.config import ReadSettings, Settings
from dedup.corpus import build_corpus
from dedup.corrections import Corrections, load_corrections
from dedup.encoder import Encoder, load_encoder
from dedup.errors import UsageError
from dedup.families import NO_FAMILIES, load_families
from dedup.memory import collector_paused, release_memory
from dedup.model import Ledger
from dedup.pipeline import Analysis, Clock, Progress, analyse
from dedup.read import read_articles
from dedup.read.dates import current_time
from dedup.rejects import RejectList
from dedup.report.encode import normalised
from dedup.tables import build_tables
from dedup.tables.furniture import crowded_furniture
from dedup.texts import Tables
from dedup.warmup import compile_kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from dedup.agencies import Agencies
    from dedup.corpus import Corpus
    from dedup.read.discover import Found
    from dedup.reuse import Earlier
    from dedup.tables.selection import Selection

_VERSIONED = ("numpy", "numba", "scikit-learn", "datasketch", "pyarrow")


def names_of(inputs: str | Path | Sequence[str | Path]) -> list[str]:
    """Inputs as a list of names, whether one or several were given."""
    if isinstance(inputs, (str, os.PathLike)):
        return [str(inputs)]
    return [str(name) for name in inputs]


class Run:
    """What the commands over articles have in common.

    ``agencies``, ``families``, ``corrections`` are paths of TOML files; ``semantic`` a folder of a
    sentence encoder; ``memory`` what the run may take (:func:`~dedup.budget.memory_budget`).
    Raises :class:`~dedup.errors.SettingsError` or :class:`~dedup.errors.UsageError` when one of
    them is wrong, before anything is read.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        read: ReadSettings | None = None,
        threads: int | None = None,
        agencies: str | os.PathLike[str] | None = None,
        families: str | os.PathLike[str] | None = None,
        corrections: str | os.PathLike[str] | None = None,
        semantic: str | os.PathLike[str] | Encoder | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads: expected a number from 1 on, got {threads}")
        self.memory = memory_budget(memory)
        self.arena = Arena(self.memory)
        self.settings = settings or Settings()
        self.read_settings = read or ReadSettings()
        self.threads = threads
        self.agencies: Agencies = agency_data.load(agencies)
        self.agencies_file = None if agencies is None else str(agencies)
        declared = NO_FAMILIES if families is None else load_families(families, self.agencies)
        self.corrections = (
            Corrections(families=declared)
            if corrections is None
            else load_corrections(corrections, self.agencies, declared)
        )
        self.encoder = encoder_of(semantic)
        self.clock = Clock(progress)
        self._rejects = RejectList(self.arena)
        self.ledger = Ledger(rejects=self._rejects)
        self.inputs: list[str] = []

    def read(
        self,
        inputs: Sequence[str],
        *,
        former: Iterable[pa.RecordBatch] = (),
        each: Callable[[pa.RecordBatch], None] | None = None,
    ) -> Corpus:
        """Read the inputs into a corpus; what was rejected stands in the ledger.

        ``each`` is told every batch of the inputs; ``former`` articles join them.
        """
        self.inputs = list(inputs)

        def batches(tick: Callable[[int, int], None]) -> Iterator[pa.RecordBatch]:
            for batch in read_articles(inputs, self.read_settings, self.ledger, on_bytes=tick):
                if each is not None:
                    each(batch)
                yield batch
            yield from former

        with self.clock.stage("read") as tick:
            corpus = build_corpus(
                batches(tick),
                families=self.corrections.families,
                arena=self.arena,
                text_limit=text_limit(self.memory),
                ledger=self.ledger,
            )
        release_memory()
        return corpus

    @contextmanager
    def reading(
        self, inputs: Sequence[str], chosen: Callable[[Found], bool] | None = None
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        """The batches of the inputs, for as long as the stage ``read`` lasts.

        ``chosen`` as for :func:`~dedup.read.read_articles`.
        """
        self.inputs = list(inputs)
        with self.clock.stage("read") as tick:
            if inputs:
                yield read_articles(
                    inputs, self.read_settings, self.ledger, on_bytes=tick, chosen=chosen
                )
            else:
                yield iter(())

    @property
    def workers(self) -> int:
        """How many threads work."""
        return self.threads or os.cpu_count() or 1

    @property
    def judged(self) -> str:
        """What stands for the user's corrections and families: another where these change."""
        families = json.dumps(self.corrections.families.as_list(), sort_keys=True)
        return f"{self.corrections.digest or ''} {families}"

    def compile(self) -> None:
        """Compile the kernels where this machine has not done so yet."""
        compile_kernels(self.clock)

    def analyse(self, corpus: Corpus, *, earlier: Earlier | None = None) -> Analysis:
        """All stages; ``earlier``: what is known of the corpus."""
        self.compile()
        return analyse(
            corpus,
            self.settings,
            self.agencies,
            threads=self.threads,
            clock=self.clock,
            encoder=self.encoder,
            corrections=self.corrections,
            arena=self.arena,
            earlier=earlier,
        )

    def rejected(self) -> pa.Table:
        """The table ``rejected``."""
        return normalised("rejected", self._rejects.table())

    def tables(
        self,
        analysis: Analysis,
        *,
        all_relations: bool = False,
        group_ids: Sequence[str] | None = None,
        only: Selection | None = None,
    ) -> Tables:
        """All tables, as they are written; ``group_ids`` and ``only`` as for
        :func:`~dedup.tables.build_tables`."""
        with self.clock.stage("report"):
            with collector_paused():
                built = build_tables(
                    analysis,
                    self.settings,
                    self.agencies,
                    all_relations=all_relations,
                    group_ids=group_ids,
                    only=only,
                )
            return Tables(
                {
                    **{n: normalised(n, built[n]) for n in built if n != "texts"},
                    "rejected": self.rejected(),
                },
                built.texts,
            )

    def about(
        self, analysis: Analysis | None, counts: dict[str, Any], *, all_relations: bool = False
    ) -> dict[str, Any]:
        """The content of ``run.json``; ``counts`` says how much was found. Without ``analysis``
        nothing was compared."""
        parts = {"semantic": self.encoder.digest} if self.encoder else {}
        if self.corrections.digest:
            parts["corrections"] = self.corrections.digest
        if self.agencies_file is not None:
            parts["agencies"] = self.agencies.digest
        return {
            "dedup": importlib.metadata.version("dedup"),
            "settings": self.settings.as_dict(),
            "fingerprint": self.settings.fingerprint(**parts),
            **(_semantic(self.encoder, analysis) if analysis else {}),
            **({"agencies": self.agencies_file} if self.agencies_file is not None else {}),
            **(_corrected(self.corrections, analysis) if analysis else {}),
            "inputs": self.inputs,
            # Dates after the day of the run are unknown ones; the day is part of the result.
            "today": current_time().date().isoformat(),
            "ledger": ledger_dict(self.ledger),
            "versions": {
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in _VERSIONED},
            },
            "counts": counts,
            "caps": _caps(analysis, all_relations) if analysis else [],
            "work": _work(analysis),
            "timing": {
                **self.clock.timing(),
                "memory_budget_mb": round(self.memory / 2**20, 1),
                "spilled_mb": round(self.arena.spilled / 2**20, 1),
            },
        }


def _work(analysis: Analysis | None) -> dict[str, int]:
    """How much was compared."""
    if analysis is None:
        return {"passages": 0, "collisions": 0, "pairs_aligned": 0}
    return {
        "passages": len(analysis.collection.p_start),
        "collisions": analysis.candidates.capped["collisions"],
        "pairs_aligned": int(analysis.aligned_now.sum()),
    }


def encoder_of(semantic: str | os.PathLike[str] | Encoder | None) -> Encoder | None:
    """An encoder, loaded if a folder is named."""
    if semantic is None or hasattr(semantic, "encode"):
        return cast("Encoder | None", semantic)
    return load_encoder(cast("str | os.PathLike[str]", semantic))


def _corrected(corrections: Corrections, analysis: Analysis) -> dict[str, Any]:
    """The parts ``families`` and ``corrections`` of ``run.json``: absent where none is given."""
    found: dict[str, Any] = {}
    if corrections.families.entries:
        found["families"] = corrections.families.as_list()
    if corrections.file:
        outcomes = analysis.judgements.outcomes
        found["corrections"] = {
            "file": corrections.file,
            "applied": sum(outcome.applied for outcome in outcomes),
            "entries": [outcome.as_dict() for outcome in outcomes],
        }
    return found


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
    """What limits left out in a run."""
    return listed_caps(
        analysis.candidates.capped,
        analysis.alignment.cut.tolist(),
        crowded_furniture(analysis) if all_relations else 0,
    )


def listed_caps(
    capped: Mapping[str, int], cut: Sequence[int], crowded: int
) -> list[dict[str, Any]]:
    """What limits left out, each with its count; those that cut nothing are not listed.

    ``capped`` of candidates, ``cut`` of alignments, ``crowded`` pieces of furniture.
    """
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
            crowded,
            "furniture that very many articles of an outlet hold: few of their pairs are listed",
        ),
    )
    return [{"name": n, "count": count, "meaning": meaning} for n, count, meaning in every if count]


def ledger_dict(ledger: Ledger) -> dict[str, Any]:
    """The balance of the input as it stands in ``run.json``."""
    return {
        "read": ledger.read,
        "articles": ledger.articles,
        "repeats": ledger.repeats,
        "rejected": ledger.rejected,
        "files": [dataclasses.asdict(f) for f in ledger.files],
        "skipped": [dataclasses.asdict(s) for s in ledger.skipped],
        "warnings": ledger.warnings,
    }


def counts_of(tables: Tables) -> dict[str, Any]:
    """Rows of each table, by kind."""

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
