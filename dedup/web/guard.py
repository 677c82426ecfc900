"""What a request must pass before it is answered, and what every answer carries.

One ASGI layer around the application: it refuses foreign hosts, missing tokens, too many requests
and too large bodies before anything of the body is kept, and counts what it lets through.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import math
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from dedup.web.bucket import Buckets
from dedup.web.problems import Problem
from dedup.web.settings import host_name

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from dedup.web.metrics import Metrics
    from dedup.web.settings import ServiceSettings

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Headers of every answer; a page sets a policy of its own."""
_CLOSE = {"Connection": "close"}
"""Nobody reads the rest of a refused body: the connection is of no further use."""
OPEN = "/healthz"
"""What needs no token and is not counted by client: probes ask it."""


class Guard:
    """The layer around ``app``."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._buckets = Buckets(settings.rate, settings.burst)
        self._token = None if settings.token is None else settings.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        body = _Body(receive, self._settings)
        try:
            self._refuse(scope)
            await self._app(scope, body, reply)
        except Problem as problem:
            problem.headers |= _CLOSE
            await problem.response()(scope, receive, reply)
        finally:
            self._metrics.answered(scope, status, time.perf_counter() - began)

    def _refuse(self, scope: Scope) -> None:
        """Raises :class:`Problem` for what must not get through."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or host_name(hosts[0]) not in self._settings.names:
            raise Problem(421, "this service answers under another name; see --allow-host")
        if scope["path"] == OPEN:
            return
        client = scope.get("client")
        wait = self._buckets.wait(client[0] if client else "")
        if wait:
            seconds = str(max(1, math.ceil(wait)))
            raise Problem(
                429,
                f"more than {self._settings.rate:g} requests a second; wait {seconds} seconds",
                headers={"Retry-After": seconds},
            )
        if self._token is not None and not self._shown(headers.get("authorization", "")):
            scheme = "Bearer" if scope["path"].startswith("/api/") else "Basic"
            raise Problem(
                401,
                "a token is needed: 'Authorization: Bearer TOKEN', in a browser as the password",
                headers={"WWW-Authenticate": f'{scheme} realm="dedup"'},
            )
        if scope["method"] == "POST" and headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "sent by the page of another site")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise Problem(400, "Content-Length is no number")
        if int(length[:20]) > self._settings.body:
            raise _too_large(self._settings.body)

    def _shown(self, header: str) -> bool:
        """Whether a request shows the token; takes as long whatever it shows."""
        scheme, _, shown = header.partition(" ")
        given = shown.strip(" ").encode("latin-1", "replace")  # the bytes that were sent
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except (ValueError, binascii.Error):
                given = b""
        elif scheme.lower() != "bearer":
            given = b""
        return hmac.compare_digest(given, self._token or b"")


class _Body:
    """The messages of a request's body, which may neither be too large nor take too long."""

    def __init__(self, receive: Receive, settings: ServiceSettings) -> None:
        self._receive = receive
        self._left = settings.body
        self._most = settings.body
        self._until = asyncio.get_running_loop().time() + settings.seconds
        self._whole = False

    async def __call__(self) -> Message:
        """The next message."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise Problem(408, "the body took too long to arrive", headers=_CLOSE) from error
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise _too_large(self._most)
            self._whole = not message.get("more_body", False)
        return message


def _too_large(most: int) -> Problem:
    says = f"the body has more than {most:,} bytes; see --max-body"
    return Problem(413, says, headers=_CLOSE)
