"""What a crawler stored at an address: which of it are pages with articles."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from dedup.read.intake import RawRecord
from dedup.read.jsontext import INVALID_UTF8
from dedup.read.pagequeue import COLUMNS

if TYPE_CHECKING:
    from dedup.read.intake import Intake
    from dedup.read.pagequeue import PendingPage

_HEAD = 2**16
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")
_TYPE = re.compile(rb"^content-type[ \t]*:[ \t]*([^\s;,]+)", re.IGNORECASE | re.MULTILINE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_PAGES = ("text/html", "application/xhtml+xml")
_KINDS_NAMED = 12


class Crawl:
    """Hands on the pages of a file of a crawler, and counts what is none."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._others: Counter[str] = Counter()

    def response(
        self, position: str, url: str, fetched: str | None, block: bytes
    ) -> PendingPage | None:
        """An HTTP response, headers and body; ``None`` if it is no page, which is counted.

        ``fetched`` is when, as 14 digits: the version of what stood at that address.
        """
        end = _END_OF_HEAD.search(block, 0, _HEAD)
        head = block[: end.start() if end else 0]
        status = _STATUS.match(head)
        if status is None:
            self._intake.reject(position, "the HTTP response has no header", block[:1000])
            return None
        code = status[1].decode("ascii")
        named = _TYPE.search(head)
        kind = named[1].decode("latin-1").lower() if named else ""
        if not code.startswith("2"):
            self.other(f"HTTP {code}")
        elif kind and kind not in _PAGES:
            self.other(kind)
        elif not kind and not block[end.end() if end else 0 :].lstrip().startswith(b"<"):
            self.other("no content type")
        else:
            known = _known(url, fetched)
            return self._intake.workers().submit(position, block, known, url=url, response=True)
        return None

    def resource(
        self, position: str, url: str, fetched: str | None, kind: str, block: bytes
    ) -> PendingPage | RawRecord | None:
        """A file that was stored without HTTP: a page, or text (WET files of Common Crawl)."""
        kind = kind.partition(";")[0].strip().lower()
        if kind in _PAGES:
            return self._intake.workers().submit(position, block, _known(url, fetched), url=url)
        if kind == "text/plain" and url.startswith(("http://", "https://")):
            text = block.decode("utf-8", "replace")
            issues = () if text.isascii() or text.encode() == block else (INVALID_UTF8,)
            if issues and self._intake.settings.reject_invalid_utf8:
                self._intake.reject(position, "invalid UTF-8", block[:1000])
                return None
            return RawRecord(position, {**_known(url, fetched), "text": text}, issues, COLUMNS)
        self.other(kind or "no content type")
        return None

    def other(self, kind: str) -> None:
        """Count something that is no page."""
        self._others[kind] += 1

    def finish(self) -> None:
        """Say what was passed over."""
        if not self._others:
            return
        first = self._others.most_common(_KINDS_NAMED)
        named = [f"{count} {kind}" for kind, count in first]
        if rest := self._others.total() - sum(count for _, count in first):
            named.append(f"{rest} others")
        self._intake.note(f"records that are no pages: {', '.join(named)}")


def _known(url: str, fetched: str | None) -> dict[str, Any]:
    # By the address it was fetched from: the canonical one of a syndicated copy is the original's.
    return {"id": url, "url": url, **({"version": fetched} if fetched else {})}
