"""Controlled edits of a text, each decided by a random generator and the text alone.

A text is a list of sentences, each with the white space after it. An edit gives a list of
:class:`Piece`, which says of every sentence of the edited text which sentence of the original
it comes from, if any; so the true spans of an edited pair follow from the edit itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

Span = tuple[int, int, int, int]
"""``a_start, a_end, b_start, b_end``: characters of the original and the edited text."""

SENTENCE_END = re.compile(
    r"(?:[。！？]+|[.!?؟]+(?=[\"”’»)\]]*(?:\s|$)))[\"”’»」』）)\]]*\s*|\s*\n\s*"
)
SPACED_WORD = re.compile(r"[^\W_](?:\S*[^\W_])?")
DENSE_WORD = re.compile(r"[\u3400-\u9fff]{1,2}|[A-Za-z0-9]+(?:[.,][0-9]+)*")
ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Rev|Hon|Pres|St|Jr|Sr|Inc|Corp|Ltd|Co"
    r"|vs|No|a\.m|p\.m|Jan|Feb|Aug|Sept|Oct|Nov|Dec)\.\s*$"
)
LEAST_SENTENCE = 8
"""Characters: a shorter piece is joined to the sentence after it."""


@dataclass(frozen=True)
class Script:
    """How a language writes: what stands after a sentence at least, and what counts as a word.

    Words between spaces carry their inner punctuation. Chinese has no spaces: a run of its
    characters is cut into pieces of two, the most frequent length of a word.
    """

    name: str
    separator: str
    word: re.Pattern[str]

    def ended(self, sentence: str) -> str:
        """A sentence with the white space after it: its own (a paragraph may end), or the least."""
        return sentence if sentence[-1:].isspace() else sentence + self.separator

    def words(self, sentence: str) -> list[tuple[int, int]]:
        """Spans of the words of a sentence."""
        return [m.span() for m in self.word.finditer(sentence)]

    def count(self, sentences: Sequence[str]) -> int:
        """How many words ``sentences`` have."""
        return sum(len(self.words(s)) for s in sentences)


SCRIPTS = {
    "English": Script("English", " ", SPACED_WORD),
    "Chinese": Script("Chinese", "", DENSE_WORD),
    "Indonesian": Script("Indonesian", " ", SPACED_WORD),
    "Arabic": Script("Arabic", " ", SPACED_WORD),
}


@dataclass(frozen=True)
class Piece:
    """A sentence of an edited text; ``origin`` is its place in the original, None if foreign."""

    text: str
    origin: int | None


def sentences(script: Script, text: str) -> list[str]:
    """The sentences of a text, each with the white space after it."""
    found: list[str] = []
    held = ""
    at = 0
    for match in SENTENCE_END.finditer(text):
        held = (held + text[at : match.end()]).lstrip()
        at = match.end()
        if len(held.rstrip()) >= LEAST_SENTENCE and not ABBREVIATION.search(held):
            found.append(script.ended(held))
            held = ""
    rest = (held + text[at:]).strip()
    return [*found, script.ended(rest)] if rest else found


def running(pieces: Sequence[Piece]) -> str:
    """The text that the pieces make."""
    return "".join(p.text for p in pieces).rstrip()


def vocabulary(script: Script, texts: Sequence[Sequence[str]]) -> list[str]:
    """Every occurrence of every word: a draw from it is in proportion to frequency."""
    return [s[a:b] for text in texts for s in text for a, b in script.words(s)]


def untouched(original: Sequence[str]) -> list[Piece]:
    """The original as it is."""
    return [Piece(s, i) for i, s in enumerate(original)]


def replace_words(
    pieces: Sequence[Piece], share: float, script: Script, words: Sequence[str], rng: Random
) -> list[Piece]:
    """Replace ``share`` of the words of ``pieces`` by others drawn from ``words``."""
    spans = [script.words(p.text) for p in pieces]
    places = [(i, j) for i, row in enumerate(spans) for j in range(len(row))]
    chosen = set(rng.sample(places, round(share * len(places))))
    edited = []
    for i, piece in enumerate(pieces):
        out = []
        at = 0
        for j, (start, end) in enumerate(spans[i]):
            if (i, j) in chosen:
                out.append(piece.text[at:start])
                out.append(_other(piece.text[start:end], words, rng))
                at = end
        edited.append(Piece("".join(out) + piece.text[at:], piece.origin))
    return edited


def _other(word: str, words: Sequence[str], rng: Random) -> str:
    """Another word; a capital stays where it was, as an editor would leave it."""
    while True:
        drawn = rng.choice(words)
        if drawn.casefold() != word.casefold():
            return drawn[0].upper() + drawn[1:] if word[0].isupper() else drawn


def drop_sentences(pieces: Sequence[Piece], share: float, rng: Random) -> list[Piece]:
    """Leave out ``share`` of the sentences, one at least; one at least stays."""
    gone = min(len(pieces) - 1, max(1, round(share * len(pieces))))
    lost = set(rng.sample(range(len(pieces)), gone))
    return [p for i, p in enumerate(pieces) if i not in lost]


def reorder_sentences(pieces: Sequence[Piece], rng: Random) -> list[Piece]:
    """The sentences in another, random order."""
    order = list(range(len(pieces)))
    while len(order) > 1 and order == sorted(order):
        rng.shuffle(order)
    return [pieces[i] for i in order]


def insert_sentences(
    pieces: Sequence[Piece], share: float, foreign: Sequence[str], rng: Random
) -> list[Piece]:
    """Insert ``share`` as many sentences of ``foreign``, one at least, at random places."""
    edited = list(pieces)
    for sentence in rng.sample(list(foreign), max(1, round(share * len(pieces)))):
        edited.insert(rng.randint(1, max(1, len(edited) - 1)), Piece(sentence, None))
    return edited


def embed(pieces: Sequence[Piece], host: Sequence[str], rng: Random) -> list[Piece]:
    """Put ``pieces`` between two sentences of an unrelated text."""
    at = rng.randint(1, max(1, len(host) - 1))
    around = [Piece(s, None) for s in host]
    return [*around[:at], *pieces, *around[at:]]


def true_spans(original: Sequence[str], edited: Sequence[Piece]) -> list[Span]:
    """What the edited text has of the original, sentence by sentence."""
    starts = list(accumulate(map(len, original), initial=0))
    spans = []
    at = 0
    for piece in edited:
        if piece.origin is not None:
            start = starts[piece.origin]
            length = len(original[piece.origin].rstrip())
            spans.append((start, start + length, at, at + len(piece.text.rstrip())))
        at += len(piece.text)
    return spans


@dataclass(frozen=True)
class Context:
    """What an edit may draw on: the script, its words, and sentences of other texts."""

    script: Script
    words: Sequence[str]
    foreign: Sequence[str]


Edit = Callable[[Sequence[Piece], Context, Random], list[Piece]]
THIRD = 1 / 3


def _replacing(share: float) -> Edit:
    return lambda pieces, c, rng: replace_words(pieces, share, c.script, c.words, rng)


EDITS: dict[str, Edit] = {
    "5 % of words replaced": _replacing(0.05),
    "10 % of words replaced": _replacing(0.10),
    "20 % of words replaced": _replacing(0.20),
    "30 % of words replaced": _replacing(0.30),
    "a third of sentences dropped": lambda pieces, _, rng: drop_sentences(pieces, THIRD, rng),
    "sentences reordered": lambda pieces, _, rng: reorder_sentences(pieces, rng),
    "a third of foreign sentences inserted": lambda pieces, c, rng: insert_sentences(
        pieces, THIRD, c.foreign, rng
    ),
}
