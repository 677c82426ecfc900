"""Registrable domains of hosts (``bbc.co.uk``), by the suffix list in the package."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any


@cache
def _extractor() -> Any:
    # Imported here: building the extractor reads a suffix list of 300 kB.
    import tldextract

    # Only the list in the package: results must not depend on the network or on the day.
    # Private suffixes count: two blogs on one platform are two outlets.
    return tldextract.TLDExtract(
        suffix_list_urls=(),
        fallback_to_snapshot=True,
        cache_dir=None,
        include_psl_private_domains=True,
    )


@lru_cache(maxsize=100_000)
def registrable_domain(host: str) -> str | None:
    """The registrable domain of a host, or ``None`` for anything else than a public one."""
    try:
        found = _extractor().extract_str(host)
    except ValueError:  # a host that is no valid international name
        return None
    return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else None
