"""Whom an article credits as the author of its text, and whom it cites for facts.

One pass over the bytes of all texts finds the known names that may stand in a slot or a frame
(:mod:`dedup.names`); each is then judged by where it stands: in a credit slot
(:mod:`dedup.slots`), in a citation frame (:mod:`dedup.frames`), or in neither, in which case it
counts for nothing. Bylines and metadata hold names alone (:mod:`dedup.namefields`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

from dedup.agencies import Agencies, Strictness
from dedup.frames import POLL, citation
from dedup.memory import collector_paused
from dedup.model import Evidence, Role
from dedup.namefields import MAX_NAMES, metadata_values, names_in
from dedup.names import NameFinder, reader
from dedup.scripts import begins_inside_word, is_letter
from dedup.slots import (
    CITED,
    WIRE_NAMES,
    Hit,
    Span,
    credit_slot,
    is_contribution,
    is_furniture,
    is_photo_credit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Claim = tuple[str, int, int, str]
    """A source and the span that names it: start, end, text."""
    Found = tuple[tuple[Claim, ...], tuple[Claim, ...]]
    """Credits and mentions of one field."""

    Occurrence = tuple[int, int, int, int, int]

_WORD = re.compile(r"\w+")
_TITLE_END = re.compile(r"\s[|–—-]\s$")
_REST = re.compile(r"\s*\Z")


class Attributor:
    """Finds credits and mentions; built once, then called for any number of articles.

    ``agencies``: the known sources. Building makes one search structure of all their names.
    """

    def __init__(self, agencies: Agencies) -> None:
        self.agencies = agencies
        self.finder = NameFinder(agencies)
        by_name = agencies.by_name

        openings = {word for name in by_name for word in _WORD.findall(name)[:1]}

        # Authors and agencies recur in bylines, and most name nobody that is listed.
        @lru_cache(maxsize=1 << 15)
        def names(value: str, limit: int | None) -> tuple[Claim, ...]:
            if value.isascii() and openings.isdisjoint(_WORD.findall(value.lower())):
                return ()
            spans = names_in(by_name, value, limit=limit)
            return tuple((source, *span, value[span[0] : span[1]]) for source, span in spans)

        self._names = names

    def evidence(
        self,
        *,
        ref: str,
        text: str,
        title: str | None = None,
        byline: str | None = None,
        url: str | None = None,
        outlet_id: str | None = None,
        metadata: str | None = None,
    ) -> tuple[list[Evidence], list[Evidence]]:
        """One article's credits (roles ``credit``, ``metadata``) and mentions.

        As :meth:`evidence_of`, which is the faster way for many articles.
        """
        found = self._scan(pa.array([text, title], pa.large_string()), titles=1)
        return self._collect(found.get(0), found.get(1), ref, byline, url, outlet_id, metadata)

    def evidence_of(
        self,
        texts: pa.Array,
        rows: Sequence[int],
        *,
        refs: Sequence[str],
        titles: Sequence[str | None],
        bylines: Sequence[str | None],
        urls: Sequence[str | None],
        outlet_ids: Sequence[str | None],
        metadata: Sequence[str | None],
    ) -> list[tuple[list[Evidence], list[Evidence]]]:
        """Credits (roles ``credit``, ``metadata``) and mentions of many articles.

        ``texts``: Arrow strings; ``rows`` says which of them is each article's. The other
        arguments have one value an article: ``refs`` name it in the evidence, ``outlet_ids``
        are its outlet's identity, ``metadata`` a JSON object (anything else is ignored). At
        most one credit and one mention for a source and field; a source that is credited may
        be cited as well. Each list is sorted by source, then field and offset. An outlet that
        cites itself ("told CNN" on cnn.com) cites nobody.
        """
        with collector_paused():
            in_texts = self._scan(texts.cast(pa.large_string()), titles=len(texts))
            in_titles = self._scan(pa.array(titles, pa.large_string()), titles=0)
            columns = zip(rows, refs, bylines, urls, outlet_ids, metadata, strict=True)
            return [
                self._collect(in_texts.get(row), in_titles.get(i), *fields)
                for i, (row, *fields) in enumerate(columns)
            ]

    def _collect(
        self,
        in_text: Found | None,
        in_title: Found | None,
        ref: str,
        byline: str | None,
        url: str | None,
        outlet_id: str | None,
        metadata: str | None,
    ) -> tuple[list[Evidence], list[Evidence]]:
        """One article's evidence: what its text and title hold, and its other fields."""
        listed: list[Evidence] = []
        mentions: list[Evidence] = []
        if byline:
            listed += _evidence("credit", ref, "byline", self._names(byline, MAX_NAMES))
        if metadata:
            for path, value in metadata_values(metadata):
                named = self._names(value, None)
                listed += _evidence("metadata", ref, f"metadata.{path}", named)
        owner = self.agencies.by_domain.get(outlet_id) if outlet_id else None
        if url and outlet_id and owner and owner.kind != "outlet":
            at = url.lower().find(outlet_id)
            if at >= 0:
                end = at + len(outlet_id)
                claim = (owner.id, at, end, url[at:end])
                listed += _evidence("metadata", ref, "url", (claim,))
        for field, found in (("text", in_text), ("title", in_title)):
            if found:
                listed += [Evidence("credit", s, ref, field, a, b, t) for s, a, b, t in found[0]]
                mentions += [Evidence("mention", s, ref, field, a, b, t) for s, a, b, t in found[1]]
        if len(listed) > 1:
            listed.sort(key=_order)
        if mentions:
            own = {outlet_id, owner.id} if owner else {outlet_id}
            mentions = [m for m in mentions if m.source not in own]
            mentions.sort(key=_order)
        return listed, mentions

    def _scan(self, texts: pa.LargeStringArray, *, titles: int) -> Mapping[int, Found]:
        """Credits and mentions of each text that has any; from ``titles`` on they are titles."""
        found: dict[int, Found] = {}
        text_at = reader(texts)
        occurrences = self.finder.find(texts, everywhere=titles)
        for row, group in groupby(occurrences, key=_text_of):
            claims = self._judge(text_at(row), group, title=row >= titles)
            if claims[0] or claims[1]:
                found[row] = claims
        return found

    def _judge(self, text: str, occurrences: Iterable[Occurrence], *, title: bool) -> Found:
        """The first credit and the first mention of each source in one text or title."""
        finder = self.finder
        credited: dict[str, Span] = {}
        mentions: dict[str, Span] = {}
        written: set[str] = set()  # sources credited for more than help
        length = len(text)
        for _, start, end, name, possible in occurrences:
            source = finder.sources[name]
            slot = possible != CITED and source not in written
            cited = possible & CITED and source not in mentions
            if not (slot or cited):
                continue
            # The letters of ASCII were looked at when the name was found.
            foreign = start and finder.begins[name] and text[start - 1] > "\x7f"
            if foreign and begins_inside_word(text, start):
                continue
            if finder.ends[name] and end < length and text[end] > "\x7f" and is_letter(text[end]):
                continue
            hit = Hit(start, end, finder.strictness[name], finder.outlets[name])
            span = self._credit(text, hit, possible, title=title) if possible != CITED else None
            if span is not None:
                if slot and not is_furniture(text, start):
                    helped = is_contribution(text[span[0] : span[1]])
                    if not helped or source not in credited:
                        credited[source] = span
                    if not helped:
                        written.add(source)
                continue
            span = citation(text, hit) if cited else None
            if span is None or (is_photo_credit(text, hit) and not POLL.match(text, end)):
                continue
            if not is_furniture(text, start):
                mentions[source] = span
        return _claims(text, credited), _claims(text, mentions)

    def _credit(self, text: str, hit: Hit, possible: int, *, title: bool) -> Span | None:
        if title:
            return _title_slot(text, hit)
        if text[hit.start : hit.end] in WIRE_NAMES:
            return hit.start, hit.end
        return credit_slot(text, hit, self._is_name, possible)

    def _is_name(self, text: str) -> bool:
        return text.casefold() in self.agencies.by_name


def _text_of(occurrence: Occurrence) -> int:
    return occurrence[0]


def _claims(text: str, spans: Mapping[str, Span]) -> tuple[Claim, ...]:
    # Tuples of plain values are nothing for the garbage collector to go through.
    return tuple([(s, start, end, text[start:end]) for s, (start, end) in spans.items()])


def _evidence(role: Role, ref: str, field: str, claims: Iterable[Claim]) -> list[Evidence]:
    """One piece of evidence a source: the first."""
    first: dict[str, Evidence] = {}
    for source, start, end, text in claims:
        if source not in first:
            first[source] = Evidence(role, source, ref, field, start, end, text)
    return list(first.values())


def _title_slot(title: str, hit: Hit) -> Span | None:
    """ "... - Reuters" and "... | AP News" at the end of a title."""
    if hit.strictness is Strictness.AMBIGUOUS or not _REST.match(title, hit.end):
        return None
    found = _TITLE_END.search(title[: hit.start])
    return (found.start() + 1, hit.end) if found else None


def _order(evidence: Evidence) -> tuple[str, str, int, int]:
    return evidence.source, evidence.field, evidence.start, evidence.end
