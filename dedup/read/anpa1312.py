"""ANPA-1312, the wire format of American agencies.

A message is SYN SYN SOH, service and number, the selector, a line with priority, category,
keyword, date and words, STX, headings that begin with ``^`` and end with ``<`` or ``=``, the
text in paragraphs that begin with a tab, ETX and a line such as ``AP-WF-11-13-13 1509GMT<``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.read.charsets import decoded
from dedup.read.story import Story
from dedup.read.telegrams import ETX, STX, after_soh, messages, wire_time, without_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source

HEADER = re.compile(r"([A-Za-z])(\d{4})\x1f([^\r\n]*)\r?\n([^\r\n\x02]*)")
_SLUG = re.compile(r"^(.*?)(?:,\d*)?<?$")
_TRAILER = re.compile(r"([A-Z]{2,5})-([A-Z]{1,4})-(\d\d)-(\d\d)-(\d\d)[ \t]+(\d{4})([A-Z]{3,4})?")
_NOTE = re.compile(r"(?:eds|editors|ap photo|with photo|photo|adv|embargo|undated)\b", re.I)
_BYLINE = re.compile(r"by\s", re.IGNORECASE)
_DASH = re.compile(r"(?<=\s)_(?=\s)")


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

    Its id is wire, service, number and time, since numbers begin again. Doubled accents become
    quotation marks and a single underscore a dash, as the wire means them.
    """
    header = HEADER.match(message)
    if header is None:
        return Story(refused="the header is not one of ANPA-1312: 'a1234' and US are expected")
    _, stx, body = message.partition(STX)
    if not stx:
        return Story(refused="the message has no text (no STX after the header)")
    body, _, end = body.lstrip(STX).partition(ETX)
    trailer = _TRAILER.search(end)
    when = (
        wire_time(trailer[4], trailer[3], trailer[5], trailer[6], trailer[7] or "")
        if trailer is not None
        else None
    )
    slug, headings, text = _split(without_controls(body))
    title, byline = _headings(headings)
    wire = trailer[1] if trailer is not None else None
    story = Story(
        id=f"{wire}-{header[1]}{header[2]}-{when}" if when else None,
        title=title or slug,
        byline=byline,
        text=text,
        dates=(when,),
        outlet=wire,
    )
    story.credit("provider", wire)
    return story


def _split(body: str) -> tuple[str | None, list[str], str]:
    """The slug (first line), the headings (``^``), and the paragraphs of the text."""
    lines = body.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    slug = _SLUG.match(lines[first].strip().lstrip("^")) if lines else None
    headings: list[list[str]] = []
    paragraphs: list[list[str]] = []
    open_ = False  # whether the next line may go on with the last paragraph
    for line in lines[first + 1 :]:
        stripped = line.strip()
        if not stripped:
            open_ = False
            continue
        target = paragraphs or headings
        if stripped.startswith("^") and not paragraphs:
            headings.append([stripped[1:]])
        elif open_ and not line.startswith(("\t", "   ")):
            target[-1].append(stripped)
        else:
            paragraphs.append([stripped.removeprefix("^")])
        open_ = not stripped.endswith(("<", "="))
    return (
        _typeset(slug[1]) if slug and slug[1] else None,
        [_typeset(" ".join(parts)) for parts in headings],
        "\n".join(filter(None, (_typeset(" ".join(parts)) for parts in paragraphs))),
    )


def _typeset(line: str) -> str:
    """A line without the codes of its end, with quotation marks and dashes."""
    line = line.rstrip("<= \t")
    line = line.replace("``", "\u201c").replace("''", "\u201d")
    return " ".join(_DASH.sub("\u2014", line).split())


def _headings(lines: list[str]) -> tuple[str | None, str | None]:
    """Title and byline: the first heading that is no note, and what stands from ``By`` on."""
    title = None
    for i, line in enumerate(lines):
        if _BYLINE.match(line):
            return title, ", ".join(lines[i : i + 2])
        if title is None and line and not _NOTE.match(line):
            title = line
    return title, None
