"""Banded LSH: band keys of passages, and the pairs of passages that share one and prove alike.

Keys come from MinHash signatures over content words (see ``minhash``). Two passages of one bucket
are compared by their content words at once: a bitmap of each set bounds what they can share (as a
Bloom filter does), a merge of the sets decides.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel, leaf
from dedup.kernels.machine import fetch, ones
from dedup.kernels.minhash import QUARTERS, fmix32, fold32
from dedup.kernels.vocabulary import widened

DIGIT = 11  # bits sorted at a time
BITS = 176  # of a bitmap
LOW = np.uint64(2 ** (BITS - 128) - 1)
QUARTERS_HELD = np.uint64(2**16 - 1)
LANES = 8
# Beside its card, a passage's line of memory (16 numbers of 32 bits) holds its keys of the bands
# under way, and a bit for each in whose bucket it is one of too many.
KEYS = 8
FULL = 15
LOOSE = np.uint8(1)
BESIDE = np.uint8(2)
NEAR = 24  # passages ahead at which the words of one are prefetched; its line at twice that


@kernel
def mixed_hashes(v_hash):
    """``fmix32`` of every word's 32-bit hash (uint32): what the permutations are applied to."""
    out = np.empty(len(v_hash), np.uint32)
    for w in range(len(v_hash)):
        out[w] = fmix32(fold32(v_hash[w]))
    return out


@kernel
def band_keys(passage, p_content, c_word, mixed, a, b, rows, out):
    """Keys of some bands (``out`` uint32, passages x bands): a hash of ``rows`` minima each.

    ``passage`` int64; ``a``, ``b`` (uint32, bands * rows): the permutations of these bands.
    """
    bands = out.shape[1]
    # Vector units take so many at a time: the bands stand side by side, filled up with idle ones,
    # in the order of their rows, so that they are hashed together, too.
    lanes = (bands + LANES - 1) // LANES * LANES
    factor = np.zeros(rows * lanes, np.uint32)
    term = np.zeros(rows * lanes, np.uint32)
    for band in range(bands):
        for r in range(rows):
            factor[r * lanes + band] = a[band * rows + r]
            term[r * lanes + band] = b[band * rows + r]
    perms = rows * lanes
    signature = np.empty(perms, np.uint32)
    key = np.empty(lanes, np.uint32)
    for i in range(len(passage)):
        signature[:] = np.uint32(0xFFFFFFFF)
        for j in range(p_content[passage[i]], p_content[passage[i] + 1]):
            h = mixed[c_word[j]]
            for k in range(perms):
                signature[k] = min(signature[k], np.uint32(factor[k] * h + term[k]))
        key[:] = np.uint32(0x811C9DC5)
        for r in range(rows):
            for k in range(lanes):
                h = fmix32(np.uint32(key[k] ^ signature[r * lanes + k]))
                key[k] = np.uint32(h * np.uint32(5) + np.uint32(0xE6546B64))
        for band in range(bands):
            out[i, band] = key[band]


@kernel
def cards(passage, p_content, c_word, p_information, mixed, out):
    """What is looked at of every passage, side by side in memory (``out`` uint64, (passages, 4 at
    least), zeroed).

    A bitmap of its content words, 176 bits; the 16 bits above say how many words there are, and
    how many share a bit with another (a passage has fewer than 256 tokens). Then where its words
    begin in ``c_word`` (48 bits), above its information in quarters of a bit (16).
    """
    for i in range(len(passage)):
        p = passage[i]
        size = p_content[p + 1] - p_content[p]
        for j in range(p_content[p], p_content[p + 1]):
            bit = mixed[c_word[j]] % np.uint32(BITS)
            out[i, bit >> np.uint32(6)] |= np.uint64(1) << np.uint64(bit & np.uint32(63))
        spare = size - ones(out[i, 0]) - ones(out[i, 1]) - ones(out[i, 2])
        out[i, 2] |= np.uint64(size) << np.uint64(56) | np.uint64(spare) << np.uint64(48)
        quarters = np.uint64(4.0 * p_information[p])
        out[i, 3] = np.uint64(p_content[p]) << np.uint64(16) | quarters


@leaf
def first_word(card):
    """Where the words of a passage begin."""
    return np.int64(card[3] >> np.uint64(16))


