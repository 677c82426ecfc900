"""Whom an article credits as the author of its text, and whom it cites for facts.

One automaton finds every known name in one pass; each occurrence is then judged by where it
stands: in a credit slot (:mod:`dedup.slots`), in a citation frame (:mod:`dedup.frames`), or in
neither, in which case it counts for nothing. Bylines and metadata hold names alone and are
looked up part by part.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from dedup.agencies import Agencies, Strictness, words
from dedup.frames import citation
from dedup.model import Evidence, Role
from dedup.slots import Hit, Span, credit_slot, is_contribution, is_furniture, is_photo_credit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_METADATA_KEYS = words(
    """sourceorganization infosource infosources credittext creditline credit credits
    copyrightholder copyrightnotice copyright copyrightowner rightsholder source sources
    sourcename originalsource isbasedon provider contentprovider supplier agency agencies
    newsagency wire newswire publisher syndication syndicatedfrom organisation organization
    dateline"""
)
"""Metadata keys that may name a source, lower case without punctuation."""

_MAX_NAMES = 4
"""A byline of more names is a page's list of authors, not the author of the text."""

_PART = re.compile(r"[^,;/|•·&\n()–—]+")
_BY_PREFIX = re.compile(
    r"(?:.{0,60}\b(?:for|of|with|from|at)\s+)?(?:(?:by|oleh|von|por|par|di|da|door|från|от|from|"
    r"source|sumber|copyright|©|\(c\))[\s:]+)?(?:\d{4}\s+)?(?:the\s+)?",
    re.IGNORECASE,
)
_BY_SUFFIX = re.compile(
    r"(?:['’]s)?\s+(?:(?:staff|news|national|political|white house|chief|senior|wire)\s+){0,2}"
    r"(?:writers?|reporters?|correspondents?|staff|editors?|journalists?|agency|newsroom|reports?|"
    r"services?|service|wire)\.?$",
    re.IGNORECASE,
)
_AND = re.compile(r"\s(?:and|und|dan|et|y|e|и)\s", re.IGNORECASE)
_TITLE_END = re.compile(r"\s[|–—-]\s$")
_ARABIC_PROCLITICS = "وفلبك"
_WIRE_NAMES = frozenset({"CNN Wire", "The-CNN-Wire"})


class Attributor:
    """Finds credits and mentions; built once, then called for each article.

    ``agencies``: the known sources. Building compiles one automaton over all their names.
    """

    def __init__(self, agencies: Agencies) -> None:
        self.agencies = agencies
        self._by_name = agencies.by_name
        patterns: list[str] = []
        # Per pattern: source (or None for a false friend), strictness, outlet?, offset of the
        # name in the pattern, whether the character before / after must not be a letter.
        self._meta: list[tuple[str | None, Strictness, bool, int, bool, bool]] = []
        for alias in agencies.aliases:
            text = alias.text
            offset = 0
            strict = alias.strictness is Strictness.AMBIGUOUS
            if strict and text.isascii() and text.islower() and len(text) <= 3:
                # "sda" and "ots" are inside everyday words; only "(sda" can be a slot.
                text, offset = "(" + text, 1
            outlet = alias.source is not None and agencies.kind(alias.source) == "outlet"
            spaced = not _unspaced(text[-1])
            self._meta.append(
                (alias.source, alias.strictness, outlet, offset, not _unspaced(text[0]), spaced)
            )
            patterns.append(text)
        self._automaton = AhoCorasick(
            patterns, matchkind=MatchKind.LeftmostLongest, implementation=Implementation.DFA
        )

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
        """The article's credits (roles ``credit``, ``metadata``) and mentions.

        ``ref`` names the article in the evidence; ``outlet_id`` is its outlet's identity and
        ``metadata`` a JSON object (anything else is ignored). At most one credit for a source
        and field, at most one mention for a source, none for a source that is credited. Each
        list is sorted by source, then field and offset. An outlet that cites itself ("told CNN"
        on cnn.com) cites nobody.
        """
        listed_by: dict[tuple[str, str], Evidence] = {}
        mentions: dict[str, Evidence] = {}

        def credit(source: str, field: str, value: str, span: Span, role: Role = "credit") -> None:
            found = Evidence(role, source, ref, field, *span, value[span[0] : span[1]])
            known = listed_by.get((source, field))
            if known is None or (is_contribution(known.text) and not is_contribution(found.text)):
                listed_by[source, field] = found

        def mention(source: str, field: str, value: str, span: Span) -> None:
            mentions.setdefault(
                source, Evidence("mention", source, ref, field, *span, value[span[0] : span[1]])
            )

        if byline:
            for source, span in self._names(byline, limit=_MAX_NAMES):
                credit(source, "byline", byline, span)
        if metadata:
            for path, value in _metadata_values(metadata):
                for source, span in self._names(value, limit=None):
                    credit(source, f"metadata.{path}", value, span, "metadata")
        if url and outlet_id:
            owner = self.agencies.by_domain.get(outlet_id)
            at = url.lower().find(outlet_id)
            if owner and owner.kind != "outlet" and at >= 0:
                credit(owner.id, "url", url, (at, at + len(outlet_id)), "metadata")
        self._scan(text, "text", credit, mention)
        if title:
            self._scan(title, "title", credit, mention)
        credited = {source for source, _ in listed_by} | self.agencies.own_sources(outlet_id)
        listed = sorted(listed_by.values(), key=_order)
        cited = sorted((m for m in mentions.values() if m.source not in credited), key=_order)
        return listed, cited

    def _known(self, name: str) -> bool:
        return name.casefold() in self._by_name

    def _scan(
        self,
        text: str,
        field: str,
        credit: Callable[[str, str, str, Span], None],
        mention: Callable[[str, str, str, Span], None],
    ) -> None:
        done: set[str] = set()
        mentioned: set[str] = set()
        for index, start, end in self._automaton.find_matches_as_indexes(text):
            source, strictness, outlet, offset, left, right = self._meta[index]
            if source is None or source in done:
                continue
            start += offset
            if left and start and not offset and _inside_word(text, start):
                continue
            if right and end < len(text) and _is_letter(text[end]):
                continue
            hit = Hit(start, end, strictness, outlet)
            if field == "title":
                span = _title_slot(text, hit)
            elif text[start:end] in _WIRE_NAMES:
                span = (start, end)
            else:
                span = credit_slot(text, hit, self._known)
            if span is not None:
                if not is_furniture(text, start):
                    credit(source, field, text, span)
                    if not is_contribution(text[span[0] : span[1]]):
                        done.add(source)
                continue
            if source in mentioned or is_photo_credit(text, hit):
                continue
            span = citation(text, hit)
            if span is not None and not is_furniture(text, start):
                mentioned.add(source)
                mention(source, field, text, span)

    def _names(self, value: str, *, limit: int | None) -> Iterator[tuple[str, Span]]:
        """Sources that are parts of a field that holds names: a byline, a metadata value."""
        parts: list[Span] = []
        for piece in _PART.finditer(value):
            at = piece.start()
            for word in _AND.finditer(piece.group()):
                parts.append((at, piece.start() + word.start()))
                at = piece.start() + word.end()
            parts.append((at, piece.end()))
        whole = value.strip()
        if self._known(whole):
            start = value.index(whole)
            yield self._by_name[whole.casefold()][0], (start, start + len(whole))
            return
        if limit is not None and len(parts) > limit:
            return
        for start, end in parts:
            span = self._name_in(value, start, end)
            if span is not None:
                name = value[span[0] : span[1]]
                source, strictness = self._by_name[name.casefold()]
                alone = len(parts) == 1
                capitals = name.isupper() or not name.isascii()
                if strictness is Strictness.AMBIGUOUS and not (alone or capitals):
                    continue  # "Petra" among several names is a person
                yield source, span

    def _name_in(self, value: str, start: int, end: int) -> Span | None:
        while start < end and (value[start].isspace() or value[start] in "-:*."):
            start += 1
        while end > start and (value[end - 1].isspace() or value[end - 1] in "-:*."):
            end -= 1
        if self._known(value[start:end]):
            return start, end
        prefix = _BY_PREFIX.match(value, start, end)
        if prefix:
            start = prefix.end()
        for _ in range(2):
            if start < end and self._known(value[start:end]):
                return start, end
            suffix = _BY_SUFFIX.search(value[start:end])
            if not suffix:
                return None
            end = start + suffix.start()
        return (start, end) if start < end and self._known(value[start:end]) else None


