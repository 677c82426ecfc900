"""Opened inputs as bounded streams: raw bytes, decompressed chunks, lines.

Nothing here raises for damaged input: a stream that ends early keeps what was readable and
says why in ``failure``, so that the prefix can be used and the rest of the run goes on.
"""

from __future__ import annotations

import codecs
import os
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from dedup.read.unpacking import BY_NAME, CHUNK, DAMAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AHEAD = 3
"""Chunks that are unpacked before they are asked for."""
_RATIO_CHECKED_FROM = 64 * 2**20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and what they stand for."""


class RawInput:
    """Bytes of a file as they are stored, read up to the size the file had when opened.

    ``failure`` is set when reading failed or the file became shorter meanwhile.
    """

    def __init__(
        self, handle: IO[bytes], size: int | None, on_read: Callable[[int], None] | None = None
    ) -> None:
        self._handle = handle
        self.size = size
        self._on_read = on_read
        self._head = b""
        self._fetched = 0
        self._told = 0
        self.position = 0
        self.failure: str | None = None

    def _fetch(self, count: int) -> bytes:
        if self.size is not None:
            count = min(count, self.size - self._fetched)
        if count <= 0 or self.failure is not None:
            return b""
        try:
            data = self._handle.read(count)
        except OSError as error:
            self.failure = f"cannot be read at byte {self._fetched} ({error.strerror or error})"
            return b""
        self._fetched += len(data)
        if not data and self.size is not None:
            self.failure = (
                f"became shorter while it was read: {self.size} bytes at the start, "
                f"{self._fetched} found"
            )
        return data

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes (fewer at the end) without consuming them."""
        while len(self._head) < count:
            data = self._fetch(count - len(self._head))
            if not data:
                break
            self._head += data
        return self._head[:count]

    def read(self, count: int) -> bytes:
        """Up to ``count`` bytes; empty at the end."""
        if self._head:
            data, self._head = self._head[:count], self._head[count:]
        else:
            data = self._fetch(count)
        self.position += len(data)
        return data

    def tell(self) -> None:
        """Tell ``on_read`` how many bytes were read since it was told last."""
        position = self.position  # another thread may be reading
        if position > self._told and self._on_read is not None:
            self._on_read(position - self._told)
        self._told = position

    def grew(self) -> bool:
        """Whether the file is now longer than the part that is read."""
        if self.size is None:
            return False
        try:
            return os.fstat(self._handle.fileno()).st_size > self.size
        except OSError:  # no descriptor (a stream in memory): cannot grow behind our back
            return False