@kernel
def in_order(here, there):
    """Entries (uint64: a key high, a number low) in the order of their keys, equal keys as they
    came: a radix sort from the lowest digit. The outcome lies in one of both arrays."""
    digits = 1 << DIGIT
    count = np.zeros((3, digits), np.int64)
    for e in range(len(here)):
        k = np.int64(here[e] >> np.uint64(32))
        for d in range(3):
            count[d, (k >> (d * DIGIT)) & (digits - 1)] += 1
    for d in range(3):
        total = 0
        for k in range(digits):
            size = count[d, k]
            count[d, k] = total
            total += size
        shift = np.uint64(32 + d * DIGIT)
        for e in range(len(here)):
            k = np.int64((here[e] >> shift) & np.uint64(digits - 1))
            there[count[d, k]] = here[e]
            count[d, k] += 1
        here, there = there, here
    return here


@kernel
def sorted_entries(keys, room):
    """Passages in the order of their keys: uint64, key (uint32) high, number low.

    Equal keys keep the order of their numbers. The outcome lies in ``room`` (uint64, (2, passages
    at least)).
    """
    n = len(keys)
    for i in range(n):
        room[0, i] = (np.uint64(keys[i]) << np.uint64(32)) | np.uint64(i)
    return in_order(room[0, :n], room[1, :n])


@leaf
def part_of(key, parts):
    """The part of all keys (uint32) that a key belongs to, when they are cut into ``parts``."""
    return np.int64((np.uint64(key) * np.uint64(parts)) >> np.uint64(32))


@kernel
def part_sizes(keys, parts):
    """How many of the ``keys`` (uint32) belong to each of ``parts`` (int64)."""
    out = np.zeros(parts, np.int64)
    for i in range(len(keys)):
        out[part_of(keys[i], parts)] += 1
    return out


@leaf
def common_words(i, end_i, j, end_j, c_word, v_bits):
    """Words that two sets have in common (ranges of ``c_word``, ascending): how many, and their
    information in quarters of a bit."""
    n = 0
    shared = 0
    while i < end_i and j < end_j:
        x = c_word[i]
        y = c_word[j]
        if x == y:
            n += 1
            shared += v_bits[x] & QUARTERS
        i += x <= y
        j += y <= x
    return n, shared


@leaf
def shared_information(u, v, card, c_word, v_bits, jaccard, least, dice, inside):
    """Information that passages ``u`` and ``v`` share (quarters of a bit; ``card``: see ``cards``).

    0 unless their content words have at least ``jaccard`` in common, and what is shared reaches
    ``least``, and by information either the Dice coefficient ``dice`` or the share ``inside`` of
    the lesser passage.
    """
    i = first_word(card[u])
    j = first_word(card[v])
    own_u = np.int64(card[u, 2] >> np.uint64(56))
    own_v = np.int64(card[v, 2] >> np.uint64(56))
    n, shared = common_words(i, i + own_u, j, j + own_v, c_word, v_bits)
    return shared if are_alike(u, v, card, n, shared, jaccard, least, dice, inside) else 0


@leaf
def are_alike(u, v, card, n, shared, jaccard, least, dice, inside):
    """Whether two passages that have ``n`` words in common, with ``shared`` quarters of a bit, are
    alike by the rules of ``shared_information``."""
    size = np.int64(card[u, 2] >> np.uint64(56)) + np.int64(card[v, 2] >> np.uint64(56))
    if shared < least or n < jaccard * (size - n):
        return False
    a = np.int64(card[u, 3] & QUARTERS_HELD)
    b = np.int64(card[v, 3] & QUARTERS_HELD)
    return 2 * shared >= dice * (a + b) or shared >= inside * min(a, b)


@leaf
def may_be_alike(u, v, card, jaccard):
    """Whether the bitmaps of two passages leave room for ``jaccard``."""
    one = card[u, 2]
    two = card[v, 2]
    common = ones(card[u, 0] & card[v, 0]) + ones(card[u, 1] & card[v, 1]) + ones(one & two & LOW)
    # Words of one passage that share a bit: so many more may be common.
    spare = min((one >> np.uint64(48)) & np.uint64(255), (two >> np.uint64(48)) & np.uint64(255))
    most = common + np.int64(spare)
    size = np.int64(one >> np.uint64(56)) + np.int64(two >> np.uint64(56))
    return most >= jaccard * (size - most)