def _title_slot(title: str, hit: Hit) -> Span | None:
    """ "... - Reuters" and "... | AP News" at the end of a title."""
    if hit.end != len(title.rstrip()) or hit.strictness is Strictness.AMBIGUOUS:
        return None
    found = _TITLE_END.search(title[: hit.start])
    return (found.start() + 1, hit.end) if found else None


def _metadata_values(metadata: str) -> Iterator[tuple[str, str]]:
    """``(path, text)`` of the metadata's values that may name a source, in sorted order."""
    try:
        table = json.loads(metadata)
    except (ValueError, RecursionError):
        return
    if not isinstance(table, dict):
        return
    for key in sorted(table):
        if "".join(c for c in key if c.isalnum()).lower() in _METADATA_KEYS:
            yield from _texts(key, table[key], depth=0)


def _texts(path: str, value: object, *, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if len(value) <= 2000:
            yield path, value
    elif isinstance(value, list) and depth < 4:
        for index, item in enumerate(value[:20]):
            yield from _texts(f"{path}.{index}", item, depth=depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for key in ("name", "literal", "title", "legalName", "alternateName"):
            if key in value:
                yield from _texts(f"{path}.{key}", value[key], depth=depth + 1)


def _order(evidence: Evidence) -> tuple[str, str, int, int]:
    return evidence.source, evidence.field, evidence.start, evidence.end


def _unspaced(char: str) -> bool:
    """Whether the script of ``char`` sets no space between words, or ``char`` is no letter."""
    code = ord(char)
    return (
        not char.isalnum()
        or 0x0E00 <= code <= 0x0EFF  # Thai, Lao
        or 0x3040 <= code <= 0x30FF
        or 0x3400 <= code <= 0x9FFF
        or 0xAC00 <= code <= 0xD7AF  # Hangul: particles follow without a space
    )


def _is_letter(char: str) -> bool:
    if not char.isalnum():
        return char == "_" or (not char.isascii() and unicodedata.category(char)[0] == "M")
    # Beside a Latin name, a Chinese or Korean letter is the next word: "AFP通信", "AP는".
    return char.isascii() or not _unspaced(char)


def _inside_word(text: str, start: int) -> bool:
    """Whether the name begins in the middle of a word; Arabic proclitics do not count."""
    char = text[start - 1]
    if not _is_letter(char):
        return False
    if char in _ARABIC_PROCLITICS and "\u0600" <= text[start] <= "\u06ff":
        return start > 1 and _is_letter(text[start - 2])
    return True
