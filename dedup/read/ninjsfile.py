"""A file that is one JSON document of ninjs items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read import ninjs
from dedup.read.jsonlines import RefusedError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.intake import Intake, RawRecord, Source


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the items of one JSON document, which may be indented: an item, or several in lists
    and envelopes. It is read as a whole."""
    limit = intake.settings.max_record_bytes
    parts: list[bytes] = []
    size = 0
    for chunk in source.stream.chunks():
        size += len(chunk)
        parts.append(chunk)
        if size > limit:
            reason = f"the document has more than max_record_bytes ({limit}) bytes"
            intake.reject("", reason, parts[0])
            return
    data = b"".join(parts)
    if source.stream.failure is not None:
        intake.reject("", "the document is cut off, the file ends early", data)
        return
    try:
        value, issues = parse(data, intake.settings.reject_invalid_utf8)
    except RefusedError as refused:
        intake.reject("", str(refused), data)
        return
    items = ninjs.items_in(value)
    if not items:
        intake.reject("", "the document holds no news item (an object with uri or guid)", data)
    yield from ninjs.records(items, "", issues, intake)
