"""Matches told apart: furniture, quotes, narrative, and coincidences that are left out.

The kinds of shared passages (``kinds.py``) and the signs of speech (``speech.py``) decide. A
match is furniture, a quote or prose; how much of it is narrative decides the relation later.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from dedup.align import Alignment, similarities
from dedup.coincidence import coincidences, words_needed
from dedup.kernels import spans as kernels
from dedup.kinds import BOILERPLATE, PROSE, QUOTE, PassageStatistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedup.collection import Collection, RecordArrays
    from dedup.config import Settings
    from dedup.passages import SharedPassages
    from dedup.speech import Speech

MOST_PLAIN = 0.25
"""Share of a quote's letters that may be nobody's words (a lead-in, a tag)."""
MOST_LETTERS = 250
"""Letters that are nobody's words, of each side, from which a match is narrative anyhow."""
VOICED = 1 / 3
"""Share of a passage's occurrences in quotation marks from which it is a quote everywhere: who
leaves the marks out writes of a document or quotes without them. Copies of narrative that one
article quotes stay narrative."""
FRAME_BITS = 80.0
"""Information below which a passage beside speech is its frame ("he told reporters on Monday")."""
KEPT, UNLIKE, LITTLE, EMPTY, COINCIDENCE = range(5)
"""Verdicts on a run of links: it is a match, or why it is none (:class:`Judged`)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches with their kinds, as token spans; sorted by (pair, a0).

    ``pair`` int64 index into the alignment's pairs, ``a0, a1, b0, b1`` int64 tokens,
    ``similarity``, ``bits`` float64, ``kind`` int8, ``passage`` int32 shared passage or -1,
    ``plain`` float64 share (0-1) of its linked letters that are neither speech nor its frame.
    """

    pair: NDArray[np.int64]
    a0: NDArray[np.int64]
    a1: NDArray[np.int64]
    b0: NDArray[np.int64]
    b1: NDArray[np.int64]
    similarity: NDArray[np.float64]
    bits: NDArray[np.float64]
    kind: NDArray[np.int8]
    passage: NDArray[np.int32]
    plain: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Runs of links as they would be matches, in the order of the alignment's matches.

    ``runs`` of any verdict, ``verdict`` int8 (:data:`KEPT`, or why not); ``least`` float64 bits
    that a run had to share, ``words`` float64 bits that all words of each side had to hold;
    ``quoted`` bool: a quote that both articles mark.
    """

    runs: Matches
    verdict: NDArray[np.int8]
    least: NDArray[np.float64]
    words: NDArray[np.float64]
    quoted: NDArray[np.bool_]

    def matches(self) -> Matches:
        """The runs that are matches."""
        m = self.runs
        i = np.flatnonzero(self.verdict == KEPT)
        i = i[np.lexsort((m.b0[i], m.a0[i], m.pair[i]))]
        return Matches(*(getattr(m, f.name)[i] for f in fields(Matches)))


@dataclass(frozen=True, slots=True)
class _Links:
    """Links of the alignment by (match, place), in runs that are furniture or are not.

    All arrays are (links,) but ``begin`` and ``end`` int64 (runs,). ``a``, ``b`` int64 passages,
    ``of_a``, ``of_b`` int32 their shared passages or -1, ``letters`` int64 of both sides.
    """

    match: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    of_a: NDArray[np.int32]
    of_b: NDArray[np.int32]
    cosine: NDArray[np.float32]
    letters: NDArray[np.int64]
    furniture: NDArray[np.bool_]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


_Spans = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]


def node_outlets(nodes: int, records: RecordArrays) -> NDArray[np.int64]:
    """Outlet of the first record of each node (int64, -1 unknown)."""
    outlet = np.full(nodes, -1, np.int64)
    outlet[records.node[::-1]] = records.outlet[::-1]
    return outlet


def _links(
    c: Collection,
    alignment: Alignment,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    outlet: NDArray[np.int64],
) -> _Links:
    """Sort the links of every match and mark those of furniture."""
    order = np.lexsort((alignment.link_b, alignment.link_a, alignment.match))
    match, a, b = alignment.match[order], alignment.link_a[order], alignment.link_b[order]
    of_a, of_b = shared.of_passage[a], shared.of_passage[b]
    kind = np.append(statistics.kind, PROSE)
    quoted = np.append(statistics.quoted, 0.0)
    furniture = (kind[of_a] == BOILERPLATE) | (kind[of_b] == BOILERPLATE)
    node_a = outlet[c.p_article[a]]
    same_outlet = (node_a >= 0) & (node_a == outlet[c.p_article[b]])
    # What one outlet quotes again and again is its furniture, but a quote between it and others.
    furniture &= same_outlet | (np.minimum(quoted[of_a], quoted[of_b]) < 0.5)
    furniture |= same_outlet & (template[a] | template[b])
    new = np.ones(len(order), bool)
    new[1:] = (match[1:] != match[:-1]) | (furniture[1:] != furniture[:-1])
    begin = np.flatnonzero(new)
    letters = c.p_letters[a].astype(np.int64) + c.p_letters[b]
    return _Links(
        match,
        a,
        b,
        of_a,
        of_b,
        alignment.cosine[order],
        letters,
        furniture,
        begin,
        np.append(begin[1:], len(order))[: len(begin)],
    )


def _cut(
    c: Collection, alignment: Alignment, links: _Links
) -> tuple[_Spans, NDArray[np.float64], NDArray[np.float64]]:
    """Spans, similarity and bits of every run of links: a match, or the part of one.

    Parts are cut along the passages that carry them and measured again, so that each holds on
    the text.
    """
    begin = links.begin
    owner = links.match[begin]
    is_first = np.append(-1, owner[:-1]) != owner
    is_last = np.append(owner[1:], -1) != owner
    whole = is_first & is_last
    first_a, last_a = np.minimum.reduceat(links.a, begin), np.maximum.reduceat(links.a, begin)
    first_b, last_b = np.minimum.reduceat(links.b, begin), np.maximum.reduceat(links.b, begin)
    a0 = np.where(is_first, alignment.a0[owner], c.p_token[first_a])
    a1 = np.where(is_last, alignment.a1[owner], c.p_token[last_a + 1])
    b0 = np.maximum(c.p_token[first_b], alignment.b0[owner])
    b1 = np.minimum(c.p_token[last_b + 1], alignment.b1[owner])
    b0 = np.where(whole, alignment.b0[owner], b0)
    b1 = np.where(whole, alignment.b1[owner], b1)
    a0 = np.maximum(a0, alignment.a0[owner])
    a1 = np.minimum(a1, alignment.a1[owner])
    similarity = alignment.similarity[owner].copy()
    bits = alignment.bits[owner].copy()
    split = np.flatnonzero(~whole)
    if len(split):
        split = split[np.argsort(alignment.pair[owner[split]], kind="stable")]
        similarity[split], bits[split] = similarities(
            c, alignment, alignment.pair[owner[split]], a0[split], a1[split], b0[split], b1[split]
        )
    return (a0, a1, b0, b1), similarity, bits


def framing(c: Collection, speech: Speech, passage: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some passages (int64) frame speech (bool): short ones beside it ("…," he told
    reporters), and signatures."""
    own = c.p_article[passage]
    before, behind = np.maximum(passage - 1, 0), np.minimum(passage + 1, len(c.p_start) - 1)
    beside = speech.said[before] & (c.p_article[before] == own)
    beside |= speech.said[behind] & (c.p_article[behind] == own)
    short = beside & (c.p_information[passage] < FRAME_BITS)
    # One at either end of all is its own neighbour there, but then it is no frame, being speech.
    return np.asarray(~speech.said[passage] & (speech.signature[passage] | short))


