"""Recognition of columns: which name is taken for which article field.

Names are compared without case, spaces, ``_`` and ``-``. For every field a fixed order of
names decides, so that the same columns are always understood in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dedup.creditfields import CREDIT_FIELDS
from dedup.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIELD_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        *("id", "docid", "documentid", "articleid", "identifier", "guid", "uuid"),
        *("uri", "itemid", "newsid"),
    ),
    "outlet": (
        *("outlet", "newspaper", "publication", "sitename", "publisher", "publishername"),
        *("sourcedomain", "domain", "hostname", "sourcehostname", "site", "website"),
        *("source", "sourcename", "series"),
    ),
    "published": (
        *("published", "publishedat", "datepublished", "datepublish", "publishdate"),
        *("publisheddate", "publicationdate", "pubdate", "publishedtime", "firstpublished"),
        *("publishedutc", "versioncreated", "date", "datetime", "timestamp"),
        "webpublicationdate",
    ),
    "url": ("url", "link", "permalink", "articleurl", "weburl", "pageurl", "mainentityofpage"),
    "title": ("title", "headline", "articletitle", "heading", "webtitle"),
    "byline": ("byline", "author", "authors", "authorname", "creator", "writer"),
    "language": ("language", "inlanguage", "lang", "languagecode", "langcode"),
    "version": ("version", "versionnumber"),
    "text": (
        *("text", "maintext", "articlebody", "articletext", "body", "bodytext", "fulltext"),
        *("content", "article", "rawtext", "story", "articlecontent"),
    ),
}
"""Recognised names by article field, the preferred first (schema.org, Hugging Face cc_news,
news-please, trafilatura, passim, ninjs and the usual dumps). A trafilatura ``fingerprint`` is
not taken as an id: it is the same for near-duplicates, which would make copies of one story
look like one record."""

METADATA_NAMES: dict[str, str] = {**CREDIT_FIELDS, "canonical": "canonical"}
"""Further fields that are kept, by their folded name: those that can name a source, and an
address."""

_IGNORED = re.compile(r"[\s_-]+")
_MAX_CACHED = 4096
_MAX_LISTED = 40


def fold(name: str) -> str:
    """A column name as it is compared."""
    return _IGNORED.sub("", name).lower()


@dataclass(frozen=True, slots=True)
class Columns:
    """The column taken for each article field (``None``: none) and those kept as metadata.

    ``metadata`` holds pairs ``(canonical name, column)``.
    """

    id: str | None = None
    outlet: str | None = None
    published: str | None = None
    url: str | None = None
    title: str | None = None
    byline: str | None = None
    language: str | None = None
    version: str | None = None
    text: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def taken(self) -> dict[str, str]:
        """Article field -> column, for those that were found."""
        named = {field: getattr(self, field) for field in FIELD_NAMES}
        return {field: column for field, column in named.items() if column is not None}


TEXT_FILE = Columns(id="id", text="text")
"""The columns of formats that deliver ``id`` and ``text`` by themselves."""


def check_overrides(overrides: Iterable[tuple[str, str]]) -> None:
    """Refuse overrides of a field that does not exist (:class:`~dedup.errors.UsageError`)."""
    for field, column in overrides:
        if field not in FIELD_NAMES:
            raise UsageError(
                f"--field {field}={column}: there is no article field '{field}'; "
                f"known are: {', '.join(FIELD_NAMES)}"
            )


def resolve(names: Sequence[str], overrides: Sequence[tuple[str, str]] = ()) -> Columns:
    """Decide which of ``names`` is taken for which field.

    ``overrides`` are pairs ``(field, column)`` that win; of several for one field the first
    that occurs. A field that is overridden is never recognised by another name.
    """
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(fold(name), name)
    present = set(names)
    taken: dict[str, str] = {}
    for field, column in overrides:
        if field not in taken and (found := _find(column, present, folded)) is not None:
            taken[field] = found
    overridden = {field for field, _ in overrides}
    for field, candidates in FIELD_NAMES.items():
        if field in overridden:
            continue
        for candidate in candidates:
            if candidate in folded and folded[candidate] not in taken.values():
                taken[field] = folded[candidate]
                break
    used = set(taken.values())
    metadata = tuple(
        (canonical, folded[name])
        for name, canonical in sorted(METADATA_NAMES.items(), key=lambda item: item[1])
        if name in folded and folded[name] not in used
    )
    return Columns(**taken, metadata=metadata)


_OF_ARTICLES = frozenset(("id", "url", "title", "byline", "published"))


def has_fields_of_articles(columns: Columns) -> bool:
    """Whether there are fields that an article has, and what is around articles has not."""
    return not columns.taken().keys().isdisjoint(_OF_ARTICLES)


@lru_cache(maxsize=1024)
def resolve_known(names: tuple[str, ...], overrides: tuple[tuple[str, str], ...] = ()) -> Columns:
    """As :func:`resolve`, for names that come again and again: the last thousand are remembered."""
    return resolve(names, overrides)


def _find(column: str, present: set[str], folded: dict[str, str]) -> str | None:
    return column if column in present else folded.get(fold(column))


class AskedColumns:
    """Which of the columns that were asked for (``--field``) the files of a run have."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._missing: dict[str, str] = {}

    def found(self, field: str) -> None:
        """A file has the column for a field."""
        self._found.add(field)

    def missing(self, field: str, reason: str) -> None:
        """A file lacks it, which is an error (``reason``) if all do."""
        self._missing.setdefault(field, reason)

    def check(self) -> None:
        """Refuse columns that no file has (:class:`~dedup.errors.UsageError`)."""
        for field, reason in self._missing.items():
            if field not in self._found:
                raise UsageError(reason)


