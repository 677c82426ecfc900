"""From UTF-8 bytes to passages and tokens, for every script, in time linear in the text.

Flat layout: ``data`` (uint8) holds all texts of a batch end to end, ``offsets`` (int64,
texts + 1) where each begins. Results are flat arrays again; character offsets are ``str``
indices inside the text they belong to.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.ordering import first_from

# Kinds and roles of characters; dedup/data/unicode.npz holds them, tools/ builds it.
WORD, HAN, SEA, IGNORED, APOSTROPHE = 1, 2, 3, 4, 5
SPACE, NEWLINE, HARD_STOP, SOFT_STOP, OPEN_QUOTE, CLOSE_QUOTE, DUAL_QUOTE, CLOSER = range(1, 9)
PLANES = 0x20000

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)

CUT, QUOTED = 1, 2
MIN_QUOTE_WEIGHT = 24  # letters; a Han or kana character counts as three
MAX_QUOTE = 4000  # characters from the opening to the closing mark
MAX_PASSAGE_TOKENS = 200
ABBREVIATION_LENGTH = 6


@leaf
def kind_of(code, kind):
    """Kind of a code point; everything above the tables is Han."""
    if code < PLANES:
        return kind[code]
    if code >= 0xE0000:
        return 4  # tags and variation selectors
    return 2 if code < 0x3FFFF else 0


@leaf
def code_point(data, i):
    """The code point whose UTF-8 begins at byte ``i``, and the byte after it."""
    c = np.uint32(data[i])
    if c < 0x80:
        return c, i + 1
    low = np.uint32(0x3F)
    if c < 0xE0:
        c = ((c & np.uint32(0x1F)) << np.uint32(6)) | (np.uint32(data[i + 1]) & low)
        return np.uint32(c), i + 2
    if c < 0xF0:
        c = (
            ((c & np.uint32(0x0F)) << np.uint32(12))
            | ((np.uint32(data[i + 1]) & low) << np.uint32(6))
            | (np.uint32(data[i + 2]) & low)
        )
        return np.uint32(c), i + 3
    c = (
        ((c & np.uint32(0x07)) << np.uint32(18))
        | ((np.uint32(data[i + 1]) & low) << np.uint32(12))
        | ((np.uint32(data[i + 2]) & low) << np.uint32(6))
        | (np.uint32(data[i + 3]) & low)
    )
    return np.uint32(c), i + 4


@leaf
def decode(data, start, end, out):
    """Decode valid UTF-8 ``data[start:end]`` into code points; returns how many."""
    n = 0
    i = start
    while i < end:
        out[n], i = code_point(data, i)
        n += 1
    return n


@leaf
def fnv(h, code):
    """Advance a 64-bit FNV-1a hash by the UTF-8 bytes of one code point."""
    c = np.uint64(code)
    if c < np.uint64(0x80):
        return (h ^ c) * FNV_PRIME
    if c < np.uint64(0x800):
        h = (h ^ (np.uint64(0xC0) | (c >> np.uint64(6)))) * FNV_PRIME
    else:
        if c < np.uint64(0x10000):
            h = (h ^ (np.uint64(0xE0) | (c >> np.uint64(12)))) * FNV_PRIME
        else:
            h = (h ^ (np.uint64(0xF0) | (c >> np.uint64(18)))) * FNV_PRIME
            h = (h ^ (np.uint64(0x80) | ((c >> np.uint64(12)) & np.uint64(0x3F)))) * FNV_PRIME
        h = (h ^ (np.uint64(0x80) | ((c >> np.uint64(6)) & np.uint64(0x3F)))) * FNV_PRIME
    return (h ^ (np.uint64(0x80) | (c & np.uint64(0x3F)))) * FNV_PRIME


@leaf
def closes(opener, code):
    """Whether ``code`` closes a quotation that ``opener`` opened."""
    if opener == 0x22 or opener == 0xFF02:  # " ＂
        return code == opener or code == 0x201D
    if opener == 0x201C or opener == 0x201F:  # “
        return code == 0x201D or code == 0x22
    if opener == 0x201E:  # „
        return code == 0x201D or code == 0x201C or code == 0x22
    if opener == 0xAB:  # «
        return code == 0xBB
    if opener == 0xBB:  # » (German books: »…«)
        return code == 0xAB
    if opener == 0x2039:
        return code == 0x203A
    if opener == 0x300C or opener == 0xFF62:
        return code == 0x300D or code == 0xFF63
    if opener == 0x300E:
        return code == 0x300F
    if opener == 0x301D:
        return code == 0x301E or code == 0x301F
    if opener == 0x2018 or opener == 0x201A or opener == 0x201B:
        return code == 0x2019 or (opener == 0x201A and code == 0x2018)
    if opener == 0x201D:  # ” (Swedish: ”…”)
        return code == 0x201D
    return False


@leaf
def is_word(code, kind):
    """Whether a code point is part of a token."""
    k = kind_of(code, kind)
    return k == 1 or k == 2 or k == 3


@leaf
def mark_quotes(cps, lo, hi, mark, kind, role):
    """Mark quotations of one paragraph: cuts at both ends, ``QUOTED`` inside.

    A mark left open closes with the paragraph when it opened it (a speech that runs on) or
    when it is directional; linear, since the scan never goes back.
    """
    opener = np.uint32(0)
    begin = 0
    weight = 0
    depth = 0
    first = lo
    while first < hi and (cps[first] >= PLANES or role[cps[first]] == 1):
        if cps[first] >= PLANES:
            break
        first += 1
    i = lo
    while i <= hi:
        finish = -1
        if i == hi:
            if opener != 0 and (begin - 1 == first or (opener != 0x22 and opener != 0x2018)):
                finish = i
            i += 1
        else:
            c = cps[i]
            k = kind_of(c, kind)
            if opener == 0:
                r = role[c] if c < PLANES else 0
                if r == 5 or r == 6 or r == 7:
                    # French sets a space inside its marks: « … ».
                    after = i + 1 < hi and (
                        c == 0xAB
                        or not (
                            cps[i + 1] < PLANES and (role[cps[i + 1]] == 1 or role[cps[i + 1]] == 2)
                        )
                    )
                    before = i == lo or not is_word(cps[i - 1], kind)
                    opens = after
                    if r == 6 or c == 0x2018:  # a closing mark, or the apostrophe’s twin
                        opens = after and before and (c == 0xBB or c == 0x201D or c == 0x2018)
                        if r == 6 and i > lo:
                            previous = cps[i - 1]
                            opens = opens and previous < PLANES and role[previous] == 1
                    if opens:
                        opener = c
                        begin = i + 1
                        weight = 0
                        depth = 0
            elif c == opener and (c == 0x201C or c == 0xAB or c == 0x300C):
                depth += 1  # “he said “so” again”
            elif closes(opener, c):
                done = depth == 0
                depth = max(0, depth - 1)
                if c == 0x2019 and i + 1 < hi and is_word(cps[i + 1], kind):
                    done = False  # an apostrophe inside ‘…’
                if done:
                    finish = i
            elif i - begin > MAX_QUOTE:
                opener = np.uint32(0)
            else:
                if k == 1:
                    weight += 1
                elif k == 2:
                    weight += 3
                elif k == 3:
                    weight += 1
            i += 1
        if finish >= 0:
            if weight >= MIN_QUOTE_WEIGHT:
                mark[begin] |= 1
                mark[finish] |= 1
                for j in range(begin, finish):
                    mark[j] |= 2
            opener = np.uint32(0)


@leaf
def ends_sentence(cps, lo, i, after, hi, kind, role, case, fold, abbreviations):
    """Whether the soft stop at ``i``, whose closers end at ``after``, ends a sentence."""
    if after < hi:
        c = cps[after]
        if not (c < PLANES and (role[c] == 1 or role[c] == 2)):
            # Footnotes and glued sentences (“end.Next”) are left alone; Han and kana may follow.
            return kind_of(c, kind) == 2
        j = after
        while j < hi and cps[j] < PLANES and (role[cps[j]] == 1 or role[cps[j]] == 2):
            j += 1
        if j < hi and cps[j] < PLANES and case[cps[j]] & 1:
            return False
    if cps[i] != 0x2E:
        return True
    w = i
    while w > lo and i - w <= ABBREVIATION_LENGTH and is_word(cps[w - 1], kind):
        w -= 1
    length = i - w
    if length == 1 and cps[w] < PLANES and case[cps[w]] & 2:
        return False  # an initial, or U.S.
    if 1 < length <= ABBREVIATION_LENGTH:
        h = FNV_OFFSET
        for j in range(w, i):
            h = fnv(h, fold[cps[j]] if cps[j] < PLANES else cps[j])
        k = first_from(abbreviations, np.int64(0), len(abbreviations), h)
        if k < len(abbreviations) and abbreviations[k] == h:
            return False
    return True


@leaf
def mark_sentences(cps, n, mark, kind, role, case, fold, abbreviations):
    """Cut at sentence ends and line ends, and mark the quotations of each paragraph."""
    paragraph = np.int64(0)
    i = np.int64(0)
    since = 0
    while i < n:
        c = cps[i]
        r = role[c] if c < PLANES else 0
        if r == 2:
            breaks = 0
            j = i
            while j < n and cps[j] < PLANES and (role[cps[j]] == 1 or role[cps[j]] == 2):
                if role[cps[j]] == 2 and not (cps[j] == 10 and j > i and cps[j - 1] == 13):
                    breaks += 1
                j += 1
            hard = True
            if breaks == 1 and i > 0 and j < n:
                # A line wrapped by an editor: a letter or comma before, a small letter after.
                p = cps[i - 1]
                if (is_word(p, kind) or p == 0x2C) and cps[j] < PLANES and case[cps[j]] & 1:
                    hard = False
            if hard:
                mark_quotes(cps, paragraph, i, mark, kind, role)
                mark[j] |= 1
                mark[i] |= 1
                paragraph = j
                since = j
            i = j
        elif r == 3 or r == 4:
            j = i + 1
            while j < n and cps[j] < PLANES:
                q = role[cps[j]]
                if (
                    q == 3
                    or q == 4
                    or q == 6
                    or q == 8
                    or (q == 7 and j + 1 <= n and (j + 1 == n or not is_word(cps[j + 1], kind)))
                ):
                    j += 1
                else:
                    break
            if r == 3 or ends_sentence(
                cps, paragraph, i, j, n, kind, role, case, fold, abbreviations
            ):
                mark[j] |= 1
                since = j
            i = j
        else:
            if (
                r == 1
                and i - since >= 40
                and i + 1 < n
                and kind_of(cps[i - 1], kind) == 3
                and kind_of(cps[i + 1], kind) == 3
            ):
                mark[i] |= 1  # Thai and its neighbours end sentences with a space
                since = i
            i += 1
    mark_quotes(cps, paragraph, n, mark, kind, role)


@leaf
def next_same(cps, i, n, mark, kind, want):
    """Next character of kind ``want`` after ``i`` with only ignored ones between, or -1."""
    j = i + 1
    while j < n:
        if mark[j] & 1:
            return -1
        k = kind_of(cps[j], kind)
        if k == want:
            return j
        if k != 4:
            return -1
        j += 1
    return -1


@kernel
def segment_batch(
    data,
    offsets,
    kind,
    role,
    case,
    fold,
    abbreviations,
    lengths,
    p_text,
    p_start,
    p_end,
    p_quoted,
    p_token,
    t_hash,
    t_start,
    t_end,
    t_byte,
):
    """Cut every text of a batch into passages and tokens; returns how many of either.

    ``data`` uint8, ``offsets`` int64 (texts + 1), the character tables, and ``abbreviations``
    (sorted uint64 FNV-1a hashes of folded words that a full stop follows).

    Writes ``lengths``, characters of each text (int32); for each passage its text (int32),
    character span (int32), whether it is quoted (uint8) and its first token (int64, passages + 1);
    for each token its 64-bit FNV-1a hash over folded UTF-8, its character span (int32) and the
    byte at which it starts in its text (int32). There is room for as many passages and tokens as
    bytes and one more.
    """
    texts = len(offsets) - 1
    longest = 0
    for d in range(texts):
        longest = max(longest, offsets[d + 1] - offsets[d])
    cps = np.empty(longest + 1, np.uint32)
    mark = np.empty(longest + 2, np.uint8)
    at_byte = np.empty(longest + 1, np.int32)
    tokens = 0
    passages = 0
    for d in range(texts):
        n = decode(data, offsets[d], offsets[d + 1], cps)
        lengths[d] = n
        mark[: n + 2] = 0
        position = np.int32(0)
        for i in range(n):
            at_byte[i] = position
            c = cps[i]
            position += np.int32(1 if c < 0x80 else 2 if c < 0x800 else 3 if c < 0x10000 else 4)
        mark_sentences(cps, n, mark, kind, role, case, fold, abbreviations)
        first = tokens
        before = 0  # kind of the last character that was not ignored
        i = np.int64(0)
        while i <= n:
            if tokens > first and (i == n or mark[i] & 1 or tokens - first >= MAX_PASSAGE_TOKENS):
                p_text[passages] = d
                p_start[passages] = t_start[first]
                # Overlapping tokens (Han pairs) make the last end the greatest.
                p_end[passages] = t_end[tokens - 1]
                p_quoted[passages] = 1 if mark[t_start[first]] & 2 else 0
                p_token[passages] = first
                passages += 1
                first = tokens
            if i == n:
                break
            k = kind_of(cps[i], kind)
            if (k == 2 or k == 3) and tokens - first == MAX_PASSAGE_TOKENS - 3 and i + 3 < n:
                mark[i + 3] |= 1  # cut ahead, so that no overlapping token crosses it
            if k == 1:
                h = FNV_OFFSET
                j = i
                end = i
                while j < n and (j == i or not mark[j] & 1):
                    q = kind_of(cps[j], kind)
                    if q == 1:
                        h = fnv(h, fold[cps[j]] if cps[j] < PLANES else cps[j])
                        end = j + 1
                    elif q == 5:
                        if next_same(cps, j, n, mark, kind, np.int64(1)) < 0:
                            break
                    elif q != 4:
                        break
                    j += 1
                t_hash[tokens] = h
                t_start[tokens] = i
                t_end[tokens] = end
                t_byte[tokens] = at_byte[i]
                tokens += 1
                i = max(j, i + 1)
            elif k == 2 or k == 3:
                h = fnv(FNV_OFFSET, fold[cps[i]] if cps[i] < PLANES else cps[i])
                end = i + 1
                j = next_same(cps, i, n, mark, kind, k)
                begins = mark[i] & 1 or before != k
                if j >= 0:
                    h = fnv(h, fold[cps[j]] if cps[j] < PLANES else cps[j])
                    end = j + 1
                    m = -1
                    if k == 3:
                        m = next_same(cps, j, n, mark, kind, k)
                        if m >= 0:
                            h = fnv(h, fold[cps[m]] if cps[m] < PLANES else cps[m])
                            end = m + 1
                    emit = k == 2 or m >= 0 or begins
                else:
                    emit = begins
                if emit:
                    t_hash[tokens] = h
                    t_start[tokens] = i
                    t_end[tokens] = end
                    t_byte[tokens] = at_byte[i]
                    tokens += 1
                i += 1
            else:
                i += 1
            if k != 4:
                before = k
    p_token[passages] = tokens
    return passages, tokens
