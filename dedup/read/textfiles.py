"""Text files: one article each, its id the path within the folder that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.read.charsets import control_share
from dedup.read.columns import TEXT_FILE
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.jsontext import INVALID_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_AT = 2**16
_MOST_CONTROLS = 0.05
"""Share of control characters above which a file is no text: packed data have about 0.1."""
_FEWEST_CONTROLS = 16


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the file as one record; newlines stay as they are."""
    settings = intake.settings
    parts: list[bytes] = []
    size = 0
    for chunk in source.stream.chunks():
        size += len(chunk)
        if size > settings.max_record_bytes:
            reason = f"the file has more than max_record_bytes ({settings.max_record_bytes}) bytes"
            intake.reject("", reason, parts[0] if parts else chunk)
            return
        parts.append(chunk)
    data = b"".join(parts)
    if source.stream.failure is not None:
        intake.reject("", "the text is cut off, the file ends early", data)
        return
    share = control_share(data[:_LOOKED_AT])
    if share > _MOST_CONTROLS and share * min(len(data), _LOOKED_AT) >= _FEWEST_CONTROLS:
        reason = (
            f"the file is named as a text but is binary: {share:.0%} of its bytes are control "
            "characters; give it the ending of its format, or name its --encoding"
        )
        intake.reject("", reason, data)
        return
    issues: tuple[str, ...] = ()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if settings.reject_invalid_utf8:
            intake.reject(f"byte {error.start}", "invalid UTF-8", data)
            return
        text = data.decode("utf-8", "replace")
        issues = (INVALID_UTF8,)
    yield RawRecord("", {"id": source.text_id, "text": text}, issues, TEXT_FILE)
