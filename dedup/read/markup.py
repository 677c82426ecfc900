"""Text of marked-up stories as a reader sees it: paragraphs as lines, no tags, no furniture.

For elements of XHTML, HTML, NITF and NewsML, and for HTML in strings. Rows of tables become lines,
their cells separated by tabs; captions are paragraphs; what is no text (scripts, pictures, page
heads) is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Literal

from lxml import etree

from dedup.read.wrapping import paragraphs, unwrapped, wrap_width

Newlines = Literal["space", "typed", "break"]
"""What a newline inside a paragraph means: a space, as in HTML; typed text, in which blank or
indented lines begin paragraphs, as agencies send it; or a line break, as WordPress keeps it."""

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("hr", "html", "legend", "li", "main", "ol", "p", "pre", "section", "summary", "details"),
        *("table", "tbody", "tfoot", "thead", "tr", "caption", "ul"),
        # NITF
        *("block", "bq", "hl1", "hl2", "media", "media-caption", "tagline", "abstract", "note"),
        *("fn", "datasource", "byline", "distributor", "dateline"),
    )
)
_CELLS = frozenset(("td", "th"))
_LEFT_OUT = frozenset(
    (
        *("head", "script", "style", "template", "noscript", "header", "nav", "svg", "iframe"),
        *("object", "embed", "audio", "video", "button", "select", "textarea", "col", "colgroup"),
        # NITF
        *("media-metadata", "media-reference", "media-object", "media-producer"),
        *("nitf-colgroup", "nitf-table-metadata"),
    )
)
_TAG = re.compile(
    r"</?(?:p|br|div|span|b|i|u|em|strong|a|ul|ol|li|h[1-6]|img|figure|table|blockquote|section)"
    r"\b[^<>]*>|&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]+);",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)[^<>]*>")
_DEEPEST_INDENT = 5
_CELL_END, _BREAK = "\x1f", "\x1e"
_MARKS = re.compile("[\x1e\x1f]")


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace, in lower case."""
    tag = element.tag
    return _local(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def is_html(text: str) -> bool:
    """Whether a string holds tags or entities of HTML.

    >>> is_html("<p>Rain</p>"), is_html("a < b & c")
    (True, False)
    """
    return _TAG.search(text) is not None


def text_of_html(html: str, newlines: Newlines = "space") -> str:
    """The text of a piece of HTML, however broken."""
    if "<" not in html and "&" not in html:
        collector = _Collector(newlines)
        collector.add(html)
        return collector.text()
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    data = html.replace("\0", "").encode("utf-8", "replace")
    root = etree.fromstring(b"<html>" + data, parser)
    if root is None or any(entry.level_name == "FATAL" for entry in parser.error_log):
        return _without_tags(html, newlines)  # nested too deeply for the parser
    return text_of(root, newlines)


def _without_tags(html: str, newlines: Newlines) -> str:
    """The text of HTML that cannot be parsed: its tags cut out, those of blocks as line ends."""
    collector = _Collector(newlines)
    at = 0
    for tag in _ANY_TAG.finditer(html):
        collector.add(unescape(html[at : tag.start()]))
        name = tag[1].lower()
        if name in _BLOCKS or name == "br":
            collector.end_block()
        at = tag.end()
    collector.add(unescape(html[at:]))
    return collector.text()


def text_of(element: etree._Element, newlines: Newlines = "space") -> str:
    """The text inside an element (its tail is not part of it)."""
    collector = _Collector(newlines)
    walker = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, node in walker:
        if event in ("comment", "pi"):
            if node is not element:
                collector.add(node.tail)
            continue
        name = local_name(node)
        if event == "start":
            if name in _LEFT_OUT and node is not element:
                walker.skip_subtree()
                collector.end_block()
                continue
            collector.start(name)
            collector.add(node.text)
        else:
            if name not in _LEFT_OUT:
                collector.end(name)
            if node is not element:
                collector.add(node.tail)
    return collector.text()


@dataclass
class _Collector:
    """Pieces of text on their way into lines."""

    newlines: Newlines
    pieces: list[str] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    preformatted: int = 0

    def start(self, name: str) -> None:
        if name == "br":
            self.pieces.append(_BREAK)
        elif name in _CELLS:
            if any(piece.strip() for piece in self.pieces):
                self.pieces.append(_CELL_END)
        elif name in _BLOCKS:
            self.end_block()
            self.preformatted += name == "pre"

    def end(self, name: str) -> None:
        if name in _BLOCKS:
            self.end_block()
            self.preformatted -= name == "pre"

    def add(self, text: str | None) -> None:
        if text:
            marked = _CELL_END in text or _BREAK in text
            self.pieces.append(_MARKS.sub(" ", text) if marked else text)

    def end_block(self) -> None:
        """A paragraph is complete."""
        if not self.pieces:
            return
        raw = "".join(self.pieces) if len(self.pieces) > 1 else self.pieces[0]
        self.pieces = []
        if self.newlines == "space" and not self.preformatted and _BREAK not in raw:
            if line := _spaced(raw):
                self.blocks.append([line])
            return
        if _BREAK in raw:
            raw = raw.replace("\n", "" if self.preformatted else " ").replace(_BREAK, "\n")
            lines = raw.split("\n")
        elif self.preformatted or self.newlines == "break":
            lines = raw.split("\n")
        elif self.newlines == "typed" and "\n" in raw.strip():
            self.blocks += [[line] for line in map(_spaced, paragraphs(raw)) if line]
            return
        else:
            lines = [raw]
        if any(line.strip() for line in lines):
            self.blocks.append([_indent(line) + _spaced(line) for line in lines])

    def text(self) -> str:
        """All lines; lines that were only wrapped to a width are joined again."""
        self.end_block()
        width = wrap_width(line for block in self.blocks if len(block) > 1 for line in block)
        lines = (
            line.strip()
            for block in self.blocks
            for line in (unwrapped(block, width) if width and len(block) > 1 else block)
        )
        return "\n".join(filter(None, lines))


def _indent(line: str) -> str:
    """The spaces with which a typed paragraph begins; those of a document's layout are more."""
    spaces = len(line) - len(line.lstrip(" "))
    return " " * spaces if spaces <= _DEEPEST_INDENT else ""


def _spaced(line: str) -> str:
    """A line with single spaces, and tabs between cells."""
    if _CELL_END not in line:
        return " ".join(line.split())
    return "\t".join(" ".join(cell.split()) for cell in line.split(_CELL_END)).strip()
