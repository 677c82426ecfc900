"""Occurrences of known sources' names in texts, and which of them deserve a look.

The tables that :mod:`dedup.kernels.names` searches with are built here, once, out of the list of
agencies and outlets and out of the words of the slots and frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedup import frames, slots
from dedup.agencies import Strictness
from dedup.kernels import names as kernels
from dedup.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from dedup.agencies import Agencies, Alias

_BATCH_BYTES = 8_000_000
_ENDS = [
    b
    for b in range(256)
    if chr(b) in "\t\n\r" or (32 <= b < 127 and not chr(b).isalnum()) or 0xC2 <= b < 0xF5
]
"""Bytes that can follow a name of two bytes."""


class NameFinder:
    """Finds the names of ``agencies`` in texts; immutable once built.

    ``sources``, ``strictness`` and ``outlets`` say by the number of a name whose it is, how
    strict to be with it, and whether it is an outlet's.
    """

    def __init__(self, agencies: Agencies) -> None:
        aliases = agencies.aliases
        self.sources = [alias.source or "" for alias in aliases]
        self.strictness = [alias.strictness for alias in aliases]
        self.outlets = [agencies.kind(source) == "outlet" for source in self.sources]
        self.begins = [not is_unspaced(alias.text[0]) for alias in aliases]
        self.ends = [not is_unspaced(alias.text[-1]) for alias in aliases]
        self.patterns = [alias.text for alias in aliases]
        known = [_knowledge(a, o) for a, o in zip(aliases, self.outlets, strict=True)]
        lengths = [len(name) for name in self.patterns]
        opens, first, trie = _trie(self.patterns)
        names = np.array([known, lengths], np.int32).T.copy()
        self._tables = (opens, np.array([_byte_kinds(), first], np.int32), trie, names)
        self._words = _word_table()

    def find(
        self, texts: pa.LargeStringArray, *, everywhere: int | None = None
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """``(text, start, end, name, what)`` of each occurrence, in order.

        Nulls hold nothing. ``start`` and ``end`` are characters; ``what`` has the bits of
        :data:`dedup.slots.EVERYTHING` that are possible, all of them from the text
        ``everywhere`` on. Names inside a longer word are left out where the letter beside them
        is one of ASCII's.
        """
        everywhere = len(texts) if everywhere is None else everywhere
        for first, data, offsets in _batches(texts):
            size = 64 + int(offsets[-1] - offsets[0]) // 256
            while True:
                out = np.empty((size, 5), np.int32)
                tables = (*self._tables, self._words, everywhere - first, out)
                count = kernels.find_names(data, offsets, *tables)
                if count <= size:
                    break
                size = count
            columns = out[:count].T.tolist()
            if first:
                columns[0] = [text + first for text in columns[0]]
            yield from zip(*columns, strict=True)


def reader(texts: pa.LargeStringArray) -> Callable[[int], str]:
    """The text at an index, faster than Arrow's own scalars."""
    _, at, values = texts.buffers()
    offsets = np.frombuffer(at, np.int64)[texts.offset :] if at else np.zeros(1, np.int64)
    view = memoryview(values if values is not None else b"")

    def text_at(index: int) -> str:
        return str(view[offsets[index] : offsets[index + 1]], "utf-8")

    return text_at


def _batches(
    texts: pa.LargeStringArray,
) -> Iterable[tuple[int, NDArray[np.uint8], NDArray[np.int64]]]:
    """The texts' bytes and offsets in pieces of some megabytes, with each piece's first text."""
    if not len(texts):
        return
    _, at, values = texts.buffers()
    offsets = np.frombuffer(at, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    # Read-only in any case: of other arrays numba would compile a kernel of its own.
    data = np.frombuffer(values if values is not None else b"\0", np.uint8)
    if offsets[-1] - offsets[0] <= _BATCH_BYTES:
        yield 0, data, offsets
        return
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(offsets, offsets[first] + _BATCH_BYTES, side="right")) - 1
        last = min(max(last, first + 1), len(texts))
        yield first, data, offsets[first : last + 1]
        first = last


