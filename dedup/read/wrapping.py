"""Text that was wrapped to the width of a teleprinter or a mail: whole paragraphs again.

A line end is only a wrap where the next word would not have fitted, which is how greedy wrapping
works; lists, tables and headings keep their lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTHS = range(48, 101)
"""Characters of a line in wrapped text: teleprinters have 69, mails 72 to 78."""

_SHORT_WORD = 6


def wrap_width(lines: Iterable[str]) -> int:
    """The width in characters to which text was wrapped, or 0 when it was not.

    It is that of the longest line of several words. Beyond 100 characters lines are paragraphs,
    below 48 they are lists.
    """
    width = max((len(line) for line in lines if " " in line), default=0)
    return width if width in _WIDTHS else 0


def unwrapped(lines: Sequence[str], width: int) -> list[str]:
    """Lines with those joined that were parted by wrapping to ``width`` (0: none was).

    Blank lines stay. After a full stop a line is only joined to a line that is full, because lists
    of sentences are as common there as sentences that end with a line.

    >>> unwrapped(["Rain fell on the", "city.", "Monday"], 18)
    ['Rain fell on the city.', 'Monday']
    """
    out: list[list[str]] = []
    last = ""  # the line before, empty where nothing may be joined to it
    for line in lines:
        text = line.strip()
        room = len(text.split(" ", 1)[0])
        if last.endswith((".", "!", "?", ":")):
            room = min(room, _SHORT_WORD)
        if width and last and text and len(last) + 1 + room > width:
            out[-1].append(text)
        else:
            out.append([line.rstrip() if text else line])
        last = line.rstrip()
    return [" ".join(parts) for parts in out]


def paragraphs(text: str) -> list[str]:
    """Typed text cut where a line is blank or, among lines without indent, indented.

    Where every line is indented the indents are those of the document around it and mean
    nothing.

    >>> paragraphs("    (ANSA) - Rain\\nfell.\\n   More came.")
    ['    (ANSA) - Rain fell.', '   More came.']
    """
    lines = text.replace("\r", "").split("\n")
    later = [line for line in lines[1:] if line.strip()]
    indents = any(not line[0].isspace() for line in later)
    out: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            out.append([])
            continue
        if indents and line[0].isspace() and line[:2].isspace():
            out.append([])
        out[-1].append(line)
    return [" ".join(part) for part in out if part]
