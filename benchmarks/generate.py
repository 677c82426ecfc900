"""Dumps of invented news, for measuring how time and memory grow.

    python benchmarks/generate.py news 100000 dump.jsonl [--seed 1]

Streams JSON Lines to a file; memory does not grow with the number of articles. The first ``n``
articles of a longer dump of the same kind and seed are those of a shorter one. Kinds:

- ``news``: articles as an outlet's site shows them, of events, with copies, quotes and furniture
  (:func:`news`).
- ``identical``: one text, in every article.
- ``footer``: every article has words of its own and one and the same last line.
- ``quote``: every article has words of its own and one and the same quote.
- ``story``: one story, every copy with other small edits, each in an outlet of its own.

What is modelled in ``news`` was measured on a real dump of 37,554 English articles of 491
outlets: lengths (:data:`WORDS`, :data:`SENTENCES`), how often words occur (:data:`EXPONENTS`, and
with them how the vocabulary grows: 10,700 different words in 94,000 running words, 30,800 in
880,000, 141,700 in 36.7 million), outlets (:func:`outlet_shares`), missing dates. What was not
measured is set by hand: :data:`COPIED` and the other shares. Words are English function words
and invented ones, so nobody's text is in it; and no table of word frequencies knows the invented
words, so ``dedup`` takes each for a rare one.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections import deque
from dataclasses import dataclass
from functools import cache
from itertools import count, islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

Record = dict[str, Any]

SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
WORDS = (1, 1, 2, 9, 16, 25, 41, 54, 80)
"""Words of a passage at the quantiles :data:`SHARES`: measured between 1 and 99 %."""
SENTENCES = (5, 9, 12, 21, 33, 48, 92, 175, 320)
"""Sentences of an article, likewise: 78 % of the measured passages, as speech cuts a sentence in
two and furniture comes on top."""
PARAGRAPH = 2.2
"""Passages of a paragraph, on average."""
EXPONENTS = ((1, 0.91), (1_000, 1.43), (10_000, 2.35))
"""From this rank on, the frequency of a word falls with its rank to this power."""
VOCABULARY = 600_000
UNDATED = 0.12

COPIED = 0.1
"""Share of articles that are copies of an agency's story."""
VERBATIM, CUT = 0.4, 0.3
"""Shares of copies that keep all and that keep the beginning; the others are edited lightly."""
NEW_STORY, NEW_EVENT = 0.25, 0.4
"""Chance that an article opens a story (among copies) or an event (among reports). Otherwise it
joins one in proportion to its size (Simon 1955), so that sizes follow a power law."""
OPEN = 20_000
"""So many latest articles decide what is joined: events are forgotten."""
TOPICAL = 0.12
"""Share of the words of an article that come from the 40 words of its event."""
PHRASED = 0.03
"""Share of words at which one of 5,000 set phrases begins."""
SPEECH = 0.2
"""Chance that a sentence is speech: a fifth of the measured passages are."""
QUOTING = 0.4
"""Chance that a report holds a quote of its event."""
OUTLETS = 10_000
PER_DAY = 2_000

FUNCTION_WORDS = (
    "the of and to in a that for is on it with was as at by he be this from are have has not but "
    "said they we an his who you had will been were their more or which about one there would its "
    "what if all so after can out up when she no people also her than time into do them could new "
    "him over some my other just first like now how those our because only many most where two "
    "then before while should these between through being against any last during much since under "
    "such very still own both down well going back here off did until same another however per"
)
"""Most frequent first."""
_ONSETS = "b d f g h k l m n p r s t v z br dr fl gr kl pr st tr sk"
_VOWELS = "a e i o u ai ou"
_CODAS = ("", "", "", "n", "r", "l")
"""Half of the syllables are open."""


@cache
def vocabulary(size: int) -> tuple[str, ...]:
    """Function words, then pronounceable invented ones; all different, rarer ones longer.

    A smaller vocabulary is the beginning of a larger one.
    """
    syllables = ["".join(parts) for parts in product(_ONSETS.split(), _VOWELS.split(), _CODAS)]
    rng = np.random.default_rng(0)
    known = dict.fromkeys(FUNCTION_WORDS.split())
    while len(known) < size:
        drawn = rng.integers(len(syllables), size=(10_000, 4)).tolist()
        long = rng.random(10_000).tolist()
        for chosen, chance in zip(drawn, long, strict=True):
            # Two syllables at first; of the ten thousands, most have three, then four.
            length = 2 + (chance < len(known) / 20_000) + (chance < len(known) / 1_000_000)
            known["".join([syllables[c] for c in chosen[:length]])] = None
    return tuple(islice(known, size))


