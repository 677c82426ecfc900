"""Compressions: how each is recognised, and its decoder with bounded output."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 2**20
"""Bytes that are read, and about the size of the chunks that are handed on."""

DAMAGE = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError, MemoryError)
"""What decoders raise for damaged data; ``OSError`` is that of bzip2."""

_ZSTD_MAX_WINDOW = 2**31
_XZ_MEMORY = 2**29


def _all_at_once(decoder: Any, piece: bytes) -> Iterator[bytes]:
    yield decoder.decompress(piece)


def _in_steps(decoder: Any, piece: bytes) -> Iterator[bytes]:
    """By chunks: a few bytes of bzip2 or xz can stand for gigabytes."""
    yield decoder.decompress(piece, CHUNK)
    while not decoder.eof and not decoder.needs_input:
        yield decoder.decompress(b"", CHUNK)


@dataclass(frozen=True, slots=True)
class Compression:
    """One compression.

    Attributes:
        name: as in the ledger.
        part: what its files consist of, one after another, each with a decoder of its own.
        endings: of the names of its files.
        magic: matches the first bytes.
        make: makes a decoder with ``eof`` and ``unused_data``.
        outputs: gives what a piece of data decodes to.
        piece: bytes given to a decoder at once.
        padded: zeros between parts are allowed.
        salvaged: decoders can be copied, to get what stands before damage in a piece.
    """

    name: str
    part: str
    endings: tuple[str, ...]
    magic: re.Pattern[bytes]
    make: Callable[[], Any]
    outputs: Callable[[Any, bytes], Iterator[bytes]]
    piece: int
    padded: bool
    salvaged: bool = False


# Where one call gives all output, the size of a piece times the format's greatest ratio (zstd
# 32768, deflate 1032) bounds memory in the face of a decompression bomb (to 1 GiB), and a damaged
# piece costs no more readable output than this. Smaller ones make the unpacking thread and the
# parser wait for each other too often.
COMPRESSIONS = (
    Compression(
        "gzip",
        "gzip member",
        (".gz", ".gzip"),
        re.compile(rb"\x1f\x8b(?:\x08|\Z)"),
        lambda: zlib.decompressobj(wbits=31),
        _all_at_once,
        16 * 2**10,
        padded=True,
        salvaged=True,
    ),
    Compression(
        "zstd",
        "zstd frame",
        (".zst", ".zstd"),
        re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
        lambda: zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW).decompressobj(),
        _all_at_once,
        32 * 2**10,
        padded=False,
    ),
    Compression(
        "bzip2",
        "bzip2 stream",
        (".bz2", ".bzip2"),
        re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
        bz2.BZ2Decompressor,
        _in_steps,
        32 * 2**10,
        padded=False,
    ),
    Compression(
        "xz",
        "xz stream",
        (".xz",),
        re.compile(rb"\xfd7zXZ\x00"),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
        _in_steps,
        32 * 2**10,
        padded=True,
    ),
)
BY_NAME = {compression.name: compression for compression in COMPRESSIONS}
BY_ENDING = {ending: one.name for one in COMPRESSIONS for ending in one.endings}


def compression_of(head: bytes) -> str:
    """The name of the compression by the first bytes; ``""`` if none.

    >>> compression_of(b"BZh91AY&SY")
    'bzip2'
    """
    return next((one.name for one in COMPRESSIONS if one.magic.match(head)), "")
