"""The one place where the order of the stages stands.

    read -> corpus -> collect (segment, sketch) -> candidates -> align -> passages (rank)
         -> classify -> relate (-> semantic) -> group -> attribute -> tables

Every stage is a function of arrays or records; files are touched by ``read`` and ``report``
only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from dedup.align import Alignment, align, links_alone
from dedup.arena import Arena
from dedup.attribute import Attributor
from dedup.candidates import (
    Candidates,
    find_candidates,
    indexed_passages,
    without_passages,
)
from dedup.classify import Matches, judge_runs, node_outlets
from dedup.collection import Collection, all_there, collect
from dedup.corpus import Corpus, build_corpus
from dedup.corrections import NO_CORRECTIONS, Corrections
from dedup.errors import DedupError, InternalError
from dedup.group import Group, group_nodes
from dedup.judgements import Judgements, judge, note_spared, resolve, with_same
from dedup.kinds import KnownKinds, PassageStatistics, passage_statistics
from dedup.language import detect_languages
from dedup.memory import peak_memory_mb, release_memory
from dedup.model import Evidence, Ledger
from dedup.passages import SharedPassages, share_passages
from dedup.read import read_articles
from dedup.rejudge import outlet_marks, relate_again
from dedup.relate import R_PARTIAL, Relations, relate, related_matches
from dedup.reuse import align_further, no_alignment
from dedup.semantic import Widened, widen
from dedup.speech import Speech
from dedup.template import template_passages

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.collection import LayOut
    from dedup.config import ReadSettings, Settings
    from dedup.encoder import Encoder
    from dedup.reuse import Earlier

MANY = 5_000
"""From so many articles on scikit-learn is loaded beside the first stages: they probably share more
words than :data:`dedup.rank.FEW`."""

Progress = Callable[[str, int, int | None], None]
Claims = tuple[list[Evidence], list[Evidence]]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that the stages found, before it is turned into tables."""

    corpus: Corpus
    collection: Collection
    candidates: Candidates
    """Without their passages, which stand in ``shared``."""
    alignment: Alignment
    """Without matches, where no run follows that would start from them."""
    aligned_now: NDArray[np.bool_]
    """Which of its pairs no earlier run had aligned."""
    shared: SharedPassages
    statistics: PassageStatistics
    matches: Matches
    relations: Relations
    groups: list[Group]
    groupable: NDArray[np.bool_]
    claims: list[Claims]
    languages: list[str | None]
    judgements: Judgements
    template: NDArray[np.bool_]
    """Passages that outlets' templates make."""
    widened: Widened | None = None
    lay_out: LayOut = all_there
    """To be asked for the tokens and distinct words of texts before anybody looks at them."""
    articles: NDArray[np.int64] | None = None
    """How many articles hold each word, where that is known."""


