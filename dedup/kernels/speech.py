"""Speech without quotation marks: tweets, block quotations, dialogues."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.ordering import stable_order
from dedup.kernels.text import FNV_OFFSET, decode, fnv

TWEET = 420  # characters before a signature that can belong to the tweet
SIGNATURE = 80  # characters of the name before the handle
DATED = 40  # characters after the handle in which its date begins
LEAST_LEAD = 4  # words of a line that introduces a block quotation
LONGEST_TAG = 40  # characters of a speaker's name
SPEAKERS = 2  # names that must recur to make a dialogue
TAGGED = 0.3  # share of its paragraphs that begin with a name


@kernel
def is_space(code):
    """Whether a code point is white space (line ends included)."""
    return code == 0x20 or 9 <= code <= 13 or code == 0xA0 or code == 0x2028 or code == 0x2029


@kernel
def is_break(code):
    """Whether a code point ends a line."""
    return code == 10 or code == 13 or code == 0x2028 or code == 0x2029


@kernel
def is_dash(code):
    """Whether a code point is a dash as it stands before a signature."""
    return code == 0x2D or code == 0x2013 or code == 0x2014 or code == 0x2015


@kernel
def signature_at(cps, i, n):
    """Where the signature of a tweet begins whose ``(@`` stands at ``i``, or -1.

    It reads ``— Name (@handle) date``: a dash before the name, a digit of the date after it.
    """
    j = i + 2
    while j < n and j - i < 24 and cps[j] != 0x29:
        c = cps[j]
        if not (48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c == 0x5F):
            return -1
        j += 1
    if j >= n or cps[j] != 0x29 or j - i < 3:
        return -1
    dated = False
    for k in range(j + 1, min(n, j + 1 + DATED)):
        if is_break(cps[k]):
            break
        if 48 <= cps[k] <= 57:
            dated = True
            break
    if not dated:
        return -1
    for k in range(i - 1, max(-1, i - 1 - SIGNATURE), -1):
        if is_break(cps[k]):
            return -1
        if is_dash(cps[k]) and (k == 0 or is_space(cps[k - 1])):
            return k
    return -1


@kernel
def speaker_tag(cps, lo, hi):
    """Hash of the name with a colon that opens the paragraph ``lo`` to ``hi``, or 0.

    Every word of it begins with a capital (or a character without case); text follows the colon.
    """
    h = FNV_OFFSET
    words = 0
    fresh = True
    for i in range(lo, min(hi, lo + LONGEST_TAG)):
        c = cps[i]
        if c == 0x3A or c == 0xFF1A:
            return h if 0 < words <= 5 and hi - i > 12 else np.uint64(0)
        if is_space(c):
            fresh = True
            continue
        if fresh:
            if 97 <= c <= 122 or 48 <= c <= 57 or c == 0x22 or 0x2018 <= c <= 0x201F:
                return np.uint64(0)
            words += 1
            fresh = False
        h = fnv(h, c)
    return np.uint64(0)


@kernel
def mark_speech(data, d_byte, d_passage, p_start, p_end, p_token, p_quoted):
    """Passages that are somebody's words by other signs than quotation marks.

    ``data`` uint8 and ``d_byte`` int64 (articles + 1): texts in UTF-8; ``p_start``, ``p_end`` int32
    characters, ``p_token`` int64 (passages + 1) and ``p_quoted`` uint8 (passages).

    Returns ``(said, introduced, signature)``, all bool (passages): quoted, of a tweet that is
    signed with name, handle and date, or of a dialogue; the first passage of a paragraph that a
    line ending in a colon introduces; and the signature of a tweet. Linear in the text.
    """
    said = np.empty(len(p_start), np.bool_)
    for p in range(len(p_start)):
        said[p] = p_quoted[p] > 0
    introduced = np.zeros(len(p_start), np.bool_)
    signature = np.zeros(len(p_start), np.bool_)
    longest = 0
    most = 0
    for d in range(len(d_byte) - 1):
        longest = max(longest, d_byte[d + 1] - d_byte[d])
        most = max(most, d_passage[d + 1] - d_passage[d])
    cps = np.empty(longest + 1, np.uint32)
    paragraph = np.empty(most + 1, np.int64)  # first passage of each paragraph
    tags = np.empty(most + 1, np.int64)
    order = np.empty(most + 1, np.int64)
    spare = np.empty(most + 1, np.int64)
    for d in range(len(d_byte) - 1):
        n = decode(data, d_byte[d], d_byte[d + 1], cps)
        first = d_passage[d]
        end = d_passage[d + 1]
        if first == end:
            continue
        paragraphs = np.int64(0)
        tagged = 0
        for p in range(first, end):
            begin = p_end[p - 1] if p > first else 0
            breaks = p == first
            last = np.uint32(0)
            for i in range(begin, p_start[p]):
                if is_break(cps[i]):
                    breaks = True
                elif not is_space(cps[i]) and not breaks:
                    last = cps[i]
            if not breaks:
                continue
            if p > first and (last == 0x3A or last == 0xFF1A):
                lead = paragraph[paragraphs - 1]
                introduced[p] = p_token[p] - p_token[lead] >= LEAST_LEAD
            paragraph[paragraphs] = p
            tags[paragraphs] = np.int64(
                speaker_tag(cps, p_start[p], p_end[p] if p + 1 == end else p_start[p + 1])
            )
            if tags[paragraphs] != 0:
                tagged += 1
            paragraphs += 1
        paragraph[paragraphs] = end
        if tagged >= 2 * SPEAKERS and tagged >= TAGGED * paragraphs:
            recurring = 0
            head = -1
            tail = -1
            stable_order(tags, paragraphs, order, spare)
            for k in range(1, paragraphs):
                name = tags[order[k]]
                same = name != 0 and name == tags[order[k - 1]]
                if same and (k == 1 or tags[order[k - 2]] != name):
                    recurring += 1
            for k in range(paragraphs):
                if tags[k] != 0:
                    head = k if head < 0 else head
                    tail = k
            if recurring >= SPEAKERS:
                for p in range(paragraph[head], paragraph[tail + 1]):
                    said[p] = True
        # Tweets: from the signature back to the one before, or to the line it stands on its own.
        reached = 0
        p = first
        for i in range(n - 1):
            if cps[i] != 0x28 or cps[i + 1] != 0x40:
                continue
            dash = signature_at(cps, i, n)
            if dash < 0:
                continue
            start = dash
            while start > reached and dash - start < TWEET:
                if is_break(cps[start - 1]):
                    blank = True
                    for j in range(start, dash):
                        if not is_space(cps[j]):
                            blank = False
                            break
                    if not blank:
                        break
                start -= 1
            while p > first and p_end[p - 1] > start:
                p -= 1
            while p < end and p_start[p] <= dash:
                if p_end[p] > start:
                    said[p] = True
                p += 1
            if p < end and p_start[p] <= i:
                signature[p] = True
            reached = i
    return said, introduced, signature
