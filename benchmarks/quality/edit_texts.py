"""The texts of the benchmark of edits: news of 150 to 250 words in four scripts.

English and Chinese are cut from the shared corpora, each article to its first sentences.
Those hold no Arabic and half a dozen Indonesian articles, so these two are invented articles
that belong to this repository (``data/edits``).
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import zstandard

from quality.edit_operations import SCRIPTS, Script, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

INVENTED = Path(__file__).resolve().parents[2] / "data" / "edits"
INVENTED_LANGUAGES = ("Indonesian", "Arabic")
LEAST_WORDS, ENOUGH_WORDS = 150, 200
"""An article is cut after the sentence with which it has enough words."""
LEAST_SENTENCES, MOST_WORDS = 6, 300

CCTV_HEAD = re.compile(r"^央视网消息[^：:]{0,12}[：:]")
CCTV_TAIL = re.compile(r"\s*\[查看原文\].*", re.DOTALL)


@dataclass(frozen=True)
class Article:
    """``sentences`` of a text, its outlet, and the day on which it was published if known."""

    sentences: tuple[str, ...]
    outlet: str
    day: date | None


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def day_of(published: str | None) -> date | None:
    try:
        return date.fromisoformat((published or "")[:10])
    except ValueError:
        return None


def cut(script: Script, text: str) -> tuple[str, ...] | None:
    """The first sentences of a text, ``None`` where they make no article of the wanted size."""
    kept: list[str] = []
    words = 0
    for sentence in sentences(script, text):
        kept.append(sentence)
        words += script.count([sentence])
        if words >= ENOUGH_WORDS:
            break
    if LEAST_WORDS <= words <= MOST_WORDS and len(kept) >= LEAST_SENTENCES:
        return tuple(kept)
    return None


def _corpus(language: str, corpora: Path) -> Iterator[dict[str, Any]]:
    if language == "English":
        yield from _records(corpora / "allsides.jsonl.zst")
    elif language == "Chinese":
        for record in _records(corpora / "cctv-zh.jsonl.zst"):
            record["text"] = CCTV_TAIL.sub("", CCTV_HEAD.sub("", record["text"]))
            yield record
    else:
        path = INVENTED / f"{language.lower()}.jsonl"
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def articles(language: str, corpora: Path, *, most: int, seed: int) -> list[Article]:
    """At most ``most`` articles of a language in random order, no two that begin alike."""
    script = SCRIPTS[language]
    records = list(_corpus(language, corpora))
    Random(seed).shuffle(records)
    found: dict[str, Article] = {}
    for record in records:
        if len(found) == most:
            break
        kept = cut(script, record["text"])
        if kept:
            article = Article(kept, record.get("outlet") or "", day_of(record.get("published")))
            found.setdefault(kept[0], article)
    return list(found.values())


def full_texts(language: str, corpora: Path, *, most: int, seed: int) -> list[tuple[Article, str]]:
    """At most ``most`` dated articles at full length, no two that begin alike."""
    script = SCRIPTS[language]
    records = list(_corpus(language, corpora))
    Random(f"{seed}|full").shuffle(records)
    found: dict[str, tuple[Article, str]] = {}
    for record in records:
        if len(found) == most:
            break
        day = day_of(record.get("published"))
        parts = tuple(sentences(script, record["text"]))
        if len(parts) < LEAST_SENTENCES or (day is None and language not in INVENTED_LANGUAGES):
            continue
        article = Article(parts, record.get("outlet") or "", day)
        found.setdefault(parts[0], (article, record["text"].strip()))
    return list(found.values())
