"""Chunks packed into a page: compressed, and as many as one file has room for."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dedup.report.chunks import ReportData

PAGE_LIMIT = 15_000_000
"""Bytes of ``report.html`` at most."""
PAIR_CHUNKS = 8
"""Chunks of texts of pairs outside the groups, which must not take the groups' room."""
_LEVEL = 6


def packed(data: bytes) -> str:
    """``data`` as base64 of gzip; the same for the same bytes, whenever it is made."""
    return base64.b64encode(gzip.compress(data, _LEVEL, mtime=0)).decode("ascii")


def element(name: str, data: bytes) -> str:
    """A chunk as an inert element of the page; the browser reads it as text and runs nothing."""
    return f'<script type="text/plain" id="chunk-{name}">{packed(data)}</script>\n'


def embedded(data: ReportData, room: int) -> tuple[list[str], int]:
    """The chunks of a page of ``room`` bytes as elements, and the number of blocks of groups whose
    details are among them: all lists, then pairs and groups by rank as long as they fit."""
    elements = [element(name, data.chunk(name)) for name in data.names_of_views()]
    room -= sum(map(len, elements))
    pairs = [[name] for name in data.names_of_pairs()][:PAIR_CHUNKS]
    taken = list(_fitting(data, pairs, room // 4))
    elements += [text for block in taken for text in block]
    room -= sum(len(text) for block in taken for text in block)
    blocks = 0
    for block in _fitting(data, data.names_of_groups(), room):
        elements += block
        blocks += 1
    return elements, blocks


def _fitting(data: ReportData, blocks: Iterable[Iterable[str]], room: int) -> Iterator[list[str]]:
    for names in blocks:
        block = [element(name, data.chunk(name)) for name in names]
        room -= sum(map(len, block))
        if room < 0:
            return
        yield block
