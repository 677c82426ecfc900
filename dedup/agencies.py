"""The names under which agencies and widely cited outlets appear: loaded, checked, looked up.

The packaged ``data/agencies.toml`` and ``data/outlets.toml`` describe the format. A user's own
file may hold ``[[agency]]`` and ``[[outlet]]`` entries; one with a known id replaces it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, cast, get_args

from dedup.config import load_toml
from dedup.entries import is_source_id
from dedup.errors import SettingsError
from dedup.model import SourceKind

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

_LISTS = ("languages", "aliases", "cased", "ambiguous", "not", "domains")
_STRINGS = ("id", "name", "kind", "country")


_DOMAIN = re.compile(r"(?!www\.)[^\s/:@.]+(?:\.[^\s/:@.]+)+")


def words(text: str) -> frozenset[str]:
    """A set written as one text, for tables of words that are easier to read so."""
    return frozenset(text.split())


class Strictness(IntEnum):
    """How much context an alias needs before it is believed; higher needs more."""

    SAFE = 0
    """A distinctive name: any slot or citation frame."""
    CASED = 1
    """A credit slot, or a citation frame that touches the name."""
    AMBIGUOUS = 2
    """A strict credit slot, a byline, metadata, or a word such as "news agency" beside it."""


@dataclass(frozen=True, slots=True)
class Agency:
    """A source that articles credit or cite: an agency, a press-release wire or an outlet.

    ``id`` is a short name, for outlets the registrable domain. ``aliases``, ``cased`` and
    ``ambiguous`` are its names by :class:`Strictness`; ``excluded`` are phrases in which a name
    means something else (the key ``not`` of the file). ``domains`` are its own sites.
    """

    id: str
    name: str
    kind: SourceKind
    country: str = ""
    languages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    cased: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of a source; ``source`` is ``None`` for a false friend that must swallow a hit."""

    text: str
    source: str | None
    strictness: Strictness


@dataclass(frozen=True)
class Agencies:
    """All known sources, in file order.

    Raises :class:`~dedup.errors.SettingsError` when two sources claim the same name or domain.
    """

    entries: tuple[Agency, ...]
    _by_id: Mapping[str, Agency] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {entry.id: entry for entry in self.entries})
        _check_owners(self.entries)

    def __iter__(self) -> Iterator[Agency]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, source: str) -> Agency | None:
        """The entry with this id, or ``None``."""
        return self._by_id.get(source)

    def name(self, source: str) -> str:
        """Display name of a source id; the id itself where it is not listed."""
        entry = self._by_id.get(source)
        return entry.name if entry else source

    def kind(self, source: str) -> SourceKind:
        """Kind of a source id; ids that are not listed are outlets, ``unknown`` is itself."""
        entry = self._by_id.get(source)
        if entry:
            return entry.kind
        return "unknown" if source == "unknown" else "outlet"

    @cached_property
    def aliases(self) -> tuple[Alias, ...]:
        """Every name to look for, each text once, sorted by text.

        A safe name is also listed in capitals; false friends are listed without a source.
        """
        found: dict[str, Alias] = {}
        for entry in self.entries:
            groups = (entry.aliases, entry.cased, entry.ambiguous)
            for strictness, texts in zip(Strictness, groups, strict=True):
                for text in texts:
                    found.setdefault(text, Alias(text, entry.id, strictness))
        for entry in self.entries:
            for text in entry.excluded:
                found.setdefault(text, Alias(text, None, Strictness.SAFE))
        for alias in list(found.values()):
            # "REUTERS", "EUROPA PRESS": agencies set their own name in capitals.
            capitals = alias.text.upper()
            if alias.source and alias.strictness is Strictness.SAFE and len(capitals) > 3:
                found.setdefault(capitals, Alias(capitals, alias.source, Strictness.SAFE))
        return tuple(found[text] for text in sorted(found))

    @cached_property
    def by_name(self) -> Mapping[str, tuple[str, Strictness]]:
        """Source id and strictness by case-folded name or alias, for fields that hold a name."""
        names: dict[str, tuple[str, Strictness]] = {}
        for alias in self.aliases:
            if alias.source is not None:
                key = alias.text.casefold()
                known = names.get(key)
                if known is None or alias.strictness < known[1]:
                    names[key] = (alias.source, alias.strictness)
        for entry in self.entries:
            names.setdefault(entry.name.casefold(), (entry.id, Strictness.SAFE))
        return names

    @cached_property
    def by_domain(self) -> Mapping[str, Agency]:
        """The source that owns a domain (an outlet's id is a domain of its own)."""
        owners: dict[str, Agency] = {}
        for entry in self.entries:
            for domain in _own_domains(entry):
                owners[domain] = entry
        return owners

    @cached_property
    def digest(self) -> str:
        """16 hex digits of all entries, in whatever order they stand."""
        entries = sorted(map(dataclasses.asdict, self.entries), key=lambda entry: entry["id"])
        payload = json.dumps(entries).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(payload, digest_size=8).hexdigest()

    def own_sources(self, outlet_id: str | None) -> frozenset[str]:
        """The source ids that mean the outlet itself: its id and the agency behind its site."""
        if outlet_id is None:
            return frozenset()
        owner = self.by_domain.get(outlet_id)
        return frozenset({outlet_id, owner.id} if owner else {outlet_id})


