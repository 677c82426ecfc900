"""The domain of an address, which stands for an outlet that is not named."""

from __future__ import annotations

from urllib.parse import urlsplit

from dedup.domains import registrable_domain


def outlet_of(url: str) -> str | None:
    """The registrable domain of ``url``; ``None`` for anything else than a public host."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:  # e.g. an unclosed bracket of an IPv6 address
        return None
    if not host or len(host) > 253:
        return None
    return registrable_domain(host)