class Stream:
    """The decompressed bytes of an input, in chunks of about 1 MB.

    ``failure`` says, after the chunks are used up, why they ended early (``None``: they did
    not). gzip members, zstd frames and so on are read one after another to the end.
    """

    def __init__(
        self, raw: RawInput, compression: str, max_ratio: int, encoding: str | None = None
    ) -> None:
        self.raw = raw
        self.compression = compression
        self._max_ratio = max_ratio
        self._encoding = encoding
        self.failure: str | None = None
        self.produced = 0
        self.encoding = ""  # of the text, known once its first chunk was asked for
        self.skipped = 0
        """Bytes of a mark dropped from a text in UTF-8, known like its encoding: positions
        count them."""
        self.resume = False
        """Whether reading goes on with the next gzip member (zstd frame ...) after a damaged one:
        for formats whose records are such parts, and which notice what is missing."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of a text as UTF-8: what is another encoding by its byte order mark, by
        the zeros of UTF-16 or by ``encoding`` is transcoded, a mark is dropped.

        A file of some size is read and unpacked in a thread of its own, a few chunks ahead.
        What comes from a pipe is not: a thread that waits for more could not be stopped.
        """
        return self._handed_on(self._text())

    def _text(self) -> Iterator[bytes]:
        chunks = self._plain()
        first = next(chunks, b"")
        marked, mark = _marked(first)
        self.encoding = marked or self._encoding or "utf-8"
        self.skipped = mark if marked == "utf-8" else 0
        yield from _utf8(_then(first[mark:], chunks), self.encoding)

    def unpacked(self) -> Iterator[bytes]:
        """Yield the bytes as they are, for formats that are no text."""
        return self._handed_on(self._plain())

    def _handed_on(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        if self.raw.size is not None and self.raw.size > CHUNK:
            chunks = _ahead(chunks)
        for chunk in chunks:
            self.raw.tell()
            yield chunk
        self.raw.tell()

    def _plain(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        held = 0
        for data in self._decoded() if self.compression else self._stored():
            if not data:
                continue
            parts.append(data)
            held += len(data)
            if held >= CHUNK:
                yield b"".join(parts) if len(parts) > 1 else parts[0]
                parts, held = [], 0
        if parts:
            yield b"".join(parts)
        if self.failure is None:
            self.failure = self.raw.failure

    def _stored(self) -> Iterator[bytes]:
        while data := self.raw.read(CHUNK):
            self.produced += len(data)
            yield data

    def _decoded(self) -> Iterator[bytes]:
        how = BY_NAME[self.compression]
        decoder: Any = None
        start = damaged = 0
        first = ""
        lost = False  # after damage, until the next part begins
        while block := self.raw.read(CHUNK):
            base = self.raw.position - len(block)
            at = 0
            while at < len(block):
                if lost:
                    found = how.magic.search(block, at)
                    if found is None:
                        break
                    lost, at = False, found.start()
                piece = block[at : at + how.piece]
                if decoder is None:
                    if how.padded and start < base + at:
                        at += len(piece) - len(piece.lstrip(b"\0"))
                        piece = piece.lstrip(b"\0")
                        if not piece:
                            continue
                    start = base + at
                    decoder = how.make()
                spare = decoder.copy() if how.salvaged else None
                try:
                    for data in how.outputs(decoder, piece):
                        self.produced += len(data)
                        yield data
                        if self._is_bomb(base + at + len(piece)):
                            return
                except DAMAGE as error:
                    if spare is not None:
                        saved, used = _salvage(spare, piece)
                        at += used
                        self.produced += len(saved)
                        yield saved
                    damaged += 1
                    if damaged == 1:
                        first = f"{how.part} is damaged near byte {base + at} ({error})"
                    self.failure = first + (f"; so are {damaged - 1} more" if damaged > 1 else "")
                    if not self.resume:
                        return
                    decoder, lost, at = None, True, at + 1
                    continue
                if decoder.eof:
                    at += len(piece) - len(decoder.unused_data)
                    decoder = None
                else:
                    at += len(piece)
        if decoder is not None:
            self.failure = (
                first
                + "; " * bool(first)
                + (
                    f"{how.part} that begins at byte {start} is cut off: the file ends at byte "
                    f"{self.raw.position}"
                )
            )

    def _is_bomb(self, consumed: int) -> bool:
        if self.produced > max(_RATIO_CHECKED_FROM, consumed * self._max_ratio):
            self.failure = (
                f"decompression stopped at byte {consumed}: {self.produced} bytes came out, more "
                f"than {self._max_ratio} times what went in (setting max_ratio)"
            )
            return True
        return False


def _ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, made in another thread while the former ones are used."""
    with ThreadPoolExecutor(1, thread_name_prefix="unpack") as thread:
        coming = deque(thread.submit(next, chunks, b"") for _ in range(_AHEAD))
        while chunk := coming.popleft().result():
            coming.append(thread.submit(next, chunks, b""))
            yield chunk


def _salvage(decoder: Any, piece: bytes) -> tuple[bytes, int]:
    """What can be decoded of a piece before its damage, and where that is."""
    saved: list[bytes] = []
    for at in range(len(piece)):
        try:
            saved.append(decoder.decompress(piece[at : at + 1]))
        except zlib.error:
            return b"".join(saved), at
    return b"".join(saved), len(piece)


def _utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from chunks
        return
    # What cannot be decoded passes as a byte that is not valid UTF-8, so that it is noticed and
    # reported for the record it stands in, like any other invalid UTF-8.
    decoder = codecs.getincrementaldecoder(encoding)(_UNDECODABLE)
    for data in chunks:
        yield decoder.decode(data).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")


def _keep_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


_UNDECODABLE = "dedup-undecodable"
codecs.register_error(_UNDECODABLE, _keep_undecodable)


def _then(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _marked(first: bytes) -> tuple[str, int]:
    """The encoding that a text shows by its first bytes (``""``: none), and the mark's length."""
    for mark, name in _MARKS:
        if first.startswith(mark):
            return name, len(mark)
    # Without a mark: text begins with ASCII, or what separates its fields is (RFC 4627, 3).
    begin = first[:4]
    if len(begin) == 4:
        zeros = [byte == 0 for byte in begin]
        if zeros == [False, True, False, True]:
            return "utf-16-le", 0
        if zeros == [True, False, True, False]:
            return "utf-16-be", 0
    return "", 0


class Chunked(Protocol):
    """What hands on its bytes in chunks: a :class:`Stream`, or one made of it."""

    skipped: int
    """Bytes of the file before the first chunk, known once that was asked for."""

    def chunks(self) -> Iterator[bytes]:
        """The chunks, once."""
        ...


class Lines:
    """Lines of a stream, split on ``\\n`` alone, none held that is longer than ``limit`` bytes.

    Iterating yields ``(number, byte offset, line without its newline)``, numbers from 1;
    :meth:`views` the same without copying the lines. A longer line is skipped to its end and
    handed to ``on_long(number, offset, length, head)``. After the last line ``unterminated`` says
    whether it had no newline.
    """

    def __init__(
        self, stream: Chunked, limit: int, on_long: Callable[[int, int, int, bytes], None]
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._on_long = on_long
        self.unterminated = False

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        return cast("Iterator[tuple[int, int, bytes]]", self._split(bytes))

    def views(self) -> Iterator[tuple[int, int, bytes | memoryview]]:
        """The lines as views of the chunks; those that stand on the edge of two are bytes."""
        return self._split(memoryview)

    def _split(
        self, form: type[bytes] | type[memoryview]
    ) -> Iterator[tuple[int, int, bytes | memoryview]]:
        limit, on_long = self._limit, self._on_long
        number, offset = 1, -1
        carry: list[bytes] = []  # the line so far; only its head once it is too long
        held = 0
        for chunk in self._stream.chunks():
            if offset < 0:
                offset = self._stream.skipped
            find = chunk.find
            at, end = 0, find(b"\n")
            if end >= 0:
                length = held + end
                if length > limit:
                    head = b"".join([*carry, chunk[: min(end, 1000)]])[:1000]
                    on_long(number, offset, length, head)
                else:
                    carry.append(chunk[:end])
                    yield number, offset, b"".join(carry)
                number += 1
                offset += length + 1
                carry, held = [], 0
                whole = form(chunk)
                at = end + 1
                while (end := find(b"\n", at)) >= 0:
                    if end - at > limit:
                        on_long(number, offset, end - at, chunk[at : min(end, at + 1000)])
                    else:
                        yield number, offset, whole[at:end]
                    number += 1
                    offset += end + 1 - at
                    at = end + 1
            held += len(chunk) - at
            if held <= limit:
                carry.append(chunk[at:])
            elif at < len(chunk):
                carry = [b"".join([*carry, chunk[at : at + 1000]])[:1000]]
        if held > limit:
            on_long(number, offset, held, carry[0])
        elif held:
            self.unterminated = True
            yield number, offset, b"".join(carry)
