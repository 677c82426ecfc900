"""ARC files, the Internet Archive's format before WARC: a line about each response, then it.

Described at https://archive.org/web/researcher/ArcFileFormat.php; versions 1 (five fields in that
line) and 2 (ten).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read.crawl import Crawl
from dedup.read.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, Source
    from dedup.read.pagequeue import PendingPage

_LINE = re.compile(rb"[^\n]*\n")
_LINE_LIMIT = 2**16
# Address (which may hold spaces), IP, time, type, in version 2 five more, length.
_ABOUT = re.compile(
    rb"([a-z][a-z0-9+.-]*:[^\n]*?) (\S+) (\d{8,17}) (\S+)(?: \S+ \S+ \S+ \S+ \S+)? (-?\w+)\s*"
)
_NEXT = re.compile(
    rb"(?<=\n)(?:https?|ftp|dns):[^\n]{1,4000} \d{8,17} [^\s]++[^\n]{0,400} \d+\r?\n"
)
_NO_NEWLINE = re.compile(rb"[^\n]")


def shows(head: Head) -> bool:
    """Whether the file begins with the description that every ARC file begins with."""
    return head.data.startswith(b"filedesc:")


def read(source: Source, intake: Intake) -> Iterator[PendingPage]:
    """Yield the pages of an ARC file; other responses are counted in a note.

    After damage reading goes on at the next record; the file is then marked as incomplete.
    """
    source.stream.resume = True  # each record is a gzip member of its own
    window = Window(source.stream.unpacked())
    crawl = Crawl(intake)
    limit = intake.settings.max_record_bytes
    number = 0
    while True:
        window.find(_NO_NEWLINE)
        if not window.peek(1):
            break
        number += 1
        position = f"record {number}, byte {window.position}"
        line = window.until(_LINE, _LINE_LIMIT)
        about = _ABOUT.fullmatch(line or b"")
        length = int(about[5]) if about and about[5].isdigit() and len(about[5]) < 19 else None
        if about is None or length is None:
            reason = "is no line about a record with address, IP, time, type and length"
            intake.reject(position, reason, line or window.peek(1000))
            intake.incomplete(f"{position}: {reason}")
            window.find(_NEXT)
            continue
        url = about[1].decode("utf-8", "replace")
        wanted = url.startswith(("http://", "https://"))
        if length > limit:
            if wanted:
                reason = f"the record has {length} bytes, more than max_record_bytes ({limit})"
                intake.reject(position, reason)
            passed = window.find(_NEXT)
            if passed < length:
                there = "another record begins" if window.peek(1) else "the file ends"
                intake.incomplete(f"{position}: it states {length} bytes, {there} after {passed}")
        elif window.holds(length) < length or window.after(length, 1) not in (b"", b"\n"):
            reason = "the record is damaged or cut off"
            intake.incomplete(f"{position}: {reason}: it states {length} bytes")
            if wanted:
                intake.reject(position, reason, window.peek(min(length, 1000)))
            if not window.find_within(_NEXT, length):
                window.find(_NEXT)
        elif wanted:
            block = window.take(length)
            found = crawl.response(position, url, about[3][:14].decode("ascii"), block)
            if found is not None:
                yield found
        else:
            window.skip(length)
            if number > 1:
                crawl.other(f"{url.partition(':')[0]} response")
    crawl.finish()
