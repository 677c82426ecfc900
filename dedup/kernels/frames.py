"""Texts as an index keeps them: what segmenting found, in one frame of 32-bit words for each.

A frame begins with characters, letters, passages and tokens of the text. Then come, a word for
each passage, its tokens, how far its start lies behind that of the passage before, and its
characters; a word for each token: its number, and how far it starts behind the one before; its
length, two tokens to a word; marks of quotation and of speech, four passages to a word.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel
from dedup.kernels.minhash import CONTENT, QUARTERS
from dedup.kernels.vocabulary import MOST_PASSAGES

HEADER = 4


@kernel
def frame_sizes(d_passage, p_token):
    """Words (int64) that the frame of each text takes."""
    out = np.empty(len(d_passage) - 1, np.int64)
    for d in range(len(out)):
        passages = d_passage[d + 1] - d_passage[d]
        tokens = p_token[d_passage[d + 1]] - p_token[d_passage[d]]
        out[d] = HEADER + 3 * passages + 2 * tokens + (tokens + 1) // 2 + (2 * passages + 3) // 4
    return out


@kernel
def pack(
    place,
    d_length,
    d_letters,
    d_passage,
    p_token,
    p_start,
    p_end,
    p_quoted,
    p_speech,
    t_word,
    t_start,
    t_length,
    words,
    halves,
    marks,
):
    """Write frames: ``words`` int32, ``halves`` uint16 and ``marks`` uint8 are the same memory, all
    zeros; ``place`` (int64, texts) says at which word each begins. The others are arrays of a
    ``Collection``."""
    for d in range(len(place)):
        first = d_passage[d]
        last = d_passage[d + 1]
        begin = p_token[first]
        end = p_token[last]
        k = place[d]
        words[k] = d_length[d]
        words[k + 1] = d_letters[d]
        words[k + 2] = last - first
        words[k + 3] = end - begin
        k += HEADER
        n = last - first
        before = 0
        for i in range(n):
            p = first + i
            words[k + i] = p_token[p + 1] - p_token[p]
            words[k + n + i] = p_start[p] - before
            words[k + 2 * n + i] = p_end[p] - p_start[p]
            before = p_start[p]
        k += 3 * n
        m = end - begin
        before = 0
        for i in range(m):
            words[k + i] = t_word[begin + i]
            words[k + m + i] = t_start[begin + i] - before
            before = t_start[begin + i]
        k += 2 * m
        for i in range(m):
            halves[2 * k + i] = t_length[begin + i]
        k += (m + 1) // 2
        for i in range(n):
            marks[4 * k + i] = p_quoted[first + i]
            marks[4 * k + n + i] = p_speech[first + i]


@kernel
def counts(place, words):
    """Passages and tokens of each frame (int64)."""
    passages = np.empty(len(place), np.int64)
    tokens = np.empty(len(place), np.int64)
    for d in range(len(place)):
        passages[d] = words[place[d] + 2]
        tokens[d] = words[place[d] + 3]
    return passages, tokens


@kernel
def unpack(
    place,
    words,
    halves,
    marks,
    d_length,
    d_letters,
    d_passage,
    p_token,
    p_start,
    p_end,
    p_quoted,
    p_speech,
    p_article,
    t_word,
    t_start,
    t_length,
):
    """The reverse of ``pack``; ``d_passage`` is given, the others are filled."""
    t = 0
    p_token[0] = 0
    for d in range(len(place)):
        k = place[d]
        d_length[d] = words[k]
        d_letters[d] = words[k + 1]
        n = words[k + 2]
        m = words[k + 3]
        k += HEADER
        first = d_passage[d]
        reached = t
        start = 0
        for i in range(n):
            p = first + i
            reached += words[k + i]
            p_token[p + 1] = reached
            start += words[k + n + i]
            p_start[p] = start
            p_end[p] = start + words[k + 2 * n + i]
            p_article[p] = d
        k += 3 * n
        start = 0
        for i in range(m):
            t_word[t + i] = words[k + i]
            start += words[k + m + i]
            t_start[t + i] = start
        k += 2 * m
        for i in range(m):
            t_length[t + i] = halves[2 * k + i]
        k += (m + 1) // 2
        for i in range(n):
            p_quoted[first + i] = marks[4 * k + i]
            p_speech[first + i] = marks[4 * k + n + i]
        t += m


@kernel
def words_of(d_passage, p_token, t_word, v_hash, v_bits):
    """What ``vocabulary.number_words`` says of texts whose words have their numbers already.

    Returns ``(d_word, w_word, w_passages, p_content, c_word, p_key, p_information)`` as there; the
    content words of each passage are in order.
    """
    texts = len(d_passage) - 1
    passages = len(p_token) - 1
    tokens = len(t_word)
    d_word = np.empty(texts + 1, np.int64)
    w_word = np.empty(tokens, np.int32)
    w_passages = np.empty(tokens, np.uint16)
    p_content = np.empty(passages + 1, np.int64)
    c_word = np.empty(tokens, np.int32)
    p_key = np.empty(passages, np.uint64)
    p_information = np.empty(passages, np.float32)
    place = np.full(len(v_hash), -1, np.int64)  # in w_word
    last = np.full(tokens, -1, np.int64)  # passage that it was seen in last
    n = 0
    m = 0
    for d in range(texts):
        d_word[d] = n
        for p in range(d_passage[d], d_passage[d + 1]):
            p_content[p] = m
            key = np.uint64(0x9E3779B97F4A7C15)
            quarters = 0
            for t in range(p_token[p], p_token[p + 1]):
                word = t_word[t]
                key = (key ^ v_hash[word]) * np.uint64(0xFF51AFD7ED558CCD)
                key ^= key >> np.uint64(32)
                at = place[word]
                if at < d_word[d]:
                    at = n
                    place[word] = n
                    w_word[n] = word
                    w_passages[n] = 0
                    n += 1
                if last[at] == p:
                    continue
                last[at] = p
                if w_passages[at] < MOST_PASSAGES:
                    w_passages[at] += 1
                if v_bits[word] & CONTENT:
                    k = m
                    while k > p_content[p] and c_word[k - 1] > word:
                        c_word[k] = c_word[k - 1]
                        k -= 1
                    c_word[k] = word
                    m += 1
                    quarters += v_bits[word] & QUARTERS
            p_key[p] = key
            p_information[p] = np.float32(quarters / 4.0)
    d_word[texts] = n
    p_content[passages] = m
    return (
        d_word,
        w_word[:n].copy(),
        w_passages[:n].copy(),
        p_content,
        c_word[:m].copy(),
        p_key,
        p_information,
    )