def word_shares(size: int) -> NDArray[np.float64]:
    """Relative frequencies by rank: power laws that meet (:data:`EXPONENTS`)."""
    rank = np.arange(1, size + 1, dtype=float)
    share = np.ones(size)
    starts = [start for start, _ in EXPONENTS]
    for (start, power), end in zip(EXPONENTS, [*starts[1:], size + 1], strict=True):
        here = slice(start - 1, min(end, size + 1) - 1)
        if start <= size:
            before = share[start - 2] if start > 1 else 1.0
            share[here] = before * (rank[here] / max(1, start - 1)) ** -power
    return share / share.sum()


def outlet_shares() -> NDArray[np.float64]:
    """Zipf and Mandelbrot. Measured: the greatest outlet has 8 %, the first hundred fall with the
    power 1.48 after a flat head, 216 outlets occur in 5,000 articles and 491 in 37,554."""
    share = (np.arange(1, OUTLETS + 1) + 12.0) ** -2.0
    return share / share.sum()


@dataclass
class Event:
    """What reports of one event have in common: its words and what was said."""

    topic: NDArray[np.int64]
    quotes: list[str]


class Writer:
    """Draws words, sentences and paragraphs; all chance comes from ``rng``."""

    def __init__(self, rng: np.random.Generator, size: int = VOCABULARY) -> None:
        self.rng = rng
        self.words = np.array(vocabulary(size), object)
        self.cumulated = np.cumsum(word_shares(size))
        self.cumulated[-1] = 1.0
        self.phrases = [self.draw(int(n)) for n in rng.integers(3, 6, 5_000)]

    def draw(self, number: int) -> NDArray[np.int64]:
        """Ranks of running words."""
        return np.searchsorted(self.cumulated, self.rng.random(number), side="right")

    def lengths(self, quantiles: tuple[int, ...], number: int) -> NDArray[np.int64]:
        """Draws from a distribution given by its quantiles at :data:`SHARES`."""
        return np.rint(np.interp(self.rng.random(number), SHARES, quantiles)).astype(np.int64)

    def event(self) -> Event:
        """A new event, of words that are neither very common nor unheard of."""
        span = min(100_000, len(self.words)) / 1_000
        topic = (1_000 * span ** self.rng.random(40)).astype(np.int64)
        said = self.sentences(int(self.rng.integers(1, 4)), topic, shortest=12)
        return Event(topic, [text.rstrip(".") for text in said])

    def sentences(
        self, number: int, topic: NDArray[np.int64] | None = None, shortest: int = 1
    ) -> list[str]:
        """Sentences of common words, set phrases and words of the topic."""
        sizes = np.maximum(self.lengths(WORDS, number), shortest)
        ends = np.cumsum(sizes)
        ranks = self.draw(int(ends[-1]))
        chance = self.rng.random(len(ranks))
        for start in np.flatnonzero(chance < PHRASED).tolist():
            phrase = self.phrases[int(len(self.phrases) * (chance[start] / PHRASED) ** 2)]
            ranks[start : start + len(phrase)] = phrase[: len(ranks) - start]
        if topic is not None:
            places = np.flatnonzero(chance > 1 - TOPICAL)
            # The first words of a topic are the more frequent ones.
            picked = (len(topic) * self.rng.random(len(places)) ** 2).astype(np.int64)
            ranks[places] = topic[picked]
        words = self.words[ranks].tolist()
        return [
            " ".join(words[end - size : end]).capitalize() + "."
            for size, end in zip(sizes.tolist(), ends.tolist(), strict=True)
        ]

    def paragraphs(self, sentences: list[str]) -> str:
        """Sentences as a text, in paragraphs of :data:`PARAGRAPH` on average."""
        breaks = self.rng.random(len(sentences)) < 1 / PARAGRAPH
        parts = [s + ("\n" if b else " ") for s, b in zip(sentences, breaks, strict=True)]
        return "".join(parts).strip()


def news(seed: int) -> Iterator[Record]:
    """Articles without end: reports of events, and copies of agencies' stories.

    A report has sentences of its own (with words of its event), quotes and furniture: lines that
    its outlet repeats. A copy is an agency's story, whole, cut or edited, with the furniture of
    the outlet that prints it.
    """
    writer = Writer(np.random.default_rng(seed))
    rng = writer.rng
    outlets = np.cumsum(outlet_shares())
    furniture: dict[int, list[str]] = {}
    events: deque[Event] = deque(maxlen=OPEN)
    stories: deque[list[str]] = deque(maxlen=OPEN)
    begun = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for number in count():
        outlet = min(int(np.searchsorted(outlets, rng.random())), OUTLETS - 1)
        if rng.random() < COPIED:
            story = _joined(stories, NEW_STORY, lambda: _story(writer), rng)
            body = _copy(writer, story)
        else:
            event = _joined(events, NEW_EVENT, writer.event, rng)
            body = writer.sentences(int(writer.lengths(SENTENCES, 1)[0]), event.topic)
            _speak(writer, event, body)
        if outlet not in furniture:
            furniture[outlet] = writer.sentences(int(rng.integers(3, 9)), shortest=6)
        own = furniture[outlet]
        foot = own[: 1 + int(rng.integers(0, len(own)))]
        published = begun + datetime.timedelta(days=number / PER_DAY)
        yield {
            "id": f"n{number:09}",
            "outlet": f"Outlet {outlet}",
            "url": f"https://outlet-{outlet}.example/{number}",
            "title": writer.sentences(1, shortest=6)[0].rstrip("."),
            "published": None if rng.random() < UNDATED else published.isoformat("T", "seconds"),
            "text": writer.paragraphs(body) + "\n" + "\n".join(foot),
        }


