"""E-mails (RFC 5322) and mailboxes (mbox), by the standard library's parser.

The text is the plain part of a message, without its signature, else the HTML part. Attachments are
no articles. A message that is one JSON object with a text (a form sent by mail) is that record.
"""

from __future__ import annotations

import email
import json
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from dedup.read.charsets import decoded
from dedup.read.columns import resolve
from dedup.read.markup import text_of_html
from dedup.read.records import plain
from dedup.read.story import Story
from dedup.read.streams import Lines
from dedup.read.wrapping import unwrapped, wrap_width

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from dedup.read.head import Head
    from dedup.read.intake import Intake, RawRecord, Source

_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]*")
_USUAL = frozenset(
    (
        *("from", "to", "date", "subject", "message-id", "received", "return-path"),
        *("delivered-to", "mime-version", "content-type", "sender", "reply-to"),
    )
)
_ENVELOPE = re.compile(rb"From \S+.* \d{4}\r?$")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_WORD = r"=\?[^?\s]{1,80}\?[BbQq]\?([^?]*)\?="
_ENCODED_WORD = re.compile(_WORD)
_ENCODED_WORDS = re.compile(rf"(?:{_WORD} ?(?==\?)|{_WORD}){{1,64}}")
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_FEWEST_HEADERS = 4
_HEADERS_LOOKED_AT = 200
_LONGEST_ENVELOPE = 500
_MOST_PARTS = 1000
_MOST_HEADER_BYTES = 2**18  # the parser needs more than linear time for long ones


def shows(head: Head) -> bool:
    """Whether the file begins with headers of a mail, or like an mbox: with a line ``From address
    date``, then a mail."""
    first, _, rest = head.text.partition("\n")
    return _has_headers(rest if _is_envelope(first.encode()) else head.text)


def _has_headers(text: str) -> bool:
    """Whether a text begins with headers of a mail, at least four of the usual ones."""
    names = set()
    for line in text.split("\n", _HEADERS_LOOKED_AT)[:_HEADERS_LOOKED_AT]:
        if not line.strip():
            break
        if line[:1] in " \t":
            continue
        match = _HEADER.match(line)
        if match is None:
            return False
        names.add(match[1].lower())
    return len(names & _USUAL) >= _FEWEST_HEADERS


def _is_envelope(line: bytes) -> bool:
    return line.startswith(b"From ") and _ENVELOPE.match(line[:_LONGEST_ENVELOPE]) is not None


def read(source: Source, intake: Intake) -> Iterator[RawRecord]:
    """Yield the mails of a file: one, or those of a mailbox."""
    for position, data in _messages(source, intake):
        record = _story(data).record(position, intake)
        if record is not None:
            yield record


def _messages(source: Source, intake: Intake) -> Iterator[tuple[str, bytes]]:
    limit = intake.settings.max_record_bytes
    too_long: list[int] = []

    def skip(_number: int, _offset: int, length: int, _head: bytes) -> None:
        too_long.append(length)

    held: list[bytes] = []
    start, size, blank, box = 0, 0, True, False
    for _, offset, line in Lines(source.stream, limit, skip):
        if blank and _is_envelope(line):
            yield from _finished(held, start, size + sum(too_long), box, intake)
            held, start, size, box = [], offset, 0, True
            too_long.clear()
        else:
            size += len(line) + 1
            if size <= limit:
                held.append(line)
        blank = not line.strip()
    if source.stream.failure is not None and (held or size):
        sample = held[0] if held else b""
        intake.reject(f"byte {start}", "the mail is cut off, the file ends early", sample)
        return
    yield from _finished(held, start, size + sum(too_long), box, intake)


def _finished(
    held: list[bytes], start: int, size: int, box: bool, intake: Intake
) -> Iterator[tuple[str, bytes]]:
    position = f"byte {start}"
    if size > intake.settings.max_record_bytes:
        intake.reject(
            position,
            f"the mail has {size} bytes, more than max_record_bytes allows "
            f"({intake.settings.max_record_bytes})",
            held[0] if held else b"",
        )
        return
    data = b"\n".join(held).lstrip()
    if data:
        yield position, _ESCAPED.sub(rb"\1", data) if box else data


