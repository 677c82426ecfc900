"""The one decorator of all kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile without the interpreter lock, cached on disk, wrap-around integer arithmetic."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
