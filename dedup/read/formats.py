"""The registry of formats, and how the format of an input is recognised.

One more format is one module with ``read(source, intake)`` and one line in :data:`FORMATS`.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from dedup.read import (
    anpa1312,
    delimited,
    feeds,
    iptc7901,
    jsonlines,
    mail,
    newsml1,
    newsml_g2,
    ninjs,
    ninjsfile,
    nitf,
    parquet,
    textfiles,
    xmlrecords,
)
from dedup.read.columns import resolve
from dedup.read.intake import Intake, RawRecord, Source
from dedup.read.streams import RawInput, Stream, compression_of
from dedup.read.xmlitems import prolog_of

Reader = Callable[[Source, Intake], Iterator[RawRecord]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in the ledger, the endings of its file names, its reader."""

    name: str
    suffixes: tuple[str, ...]
    read: Reader


JSONL = Format("jsonl", (".jsonl", ".ndjson", ".jl", ".json"), jsonlines.read)
CSV = Format("csv", (".csv", ".tsv", ".tab"), delimited.read)
PARQUET = Format("parquet", (".parquet", ".pq"), parquet.read)
TEXT = Format("text", (".txt", ".text"), textfiles.read)

XML = Format("xml", (".xml",), xmlrecords.read)
NEWSML_G2 = Format("newsml-g2", (), newsml_g2.read)
NEWSML_1 = Format("newsml-1", (".newsml",), newsml1.read)
NINJS = Format("ninjs", (".ninjs",), ninjsfile.read)
NITF = Format("nitf", (".nitf",), nitf.read)
RSS = Format("rss", (".rss", ".rdf"), feeds.rss)
ATOM = Format("atom", (".atom",), feeds.atom)
SITEMAP = Format("sitemap", (), feeds.sitemap)
IPTC_7901 = Format("iptc-7901", (".iptc",), iptc7901.read)
ANPA_1312 = Format("anpa-1312", (".anpa",), anpa1312.read)
MAIL = Format("mail", (".eml", ".mbox"), mail.read)

FORMATS: tuple[Format, ...] = (
    *(JSONL, CSV, PARQUET, TEXT, XML),
    *(NEWSML_G2, NEWSML_1, NINJS, NITF, RSS, ATOM, SITEMAP, IPTC_7901, ANPA_1312, MAIL),
)

BY_NAME: tuple[Format, ...] = (JSONL, CSV, PARQUET, XML)
"""Formats whose fields are recognised by their names; the others know theirs."""

_BY_ROOT = {
    **dict.fromkeys(
        (
            *("newsmessage", "newsitem", "packageitem", "conceptitem", "knowledgeitem"),
            *("planningitem", "catalogitem"),
        ),
        NEWSML_G2,
    ),
    "newsml": NEWSML_1,
    "nitf": NITF,
    "rss": RSS,
    "rdf": RSS,
    "feed": ATOM,
    "entry": ATOM,
    "urlset": SITEMAP,
    "sitemapindex": SITEMAP,
}
"""Formats of XML by the name of the root element; the others are records of their own names."""

_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}
_COMPRESSED = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_PARQUET_MAGIC = b"PAR1"
_TO_LOOK_AT = 65536
PEEK = 2**18
"""Bytes looked at to recognise a format: more than the first block of a zstd frame."""


def suffixes_of(name: str) -> tuple[str, str]:
    """The ending of a file name in lower case and the compression that it claims, ``""`` if none.

    >>> suffixes_of("news.jsonl.gz")
    ('.jsonl', 'gzip')
    """
    path = PurePath(name.lower())
    claimed = _COMPRESSED.get(path.suffix, "")
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


def detect(
    raw: RawInput, name: str, compression: str, max_ratio: int, *, table: bool = False
) -> Format | None:
    """The format by content and name; ``None`` when it is none of ours.

    Content decides where it can (Parquet's magic, a root element of XML, the heading of a wire, a
    first ``{``); the name decides between plain text and tables. Standard input that is neither
    is one article as text, unless columns were asked for (``table``).
    """
    suffix, _ = suffixes_of(name)
    by_name = _BY_SUFFIX.get(suffix)
    stated = _stated(raw.peek(PEEK), by_name, compression, max_ratio)
    if stated is not None:
        return stated
    if by_name in (TEXT, JSONL):
        return PARQUET if by_name is JSONL and raw.peek(4) == _PARQUET_MAGIC else by_name
    head = raw.peek(PEEK)
    if not compression and head.startswith(_PARQUET_MAGIC):
        return PARQUET
    if by_name is PARQUET:
        return by_name
    text = _beginning(head, compression, max_ratio)
    if text.startswith("{"):
        return JSONL
    if by_name is not None:
        return by_name
    if name == "-":
        return CSV if table or _has_columns(text) else TEXT if text else JSONL
    return CSV if _is_table(text) else None


def _stated(head: bytes, by_name: Format | None, compression: str, max_ratio: int) -> Format | None:
    """What the first bytes say of a format that announces itself, whatever the name."""
    if by_name in (CSV, PARQUET) or (not compression and head.startswith(_PARQUET_MAGIC)):
        return None
    data = _unpacked(head, compression, max_ratio)
    if iptc7901.is_message(data):
        return IPTC_7901
    if anpa1312.is_message(data):
        return ANPA_1312
    if mail.is_mail(data) or mail.is_mailbox(data):
        return MAIL
    if data.lstrip()[:1] in (b"{", b"["):
        return NINJS if _is_ninjs_document(data) else None
    return _xml(data) if data.lstrip().startswith(b"<") else None


def _is_ninjs_document(data: bytes) -> bool:
    """Whether JSON that is not in lines begins like one with news items."""
    first, newline, _ = data.lstrip().partition(b"\n")
    first = first.strip()
    in_lines = first.startswith(b"{") and (first.endswith(b"}") or not newline)
    return not in_lines and ninjs.looks_like(data.decode("utf-8", "replace"))


def _xml(data: bytes) -> Format | None:
    """The format of XML; ``None`` for HTML and for what only begins with ``<``."""
    prolog = prolog_of(data.decode("utf-8", "replace"))
    if prolog is None:
        return None
    root = prolog.root.lower()
    if root in ("html", "doctype"):
        return None
    found = _BY_ROOT.get(root)
    if found is None and data.lstrip().startswith(b"<?xml"):
        return XML
    return found


def _unpacked(head: bytes, compression: str, max_ratio: int) -> bytes:
    """The first bytes of an input, unpacked; UTF-16 as UTF-8."""
    stream = Stream(RawInput(io.BytesIO(head), None), compression, max_ratio)
    return next(stream.chunks(), b"")[:_TO_LOOK_AT]


def _beginning(head: bytes, compression: str, max_ratio: int) -> str:
    """The first characters of the unpacked text, without leading space."""
    return _unpacked(head, compression, max_ratio).decode("utf-8", "replace").lstrip()


def _is_table(text: str) -> bool:
    names = _header(text)
    return len(names) > 1 and resolve(names).text is not None


def _has_columns(text: str) -> bool:
    """Whether the first line names columns that are known: what a news text hardly begins with."""
    return len(resolve(_header(text)).taken()) > 0


def _header(text: str) -> list[str]:
    header = text.split("\n", 1)[0]
    try:
        return next(csv.reader([header], delimiter=delimited.sniff(header)), [])
    except csv.Error:
        return []
