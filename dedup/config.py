"""Settings: frozen, self-checking, loadable from TOML, with a fingerprint.

The defaults below are *the* configuration: every published figure is taken with them.
"""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import SettingsError

if TYPE_CHECKING:
    import os

ANALYSIS = "4"
"""Version of what is found with given settings; raised when results change. An index made with
another is rebuilt."""

FORMER_DEFAULTS: dict[str, dict[str, float]] = {
    "1": {"sensitivity": 0.3, "min_prose_information": 120.0},
}
"""Defaults of earlier versions of the analysis that have changed since, by version."""

SCHEME = "affine32/1"
"""Signature scheme and version; part of the fingerprint."""


def _setting(
    default: Any, help_text: str, *, low: float | None = None, high: float | None = None
) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the result of a run (the *analysis* settings).

    Raises :class:`~dedup.errors.SettingsError` when a value is out of range.
    """

    sensitivity: float = _setting(
        0.25,
        "Word overlap (Jaccard, 0-1) from which two passages are compared. Lower finds more "
        "rewording and costs time.",
        low=0.2,
        high=0.9,
    )
    min_similarity: float = _setting(
        0.4,
        "Similarity (TF-ISF cosine, 0-1) that two passages must reach to count as shared. "
        "Lower accepts freer rewording.",
        low=0.1,
        high=1.0,
    )
    min_information: float = _setting(
        50.0,
        "Bits of information (sum of -log2 word frequency) that a shared passage must carry. "
        "Higher ignores short common phrases.",
        low=0.0,
        high=10000.0,
    )
    min_prose_information: float = _setting(
        90.0,
        "Bits of information that shared prose must carry, unless it is a tenth of the shorter "
        "text: less is a coincidence of names and stock phrases. With its common words it must "
        "hold three times as much, less where both sides are the same or part of it is speech. "
        "Wording with fewer function words than the texts around it counts in proportion. What "
        "both articles mark as a quote, and furniture of one outlet, need not reach it.",
        low=0.0,
        high=10000.0,
    )
    copy_share: float = _setting(
        0.5,
        "Share of the shorter article that must be common narrative for the relation 'copy'.",
        low=0.05,
        high=1.0,
    )
    partial_share: float = _setting(
        0.08,
        "Share of the shorter article that must be common narrative for the relation 'partial'.",
        low=0.01,
        high=1.0,
    )
    max_partners: int = _setting(
        32,
        "Articles that hold one passage are compared all with all up to this number; beyond it "
        "each is compared with the representatives only.",
        low=2,
        high=100000,
    )
    representatives: int = _setting(
        4,
        "Number of representatives (smallest digests) of a passage held by very many articles.",
        low=1,
        high=1000,
    )
    furniture_articles: int = _setting(
        3,
        "Otherwise unrelated articles of one outlet that must repeat a passage before it counts "
        "as furniture (boilerplate).",
        low=2,
        high=100000,
    )
    seed: int = _setting(1, "Seed of the MinHash permutations.", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            low, high = f.metadata["low"], f.metadata["high"]
            expected: type = int if f.type == "int" else float
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise SettingsError(
                    f"setting '{f.name}': expected a number between {low:g} and {high:g}, "
                    f"got {value!r}"
                )
            if expected is int and not isinstance(value, int):
                raise SettingsError(f"setting '{f.name}': expected a whole number, got {value!r}")
            if not low <= value <= high:
                raise SettingsError(
                    f"setting '{f.name}': expected a number between {low:g} and {high:g}, "
                    f"got {value!r}"
                )
            object.__setattr__(self, f.name, expected(value))
        if self.partial_share > self.copy_share:
            raise SettingsError(
                f"setting 'partial_share' ({self.partial_share:g}) must not exceed 'copy_share' "
                f"({self.copy_share:g})"
            )

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, for ``run.json``."""
        return dataclasses.asdict(self)

    def fingerprint(self, **parts: str) -> str:
        """16 hex digits that change whenever a setting or the signature scheme changes.

        ``parts`` are further things that results depend on, such as the digest of a model.
        """
        payload = json.dumps({"scheme": SCHEME, **self.as_dict(), **parts}, sort_keys=True)
        return hashlib.blake2b(payload.encode(), digest_size=8).hexdigest()


def _limit(default: int, help_text: str) -> Any:
    return field(default=default, metadata={"limit": help_text})


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How input is read; does not change what is found in a given set of records.

    Raises :class:`~dedup.errors.SettingsError` when a limit is no positive number, or the encoding
    is not known.
    """

    fields: tuple[tuple[str, str], ...] = ()
    """Pairs ``(article field, column)`` that override recognition, e.g. ``("text", "body")``."""
    strict: bool = False
    """Stop at the first damaged file or rejected record."""
    reject_invalid_utf8: bool = False
    """Reject records with invalid UTF-8 instead of replacing by U+FFFD."""
    max_record_bytes: int = _limit(
        64 * 2**20, "Bytes of a line or record; a greater one is rejected, memory stays bounded."
    )
    max_ratio: int = _limit(1000, "Growth by decompression; where it is greater, reading stops.")
    page_seconds: int = _limit(
        10, "Processor seconds for one web page; one that takes longer is rejected."
    )
    page_memory: int = _limit(
        2**30, "Bytes of address space of a process that takes web pages apart (not on macOS)."
    )
    default_outlet: str | None = None
    """Outlet of records that name none."""
    encoding: str | None = None
    """Encoding of texts that are neither UTF-8 nor marked, by a name that Python knows."""

    def __post_init__(self) -> None:
        for name in limits():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SettingsError(f"limit '{name}': expected a whole number from 1 on: {value!r}")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _text_encoding(self.encoding))


def limits() -> dict[str, tuple[int, str]]:
    """The limits of reading: name -> (default, what it bounds)."""
    return {
        f.name: (int(f.default), f.metadata["limit"])  # type: ignore[arg-type]
        for f in fields(ReadSettings)
        if "limit" in f.metadata
    }


_NO_ENCODINGS = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7", "undefined")


def _text_encoding(name: str) -> str:
    """The name that Python gives an encoding of texts."""
    try:
        found = codecs.lookup(name)
        "a".encode(name)  # refuses codecs that are no encodings of text
    except (LookupError, UnicodeError, ValueError):
        found = None
    if found is None or found.name.replace("_", "-") in _NO_ENCODINGS:
        raise SettingsError(
            f"encoding {name!r} is not known; expected a name such as windows-1252 or gb18030"
        )
    return found.name


def load_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a settings file; returns its top-level table.

    Raises :class:`~dedup.errors.SettingsError` naming file and position when it is no TOML.
    """
    source = Path(path)
    try:
        return tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{source}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{source}: not valid TOML: {error}") from error


def brought_forward(table: dict[str, Any], analysis: str) -> dict[str, Any]:
    """Settings that an index made by version ``analysis`` keeps, without those that were only that
    version's defaults and are others now."""
    former: dict[str, float] = {}
    for version, values in FORMER_DEFAULTS.items():
        if int(version) >= int(analysis):
            former = values | former
    return {name: value for name, value in table.items() if former.get(name) != value}


def settings_from(table: dict[str, Any], *, origin: str = "settings") -> Settings:
    """Build :class:`Settings` from a mapping; unknown names are an error that lists the known."""
    known = {f.name for f in fields(Settings)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(
            f"{origin}: unknown setting '{unknown[0]}'; known are: {', '.join(sorted(known))}"
        )
    return Settings(**table)
