"""Every known name of a source in a batch of texts, in one pass over the bytes.

The names stand in a trie over UTF-8 bytes, searched leftmost-longest; a set of the hashed first
three bytes of all names rejects nearly every position at once. Most occurrences say nothing
("CNN" in passing), so the pass also looks at the words around each: an occurrence is only
reported where a credit slot or a citation frame is possible. That test errs on the side of
reporting; the verdict is :mod:`dedup.attribute`'s.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf

# What a word around a name can mean; dedup.names makes the table out of the word lists.
SAYS_LEFT, SAYS_RIGHT, LINKS, SKIPPED, UNMISTAKABLE, AGENCY = 1, 2, 4, 8, 16, 32
LABELS, RIGHTS, HELPS, PUBLISHES, STORY, ADVERB = 64, 128, 256, 512, 1024, 2048
ANYTHING = 4095
WORD_TABLE = 1 << 16

# What a byte is.
LETTER, WORD, SENTENCE, BREAK, BRACKET, OPENING, TELLING = 1, 2, 4, 8, 16, 32, 64

# What is known of a name.
LEFT_EDGE, RIGHT_EDGE, SWALLOWED, ALWAYS, OUTLET, STRICT, SAFE = 1, 2, 4, 8, 16, 32, 64

# What an occurrence may be: cited, or in a slot with brackets, behind a label or a copyright
# sign, in a line about contributions, in a dateline or byline.
CITED, BRACKETED, LABELLED, HELPED, HEADED = 1, 2, 4, 8, 16
EVERYTHING = 31

BEFORE = 240  # bytes before a name that are looked at
AFTER = 400  # bytes after it on its line in which "contributed to this report" may follow
NEAR = 80  # bytes after it in which a verb of citation may follow
NEAR_BRACKET = 120  # bytes before it in which the bracket of a sign-off may open
BYLINE = 800  # characters from the start of a text in which a byline may stand
END = 2000  # bytes before the end in which a sign-off may stand


@leaf
def possible(data, lo, hi, start, end, chars, known, words, byte_kind):
    """What the occurrence ``data[start:end]`` may be, judged by its surroundings (flags).

    ``lo`` and ``hi`` delimit its text, ``chars`` is its offset in characters, ``known`` what is
    known of the name. ``words`` (uint16): meanings by the folded FNV-1a hash of a word in lower
    case. ``byte_kind`` int32 (256,). A word with other letters than ASCII's may mean anything,
    and beside a script without spaces everything is possible.
    """
    at = max(lo, start - BEFORE)
    while at < start and 0x80 <= data[at] < 0xC0:
        at += 1
    stop = min(hi, end + AFTER)
    opening = at == lo  # of a line or sentence
    line = at == lo  # its beginning was seen
    bracket = at - NEAR_BRACKET
    lower = 0  # words of the line that no place or person has
    here = 0  # what the words of this sentence mean
    joined = 0  # what those mean that only describing words separate from the name
    slots = 0  # what the words of this line mean for slots
    word = 0
    left = 0
    limit = start
    while at < stop:
        if at == limit and limit == start:
            if slots & PUBLISHES and slots & STORY:
                slots |= HELPS
            slots &= HELPS | LABELS | RIGHTS
            left = joined & (SAYS_LEFT | LINKS) | here & (UNMISTAKABLE | AGENCY)
            if known & SAFE or here & AGENCY:
                left |= here & SAYS_LEFT
            here = 0
            joined = 1
            limit = stop
            at = end
            continue
        behind = limit == stop
        byte = data[at]
        kind = byte_kind[byte]
        if kind & WORD and not (byte == 0xE2 and data[at + 1] <= 0x81):
            h = np.int64(0x811C9DC5)
            capital = 65 <= byte <= 90
            small = 97 <= byte <= 122
            strange = False
            while at < limit and byte_kind[data[at]] & WORD:
                byte = data[at]
                if byte >= 0x80:
                    if byte == 0xE2 and data[at + 1] <= 0x81:
                        break
                    if byte >= 0xE3 and at < end + NEAR:
                        return EVERYTHING
                    strange = True
                elif 65 <= byte <= 90:
                    byte += 32
                h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
                at += 1
            word = ANYTHING if strange else words[(h ^ (h >> 16)) & 0xFFFF]
            if behind:
                slots |= word & (PUBLISHES | STORY)
                if joined and at < end + NEAR:
                    here |= word & (UNMISTAKABLE | AGENCY)
                    if joined & 1 or known & SAFE or here & AGENCY:
                        here |= word & SAYS_RIGHT
                    if not (capital or word & (SKIPPED | ADVERB)):
                        joined = 2
                continue
            if not (capital or word & (LINKS | SKIPPED)):
                joined = 0
                lower += small
            here |= word
            joined |= word
            slots |= word & (RIGHTS | PUBLISHES | STORY)
            if opening:
                slots |= word & HELPS
            opening = False
            continue
        if byte == 0x0A:
            if behind:
                break
            here = joined = lower = 0
            slots &= RIGHTS
            opening = line = True
        elif byte == 0x3A and word & LABELS:
            slots |= LABELS
        elif byte == 0xC2 and data[at + 1] == 0xA9:
            slots |= RIGHTS
        elif byte == 0x28:
            bracket = at
        if kind & BREAK:
            joined = 2 if behind else 0
        if kind & SENTENCE:
            if behind:
                joined = 0
            elif data[at + 1] <= 0x20:
                here = joined = 0
        if byte > 0x20:
            opening = kind & OPENING != 0
        at += 3 if byte == 0xE2 else 2 if byte == 0xC2 else 1
    last = start - 1
    while last > lo and data[last] == 0x20:
        last -= 1
    before = data[last] if last >= lo else np.uint8(0x0A)
    after = data[end] if end < hi else np.uint8(0x0A)
    what = 0
    if slots & PUBLISHES and slots & STORY:
        slots |= HELPS
    if slots & (LABELS | RIGHTS):
        what |= LABELLED
    if slots & HELPS:
        what |= HELPED
    if hi - start < END and before == 0x0A:
        what |= HELPED
    dash = before == 0x2D or before == 0x93 or before == 0x94  # - – —
    if byte_kind[before] & BRACKET or (
        hi - start < END and (dash or start - bracket < NEAR_BRACKET)
    ):
        what |= BRACKETED
    if line and lower <= 2 and chars <= BYLINE:
        what |= HEADED
    if known & STRICT:
        if (left | here) & (UNMISTAKABLE | AGENCY):
            what |= CITED
    elif left & SAYS_LEFT or here & SAYS_RIGHT or (known & OUTLET and left & LINKS):
        what |= CITED
    if after == 0x0A or after == 0x29 or after == 0x5D:
        the = start - 2 >= lo and data[start - 2] == 0x65 and data[start - 1] == 0x20
        if before == 0x2C or the:  # ", the"
            what |= CITED
    elif after == 0xE2:
        if data[end + 2] == 0x99 or data[end + 2] == 0x93:  # ’ –
            what |= CITED
    elif byte_kind[after] & TELLING:
        what |= CITED
    return what


@kernel
def find_names(data, offsets, opens, byte_table, trie, names, words, everywhere, out):
    """Occurrences of the names in the texts; returns how many there are.

    ``data`` uint8 and ``offsets`` int64 (texts + 1) hold the texts as UTF-8. ``opens`` uint32
    (4096,): a set of hashes of the first three bytes of all names, a bit each. ``byte_table``
    int32 (2, 256): what each byte is, and the trie's state after a name's first byte. ``trie``
    int32 (states, 4): the byte that leads to a state, its first child, its next sibling, and
    the name it accepts plus one; 0 means none. ``names`` int32 (names, 2): what is known of
    each, and its length in characters. ``words``: see :func:`possible`. From the text
    ``everywhere`` on, each occurrence is reported. Rows of ``out`` int32 (size, 5) are filled:
    text, first character, character behind, name, what it may be. Where ``out`` is too small
    the rest is only counted. Linear in the texts, times the longest name.
    """
    byte_kind = byte_table[0]
    first = byte_table[1]
    # Nearly every byte is done with here.
    places = np.empty(len(data) + 1, np.int32)
    count = 0
    origin = offsets[0]
    view = data[origin : offsets[-1]]
    for k in range(len(view) - 3):
        h = np.int64(view[k + 1]) | np.int64(view[k + 2]) << 8 | np.int64(view[k + 3]) << 16
        h = ((h * 0x9E3779B1) & 0xFFFFFFFF) >> 15
        if not (opens[h >> 5] >> (h & 31)) & 1:
            continue
        if not byte_kind[view[k]] & byte_kind[view[k + 1]] & LETTER:
            places[count] = k + 1
            count += 1
    places[count] = len(view)
    found = 0
    c = 0
    for t in range(len(offsets) - 1):
        lo = offsets[t]
        hi = offsets[t + 1]
        counted = lo
        chars = np.int64(0)
        i = lo
        while i < hi:
            name = -1
            end = i + 1
            j = i
            state = first[data[i]]
            while state:
                j += 1
                this = trie[state, 3] - 1
                if this >= 0 and not (
                    names[this, 0] & RIGHT_EDGE and j < hi and byte_kind[data[j]] & LETTER
                ):
                    name = this
                    end = j
                if j >= hi:
                    break
                state = trie[state, 1]
                while state and trie[state, 0] != data[j]:
                    state = trie[state, 2]
            if name >= 0 and not names[name, 0] & SWALLOWED:
                passed = data[counted:i]
                for b in range(len(passed)):
                    chars += (passed[b] & 0xC0) != 0x80
                counted = i
                known = names[name, 0]
                what = EVERYTHING
                if t < everywhere and not known & ALWAYS:
                    what = possible(data, lo, hi, i, end, chars, known, words, byte_kind)
                if what:
                    if found < len(out):
                        out[found, 0] = t
                        out[found, 1] = chars
                        out[found, 2] = chars + names[name, 1]
                        out[found, 3] = name
                        out[found, 4] = what
                    found += 1
            while origin + places[c] < end:
                c += 1
            i = origin + places[c]
            # The set looks at three bytes: a name of two at the very end is tried by itself.
            if end <= hi - 2 < i:
                i = hi - 2
                if byte_kind[data[i]] & byte_kind[data[i - 1]] & LETTER:
                    break
    return found
