"""Opening a file that was found, or standard input."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import IO, TYPE_CHECKING

from dedup.read.remote import open_address

if TYPE_CHECKING:
    from dedup.read.discover import Found


def open_input(found: Found) -> contextlib.AbstractContextManager[IO[bytes]]:
    """The bytes of an input as they are stored; standard input is not closed."""
    if found.path is None:
        return contextlib.nullcontext(sys.stdin.buffer)
    if found.remote:
        return open_address(found.path)
    # Without blocking: the path may have become a FIFO since it was looked at.
    descriptor = os.open(found.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    return os.fdopen(descriptor, "rb", buffering=0)
