"""IPTC 7901, the text transmission format of news agencies.

A message is SOH, a header (service and number, priority, category, words, source), STX, the text,
ETX, the time; agencies put keywords before and notes, headline and byline at the beginning of the
text, closed by an equals sign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read.charsets import decoded
from dedup.read.story import Story
from dedup.read.telegrams import ETX, STX, after_soh, messages, wire_time, without_controls
from dedup.read.wrapping import unwrapped, wrap_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source

HEADER = re.compile(
    r"([a-z]{2,4})(\d{3,5})[ \t]+(\d)[ \t]+([a-z]{1,3})[ \t]+(\d{1,5})([^\r\n]{0,80})",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"([^\W\d_][\w./-]{1,20})[ \t]+\d{1,5}[ \t]*$")
_TIME = re.compile(
    r"(\d{2})(\d{4})[ \t]*([A-Za-z]{1,4})?[ \t]+([^\W\d_]{3,5})\.?[ \t]+(\d{4}|\d{2})\b"
)
_BYLINE = re.compile(r"(?:by|von|par|por|di|door|av)\s", re.IGNORECASE)
_HEADING_LINES = 12
_LONGEST_TRAILER = 200


def shows(head: Head) -> bool:
    """Whether the file begins like a message of this format."""
    return HEADER.match(after_soh(head)) is not None


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the messages of a file."""
    for message in messages(source, intake):
        text, issues = decoded(message.data)
        story = story_of(text)
        story.issues = issues
        record = story.record(f"byte {message.offset}", intake)
        if record is not None:
            yield record


def story_of(message: str) -> Story:
    """What a message (from the character after SOH) states.

    Its id is service, number and time, since numbers begin again each day.
    """
    header = HEADER.match(message)
    if header is None:
        return Story(refused="the header is not one of IPTC 7901: 'abc123 3 pl 250 …' is expected")
    before, stx, body = message.partition(STX)
    if not stx:
        return Story(refused="the message has no text (no STX after the header)")
    body, _, trailer = body.partition(ETX)
    time = _TIME.search(trailer[:_LONGEST_TRAILER])
    when = (
        wire_time(time[1], time[4], time[5], time[2], time[3] or "") if time is not None else None
    )
    keywords = " ".join(before[header.end() :].split())
    notes, text = _split(without_controls(body))
    title, byline = _headings(notes)
    source = _SOURCE.search(header[6])
    story = Story(
        id=f"{header[1]}{header[2]}-{when}" if when else None,
        title=title or keywords or None,
        byline=byline,
        text=text,
        dates=(when,),
        outlet=source[1] if source else None,
    )
    story.credit("provider", source[1] if source else None)
    return story


def _split(body: str) -> tuple[list[str], str]:
    """The headings (lines up to one that ends in ``=``) and the text below, unwrapped."""
    lines = [line.rstrip() for line in body.split("\n")]
    first = next((i for i, line in enumerate(lines) if line), len(lines))
    lines = lines[first:]
    headings: list[str] = []
    for i, line in enumerate(lines[:_HEADING_LINES]):
        if line.endswith("="):
            headings = [*lines[: i + 1]]
            lines = lines[i + 1 :]
            break
    joined = unwrapped(lines, wrap_width(lines))
    return headings, "\n".join(line.strip() for line in joined if line.strip())


def _headings(lines: list[str]) -> tuple[str | None, str | None]:
    """Title and byline; notes in capitals (``1ST LEAD``) stand before the title."""
    byline = None
    title: list[str] = []
    for line in lines:
        stripped = line.rstrip("= \t").strip()
        if not stripped:
            continue
        if _BYLINE.match(stripped) and title:
            byline = stripped
        elif byline is None and not (stripped.isupper() and not title):
            title.append(stripped)
    if not title:
        title = [line.rstrip("= \t").strip() for line in lines if line.strip("= \t")][-1:]
    return " ".join(title) or None, byline
