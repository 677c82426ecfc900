"""What the scripts of the world mean for where a word begins and ends."""

from __future__ import annotations

import unicodedata

_ARABIC_PROCLITICS = "وفلبك"


def is_unspaced(char: str) -> bool:
    """Whether the script of ``char`` sets no space between words, or ``char`` is no letter."""
    code = ord(char)
    return (
        not char.isalnum()
        or 0x0E00 <= code <= 0x0EFF  # Thai, Lao
        or 0x3040 <= code <= 0x30FF
        or 0x3400 <= code <= 0x9FFF
        or 0xAC00 <= code <= 0xD7AF  # Hangul: particles follow without a space
    )


def is_letter(char: str) -> bool:
    """Whether ``char``, beside a name, makes it a part of a longer word."""
    if not char.isalnum():
        return char == "_" or (not char.isascii() and unicodedata.category(char)[0] == "M")
    # Beside a Latin name, a Chinese or Korean letter is the next word: "AFP通信", "AP는".
    return char.isascii() or not is_unspaced(char)


def begins_inside_word(text: str, start: int) -> bool:
    """Whether the name begins in the middle of a word; Arabic proclitics do not count."""
    char = text[start - 1]
    if not is_letter(char):
        return False
    if char in _ARABIC_PROCLITICS and "\u0600" <= text[start] <= "\u06ff":
        return start > 1 and is_letter(text[start - 2])
    return True