class Clock:
    """Seconds of each stage, and the name of the stage under way for error messages.

    ``cpu_seconds`` is the processor time of all threads while a stage was under way, so also of
    what runs beside it.
    """

    def __init__(self, progress: Progress | None) -> None:
        self.stages: list[dict[str, Any]] = []
        self.begun = time.perf_counter()
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Time a stage; yields its progress callback. Unexpected errors name the stage."""
        begun, worked = time.perf_counter(), time.process_time()

        def report(done: int, total: int) -> None:
            if self._progress:
                self._progress(name, done, total)

        if self._progress:
            self._progress(name, 0, None)
        try:
            yield report
        except (DedupError, KeyboardInterrupt):
            raise
        except MemoryError as error:
            raise DedupError(
                f"not enough memory in stage '{name}'; scan fewer articles at a time"
            ) from error
        except Exception as error:
            raise InternalError(
                f"internal error in stage '{name}': {type(error).__name__}: {error}"
            ) from error
        self.stages.append(
            {
                "stage": name,
                "seconds": round(time.perf_counter() - begun, 3),
                "cpu_seconds": round(time.process_time() - worked, 3),
                "peak_memory_mb": peak_memory_mb(),
            }
        )

    def under_way(self, name: str) -> None:
        """Say that a stage has begun which is not timed: what it writes holds the times."""
        if self._progress:
            self._progress(name, 0, None)

    def timing(self) -> dict[str, Any]:
        """The ``timing`` part of ``run.json``."""
        return {
            "stages": self.stages,
            "total_seconds": round(time.perf_counter() - self.begun, 3),
            "peak_memory_mb": peak_memory_mb(),
        }


def read_corpus(
    inputs: Sequence[str],
    read: ReadSettings,
    ledger: Ledger,
    on_bytes: Callable[[int, int], None] | None = None,
) -> Corpus:
    """Read all inputs into a corpus; what was rejected stands in ``ledger``."""
    corpus = build_corpus(read_articles(inputs, read, ledger, on_bytes=on_bytes), ledger=ledger)
    release_memory()
    return corpus


def analyse(
    corpus: Corpus,
    settings: Settings,
    agencies: Agencies,
    *,
    threads: int | None = None,
    clock: Clock | None = None,
    encoder: Encoder | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    arena: Arena | None = None,
    earlier: Earlier | None = None,
    kinds: KnownKinds | None = None,
) -> Analysis:
    """Run all stages over a corpus; a pure function of its records and the settings.

    ``kinds`` of passages that a larger corpus has shown stand in place of this one's.

    ``earlier`` is what earlier runs found out about texts of the corpus (an index's update); the
    outcome is the same without it.

    ``encoder`` is asked how far reworded matches reach (:mod:`dedup.semantic`). ``corrections``
    are honoured; their families are those of the corpus. ``arena`` says where large arrays are.
    """
    workers = threads or os.cpu_count() or 1
    clock = clock or Clock(None)
    # Attribution is Python's work and needs nothing of the other stages, whose kernels leave
    # the interpreter free: it runs beside them, and so does what needs the texts alone.
    aside = ThreadPoolExecutor(1, thread_name_prefix="beside")
    if earlier is None:
        claimed = aside.submit(_timed, attribute, corpus, agencies)
    else:
        claimed = _known((earlier.claims, 0.0))
    aside.submit(import_module, "scipy.sparse.csgraph")  # for groups and languages
    if len(corpus.node) >= MANY:  # then the scores need it, and it takes a second
        aside.submit(import_module, "sklearn.feature_extraction.text")
    try:
        return _analyse(
            corpus,
            settings,
            workers,
            clock,
            aside,
            claimed,
            encoder,
            corrections,
            arena,
            earlier,
            kinds,
        )
    finally:
        aside.shutdown(wait=False, cancel_futures=True)


def _edges_of(earlier: Earlier | None) -> NDArray[np.uint64] | None:
    """The keys of openings and closings, where they are known."""
    return None if earlier is None or earlier.edges is None else earlier.edges()


def _known(result: _Result) -> Future[_Result]:
    """A result that need not be waited for."""
    future: Future[_Result] = Future()
    future.set_result(result)
    return future


def _timed(work: Callable[..., list[Claims]], *arguments: Any) -> tuple[list[Claims], float]:
    begun = time.perf_counter()
    return work(*arguments), time.perf_counter() - begun


def _analyse(
    corpus: Corpus,
    settings: Settings,
    workers: int,
    clock: Clock,
    aside: Executor,
    claimed: Future[tuple[list[Claims], float]],
    encoder: Encoder | None,
    corrections: Corrections,
    arena: Arena | None,
    earlier: Earlier | None,
    kinds: KnownKinds | None,
) -> Analysis:
    arena = arena or Arena()
    judgements = resolve(corrections, corpus)
    lay_out = all_there if earlier is None else earlier.lay_out
    with clock.stage("sketch") as tick:
        if earlier is not None:
            collection = earlier.collection
        else:
            texts = cast("pa.LargeStringArray", corpus.texts)
            collection = collect(texts, threads=workers, arena=arena, progress=tick)
        groupable = np.zeros(collection.nodes, bool)
        groupable[collection.p_article[indexed_passages(collection, settings)]] = True
        note_spared(judgements, corrections, collection)
    if earlier is None or earlier.languages is None:
        spoken = aside.submit(detect_languages, collection)
    else:
        spoken = _known(earlier.languages)
    with clock.stage("candidates") as tick:
        candidates = find_candidates(
            collection,
            settings,
            earlier=earlier.passages if earlier else None,
            lay_out=lay_out,
            threads=workers,
            arena=arena,
            progress=tick,
        )
        candidates = arena.keep_all(with_same(candidates, judgements.same))
        release_memory()
    outlets = node_outlets(collection.nodes, corpus.records)
    speech = Speech.of(collection.p_speech)
    made = aside.submit(template_passages, collection, outlets, speech.said, _edges_of(earlier))
    with clock.stage("align") as tick:
        alignment, new = align_further(
            collection,
            candidates.a,
            candidates.b,
            earlier.alignment if earlier else no_alignment(),
            settings,
            lay_out=lay_out,
            threads=workers,
            arena=arena,
            progress=tick,
        )
    with clock.stage("passages"):
        shared = arena.keep_all(share_passages(collection, candidates, alignment, corpus.copies))
        candidates = without_passages(candidates)
        release_memory()
    with clock.stage("classify"):
        spared = judgements.spared_passages(collection)
        template = made.result() & ~spared
        release_memory()
        statistics = passage_statistics(
            collection, shared, alignment, corpus.records, template, speech.said, settings, spared
        )
        if kinds is not None:
            statistics = kinds.applied(collection, shared, statistics)
        judged_by = (
            *(collection, alignment, shared, statistics, template, speech),
            *(corpus.records, settings, arena),
        )
        if earlier is not None and earlier.relations is not None:
            marks = outlet_marks(corpus.owner_ids, corpus.records, collection.nodes)
            matches, relations = relate_again(*judged_by, marks, earlier.relations, lay_out)
        else:
            lay_out(np.append(alignment.pair_a, alignment.pair_b))
            matches, relations = related_matches(*judged_by)
        relations = judge(relations, judgements)
        del made, speech, spared, judged_by
        if earlier is None:  # no run follows that starts from what this one found
            alignment = links_alone(alignment)
        release_memory()
    widened = None
    if encoder is not None:
        with clock.stage("semantic") as tick:
            lay_out(np.arange(collection.nodes))
            widened = widen(
                collection,
                cast("pa.LargeStringArray", corpus.texts),
                alignment,
                matches,
                relations.relation >= R_PARTIAL,
                settings,
                encoder,
                threads=workers,
                progress=tick,
            )
            matches = widened.matches
    with clock.stage("group"):
        groups = group_nodes(
            collection.nodes,
            relations,
            corpus.copies,
            groupable,
            judgements.same,
            judgements.apart,
        )
    with clock.stage("attribute"):
        claims, seconds = claimed.result()
        languages = spoken.result()
    # What it took beside the other stages; the stage itself only waited for the rest of it.
    clock.stages[-1]["seconds_beside"] = round(seconds, 3)
    return Analysis(
        corpus,
        collection,
        candidates,
        alignment,
        new,
        shared,
        statistics,
        matches,
        relations,
        groups,
        groupable,
        claims,
        languages,
        judgements,
        template,
        widened,
        lay_out,
        None if earlier is None else earlier.articles,
    )


def relate_further(
    x: Analysis,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    settings: Settings,
    *,
    threads: int | None = None,
) -> Relations:
    """The relations of further pairs of texts (``a`` < ``b``, int64 nodes), found as in the run.

    In a story of very many copies not every pair was aligned.
    """
    order = np.lexsort((b, a))
    x.lay_out(np.arange(x.collection.nodes))
    c, records = x.collection, x.corpus.records
    alignment = align(c, a[order], b[order], settings, threads=threads or os.cpu_count() or 1)
    outlets = node_outlets(c.nodes, records)
    speech = Speech.of(c.p_speech)
    template = template_passages(c, outlets, speech.said) & ~x.judgements.spared_passages(c)
    matches = judge_runs(
        c, alignment, x.shared, x.statistics, template, outlets, speech, settings
    ).matches()
    return judge(relate(c, alignment, matches, records, settings), x.judgements)


def attribute(
    corpus: Corpus,
    agencies: Agencies,
) -> list[Claims]:
    """Credits and mentions of every record."""
    return Attributor(agencies).evidence_of(
        cast("pa.LargeStringArray", corpus.texts),
        corpus.node.tolist(),
        refs=corpus.refs,
        titles=corpus.column("title"),
        bylines=corpus.column("byline"),
        urls=corpus.column("url"),
        outlet_ids=corpus.outlet_ids,
        metadata=corpus.column("metadata"),
    )
