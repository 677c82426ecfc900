"""Who is told of a run: the entries ``[[notify]]`` of a job file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dedup.entries import check_keys, headings, located
from dedup.errors import SettingsError
from dedup.job.values import Values

if TYPE_CHECKING:
    from pathlib import Path

WHEN = ("changed", "always", "failed")
_COMMON = ("name", "when", "timeout", "attempts", "wait")
_KEYS = {
    "webhook": ("webhook", "token_env", "headers"),
    "command": ("command",),
    "email": ("email", "from", "smtp", "tls", "user", "password_env"),
}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class Recipient:
    """What all have in common.

    ``name`` is how the index and the log call it, ``when`` the occasions on which it is told,
    ``timeout`` seconds that one attempt may take, ``attempts`` how often a run tries, and
    ``wait`` the seconds before the second attempt; each further wait is twice as long.
    """

    name: str
    when: tuple[str, ...]
    timeout: float
    attempts: int
    wait: float

    def wants(self, status: str, *, changed: bool) -> bool:
        """Whether it is told of a run with this outcome: ``done``, ``incomplete``, ``failed``."""
        if "always" in self.when:
            return True
        if status != "done" and "failed" in self.when:
            return True
        return changed and status != "failed" and "changed" in self.when

    @property
    def address(self) -> str:
        """Where it is, for people: nothing that is secret."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Webhook(Recipient):
    """An address to which JSON is posted."""

    url: str
    headers: tuple[tuple[str, str], ...]
    token_env: str | None

    @property
    def address(self) -> str:
        """The host: what follows in the address of a webhook is often a password."""
        parts = urlsplit(self.url)
        return f"POST to {parts.scheme}://{parts.hostname}"


@dataclass(frozen=True, slots=True)
class Command(Recipient):
    """A program with its arguments, which gets JSON on its standard input."""

    arguments: tuple[str, ...]
    folder: Path

    @property
    def address(self) -> str:
        """The program."""
        return f"command {self.arguments[0]}"


@dataclass(frozen=True, slots=True)
class Email(Recipient):
    """Addresses of e-mail, and the server that takes it."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    tls: str
    user: str | None
    password_env: str | None

    @property
    def address(self) -> str:
        """The addresses."""
        return f"e-mail to {', '.join(self.to)} by {self.host}:{self.port}"


def recipients(values: Values, file: Path) -> tuple[Recipient, ...]:
    """Read the entries.

    Raises :class:`~dedup.errors.SettingsError` for one that is wrong, for two with one name, and
    where an environment variable with a password is not set.
    """
    entries = located(values.table, "notify", headings(file, "notify"), str(file))
    found = tuple(_recipient(Values(entry, where), file.parent) for entry, where in entries)
    names = [recipient.name for recipient in found]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"{file}: two entries [[notify]] have the name '{name}'; give each one its own"
            )
    return found


def _recipient(values: Values, folder: Path) -> Recipient:
    kinds = [kind for kind in _KEYS if kind in values.table]
    if len(kinds) != 1:
        got = " and ".join(kinds) or "none"
        raise SettingsError(f"{values.where}: expected one of {', '.join(_KEYS)}, got {got}")
    kind = kinds[0]
    check_keys(values.table, (*_KEYS[kind], *_COMMON), values.where)
    when = tuple(values.texts("when")) or ("changed",)
    if unknown := [word for word in when if word not in WHEN]:
        raise values.wrong("when", " or ".join(f"'{word}'" for word in WHEN), unknown[0])
    common = (
        values.text("name", default=kind),
        when,
        values.duration("timeout", default=10.0),
        values.number("attempts", low=1, default=5) or 1,
        values.duration("wait", default=1.0),
    )
    if common[2] <= 0:
        raise values.wrong("timeout", "a time above zero", values.table["timeout"])
    if kind == "webhook":
        return _webhook(values, common)
    if kind == "command":
        arguments = values.table["command"]
        if not isinstance(arguments, list) or not arguments:
            raise values.wrong("command", "a list: the program and its arguments", arguments)
        return Command(*common, tuple(values.texts("command")), folder)
    return _email(values, common)


_Common = tuple[str, tuple[str, ...], float, int, float]


def _webhook(values: Values, common: _Common) -> Webhook:
    url = values.text("webhook")
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not url.isascii() or any(c.isspace() for c in url):
        raise values.wrong("webhook", "an address that begins with https:// or http://", url)
    headers = values.inner("headers")
    given = [(name, headers.text(name)) for name in headers.table] if headers else []
    for name, value in given:
        if not name.isascii() or not value.isprintable() or ":" in name or not name.isprintable():
            raise values.wrong("headers", "names and values of HTTP headers", f"{name}: …")
    return Webhook(*common, url, tuple(given), _variable(values, "token_env"))


def _email(values: Values, common: _Common) -> Email:
    to = values.texts("email")
    sender = values.text("from")
    for address in (*to, sender):
        local, _, domain = address.strip().rpartition("@")
        if not (local and domain) or not address.isprintable() or "," in address:
            key = "from" if address is sender else "email"
            raise values.wrong(key, "an address such as desk@example.org", address)
    if not to:
        raise values.wrong("email", "at least one address", to)
    tls = values.one_of("tls", tuple(_PORTS), default="starttls")
    host, _, port = values.text("smtp").rpartition(":")
    if not host:
        host, port = port, str(_PORTS[tls])
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise values.wrong("smtp", "a host, or host:port", values.table["smtp"])
    user = values.text("user", default="") or None
    password = _variable(values, "password_env")
    if (user is None) != (password is None):
        raise SettingsError(f"{values.where}: 'user' and 'password_env' are given together")
    return Email(*common, tuple(to), sender, host, int(port), tls, user, password)


def _variable(values: Values, key: str) -> str | None:
    """The name of an environment variable that holds a secret."""
    name = values.text(key, default="")
    if name and not os.environ.get(name):
        raise SettingsError(
            f"{values.where}: '{key}': the environment variable {name} is not set; the secret "
            "stands there, never in this file"
        )
    return name or None
