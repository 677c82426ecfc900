"""Some groups of what was found, with all that belongs to them, as the tables of a run."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.errors import UsageError
from dedup.index import Index
from dedup.model import table_schemas
from dedup.report.encode import parsed_date
from dedup.results import FolderResults, Results
from dedup.texts import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


def whole(results: Results) -> tuple[Tables, Row]:
    """All tables, and what ``run.json`` says.

    Those of an index are made anew, scores included, which takes about as long as an update of it.
    """
    if isinstance(results, FolderResults):
        return Tables.of(results.tables), results.run
    found = Index.open(results.place).tables()
    return Tables.of(found.tables), found.run


def excerpt(
    results: Results, groups: Sequence[str], *, articles: int | None = None
) -> tuple[Tables, Row]:
    """The groups with these ids: their articles, passages, relations, matches, sources, texts.

    ``articles``: only the first so many of each group (its row names all).

    Raises :class:`~dedup.errors.UsageError` when there is no such group.
    """
    found = results.rows("groups", "id", groups)
    if missing := sorted(set(groups) - {row["id"] for row in found}):
        raise UsageError(f"{results.place}: holds no group {missing[0]!r}")
    refs = sorted({ref for row in found for ref in row["articles"][:articles]})
    own = set(refs)
    rows: dict[str, list[Row]] = {name: [] for name in table_schemas()}
    rows["groups"] = found
    rows["articles"] = results.rows("articles", "ref", refs)
    for name in ("relations", "matches", "near_misses"):
        rows[name] = [row for row in results.rows(name, "a", refs) if row["b"] in own]
    passages = results.rows("passages", "id", [p for row in found for p in row["passages"]])
    rows["passages"] = sorted(passages, key=lambda row: (-(row["score"] or 0.0), row["id"]))
    rows["sources"] = results.rows("sources", "id", sorted({r["source"]["id"] for r in found}))
    texts = results.texts([row["digest"] for row in rows["articles"]])
    rows["texts"] = [
        {name: row[name] for name in ("id", "ref", "digest")} | {"text": texts[row["digest"]]}
        for row in rows["articles"]
        if row["digest"] in texts
    ]
    for row in rows["articles"]:
        row["published"] = parsed_date(row["published"])
    tables = {
        name: pa.Table.from_pylist(rows[name], schema) for name, schema in table_schemas().items()
    }
    if not texts:
        del tables["texts"]
    return Tables.of(tables), about(results)


def about(results: Results) -> Row:
    """What the page of an excerpt says of the run behind it."""
    return {
        "dedup": importlib.metadata.version("dedup"),
        "settings": results.settings.as_dict(),
        "fingerprint": results.settings.fingerprint(),
        "inputs": [str(results.place)],
        "caps": results.caps(),
    }
