"""Canonical spelling of texts, with the way back to the offsets of the text as read.

Matching works on Unicode's composed form (NFC, UAX 15), so that the same word written with
combining characters, as some systems store Korean, Japanese, Vietnamese or Bengali, is the
same. Ligatures and half-width kana are taken apart as well (their NFKC form). Nearly all
texts are in that form already and are passed on untouched.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# First UTF-8 bytes of characters that can take part in another spelling: combining marks of
# alphabets, Hebrew and Arabic points, Indic scripts, Korean letters, kana, the compatibility
# blocks, and everything above the basic plane. Most texts hold none.
_SUSPECT = np.zeros(256, bool)
_SUSPECT[[0xCC, 0xCD, 0xD6, 0xD7, 0xD9, 0xDB, 0xE0, 0xE1, 0xE3, 0xEF]] = True
_SUSPECT[0xF0:] = True
_COMPATIBLE = re.compile("[\ufb00-\ufb06\uff66-\uff9f]")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A respelled text: ``starts`` and ``ends`` (int32, characters of the new text) say which
    characters of the text as read each came from; ``length`` counts those of the text as read."""

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    length: int


def normalise(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], dict[int, Spelling]]:
    """Texts (UTF-8 and offsets) in canonical spelling, and how the respelled ones map back."""
    texts = len(offsets) - 1
    suspects = _suspects(data, offsets)
    respelled: dict[int, Spelling] = {}
    changed: dict[int, bytes] = {}
    for i in suspects.tolist():
        text = data[offsets[i] : offsets[i + 1]].tobytes().decode("utf-8", "replace")
        if unicodedata.is_normalized("NFC", text) and not _COMPATIBLE.search(text):
            continue
        new, respelled[i] = respell(text)
        changed[i] = new.encode()
    if not changed:
        return data, offsets, {}
    parts = [
        changed[i] if i in changed else data[offsets[i] : offsets[i + 1]].tobytes()
        for i in range(texts)
    ]
    out = np.zeros(texts + 1, np.int64)
    np.cumsum([len(p) for p in parts], out=out[1:])
    return np.frombuffer(b"".join(parts), np.uint8), out, respelled


def _suspects(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Texts with a character that could stand in another spelling."""
    at = np.flatnonzero(_SUSPECT[data])
    return np.unique(np.searchsorted(offsets, at, side="right") - 1)


def respell(text: str) -> tuple[str, Spelling]:
    """A text in canonical spelling and the way back; linear in its length."""
    joins = _joining()
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    begin = 0
    for i in range(1, len(text) + 1):
        if i < len(text) and (text[i] in joins or unicodedata.combining(text[i])):
            continue
        cluster = text[begin:i]
        if _COMPATIBLE.search(cluster):
            new = unicodedata.normalize("NFKC", cluster)
        else:
            new = unicodedata.normalize("NFC", cluster)
        out.append(new)
        starts.extend([begin] * len(new))
        ends.extend([i] * len(new))
        begin = i
    return "".join(out), Spelling(np.array(starts, np.int32), np.array(ends, np.int32), len(text))


@cache
def _joining() -> frozenset[str]:
    """Characters that may merge with the one before, though they are no combining marks."""
    found = {chr(c) for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3), 0xFF9E, 0xFF9F)}
    for code in range(0x20000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            if not unicodedata.combining(second):
                found.add(second)
    return frozenset(found)
