"""The report: one self-contained page that works from a file and loads nothing.

A strict content security policy allows just the page's own style and script, by their hashes;
every text of others goes through :mod:`dedup.report.safe` and through Jinja's escaping, or into
a JSON island that the script reads and shows with ``textContent``.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from dedup.report.encode import normalised, with_date_strings
from dedup.report.safe import anchor, island, one_line, visible
from dedup.report.view import (
    Articles,
    Texts,
    overview,
    passage_cards,
    source_names,
)
from dedup.report.view_groups import TEXT_LENGTH, group_views, island_data
from dedup.report.view_sources import source_views
from dedup.texts import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

TOP_SOURCES = 100
TOP_PAIRS = 100
TOP_REJECTED = 200
TOP_CORRECTIONS = 500


def render_html(
    tables: Mapping[str, pa.Table],
    run: Mapping[str, Any],
    *,
    top_groups: int = 200,
    top_passages: int = 200,
) -> str:
    """The page for a run, as text; the same for the same records, settings and version.

    Args:
        tables: the tables of a run; without ``texts`` the page says so and shows passages only.
        run: what goes into ``run.json``; its ``timing`` is not shown.
        top_groups: groups shown with their texts; the page says how many there are.
        top_passages: stories listed under the most reused passages.
    """
    every = Tables.of(tables)
    texts = Texts(every.texts)
    tables = {name: normalised(name, every[name]) for name in every.without_texts()}
    tables["articles"] = with_date_strings("articles", tables["articles"])
    articles = Articles(tables["articles"])
    names = source_names(tables)
    groups, embedded = group_views(tables, articles, texts, names, top_groups)
    passages, stories = passage_cards(tables, articles, names, top_passages)
    style, script = _asset("style.css"), _asset("app.js")
    return (
        _environment()
        .get_template("template.html.j2")
        .render(
            csp=_policy(style, script),
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
            data=Markup(island(island_data(groups, embedded))),  # noqa: S704 - escaped there
            overview=overview(tables, names),
            run=run,
            ledger=_ledger(run),
            facts=_facts(run),
            sources=source_views(tables, articles, texts, names, TOP_SOURCES),
            corrections=_corrections(run),
            source_count=len(tables["sources"]),
            passages=passages,
            passage_count=len(tables["passages"]),
            story_count=stories,
            groups=groups,
            group_count=len(tables["groups"]),
            shown={group.anchor for group in groups},
            filter_sources=_filter_sources(groups),
            filter_flags=sorted({name for g in groups for name, _ in g.flags}),
            quotes=_quotes(tables, articles, texts),
            near_misses=_pairs(tables["near_misses"], articles),
            near_count=len(tables["near_misses"]),
            rejected=_rejected(tables["rejected"]),
            rejected_count=len(tables["rejected"]),
            no_texts=texts.missing,
            text_length=TEXT_LENGTH,
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dedup.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = lambda value: f"{value:,}"
    environment.filters["pc"] = lambda value: f"{value:.1f} %"
    environment.filters["pc0"] = lambda value: f"{value:.0f} %"
    environment.filters["plural"] = _plural
    environment.filters["anchor"] = anchor
    return environment


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _asset(name: str) -> str:
    return (files("dedup.report") / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _ledger(run: Mapping[str, Any]) -> dict[str, Any]:
    ledger = run.get("ledger") or {}
    listed = ledger.get("files") or []
    warnings = [one_line(w, 400) for w in ledger.get("warnings") or ()]
    warnings += [
        one_line(f"{skipped.get('file')}: skipped, {skipped.get('reason')}", 400)
        for skipped in ledger.get("skipped") or ()
    ]
    return {
        **{name: ledger.get(name) or 0 for name in ("read", "articles", "repeats", "rejected")},
        "files": len(listed),
        "incomplete": [
            {"file": one_line(f.get("file"), 200), "reason": one_line(f.get("incomplete"), 300)}
            for f in listed
            if f.get("incomplete")
        ],
        "warnings": warnings[:50],
        "warnings_left": max(0, len(warnings) - 50),
        "caps": [
            {
                "name": visible(str(c.get("name"))),
                "count": c.get("count") or 0,
                "meaning": visible(str(c.get("meaning") or "")),
            }
            for c in run.get("caps") or ()
        ],
    }


def _facts(run: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings, versions and inputs as tables of names and values."""
    general = [
        ("dedup", str(run.get("dedup", ""))),
        ("fingerprint", str(run.get("fingerprint", ""))),
    ]
    sections = [
        ("Run", general),
        ("Settings", sorted((k, str(v)) for k, v in (run.get("settings") or {}).items())),
        ("Versions", sorted((k, str(v)) for k, v in (run.get("versions") or {}).items())),
        ("Inputs", [(str(i + 1), str(v)) for i, v in enumerate((run.get("inputs") or [])[:50])]),
    ]
    return [
        (title, [(visible(k), one_line(v, 300)) for k, v in rows])
        for title, rows in sections
        if rows
    ]


