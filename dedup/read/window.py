"""A stream of bytes as a reader of records wants it: so many, or up to a mark, or after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_KEPT = 2**10
"""Bytes kept when a mark is looked for: marks are shorter."""


class Window:
    """The next bytes of a stream; ``position`` is the offset of the first of them.

    Holds what was asked for at once, never the whole stream.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = bytearray()
        self.position = 0

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes (fewer at the end) without consuming them."""
        while len(self._held) < count and self._more():
            pass
        return bytes(self._held[:count])

    def take(self, count: int) -> bytes:
        """Consume ``count`` bytes; fewer at the end."""
        data = self.peek(count)
        self._drop(len(data))
        return data

    def skip(self, count: int) -> int:
        """Consume ``count`` bytes without holding them; returns how many there were."""
        left = count
        while left and self.peek(1):
            step = min(left, len(self._held))
            self._drop(step)
            left -= step
        return count - left

    def after(self, distance: int, count: int) -> bytes:
        """``count`` bytes from ``distance`` on (fewer at the end) without consuming any."""
        end = distance + count
        while len(self._held) < end and self._more():
            pass
        return bytes(self._held[distance:end])

    def holds(self, count: int) -> int:
        """How many bytes come next, up to ``count``."""
        self.after(count, 0)
        return min(count, len(self._held))

    def find_within(self, mark: re.Pattern[bytes], count: int) -> bool:
        """Consume what is before a ``mark`` that begins in the next ``count`` bytes, else those.

        Returns whether there is one.
        """
        self.after(count, _KEPT)
        found = mark.search(self._held, 0, count + _KEPT)
        inside = found is not None and found.start() < count
        self._drop(found.start() if found and inside else min(count, len(self._held)))
        return inside

    def until(self, mark: re.Pattern[bytes], limit: int) -> bytes | None:
        """Consume up to and with ``mark``; ``None``, and nothing, if it is not within ``limit``.

        Looks at no more than four times the bytes before the mark.
        """
        size = 2**12
        while True:
            data = self.peek(min(size, limit))
            if found := mark.search(data):
                return self.take(found.end())
            if len(data) < size:  # the end of the stream, or the limit
                return None
            size *= 2

    def find(self, mark: re.Pattern[bytes]) -> int:
        """Consume what is before ``mark``, all if there is none; returns how many bytes."""
        passed = 0
        while True:
            if found := mark.search(self._held):
                self._drop(found.start())
                return passed + found.start()
            keep = min(_KEPT, len(self._held))
            passed += len(self._held) - keep
            self._drop(len(self._held) - keep)
            if not self._more():
                self._drop(keep)
                return passed + keep

    def _more(self) -> bool:
        """Hold one more chunk; false at the end of the stream."""
        chunk = next(self._chunks, b"")
        self._held += chunk
        return bool(chunk)

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self.position += count
