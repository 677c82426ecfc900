"""Other people's text, made harmless for pages and terminals without moving its characters."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import orjson

_SUBSTITUTE = "\u2426"


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in (9, 10, 13)}
    table[0x7F] = "\u2421"
    table |= dict.fromkeys(range(128, 160), _SUBSTITUTE)
    table[0x85] = "\n"
    # Embeddings, overrides and isolates could reorder what stands around the text.
    table |= dict.fromkeys((*range(8234, 8239), *range(8294, 8298)), _SUBSTITUTE)
    table |= dict.fromkeys(range(65529, 65532), _SUBSTITUTE)
    table |= dict.fromkeys(range(55296, 57344), "�")
    return table


_VISIBLE = _table()
_CRLF = re.compile(r"\r(?=\n)")
_ODD = re.compile(f"[{''.join(map(re.escape, map(chr, _VISIBLE)))}\r]")
_ISLAND = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_URL_BAD = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\u202a-\u202e\u2066-\u2069<>\"\\^`{|}]")


def visible(text: str | None) -> str:
    """``text`` with control characters as visible symbols, each character for one character.

    C0 and DEL become their pictures (``␀``, ``␛``), C1 and bidi overrides ``␦``, lone
    surrogates U+FFFD; carriage returns become line ends. Offsets into ``text`` stay true.
    """
    if not text:
        return ""
    if not _ODD.search(text):  # most texts; translating costs fifty times as much
        return text
    return _CRLF.sub(" ", text).replace("\r", "\n").translate(_VISIBLE)


def one_line(text: str | None, limit: int = 160) -> str:
    """``text`` as one visible line of at most ``limit`` characters."""
    if not text:
        return ""
    # Cut before cleaning: a text may be ten megabytes long.
    line = " ".join(visible(text[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def safe_url(url: str | None) -> str | None:
    """``url`` if a page may link to it (``http`` or ``https`` with a host), else ``None``."""
    if not url or len(url) > 4000 or _URL_BAD.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def island(data: Any) -> str:
    """``data`` as JSON that can stand in a ``<script type="application/json">``."""
    return orjson.dumps(data).decode().translate(_ISLAND)