def _joined(
    known: deque[Any], new: float, make: Callable[[], Any], rng: np.random.Generator
) -> Any:
    """A new thing with probability ``new``, else that of an article drawn from the latest."""
    fresh = not known or rng.random() < new
    chosen = make() if fresh else known[int(rng.integers(len(known)))]
    known.append(chosen)
    return chosen


def _story(writer: Writer) -> list[str]:
    event = writer.event()
    body = writer.sentences(int(writer.lengths(SENTENCES, 1)[0]), event.topic)
    _speak(writer, event, body)
    body[0] = "WEXMOUTH (Coastal News) - " + body[0]
    return body


def _speak(writer: Writer, event: Event, body: list[str]) -> None:
    """Have some sentences be speech; some reports hold a quote of the event."""
    for place in np.flatnonzero(writer.rng.random(len(body)) < SPEECH).tolist():
        body[place] = f'"{body[place].rstrip(".")}," {writer.words[event.topic[-1]].title()} said.'
    if writer.rng.random() < QUOTING:
        quote = event.quotes[int(writer.rng.integers(len(event.quotes)))]
        place = int(writer.rng.integers(len(body) + 1))
        body.insert(place, f'"{quote}," {writer.words[event.topic[0]].title()} told reporters.')


def _copy(writer: Writer, story: list[str]) -> list[str]:
    kind = writer.rng.random()
    if kind < VERBATIM:
        return story
    if kind < VERBATIM + CUT:
        return story[: max(3, int(len(story) * writer.rng.uniform(0.3, 0.9)))]
    return _edited(writer, story)


def _edited(writer: Writer, story: list[str]) -> list[str]:
    """In three of ten sentences a word is replaced, one of twenty is left out."""
    out = []
    for sentence, chance in zip(story, writer.rng.random(len(story)).tolist(), strict=True):
        if chance < 0.05:
            continue
        if chance < 0.35:
            words = sentence.split()
            words[int(writer.rng.integers(len(words)))] = writer.words[int(writer.draw(1)[0])]
            out.append(" ".join(words))
        else:
            out.append(sentence)
    return out or story[:1]


def _plain(number: int, outlets: int, text: str) -> Record:
    return {
        "id": f"a{number:09}",
        "outlet": f"Outlet {number % outlets}",
        "published": f"2026-01-{1 + number % 28:02}",
        "text": text,
    }


def identical(seed: int) -> Iterator[Record]:
    """One text of ten sentences for ever, in 700 outlets."""
    text = " ".join(Writer(np.random.default_rng(seed), 20_000).sentences(10, shortest=8))
    for number in count():
        yield _plain(number, 700, text)


def footer(seed: int) -> Iterator[Record]:
    """Ten sentences of its own in every article of 700 outlets, and one last line in all."""
    writer = Writer(np.random.default_rng(seed))
    last = writer.sentences(1, shortest=24)[0]
    for number in count():
        yield _plain(number, 700, " ".join(writer.sentences(10, shortest=8)) + "\n\n" + last)


def quote(seed: int) -> Iterator[Record]:
    """Ten sentences of its own in every article of 700 outlets, and one quote in all."""
    writer = Writer(np.random.default_rng(seed))
    said = writer.sentences(1, shortest=20)[0].rstrip(".")
    for number in count():
        body = writer.sentences(11, shortest=8)
        place = int(writer.rng.integers(1, 10))
        body[place] = f'"{said}," {body[place]}'
        yield _plain(number, 700, " ".join(body))


def story(seed: int) -> Iterator[Record]:
    """One story of 40 sentences with other small edits in every article, each in its outlet."""
    writer = Writer(np.random.default_rng(seed))
    source = writer.sentences(40, shortest=8)
    for number in count():
        yield _plain(number, 10**9, writer.paragraphs(_edited(writer, source)))


KINDS: dict[str, Callable[[int], Iterator[Record]]] = {
    "news": news,
    "identical": identical,
    "footer": footer,
    "quote": quote,
    "story": story,
}


def write(kind: str, articles: int, path: Path, seed: int = 1) -> None:
    """Write so many articles of a kind as JSON Lines."""
    with path.open("w", encoding="utf-8") as handle:
        for record in islice(KINDS[kind](seed), articles):
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("articles", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write(args.kind, args.articles, args.path, args.seed)


if __name__ == "__main__":
    main()
