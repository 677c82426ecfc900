"""The one decorator of all kernels, and where their compiled code is kept.

Compiled code goes to the user's cache folder, named after the kernels' sources: a machine
compiles each version once, installs may be read-only, and a changed helper can never leave a
stale caller behind (numba itself looks at the caller's file only).
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

_MARKER = "complete"


@cache
def cache_folder() -> Path | None:
    """Folder of the compiled kernels, or ``None`` where none can be written.

    ``DEDUP_CACHE_DIR`` overrides the user's cache folder (``XDG_CACHE_HOME``, ``~/.cache``,
    on macOS ``~/Library/Caches``).
    """
    base = os.environ.get("DEDUP_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    try:
        if not base:
            home = Path.home()
            base = str(home / ("Library/Caches" if sys.platform == "darwin" else ".cache"))
        folder = Path(base) / "dedup" / f"kernels-{_sources()}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _sources() -> str:
    """Digest of all kernel sources and of the compiler's version."""
    h = hashlib.blake2b(f"{numba.__version__} {sys.version}".encode(), digest_size=8)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        h.update(path.read_bytes())
    return h.hexdigest()


def compiled() -> bool:
    """Whether all kernels have been compiled on this machine before."""
    folder = cache_folder()
    return folder is not None and (folder / _MARKER).exists()


def mark_compiled() -> None:
    """Note that all kernels have been compiled on this machine."""
    folder = cache_folder()
    if folder is not None:
        (folder / _MARKER).touch()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile without the interpreter lock, cached on disk, wrap-around integer arithmetic.

    numba infers the types from the arguments; docstrings state them.
    """
    return _compiled(function)


def leaf(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that makes no array, for inner loops of others.

    It does without numba's counting of references to arrays (an atomic operation for each array
    at each call), which takes longer than such a function's work.
    """
    return _compiled(function, _nrt=False)


def _compiled(function: Callable[..., Any], **flags: Any) -> Callable[..., Any]:
    folder = cache_folder()
    config: Any = numba.config
    before = config.CACHE_DIR
    # numba takes the folder from its global configuration when a function is decorated.
    config.CACHE_DIR = str(folder) if folder is not None else before
    try:
        compiled_function: Callable[..., Any] = numba.njit(
            cache=True, nogil=True, error_model="numpy", **flags
        )(function)
    finally:
        config.CACHE_DIR = before
    return compiled_function