def _corrections(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The user's corrections and what came of each, as the page shows them."""
    given = run.get("corrections")
    if not given:
        return None
    entries = given.get("entries") or []
    return {
        "applied": sum(bool(entry["applied"]) for entry in entries),
        "count": len(entries),
        "entries": [
            {
                "applied": bool(entry["applied"]),
                **{k: one_line(entry[k], 300) for k in ("says", "effect", "note", "place")},
            }
            for entry in entries[:TOP_CORRECTIONS]
        ],
    }


def _filter_sources(groups: Any) -> list[tuple[str, str, int]]:
    counts: dict[tuple[str, str], int] = {}
    for group in groups:
        key = (group.source_id, group.source)
        counts[key] = counts.get(key, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(identifier, name, count) for (identifier, name), count in ranked]


def _pairs(table: pa.Table, articles: Articles) -> list[dict[str, Any]]:
    return [_pair(row, articles) for row in _best(table).to_pylist()]


def _best(table: pa.Table) -> pa.Table:
    """The pairs that score highest; ties by their refs."""
    import pyarrow.compute as pc

    keyed = table.set_column(
        table.schema.get_field_index("score"), "score", pc.fill_null(table.column("score"), 0.0)
    )
    keys = [("score", "descending"), ("a", "ascending"), ("b", "ascending")]
    return table.take(pc.sort_indices(keyed, sort_keys=keys)[:TOP_PAIRS])


def _pair(row: dict[str, Any], articles: Articles) -> dict[str, Any]:
    return {
        "a": articles.get(row["a"]),
        "b": articles.get(row["b"]),
        "relation": row["relation"],
        "coverage_a": 100 * (row["coverage_a"] or 0.0),
        "coverage_b": 100 * (row["coverage_b"] or 0.0),
        "missed_by": one_line(row.get("missed_by"), 120),
    }


def _quotes(tables: Mapping[str, pa.Table], articles: Articles, texts: Texts) -> dict[str, Any]:
    """Pairs that share quotes only, of articles that no group holds together."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups: dict[str, set[int]] = {}
    for number, members in enumerate(tables["groups"].column("articles").to_pylist()):
        for ref in members or ():
            groups.setdefault(ref, set()).add(number)
    table = tables["relations"]
    table = table.filter(pc.equal(table.column("relation"), "quote"))
    members = pa.array(list(groups), pa.string())
    both = pc.and_(
        pc.is_in(table.column("a"), value_set=members),
        pc.is_in(table.column("b"), value_set=members),
    )
    apart = pc.invert(both).to_numpy().copy()
    rows = both.to_numpy().nonzero()[0]
    pairs = table.select(["a", "b"]).take(pa.array(rows)).to_pylist()
    apart[rows] = [not groups[pair["a"]] & groups[pair["b"]] for pair in pairs]
    table = table.filter(pa.array(apart))
    top = _best(table).to_pylist()
    shared = _quoted(tables, {(r["a"], r["b"]) for r in top}, texts)
    shown = [{**_pair(r, articles), "text": shared.get((r["a"], r["b"]), "")} for r in top]
    return {"count": len(table), "pairs": shown}


def _quoted(
    tables: Mapping[str, pa.Table], pairs: set[tuple[str, str]], texts: Texts
) -> dict[tuple[str, str], str]:
    """What each pair shares, as its first article has it: its best scored quote, else the best
    of its other matches (furniture left aside)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = tables["matches"]
    firsts = pa.array(sorted({a for a, _ in pairs}), pa.string())
    mask = pc.and_(
        pc.not_equal(table.column("kind"), "boilerplate"),
        pc.is_in(table.column("a"), value_set=firsts),
    )
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table.filter(mask).to_pylist():
        pair = (row["a"], row["b"])
        known = best.get(pair)
        if pair in pairs and (known is None or _worth(row) > _worth(known)):
            best[pair] = row
    wanted = pa.array(sorted({r["passage"] for r in best.values() if r["passage"]}), pa.string())
    passages = tables["passages"]
    passages = passages.filter(pc.is_in(passages.column("id"), value_set=wanted))
    pairs_of = zip(
        passages.column("id").to_pylist(), passages.column("text").to_pylist(), strict=True
    )
    by_id = dict(pairs_of)
    result = {}
    for pair, row in best.items():
        text = texts.get(pair[0])
        cut = text[row["a_start"] : row["a_end"]] if text else by_id.get(row["passage"]) or ""
        result[pair] = one_line(cut, 400)
    return result


def _worth(match: dict[str, Any]) -> tuple[bool, float]:
    return match["kind"] == "quote", match["score"] or 0.0


def _rejected(table: pa.Table) -> list[dict[str, str]]:
    rows = table.slice(0, TOP_REJECTED).to_pylist()
    return [{k: one_line(v, 200) for k, v in row.items()} for row in rows]
