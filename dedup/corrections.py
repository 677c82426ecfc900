"""Corrections: a file of the user's judgements that every later run honours and shows.

``[[pair]]`` says that two articles are the same story's text or not, ``[[source]]`` who wrote the
text of an article's group, ``[[family]]`` which outlets have one owner, ``[[never_boilerplate]]``
which words are no furniture. This module reads and checks the file; what its entries mean for
the articles of a run is found in :mod:`dedup.judgements`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.config import load_toml
from dedup.entries import check_keys, headings, is_source_id, located, text_of
from dedup.errors import SettingsError
from dedup.families import NO_FAMILIES, Families, families_from

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from dedup.agencies import Agencies

TABLES = ("pair", "source", "family", "never_boilerplate")


@dataclass(frozen=True, slots=True)
class PairCorrection:
    """Whether articles ``a`` and ``b`` (refs or ids) hold the same text."""

    a: str
    b: str
    same: bool
    note: str
    place: str


@dataclass(frozen=True, slots=True)
class SourceCorrection:
    """Who wrote what the group of ``article`` (ref or id) shares: a source id, or ``unknown``."""

    article: str
    source: str
    note: str
    place: str


@dataclass(frozen=True, slots=True)
class ProseCorrection:
    """Words that are never furniture, however often one outlet repeats them."""

    text: str
    note: str
    place: str


@dataclass(frozen=True)
class Corrections:
    """The entries of a file of corrections, checked; ``families`` joins those declared apart.

    ``place`` of an entry is ``FILE, line N``.
    """

    file: str = ""
    pairs: tuple[PairCorrection, ...] = ()
    sources: tuple[SourceCorrection, ...] = ()
    prose: tuple[ProseCorrection, ...] = ()
    families: Families = NO_FAMILIES
    corrected_families: tuple[str, ...] = ()
    """Ids of the families that stand in the file of corrections itself."""

    @cached_property
    def digest(self) -> str:
        """16 hex digits of all that the entries say (notes excepted), part of a run's
        fingerprint; empty where nothing is declared."""
        said: list[list[Any]] = [
            [[*sorted((p.a, p.b)), p.same] for p in self.pairs],
            [[s.article, s.source] for s in self.sources],
            [p.text for p in self.prose],
            [[f.id, f.name, list(f.outlets)] for f in self.families.entries],
        ]
        if not any(said):
            return ""
        payload = json.dumps([sorted(part, key=json.dumps) for part in said])
        return hashlib.blake2b(payload.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


NO_CORRECTIONS = Corrections()


def load_corrections(
    path: str | os.PathLike[str], agencies: Agencies, families: Families = NO_FAMILIES
) -> Corrections:
    """Read a file of corrections; ``families`` are those declared in a file of their own.

    Raises :class:`~dedup.errors.SettingsError`, naming file, line and entry, when the file cannot
    be read, is no TOML, has an unknown table or key, an entry lacks what it needs or names what
    cannot be the id of a source, or two entries contradict each other. An id that no agency has
    is that of an outlet.
    """
    table = load_toml(path)
    origin = str(Path(path))
    unknown = sorted(set(table) - set(TABLES))
    if unknown:
        raise SettingsError(
            f"{origin}: unknown table '{unknown[0]}'; known are: {', '.join(TABLES)}"
        )

    def entries(name: str) -> list[tuple[Mapping[str, Any], str]]:
        return located(table, name, headings(path, name), origin)

    joined = families_from(table, headings(path, "family"), agencies, origin=origin, also=families)
    found = Corrections(
        file=origin,
        pairs=tuple(_pair(raw, where) for raw, where in entries("pair")),
        sources=tuple(_source(raw, where, agencies) for raw, where in entries("source")),
        prose=tuple(_prose(raw, where) for raw, where in entries("never_boilerplate")),
        families=joined,
        corrected_families=tuple(f.id for f in joined.entries[len(families.entries) :]),
    )
    _check_once(found.pairs, lambda p: tuple(sorted((p.a, p.b))), "the pair")
    _check_once(found.sources, lambda s: (s.article,), "the article")
    _check_chains(found.pairs)
    return found


def _pair(raw: Mapping[str, Any], where: str) -> PairCorrection:
    check_keys(raw, ("a", "b", "same", "note"), where)
    same = raw.get("same")
    if not isinstance(same, bool):
        raise SettingsError(f"{where}: 'same' must be true (one text) or false (not related)")
    a, b = text_of(raw, "a", where), text_of(raw, "b", where)
    if a == b:
        raise SettingsError(f"{where}: 'a' and 'b' are the same article, '{a}'; name two")
    return PairCorrection(a, b, same, text_of(raw, "note", where, default=""), where)


def _source(raw: Mapping[str, Any], where: str, agencies: Agencies) -> SourceCorrection:
    check_keys(raw, ("article", "source", "note"), where)
    source = text_of(raw, "source", where)
    if agencies.get(source) is None and source != "unknown":
        named = agencies.by_name.get(source.casefold())
        if named is not None:
            raise SettingsError(
                f"{where}: 'source' takes an id; that of '{source}' is '{named[0]}'"
            )
        if not is_source_id(source):
            raise SettingsError(
                f"{where}: 'source' must be the id of an agency (ap, reuters), of an outlet "
                f"(example.com, harian-nusa) or 'unknown', got '{source}'"
            )
    article = text_of(raw, "article", where)
    return SourceCorrection(article, source, text_of(raw, "note", where, default=""), where)


def _prose(raw: Mapping[str, Any], where: str) -> ProseCorrection:
    check_keys(raw, ("text", "note"), where)
    text = text_of(raw, "text", where)
    if not any(c.isalnum() for c in text):
        raise SettingsError(f"{where}: 'text' holds no letter or digit")
    return ProseCorrection(text, text_of(raw, "note", where, default=""), where)


def _check_once(entries: tuple[Any, ...], key: Callable[[Any], tuple[str, ...]], what: str) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for entry in entries:
        known = seen.setdefault(key(entry), entry.place)
        if known is not entry.place:
            names = " and ".join(f"'{name}'" for name in key(entry))
            raise SettingsError(f"{entry.place}: {what} {names} was judged before ({known})")


def _check_chains(pairs: tuple[PairCorrection, ...]) -> None:
    """Refuse "a is b, b is c, a is not c"."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while (above := leader.get(name, name)) != name:
            leader[name] = leader.get(above, above)
            name = above
        return name

    for pair in pairs:
        if pair.same:
            leader[find(pair.a)] = find(pair.b)
    for pair in pairs:
        if not pair.same and find(pair.a) == find(pair.b):
            raise SettingsError(
                f"{pair.place}: '{pair.a}' and '{pair.b}' are said to be not the same, but other "
                "entries say, pair by pair, that they are"
            )
