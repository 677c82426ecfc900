"""The folder that a run of an index writes: what it added or changed, and ``changes.jsonl``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
import pyarrow as pa
import zstandard

from dedup.changes import stored_rows
from dedup.report.folder import CHANGES, RUN
from dedup.report.tables import prepare_output, write_run
from dedup.texts import Tables, TextTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dedup.index import Update
    from dedup.report.encode import Format
    from dedup.store import Store


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

        html = render_html(with_context(store, update.tables), update.run)
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
    named = set(tables["articles"]["ref"].to_pylist())
    for name in ("relations", "matches", "near_misses"):
        named.update(tables[name]["a"].to_pylist(), tables[name]["b"].to_pylist())
    for name, columns in (("groups", ("articles",)), ("sources", ("articles", "cited_by"))):
        for column in columns:
            named.update(*tables[name][column].to_pylist())
    for row in tables["passages"]["occurrences"].to_pylist():
        named.update(occurrence["article"] for occurrence in row)
    for change in update.changes:
        if change["table"] in ("articles", "relations", "matches", "near_misses"):
            named.update(key for key in change["key"][:2] if isinstance(key, str))
    return named


def with_context(store: Store, tables: Mapping[str, pa.Table]) -> Tables:
    """The tables with the articles that they name, which a reader of the report wants to see."""
    articles = tables["articles"]
    named: set[str] = set()
    for row in tables["groups"]["articles"].to_pylist():
        named.update(row)
    for name in ("relations", "matches", "near_misses"):
        named.update(tables[name]["a"].to_pylist(), tables[name]["b"].to_pylist())
    for row in tables["passages"]["occurrences"].to_pylist():
        named.update(occurrence["article"] for occurrence in row)
    named -= set(articles["ref"].to_pylist())
    further = stored_rows(store, "articles", sorted((ref,) for ref in named))
    every = pa.concat_tables([articles, further]).sort_by("ref")
    return Tables({**tables, "articles": every}, texts_of(store, every))


class _Texts:
    """Texts by digest, as an index holds them."""

    def __init__(self, store: Store, digests: list[str]) -> None:
        self._store = store
        self._digests = digests
        self._plain = zstandard.ZstdDecompressor()

    def __getitem__(self, row: int) -> pa.Scalar:
        return self.take(pa.array([row]))[0]

    def take(self, rows: pa.Array) -> pa.LargeStringArray:
        query = "SELECT content FROM texts WHERE digest = ?"
        found: list[Any] = [
            self._store.value(query, self._digests[row]) for row in rows.to_pylist()
        ]
        texts = [None if c is None else self._plain.decompress(c).decode() for c in found]
        return pa.array(texts, pa.large_string())


def texts_of(store: Store, articles: pa.Table) -> TextTable:
    """The table ``texts`` of some articles."""
    names = articles.select(["id", "ref", "digest"])
    texts = _Texts(store, articles["digest"].to_pylist())
    return TextTable(names, texts, np.arange(len(articles)))
