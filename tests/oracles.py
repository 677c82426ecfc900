"""Slow and obviously right: what the fast code is measured against, and made-up news for it."""

from __future__ import annotations

import itertools
import math
import random
import re
import unicodedata
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from dedup import tokens
from dedup.segment import folded, pack_texts, segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# --- tokens -----------------------------------------------------------------------------------


def plain_tokens(text: str) -> list[str]:
    """Tokens of alphabetic text, by the standard library: accents and case off, joined by ’ and '.

    For Latin, Greek and Cyrillic letters, digits, and what stands between them.
    """
    text = unicodedata.normalize("NFKD", text)
    text = re.sub("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]", "", text)
    text = re.sub(r"(?<=\w)['’](?=\w)", "", text)
    return [w.lower().replace("ς", "σ") for w in re.findall(r"[^\W_]+", text)]


def hash32(data: bytes) -> int:
    """FNV-1a of 64 bits, XOR-folded to 32, from the definition of its authors."""
    h = 0xCBF29CE484222325
    for byte in data:
        h ^= byte
        h = h * 0x100000001B3 % 2**64
    return (h >> 32) ^ (h & 0xFFFFFFFF)


def placed_tokens(text: str) -> list[tuple[str, int, int, int]]:
    """``(token, start, end, passage)`` of a text, in order."""
    s = segment(*pack_texts([text]))
    passage = {}
    for p in range(len(s.p_start)):
        for t in range(s.p_token[p], s.p_token[p + 1]):
            passage[t] = p
    out = [
        (folded(text, int(a), int(b)), int(a), int(b), passage[t])
        for t, (a, b) in enumerate(zip(s.t_start, s.t_end, strict=True))
    ]
    assert [token for token, *_ in out] == tokens(text)
    return out


# --- similarity ---------------------------------------------------------------------------------


def tfisf_cosine(
    text_a: str, span_a: tuple[int, int], text_b: str, span_b: tuple[int, int]
) -> float:
    """Cosine of two spans' TF-ISF vectors, weights from the passages of the two texts.

    ``weight = ln((1 + N) / (1 + n)) + 1``; N passages in all, n of them with the word.
    """
    sides = [placed_tokens(text_a), placed_tokens(text_b)]
    passages = sum(max((p for *_, p in side), default=-1) + 1 for side in sides)
    held = Counter(word for side in sides for word, _ in {(t, p) for t, _, _, p in side})
    weight = {word: math.log((1 + passages) / (1 + n)) + 1 for word, n in held.items()}
    one, two = (
        Counter(t for t, start, end, _ in side if span[0] <= start and end <= span[1])
        for side, span in zip(sides, (span_a, span_b), strict=True)
    )
    dot = sum(one[w] * two[w] * weight[w] ** 2 for w in one)
    norms = [math.sqrt(sum((n * weight[w]) ** 2 for w, n in bag.items())) for bag in (one, two)]
    return dot / (norms[0] * norms[1]) if norms[0] and norms[1] else 0.0


def jaccard(one: Iterable[str], two: Iterable[str]) -> float:
    """Share of the distinct tokens of either that both have."""
    one, two = set(one), set(two)
    return len(one & two) / len(one | two) if one | two else 0.0


# --- graphs -------------------------------------------------------------------------------------


def components(nodes: Iterable[Any], edges: Iterable[tuple[Any, Any]]) -> set[frozenset[Any]]:
    """Connected components by repeated merging of sets."""
    of = {node: {node} for node in nodes}
    for a, b in edges:
        if of[a] is not of[b]:
            of[a] |= of[b]
            for node in of[b]:
                of[node] = of[a]
    return {frozenset(part) for part in of.values()}


def stars(order: Sequence[int], edges: set[tuple[int, int]]) -> dict[int, int]:
    """Greedy star clustering: each node still free, in order, takes its free neighbours."""
    centre: dict[int, int] = {}
    for u in order:
        if u not in centre:
            centre[u] = u
            for v in {y for x, y in edges if x == u} | {x for x, y in edges if y == u}:
                centre.setdefault(v, u)
    return centre


