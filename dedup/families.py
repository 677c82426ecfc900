"""Families of outlets with one owner, as the user declares them.

A family counts as one outlet wherever outlets are told apart: its furniture is one house's, a
text in two of its papers is a repost and no syndication, and its papers have one vote when a
source is named. Which papers belong together is a matter of ownership and changes; so nothing
is shipped, and nothing guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dedup.config import load_toml
from dedup.entries import check_keys, headings, is_source_id, located, text_of
from dedup.errors import SettingsError
from dedup.outlets import outlet_identity

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dedup.agencies import Agencies

_KEYS = ("id", "name", "outlets", "note")


@dataclass(frozen=True, slots=True)
class Family:
    """Outlets with one owner: ``id`` a short name, ``outlets`` ids of outlets as they were
    identified (:func:`dedup.outlets.outlet_identity`), in the order of the file; ``place`` is
    where it stands and ``note`` what the user says of it."""

    id: str
    name: str
    outlets: tuple[str, ...]
    place: str = ""
    note: str = ""


@dataclass(frozen=True)
class Families:
    """All declared families; empty by default."""

    entries: tuple[Family, ...] = ()
    by_outlet: Mapping[str, Family] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        owners: dict[str, Family] = {}
        seen: set[str] = set()
        for family in self.entries:
            if family.id in seen:
                raise SettingsError(f"family '{family.id}': the id occurs twice")
            seen.add(family.id)
            for outlet in family.outlets:
                owner = owners.setdefault(outlet, family)
                if owner is not family:
                    raise SettingsError(
                        f"family '{family.id}': outlet '{outlet}' belongs to family '{owner.id}' "
                        "already; name it in one of the two"
                    )
        object.__setattr__(self, "by_outlet", MappingProxyType(owners))

    def owner(self, outlet: str | None) -> str | None:
        """What an outlet id counts as: its family's id, or itself; ``None`` stays ``None``."""
        family = self.by_outlet.get(outlet) if outlet is not None else None
        return family.id if family else outlet

    def as_list(self) -> list[dict[str, Any]]:
        """The families as they stand in ``run.json``."""
        return [{"id": f.id, "name": f.name, "outlets": list(f.outlets)} for f in self.entries]


NO_FAMILIES = Families()


def load_families(path: str | os.PathLike[str], agencies: Agencies) -> Families:
    """Read a TOML file of ``[[family]]`` entries (``id``, ``name``, ``outlets``, ``note``).

    Raises :class:`~dedup.errors.SettingsError` naming file, entry and line when the file cannot
    be read, is no TOML, an entry has an unknown key or a wrong type, its id is that of one of the
    ``agencies``, or an outlet stands in two families.
    """
    table = load_toml(path)
    unknown = sorted(set(table) - {"family"})
    if unknown:
        raise SettingsError(f"{path}: unknown table '{unknown[0]}'; known is: family")
    return families_from(table, headings(path, "family"), agencies, origin=str(path))


def families_from(
    table: Mapping[str, Any],
    places: Sequence[str],
    agencies: Agencies,
    *,
    origin: str,
    also: Families = NO_FAMILIES,
) -> Families:
    """The ``[[family]]`` entries of a parsed file, after those of ``also``.

    ``places`` (as :func:`headings` gives them) and ``origin`` are for messages.
    """
    entries = list(also.entries)
    for raw, where in located(table, "family", places, origin):
        entries.append(_family(raw, where, agencies))
    try:
        return Families(tuple(entries))
    except SettingsError as error:
        raise SettingsError(f"{origin}: {error}") from None


def _family(raw: Mapping[str, Any], where: str, agencies: Agencies) -> Family:
    check_keys(raw, _KEYS, where)
    identity, name = text_of(raw, "id", where), text_of(raw, "name", where, default="")
    outlets = raw.get("outlets")
    if not isinstance(outlets, list) or not all(isinstance(o, str) and o.strip() for o in outlets):
        raise SettingsError(f"{where}: 'outlets' must be a list of names or domains")
    found: list[str] = []
    for outlet in outlets:
        identified = outlet_identity(outlet, None)
        if identified is None:
            raise SettingsError(
                f"{where}: '{outlet}' names no outlet (an aggregator, an archive or no name)"
            )
        found.append(identified[0])
    if len(set(found)) < 2:
        raise SettingsError(f"{where}: 'outlets' must name two outlets or more")
    if identity == "unknown" or not is_source_id(identity):
        raise SettingsError(
            f"{where}: 'id' must be lower case letters, digits, '.', '-' or '_', got '{identity}'"
        )
    # Credits of that source would count as the family's own.
    if agencies.get(identity) is not None and identity not in found:
        raise SettingsError(
            f"{where}: '{identity}' is the id of {agencies.name(identity)}; choose another"
        )
    note = text_of(raw, "note", where, default="")
    return Family(identity, name or identity, tuple(dict.fromkeys(found)), where, note)
