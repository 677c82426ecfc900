"""The pages: a text to check, the report, articles, groups, sources, search, the API's docs."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import HTMLResponse, Response

from dedup.config import ReadSettings
from dedup.excerpt import excerpt
from dedup.model import Ledger
from dedup.read import read_articles
from dedup.report.explained import explain_page
from dedup.report.group import group_html
from dedup.report.html import content_policy, render_live
from dedup.report.page import marked, policy, render_page
from dedup.web import api, asked
from dedup.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from dedup.results import Results
    from dedup.web.gate import Gate
    from dedup.web.live import Live

ARTICLES = 10
"""Articles of a file that are checked."""
_FORM = ("title", "outlet", "byline")


class Pages:
    """The pages; each reads one state."""

    def __init__(self, live: Live, gate: Gate, document: dict[str, Any], body: int) -> None:
        self._live = live
        self._gate = gate
        self._document = document
        self._body = body

    async def form(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /``: a text to check."""
        return _page(
            render_page(
                "check", form="'self'", place=self._live.place.name, found=None, articles=ARTICLES
            )
        )

    async def check(self, request: Request) -> Response:
        """``POST /check``: what a pasted text or the articles of a file share."""
        try:
            form = await request.form(max_files=1, max_fields=16, max_part_size=self._body)
        except MultiPartException as error:
            raise Problem(400, f"the form cannot be read: {error.message}") from error
        except ValueError as error:  # of a charset that the client names
            raise Problem(400, f"the form cannot be read: {error}") from error
        try:
            file = form.get("file")
            fields = {name: str(form.get(name) or "") or None for name in ("text", *_FORM)}
            for name in _FORM:
                fields[name] = (fields[name] or "")[: asked.LONGEST[name]] or None
            if isinstance(file, UploadFile) and file.filename:
                content, name = await file.read(), file.filename
                articles, notes = await self._gate.run(_articles_of, content, name)
            elif fields["text"]:
                articles, notes = [asked.article(fields["text"], fields)], []
            else:
                raise Problem(422, "paste a text, or choose a file")
        finally:
            await form.close()
        found = await self._gate.run(self._live.check, articles)
        shown = [_shown(one, article) for one, article in zip(found, articles, strict=True)]
        return _page(
            render_page(
                "check",
                form="'self'",
                place=self._live.place.name,
                found=shown,
                notes=notes,
                articles=ARTICLES,
            )
        )

    async def report(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /report/``: the report, which takes its data chunk by chunk."""

        def made() -> str:
            state, data = self._live.report()
            return render_live(data, base=f"data/{quote(state, safe='')}/")

        page = await self._gate.run(made)
        header = f"{content_policy('service')}; frame-ancestors 'none'"
        return HTMLResponse(page, headers={"Content-Security-Policy": header})

    async def chunk(self, request: Request) -> Response:
        """``GET /report/data/{state}/{name}.json``: only of the state that the page is of."""
        wanted, name = request.path_params["state"], request.path_params["name"]

        def made() -> bytes:
            state, data = self._live.report()
            if state != wanted:
                raise Problem(409, "the index was updated since: load the report again")
            return data.chunk(name)

        try:
            content = await self._gate.run(made)
        except KeyError:
            raise Problem(404, "the report has no such part") from None
        return Response(content, media_type="application/json")

    async def article(self, request: Request) -> Response:
        """``GET /articles/{id}``."""
        found = await self._read(_article, request.path_params["id"])
        return _page(render_page("article", **found))

    async def groups(self, request: Request) -> Response:
        """``GET /groups``."""
        return await self._list(request, "groups")

    async def sources(self, request: Request) -> Response:
        """``GET /sources``."""
        return await self._list(request, "sources")

    async def group(self, request: Request) -> Response:
        """``GET /groups/{id}``."""
        name = request.path_params["id"]

        def page(results: Results) -> str:
            api.only_group(results, name)
            found, _ = excerpt(results, [name], articles=api.ARTICLES)
            return group_html(found, service=True)

        return _page(await self._read(page))

    async def search(self, request: Request) -> Response:
        """``GET /search``."""
        asked.known(request, "q")
        query = request.query_params.get("q", "")
        found = []
        if query:
            words = asked.words(request)
            found = await self._read(lambda results: results.search(words, asked.MOST_ROWS))
        page = render_page("search", form="'self'", query=query, articles=found)
        return _page(page)

    async def explain(self, request: Request) -> Response:
        """``GET /explain``."""
        asked.known(request, "a", "b")
        a, b = asked.one(request, "a"), asked.one(request, "b")

        def page(results: Results) -> str:
            found = api.explained(results, a, b)
            texts = results.with_text(a)[1], results.with_text(b)[1]
            return explain_page(found, texts, service=True)

        return _page(await self._read(page))

    async def docs(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /docs``: the API as a page."""
        return _page(render_page("api", document=self._document))

    async def _list(self, request: Request, table: str) -> Response:
        asked.known(request, "after")
        after = asked.one(request, "after", required=False)
        count = asked.MOST_ROWS
        found = await self._read(lambda results: results.page(table, after, count + 1))
        more = found[count - 1]["id"] if len(found) > count else None
        return _page(render_page("list", table=table, rows=found[:count], more=more))

    async def _read(self, work: Any, *arguments: Any) -> Any:
        def within() -> Any:
            with self._live.results() as results:
                return work(results, *arguments)

        return await self._gate.run(within)


def _page(html: str) -> Response:
    """A page under the policy that it states itself, which must not be framed either."""
    form = "'self'" if "form-action &#39;self&#39;" in html[:2000] else "'none'"
    return HTMLResponse(
        html, headers={"Content-Security-Policy": f"{policy(form)}; frame-ancestors 'none'"}
    )


def _articles_of(content: bytes, name: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The first articles of an uploaded file, in any format, and what was not read.

    Of its name only the ending is used, and that only where it is a short word.
    """
    ending = "".join(s for s in PurePath(name.replace("\\", "/")).suffixes[-2:] if s[1:].isalnum())
    ledger = Ledger()
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="dedup-upload-") as folder:
        path = Path(folder, f"upload{ending[:16]}")
        path.write_bytes(content)
        for batch in read_articles([str(path)], ReadSettings(), ledger):
            found += batch.slice(0, ARTICLES - len(found)).to_pylist()
            if len(found) >= ARTICLES:
                break
    for article in found:
        article["file"] = ""
    notes = [f"{r.position}: {r.reason}".strip(": ") for r in islice(ledger.rejects, ARTICLES)]
    if not found:
        raise Problem(422, "no article was read from the file. " + "; ".join(notes)[:500])
    if len(found) == ARTICLES:
        notes.append(f"Only the first {ARTICLES} articles of a file are checked.")
    return found, notes


def _shown(found: Any, article: dict[str, Any]) -> dict[str, Any]:
    """A check as its page shows it."""
    spans = [(m["a_start"], m["a_end"], m["kind"]) for m in found.matches]
    order = {"boilerplate": 0, "quote": 1, "prose": 2}
    spans.sort(key=lambda span: order[span[2]])
    return {
        "check": found,
        "pieces": marked(article["text"], spans),
        "cut": len(article["text"]),
        "relations": [(row, found.others[row["b"]]) for row in found.relations],
    }


def _article(results: Results, name: str) -> dict[str, Any]:
    found = api.article_row(results, name)
    ref = found["article"]["ref"]
    matches = [
        (m["a_start"], m["a_end"], m["kind"]) for m in results.rows("matches", "a", [ref])
    ] + [(m["b_start"], m["b_end"], m["kind"]) for m in results.rows("matches", "b", [ref])]
    text = found["text"]
    others = [row["b"] if row["a"] == ref else row["a"] for row in found["relations"]]
    rows = {row["ref"]: row for row in results.rows("articles", "ref", others)}
    return {
        "row": found["article"],
        "pieces": None if text is None else marked(text, matches),
        "cut": len(text or ""),
        "relations": [
            (relation, rows[other])
            for relation, other in zip(found["relations"], others, strict=True)
            if other in rows
        ],
    }
