"""HTML files: one page, and so one article, each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read.xmlroots import root_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, Source
    from dedup.read.pagequeue import PendingPage

_BEGIN = re.compile(
    r"(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*){0,5}<(?:!doctype\s+html|html|head)\b",
    re.IGNORECASE | re.DOTALL,
)


def shows(head: Head) -> bool:
    """Whether the file begins as a page does, perhaps after comments; XHTML after anything that
    XML allows before the root."""
    return _BEGIN.match(head.text) is not None or root_of(head.text) == "html"


def read(source: Source, intake: Intake) -> Iterator[PendingPage]:
    """Yield the file as one page; its id is the path within the folder that was named."""
    limit = intake.settings.max_record_bytes
    data = bytearray()
    for chunk in source.stream.unpacked():
        data += chunk
        if len(data) > limit:
            reason = f"the page has more than max_record_bytes ({limit}) bytes"
            intake.reject("", reason, bytes(data[:1000]))
            return
    if source.stream.failure is not None:
        intake.reject("", "the page is cut off, the file ends early", bytes(data[:1000]))
    elif not data.strip():
        intake.reject("", "the file is empty")
    else:
        yield intake.workers().submit("", bytes(data), {"id": source.text_id})
