"""The report as a page: self-contained, in a folder, live from a service, or of one group.

The first screen, the records that were rejected and the run's settings are HTML, and need no
script; the other views are made by the page's script from chunks of data
(:mod:`dedup.report.chunks`). A strict content security policy allows just the page's own style
and scripts, by their hashes; every text of others goes through :mod:`dedup.report.safe` and
through Jinja's escaping, or into a chunk that the script shows with ``textContent``.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from dedup.errors import UsageError
from dedup.report import script
from dedup.report.chunks import ReportData
from dedup.report.embed import PAGE_LIMIT, element, embedded, packed
from dedup.report.overview import overview
from dedup.report.safe import island, one_line, visible
from dedup.report.view_group import TEXT_LENGTH
from dedup.report.view_groups import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

TOP_REJECTED = 200
TOP_CORRECTIONS = 500
_MARGIN = 2_000
"""Room for figures that are known once the chunks are chosen."""


def render_html(
    tables: Mapping[str, pa.Table],
    run: Mapping[str, Any],
    *,
    top_groups: int | None = None,
    top_passages: int = 200,
) -> str:
    """The page of a run as one file of at most :data:`~dedup.report.embed.PAGE_LIMIT` bytes; the
    same for the same records, settings and version.

    All groups are listed (up to :data:`~dedup.report.view_groups.LISTED` at a time); the details
    and texts of the best ranked ones are embedded as far as there is room, and the page says so.

    Args:
        tables: the tables of a run; without ``texts`` the page says so and shows passages only.
        run: what goes into ``run.json``; its ``timing`` is not shown.
        top_groups: groups that are listed, the best ranked and the largest; ``None`` for all.
        top_passages: stories listed under the most reused passages.
    """
    return render_page(ReportData(tables, run, top_groups=top_groups, top_passages=top_passages))


def render_page(data: ReportData, *, limit: int = PAGE_LIMIT) -> str:
    """As :func:`render_html`, for data at hand and a page of at most ``limit`` bytes."""
    fixed = _render(data, [], "embedded", data.groups.blocks)
    room = limit - len(fixed.encode("utf-8")) - _MARGIN
    elements, blocks = embedded(data, room)
    return _render(data, elements, "embedded", blocks)


def render_live(data: ReportData, *, base: str = "data/") -> str:
    """The page of a service that answers ``GET {base}{name}.json`` with :meth:`ReportData.chunk`.

    ``base`` is an address of the same origin, relative to the page's. The policy in the page allows
    such requests; :func:`content_policy` gives it for a header.
    """
    return _render(data, [], "service", data.groups.blocks, base=base)


def render_index(data: ReportData, *, base: str = "data/") -> str:
    """The page of the folder ``report/``, whose chunks stand in ``{base}{name}.js`` beside it."""
    return _render(data, [], "files", data.groups.blocks, base=base)


def render_group(tables: Mapping[str, pa.Table], run: Mapping[str, Any], group: str) -> str:
    """One group of a run as a page of its own.

    Raises :class:`~dedup.errors.UsageError` when the run has no group of that id.
    """
    data = ReportData(tables, run, only=[group])
    if not len(data.groups):
        some = data.tables["groups"].column("id").slice(0, 1).to_pylist()
        hint = f"; its ids look like {some[0]!r}" if some else "; it has none at all"
        raise UsageError(f"this run has no group {group!r}{hint}")
    names = ("groups-0", *next(iter(data.names_of_groups())))
    return _render(data, [element(n, data.chunk(n)) for n in names], "embedded", 1, single=group)


def folder_files(data: ReportData) -> Iterator[tuple[str, bytes]]:
    """The files of the folder ``report/``, which holds every group: ``index.html`` and a file a
    chunk, by their paths below it, each made when its turn comes."""
    yield "index.html", render_index(data).encode("utf-8")
    groups = (name for names in data.names_of_groups() for name in names)
    for name in chain(data.names_of_views(), data.names_of_pairs(), groups):
        yield f"data/{name}.js", f'dedupChunk("{name}","{packed(data.chunk(name))}");\n'.encode()


def content_policy(mode: str = "embedded") -> str:
    """The content security policy of a page; ``mode``: ``embedded``, ``files`` or ``service``."""
    # With 'strict-dynamic' a script that is allowed may load others; those of the folder are
    # loaded so, since no address can be named for a file that lies anywhere.
    scripts = " ".join(f"'sha256-{_digest(source)}'" for source in (_script(), _charts()))
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(_style())}'; script-src {scripts}"
        + (" 'strict-dynamic'" if mode == "files" else "")
        + "; img-src data:"
        + ("; connect-src 'self'" if mode == "service" else "")
        + "; base-uri 'none'; form-action 'none'"
    )


def _render(
    data: ReportData,
    elements: Iterable[str],
    mode: str,
    blocks: int,
    *,
    base: str = "",
    single: str = "",
) -> str:
    about = data.about() | {"mode": mode, "base": base, "single": visible(single), "blocks": blocks}
    charts = element("program-of-charts", _charts().encode("utf-8"))
    return (
        _environment()
        .get_template("template.html.j2")
        .render(
            csp=content_policy(mode),
            style=Markup(_style()),  # noqa: S704 - our own files
            script=Markup(_script()),  # noqa: S704
            about=Markup(island(about)),  # noqa: S704 - escaped there
            chunks=Markup("".join([charts, *elements])),  # noqa: S704 - base64 in elements
            overview=overview(data.tables, data.names),
            run=data.run,
            update=_update(data),
            single=visible(single),
            ledger=_ledger(data.run),
            facts=_facts(data.run),
            corrections=_corrections(data.run),
            rejected=_rejected(data.tables["rejected"]),
            rejected_count=len(data.tables["rejected"]),
            group_count=data.groups.total,
            listed_groups=len(data.groups),
            detailed_groups=min(blocks * BLOCK, len(data.groups)),
            no_texts=data.texts.missing,
            text_length=TEXT_LENGTH,
        )
    )


def _update(data: ReportData) -> dict[str, int] | None:
    """Of a run that shows what it added to an index and changed there: its number, how many
    articles are new, changed and taken out, and how many are shown beside these; else ``None``."""
    about = data.run.get("run") or {}
    if not {"number", "new", "removed"} <= about.keys():
        return None
    told = data.run["counts"]["articles"]
    beside = len(data.tables["articles"]) - told
    changed = max(0, told - about["new"])
    return {"changed": changed, "beside": beside} | {
        name: about[name] for name in ("number", "new", "removed")
    }


@cache  # compiled templates are kept with it
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
    environment.filters["query"] = _query
    environment.filters["plural"] = _plural
    return environment


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@cache
def _style() -> str:
    return _asset("style.css")


@cache
def _script() -> str:
    return script.joined()


@cache
def _charts() -> str:
    return _asset("charts/charts.js")


def _asset(name: str) -> str:
    return (files("dedup.report") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _query(value: str) -> str:
    """``value`` as a part of a link within the page."""
    return quote(value, safe="")


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


def _rejected(table: pa.Table) -> list[dict[str, str]]:
    rows = table.slice(0, TOP_REJECTED).to_pylist()
    return [{k: one_line(v, 200) for k, v in row.items()} for row in rows]
