"""The PAN 2013 text alignment corpus: texts, listed pairs, and their labelled spans."""

from __future__ import annotations

import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from quality.plagdet import Span

CLASSES = {
    "01-no-plagiarism": "unrelated",
    "02-no-obfuscation": "none",
    "03-random-obfuscation": "random",
    "04-translation-obfuscation": "translation",
    "05-summary-obfuscation": "summary",
}


@dataclass(frozen=True)
class Corpus:
    """``texts`` by document name; ``pairs``: class to pair to spans.

    A pair is named ``suspicious|source``; its spans give the suspicious text first.
    """

    texts: dict[str, str]
    pairs: dict[str, dict[str, list[Span]]]

    @cached_property
    def gold(self) -> dict[str, list[Span]]:
        """All listed pairs; one that two classes list has the spans of both."""
        merged: dict[str, list[Span]] = {}
        for listed in self.pairs.values():
            for pair, spans in listed.items():
                merged.setdefault(pair, []).extend(spans)
        return merged


def load(archive: Path) -> Corpus:
    """Read the corpus from its archive (``.tar.zst``); nothing is unpacked to disk."""
    texts: dict[str, str] = {}
    pairs: dict[str, dict[str, list[Span]]] = {name: {} for name in CLASSES.values()}
    with (
        archive.open("rb") as raw,
        zstandard.ZstdDecompressor().stream_reader(raw) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for member in tar:
            path = Path(member.name)
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            if path.suffix == ".txt":
                texts[path.stem] = content.read().decode("utf-8-sig")
            elif path.suffix == ".xml":
                root = ET.parse(content).getroot()
                name = path.stem.split("-source-")
                pair = f"{name[0]}|source-{name[1]}"
                pairs[CLASSES[path.parent.name]][pair] = [
                    _span(f) for f in root.iter("feature") if f.get("name") == "plagiarism"
                ]
    return Corpus(texts, pairs)


def names(pair: str) -> tuple[str, str]:
    """The two documents of a pair, the suspicious one first."""
    suspicious, _, source = pair.partition("|")
    return suspicious, source


def _span(feature: ET.Element) -> Span:
    a, length_a = int(feature.get("this_offset", "")), int(feature.get("this_length", ""))
    b, length_b = int(feature.get("source_offset", "")), int(feature.get("source_length", ""))
    return a, a + length_a, b, b + length_b
