"""The JSON interface, described by :mod:`dedup.web.openapi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from dedup.results import explain_articles
from dedup.web import asked
from dedup.web.metrics import MEDIA_TYPE as METRICS_TYPE
from dedup.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from dedup.results import Results
    from dedup.web.gate import Gate
    from dedup.web.live import Live
    from dedup.web.metrics import Metrics

Row = dict[str, Any]
RELATIONS = 100
"""Relations of an article that are listed."""
ARTICLES = 500
"""Articles of a group that are told in full."""


class Api:
    """The endpoints; each reads one state."""

    def __init__(self, live: Live, gate: Gate, metrics: Metrics, document: Row) -> None:
        self._live = live
        self._gate = gate
        self._metrics = metrics
        self._document = orjson.dumps(document)

    async def check(self, request: Request) -> Response:
        """``POST /api/check``."""
        asked.known(request)
        article = await asked.article_of(request)
        (found,) = await self._gate.run(self._live.check, [article])
        return json(found.as_dict())

    async def article(self, request: Request) -> Response:
        """``GET /api/articles/{id}``."""
        asked.known(request)
        return json(await self._read(article_row, request.path_params["id"]))

    async def groups(self, request: Request) -> Response:
        """``GET /api/groups``."""
        return json(await self._page(request, "groups"))

    async def group(self, request: Request) -> Response:
        """``GET /api/groups/{id}``."""
        asked.known(request)
        return json(await self._read(group_row, request.path_params["id"]))

    async def sources(self, request: Request) -> Response:
        """``GET /api/sources``."""
        return json(await self._page(request, "sources"))

    async def search(self, request: Request) -> Response:
        """``GET /api/search``."""
        asked.known(request, "q", "limit")
        words, count = asked.words(request), asked.rows(request)
        return json({"articles": await self._read(lambda r: r.search(words, count))})

    async def explain(self, request: Request) -> Response:
        """``GET /api/explain``."""
        asked.known(request, "a", "b")
        a, b = asked.one(request, "a"), asked.one(request, "b")
        return json(await self._read(lambda results: explained(results, a, b).as_dict()))

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /api/openapi.json``."""
        return Response(self._document, media_type="application/json")

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /healthz``: 200 as soon as checks are answered."""
        ready = self._live.state is not None
        body = {"status": "ok" if ready else "starting", "state": self._live.state}
        return json(body, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002 - as all
        """``GET /metrics``."""
        return Response(self._metrics.text(), headers={"Content-Type": METRICS_TYPE})

    async def _read(self, work: Any, *arguments: Any) -> Any:
        def within() -> Any:
            with self._live.results() as results:
                return work(results, *arguments)

        return await self._gate.run(within)

    async def _page(self, request: Request, table: str) -> Row:
        asked.known(request, "after", "limit")
        after = asked.one(request, "after", required=False)
        count = asked.rows(request)
        found = await self._read(lambda results: results.page(table, after, count + 1))
        more = found[count - 1]["id"] if len(found) > count else None
        return {table: found[:count], "next": more}


def json(body: Any, status: int = 200) -> Response:
    """An answer of plain values."""
    return Response(
        orjson.dumps(body, option=orjson.OPT_UTC_Z), status, media_type="application/json"
    )


def article_row(results: Results, name: str) -> Row:
    """An article with its text (where it is held) and its relations.

    Raises :class:`Problem` 404.
    """
    row = results.article(name)
    if row is None:
        raise Problem(404, f"there is no article {name[:200]!r}")
    ref = row["ref"]
    relations = results.rows("relations", "a", [ref]) + results.rows("relations", "b", [ref])
    relations.sort(key=lambda r: (-(r["p_copied"] or 0.0), -(r["p_shared"] or 0.0), r["a"], r["b"]))
    text = results.texts([row["digest"]]).get(row["digest"])
    return {"article": row, "text": text, "relations": relations[:RELATIONS]}


def only_group(results: Results, name: str) -> Row:
    """The row of a group.

    Raises :class:`Problem` 404.
    """
    found = results.rows("groups", "id", [name])
    if not found:
        raise Problem(404, f"there is no group {name[:200]!r}")
    return found[0]


def group_row(results: Results, name: str) -> Row:
    """A group with its first :data:`ARTICLES` articles (its row names all) and its passages.

    Raises :class:`Problem` 404.
    """
    group = only_group(results, name)
    return {
        "group": group,
        "articles": results.rows("articles", "ref", group["articles"][:ARTICLES]),
        "passages": results.rows("passages", "id", group["passages"]),
    }


def explained(results: Results, a: str, b: str) -> Any:
    """The explanation of two articles.

    Raises :class:`Problem`: 404 for an article that there is not, 409 where there are no texts.
    """
    for name in (a, b):
        row = results.article(name)
        if row is None:
            raise Problem(404, f"there is no article {name[:200]!r}")
        if row["digest"] not in results.texts([row["digest"]]):
            raise Problem(409, "this output was written with --no-texts: nothing to compare")
    return explain_articles(results, a, b)