class ColumnMap:
    """The columns of one file, resolved once for every distinct tuple of names.

    ``taken`` is filled with the column taken for each field (several joined by `` | ``).
    """

    def __init__(
        self, file: str, overrides: Sequence[tuple[str, str]], taken: dict[str, str]
    ) -> None:
        self._file = file
        self.lenient = False  # a sample is looked at to tell which column holds the text
        self._overrides = tuple(overrides)
        self._taken = taken
        self._cache: dict[tuple[str, ...], Columns] = {}
        self._names: dict[str, None] = {}
        self._unseen = {column for _, column in self._overrides}
        self.together: AskedColumns | None = None
        """Where the file is one of several: a column that it lacks may be in another one."""

    def of(self, names: tuple[str, ...]) -> Columns:
        """The columns of records that have exactly these names."""
        columns = self._cache.get(names)
        if columns is None:
            columns = resolve(names, self._overrides)
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[names] = columns
            self._record(names, columns)
        return columns

    def _record(self, names: tuple[str, ...], columns: Columns) -> None:
        if len(self._names) <= _MAX_LISTED:
            self._names.update(dict.fromkeys(names))
        if self._unseen:
            folded = {fold(name): name for name in names}
            present = set(names)
            self._unseen = {c for c in self._unseen if _find(c, present, folded) is None}
        for field, column in columns.taken().items():
            known = self._taken.get(field)
            if known is None:
                self._taken[field] = column
            elif column not in known.split(" | "):
                self._taken[field] = f"{known} | {column}"

    def check(self, *, need_text: bool) -> None:
        """Refuse a file without an overridden column, or (``need_text``) without a text column.

        Raises :class:`~dedup.errors.UsageError` naming file, column and the columns there are. A
        column that one of several files lacks is left to :meth:`AskedColumns.check`.
        """
        for field, column in self._overrides:
            others = {c for f, c in self._overrides if f == field}
            if not others <= self._unseen:
                if self.together is not None:
                    self.together.found(field)
                continue
            reason = (
                f"{self._file}: there is no column '{column}' (asked for by --field "
                f"{field}={column}); the columns are: {self._listed()}"
            )
            if self.together is None:
                raise UsageError(reason)
            self.together.missing(field, reason)
        if need_text and not self.lenient and "text" not in self._taken:
            raise UsageError(
                f"{self._file}: no column was recognised as the text; the columns are: "
                f"{self._listed()}. Name it with --field text=COLUMN"
            )

    def _listed(self) -> str:
        return listed(self._names)


def listed(names: Iterable[str]) -> str:
    """Column names for a message, cut after forty."""
    names = list(names)
    shown = ", ".join(name[:80] for name in names[:_MAX_LISTED])
    return f"{shown}, …" if len(names) > _MAX_LISTED else shown or "(none)"
