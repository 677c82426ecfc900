"""Bytes of unknown or wrongly declared charset as text."""

from __future__ import annotations

import codecs

CHARSET_ASSUMED = "charset-assumed"
"""Issue: the bytes are not in the charset that is declared, or none is; another was taken."""
INVALID_UTF8 = "invalid-utf8"

_FALLBACK = "cp1252"
_TEXT = bytes(b for b in range(256) if b >= 32 or b in b"\t\n\r\f\v\b\x1b\x1a") + b"\x7f"
"""Bytes of texts in any charset of 8 bits or in UTF-8."""


def known_charset(name: str) -> str | None:
    """Python's name of a charset of text, or ``None`` for one that it does not know.

    >>> known_charset("UTF8"), known_charset("x-martian")
    ('utf-8', None)
    """
    try:
        info = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return None
    # Codecs such as "hex" and "zlib" turn bytes into bytes; "idna" is quadratic.
    usable = getattr(info, "_is_text_encoding", True) and info.name not in (
        *("idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"),
        *("mbcs", "oem"),
    )
    return info.name if usable else None


def charset_of(sample: bytes, declared: str | None) -> tuple[str, bool]:
    """The charset to read bytes with, and whether it is another than the one declared.

    What holds letters beyond ASCII and is valid UTF-8 is UTF-8, whatever is declared: by chance
    a text in an old charset hardly ever is. Where nothing is declared and it is not UTF-8, it is
    read as Windows-1252. ``sample`` may end in the middle of a character.
    """
    name = known_charset(declared) if declared else None
    ascii_ = sample.isascii()
    if name is not None and not name.startswith(("iso8859", "cp", "utf-8", "ascii", "latin")):
        return name, False  # 16 bits, Shift-JIS and the like: ASCII bytes may mean other letters
    if ascii_:
        return name or "utf-8", False
    if is_utf8(sample):
        return "utf-8", name is not None and name != "utf-8"
    if name is None or name == "ascii":
        return _FALLBACK, True
    return name, False


def is_utf8(sample: bytes) -> bool:
    """Whether bytes are UTF-8; a character may be cut at their end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def control_share(data: bytes) -> float:
    """The share of bytes that are control characters which texts do not have, such as NUL."""
    return len(data.translate(None, _TEXT)) / len(data) if data else 0.0


def decoded(data: bytes, declared: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Bytes as text and the issues met; what is invalid becomes U+FFFD."""
    charset, assumed = charset_of(data, declared)
    try:
        text = data.decode(charset)
        issues: tuple[str, ...] = ()
    except UnicodeDecodeError:
        text = data.decode(charset, "replace")
        issues = (INVALID_UTF8,) if charset == "utf-8" else (CHARSET_ASSUMED,)
    if assumed and CHARSET_ASSUMED not in issues:
        issues = (*issues, CHARSET_ASSUMED)
    return text, issues
