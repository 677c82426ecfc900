"""The process of the service: it listens, serves, and drains when it is told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dedup.errors import UsageError
from dedup.web.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dedup.web.live import Live
    from dedup.web.settings import ServiceSettings

HEAD_SECONDS = 10.0
"""For the first request of a connection to arrive."""
_STOPS = (signal.SIGINT, signal.SIGTERM)


class _Connection(H11Protocol):
    """Lets go of who connects and asks nothing: enough of them would keep all others out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, self._let_go)

    def connection_lost(self, exc: Exception | None) -> None:
        self._late.cancel()
        super().connection_lost(exc)

    def _let_go(self) -> None:
        if self.scope is None:  # no request has arrived
            self.transport.close()


class _Server(uvicorn.Server):
    """Ends with what is under way done, and as a command that did what it was told."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as the wish to end; a second one ends at once."""
        before = {stop: signal.signal(stop, self.handle_exit) for stop in _STOPS}
        try:
            yield
        finally:
            for stop, handler in before.items():
                signal.signal(stop, handler)


def serve(live: Live, settings: ServiceSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is told the address when it listens.

    Raises :class:`~dedup.errors.UsageError` when the address cannot be bound.
    """
    bound = _bind(settings.host, settings.port)
    host, port = bound.getsockname()[:2]
    config = uvicorn.Config(
        make_app(live, settings),
        http=_Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        limit_concurrency=settings.connections,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=settings.drain,
        h11_max_incomplete_event_size=65_536,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = _Server(config)
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    asyncio.run(server.serve(sockets=[bound]))


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        raise UsageError(f"{host}:{port}: cannot listen there: {error.strerror}") from error
    return bound
