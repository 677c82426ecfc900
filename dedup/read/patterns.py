"""Patterns of names with ``**``, matched part by part against paths that were found by a walk.

:func:`glob.glob` follows links to folders, also those that lead back; the walk of
:mod:`dedup.read.discover` does not.
"""

# Names may be no valid Unicode: plain strings, not Path.
# ruff: noqa: PTH118, PTH206

from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ANY_DEPTH = "**"


class Deep(NamedTuple):
    """A pattern with ``**``: the pattern of the folders in which to look (``""``: here), and the
    parts of the names below them, the first of which is ``**``."""

    above: str
    parts: tuple[str, ...]

    @property
    def hidden(self) -> bool:
        """Whether a part asks for hidden files or folders."""
        return any(part.startswith(".") for part in self.parts)


def deep(pattern: str) -> Deep | None:
    """A pattern in two, ``None`` where it has no ``**``.

    >>> deep("dumps/2025-*/**/*.jsonl")
    Deep(above='dumps/2025-*', parts=('**', '*.jsonl'))
    """
    parts = pattern.split(os.sep)
    if ANY_DEPTH not in parts:
        return None
    at = parts.index(ANY_DEPTH)
    above = os.sep.join(parts[:at]) or (os.sep if pattern.startswith(os.sep) else "")
    return Deep(above, tuple(part for part in parts[at:] if part))


def takes_in(parts: Sequence[str], path: Iterable[str]) -> bool:
    """Whether a pattern matches a file, or a folder above it. Linear in both.

    As in a shell, ``*`` and ``**`` stand for no name that begins with a dot.

    >>> takes_in(("**", "2025-*"), ("a", "2025-01", "b.jsonl"))
    True
    """
    on = {0}
    for name in path:
        reached = _skipping(parts, on)
        if len(parts) in reached:
            return True
        on = {at for at in reached if parts[at] == ANY_DEPTH and not name.startswith(".")}
        on |= {at + 1 for at in reached if parts[at] != ANY_DEPTH and _is(name, parts[at])}
    return len(parts) in on


def _skipping(parts: Sequence[str], on: set[int]) -> set[int]:
    """Where one is as well, since ``**`` stands for no name, too."""
    reached, waiting = set(on), list(on)
    while waiting:
        at = waiting.pop()
        if at < len(parts) and parts[at] == ANY_DEPTH and at + 1 not in reached:
            reached.add(at + 1)
            waiting.append(at + 1)
    return reached


def _is(name: str, part: str) -> bool:
    return fnmatch.fnmatchcase(name, part) and (not name.startswith(".") or part.startswith("."))