def load(extra: str | os.PathLike[str] | None = None) -> Agencies:
    """Read the packaged sources and, over them, those of the file ``extra``.

    Raises :class:`~dedup.errors.SettingsError`, naming file and entry, when ``extra`` cannot be
    read, is no TOML, or an entry has an unknown key, a wrong type or a name already taken.
    """
    if extra is None:
        return packaged()
    entries = {entry.id: entry for entry in packaged()}
    for entry in parse(load_toml(extra), origin=str(extra)):
        entries[entry.id] = entry
    try:
        return Agencies(tuple(entries.values()))
    except SettingsError as error:
        raise SettingsError(f"{extra}: {error}") from error


@cache
def packaged() -> Agencies:
    """The sources that are shipped (read once a process)."""
    entries: dict[str, Agency] = {}
    for name in ("agencies.toml", "outlets.toml"):
        file = resources.files("dedup") / "data" / name
        for entry in parse(tomllib.loads(file.read_text(encoding="utf-8")), origin=name):
            entries[entry.id] = entry
    return Agencies(tuple(entries.values()))


def parse(table: Mapping[str, Any], *, origin: str) -> list[Agency]:
    """The entries of one parsed file; ``origin`` is its name for messages."""
    unknown = sorted(set(table) - {"agency", "outlet"})
    if unknown:
        raise SettingsError(f"{origin}: unknown table '{unknown[0]}'; known are: agency, outlet")
    found: dict[str, Agency] = {}
    for kind in ("agency", "outlet"):
        entries = table.get(kind, [])
        if not isinstance(entries, list):
            raise SettingsError(f"{origin}: '{kind}' must be a list of tables, [[{kind}]]")
        for number, raw in enumerate(entries, 1):
            entry = _entry(raw, kind, f"{origin}: {kind} {number}")
            if entry.id in found:
                raise SettingsError(f"{origin}: {kind} {number} ('{entry.id}'): id occurs twice")
            found[entry.id] = entry
    return list(found.values())


def _entry(raw: Any, default_kind: str, where: str) -> Agency:
    if not isinstance(raw, dict):
        raise SettingsError(f"{where}: expected a table")
    where = f"{where} ('{raw.get('id', 'no id')}')"
    unknown = sorted(set(raw) - {*_LISTS, *_STRINGS})
    if unknown:
        known = ", ".join((*_STRINGS, *_LISTS))
        raise SettingsError(f"{where}: unknown key '{unknown[0]}'; known are: {known}")
    for key in _STRINGS:
        value = raw.get(key, "")
        if not isinstance(value, str) or (key in ("id", "name") and not value.strip()):
            raise SettingsError(f"{where}: '{key}' must be a text that is not empty")
    lists: dict[str, tuple[str, ...]] = {}
    for key in _LISTS:
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise SettingsError(f"{where}: '{key}' must be a list of texts that are not empty")
        short = next((name for name in value if key != "domains" and len(name.encode()) < 2), None)
        if short is not None:
            raise SettingsError(
                f"{where}: '{short}' in '{key}' is too short: a name needs two letters"
            )
        lists[key] = tuple(text.strip() for text in value)
    _check_names(raw["id"], lists, where)
    lists["excluded"] = lists.pop("not")
    kind = raw.get("kind") or default_kind
    if kind not in get_args(SourceKind) or kind == "unknown":
        raise SettingsError(f"{where}: kind '{kind}' must be agency, press-release or outlet")
    return Agency(
        id=raw["id"],
        name=raw["name"],
        kind=cast("SourceKind", kind),
        country=raw.get("country", ""),
        **lists,
    )


def _check_names(identity: str, lists: Mapping[str, tuple[str, ...]], where: str) -> None:
    """Refuse what could only fail in silence later."""
    if identity == "unknown" or not is_source_id(identity):
        raise SettingsError(
            f"{where}: 'id' must be lower case letters, digits, '.', '-' or '_' (and not "
            "'unknown', which stands for nobody)"
        )
    names = {*lists["aliases"], *lists["cased"], *lists["ambiguous"]}
    if both := sorted(names & set(lists["not"])):
        raise SettingsError(f"{where}: '{both[0]}' stands under 'not' and among the names")
    for domain in lists["domains"]:
        if not _DOMAIN.fullmatch(domain):
            raise SettingsError(
                f"{where}: '{domain}' in 'domains' must be a domain such as example.com: lower "
                "case, no 'https://', 'www.' or path"
            )


def _own_domains(entry: Agency) -> Iterable[str]:
    return (entry.id, *entry.domains) if "." in entry.id else entry.domains


def _check_owners(entries: Iterable[Agency]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for entry in entries:
        claims = [("name", text) for text in (*entry.aliases, *entry.cased, *entry.ambiguous)]
        claims += [("domain", domain) for domain in _own_domains(entry)]
        for claim in claims:
            owner = owners.setdefault(claim, entry.id)
            if owner != entry.id:
                what, text = claim
                raise SettingsError(
                    f"entry '{entry.id}': {what} '{text}' belongs to '{owner}' already"
                )
