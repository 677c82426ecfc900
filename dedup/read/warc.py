"""WARC files (ISO 28500), as crawlers and web archives write them: one record a page.

Records are framed here and not by a library: FastWARC and warcio end at damaged or missing bytes
without a word, and then nobody knows what is missing. FastWARC reads what is inside a record.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read.crawl import Crawl
from dedup.read.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source
    from dedup.read.pagequeue import PendingPage

_BEGIN = re.compile(rb"WARC/\d\.\d+[ \t]*\r?\n")
_NEXT = re.compile(rb"WARC/\d\.\d+[ \t]*\r?\n[A-Za-z][A-Za-z0-9-]{1,60}[ \t]*:")
"""Where a record begins, even inside what another claims to be its content."""
_HEADER_END = re.compile(rb"\r?\n\r?\n|(?<=\n)(?=WARC/\d\.\d+[ \t]*\r?\n[A-Za-z])")
"""A blank line, or where a header has none, the record after it."""
_HEADER_LIMIT = 2**16
_WANTED = ("response", "resource", "conversion")
_NO_DIGIT = re.compile(r"\D")
_SPACE = b"\r\n"
_NO_SPACE = re.compile(rb"[^\r\n]")


def shows(head: Head) -> bool:
    """Whether the file begins with a version of WARC."""
    return _BEGIN.match(head.data) is not None


def read(source: Source, intake: Intake) -> Iterator[PendingPage | RawRecord]:
    """Yield the pages of a WARC file, and the texts of a WET file.

    Everything else (requests, images, redirections ...) is counted in a note. After damage reading
    goes on at the next record; the file is then marked as incomplete.
    """
    source.stream.resume = True  # each record is a gzip member of its own
    window = Window(source.stream.unpacked())
    crawl = Crawl(intake)
    for kind, header, position, block in _Records(window, intake):
        found = _page(crawl, kind, header, position, block)
        if found is not None:
            yield found
    crawl.finish()


def _page(
    crawl: Crawl, kind: str, header: dict[str, str], position: str, block: bytes
) -> PendingPage | RawRecord | None:
    url = header.get("warc-target-uri", "").strip("<> ")
    fetched = _NO_DIGIT.sub("", header.get("warc-date", ""))[:14] or None
    if kind in ("resource", "conversion"):
        return crawl.resource(position, url, fetched, header.get("content-type", ""), block)
    if kind == "response" and url.startswith(("http://", "https://")):
        return crawl.response(position, url, fetched, block)
    crawl.other(kind if kind != "response" else f"response from {url.partition(':')[0]}")
    return None


class _Records:
    """The whole records of a stream: ``(type, header, position, content)``.

    Those too large to hold are passed over. What is damaged is said.
    """

    def __init__(self, window: Window, intake: Intake) -> None:
        self._window = window
        self._intake = intake
        self._number = 0

    def __iter__(self) -> Iterator[tuple[str, dict[str, str], str, bytes]]:
        window = self._window
        while self._at_record():
            start = window.position
            self._number += 1
            position = f"record {self._number}, byte {start}"
            header = self._header(position)
            if header is None:
                continue
            kind = header.get("warc-type", "").lower()
            length = int(header["content-length"])
            if length > self._intake.settings.max_record_bytes:
                self._pass_over(position, length, kind)
            elif self._ends(position, length):
                yield kind, header, position, window.take(length)
            else:
                if kind in _WANTED:
                    sample = window.peek(min(length, 1000))
                    self._intake.reject(position, "the record is damaged or cut off", sample)
                window.find_within(_NEXT, length)

    def _pass_over(self, position: str, length: int, kind: str) -> None:
        """Leave out a record that is too large to hold, up to where another begins."""
        window = self._window
        if kind in _WANTED:
            limit = self._intake.settings.max_record_bytes
            reason = f"the record has {length} bytes, more than max_record_bytes ({limit})"
            self._intake.reject(position, reason)
        passed = window.find(_NEXT)
        if passed < length:
            there = "another record begins" if window.peek(1) else "the file ends"
            self._intake.incomplete(
                f"{position}: the record states {length} bytes, {there} after {passed}"
            )

    def _at_record(self) -> bool:
        """Go to the next record; false at the end of the stream."""
        window = self._window
        window.find(_NO_SPACE)
        if not window.peek(1):
            return False
        if not _BEGIN.match(window.peek(64)):
            start = window.position
            lost = window.find(_NEXT)
            self._intake.incomplete(f"{lost} bytes from byte {start} on are no WARC record")
            return bool(window.peek(1))
        return True

    def _header(self, position: str) -> dict[str, str] | None:
        """The fields of the record's header, names in lower case; ``None`` if it has none."""
        window = self._window
        data = window.until(_HEADER_END, _HEADER_LIMIT)
        fields: dict[str, str] = {}
        for line in (data or b"").decode("utf-8", "replace").splitlines()[1:]:
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip().lower(), value.strip())
        length = fields.get("content-length", "")
        if length.isascii() and length.isdigit() and len(length) < 19:
            return fields
        if data is None:
            data = window.take(8)
            reason = "the header of the record has no end"
        else:
            reason = f"the header of the record states no length of its content ({length!r})"
        self._intake.reject(position, reason, data[:1000])
        self._intake.incomplete(f"{position}: {reason}")
        window.find(_NEXT)
        return None

    def _ends(self, position: str, length: int) -> bool:
        """Whether the content ends where the header says; says so if not.

        Nothing is consumed: where lengths are false, what they claim is looked at once in all.
        """
        there = self._window.after(length, 64)
        if there[:4] == b"\r\n\r\n" or there[:2] == b"\n\n" or _BEGIN.match(there.lstrip(_SPACE)):
            return True
        if not there.strip(_SPACE):  # the last one, perhaps without the two newlines
            got = self._window.holds(length)
            if got == length:
                return True
            reason = f"the record is cut off: it states {length} bytes, the file ends after {got}"
        else:
            reason = f"the record does not end after the {length} bytes that it states"
        self._intake.incomplete(f"{position}: {reason}")
        return False