def _story(data: bytes) -> Story:
    try:
        message = email.message_from_bytes(data)
        refused = _unusual(message)
    except RecursionError:
        return Story(refused="the parts of the mail are nested too deeply")
    if refused is not None:
        return Story(refused=refused)
    name, address = parseaddr(_raw_header(message, "From"))
    text, issues, refused = _text(message)
    story = Story(
        id=(_header(message, "Message-ID") or "").strip("<> ") or None,
        title=_header(message, "Subject"),
        byline=_decoded_header(name) or address or None,
        text=text,
        dates=(_header(message, "Date"),),
        language=_header(message, "Content-Language"),
        issues=issues,
        refused=refused,
    )
    story.outlet = _header(message, "Organization")
    if text is not None and text.startswith("{"):
        _add_form(story, text)
    return story


def _unusual(message: Message) -> str | None:
    """Why a mail is not looked at: what no mailer makes and costs more than linear time."""
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            return f"the mail has more than {_MOST_PARTS} parts"
        if sum(len(name) + len(str(value)) for name, value in part.raw_items()) > (
            _MOST_HEADER_BYTES
        ):
            return f"the headers of the mail have more than {_MOST_HEADER_BYTES} bytes"
    return None


def _raw_header(message: Message, name: str) -> str:
    """A header on one line, in whatever charset it really is; empty when it is missing."""
    raw = next((v for key, v in message.raw_items() if key.lower() == name.lower()), "")
    text, _ = decoded(str(raw).encode("utf-8", "surrogateescape"))
    return " ".join(text.split())


def _header(message: Message, name: str) -> str | None:
    """A header with its encoded words decoded; ``None`` when it is missing or empty."""
    return _decoded_header(_raw_header(message, name)) or None


def _decoded_header(text: str) -> str:
    return " ".join(_ENCODED_WORDS.sub(_decoded_words, text).split())


def _decoded_words(match: re.Match[str]) -> str:
    """A run of encoded words as text; bytes that should have been encoded stay as they are."""
    words = match[0]
    if not words.isascii():
        return _ENCODED_WORD.sub(lambda word: word[1].replace("_", " "), words)
    try:
        parts = decode_header(words)
    except (HeaderParseError, ValueError):
        return words
    return "".join(p if isinstance(p, str) else decoded(p, charset)[0] for p, charset in parts)


def _text(message: Message) -> tuple[str | None, tuple[str, ...], str | None]:
    """The text, the issues met, and why there is none."""
    found: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    issues: dict[str, None] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or kind not in found:
            continue
        if part.get_content_disposition() == "attachment":
            continue
        data = part.get_payload(decode=True)
        text, odd = decoded(data if isinstance(data, bytes) else b"", part.get_content_charset())
        issues.update(dict.fromkeys(odd))
        text = text.replace("\r\n", "\n")
        text = _plain_part(text, part) if kind == "text/plain" else text_of_html(text)
        if text.strip():
            found[kind].append(text.strip())
    parts = found["text/plain"] or found["text/html"]
    if not parts:
        return None, (), "the mail holds no text, neither plain nor HTML"
    return "\n".join(parts), tuple(issues), None


def _plain_part(text: str, part: Message) -> str:
    """Plain text in whole paragraphs: flowed (RFC 3676) or wrapped lines joined."""
    text = _SIGNATURE.split(text, maxsplit=1)[0]
    lines = text.split("\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        gone = 1 if str(part.get_param("delsp", "")).lower() == "yes" else 0
        joined: list[list[str]] = []
        soft = False
        for line in lines:
            if not soft:
                joined.append([])
            soft = line.endswith(" ")
            joined[-1].append(line[:-1] if soft and gone else line)
        lines = ["".join(parts) for parts in joined]
    else:
        lines = [line.rstrip() for line in lines]
        lines = unwrapped(lines, wrap_width(lines))
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _add_form(story: Story, text: str) -> None:
    """Take over the fields of a form: a JSON object whose values may be lists of one."""
    try:
        form: Any = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    if not isinstance(form, dict):
        return
    columns = resolve(tuple(form))
    body = plain(form.get(columns.text)) if columns.text is not None else None
    if body is None:
        return
    story.text = body
    for field in ("title", "byline", "outlet", "language"):
        column = getattr(columns, field)
        value = plain(form.get(column)) if column is not None else None
        if value is not None:
            setattr(story, field, value)
    for name, column in columns.metadata:
        story.credit(name, plain(form.get(column)))
