"""The Python interface: ``scan``, ``compare`` and ``Result``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dedup.config import ReadSettings, Settings
from dedup.errors import UsageError
from dedup.model import KINDS, Match
from dedup.run import Run, counts_of, encoder_of, names_of
from dedup.texts import Tables

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from dedup.encoder import Encoder
    from dedup.pipeline import Progress
    from dedup.plot import Plots


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

    @property
    def plot(self) -> Plots:
        """Charts for notebooks: ``result.plot.timeline()``, ``.matrix()``, ``.histogram()``; they
        need the extra ``plot`` (Altair)."""
        from dedup.plot import Plots

        return Plots(self.tables)

    def write(
        self,
        out: str | Path,
        *,
        format: Literal["jsonl", "parquet", "csv"] = "jsonl",  # noqa: A002
        texts: bool = True,
        report: bool | Literal["full"] = True,
        all_relations: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the tables, ``run.json`` and ``report.html`` into folder ``out``.

        ``report="full"`` writes the folder ``report`` too, with the texts of every group, however
        many there are. ``all_relations`` keeps pairs that share furniture only, where the scan
        listed them.

        Raises ``OutputNotEmptyError`` when the folder holds files and ``overwrite`` is false,
        ``OutputNotWritableError`` when it cannot be written. Returns the files written.
        """
        from dedup.report.chunks import ReportData
        from dedup.report.html import folder_files, render_page
        from dedup.report.tables import prepare_output, write_run

        out = Path(out)
        prepare_output(out, overwrite)
        tables = Tables.of(self.tables)
        if not texts:
            tables = tables.without_texts()
        data = ReportData(tables, self.run) if report else None
        return write_run(
            out,
            tables,
            self.run,
            format=format,
            all_relations=all_relations,
            texts=texts,
            html=None if data is None else partial(render_page, data),
            pages=folder_files(data) if data is not None and report == "full" else None,
            overwrite=overwrite,
        )


def scan(
    inputs: str | Path | Sequence[str | Path],
    *,
    settings: Settings | None = None,
    read: ReadSettings | None = None,
    threads: int | None = None,
    agencies: str | os.PathLike[str] | None = None,
    families: str | os.PathLike[str] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    all_relations: bool = False,
    semantic: str | os.PathLike[str] | Encoder | None = None,
    memory: str | int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Find what the articles in ``inputs`` share and where it comes from.

    ``inputs``: files, folders, globs, ``"-"``. ``agencies``, ``families``, ``corrections``: TOML
    files with further agencies, with families of outlets, with your judgements
    (``docs/sources.md``). ``all_relations`` lists pairs that share furniture only, too.
    ``semantic``: a local folder with a sentence encoder, which is asked how far reworded matches
    reach (``docs/semantic.md``). ``memory``: what the run may take, e.g. ``"4GB"`` (default: half
    of the machine's); what is too large goes to temporary files, the result is the same
    (``docs/performance.md``). ``progress(stage, done, total)`` is called as stages go on.

    Raises ``InputError`` when an input does not exist, ``UsageError`` and ``SettingsError`` for
    wrong options; damaged input does not raise (unless ``read.strict``) but stands in
    ``result.run["ledger"]`` and ``result.rejected``.
    """
    run = Run(
        settings=settings,
        read=read,
        threads=threads,
        agencies=agencies,
        families=families,
        corrections=corrections,
        semantic=semantic,
        memory=memory,
        progress=progress,
    )
    analysis = run.analyse(run.read(names_of(inputs)))
    tables = run.tables(analysis, all_relations=all_relations)
    return Result(tables, run.about(analysis, counts_of(tables), all_relations=all_relations))


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
    from dedup.classify import judge_runs
    from dedup.collection import as_texts, collect
    from dedup.kinds import QUOTE, no_statistics
    from dedup.speech import Speech

    for text in (text_a, text_b):
        if not isinstance(text, str):
            raise UsageError(f"compare: expected two texts (str), got {type(text).__name__}")
    settings = settings or Settings()
    first, second = sorted((text_a, text_b), key=lambda t: t.encode("utf-8", "replace"))
    c = collect(as_texts([first, second]))
    alignment = align(c, np.array([0]), np.array([1]), settings, summaries=True)
    shared, statistics = no_statistics(c)
    m = judge_runs(
        c,
        alignment,
        shared,
        statistics,
        np.zeros(len(c.p_start), bool),
        np.full(c.nodes, -1),
        Speech.of(c.p_speech),
        settings,
    ).matches()
    encoder = encoder_of(semantic)
    if encoder is not None:
        from dedup.semantic import widen

        every, texts = np.ones(1, bool), as_texts([first, second])
        m = widen(c, texts, alignment, m, every, settings, encoder).matches
    found = []
    for k in range(len(m.pair)):
        a = (int(c.t_start[m.a0[k]]), int(c.end_of(m.a1[k] - 1)))
        b = (int(c.t_start[m.b0[k]]), int(c.end_of(m.b1[k] - 1)))
        one, two = (a, b) if first is text_a or first == text_a else (b, a)
        kind = KINDS[QUOTE] if m.kind[k] == QUOTE else KINDS[0]
        found.append(Match(*one, *two, round(float(m.similarity[k]), 6), kind))
    return sorted(found, key=lambda x: (x.a_start, x.b_start))