def _voices(
    c: Collection,
    links: _Links,
    spans: _Spans,
    statistics: PassageStatistics,
    speech: Speech,
    settings: Settings,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Links of speech, of speech by the signs of both articles, and of narrative (all bool).

    Narrative is neither speech nor its frame.

    What either article marks as speech is speech in both, and so is a passage that is quoted in
    a good part of its articles (:data:`VOICED`). A match that opens with a paragraph which one
    article introduces, and the other does not, is a block quotation, unless it is most of an
    article: then that article is a copy.
    """
    begin = links.begin
    quoted = np.append(statistics.quoted, 0.0)
    known = np.append(statistics.kind == QUOTE, False)
    both = speech.said[links.a] & speech.said[links.b]
    both |= known[links.of_a] | known[links.of_b]
    said = both | speech.said[links.a] | speech.said[links.b]
    said |= np.maximum(quoted[links.of_a], quoted[links.of_b]) >= VOICED
    a0, a1, b0, b1 = spans
    most = np.maximum(
        kernels.letters_of_spans(a0, a1, c.t_start, c.t_length)
        / np.maximum(1, c.d_letters[c.p_article[links.a[begin]]]),
        kernels.letters_of_spans(b0, b1, c.t_start, c.t_length)
        / np.maximum(1, c.d_letters[c.p_article[links.b[begin]]]),
    )
    opens = speech.introduced[links.a[begin]] ^ speech.introduced[links.b[begin]]
    said |= np.repeat(opens & (most < settings.copy_share), links.end - begin)
    frame = framing(c, speech, links.a) | framing(c, speech, links.b)
    return said, both, ~said & ~frame


def judge_runs(
    c: Collection,
    alignment: Alignment,
    shared: SharedPassages,
    statistics: PassageStatistics,
    template: NDArray[np.bool_],
    outlet: NDArray[np.int64],
    speech: Speech,
    settings: Settings,
) -> Judged:
    """Cut furniture out of matches, name the kind of every run of links that this leaves, and say
    which are matches and which say too little.

    ``template`` (bool, passages) marks what an outlet's page template makes; it counts as
    furniture between two articles of that outlet (``outlet``, int64, nodes).
    """
    links = _links(c, alignment, shared, statistics, template, outlet)
    if not len(links.begin):
        return _nothing()
    begin = links.begin
    owner = links.match[begin]
    spans, similarity, bits = _cut(c, alignment, links)
    is_furniture = links.furniture[begin]
    letters = np.add.reduceat(links.letters, begin)
    said, both, narrative = _voices(c, links, spans, statistics, speech, settings)
    plain = np.add.reduceat(links.letters * narrative, begin)
    spoken = np.add.reduceat(links.letters * said, begin)
    # Marked as speech on both sides, little is enough.
    marked = 2 * np.add.reduceat(links.letters * both, begin) >= letters
    quote = (plain < MOST_PLAIN * letters) & (plain < 2 * MOST_LETTERS)
    quote &= 2 * spoken >= letters - plain  # more than the frame of one
    kind = np.where(is_furniture, BOILERPLATE, np.where(quote, QUOTE, PROSE)).astype(np.int8)

    # The passage that stands for a match: its best-linked shared one.
    rank = np.where(links.of_a >= 0, links.cosine * links.letters, -1.0)
    runs = np.repeat(np.arange(len(begin)), links.end - begin)
    passage = links.of_a[np.lexsort((links.a, -rank, runs))[begin]]

    a0, a1, b0, b1 = spans
    verdict = np.full(len(begin), KEPT, np.int8)
    verdict[similarity < settings.min_similarity] = UNLIKE
    verdict[(bits < settings.min_information) & ~is_furniture] = LITTLE
    verdict[(bits <= 0) | (a1 <= a0) | (b1 <= b0)] = EMPTY
    pair = alignment.pair[owner]
    node_a, node_b = alignment.pair_a[pair], alignment.pair_b[pair]
    quoted = (kind == QUOTE) & marked
    prose = settings.min_prose_information
    least = np.where(quoted, min(settings.min_information, prose), prose)
    words = least * words_needed(similarity, spoken / np.maximum(1, letters))
    # Furniture that two outlets share may be a stock phrase, too ("Photo: X/Getty Images").
    own = is_furniture & (outlet[node_a] >= 0) & (outlet[node_a] == outlet[node_b])
    doubtful = np.flatnonzero((verdict == KEPT) & ~own)
    little = coincidences(
        c,
        node_a[doubtful],
        node_b[doubtful],
        (a0[doubtful], a1[doubtful], b0[doubtful], b1[doubtful]),
        bits[doubtful],
        least[doubtful],
        words[doubtful],
    )
    verdict[doubtful[little]] = COINCIDENCE
    return Judged(
        Matches(
            pair,
            a0,
            a1,
            b0,
            b1,
            similarity,
            bits,
            kind,
            passage.astype(np.int32),
            plain / np.maximum(1, letters),
        ),
        verdict,
        least,
        words,
        quoted,
    )


def _nothing() -> Judged:
    none, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Judged(
        Matches(
            none,
            none,
            none,
            none,
            none,
            real,
            real,
            none.astype(np.int8),
            none.astype(np.int32),
            real,
        ),
        none.astype(np.int8),
        real,
        real,
        none.astype(bool),
    )
