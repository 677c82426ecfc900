"""The articles of a former run, as they were read: to compare new ones with them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.errors import InputError, UsageError
from dedup.model import article_schema
from dedup.report.tables import read_run

if TYPE_CHECKING:
    from pathlib import Path

_METADATA = "metadata."


def former_articles(path: Path) -> list[pa.RecordBatch]:
    """The articles of an output folder of ``dedup scan``, in :func:`dedup.model.article_schema`.

    Of the metadata only what names a source is kept in a run; stated version numbers are not, so
    that of several texts with one id the latest counts as the current one.

    Raises :class:`~dedup.errors.InputError` when ``path`` holds no whole run, and
    :class:`~dedup.errors.UsageError` when it holds no texts.
    """
    tables, _ = read_run(path)
    texts = tables.get("texts")
    if texts is None:
        raise UsageError(
            f"{path}: was written with --no-texts, so it holds no texts to compare with"
        )
    articles = tables["articles"]
    if articles.column("ref").to_pylist() != texts.column("ref").to_pylist():
        row = {ref: i for i, ref in enumerate(texts.column("ref").to_pylist())}
        missing = [ref for ref in articles.column("ref").to_pylist() if ref not in row]
        if missing:
            raise InputError(f"{path}: texts.parquet has no text of article '{missing[0]}'")
        order = [row[ref] for ref in articles.column("ref").to_pylist()]
        texts = texts.take(pa.array(order, pa.int64()))
    schema = article_schema()
    made = {
        "version": pa.nulls(len(articles), pa.int64()),
        "metadata": pa.array(map(_metadata, articles.column("credits").to_pylist()), pa.string()),
        "text": texts.column("text"),
    }
    columns = [
        made[name] if name in made else articles.column(name).cast(schema.field(name).type)
        for name in schema.names
    ]
    batches: list[pa.RecordBatch] = pa.table(columns, schema=schema).to_batches()
    return batches


def _metadata(credits: list[dict[str, Any]]) -> str | None:  # noqa: A002 - the column's name
    """The metadata fields of a record, as far as evidence was taken from them."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in credits:
        if item["field"].startswith(_METADATA):
            found[item["field"].removeprefix(_METADATA)].append(item["text"])
    kept = {name: ", ".join(parts) for name, parts in found.items()}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None
