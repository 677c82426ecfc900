"""Work on many pairs of texts, spread over processes."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 16


def mapped(function: Callable[[T], R], items: Sequence[T], processes: int) -> list[R]:
    """``function`` of every item, in order.

    Workers are started afresh: a forked one may hang in a compiled kernel.
    """
    if processes <= 1:
        return [function(item) for item in items]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(function, items, chunksize=CHUNK))
