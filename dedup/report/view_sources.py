"""The sources of the page: each with its groups, their articles, and the words that say so."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.report.safe import one_line, visible
from dedup.report.view import Articles, Roll, Texts, evidence_view

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP_SOURCES = 500
BLOCK = 10
"""Sources whose groups and articles are one chunk."""
SOURCE_GROUPS = 20
SOURCE_ARTICLES = 12
"""Articles of a group that are listed under its source."""
ALONE = 20
"""Articles without a group that are listed under the source that they credit."""
HOW = {
    "credit": "credited",
    "metadata": "credited",
    "inferred": "inferred",
    "earliest-observed": "first observed",
}


class Sources:
    """The sources by number of articles; ``total`` counts all, the first :data:`TOP_SOURCES` are
    listed."""

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        articles: Articles,
        texts: Texts,
        names: Mapping[str, str],
    ) -> None:
        ranked = sorted(tables["sources"].to_pylist(), key=lambda s: (-len(s["articles"]), s["id"]))
        self.total = len(ranked)
        self._ranked = ranked[:TOP_SOURCES]
        self._tables = tables
        self._articles = articles
        self._texts = texts
        self._names = names

    def __len__(self) -> int:
        return len(self._ranked)

    @property
    def blocks(self) -> int:
        """Number of blocks of details."""
        return -(-len(self) // BLOCK)

    def listed(self) -> list[dict[str, Any]]:
        """One record a source: ``{id, name, kind, groups, articles, credited, inferred, cited,
        cited_by}``; ``credited`` and ``inferred`` count articles by how their source was found."""
        table = self._tables["articles"]
        basis: dict[str, dict[str, int]] = defaultdict(dict)
        for row in table.group_by(["source", "basis"]).aggregate([([], "count_all")]).to_pylist():
            basis[row["source"] or ""][row["basis"] or ""] = row["count_all"]
        return [self._listed(source, basis[source["id"]]) for source in self._ranked]

    def _listed(self, source: dict[str, Any], found: Mapping[str, int]) -> dict[str, Any]:
        outlets = Counter(
            one_line(self._articles.field(ref, "outlet"), 80) or one_line(ref, 40)
            for ref in source["cited_by"][:1000]
        )
        return {
            "id": visible(source["id"]),
            "name": self._names[source["id"]],
            "kind": source["kind"],
            "groups": len(source["groups"]),
            "articles": len(source["articles"]),
            "credited": found.get("credit", 0),
            "inferred": found.get("copy", 0) + found.get("inferred", 0),
            "cited": len(source["cited_by"]),
            "cited_by": sorted(outlets, key=lambda o: (-outlets[o], o))[:5],
        }

    def details(self, block: int) -> dict[str, Any]:
        """The groups and articles of a block of sources: ``sources`` are ``{groups, groups_left,
        alone, alone_left}``, an article of them ``{article, how, evidence}``."""
        roll = Roll(self._articles, self._names)
        some = self._ranked[block * BLOCK : (block + 1) * BLOCK]
        return {"sources": [self._open(s, roll) for s in some], "articles": roll.columns()}

    @cached_property
    def _group_row(self) -> dict[str, int]:
        return {i: row for row, i in enumerate(self._tables["groups"].column("id").to_pylist())}

    def _open(self, source: dict[str, Any], roll: Roll) -> dict[str, Any]:
        table = self._tables["groups"]
        rows = [self._group_row[name] for name in source["groups"] if name in self._group_row]
        own = table.take(pa.array(rows, pa.int64())).to_pylist()
        own.sort(key=lambda g: (-len(g["articles"]), g["id"]))
        inside = {ref for row in own for ref in row["articles"]}
        alone = [ref for ref in source["articles"] if ref not in inside]
        return {
            "groups": [self._group(row, source["id"], roll) for row in own[:SOURCE_GROUPS]],
            "groups_left": max(0, len(own) - SOURCE_GROUPS),
            "alone": [self._alone(ref, source["id"], roll) for ref in alone[:ALONE]],
            "alone_left": max(0, len(alone) - ALONE),
        }

    def _alone(self, ref: str, source: str, roll: Roll) -> dict[str, Any]:
        claims = [c for c in self._articles.credits(ref) if c["source"] == source]
        how = "credited" if claims else "in another group"
        return self._sourced(ref, how, claims[0] if claims else None, roll)

    def _sourced(
        self, ref: str, how: str, claim: dict[str, Any] | None, roll: Roll
    ) -> dict[str, Any]:
        evidence = None
        if claim:
            evidence = evidence_view(claim, roll, self._articles, self._texts, self._names)
        return {"article": roll.number(ref), "how": how, "evidence": evidence}

    def _group(self, row: dict[str, Any], source: str, roll: Roll) -> dict[str, Any]:
        claims: dict[str, list[dict[str, Any]]] = defaultdict(list)
        disputed: set[str] = set()
        for item in row["source"]["evidence"] or ():
            claims[item["article"]].append(item)
            if item["source"] != source and item["role"] in ("credit", "metadata"):
                disputed.add(item["source"])
        chosen: list[tuple[int, str, dict[str, Any] | None]] = []
        for ref in row["articles"]:
            # Credits first, those of this source before others'.
            found = sorted(
                (c for c in claims.get(ref, ()) if c["role"] in HOW),
                key=lambda c: (c["source"] != source, list(HOW).index(c["role"])),
            )
            claim = found[0] if found else None
            if claim is None or HOW[claim["role"]] != "credited":
                chosen.append((2, ref, claim))
            else:
                chosen.append((int(claim["source"] != source), ref, claim))
        credited = sum(rank == 0 for rank, _, _ in chosen)
        listed = []
        for _, ref, claim in sorted(chosen, key=lambda c: c[0])[:SOURCE_ARTICLES]:
            how = HOW[claim["role"]] if claim else "shares text"
            if claim and claim["source"] != source:
                name = self._names.get(claim["source"], one_line(claim["source"], 60))
                how = f"{how} to {name}" if how == "credited" else f"{how}: {name}"
            listed.append(self._sourced(ref, how, claim, roll))
        titles = (roll.view(ref).title for _, ref, _ in sorted(chosen, key=lambda c: c[0]))
        return {
            "id": visible(row["id"]),
            "title": next((t for t in titles if t), "") or one_line(row["id"], 60),
            "size": len(row["articles"]),
            "credited": credited,
            "uncredited": len(row["articles"]) - credited,
            "disputed": [self._names.get(s, one_line(s, 60)) for s in sorted(disputed)],
            "articles": listed,
        }
