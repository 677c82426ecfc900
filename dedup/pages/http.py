"""The page in an HTTP response as crawlers store it, by FastWARC."""

from __future__ import annotations

import re
from typing import Literal

from fastwarc.warc import WarcRecord

_RECORD = (
    b"WARC/1.1\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
    b"Content-Length: %d\r\n\r\n"
)
Mode = Literal["all", "content", "transfer", "none"]
_MODES: tuple[Mode, ...] = ("all", "content", "transfer", "none")
"""What FastWARC is to decode. Crawlers often store the body decoded and leave the headers as they
were, so that what the headers promise is tried, then less of it."""


_LOOKED_AT = 4096
_HEAD = 2**16
_PLAIN = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+\d{3}[^\r\n]*(?:\r\n[!-9;-~]+:[^\r\n]*)*\r\n\r\n")
"""A header as nearly all servers write it."""
_CODED = re.compile(rb"\n(?:transfer|content)-encoding[ \t]*:", re.IGNORECASE)
_CHARSET = re.compile(
    rb"\ncontent-type[ \t]*:[^\r\n]*?charset[ \t]*=[ \t]*\"?([\w.:-]+)", re.IGNORECASE
)


class UnreadableResponseError(Exception):
    """No page can be read from an HTTP response; the message says why."""


def payload(response: bytes, limit: int) -> tuple[bytes, str | None]:
    """The body of an HTTP response, without chunks and unpacked, and the encoding that it names.

    Args:
        response: status line, headers and body.
        limit: greatest size of the body in bytes.

    Raises:
        UnreadableResponseError: it is damaged, or its body is greater than ``limit``.
    """
    head = _PLAIN.match(response, 0, _HEAD)
    if head is not None and not _CODED.search(response, 0, head.end()):
        # Nothing to undo, which is most responses: FastWARC would take as long as the parsers.
        body = response[head.end() :]
        named = _CHARSET.search(response, 0, head.end())
        return _checked(body, limit), named[1].decode("ascii").lower() if named else None
    stored = _RECORD % len(response) + response + b"\r\n\r\n"
    problem = ""
    for mode in _MODES:
        record = WarcRecord.from_bytes(stored)
        try:
            record.parse_http(auto_decode=mode, quirks_mode=True)
            body = record.reader.read(limit + 1)
        except OSError as error:
            problem = str(error)
            continue
        if record.http_headers is None:
            break
        _checked(body, limit)
        if problem and b"<" not in body[:_LOOKED_AT]:
            continue  # still packed, as the header says, but damaged
        return body, record.http_charset
    raise UnreadableResponseError(
        f"the HTTP response cannot be read ({problem or 'it has no header'})"
    )


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise UnreadableResponseError(
            f"the page has more than max_record_bytes ({limit}) bytes when unpacked"
        )
    return body
