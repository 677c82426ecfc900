"""What the stages found, as the tables of the output contract (``model.table_schemas()``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dedup.flags import flag_article
from dedup.model import table_schemas
from dedup.relate import R_BOILERPLATE, R_QUOTE
from dedup.tables.articles import article_table, source_rows
from dedup.tables.groups import build_groups, group_rows
from dedup.tables.passages import rank_passages
from dedup.tables.records import Records
from dedup.tables.relations import build_relations, match_table
from dedup.tables.scores import build_scores
from dedup.texts import Tables, TextTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedup.agencies import Agencies
    from dedup.config import Settings
    from dedup.pipeline import Analysis
    from dedup.tables.selection import Selection

__all__ = ["build_tables"]


def build_tables(
    analysis: Analysis,
    settings: Settings,
    agencies: Agencies,
    *,
    all_relations: bool = False,
    group_ids: Sequence[str] | None = None,
    only: Selection | None = None,
) -> Tables:
    """All tables of a run but ``rejected``, sorted as the contract asks.

    ``group_ids``: the ids of ``analysis.groups``, where an index gave them; else each is named
    after its smallest member. ``all_relations`` lists pairs that share furniture only, too.
    ``only``: the rows to be made; ``sources`` are made whole all the same.
    """
    least = R_BOILERPLATE if all_relations else R_QUOTE
    analysis.lay_out(_nodes_of(analysis, only))
    records = Records(analysis.corpus, analysis.collection.nodes)
    scores = build_scores(analysis, least, only)
    related = build_relations(records, analysis, settings, scores, least, only)
    grouped = build_groups(records, analysis, related, agencies, group_ids, only)
    ranked = rank_passages(records, analysis, grouped, agencies, scores.passage, only)
    made = range(len(records)) if only is None else np.flatnonzero(only.records).tolist()
    verdicts = {
        i: flag_article(grouped.facts_of(i), grouped.group_facts_of(i), agencies) for i in made
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "groups": group_rows(records, analysis, grouped, ranked),
        "sources": source_rows(records, analysis, grouped, verdicts, agencies),
    }
    schemas = table_schemas()
    tables = {name: pa.Table.from_pylist(rows[name], schemas[name]) for name in rows}
    tables |= related.tables()
    tables["articles"] = article_table(records, analysis, related, grouped, verdicts)
    tables["passages"] = ranked.table
    tables["matches"] = match_table(records, analysis, related, ranked.ids, scores)
    corpus = analysis.corpus
    names = {"id": corpus.table["id"], "ref": corpus.refs, "digest": corpus.table["digest"]}
    return Tables(tables, TextTable(pa.table(names), corpus.texts, corpus.node))


def _nodes_of(x: Analysis, only: Selection | None) -> NDArray[np.int64]:
    """The texts (int64) of which rows are made but for passages; both texts of a pair, and all
    members of a group, are those of records that are."""
    if only is None:
        return np.arange(x.collection.nodes)
    return np.asarray(x.corpus.node[only.records])
