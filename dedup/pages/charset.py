"""The characters of a page: which encoding its bytes are in.

In the order of the HTML standard (https://html.spec.whatwg.org/#determining-the-character-encoding):
byte order mark, what the server said, what the page says; then by its content.
"""

from __future__ import annotations

import codecs
import re

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_DECLARED = re.compile(
    rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
_LOOKED_AT = 4096
_ESCAPE = b"\x1b$"
"""Begins Japanese text in ISO-2022-JP, which is all ASCII bytes."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes, stated: str | None) -> tuple[str, bool]:
    """The page as text, and whether bytes were replaced that its encoding does not know.

    ``stated`` is the encoding that the server named, if any.
    """
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], marked)
    declared = _DECLARED.search(data, 0, _LOOKED_AT)
    named = [stated, declared[1].decode("ascii", "replace") if declared else None]
    known = [encoding for name in named if (encoding := _known(name)) is not None]
    # UTF-8 that is valid is UTF-8, whatever is declared; but escapes in ASCII are not.
    if not (_ESCAPE in data and known):
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            pass  # then what is declared decides
    found = known[0] if known else _known(detect_encoding(data)) or "utf-8"
    return _decoded(data, found)


def _known(name: str | None) -> str | None:
    """The encoding that browsers take for a name; ``None`` when there is none such."""
    if not name:
        return None
    try:
        return codecs.lookup(map_encoding_to_html5(name, fallback_utf8=False) or "").name
    except LookupError:
        return None


def _decoded(data: bytes, encoding: str) -> tuple[str, bool]:
    text = data.decode(encoding, "replace")
    # A page may hold U+FFFD itself; only what was made here counts.
    return text, "\ufffd" in text and _fails(data, encoding)


def _fails(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False
