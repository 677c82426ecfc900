"""The bytes of a member of a ZIP file, unpacked in steps.

:mod:`zipfile` finds the members; but it unpacks what is packed with bzip2 or LZMA as a whole, and a
few kilobytes of those can stand for gigabytes. Methods as numbered in APPNOTE.TXT, 4.4.5
(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
"""

from __future__ import annotations

import bz2
import copy
import lzma
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Protocol

from dedup.read.unpacking import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = 2**15
_MAX_DICTIONARY = 2**29
_METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 93: "zstd", 95: "xz", 98: "ppmd"}


class _Decoder(Protocol):
    """What unpacks a member; ``unpack`` gives at most ``limit`` bytes, none where it needs more."""

    def unpack(self, data: bytes, limit: int) -> bytes: ...

    def ended(self) -> bool: ...


class _Stored:
    """Bytes that are not packed."""

    def __init__(self) -> None:
        self._held = b""

    def unpack(self, data: bytes, limit: int) -> bytes:
        data = self._held + data
        data, self._held = data[:limit], data[limit:]
        return data

    def ended(self) -> bool:
        return False


class _Deflate:
    """Raw deflate."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)

    def unpack(self, data: bytes, limit: int) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, limit)

    def ended(self) -> bool:
        return self._decoder.eof


class _Bzip2:
    """bzip2."""

    def __init__(self) -> None:
        self._decoder: Any = bz2.BZ2Decompressor()

    def unpack(self, data: bytes, limit: int) -> bytes:
        out: bytes = self._decoder.decompress(data, limit)
        return out

    def ended(self) -> bool:
        return bool(self._decoder.eof)


class _Lzma(_Bzip2):
    """LZMA: a header with the properties of the encoder, then the raw stream (APPNOTE, 5.8.8)."""

    def __init__(self) -> None:
        self._decoder = None
        self._header = b""

    def unpack(self, data: bytes, limit: int) -> bytes:
        if self._decoder is None:
            self._header += data
            if len(self._header) < 9:
                return b""
            self._decoder = self._begun(self._header)
            data = self._header[9:]
        return super().unpack(data, limit)

    def ended(self) -> bool:
        return self._decoder is not None and super().ended()

    @staticmethod
    def _begun(header: bytes) -> lzma.LZMADecompressor:
        size, coded = int.from_bytes(header[2:4], "little"), header[4]
        dictionary = int.from_bytes(header[5:9], "little")
        if size != 5 or coded >= 9 * 5 * 5:
            raise zipfile.BadZipFile("the header of its LZMA data is damaged")
        if dictionary > _MAX_DICTIONARY:
            raise zipfile.BadZipFile(f"its LZMA data need {dictionary} bytes of memory")
        rest, lc = divmod(coded, 9)
        pb, lp = divmod(rest, 5)
        one = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb}
        one["dict_size"] = max(dictionary, 4096)
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[one])


_DECODERS: dict[int, Callable[[], _Decoder]] = {
    zipfile.ZIP_STORED: _Stored,
    zipfile.ZIP_DEFLATED: _Deflate,
    zipfile.ZIP_BZIP2: _Bzip2,
    zipfile.ZIP_LZMA: _Lzma,
}


class ZipMember:
    """A member that is read from its begin to its end; holds about 1 MiB of it at most.

    Args:
        archive: where it stands.
        info: which it is.

    Raises:
        NotImplementedError: it is packed by a method that is not known.
        RuntimeError: it has a password.
        zipfile.BadZipFile: the archive is damaged where it begins.
    """

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        make = _DECODERS.get(info.compress_type)
        if make is None:
            number = info.compress_type
            method = _METHODS.get(number, f"number {number}")
            raise NotImplementedError(f"it is packed by the method {method}; pack it by deflate")
        self._decoder = make()
        self._info = info
        packed = copy.copy(info)  # as if it were not packed: then it is handed on as it stands
        packed.compress_type = zipfile.ZIP_STORED
        packed.file_size = info.compress_size
        del packed.CRC
        self._packed = archive.open(packed)
        self._crc = 0
        self._size = 0
        self._checked = False

    def read(self, count: int = CHUNK) -> bytes:
        """Up to ``count`` bytes, empty at the end.

        Raises ``zipfile.BadZipFile``, ``EOFError`` and what the decoders raise for damaged data.
        """
        count = count if count > 0 else CHUNK
        data = b""
        while not data and not self._decoder.ended():
            # First what it holds already; only then it is given more.
            data = self._decoder.unpack(b"", count)
            if data or self._decoder.ended():
                break
            piece = self._packed.read(_PIECE)
            if not piece:
                break
            data = self._decoder.unpack(piece, count)
        self._size += len(data)
        self._crc = zlib.crc32(data, self._crc)
        if not data and not self._checked:
            self._checked = True
            self._check()
        return data

    def _check(self) -> None:
        info = self._info
        if self._size != info.file_size:
            raise zipfile.BadZipFile(f"it states {info.file_size} bytes and has {self._size}")
        if self._crc != info.CRC:
            raise zipfile.BadZipFile("its checksum is wrong")

    def close(self) -> None:
        """End reading."""
        self._packed.close()

    def __enter__(self) -> IO[bytes]:
        return self  # type: ignore[return-value]

    def __exit__(self, *_: object) -> None:
        self.close()
