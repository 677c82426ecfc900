"""What the service may do and for whom; checked before it starts."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dedup.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_VARIABLE = "DEDUP_TOKEN"  # noqa: S105 - the name of the variable
LEAST_TOKEN = 16
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How the service is reached, and its limits.

    ``token``: what clients must show, ``None`` for nobody on the loopback. ``names``: what the
    ``Host`` of a request may be (lower case, no port). ``body`` bytes of a request. ``rate``
    requests a second of one client on average (0: no limit), up to ``burst`` at once. ``workers``
    requests are worked on at a time, ``queue`` wait; ``seconds`` is the longest that one may take,
    ``drain`` what those under way are given at the end.

    Raises :class:`~dedup.errors.UsageError` for what would be unsafe or makes no sense.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    names: tuple[str, ...] = _LOOPBACK_NAMES
    body: int = 4 * 2**20
    rate: float = 20.0
    burst: int = 60
    workers: int = os.cpu_count() or 1
    queue: int = 64
    seconds: float = 30.0
    drain: int = 10
    connections: int = 1024

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and self.token is None:
            raise UsageError(
                f"--host {self.host}: others than this machine could read everything; give a token "
                f"by --token-file or the environment variable {TOKEN_VARIABLE}"
            )
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise UsageError(
                f"the token has {len(self.token)} characters; {LEAST_TOKEN} are the least: "
                f"{secrets.token_urlsafe(24)} would do"
            )
        for name in ("port", "body", "burst", "workers", "seconds", "drain", "connections"):
            if getattr(self, name) <= 0 and not (name == "port" and self.port == 0):
                raise UsageError(f"--{name}: expected more than 0, got {getattr(self, name)}")
        if self.rate < 0 or self.queue < 0:
            raise UsageError("--rate and --queue: expected 0 or more")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed_names(host: str, further: list[str]) -> tuple[str, ...]:
    """What a ``Host`` header may name: the loopback, the address that is bound, and ``further``.

    Ports do not count, in ``further`` as in the header.

    Raises :class:`~dedup.errors.UsageError` where all addresses are bound and no name is given.
    """
    names = dict.fromkeys((*_LOOPBACK_NAMES, *(host_name(name) for name in further)))
    try:
        every = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        every = False
    if every and not further:
        raise UsageError(
            f"--host {host}: say by which names clients call this machine: --allow-host NAME"
        )
    if not every:
        names[host.lower()] = None
    return tuple(names)


def host_name(stated: str) -> str:
    """The name or address in ``stated``, without port and brackets, in small letters."""
    stated = stated.strip().lower()
    if stated.startswith("["):
        return stated[1:].partition("]")[0]
    # An address of IPv6 without brackets has several colons, and no port.
    return stated if stated.count(":") > 1 else stated.partition(":")[0]


def read_token(file: Path | None) -> str | None:
    """The token of a file or of the environment; ``None`` without either.

    Raises :class:`~dedup.errors.UsageError` for a file that cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file}: the token cannot be read: {reason}") from error
    if not token:
        raise UsageError(f"{file}: holds no token; expected one line")
    return token
