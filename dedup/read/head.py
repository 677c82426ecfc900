"""The beginning of an input, from which its format is recognised."""

from __future__ import annotations

import io
from dataclasses import dataclass

from dedup.read.streams import RawInput, Stream

PEEK = 2**18
"""Stored bytes looked at: more than the first block of a zstd frame."""
HEAD = 2**16
"""Unpacked bytes that recognisers see."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a recogniser sees of an input.

    ``suffix`` is the ending of its name in lower case, without that of a compression. ``data``
    are the first unpacked bytes (at most ``HEAD``) as they are, ``text`` the same as text (UTF-16
    and byte order marks understood, invalid bytes as U+FFFD) without leading space. ``whole`` says
    that there is no more.
    """

    name: str
    suffix: str
    data: bytes
    text: str
    whole: bool


def head_of(
    raw: RawInput, name: str, suffix: str, compression: str, max_ratio: int, encoding: str | None
) -> Head:
    """The beginning of an opened input, without consuming it."""
    stored = raw.peek(PEEK)

    def first(*, text: bool) -> bytes:
        stream = Stream(RawInput(io.BytesIO(stored), None), compression, max_ratio, encoding)
        chunks = stream.chunks() if text else stream.unpacked()
        return next(chunks, b"")

    data = first(text=False) if compression else stored
    text = first(text=True)[:HEAD].decode("utf-8", "replace").lstrip()
    whole = len(stored) < PEEK and len(data) <= HEAD
    return Head(name, suffix, data[:HEAD], text, whole)
