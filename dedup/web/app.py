"""The application: routes, errors, and the thread that follows what is committed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dedup.errors import DedupError
from dedup.report.page import policy, render_page
from dedup.web.api import Api
from dedup.web.gate import Gate
from dedup.web.guard import Guard
from dedup.web.metrics import Metrics
from dedup.web.openapi import document
from dedup.web.pages import Pages
from dedup.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from dedup.web.live import Live
    from dedup.web.settings import ServiceSettings

LOOK_SECONDS = 1.0
"""How often it is looked whether another state is committed."""
PATIENT_SECONDS = 60.0
"""The same, at most, while the state cannot be loaded."""
_log = logging.getLogger("dedup.serve")


def make_app(live: Live, settings: ServiceSettings) -> Guard:
    """The service over ``live``, guarded."""
    metrics, gate, described = Metrics(), Gate(settings), document()
    metrics.watch(live, gate)
    api = Api(live, gate, metrics, described)
    pages = Pages(live, gate, described, settings.body)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        follower = asyncio.create_task(_follow(live, metrics))
        yield
        follower.cancel()
        gate.close()

    app = Starlette(
        routes=[
            Route("/api/check", api.check, methods=["POST"]),
            Route("/api/articles/{id:path}", api.article),
            Route("/api/groups", api.groups),
            Route("/api/groups/{id:path}", api.group),
            Route("/api/sources", api.sources),
            Route("/api/search", api.search),
            Route("/api/explain", api.explain),
            Route("/api/openapi.json", api.openapi),
            Route("/healthz", api.health),
            Route("/metrics", api.metrics),
            Route("/", pages.form),
            Route("/check", pages.check, methods=["POST"]),
            Route("/report/", pages.report),
            Route("/report/data/{state:str}/{name:str}.json", pages.chunk),
            Route("/articles/{id:path}", pages.article),
            Route("/groups", pages.groups),
            Route("/groups/{id:path}", pages.group),
            Route("/sources", pages.sources),
            Route("/search", pages.search),
            Route("/explain", pages.explain),
            Route("/docs", pages.docs),
        ],
        exception_handlers={
            Problem: _problem,
            HTTPException: _http_error,
            DedupError: _failed,
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return Guard(app, settings, metrics)


async def _follow(live: Live, metrics: Metrics) -> None:
    """Load the articles, and again whenever another state is committed.

    While that fails it is tried more and more seldom, up to once in :data:`PATIENT_SECONDS`.
    """
    wait = LOOK_SECONDS
    while True:
        try:
            if await asyncio.to_thread(live.renew):
                metrics.renewals.inc()
            wait = LOOK_SECONDS
        except DedupError as error:
            metrics.failures.inc()
            wait = min(2 * wait, PATIENT_SECONDS)
            _log.warning("articles could not be loaded: %s", error)
        except Exception:
            metrics.failures.inc()
            wait = min(2 * wait, PATIENT_SECONDS)
            _log.exception("articles could not be loaded")
        if not live.is_index and live.state is not None:
            return
        await asyncio.sleep(wait)


def _answer(request: Request, problem: Problem) -> Response:
    """Problem details for programs, a page for people."""
    if request.url.path.startswith(("/api", "/healthz", "/metrics")):
        return problem.response()
    body = problem.as_dict()
    page = render_page("error", title=body["title"], detail=body["detail"])
    headers = {"Content-Security-Policy": f"{policy()}; frame-ancestors 'none'", **problem.headers}
    return HTMLResponse(page, problem.status, headers=headers)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - as registered
    return _answer(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    says: dict[int, str] = {404: "there is nothing here", 405: "this method is not offered here"}
    detail = says.get(error.status_code, str(error.detail))
    return _answer(request, Problem(error.status_code, detail, headers=error.headers))


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("%s %s: %s", request.method, request.url.path, error)
    return _answer(request, Problem(500, "the articles cannot be read now; the log says why"))


async def _unexpected(request: Request, error: Exception) -> Response:
    # Starlette raises it again afterwards, for the server's log.
    del error
    return _answer(request, Problem(500, "an internal error; the log says more"))
