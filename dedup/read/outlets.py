"""The registrable domain of an address, which stands for an outlet that is not named."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

_MAX_CACHED = 100_000


@cache
def _extractor() -> Any:
    import tldextract

    # Only the list in the package: results must not depend on the network or on the day.
    # Private suffixes count, so that two blogs on one platform are two outlets.
    return tldextract.TLDExtract(
        suffix_list_urls=(),
        fallback_to_snapshot=True,
        cache_dir=None,
        include_psl_private_domains=True,
    )


class Domains:
    """Registrable domains (``bbc.co.uk``), looked up once per host."""

    def __init__(self) -> None:
        self._cache: dict[str, str | None] = {}

    def of(self, url: str) -> str | None:
        """The registrable domain of ``url``; ``None`` for anything else than a public host."""
        try:
            host = urlsplit(url if "//" in url else f"//{url}").hostname
        except ValueError:  # e.g. an unclosed bracket of an IPv6 address
            return None
        if not host or len(host) > 253:
            return None
        if host not in self._cache:
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[host] = self._look_up(host)
        return self._cache[host]

    @staticmethod
    def _look_up(host: str) -> str | None:
        try:
            found = _extractor()(host)
        except ValueError:  # a host that is no valid international name
            return None
        return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else None