@leaf
def smallest_first(entries, count, passage, p_key):
    """Bring the ``count`` entries whose passages have the smallest keys to the front, in order."""
    low = np.uint64(0xFFFFFFFF)
    for x in range(len(entries)):
        y = x
        if x >= count:
            if p_key[passage[entries[x] & low]] >= p_key[passage[entries[count - 1] & low]]:
                continue
            entries[x], entries[count - 1] = entries[count - 1], entries[x]
            y = count - 1
        while y > 0 and p_key[passage[entries[y - 1] & low]] > p_key[passage[entries[y] & low]]:
            entries[y - 1], entries[y] = entries[y], entries[y - 1]
            y -= 1


@leaf
def keep_shared(entries):
    """Move the entries (in order) that have the key of another one to the front; how many."""
    low = np.uint64(0xFFFFFFFF)
    n = 0
    before = False
    for x in range(len(entries)):
        # Without a branch: which keys are shared cannot be foreseen.
        after = x + 1 < len(entries) and entries[x] ^ entries[x + 1] <= low
        entries[n] = entries[x]
        n += before | after
        before = after
    return n


@kernel
def part_entries(keys, part, parts, room):
    """Sorted entries (see ``sorted_entries``) of the passages whose key (``keys`` uint32) belongs
    to a part. They lie in ``room`` (uint64, (2, one more than the part has))."""
    m = 0
    for i in range(len(keys)):
        room[0, m] = (np.uint64(keys[i]) << np.uint64(32)) | np.uint64(i)
        m += part_of(keys[i], parts) == part
    return in_order(room[0, :m], room[1, :m])


