"""The typed records and Arrow schemas that stages hand to each other and a run writes.

Offsets count characters of the article's text as read (Python ``str`` indices), ends
exclusive. An article is referred to by its ``ref``: its id, or ``id@digest8`` for a
superseded revision of the same id.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.rejects import RejectList

RelationName = Literal["copy", "partial", "quote", "boilerplate"]
Kind = Literal["prose", "quote", "boilerplate"]
Role = Literal["credit", "metadata", "mention", "inferred", "earliest-observed"]
SourceKind = Literal["agency", "press-release", "outlet", "unknown"]
Flag = Literal["syndicated", "partial", "duplicate", "earliest", "shared", "unique"]

KINDS: tuple[Kind, ...] = ("prose", "quote", "boilerplate")
RELATIONS: tuple[RelationName, ...] = ("boilerplate", "quote", "partial", "copy")
"""Weakest first."""

PRECISIONS = ("unknown", "year", "month", "day", "minute", "second")
"""How exactly a publication time is known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why we say who wrote a text, with the place where it says so.

    ``field`` is ``text``, ``title``, ``byline``, ``url`` or ``metadata.<name>``; ``start`` and
    ``end`` are character offsets into that field of article ``article`` (its ref); ``text``
    is the span itself.
    """

    role: Role
    source: str
    article: str
    field: str
    start: int
    end: int
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The evidence as it stands in the output tables."""
        return {
            "role": self.role,
            "source": self.source,
            "article": self.article,
            "field": self.field,
            "start": self.start,
            "end": self.end,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Match:
    """A verified pair of spans of two texts.

    ``similarity`` is the cosine of the spans' TF-ISF vectors (weights from the two texts
    alone, 0-1). ``kind`` is ``prose``, ``quote`` or ``boilerplate``.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    similarity: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not used, and why. ``position`` says where, e.g. ``line 12`` or
    ``byte 3041``; ``sample`` is the first 200 characters, made safe."""

    file: str
    position: str
    reason: str
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a sender took back: the item ``id`` with all versions up to ``version`` (``None``: all).

    ``file`` and ``position`` say where it stands, ``status`` what it says (``canceled``).
    """

    id: str
    version: int | None
    file: str
    position: str
    status: str

    def covers(self, version: int | None) -> bool:
        """Whether a version of the item is meant; one that states no version is."""
        return self.version is None or version is None or version <= self.version

    def covers_all_of(self, other: Withdrawal) -> bool:
        """Whether all that another notice on the same item means is meant."""
        return self.version is None or (other.version is not None and self.covers(other.version))


@dataclass(slots=True)
class FileLedger:
    """What was read from one input: ``read = articles + repeats + rejected``."""

    file: str
    format: str = ""
    bytes: int = 0
    read: int = 0
    articles: int = 0
    repeats: int = 0
    rejected: int = 0
    incomplete: str | None = None
    """Why the file could not be read to its end, the first reasons; ``None`` when it was."""
    notes: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """Which column was taken for which article field."""


@dataclass(slots=True)
class Ledger:
    """The balance of a whole run's input."""

    files: list[FileLedger] = field(default_factory=list)
    rejects: list[Reject] | RejectList = field(default_factory=list)
    skipped: list[Reject] = field(default_factory=list)
    """Paths that were not read at all (FIFO, device, symlink loop), with the reason."""
    unknown: set[str] = field(default_factory=set)
    """Files of no known format; each is a reject."""
    faults: dict[int, int] = field(default_factory=dict, compare=False, repr=False)
    """How many reasons make a file incomplete, by the ``id`` of its entry in ``files``."""
    warnings: list[str] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    """Items that their senders canceled or withheld."""

    @property
    def read(self) -> int:
        """Records read."""
        return sum(f.read for f in self.files)

    @property
    def articles(self) -> int:
        """Records that became articles."""
        return sum(f.articles for f in self.files)

    @property
    def repeats(self) -> int:
        """Records that repeat an (id, text) seen before."""
        return sum(f.repeats for f in self.files)

    @property
    def rejected(self) -> int:
        """Records not used."""
        return sum(f.rejected for f in self.files)

    @property
    def incomplete(self) -> list[FileLedger]:
        """Files that could not be read to their end."""
        return [f for f in self.files if f.incomplete]


def text_digest(text: str) -> str:
    """What a record's text is known by: 32 hex digits, BLAKE2b-128 of its UTF-8 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


@cache
def article_schema() -> pa.Schema:
    """Arrow schema of what ``read`` yields, one row an article.

    ``digest``: 32 hex digits, BLAKE2b-128 of the UTF-8 text. ``published``: UTC microseconds,
    null when unknown; ``precision``: one of :data:`PRECISIONS`; ``published_raw`` as it stood.
    ``version``: a stated version number of the record (e.g. NewsML), or null. ``metadata``:
    JSON object of further fields that can carry a source (``sourceOrganization``,
    ``copyrightHolder``, ``infosource`` …), or null. ``issues``: short names of what was odd
    (``invalid-utf8``, ``date-unreadable`` …).
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("digest", pa.string(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("position", pa.string(), nullable=False),
            pa.field("outlet", pa.string()),
            pa.field("published", pa.timestamp("us", tz="UTC")),
            pa.field("precision", pa.string(), nullable=False),
            pa.field("published_raw", pa.string()),
            pa.field("url", pa.string()),
            pa.field("title", pa.string()),
            pa.field("byline", pa.string()),
            pa.field("language", pa.string()),
            pa.field("version", pa.int64()),
            pa.field("metadata", pa.string()),
            pa.field("issues", pa.list_(pa.string()), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
        ]
    )


@cache
def table_schemas() -> dict[str, pa.Schema]:
    """Arrow schemas of the tables that a run writes, by name (the output contract)."""
    import pyarrow as pa

    s, f64, i64, b = pa.string(), pa.float64(), pa.int64(), pa.bool_()
    when = pa.timestamp("us", tz="UTC")
    evidence = pa.struct(
        [
            ("role", s),
            ("source", s),
            ("article", s),
            ("field", s),
            ("start", i64),
            ("end", i64),
            ("text", s),
        ]
    )
    source = pa.struct(
        [
            ("id", s),
            ("name", s),
            ("kind", s),
            ("confidence", f64),
            ("evidence", pa.list_(evidence)),
        ]
    )
    relation = [
        ("a", s),
        ("b", s),
        ("relation", s),
        ("revision", b),
        ("p_shared", f64),
        ("p_copied", f64),
        ("coverage_a", f64),
        ("coverage_b", f64),
        ("score", f64),
        ("earlier", s),
    ]
    return {
        "articles": pa.schema(
            [
                ("id", s),
                ("ref", s),
                ("digest", s),
                ("file", s),
                ("position", s),
                ("outlet", s),
                ("published", when),
                ("precision", s),
                ("published_raw", s),
                ("url", s),
                ("title", s),
                ("byline", s),
                ("language", s),
                ("flag", s),
                ("basis", s),
                ("confidence", f64),
                ("source", s),
                ("share_copied", f64),
                ("group", s),
                ("best_match", s),
                ("credits", pa.list_(evidence)),
                ("mentions", pa.list_(evidence)),
                ("why", s),
                ("issues", pa.list_(s)),
            ]
        ),
        "passages": pa.schema(
            [
                ("id", s),
                ("text", s),
                ("kind", s),
                ("score", f64),
                ("source", source),
                ("first_observed", s),
                ("outlets", pa.list_(s)),
                (
                    "occurrences",
                    pa.list_(pa.struct([("article", s), ("start", i64), ("end", i64)])),
                ),
            ]
        ),
        "matches": pa.schema(
            [
                ("a", s),
                ("b", s),
                ("a_start", i64),
                ("a_end", i64),
                ("b_start", i64),
                ("b_end", i64),
                ("similarity", f64),
                ("score", f64),
                ("kind", s),
                ("passage", s),
            ]
        ),
        "relations": pa.schema(relation),
        "groups": pa.schema(
            [
                ("id", s),
                ("key", s),
                ("core", pa.list_(s)),
                ("articles", pa.list_(s)),
                ("source", source),
                ("first_observed", s),
                ("passages", pa.list_(s)),
            ]
        ),
        "sources": pa.schema(
            [
                ("id", s),
                ("name", s),
                ("kind", s),
                ("groups", pa.list_(s)),
                ("articles", pa.list_(s)),
                ("credited", pa.list_(s)),
                ("cited_by", pa.list_(s)),
            ]
        ),
        "near_misses": pa.schema([*relation, ("missed_by", s)]),
        "rejected": pa.schema([("file", s), ("position", s), ("reason", s), ("sample", s)]),
        "texts": pa.schema([("id", s), ("ref", s), ("digest", s), ("text", pa.large_string())]),
    }
