"""The folder that a run of an index writes: what it added or changed, and ``changes.jsonl``."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import orjson
import pyarrow as pa

from dedup.changes import stored_rows
from dedup.errors import OutputNotEmptyError, OutputNotWritableError
from dedup.report.folder import CHANGES, RUN
from dedup.report.tables import made_page, prepare_output, write_run
from dedup.runs import note_output, owed_outputs
from dedup.storedtexts import StoredTexts
from dedup.texts import Tables, TextTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedup.report.encode import Format
    from dedup.runs import Started
    from dedup.store import Store
    from dedup.updating import Update


def prepare(out: Path, run: str, *, overwrite: bool) -> bool:
    """Check that ``out`` can be written; returns whether what is there is to be replaced, as it is
    when the same run wrote it before it was killed.

    Raises as :func:`dedup.report.folder.prepare_output`.
    """
    try:
        written = json.loads((out / RUN).read_bytes())["run"]["id"]
    except (OSError, ValueError, KeyError, TypeError):
        written = None
    overwrite = overwrite or written == run
    prepare_output(out, overwrite)
    return overwrite


def targets_of(
    store: Store, started: Started, out: Path | None, *, overwrite: bool
) -> list[tuple[Path, bool]]:
    """The folders that a run writes, checked, and whether what they hold is to be replaced.

    These are ``out``, and those that a killed process of the same run was told to write.
    """
    targets = []
    if out is not None:
        targets.append((out, prepare(out, started.id, overwrite=overwrite)))
    for folder in owed_outputs(store, started):
        owed = Path(folder)
        if out is not None and owed == out.resolve():
            continue
        with suppress(OutputNotEmptyError, OutputNotWritableError):
            # Of one that has become another's, or is gone, nobody waits for it any longer.
            targets.append((owed, prepare(owed, started.id, overwrite=False)))
    if out is not None:
        note_output(store, started, out)
    return targets


def write_targets(
    store: Store,
    started: Started,
    targets: list[tuple[Path, bool]],
    update: Update,
    form: str,
    report: bool,
) -> None:
    """Write what a run added or changed; what it names is noted before."""
    for out, overwrite in targets:
        note_output(store, started, out, named_articles(update))
        write_update(store, out, update, format=form, overwrite=overwrite, report=report)


def write_update(
    store: Store,
    out: Path,
    update: Update,
    *,
    format: str,  # noqa: A002 - named as the option is
    overwrite: bool,
    report: bool,
) -> None:
    """Write what a run added or changed."""
    lines = [orjson.dumps(change, option=orjson.OPT_APPEND_NEWLINE) for change in update.changes]
    html = None
    if report:
        from dedup.report.html import render_html

        html = made_page(lambda: render_html(with_context(store, update.tables), update.run))
    tables = Tables(
        {name: table for name, table in update.tables.items() if name != "texts"},
        texts_of(store, update.tables["articles"]),
    )
    write_run(
        out,
        tables,
        update.run,
        format=cast("Format", format),
        html=html,
        overwrite=overwrite,
        extra={CHANGES: b"".join(lines)},
    )


def named_articles(update: Update) -> set[str]:
    """The articles that the files of a run name, also those that did not change."""
    tables = update.tables
    named = {*tables["articles"]["ref"].to_pylist(), *_mentioned(tables)}
    for column in ("articles", "cited_by"):
        named.update(*tables["sources"][column].to_pylist())
    for change in update.changes:
        if change["table"] in ("articles", "relations", "matches", "near_misses"):
            named.update(key for key in change["key"][:2] if isinstance(key, str))
    return named


def _mentioned(tables: Mapping[str, pa.Table]) -> set[str]:
    """The articles that groups, pairs and passages name."""
    named: set[str] = set().union(*tables["groups"]["articles"].to_pylist())
    for name in ("relations", "matches", "near_misses"):
        named.update(tables[name]["a"].to_pylist(), tables[name]["b"].to_pylist())
    for row in tables["passages"]["occurrences"].to_pylist():
        named.update(occurrence["article"] for occurrence in row)
    return named


def with_context(store: Store, tables: Mapping[str, pa.Table]) -> Tables:
    """The tables with the groups of the articles, and the articles and sources that they name,
    which a reader of the report wants to see."""
    articles = tables["articles"]
    joined = {name for name in articles["group"].to_pylist() if name is not None}
    further = sorted((name,) for name in joined - set(tables["groups"]["id"].to_pylist()))
    groups = pa.concat_tables([tables["groups"], stored_rows(store, "groups", further)])
    tables = {**tables, "groups": groups.sort_by("id")}
    named = _mentioned(tables) - set(articles["ref"].to_pylist())
    further = stored_rows(store, "articles", sorted((ref,) for ref in named))
    every = pa.concat_tables([articles, further]).sort_by("ref")
    credited = _sources({**tables, "articles": every}) - set(tables["sources"]["id"].to_pylist())
    sources = pa.concat_tables(
        [tables["sources"], stored_rows(store, "sources", sorted((name,) for name in credited))]
    ).sort_by("id")
    return Tables({**tables, "articles": every, "sources": sources}, texts_of(store, every))


def _sources(tables: Mapping[str, pa.Table]) -> set[str]:
    """The sources that articles, groups and passages name."""
    articles = tables["articles"]
    named = {name for name in articles["source"].to_pylist() if name is not None}
    for name in ("groups", "passages"):
        named.update(source["id"] for source in tables[name]["source"].to_pylist() if source)
    for column in ("credits", "mentions"):
        for evidence in articles[column].to_pylist():
            named.update(item["source"] for item in evidence if item["source"] is not None)
    return named


def texts_of(store: Store, articles: pa.Table) -> TextTable:
    """The table ``texts`` of some articles."""
    names = articles.select(["id", "ref", "digest"])
    texts = StoredTexts(store, "digest", articles["digest"].to_pylist())
    return TextTable(names, texts, np.arange(len(articles)))
