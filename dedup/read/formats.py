"""The registry of formats, and how the format of an input is recognised.

One more format is one module with ``read(source, intake)`` and, where its beginning tells,
``shows`` or ``resembles``; and one line in :data:`FORMATS`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from dedup.read import (
    anpa1312,
    arc,
    archives,
    arrow,
    delimited,
    feeds,
    iptc7901,
    jsonlines,
    jsonvalues,
    mail,
    markdown,
    newsml1,
    newsml_g2,
    nitf,
    pagefiles,
    parquet,
    textfiles,
    warc,
    xmlrecords,
)
from dedup.read.discover import STDIN
from dedup.read.head import Head
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.pagequeue import PendingPage
from dedup.read.unpacking import BY_ENDING, compression_of
from dedup.read.xmlroots import recogniser, shows_other

if TYPE_CHECKING:
    from dedup.read.streams import RawInput

Reader = Callable[[Source, Intake], Iterator[RawRecord | PendingPage]]
Recogniser = Callable[[Head], bool]


def _never(_: Head) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in the ledger, the endings of its file names, its reader.

    ``shows`` is true of a beginning that no other format has; it wins over the name of the file.
    ``resembles`` is true of one that is probably of this format; it counts where the name says
    nothing. ``one_article``: a file holds one article, so that the files of a folder share one
    entry in the ledger. ``named_columns``: which column is which field is told by its name; other
    formats know it.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Reader
    shows: Recogniser = _never
    resembles: Recogniser = _never
    one_article: bool = False
    named_columns: bool = False


PARQUET = Format("parquet", (".parquet", ".pq"), parquet.read, parquet.shows, named_columns=True)
ARROW = Format(
    "arrow",
    (".arrow", ".feather", ".ftr", ".ipc", ".arrows"),
    arrow.read,
    arrow.shows,
    named_columns=True,
)
WARC = Format("warc", (".warc", ".wet"), warc.read, warc.shows)
ARC = Format("arc", (".arc",), arc.read, arc.shows)
IPTC_7901 = Format("iptc-7901", (".iptc",), iptc7901.read, iptc7901.shows)
ANPA_1312 = Format("anpa-1312", (".anpa",), anpa1312.read, anpa1312.shows)
JSON = Format("json", (".ninjs",), jsonvalues.read, jsonvalues.shows, named_columns=True)
JSONL = Format(
    "jsonl",
    (".jsonl", ".ndjson", ".jl", ".json"),
    jsonlines.read,
    jsonlines.shows,
    named_columns=True,
)
NEWSML_G2 = Format("newsml-g2", (), newsml_g2.read, recogniser("newsml-g2"))
NEWSML_1 = Format("newsml-1", (".newsml",), newsml1.read, recogniser("newsml-1"))
NITF = Format("nitf", (".nitf",), nitf.read, recogniser("nitf"))
RSS = Format("rss", (".rss", ".rdf"), feeds.rss, recogniser("rss"))
ATOM = Format("atom", (".atom",), feeds.atom, recogniser("atom"))
SITEMAP = Format("sitemap", (), feeds.sitemap, recogniser("sitemap"))
HTML = Format(
    "html", (".html", ".htm", ".xhtml"), pagefiles.read, pagefiles.shows, one_article=True
)
XML = Format("xml", (".xml",), xmlrecords.read, shows_other, named_columns=True)
MAIL = Format("mail", (".eml", ".mbox"), mail.read, mail.shows)
CSV = Format(
    "csv",
    (".csv", ".tsv", ".tab"),
    delimited.read,
    resembles=delimited.resembles,
    named_columns=True,
)
TEXT = Format("text", (".txt", ".text"), textfiles.read, one_article=True)
MARKDOWN = Format("markdown", (".md", ".markdown"), markdown.read, one_article=True)

FORMATS: tuple[Format, ...] = (
    *(PARQUET, ARROW, WARC, ARC, IPTC_7901, ANPA_1312, JSON, JSONL),
    *(NEWSML_G2, NEWSML_1, NITF, RSS, ATOM, SITEMAP, HTML, XML),
    *(MAIL, CSV, TEXT, MARKDOWN),
)
"""All formats, in the order in which a beginning is tried: the surest signs first."""

_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}


def suffixes_of(name: str) -> tuple[str, str]:
    """The ending of a file name in lower case and the compression that it claims, ``""`` if none.

    >>> suffixes_of("news.jsonl.gz")
    ('.jsonl', 'gzip')
    """
    path = PurePath(name.lower())
    claimed = BY_ENDING.get(path.suffix, "")
    return (path.with_suffix("").suffix if claimed else path.suffix), claimed


def compression_for(raw: RawInput, claimed: str) -> str:
    """The compression by the first bytes, else what the name claims if those are binary.

    A file that is named ``.gz`` but holds plain text is read as text; one with damaged first
    bytes is left to the decoder, which says where.
    """
    head = raw.peek(4096)
    found = compression_of(head)
    if found or not claimed or not head:
        return found
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return claimed
    return claimed if min(head) < 9 or len(head) < 4 else ""


def detect(head: Head, *, table: bool = False) -> Format | None:
    """The format by content and name; ``None`` when it is none of ours.

    A beginning that only one format has decides, then the name, then what the beginning resembles.
    Standard input that is none of these is one article as text, or CSV if columns were asked for
    (``table``).
    """
    for format_ in FORMATS:
        if format_.shows(head):
            return format_
    if (by_name := _BY_SUFFIX.get(head.suffix)) is not None:
        return by_name
    for format_ in FORMATS:
        if format_.resembles(head):
            return format_
    if head.name != STDIN:
        return None
    return CSV if table else TEXT if head.text else JSONL


def is_known(suffix: str) -> bool:
    """Whether the ending of a name promises one of the formats."""
    return suffix in _BY_SUFFIX


def expected() -> str:
    """What can be read, for messages."""
    endings = ", ".join(suffix for format_ in FORMATS for suffix in format_.suffixes)
    endings += ", ".join(["", *archives.ENDINGS])
    return f"{endings}, each also compressed ({', '.join(BY_ENDING)})"
