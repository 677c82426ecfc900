"""XML as a stream of items, parsed without trust.

No DTD is read, no entity is expanded, nothing is fetched; depth and the length of texts are
limited by libxml2 (``huge_tree`` is off), the size of an item by ``max_record_bytes``. A document
that declares entities of its own is refused.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from typing import TYPE_CHECKING, NamedTuple, cast

from lxml import etree

from dedup.read.charsets import CHARSET_ASSUMED, INVALID_UTF8, charset_of, known_charset
from dedup.read.markup import local_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dedup.read.intake import Intake, Source

ILLEGAL_CHARACTERS = "illegal-characters"
"""Issue: control characters that XML does not allow were replaced by U+FFFD."""

PROLOG = 2**16
"""Characters in which the root element must begin."""
_DECLARATION = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,60})["']""")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITY = re.compile("&([A-Za-z][A-Za-z0-9]{1,31});")
_PREDEFINED = frozenset(("lt", "gt", "amp", "quot", "apos"))
_OPEN_ENTITY = 34  # characters at the end of a piece that may be the beginning of an entity
_NAMESPACE = re.compile(r"""\bxmlns(?::([\w.-]+))?\s*=\s*["']([^"']*)["']""")
_START_TAG = re.compile(r"<(?:([\w.-]+):)?([\w.-]+)([^<>]*)", re.UNICODE)


class Prolog(NamedTuple):
    """How a document begins: its root element, the root's namespace, and whether the document
    declares a DTD of its own (``[…]``), which is never read."""

    root: str
    namespace: str
    own_dtd: bool


def prolog_of(text: str) -> Prolog | None:
    """The beginning of an XML document; ``None`` when it does not begin like one.

    ``text`` holds the first characters, at most :data:`PROLOG` of which are looked at.
    """
    at, own_dtd, size = 0, False, min(len(text), PROLOG)
    while at < size:
        if text[at].isspace() or text[at] == "\ufeff":
            at += 1
        elif text.startswith("<?", at):
            at = _after(text, "?>", at, size)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at + 4, size)
        elif text.startswith("<!DOCTYPE", at):
            close, bracket = text.find(">", at, size), text.find("[", at, size)
            if 0 <= bracket < close:
                own_dtd = True
                close = text.find("]", bracket, size)
                close = text.find(">", close, size) if close >= 0 else -1
            at = close + 1 if close >= 0 else size
        else:
            break
    match = _START_TAG.match(text, at, size)
    if match is None:
        return Prolog("", "", own_dtd) if own_dtd else None
    prefix, root, attributes = match[1] or "", match[2], match[3]
    spaces = {found[1] or "": found[2] for found in _NAMESPACE.finditer(attributes)}
    return Prolog(root, spaces.get(prefix, ""), own_dtd)


def _after(text: str, end: str, at: int, size: int) -> int:
    found = text.find(end, at, size)
    return size if found < 0 else found + len(end)


