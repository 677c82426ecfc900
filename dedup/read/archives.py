"""ZIP and TAR archives: their members as streams, never as files with the names they state.

Whatever a member is called, nothing is written under that name. What comes out of an archive, and
of archives inside it, is bounded by what went in (``max_ratio``).
"""

from __future__ import annotations

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from dedup.read.seekable import seekable
from dedup.read.window import Window
from dedup.read.zipmembers import ZipMember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, Source
    from dedup.read.streams import RawInput

ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst")
"""Endings of the names of archives; a compression may follow."""
MAX_DEPTH = 3
"""Archives inside of archives inside of archives are read, but no deeper."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")
_DOCUMENTS = (
    *(b"[Content_Types].xml", b"_rels/.rels", b"mimetype", b"META-INF/", b"META-INF/MANIFEST.MF"),
)
"""How the first member of ZIP files is called that are documents, books or programs."""
_RATIO_CHECKED_FROM = 64 * 2**20
_MAX_NAME_BYTES = 2**20
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError),
    # Python's readers of archives raise these for contradictions in headers; RuntimeError for a
    # password, NotImplementedError for a compression they do not know.
    *(OSError, ValueError, OverflowError, RuntimeError, NotImplementedError),
)


class Member(NamedTuple):
    """A file in an archive: its path there, its size as stated, its bytes."""

    path: str
    size: int
    handle: IO[bytes]


class Allowance:
    """The bytes that may come out of an archive and all archives inside it.

    Args:
        name: the outermost archive.
        raw: its stored bytes; small ones may grow to 64 MiB.
        ratio: by how much larger ones may grow.
    """

    def __init__(self, name: str, raw: RawInput, ratio: int) -> None:
        self._name = name
        self._raw = raw
        self._ratio = ratio
        self.used = 0

    def exceeded(self) -> bool:
        """Whether more came out than may."""
        stored = self._raw.size or self._raw.position
        return self.used > max(_RATIO_CHECKED_FROM, stored * self._ratio)

    def reason(self, name: str = "") -> str:
        """Why reading of a file of this name ends; in full for the outermost archive alone."""
        if name != self._name:
            return "unpacking of the archive stopped"
        return (
            f"unpacking stopped: {self.used} bytes came out of the archive, more than "
            f"{self._ratio} times what went in (setting max_ratio)"
        )


def kind_of(head: Head) -> str:
    """``zip`` or ``tar`` by the first bytes; ``""`` if neither, or a document in a ZIP file."""
    data = head.data
    if data.startswith(_ZIP):
        length = int.from_bytes(data[26:28], "little")
        return "" if data[30 : 30 + length] in _DOCUMENTS else "zip"
    if len(data) < tarfile.BLOCKSIZE:
        return ""
    block = data[: tarfile.BLOCKSIZE]
    if not any(block):
        return "tar" if ".tar" in head.name.lower() else ""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return ""
    return "tar"


def members(kind: str, source: Source, intake: Intake, allowance: Allowance) -> Iterator[Member]:
    """Yield the files of an archive in its order, each to be read before the next.

    Folders are passed over, hidden files and links counted in a note; what cannot be read is a
    reject with the member's name, damage marks the archive as incomplete.
    """
    walk = _zip if kind == "zip" else _tar
    others = _Others()
    try:
        for member in walk(source, intake, allowance, others):
            yield member
            if allowance.exceeded():
                intake.incomplete(allowance.reason(intake.name))
                break
    except _DAMAGE as error:
        intake.incomplete(f"the archive is damaged or cut off ({_short(error)})")
    for text in others.notes():
        intake.note(text)


@dataclass(slots=True)
class _Others:
    """Members that are not read."""

    hidden: int = 0
    links: int = 0

    def takes(self, path: str) -> bool:
        """Whether a member is hidden, as in a folder, or put there by macOS."""
        parts = path.replace("\\", "/").split("/")
        if any(p == "__MACOSX" or (p.startswith(".") and p.strip(".")) for p in parts):
            self.hidden += 1
            return True
        return False

    def notes(self) -> Iterator[str]:
        """What was left out."""
        if self.hidden:
            yield f"hidden files or folders left out: {self.hidden}"
        if self.links:
            yield f"links and devices in the archive left out: {self.links}"


def _zip(source: Source, intake: Intake, allowance: Allowance, others: _Others) -> Iterator[Member]:
    with seekable(source) as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            path = _readable(info.filename)
            # Not by is_dir(): that fails for a member without a name in Python before 3.12.
            if path.endswith("/") or others.takes(path):
                continue
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                others.links += 1
                continue
            try:
                opened = ZipMember(archive, info)
            except _DAMAGE as error:
                intake.reject(path, f"the member of the archive cannot be read ({_short(error)})")
                continue
            with opened as handle:
                yield Member(path, info.file_size, _guarded(handle, allowance))
            if source.plain:
                intake.progress.advance(info.compress_size)


class _Info(tarfile.TarInfo):
    """A header of TAR; names of a gigabyte are refused before they are held."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        long = self.type in (
            *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
            *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
        )
        if long and self.size > _MAX_NAME_BYTES:
            raise tarfile.ReadError(f"a name or header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Any:
        """The next header; notes on the archive that its end was met."""
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            archive.ended = True  # type: ignore[attr-defined]
            raise


class _Forward:
    """What :mod:`tarfile` needs of a stream that it reads in order."""

    def __init__(self, window: Window) -> None:
        self.read = window.take


def _tar(source: Source, intake: Intake, allowance: Allowance, others: _Others) -> Iterator[Member]:
    stream = _Forward(Window(source.stream.unpacked()))
    with tarfile.open(
        fileobj=stream,  # type: ignore[call-overload]
        mode="r|",
        tarinfo=_Info,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        for info in archive:
            archive.members = []  # or it keeps them all
            path = _readable(info.name)
            if info.isdir() or others.takes(path):
                continue
            if not info.isreg():
                others.links += 1
                continue
            opened = archive.extractfile(info)
            if opened is None:
                intake.reject(path, "the member of the archive cannot be read")
                continue
            with opened:
                yield Member(path, info.size, _guarded(opened, allowance))
        if not getattr(archive, "ended", False):
            raise tarfile.ReadError("it has no end mark")


def _guarded(handle: IO[bytes], allowance: Allowance) -> IO[bytes]:
    return cast("IO[bytes]", _Guarded(handle, allowance))


class _Guarded:
    """Reads a member; all that can go wrong is an ``OSError``, and what comes out is counted."""

    def __init__(self, handle: IO[bytes], allowance: Allowance) -> None:
        self._handle = handle
        self._allowance = allowance

    def read(self, count: int = -1) -> bytes:
        """Up to ``count`` bytes; raises ``OSError`` for damage and when too much came out."""
        if self._allowance.exceeded():
            raise OSError(self._allowance.reason())
        try:
            data = self._handle.read(count)
        except _DAMAGE as error:
            raise OSError(f"the member of the archive is damaged: {_short(error)}") from error
        self._allowance.used += len(data)
        return data


def _readable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
