"""Lines of a stream, however its bytes are cut into chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dedup.read.streams import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Chunks:
    """Bytes in the given pieces."""

    pieces: list[bytes]
    skipped: int = 0

    def chunks(self) -> Iterator[bytes]:
        return iter([piece for piece in self.pieces if piece])


PIECES = st.lists(
    st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r"]), max_size=8).map(b"".join), max_size=8
)


@given(PIECES, st.integers(0, 6), st.integers(0, 3))
def test_lines_are_those_of_the_whole(pieces: list[bytes], limit: int, skipped: int) -> None:
    whole = b"".join(pieces)
    lines = whole.split(b"\n")
    unterminated = lines.pop() if lines else b""
    expected, too_long, offset = [], [], skipped
    for number, line in enumerate([*lines, *([unterminated] if unterminated else [])], start=1):
        if len(line) > limit:
            too_long.append((number, offset, len(line), line[:4]))
        else:
            expected.append((number, offset, line))
        offset += len(line) + 1
    for copied in (True, False):
        told: list[tuple[int, int, int, bytes]] = []

        def on_long(number: int, offset: int, length: int, head: bytes) -> None:
            told.append((number, offset, length, head[:4]))  # noqa: B023 - used at once

        found = Lines(Chunks(pieces, skipped), limit, on_long)
        if copied:
            rows = list(found)
            assert all(type(line) is bytes for _, _, line in rows)
        else:
            rows = [(number, at, bytes(line)) for number, at, line in found.views()]
        assert (rows, told) == (expected, too_long)
        assert found.unterminated == (0 < len(unterminated) <= limit)
