"""Find what news articles share, and say where it came from.

Names are loaded when they are first used, so that ``import dedup`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.api import Result, compare, scan
    from dedup.config import ReadSettings, Settings
    from dedup.errors import DedupError
    from dedup.filtering import Filtered, filter  # noqa: A004 - dedup.filter
    from dedup.flagging import Flagged, flag
    from dedup.index import Index, Update
    from dedup.model import Evidence, Match
    from dedup.sketch import hash32, signature, tokens

_HOMES = {
    "DedupError": "dedup.errors",
    "Evidence": "dedup.model",
    "Filtered": "dedup.filtering",
    "Index": "dedup.index",
    "Flagged": "dedup.flagging",
    "Match": "dedup.model",
    "ReadSettings": "dedup.config",
    "Result": "dedup.api",
    "Settings": "dedup.config",
    "Update": "dedup.index",
    "compare": "dedup.api",
    "filter": "dedup.filtering",
    "flag": "dedup.flagging",
    "hash32": "dedup.sketch",
    "scan": "dedup.api",
    "signature": "dedup.sketch",
    "tokens": "dedup.sketch",
}

__version__ = "0.1.0"
__all__ = [
    "DedupError",
    "Evidence",
    "Filtered",
    "Flagged",
    "Index",
    "Match",
    "ReadSettings",
    "Result",
    "Settings",
    "Update",
    "compare",
    "filter",
    "flag",
    "hash32",
    "scan",
    "signature",
    "tokens",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dedup' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
