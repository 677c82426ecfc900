"""A page of the report taken apart: its elements, its program, its chunks of data."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """The elements, attributes and texts of a page; its program and its chunks of data."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.style = self.program = self.about = ""
        self.packed: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self._inside = None
        if tag == "style":
            self._inside = "style"
        elif tag == "script":
            self._inside = attributes.get("id", "program")

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text.append(data)
        elif self._inside == "style":
            self.style += data
        elif self._inside == "program":
            self.program += data
        elif self._inside == "about":
            self.about += data
        else:
            self.packed[self._inside.removeprefix("chunk-")] = data

    def unpacked(self, name: str) -> str:
        return gzip.decompress(base64.b64decode(self.packed[name])).decode()

    def chunk(self, name: str):
        return json.loads(self.unpacked(name))

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def strings(data: Any) -> list[str]:
    """All texts within some JSON."""
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for part in parts for text in strings(part)]


def shown_texts(source: str) -> list[str]:
    """All that a page can show: its own text, and every text of its chunks."""
    page = Page(source)
    chunks = [name for name in page.packed if name != "program-of-charts"]
    return [*page.text, page.about, *(t for name in chunks for t in strings(page.chunk(name)))]
