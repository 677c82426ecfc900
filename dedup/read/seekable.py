"""Inputs as files that can be read at any place, for formats whose table of contents is their end.

A plain file is opened again by its path. What is compressed or comes through a pipe is unpacked
into a temporary file first, which has no name and goes with its handle.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from dedup.errors import SpillError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.intake import Source


@contextmanager
def seekable(source: Source) -> Iterator[IO[bytes]]:
    """The unpacked bytes of an input as a file that can seek, at its begin.

    ``source.stream.failure`` says afterwards why a compressed one ended early.

    Raises :class:`~dedup.errors.SpillError` when the temporary file cannot be written, and
    ``OSError`` when the input cannot be opened.
    """
    if source.plain and source.path is not None:
        with open(source.path, "rb") as handle:  # noqa: PTH123 - may be no valid Unicode
            yield handle
        return
    with tempfile.TemporaryFile(prefix="dedup-") as spool:
        try:
            for chunk in source.stream.unpacked():
                spool.write(chunk)
            spool.seek(0, os.SEEK_SET)
        except OSError as error:
            raise SpillError(
                f"{source.name}: cannot be unpacked to {tempfile.gettempdir()} "
                f"({error.strerror or error}); unpack it yourself, or set TMPDIR to a place with "
                "more room"
            ) from error
        yield spool