# --- made-up news -------------------------------------------------------------------------------

_LINKS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "that",
    "for",
    "with",
    "was",
    "on",
    "at",
    "by",
    "from",
    "after",
    "their",
    "its",
    "had",
    "been",
]
_ONSET = [
    "b",
    "br",
    "ch",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "j",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "z",
]
_VOWEL = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]


class Writer:
    """Writes sentences of invented words, seeded; every writer has a vocabulary of its own."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(f"writer {seed}")

    def word(self) -> str:
        r = self.random
        return "".join(r.choice(_ONSET) + r.choice(_VOWEL) for _ in range(r.randint(2, 4)))

    def sentence(self, words: int = 14, stop: str = ".") -> str:
        """A sentence, two words of three invented."""
        r = self.random
        out = [self.word() if r.random() < 0.66 else r.choice(_LINKS) for _ in range(words)]
        return " ".join(out).capitalize() + stop

    def sentences(self, count: int) -> list[str]:
        return [self.sentence(self.random.randint(11, 18)) for _ in range(count)]

    def quote(self) -> str:
        return f"“{self.sentence(13, ',')}”"


def newsroom(seed: int, stories: int = 4, loners: int = 6) -> list[dict[str, Any]]:
    """A small dump: wire stories copied, cut and retitled, quotes, furniture, revisions, lifts.

    Every outlet signs all its articles with the same two sentences; every story is carried by
    two to five outlets, one outlet revises its own, another lifts three sentences into a text of
    its own; one statement is quoted in three loners.
    """
    r = random.Random(f"newsroom {seed}")
    w = Writer(f"newsroom {seed}")
    outlets = [f"{w.word()}.example" for _ in range(5)]
    signature = {o: " ".join(w.sentences(2)) for o in outlets}
    number = itertools.count(1)
    records: list[dict[str, Any]] = []

    def publish(outlet: str, body: Sequence[str], day: int, **more: Any) -> dict[str, Any]:
        record = {
            "id": f"{outlet.split('.')[0]}-{next(number):03}",
            "outlet": outlet,
            "title": w.sentence(6, ""),
            "published": None
            if r.random() < 0.1
            else f"2024-03-{day:02}T{r.randint(0, 23):02}:15:00Z",
            "text": "\n\n".join([*body, signature[outlet]]),
            **more,
        }
        records.append(record)
        return record

    for story in range(stories):
        wire = w.sentences(r.randint(6, 9))
        wire[3] = f"{w.quote()} said {w.word().capitalize()} {w.word().capitalize()}."
        day = r.randint(1, 20)
        carriers = r.sample(outlets, r.randint(2, 5))
        for place, outlet in enumerate(carriers):
            body = list(wire)
            if place and r.random() < 0.5:
                body = body[: r.randint(5, len(body))]
            if place and r.random() < 0.5:
                body[0] = w.sentence(15)
            credit = f"{w.word().upper()} (AP) — " if place % 2 else ""
            publish(outlet, [credit + body[0], *body[1:]], day + place)
        if story % 2:
            first = records[-1]
            revised = first["text"].replace(wire[1], wire[1] + " " + w.sentence(12))
            records.append({**first, "text": revised, "published": f"2024-03-{day + 6:02}"})
        lifted = w.sentences(3) + wire[1:4] + w.sentences(6)
        publish(r.choice(outlets), lifted, day + 1)
        if story == 0:  # the very same text in two outlets more, without furniture
            for outlet in outlets[:2]:
                publish(outlet, [], day + 7)["text"] = " ".join(wire)
    statement = w.quote()
    for k in range(loners):
        body = w.sentences(9)
        if k < 3:
            body[r.randint(2, 6)] = f"{statement} said {w.word().capitalize()}."
        publish(outlets[k % len(outlets)], body, r.randint(1, 27))
    return records


def by_pair(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows of ``matches`` or ``relations`` by their two articles."""
    out: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        out[row["a"], row["b"]].append(row)
    return dict(out)
