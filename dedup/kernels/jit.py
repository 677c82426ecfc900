"""The one decorator of all kernels, and where their compiled code is kept.

Compiled code goes to the user's cache folder, named after the kernels' sources: a machine
compiles each version once, installs may be read-only, and a changed helper can never leave a
stale caller behind (numba itself looks at the caller's file only). Folders of versions that
nobody has used for long are removed when a new one has been compiled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from numba.core.registry import cpu_target

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")

UNUSED_DAYS = 90
"""Days after which the compiled kernels of another version are removed."""

_FOLDER = re.compile(r"kernels-[0-9a-f]{16}")


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


def _marker() -> Path | None:
    """The file that says that all kernels are compiled, or ``None`` where nothing is kept.

    numba takes compiled code for its own only where the sources lie in the same place, of the
    same age, on the same kind of processor: so the name is a digest of these.
    """
    folder = cache_folder()
    if folder is None:
        return None
    processor: Any = cpu_target.target_context.codegen()
    h = hashlib.blake2b(repr(processor.magic_tuple()).encode(), digest_size=8)
    for path in sorted(Path(__file__).resolve().parent.glob("*.py")):
        h.update(f"\0{path}\0{path.stat().st_mtime_ns}".encode())
    return folder / f"complete-{h.hexdigest()}"


def compiled() -> bool:
    """Whether all kernels of this install have been compiled on this machine before."""
    marker = _marker()
    if marker is None or not marker.exists():
        return False
    with contextlib.suppress(OSError):  # its time says when the kernels were last used
        os.utime(marker)
    return True


def mark_compiled() -> None:
    """Note that all kernels of this install have been compiled on this machine."""
    marker = _marker()
    if marker is not None:
        with contextlib.suppress(OSError):  # a full disk: they compile again next time
            marker.touch()
            _remove_unused(marker.parent)


def _remove_unused(own: Path) -> None:
    """Remove the folders beside ``own`` that no run has used for UNUSED_DAYS."""
    oldest = time.time() - UNUSED_DAYS * 86_400
    for folder in own.parent.iterdir():
        if folder == own or folder.is_symlink() or not _FOLDER.fullmatch(folder.name):
            continue
        used = [folder, *folder.glob("complete*")]
        if max(path.stat().st_mtime for path in used) < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def kernel(function: _Function) -> _Function:
    """Compile without the interpreter lock, cached on disk, wrap-around integer arithmetic.

    numba infers the types from the arguments; docstrings state them.
    """
    return cast("_Function", _compiled(function))


def leaf(function: _Function) -> _Function:
    """A kernel that makes no array, for inner loops of others.

    It does without numba's counting of references to arrays (an atomic operation for each array
    at each call), which takes longer than such a function's work.
    """
    return cast("_Function", _compiled(function, _nrt=False))


def _compiled(function: Callable[..., Any], **flags: Any) -> Callable[..., Any]:
    flags["no_cfunc_wrapper"] = True  # there are no callers in C, and it is code to compile
    folder = cache_folder()
    config: Any = numba.config
    before = config.CACHE_DIR
    # numba takes the folder from its global configuration when a function is decorated.
    config.CACHE_DIR = str(folder) if folder is not None else before
    try:
        compiled_function: Callable[..., Any] = numba.njit(
            cache=True,
            nogil=True,
            error_model="numpy",
            **flags,
        )(function)
    finally:
        config.CACHE_DIR = before
    return compiled_function