def _knowledge(alias: Alias, outlet: bool) -> int:
    text = alias.text
    return (
        kernels.LEFT_EDGE * (not is_unspaced(text[0]))
        | kernels.RIGHT_EDGE * (not is_unspaced(text[-1]))
        | kernels.SWALLOWED * (alias.source is None)
        | kernels.ALWAYS * (not text.isascii() or text in slots.WIRE_NAMES)
        | kernels.OUTLET * outlet
        | kernels.STRICT * (alias.strictness is Strictness.AMBIGUOUS)
        | kernels.SAFE * (alias.strictness is not Strictness.AMBIGUOUS and not outlet)
    )


def _trie(texts: list[str]) -> tuple[NDArray[Any], ...]:
    """``opens``, the states after a first byte, and ``trie`` of
    :func:`dedup.kernels.names.find_names`."""
    opens = np.zeros(1 << 12, np.uint32)
    first = np.zeros(256, np.int32)
    states: list[dict[int, int]] = [{}]
    accepts = [0]
    for number, name in enumerate((text.encode() for text in texts), 1):
        for third in name[2:3] or _ENDS:
            h = ((name[0] | name[1] << 8 | third << 16) * 0x9E3779B1 & 0xFFFFFFFF) >> 15
            opens[h >> 5] |= np.uint32(1 << (h & 31))
        state = 0
        for value in name:
            after = states[state].get(value)
            if after is None:
                after = states[state][value] = len(states)
                states.append({})
                accepts.append(0)
            state = after
        accepts[state] = number
    trie = np.zeros((len(states), 4), np.int32)
    trie[:, 3] = accepts
    for state, edges in enumerate(states):
        for value, after in edges.items():
            trie[after, 0] = value
            trie[after, 2], trie[state, 1] = trie[state, 1], after
            if not state:
                first[value] = after
    return opens, first, trie


def _byte_kinds() -> NDArray[np.int32]:
    """What each byte is, for :func:`dedup.kernels.names.possible`."""
    kinds = np.zeros(256, np.int32)
    for byte in range(256):
        char = chr(byte)
        ascii_word = byte < 128 and (char.isalnum() or char == "_")
        # U+0080 to U+00BF are no letters; those from U+2000 on are told by the second byte.
        strange = byte >= 0x80 and byte != 0xC2
        kinds[byte] = (
            kernels.LETTER * ascii_word
            | kernels.WORD * (ascii_word or strange)
            | kernels.SENTENCE * (char in ".!?")
            | kernels.BREAK * (char in ";:(")
            | kernels.BRACKET * (char in "([/=")
            | kernels.OPENING * (char in ".(-" or byte >= 0x80)
            | kernels.TELLING * (char in "'/-:")
        )
    return kinds


def _word_table() -> NDArray[np.uint16]:
    """What the words of slots and frames can mean, by hash; words of ASCII letters alone.

    A list's entry of several parts ("op-ed", "l'") is entered part by part: the table may claim
    too much, never too little. So may two words of one hash.
    """
    table = np.zeros(kernels.WORD_TABLE, np.uint16)
    meanings = (
        (kernels.SAYS_LEFT, frames.WORDS_LEFT),
        (kernels.SAYS_RIGHT, frames.WORDS_RIGHT),
        (kernels.LINKS, frames.WORDS_LINKING),
        (kernels.SKIPPED, frames.WORDS_SKIPPED),
        (kernels.UNMISTAKABLE, frames.WORDS_UNMISTAKABLE),
        (kernels.AGENCY, frames.WORDS_AGENCY),
        (kernels.LABELS, slots.WORDS_LABEL),
        (kernels.RIGHTS, slots.WORDS_RIGHTS),
        (kernels.HELPS, slots.WORDS_HELP),
        (kernels.PUBLISHES, slots.WORDS_PUBLISH),
        (kernels.STORY, slots.WORDS_STORY),
        (kernels.ADVERB, frames.WORDS_ADVERB),
    )
    for bit, entries in meanings:
        for entry in entries:
            for part in "".join(c if c.isalnum() or c == "_" else " " for c in entry).split():
                if part.isascii():
                    table[_hash(part)] |= bit
    return table


def _hash(word: str) -> int:
    h = 0x811C9DC5
    for byte in word.lower().encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return (h ^ (h >> 16)) & (kernels.WORD_TABLE - 1)