class Items:
    """The elements of some names of a document, one after another, each then forgotten.

    Iterating yields the elements as they end; what stands before the first of them in the document
    (the head of a feed) is still there, what stands between them is forgotten. ``issues`` says what
    was odd about the characters so far.
    """

    def __init__(self, source: Source, intake: Intake, wanted: Callable[[str], bool]) -> None:
        """``wanted`` tells by the local name in lower case whether an element is an item."""
        self._source = source
        self._intake = intake
        self._wanted = wanted
        self.issues: dict[str, None] = {}
        self.damaged = False

    def __iter__(self) -> Iterator[etree._Element]:
        limit = self._intake.settings.max_record_bytes
        parser = self._parser()
        fed = 0  # bytes since the last item ended
        inside: etree._Element | None = None
        seen = False
        ended: list[etree._Element] = []  # their tails may still come
        for error, size in self._fed(parser):
            fed += size
            events = cast("Iterator[tuple[str, etree._Element]]", parser.read_events())
            for event, element in events:
                if event == "start":
                    while ended:
                        forget(ended.pop())
                    if inside is None and self._wanted(local_name(element)):
                        inside = element
                elif element is inside:
                    inside = None
                    fed, seen = 0, True
                    yield element
                    element.clear()
                    ended.append(element)
                elif inside is None and seen:  # what stands before the first item is its head
                    element.clear()
                    ended.append(element)
            if error is not None:
                self._fault(error, inside)
                return
            if fed > limit + 2 * size:
                self._stop_too_long(inside)
                return

    @staticmethod
    def _parser() -> etree.XMLPullParser:
        return etree.XMLPullParser(
            events=("start", "end"),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def _stop_too_long(self, inside: etree._Element | None) -> None:
        limit = self._intake.settings.max_record_bytes
        self._stop(
            f"an item has more than max_record_bytes ({limit}) bytes, or none is found within as "
            "many; the rest of the file is not read",
            inside,
        )

    def _fed(self, parser: etree.XMLPullParser) -> Iterator[tuple[str | None, int]]:
        """Give the document to the parser; yields its error, if any, and the bytes given."""
        given = False
        try:
            for piece in self._text_checked():
                data = piece.encode()
                given = True
                parser.feed(data)
                yield None, len(data)
            if given and not self.damaged:
                parser.close()
        except etree.XMLSyntaxError as error:
            yield error.msg or "damaged", 0

    def _fault(self, error: str, inside: etree._Element | None) -> None:
        if self._source.stream.failure is None:
            self._stop(f"not well-formed XML: {error}; what follows is not read", inside)
        elif inside is not None:
            self._intake.reject(_line(inside), "the record is cut off, the file ends early")

    def _text_checked(self) -> Iterator[str]:
        first = True
        for piece in self._text():
            if first:
                first = False
                prolog = prolog_of(piece)
                if prolog is not None and prolog.own_dtd:
                    self._stop(
                        "the document declares a DTD of its own ('<!DOCTYPE … [') in which "
                        "entities can be defined; for safety such XML is not read",
                        None,
                    )
                    return
            yield piece

    def _stop(self, reason: str, inside: etree._Element | None) -> None:
        self.damaged = True
        position = _line(inside) if inside is not None else "line 1"
        self._intake.reject(position, reason)
        self._intake.incomplete(f"{position}: {reason}")

    def _text(self) -> Iterator[str]:
        """The document in characters that XML allows, HTML's entities resolved."""
        chunks = self._source.stream.chunks()
        first = next(chunks, b"")
        declared = _DECLARATION.search(first[:1024])
        name = declared[1].decode() if declared else None
        # What was transcoded, by a byte order mark or on demand, is UTF-8 by now, whatever it says.
        if name is not None and known_charset(name) == "utf-7":
            name = None  # as in pages: an encoding for mail, in which "+ADw-" stands for "<"
            self.issues[CHARSET_ASSUMED] = None
        transcoded = self._source.stream.encoding != "utf-8"
        wide = name is not None and name.lower().replace("_", "-").startswith(("utf-16", "utf16"))
        if transcoded or wide:
            name = None
        charset, assumed = charset_of(first, name)
        if assumed:
            self.issues[CHARSET_ASSUMED] = None
        decoder = codecs.getincrementaldecoder(charset)()
        rest = ""
        chunk: bytes = first
        while chunk:
            following = next(chunks, b"")
            text = rest + self._decoded(decoder, chunk, final=not following)
            chunk = following
            cut = text.rfind("&", max(0, len(text) - _OPEN_ENTITY)) if chunk else -1
            rest = text[cut:] if cut >= 0 else ""
            yield self._cleaned(text[:cut] if cut >= 0 else text)

    def _decoded(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> str:
        before = decoder.getstate()
        try:
            return decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self.issues[INVALID_UTF8] = None
            decoder.errors = "replace"
            decoder.setstate(before)
            return decoder.decode(chunk, final)

    def _cleaned(self, text: str) -> str:
        if _ILLEGAL.search(text):
            self.issues[ILLEGAL_CHARACTERS] = None
            text = _ILLEGAL.sub("\ufffd", text)
        return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    """The character of an entity of HTML; XML knows five without a DTD."""
    name = match[1]
    if name in _PREDEFINED:
        return match[0]
    found = html.entities.html5.get(f"{name};", match[0])
    return f"&#{ord(found)};" if found in ("<", "&") else found


def _line(element: etree._Element) -> str:
    return f"line {element.sourceline}"


def forget(element: etree._Element) -> None:
    """Take an element that was handed on out of its document."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