@kernel
def marks_of(keys):
    """The keys (uint32, passages x bands) of each band as a set (uint64, bands x a power of two):
    a bit for each by the lowest bits of the key, of which at most one in 32 is set."""
    size = 1 << 10
    while size < 32 * len(keys):
        size *= 2
    out = np.zeros((keys.shape[1], size // 64), np.uint64)
    mask = np.uint32(size - 1)
    for i in range(len(keys)):
        for band in range(keys.shape[1]):
            bit = keys[i, band] & mask
            out[band, bit >> np.uint32(6)] |= np.uint64(1) << np.uint64(bit & np.uint32(63))
    return out


@kernel
def marked_entries(keys, first, marks, room):
    """Entries of the passages from number ``first`` on whose key of a band (``keys`` uint32,
    passages x bands) is among ``marks`` (see ``marks_of``), and of a few others; they lie in
    ``room`` (uint64, (bands, passages and one more)). Returns how many each band has (int64)."""
    bands = keys.shape[1]
    out = np.zeros(bands, np.int64)
    mask = np.uint32(64 * marks.shape[1] - 1)
    for band in range(bands):
        m = 0
        for i in range(len(keys)):
            key = keys[i, band]
            bit = key & mask
            mark = (marks[band, bit >> np.uint32(6)] >> np.uint64(bit & np.uint32(63))) & np.uint64(
                1
            )
            room[band, m] = (np.uint64(key) << np.uint64(32)) | np.uint64(first + i)
            m += np.int64(mark)
        out[band] = m
    return out


@kernel
def entries_of_part(entries, part, parts, room):
    """Those of some ``entries`` (uint64) whose key belongs to a part, in order. They lie in
    ``room`` (uint64, (2, one more than the part has))."""
    m = 0
    for e in range(len(entries)):
        room[0, m] = entries[e]
        m += part_of(np.uint32(entries[e] >> np.uint64(32)), parts) == part
    return in_order(room[0, :m], room[1, :m])


@kernel
def loosen(entries, fresh, cap, representatives, passage, p_key, loose):
    """Mark the passages of a full bucket that may have carried pairs before the ``fresh`` ones:
    all if it was not full, else representatives that are displaced (bit :data:`LOOSE`; and
    :data:`BESIDE` for all of its passages, the other ends of such pairs).

    ``entries`` has the present representatives in front.
    """
    low = np.uint64(0xFFFFFFFF)
    known = 0
    for e in range(len(entries)):
        known += 1 - fresh[np.int64(entries[e] & low)]
    if known == len(entries):
        return
    if known <= cap:
        for e in range(len(entries)):
            u = np.int64(entries[e] & low)
            loose[u] |= (1 - fresh[u]) * (LOOSE | BESIDE)
        return
    # So many of the known ones stand in front still; the others that did were displaced.
    ahead = 0
    for e in range(representatives):
        ahead += 1 - fresh[np.int64(entries[e] & low)]
    if ahead == representatives:
        return
    rest = np.empty(known - ahead, np.uint64)
    n = 0
    for e in range(representatives, len(entries)):
        if not fresh[np.int64(entries[e] & low)]:
            rest[n] = entries[e]
            n += 1
    smallest_first(rest, representatives - ahead, passage, p_key)
    for e in range(len(entries)):
        loose[np.int64(entries[e] & low)] |= BESIDE
    for e in range(representatives - ahead):
        loose[np.int64(rest[e] & low)] |= LOOSE


@kernel
def join_band(
    band,
    entries,
    passage,
    p_key,
    c_word,
    v_bits,
    card,
    jaccard,
    least,
    dice,
    inside,
    cap,
    representatives,
    fresh,
    all_fresh,
    loose,
    line,
    ahead,
):
    """Pairs of passages that share a key of a band and prove alike (``shared_information``), among
    some ``entries`` (uint64, see ``sorted_entries``; of each key all or none), which are used up.

    ``passage`` (int64) the passages; ``card`` (uint64, (passages, 8)) their cards, with room to a
    whole line of memory, which ``line`` (uint32, (passages, 16)) shows as numbers of 32 bits: from
    :data:`KEYS` on the keys of some bands, at :data:`FULL` a bit for each of them whether the
    passage is in one of the greater buckets, which this kernel sets; the entries are of number
    ``band``. A bucket of up to ``cap`` passages is compared all with all; in a greater one every
    passage is compared with the ``representatives`` that have the smallest keys only. What a bucket
    of the bands before has compared is not compared again.

    Only pairs with a ``fresh`` passage (uint8, passages) are looked at; ``all_fresh``: all are.
    ``loose`` (uint8) marks others whose pairs may have been found in a bucket that is full now (see
    ``loosen``). ``ahead`` (uint8, passages; the bit of this band zero) receives a bit for each
    band: whether a passage is a representative of one of the greater buckets.

    Returns the pairs (uint64: lesser number high, greater low; once each), the information that
    each shares (int32 quarters of a bit), and how many buckets were greater.
    """
    found = np.empty(1024, np.uint64)
    shared = np.empty(1024, np.int32)
    count = 0
    capped = 0
    low = np.uint64(0xFFFFFFFF)
    entries = entries[: keep_shared(entries)]
    ours = np.empty(max(cap, representatives), np.int64)  # places of the fresh ones of a bucket
    i = 0
    seen = np.int64(0)
    read = np.int64(0)
    while i < len(entries):
        j = i + 1
        while j < len(entries) and (entries[j] ^ entries[i]) <= low:
            j += 1
        if j - i > cap:
            capped += 1
            smallest_first(entries[i:j], representatives, passage, p_key)
            if not all_fresh:
                loosen(entries[i:j], fresh, cap, representatives, passage, p_key, loose)
            for x in range(i, j):
                line[np.int64(entries[x] & low), FULL] |= np.uint32(1 << band)
            for x in range(i, i + representatives):
                ahead[np.int64(entries[x] & low)] |= np.uint8(1 << band)
        n = 0
        for x in range(i, j if j - i <= cap else i + representatives):
            ours[n] = x
            n += fresh[np.int64(entries[x] & low)]
            if n == len(ours):
                break
        for x in range(i + 1, j):
            # Passages of a bucket lie anywhere: what will be looked at is asked for before.
            while seen < min(len(entries), x + 2 * NEAR):
                fetch(card, np.int64(entries[seen] & low))
                seen += 1
            while read < min(len(entries), x + NEAR):
                fetch(c_word, first_word(card[np.int64(entries[read] & low)]))
                read += 1
            v = np.int64(entries[x] & low)
            last = x if j - i <= cap else min(x, i + representatives)
            every = all_fresh or fresh[v] != 0
            for k in range(last - i if every else n):
                y = i + k if every else ours[k]
                if y >= last:
                    break
                u = np.int64(entries[y] & low)
                if not may_be_alike(u, v, card, jaccard):
                    continue
                known = False
                for other in range(band):
                    known = known or (
                        line[u, KEYS + other] == line[v, KEYS + other]
                        and not (line[u, FULL] >> other) & 1
                    )
                if known:
                    continue
                bits = shared_information(u, v, card, c_word, v_bits, jaccard, least, dice, inside)
                if bits == 0:
                    continue
                if count == len(found):
                    found = widened(found, 2 * count)
                    shared = widened(shared, 2 * count)
                shared[count] = bits
                found[count] = (np.uint64(min(u, v)) << np.uint64(32)) | np.uint64(max(u, v))
                count += 1
        i = j
    return found[:count].copy(), shared[:count].copy(), capped
