"""Build ``dedup/data/unicode.npz``: what each character is to the tokeniser and the splitter.

Run from the repository's root: ``python tools/build_unicode_table.py``. The table is frozen in
the package, so that results do not change with the Unicode version of the interpreter.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path

import numpy as np

LIMIT = 0x20000  # planes 0 and 1; everything above is Han or unassigned
OTHER, WORD, HAN, SEA, IGNORED, APOSTROPHE = range(6)
# Sentence roles, in the high bits of the same byte.
SPACE, NEWLINE, HARD_STOP, SOFT_STOP, OPEN_QUOTE, CLOSE_QUOTE, DUAL_QUOTE, CLOSER = range(1, 9)

HARD = "。！？｡؟۔।॥։።၊။"
SOFT = ".!?…‥"
OPENERS = "“„‟«‹「『｢〝‘‚"
CLOSERS = "”»›」』｣〞〟’"
BRACKETS = ")]}）］】〕〉》"
# A German or Polish quotation closes with the English opener: „…“; Swedish and Finnish open
# with the English closer: ”…”. The splitter decides by context.
DUAL = '"＂'


def unspaced_south_east_asian(code: int) -> bool:
    """Thai, Lao, Myanmar, Khmer: written without spaces between words."""
    return (
        0x0E00 <= code < 0x0F00
        or 0x1000 <= code < 0x10A0
        or 0x1780 <= code < 0x1800
        or 0xA9E0 <= code < 0xAA00
        or 0xAA60 <= code < 0xAA80
    )


def han_or_kana(code: int) -> bool:
    return (
        0x3005 <= code <= 0x3007
        or 0x3041 <= code <= 0x30FF
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF66 <= code <= 0xFF9F
        or 0x1B000 <= code <= 0x1B16F
    )


def folded(char: str) -> int:
    """One folded character: width and case removed, accents of alphabets removed.

    Vowel signs of Indic scripts and voicing marks of kana carry meaning and stay.
    """
    normal = unicodedata.normalize("NFKD", char)
    base = normal[0]
    accents = all(
        0x0300 <= ord(mark) <= 0x036F
        or 0x064B <= ord(mark) <= 0x065F
        or 0x0591 <= ord(mark) <= 0x05C7
        for mark in normal[1:]
    )
    if not accents:
        base = unicodedata.normalize("NFKC", char)
        if len(base) != 1:
            base = char
    low = base.lower()
    if len(low) > 1 and all(unicodedata.combining(c) for c in low[1:]):
        low = low[0]
    if len(low) != 1:
        low = base
    # Arabic alef variants, alef maksura and teh marbuta are spelled freely; so are Persian
    # and Arabic kaf and yeh.
    low = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}.get(
        low, low
    )
    low = {"ı": "i", "ſ": "s", "ς": "σ", "ё": "е"}.get(low, low)
    if unicodedata.category(low).startswith("N"):
        digit = unicodedata.digit(low, None)
        if digit is not None:
            low = str(digit)
    return ord(low)


def main() -> None:
    kind = np.zeros(LIMIT, np.uint8)
    role = np.zeros(LIMIT, np.uint8)
    case = np.zeros(LIMIT, np.uint8)  # 1 lower, 2 upper, 4 letter or digit
    fold = np.arange(LIMIT, dtype=np.uint32)
    for code in range(LIMIT):
        if 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        category = unicodedata.category(char)
        if category[0] in "LN":
            kind[code] = WORD
            case[code] = 4
        if category[0] == "M":
            kind[code] = WORD
            accent = unicodedata.combining(char) and (
                0x0300 <= code <= 0x036F
                or 0x064B <= code <= 0x065F
                or code == 0x0670
                or 0x0591 <= code <= 0x05C7
                or 0xFE00 <= code <= 0xFE0F
                or 0x1AB0 <= code <= 0x1AFF
                or 0x20D0 <= code <= 0x20FF
            )
            if accent or 0xFE00 <= code <= 0xFE0F:
                kind[code] = IGNORED
        if code == 0x0640 or (category == "Cf" and code not in (0x2028, 0x2029)):
            kind[code] = IGNORED  # tatweel, soft hyphen, zero width, direction marks
        if han_or_kana(code) and category[0] in "LNM":
            kind[code] = HAN
        if unspaced_south_east_asian(code) and category[0] in "LNM":
            kind[code] = SEA
        if char in "'’ʼ＇":
            kind[code] = APOSTROPHE
        if category in ("Ll",):
            case[code] |= 1
        if category in ("Lu", "Lt"):
            case[code] |= 2
        if kind[code] in (WORD, HAN, SEA):
            fold[code] = folded(char)
        if category in ("Zs",) or code in (9, 0x200B):
            role[code] = SPACE
        if code in (10, 11, 12, 13, 0x85, 0x2028, 0x2029):
            role[code] = NEWLINE
        for chars, value in (
            (HARD, HARD_STOP),
            (SOFT, SOFT_STOP),
            (OPENERS, OPEN_QUOTE),
            (CLOSERS, CLOSE_QUOTE),
            (DUAL, DUAL_QUOTE),
            (BRACKETS, CLOSER),
        ):
            if char in chars:
                role[code] = value
    out = Path("dedup/data/unicode.npz")
    write_npz(out, {"kind": kind, "role": role, "case": case, "fold": fold})
    print(out, out.stat().st_size, "bytes, Unicode", unicodedata.unidata_version)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like ``np.savez_compressed`` with fixed time stamps, so that a rebuild is bit-identical."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, buffer.getvalue())


if __name__ == "__main__":
    main()
